//! A program of slow parts in a service that is a folder, for the tests of processes that share a stack.
//!
//! `SHOP_WORLD` is the folder: a file for each part, and `requests`, a line for each request with the process that sent
//! it. A request has its effect at once, and its answer takes a while. A create takes two: one for the part, and one for
//! the note on it. `SHOP_PARTS` names the parts, `SHOP_NOTE` stands on each, `SHOP_TOKEN` is a secret.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use platform_aws::Aws;
use platform_sdk::{
    Declared, Expr, Id, Program, Provider, Resolved, Secret, Stack, Stage,
    derive::{Outputs, Resource},
    provider::{Change, Connector, Context, Drivers, Existing, Found, Made, Manage, Observed, ProviderResult, Read},
    testing::OneClient,
};
use serde_json::{Value, json};

/// How long each answer takes.
const TAKES: Duration = Duration::from_millis(400);

/// The parts that are wanted unless others are named.
const PARTS: &str = "part-0 part-1 part-2 part-3 part-4 part-5 part-6 part-7";

fn main() -> ExitCode {
    let (note, token) = (variable("SHOP_NOTE"), variable("SHOP_TOKEN"));
    let named = Some(variable("SHOP_PARTS")).filter(|named| !named.is_empty());
    let named = named.unwrap_or_else(|| PARTS.to_owned());
    let parts = move |stack: &Stack| {
        for name in named.split_whitespace() {
            stack.add(name, Part::new(name).note(&note)).wait(true);
        }
        if !token.is_empty() {
            stack.export("token", Secret::new(token.clone()));
        }
        Ok(())
    };
    Program::new("shared", parts)
        .provider(Shop { world: PathBuf::from(variable("SHOP_WORLD")) })
        // It has no resources there: state in S3 is reached with its login.
        .provider(Aws::from_env())
        .main()
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// A part. Names are not unique.
#[derive(Resource)]
#[resource(type = "shop:Part", outputs = PartOutputs, provider = Shop, identity = mark(mark), consistency_ms = 100)]
pub struct Part<S: Stage = Declared> {
    /// What it is called.
    #[field(required)]
    pub name: S::In<String>,
    /// What stands on it.
    #[field(computed)]
    pub note: Option<S::In<String>>,
    /// Where its intent's mark is kept.
    #[field(computed)]
    pub mark: Option<S::In<String>>,
}

/// Outputs of [`Part`].
#[derive(Outputs)]
pub struct PartOutputs<S: Stage = Declared> {
    /// Its id.
    pub id: S::Out<Id<Part>>,
}

/// The service.
#[derive(Debug, Clone)]
pub struct Shop {
    world: PathBuf,
}

impl Shop {
    fn file(&self, id: &str) -> PathBuf {
        self.world.join(format!("{id}.json"))
    }

    fn request(&self, verb: &str, what: &str) {
        let mut log = OpenOptions::new().create(true).append(true).open(self.world.join("requests")).expect("a log");
        // One write: lines of several processes don't mix.
        log.write_all(format!("{} {verb} {what}\n", std::process::id()).as_bytes()).expect("a line");
    }

    fn write(&self, id: &str, part: &Value) {
        let fresh = self.world.join(format!(".{id}"));
        fs::write(&fresh, part.to_string()).expect("written");
        fs::rename(fresh, self.file(id)).expect("in place");
    }
}

fn part_in(file: &Path) -> Option<Value> {
    Some(serde_json::from_slice(&fs::read(file).ok()?).expect("a part is JSON"))
}

fn text(part: &Value, field: &str) -> String {
    part[field].as_str().unwrap_or_default().to_owned()
}

fn drivers() -> Drivers<Shop> {
    Drivers::default().with::<Part>()
}

impl Provider for Shop {
    const KIND: &'static str = "shop";

    fn config(&self) -> Expr {
        Expr::map([])
    }

    fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(OneClient::of::<Self>(self.clone(), drivers))
    }
}

fn outputs(id: &str) -> PartOutputs<Resolved> {
    PartOutputs { id: Id::new(id) }
}

#[async_trait]
impl Manage for Part {
    type Client = Shop;

    async fn read(shop: &Shop, existing: &Existing<Self>) -> Read<Self> {
        let Some(part) = part_in(&shop.file(&existing.id)) else { return Ok(None) };
        let inputs = Part { name: text(&part, "name"), note: Some(text(&part, "note")), mark: None };
        Ok(Some(Observed { id: existing.id.clone(), inputs, outputs: outputs(&existing.id), tainted: None }))
    }

    async fn find(shop: &Shop, inputs: &Part<Resolved>) -> ProviderResult<Vec<Found>> {
        let files = fs::read_dir(&shop.world).expect("a world").map(|file| file.expect("an entry").path());
        let parts = files.filter(|file| file.extension().is_some_and(|extension| extension == "json"));
        let found = parts.filter_map(|file| {
            let part = part_in(&file).filter(|part| text(part, "name") == inputs.name)?;
            let id = file.file_stem()?.to_str()?.to_owned();
            Some(Found { mark: Some(text(&part, "mark")), ..Found::id(id) })
        });
        Ok(found.collect())
    }

    async fn create(shop: &Shop, ctx: &Context, inputs: Part<Resolved>) -> ProviderResult<Made<Self>> {
        shop.request("create", &inputs.name);
        let id = format!("{}-{}", std::process::id(), inputs.name);
        let mut part = json!({"name": inputs.name, "note": "", "mark": ctx.mark().id()});
        shop.write(&id, &part);
        tokio::time::sleep(TAKES / 2).await;
        ctx.created(&id).await?;
        shop.request("label", &id);
        part["note"] = json!(inputs.note);
        shop.write(&id, &part);
        tokio::time::sleep(TAKES / 2).await;
        Ok(Made { outputs: outputs(&id), id })
    }

    async fn update(shop: &Shop, _ctx: &Context, change: Change<Self>) -> ProviderResult<Made<Self>> {
        shop.request("update", &change.id);
        let mut part = part_in(&shop.file(&change.id)).expect("updates are of parts that are there");
        part["note"] = json!(change.after.note);
        shop.write(&change.id, &part);
        tokio::time::sleep(TAKES).await;
        Ok(Made { outputs: outputs(&change.id), id: change.id })
    }

    async fn delete(shop: &Shop, _ctx: &Context, existing: Existing<Self>, _force: bool) -> ProviderResult<()> {
        shop.request("delete", &existing.id);
        // What is gone is deleted.
        let _ = fs::remove_file(shop.file(&existing.id));
        tokio::time::sleep(TAKES).await;
        Ok(())
    }
}
