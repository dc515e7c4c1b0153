//! What a run writes is what the next one reads; a run with nothing to do writes nothing.

use platform_sdk::{
    desired::Tree,
    state::{Record, World, history, lease, read, snapshot_at},
};
use serde_json::json;

use super::fixture::{address, ana, files, full_resource, location, no_environment, put, resource, secret, written};

#[tokio::test]
async fn a_directory_that_is_not_there_is_an_empty_state_and_stays_so() {
    let folder = tempfile::tempdir().expect("a directory");
    let root = folder.path().join("none");
    let reading = read(&location(&root), World::Real, &no_environment()).await.expect("a reading");
    assert!(reading.snapshot.resources.is_empty());
    assert_eq!((reading.base, reading.serial, reading.world), (None, 0, None));
    let mut lease = lease(&location(&root), World::Real, &no_environment(), &ana()).await.expect("a lease");
    let snapshot = lease.reading().snapshot.clone();
    let commit = lease.commit(&snapshot).await.expect("committed");
    assert!(!commit.written);
    lease.release().await.expect("released");
    assert!(!root.exists(), "a run that wrote nothing leaves nothing");
}

#[tokio::test]
async fn everything_comes_back_as_it_was() {
    let folder = tempfile::tempdir().expect("a directory");
    let place = location(folder.path());
    let mut lease = lease(&place, World::Real, &no_environment(), &ana()).await.expect("a lease");
    let mut snapshot = lease.reading().snapshot.clone();
    let mut partly = full_resource("partly");
    partly.inputs =
        Tree::Map([("password".to_owned(), secret("p")), ("n".to_owned(), Tree::Unknown("${x}".to_owned()))].into());
    for state in [full_resource("full"), resource("small", Tree::default()), partly] {
        snapshot.resources.insert(state.address.clone(), state.into());
    }
    snapshot.pending_deletes.push(full_resource("full").into());
    snapshot.exports.insert("token".to_owned(), secret("t"));
    snapshot
        .identities
        .entry("databricks.workspace".to_owned())
        .or_default()
        .insert("workspace".to_owned(), "1".to_owned());
    lease.commit(&snapshot).await.expect("committed");
    lease.release().await.expect("released");
    let reading = read(&place, World::Real, &no_environment()).await.expect("a reading");
    assert_eq!(reading.snapshot, snapshot);
    assert_eq!(reading.recovered, 0);
}

#[tokio::test]
async fn an_id_comes_back_whatever_the_outputs_name() {
    let folder = tempfile::tempdir().expect("a directory");
    let place = location(folder.path());
    let mut lease = lease(&place, World::Real, &no_environment(), &ana()).await.expect("a lease");
    let mut snapshot = lease.reading().snapshot.clone();
    let names = [
        json!({"id": "id-same"}).into(),
        json!({"id": "id-other"}).into(),
        json!({"id": 7}).into(),
        json!({}).into(),
        json!("id").into(),
        Tree::Map([("id".to_owned(), secret("id-secret"))].into()),
    ];
    for (name, outputs) in ["same", "else", "number", "none", "text", "secret"].into_iter().zip(names) {
        for id in [format!("id-{name}"), String::new()] {
            let mut state = resource(&format!("{name}{}", id.len()), outputs.clone());
            state.id = id;
            snapshot.resources.insert(state.address.clone(), state.into());
        }
    }
    lease.commit(&snapshot).await.expect("committed");
    lease.release().await.expect("released");
    let reading = read(&place, World::Real, &no_environment()).await.expect("a reading");
    assert_eq!(reading.snapshot, snapshot);
}

#[tokio::test]
async fn a_run_with_nothing_to_do_writes_nothing() {
    let folder = tempfile::tempdir().expect("a directory");
    let place = location(folder.path());
    written(&place, &["a", "b"]).await;
    let before = files(folder.path());
    let mut lease = lease(&place, World::Real, &no_environment(), &ana()).await.expect("a lease");
    let (snapshot, base) = (lease.reading().snapshot.clone(), lease.reading().base.clone());
    let commit = lease.commit(&snapshot).await.expect("committed");
    assert_eq!((commit.written, commit.snapshot), (false, base));
    lease.release().await.expect("released");
    assert_eq!(files(folder.path()), before);
}

#[tokio::test]
async fn records_after_a_commit_belong_to_the_new_snapshot() {
    let folder = tempfile::tempdir().expect("a directory");
    let place = location(folder.path());
    let mut lease = lease(&place, World::Real, &no_environment(), &ana()).await.expect("a lease");
    let mut snapshot = lease.reading().snapshot.clone();
    for name in ["first", "second"] {
        let state = resource(name, Tree::default());
        lease.journal().append(put(state.clone())).await.expect("durable");
        snapshot.resources.insert(state.address.clone(), state.into());
        lease.commit(&snapshot).await.expect("committed");
    }
    lease.journal().append_lazy(put(resource("third", Tree::default()))).await.expect("queued");
    lease.release().await.expect("released");
    let reading = read(&place, World::Real, &no_environment()).await.expect("a reading");
    assert_eq!((reading.serial, reading.recovered), (2, 1));
    assert_eq!(reading.snapshot.resources.len(), 3);
    let chain = history(&place).await.expect("a history").kept;
    assert_eq!(chain.iter().map(|(_, entry)| entry.serial).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(chain[0].1.parent.as_ref(), Some(&chain[1].0));
    let (first, _) = snapshot_at(&place, 1, &no_environment()).await.expect("serial 1");
    assert!(first.resources.contains_key(&address("first")) && first.resources.len() == 1);
    let said = snapshot_at(&place, 9, &no_environment()).await.expect_err("no serial 9").to_string();
    assert!(said.contains("`acme/prod` has no serial 9"), "{said}");
}

#[tokio::test]
async fn a_lazy_record_is_on_disk_after_a_moment() {
    let folder = tempfile::tempdir().expect("a directory");
    let place = location(folder.path());
    let lease = lease(&place, World::Real, &no_environment(), &ana()).await.expect("a lease");
    let exports = [("x".to_owned(), Tree::from(json!(1)))].into();
    lease.journal().append_lazy(Record::Exports(exports)).await.expect("queued");
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let reading = read(&place, World::Real, &no_environment()).await.expect("a reading");
    assert_eq!(reading.recovered, 1);
}

#[tokio::test]
async fn worlds_are_not_mixed() {
    let folder = tempfile::tempdir().expect("a directory");
    let place = location(folder.path());
    written(&place, &["a"]).await;
    let before = files(folder.path());
    let said = lease(&place, World::Sandbox, &no_environment(), &ana()).await.expect_err("real").to_string();
    assert!(said.contains("leave out `--sandbox`"), "{said}");
    assert!(read(&place, World::Sandbox, &no_environment()).await.is_err());
    assert_eq!(files(folder.path()), before);
}
