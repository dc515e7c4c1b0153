//! Version 1 of the state, as it was written once, is read for ever.

use std::{collections::BTreeMap, fs, path::Path};

use platform_sdk::{
    desired::Tree,
    state::{Location, PASSPHRASE, Snapshot, World, lease, read},
};

use super::fixture::{address, ana, full_resource, intent, no_environment, resource, secret};

const PROJECT: &str = "golden";

fn environment() -> BTreeMap<String, String> {
    [(PASSPHRASE.to_owned(), "golden".to_owned())].into()
}

fn golden() -> Location {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/state/golden");
    Location::new(root.to_str().expect("text"), PROJECT, "v1").expect("a location")
}

/// What the golden directory's snapshot holds.
fn wanted(keys: &platform_sdk::state::Keys) -> Snapshot {
    let full = full_resource("full", keys);
    let quiet = resource("quiet", Tree::Map([("password".to_owned(), secret("hush"))].into()), keys);
    Snapshot {
        uuid: "00000000-0000-4000-8000-000000000000".to_owned(),
        pending_deletes: vec![resource("old", Tree::default(), keys).into()],
        exports: [("url".to_owned(), Tree::Leaf("https://example.test".into()))].into(),
        lookups: BTreeMap::new(),
        identities: [("sdk".to_owned(), [("scope".to_owned(), "1".to_owned())].into())].into(),
        resources: [full, quiet].map(|state| (state.address.clone(), state.into())).into(),
    }
}

#[tokio::test]
async fn version_1_is_read() {
    let reading = read(&golden(), World::Sandbox, &environment()).await.expect("version 1");
    assert_eq!(reading.snapshot, wanted(&reading.keys));
    assert_eq!((reading.serial, reading.recovered), (1, 1));
    assert_eq!(reading.open[0].intent.target.address, address("open"));
}

/// Wrote the golden directory. A version that was released is never written again.
#[tokio::test]
#[ignore = "writes the golden directory of the current version"]
async fn write_version_1() {
    let place = golden();
    let mut lease = lease(&place, World::Sandbox, &environment(), &ana()).await.expect("a lease");
    let keys = lease.reading().keys.clone();
    lease.commit(&wanted(&keys)).await.expect("committed");
    lease
        .journal()
        .append(intent("00000000000000aa", resource("open", Tree::default(), &keys)))
        .await
        .expect("durable");
    lease.release().await.expect("released");
}

#[tokio::test]
async fn version_1_is_written_byte_by_byte() {
    let folder = tempfile::tempdir().expect("a directory");
    let place = Location::new(folder.path().to_str().expect("text"), PROJECT, "v1").expect("a location");
    let mut lease = lease(&place, World::Sandbox, &no_environment(), &ana()).await.expect("a lease");
    let mut snapshot = wanted(&lease.reading().keys);
    snapshot.resources.remove(&address("quiet"));
    let commit = lease.commit(&snapshot).await.expect("committed");
    let hash = commit.snapshot.expect("a snapshot");
    let file = fs::read_to_string(folder.path().join(format!("golden/v1/snapshots/{hash}.json"))).expect("a file");
    let head = fs::read_to_string(folder.path().join("golden/v1/head.json")).expect("a head");
    insta::assert_snapshot!("snapshot_v1", file);
    insta::assert_snapshot!("head_v1", head);
}
