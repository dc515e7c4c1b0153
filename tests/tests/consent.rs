//! Consent over every page of every provider: a delete that a service refuses without force is sent with force after the
//! option and what the plan says to lose; and the hint of a refusal tells what is missing, never what was done.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use platform_aws::Aws;
use platform_databricks::{AccountProvider, WorkspaceProvider};
use platform_sdk::{
    Expr, Options, Program, Provider, Schema,
    desired::{Address, Addresses, Entries, Tree},
    provider::{
        Connect, Connection, Connector, Content, Context, Driver, ErrorKind, Found, Login, LookUpDriver, Observation,
        ProviderError, ProviderResult, Readiness, Request,
    },
    sandbox::Service,
    state::{ProviderState, ResourceState, Snapshot, Status},
    testing::{Harness, Run},
};
use serde_json::{Value, json};

/// Every page of every provider, over a service that refuses to delete without force, and perhaps at all.
#[derive(Clone)]
struct Refusing {
    kind: &'static str,
    schemas: Vec<&'static Schema>,
    never: bool,
    forced: Arc<Mutex<Vec<bool>>>,
}

macro_rules! providers {
    ($($name:ident for $of:ty;)+) => {
        $(
            #[derive(Clone)]
            struct $name(Refusing);

            impl Provider for $name {
                const KIND: &'static str = <$of as Provider>::KIND;

                fn config(&self) -> Expr {
                    Expr::Value(json!({}))
                }

                fn connector(&self) -> Arc<dyn Connector> {
                    Arc::new(self.0.clone())
                }
            }
        )+

        fn program(never: bool, forced: &Arc<Mutex<Vec<bool>>>) -> Program {
            Program::new("demo", |_| Ok(()))
                $(.provider($name(Refusing::of::<$of>(<$of>::from_env().connector().schemas(), never, forced))))+
        }

        fn pages() -> Vec<(&'static str, &'static Schema)> {
            let mut pages = Vec::new();
            $(pages.extend(<$of>::from_env().connector().schemas().into_iter().map(|it| (<$of as Provider>::KIND, it)));)+
            pages
        }
    };
}

providers! {
    AwsPages for Aws;
    AccountPages for AccountProvider;
    WorkspacePages for WorkspaceProvider;
}

impl Refusing {
    fn of<P: Provider>(schemas: Vec<&'static Schema>, never: bool, forced: &Arc<Mutex<Vec<bool>>>) -> Self {
        Self { kind: P::KIND, schemas, never, forced: forced.clone() }
    }
}

#[async_trait]
impl Connector for Refusing {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn schemas(&self) -> Vec<&'static Schema> {
        self.schemas.clone()
    }

    async fn connect(&self, _config: &Value, _connect: &Connect) -> ProviderResult<Arc<dyn Connection>> {
        Ok(Arc::new(self.clone()))
    }

    fn check_credentials(&self, _config: &Value, _connect: &Connect) -> ProviderResult<()> {
        Ok(())
    }

    fn sandbox(&self) -> Option<Arc<dyn Service>> {
        None
    }
}

#[async_trait]
impl Connection for Refusing {
    async fn identity(&self) -> ProviderResult<BTreeMap<String, String>> {
        Ok(BTreeMap::new())
    }

    fn driver(&self, type_name: &str) -> Option<Arc<dyn Driver>> {
        let schema = self.schemas.iter().find(|schema| schema.type_name == type_name)?;
        Some(Arc::new(Page { schema, of: self.clone() }))
    }

    fn look_up(&self, _type_name: &str) -> Option<Arc<dyn LookUpDriver>> {
        None
    }

    async fn login(&self) -> ProviderResult<Login> {
        Ok(Login::default())
    }
}

struct Page {
    schema: &'static Schema,
    of: Refusing,
}

#[async_trait]
impl Driver for Page {
    fn schema(&self) -> &'static Schema {
        self.schema
    }

    async fn read(&self, request: &Request) -> ProviderResult<Option<Observation>> {
        let (inputs, outputs) = (Tree::default(), Tree::from(json!({"id": request.id})));
        Ok(Some(Observation { id: request.id.clone(), inputs, outputs, tainted: None }))
    }

    async fn find(&self, _inputs: &Value) -> ProviderResult<Vec<Found>> {
        Ok(Vec::new())
    }

    async fn create(&self, _ctx: &Context, _inputs: &Value) -> ProviderResult<(String, Tree)> {
        unreachable!("nothing is made here")
    }

    async fn update(&self, _: &Context, _: &Request, _: &Value, _: &[String]) -> ProviderResult<(String, Tree)> {
        unreachable!("nothing is changed here")
    }

    async fn delete(&self, _ctx: &Context, request: &Request, force: bool) -> ProviderResult<()> {
        self.of.forced.lock().expect("no test panicked in it").push(force);
        if force && !self.of.never {
            return Ok(());
        }
        Err(ProviderError::new(ErrorKind::Conflict, format!("`{}` is in use", request.id)).needing_force(true))
    }

    async fn list(&self, _of: &[Request]) -> ProviderResult<Option<Vec<Observation>>> {
        Ok(None)
    }

    async fn ready(&self, _id: &str) -> ProviderResult<Readiness> {
        Ok(Readiness::Ready)
    }

    async fn contents(&self, _id: &str) -> ProviderResult<Vec<Content>> {
        Ok(Vec::new())
    }
}

/// The run that takes away the only resource of a stack: of this type, with this option.
fn taken_away((kind, schema): (&str, &Schema), option: bool, never: bool) -> (Run, Vec<bool>) {
    let address = Address::new(schema.type_name, "it").expect("an address");
    let state = ResourceState {
        address: address.clone(),
        id: "it".to_owned(),
        provider: Arc::new(ProviderState { kind: kind.to_owned(), config: json!({}), ..ProviderState::default() }),
        scope: None,
        schema_version: schema.version,
        inputs: Tree::default(),
        references: Entries::default(),
        outputs: Tree::from(json!({"id": "it"})),
        dependencies: Addresses::default(),
        parents: Addresses::default(),
        options: Arc::new(Options { force_destroy: option, ..Options::default() }),
        status: Status::Whole,
        unset: None,
    };
    let harness = Harness::new();
    harness.restore(Snapshot { resources: [(address, Arc::new(state))].into(), ..harness.snapshot() });
    let forced = Arc::default();
    let run = harness.up(&program(never, &forced)).expect("a plan");
    let forced = forced.lock().expect("no test panicked in it").clone();
    (run, forced)
}

fn hint(run: &Run) -> String {
    run.failures[0].hint.clone().unwrap_or_default()
}

#[test]
fn every_page_is_deleted_by_force_after_option_and_consent_and_its_hint_tells_what_is_missing() {
    let pages = pages();
    assert!(pages.len() > 15, "{}", pages.len());
    for page in pages {
        let name = page.1.type_name;
        let (run, forced) = taken_away(page, false, false);
        assert_eq!(forced, [false], "{name}: nobody asked for force");
        assert!(hint(&run).contains("say `.force_destroy(true)`, apply that, and agree"), "{name}: {}", hint(&run));

        let (run, forced) = taken_away(page, true, false);
        assert_eq!((run.failures.as_slice(), forced.as_slice()), (&[][..], &[true][..]), "{name}");
        let lost = run.plan.steps.iter().any(|step| !step.destroys.is_empty());
        assert!(lost, "{name}: the plan says nothing that could be agreed to");

        let (run, forced) = taken_away(page, true, true);
        assert_eq!(forced, [true], "{name}");
        let hint = hint(&run);
        assert!(!hint.contains("force_destroy") && !hint.contains("--allow-data-loss"), "{name}: {hint}");
    }
}
