//! The state of a project that was renamed: brought along as a whole, whatever happens meanwhile, and by one run.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use platform_sdk::{
    Data, Program,
    desired::Tree,
    state::{Location, Memory, Reading, Store, World, lease, read},
    testing::{Command, Said},
};
use serde_json::json;
use time::OffsetDateTime;
use tokio::sync::watch;

use super::{
    fixture::{ana, intent, no_environment, put, resource, secret},
    interrupted::Failing,
};

/// A command of the project as it is called now.
async fn run(store: Arc<dyn Store>, line: &str) -> (u8, String) {
    let program = Program::new("lake", |stack| {
        stack.add("data", Data::new(json!(1)));
        Ok(())
    });
    let (_stop, stop) = watch::channel(false);
    let said = Said::default();
    let command = Command {
        program: program.stack("prod").formerly("acme"),
        line: line.split_whitespace().map(str::to_owned).collect(),
        store,
        folder: None,
        environment: no_environment(),
        clock: Arc::new(OffsetDateTime::now_utc),
        stop,
        said: said.clone(),
    };
    let code = command.run().await;
    (code, said.out() + &said.err())
}

fn place(store: &Arc<dyn Store>, project: &str) -> Location {
    Location::within(store.clone(), project, "prod").expect("a location")
}

async fn reading(store: &Arc<dyn Store>, project: &str) -> platform_sdk::Result<Reading> {
    read(&place(store, project), World::Real, &no_environment()).await
}

/// A stack with a secret in its snapshot, one in a journal that no snapshot has, and a step that was interrupted.
async fn renamed() -> Arc<dyn Store> {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let mut lease = lease(&place(&store, "acme"), World::Real, &no_environment(), &ana()).await.expect("a lease");
    let mut snapshot = lease.reading().snapshot.clone();
    let tree = Tree::Map([("password".to_owned(), secret("hush"))].into());
    let state = resource("x", tree.clone());
    snapshot.resources.insert(state.address.clone(), state.into());
    lease.commit(&snapshot).await.expect("committed");
    lease.journal().append(put(resource("y", tree.clone()))).await.expect("durable");
    lease.journal().append(intent("00000000000000aa", resource("z", tree))).await.expect("durable");
    lease.release().await.expect("released");
    store
}

/// Brings along, and does nothing else.
const BRINGS_ALONG: &str = "state prune --keep 9 --yes";

#[tokio::test]
async fn a_rename_that_is_interrupted_between_any_two_writes_is_brought_to_its_end() {
    for late in [false, true] {
        for writes in 0.. {
            let store = renamed().await;
            let before = reading(&store, "acme").await.expect("readable");
            let left = Arc::new(AtomicUsize::new(writes));
            let failing = Arc::new(Failing { inner: store.clone(), left: left.clone(), late });
            let (code, said) = run(failing, BRINGS_ALONG).await;
            let uninterrupted = left.load(Ordering::SeqCst) > 0;
            assert_eq!(code == 0, uninterrupted, "after {writes} writes: {said}");

            let (code, said) = run(store.clone(), "state list").await;
            assert!(code == 0 && said.contains("::x") && said.contains("::y"), "after {writes} writes: {said}");
            let (code, said) = run(store.clone(), BRINGS_ALONG).await;
            assert_eq!(code, 0, "after {writes} writes: {said}");
            let after = reading(&store, "lake").await.expect("readable");
            assert_eq!((&after.snapshot, &after.open), (&before.snapshot, &before.open), "after {writes} writes");
            let value = json!("hush");
            assert_eq!(after.keys.hmac(&value), before.keys.hmac(&value), "what is hashed there stays as it was");
            let said = reading(&store, "acme").await.expect_err("it was left").to_string();
            assert!(said.contains("the state of `acme/prod` is that of `lake/prod` now"), "{said}");
            if uninterrupted {
                break;
            }
        }
    }
}

#[tokio::test]
async fn while_somebody_works_under_the_old_name_nothing_is_brought_along() {
    let store = renamed().await;
    let held = lease(&place(&store, "acme"), World::Real, &no_environment(), &ana()).await.expect("a lease");
    let (code, said) = run(store.clone(), BRINGS_ALONG).await;
    assert!(code == 1 && said.contains("stack `acme/prod` is in use"), "{said}");
    held.journal().append(intent("00000000000000bb", resource("w", Tree::default()))).await.expect("it works on");
    held.release().await.expect("released");
    let (code, said) = run(store.clone(), BRINGS_ALONG).await;
    assert_eq!(code, 0, "{said}");
    assert_eq!(reading(&store, "lake").await.expect("readable").open.len(), 2, "with what was done last");
}

#[tokio::test]
async fn of_two_runs_that_bring_it_along_one_does_and_both_go_on_from_there() {
    let store = renamed().await;
    let runs = (0..4).map(|_| run(store.clone(), BRINGS_ALONG));
    let answers = futures::future::join_all(runs).await;
    assert!(answers.iter().any(|(code, _)| *code == 0), "{answers:?}");
    for (code, said) in &answers {
        assert!(*code == 0 || said.contains("is in use") || said.contains("in use until just now"), "{said}");
    }
    assert_eq!(answers.iter().filter(|(_, said)| said.contains("brought the state of")).count(), 1, "{answers:?}");
    assert_eq!(run(store.clone(), BRINGS_ALONG).await.0, 0);
    assert_eq!(reading(&store, "lake").await.expect("readable").serial, 1, "once");
}
