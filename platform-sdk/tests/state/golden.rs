//! Every version of the state, as it was written once, is read for ever, and becomes the current one with the next write.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use platform_sdk::{
    desired::Tree,
    sealing::PASSPHRASE,
    state::{
        FORMAT_VERSION, IntentOp, Location, Record, Referred, ResourceState, Snapshot, Status, World, history, lease,
        read, snapshot_at,
    },
};

use serde_json::json;

use super::fixture::{address, ana, files, full_resource, intent, no_environment, resource, secret};

const PROJECT: &str = "golden";

fn environment() -> BTreeMap<String, String> {
    [(PASSPHRASE.to_owned(), "golden".to_owned())].into()
}

/// The directories as they were written, a stack for each version.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/state/golden")
}

fn golden(root: &Path, version: &str) -> Location {
    Location::new(root.to_str().expect("text"), PROJECT, version).expect("a location")
}

/// What the golden directory's snapshot holds.
fn wanted(version: &str) -> Snapshot {
    let full = full_resource("full");
    let quiet = resource("quiet", Tree::Map([("password".to_owned(), secret("hush"))].into()));
    // Since version 3 an id that outputs name is left out, and so is a reference's field where it is the id.
    let mut named = resource("named", Tree::from(json!({"id": "id-named"})));
    named.references = [("input".to_owned(), Referred { to: address("full"), field: "url".into() })].into();
    named.dependencies = [address("full")].into();
    let later = (version >= "v3").then_some(named);
    // Since version 5 an output that is an input is written once, as the secret of `quiet` is.
    let inputs = json!({"list": ["a"], "map": {"deep": [1]}, "text": "b"});
    let mut same = resource("same", Tree::from(inputs));
    same.outputs = Tree::from(json!({"of_list": ["a"], "of_map": {"deep": [1]}, "own": [], "text": "b"}));
    let latest = (version >= "v5").then_some(same);
    // Since version 6 it is known what is still waited for, and what stood in fields that the program does not set.
    let waiting = ResourceState {
        status: Status::Unready("starting".to_owned()),
        unset: Some([("schedule", "QUFBQUFBQUFBQUFB".into()), ("token", "*".into())].into()),
        ..resource("waiting", Tree::default())
    };
    let waiting = (version >= "v6").then_some(waiting);
    // Since version 4 it is known what a replacement has ended and not made again.
    let ended = (version >= "v4").then(|| resource("ended", Tree::default()));
    Snapshot {
        uuid: "00000000-0000-4000-8000-000000000000".to_owned(),
        pending_deletes: vec![resource("old", Tree::default()).into()],
        replacing: ended.into_iter().map(|old| (old.address.clone(), old.into())).collect(),
        exports: [("url".to_owned(), Tree::Leaf("https://example.test".into()))].into(),
        lookups: BTreeMap::new(),
        identities: [("sdk".to_owned(), [("scope".to_owned(), "1".to_owned())].into())].into(),
        resources: [full, quiet]
            .into_iter()
            .chain(later)
            .chain(latest)
            .chain(waiting)
            .map(|state| (state.address.clone(), state.into()))
            .collect(),
    }
}

#[tokio::test]
async fn every_version_is_read() {
    for version in ["v1", "v2", "v3", "v4", "v5", "v6"] {
        let reading = read(&golden(&root(), version), World::Sandbox, &environment()).await.expect(version);
        assert_eq!(reading.snapshot, wanted(version));
        assert_eq!((reading.serial, reading.recovered), (1, 1));
        let open = &reading.open[0].intent;
        assert_eq!((&open.target.address, open.replaces), (&address("open"), version >= "v4"));
    }
}

#[tokio::test]
async fn an_older_version_becomes_the_current_one_with_the_next_write_and_history_goes_on() {
    for version in 1..FORMAT_VERSION {
        becomes_current(version).await;
    }
}

async fn becomes_current(version: u32) {
    let stack = format!("v{version}");
    let folder = tempfile::tempdir().expect("a directory");
    for (path, content) in files(&root().join("golden").join(&stack)) {
        let below = path.strip_prefix(root()).expect("below it");
        fs::create_dir_all(folder.path().join(below).parent().expect("a folder")).expect("made");
        fs::write(folder.path().join(below), content).expect("written");
    }
    let place = golden(folder.path(), &stack);
    let before = files(folder.path());
    let mut lease = lease(&place, World::Sandbox, &environment(), &ana()).await.expect("a lease");
    let snapshot = lease.reading().snapshot.clone();
    lease.commit(&snapshot).await.expect("committed");
    lease.release().await.expect("released");
    let head: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("golden").join(&stack).join("head.json")).expect("a head"))
            .expect("JSON");
    assert_eq!((&head["version"], &head["serial"]), (&FORMAT_VERSION.into(), &2.into()));
    let after = files(folder.path());
    assert!(before.iter().all(|(path, content)| path.ends_with("head.json") || after.get(path) == Some(content)));
    let reading = read(&place, World::Sandbox, &environment()).await.expect("readable");
    assert_eq!(reading.snapshot, snapshot);
    let versions: Vec<u32> =
        history(&place).await.expect("a history").kept.iter().map(|(_, entry)| entry.version).collect();
    assert_eq!(versions, [FORMAT_VERSION, version]);
    let (first, _) = snapshot_at(&place, 1, &environment()).await.expect("the older version");
    assert_eq!(first, snapshot);
}

/// Wrote the golden directory of version 6. A version that was released is never written again.
#[tokio::test]
#[ignore = "writes the golden directory of the current version"]
async fn write_version_6() {
    let place = golden(&root(), "v6");
    let mut lease = lease(&place, World::Sandbox, &environment(), &ana()).await.expect("a lease");
    lease.commit(&wanted("v6")).await.expect("committed");
    let mut open = intent("00000000000000aa", resource("open", Tree::default()));
    if let Record::Intent(intent) = &mut open {
        (intent.op, intent.replaces) = (IntentOp::Delete, true);
    }
    lease.journal().append(open).await.expect("durable");
    lease.release().await.expect("released");
}

#[tokio::test]
async fn version_6_is_written_byte_by_byte() {
    let folder = tempfile::tempdir().expect("a directory");
    let place = golden(folder.path(), "v6");
    let mut lease = lease(&place, World::Sandbox, &no_environment(), &ana()).await.expect("a lease");
    let mut snapshot = wanted("v6");
    snapshot.resources.remove(&address("quiet"));
    let commit = lease.commit(&snapshot).await.expect("committed");
    let hash = commit.snapshot.expect("a snapshot");
    let file = fs::read_to_string(folder.path().join(format!("golden/v6/snapshots/{hash}.json"))).expect("a file");
    let head = fs::read_to_string(folder.path().join("golden/v6/head.json")).expect("a head");
    insta::assert_snapshot!("snapshot_v6", file);
    insta::assert_snapshot!("head_v6", head);
}
