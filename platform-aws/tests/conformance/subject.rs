//! What is tested: one resource type's driver over a connection, with the engine's part of the contract around it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
    sync::{Arc, Mutex, PoisonError},
};

use platform_aws::Aws;
use platform_sdk::{
    Provider, Resource,
    desired::Tree,
    plan::foreseen,
    provider::{Connect, Connection, Context, Driver, ErrorKind, Observation, Request},
    sandbox::{Endpoint, Options, attach_or_start},
    testing::Harness,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{boto::Boto, server};

pub(crate) const REGION: &str = "eu-west-1";

/// A server, the provider's connection to it, and boto3's.
pub(crate) struct Subject {
    pub(crate) connection: Arc<dyn Connection>,
    pub(crate) boto: Boto,
    /// Where the server is.
    url: String,
    name: String,
    /// Ends and goes away with the subject.
    _sandbox: Option<(Endpoint, TempDir)>,
}

impl Subject {
    /// On moto, which all tests share: names keep them apart. `None` where there is no moto.
    pub(crate) async fn on_moto(scenario: &str) -> Option<Self> {
        let started = tokio::task::spawn_blocking(|| Ok((server::python()?, server::moto()?))).await;
        let (python, url) = present(started.expect("it starts or it does not"), "moto")?;
        let environment = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_REGION", REGION)];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let connect = Connect { environment: BTreeMap::from(environment), sandbox: None };
        Some(Self::new(scenario, url, &json!({"endpoint": url}), &connect, Boto::start(python, url, REGION)).await)
    }

    /// On a sandbox of its own. `None` where there is no boto3 to look at it with.
    pub(crate) async fn on_sandbox(scenario: &str) -> Option<Self> {
        let found = tokio::task::spawn_blocking(server::python).await;
        let python = present(found.expect("it is there or it is not"), "the sandbox")?;
        let dir = TempDir::new().expect("a directory");
        let service = Aws::from_env().connector().sandbox().expect("AWS has a sandbox");
        let endpoint = attach_or_start(dir.path(), service, Options::default()).expect("the sandbox starts");
        let boto = Boto::start(python, &endpoint.url, REGION);
        let connect = Connect { environment: BTreeMap::new(), sandbox: Some(endpoint.url.clone()) };
        let subject = Self::new(scenario, &endpoint.url, &json!({"region": REGION}), &connect, boto).await;
        Some(Self { _sandbox: Some((endpoint, dir)), ..subject })
    }

    async fn new(scenario: &str, url: &str, config: &Value, connect: &Connect, boto: Boto) -> Self {
        let connection = Aws::from_env().connector().connect(config, connect).await.expect("a connection");
        Self { connection, boto, url: url.to_owned(), name: scenario.replace('_', "-"), _sandbox: None }
    }

    /// An empty state whose programs find the server where `AWS_ENDPOINT_URL` says.
    pub(crate) fn harness(&self) -> Harness {
        Harness::new()
            .with_variable("AWS_ENDPOINT_URL", &self.url)
            .with_variable("AWS_REGION", REGION)
            .with_variable("AWS_ACCESS_KEY_ID", "test")
            .with_variable("AWS_SECRET_ACCESS_KEY", "test")
    }

    /// A name that no other scenario uses; short enough for a bucket.
    pub(crate) fn name(&self, suffix: &str) -> String {
        let digest = self.name.bytes().fold(5381_u64, |hash, byte| hash.wrapping_mul(33) ^ u64::from(byte));
        format!("t{digest:016x}-{suffix}")
    }

    pub(crate) fn driver<R: Resource>(&self) -> Type {
        let driver = self.connection.driver(R::schema().type_name).expect("the type is registered");
        Type { driver }
    }
}

/// What was found; without it, the server's name among the suites that were left out, once, and past the test runner,
/// which keeps to itself what a passing test prints.
fn present<T>(found: Result<T, &'static str>, server: &'static str) -> Option<T> {
    static NAMED: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    let why = match found {
        Ok(found) => return Some(found),
        Err(why) => why,
    };
    if NAMED.lock().unwrap_or_else(PoisonError::into_inner).insert(server) {
        // Nobody is left to tell when standard error is closed.
        let _ = writeln!(std::io::stderr(), "left out: AWS conformance against {server}: {why}");
    }
    None
}

/// One resource type, as the engine drives it.
pub(crate) struct Type {
    pub(crate) driver: Arc<dyn Driver>,
}

/// An object as state keeps it.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) id: String,
    pub(crate) inputs: Value,
    pub(crate) outputs: Value,
}

impl Object {
    fn request(&self) -> Request {
        Request { id: self.id.clone(), inputs: Some(self.inputs.clone()), outputs: Some(self.outputs.clone()) }
    }
}

/// The plain inputs of a resource without outputs in it.
pub(crate) fn inputs<R: Resource>(resource: &R) -> Value {
    Tree::of_known(&resource.to_expr()).plain().expect("nothing is unknown")
}

impl Type {
    /// Clause 1: creates, checks that all outputs are there, and that a read shows what was asked for.
    pub(crate) async fn create<R: Resource>(&self, resource: R) -> Object {
        let inputs = inputs(&resource);
        let found = self.driver.find(&inputs).await.expect("find");
        assert!(found.is_empty(), "nothing of this name is there yet: {found:?}");
        let (id, outputs) = self.driver.create(&Context::detached(), &inputs).await.expect("create");
        let object = Object { id, inputs, outputs: outputs.plain().expect("outputs are known") };
        for output in self.driver.schema().outputs {
            assert!(object.outputs.get(output.name).is_some(), "output `{}` in {}", output.name, object.outputs);
            let foreseen = foreseen(self.driver.schema(), output, &object.inputs.clone().into());
            assert_eq!(foreseen.is_some(), output.is.is_some(), "`{}` is made of inputs", output.name);
            let made = foreseen.map_or_else(|| object.outputs[output.name].clone(), |foreseen| foreseen.shown());
            assert_eq!(made, object.outputs[output.name], "clause 1: `{}` is what a plan says", output.name);
        }
        let seen = self.read(&object).await.expect("it is there");
        assert_eq!(seen.id, object.id, "clause 1: the id is the one that create gave");
        assert_eq!(seen.outputs.plain().as_ref(), Some(&object.outputs), "clause 1: read shows the same outputs");
        assert_eq!(self.drift(&object).await, json!({}), "clauses 1 and 8: nothing differs after a create");
        let found = self.driver.find(&object.inputs).await.expect("find");
        assert_eq!(found.len(), 1, "clause 3");
        assert_eq!(found[0].id, object.id, "clause 3: find gives the id that create gave");
        object
    }

    pub(crate) async fn read(&self, object: &Object) -> Option<Observation> {
        self.driver.read(&object.request()).await.expect("read")
    }

    /// What a plan would show: declared fields by what is there, with both sides normalised.
    pub(crate) async fn drift(&self, object: &Object) -> Value {
        let seen = self.read(object).await.expect("it is there").inputs.plain().expect("inputs are known");
        let mut drift = serde_json::Map::new();
        for field in self.driver.schema().fields() {
            let Some(wanted) = object.inputs.get(field.name) else { continue };
            let normalize = |value: &Value| field.normalize.map_or_else(|| value.clone(), |f| f(value.clone()));
            let there = seen.get(field.name).cloned().unwrap_or_default();
            if !covers(&normalize(&there), &normalize(wanted)) {
                drift.insert(field.name.to_owned(), there);
            }
        }
        Value::Object(drift)
    }

    /// Clause 4: updates from what is there to what is wanted, checks it by a read, and does it again (clause 6).
    pub(crate) async fn update<R: Resource>(&self, object: &mut Object, resource: R, paths: &[&str]) {
        let before = self.read(object).await.expect("it is there").inputs.plain().expect("inputs are known");
        let after = inputs(&resource);
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        for time in ["once", "again"] {
            let request = Request { inputs: Some(before.clone()), ..object.request() };
            let outcome = self.driver.update(&Context::detached(), &request, &after, &paths).await;
            let (id, outputs) = outcome.unwrap_or_else(|error| panic!("update {time}: {error:?}"));
            assert_eq!(id, object.id);
            *object = Object { id, inputs: after.clone(), outputs: outputs.plain().expect("outputs are known") };
            assert_eq!(self.drift(object).await, json!({}), "clause 4: after an update ({time}) nothing differs");
        }
    }

    /// Clause 5: deletes, sees it gone, deletes again.
    pub(crate) async fn delete(&self, object: &Object) {
        for time in ["once", "again"] {
            let outcome = self.driver.delete(&Context::detached(), &object.request(), false).await;
            outcome.unwrap_or_else(|error| panic!("clause 5: delete {time}: {error:?}"));
            assert!(self.read(object).await.is_none(), "clauses 2 and 5: it is gone");
        }
        assert!(
            self.driver.find(&object.inputs).await.expect("find").is_empty(),
            "clause 3: find sees that it is gone"
        );
    }

    pub(crate) async fn force_delete(&self, object: &Object) {
        self.driver.delete(&Context::detached(), &object.request(), true).await.expect("a forced delete");
        assert!(self.read(object).await.is_none(), "clause 5: it is gone");
    }

    /// The kind of error that a create of this gives.
    pub(crate) async fn refusal_to_create<R: Resource>(&self, resource: R) -> ErrorKind {
        let outcome = self.driver.create(&Context::detached(), &inputs(&resource)).await;
        outcome.expect_err("it is refused").kind
    }

    /// The kind of error that a delete gives.
    pub(crate) async fn refusal_to_delete(&self, object: &Object) -> ErrorKind {
        let outcome = self.driver.delete(&Context::detached(), &object.request(), false).await;
        outcome.expect_err("it is refused").kind
    }
}

/// Whether everything that is wanted is there: structs may have more fields than were declared, lists may not.
fn covers(there: &Value, wanted: &Value) -> bool {
    match (there, wanted) {
        (Value::Object(there), Value::Object(wanted)) => {
            wanted.iter().all(|(key, value)| there.get(key).is_some_and(|there| covers(there, value)))
        }
        (there, wanted) => there == wanted,
    }
}
