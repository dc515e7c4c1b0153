//! The readers of outside bytes of this crate, each as a function of bytes.

use std::{cell::RefCell, fs, path::PathBuf, sync::Arc, time::Duration};

use platform_databricks::{
    DataType,
    auth::{Environment, LoginConfig},
    client::Client,
    provider::{account_drivers, workspace_drivers},
    sandbox::{DatabricksSandbox, TOKEN},
};
use platform_sdk::{
    provider::{Context, Drivers, Request},
    sandbox::{Service as _, World},
    testing::raw_request,
};
use serde_json::{Value, json};

use crate::scripted::{Host, host};

/// Nothing that is asked of a host on this machine takes as long: what does waits on purpose.
const SOON: Duration = Duration::from_millis(200);

/// The type of a column, as a service or a program writes it.
pub(crate) fn column_type(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let read = DataType::parse(&text);
    let again = DataType::parse(&read.to_string());
    assert!(matches!(read, DataType::Plain(_)) || again == read, "it is read as it is shown: {read} {again}");
    drop(serde_json::to_value(&read).and_then(serde_json::from_value::<DataType>));
}

fn asked(host: &Host, work: impl Future<Output = ()>) {
    // What waits for another look has read what it looked at.
    let _waits = host.runtime.block_on(async { tokio::time::timeout(SOON, work).await });
}

/// What a service answers: successes, errors of every shape, pages of lists.
pub(crate) fn answers(bytes: &[u8]) {
    let host = host();
    let calls: [fn(Client) -> std::pin::Pin<Box<dyn Future<Output = ()>>>; 4] = [
        |client| Box::pin(async move { drop(client.get("/api/2.1/jobs/get").send::<Value>().await) }),
        |client| {
            Box::pin(async move { drop(client.patch("/api/2.1/unity-catalog/schemas/a.b").send::<Value>().await) })
        },
        |client| {
            Box::pin(async move {
                drop(client.pages("/api/2.1/unity-catalog/catalogs", "catalogs").all::<Value>().await);
            })
        },
        |client| {
            Box::pin(async move { drop(client.scim_pages("/api/2.0/preview/scim/v2/Users").all::<Value>().await) })
        },
    ];
    for call in calls {
        host.say(bytes);
        asked(host, call(host.client_for(bytes)));
    }
}

/// What is answered to a client that logs in: where tokens are given, and one.
pub(crate) fn login(bytes: &[u8]) {
    let host = host();
    host.say(bytes);
    let client = host.newcomer();
    asked(host, async move { drop(client.get("/api/2.0/preview/scim/v2/Me").send::<Value>().await) });
}

/// What a service answers about an object, as its page reads it. The first line is the page's type.
pub(crate) fn pages(bytes: &[u8]) {
    thread_local! {
        static DRIVERS: [(Drivers<Client>, &'static str); 2] =
            [(workspace_drivers(), "databricks:Job"), (account_drivers(), "databricks:Workspace")];
    }
    let text = String::from_utf8_lossy(bytes);
    let (name, answer) = text.split_once('\n').unwrap_or((&text, ""));
    let (host, client) = (host(), Arc::new(host().client_for(bytes)));
    DRIVERS.with(|drivers| {
        let level =
            usize::from(drivers[0].0.driver(name, &client).is_none() && drivers[0].0.look_up(name, &client).is_none());
        let (drivers, usual) = &drivers[level];
        host.say(answer.as_bytes());
        if let Some(look_up) = drivers.look_up(name, &client) {
            return asked(host, async move { drop(look_up.look_up("lake").await) });
        }
        let Some(driver) = drivers.driver(name, &client).or_else(|| drivers.driver(usual, &client)) else { return };
        let request = Request { id: "a.b.c".to_owned(), inputs: None, outputs: None };
        asked(host, async { drop(driver.read(&request).await) });
        host.say(answer.as_bytes());
        asked(host, async { drop(driver.ready(&request.id).await) });
        if name == "databricks:Table" {
            let table = json!({"schema": "a.b", "name": "c", "via": "w", "columns": [{"name": "id", "type": "int"}]});
            host.say(answer.as_bytes());
            asked(host, async { drop(driver.create(&Context::detached(), &table).await) });
        }
    });
}

/// The file that all tools of Databricks share.
pub(crate) fn profile(bytes: &[u8]) {
    thread_local! {
        static FILE: PathBuf = std::env::temp_dir().join(format!("databrickscfg-{}", std::process::id()));
    }
    FILE.with(|file| {
        fs::write(file, bytes).expect("a file that can be written");
        for profile in [None, Some("prod".to_owned())] {
            let config_file = Some(file.display().to_string());
            let config = LoginConfig { config_file, profile, ..LoginConfig::default() };
            if let Ok(login) = LoginConfig::resolve(config, &Environment::empty()) {
                drop(login.describe());
            }
        }
        let _ = fs::remove_file(file);
    });
}

/// A world with something in it.
fn world() -> World {
    thread_local! {
        static SEEDED: RefCell<Option<World>> = const { RefCell::new(None) };
    }
    SEEDED.with_borrow_mut(|seeded| {
        seeded
            .get_or_insert_with(|| {
                let mut world = World::at(1_800_000_000_000);
                DatabricksSandbox.seed(&mut world);
                for request in [
                    r#"POST /api/2.1/unity-catalog/schemas
{"name": "sales", "catalog_name": "main"}"#,
                    r#"POST /api/2.0/sql/warehouses
{"name": "sql", "cluster_size": "2X-Small", "max_num_clusters": 1}"#,
                ] {
                    let (first, body) = request.split_once('\n').unwrap_or((request, ""));
                    let raw = format!("{first}\nauthorization: Bearer {TOKEN}\n\n{body}");
                    let answer = DatabricksSandbox.handle(&raw_request(raw.as_bytes()), &mut world);
                    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
                }
                world
            })
            .clone()
    })
}

/// What anybody sends to the sandbox.
pub(crate) fn sandbox(bytes: &[u8]) {
    let mut request = raw_request(bytes);
    request.headers.entry("authorization".to_owned()).or_insert_with(|| format!("Bearer {TOKEN}"));
    let answer = DatabricksSandbox.handle(&request, &mut world());
    assert!((200..600).contains(&answer.status) && answer.status != 500, "{request:?}");
    drop(DatabricksSandbox.loggable_body(&request));
    let _ = DatabricksSandbox.is_read(&request);
}

/// The SQL that somebody sends to the sandbox.
pub(crate) fn statements(bytes: &[u8]) {
    let mut world = world();
    let (key, _) = world.list("w/").find(|(key, _)| key.contains("/warehouses/")).expect("a warehouse that was made");
    let warehouse = key.rsplit('/').next().unwrap_or_default().to_owned();
    let statement = String::from_utf8_lossy(bytes);
    let body = json!({"warehouse_id": warehouse, "statement": statement, "catalog": "main", "schema": "sales"});
    let raw = format!("POST /api/2.0/sql/statements\nauthorization: Bearer {TOKEN}\n\n{body}");
    let answer = DatabricksSandbox.handle(&raw_request(raw.as_bytes()), &mut world);
    assert!(matches!(answer.status, 200 | 400), "{}", String::from_utf8_lossy(&answer.body));
}
