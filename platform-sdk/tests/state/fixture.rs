//! Resources, places and holders that the tests share.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use platform_sdk::{
    desired::{Address, Addresses, Entries, Tree},
    state::{
        Effect, Holder, Intent, IntentOp, Location, ProviderState, Record, Referred, ResourceState, Status, World,
        lease,
    },
};
use serde_json::{Value, json};

/// An environment with nothing in it.
pub(crate) fn no_environment() -> BTreeMap<String, String> {
    BTreeMap::new()
}

/// The stack `acme/prod` in a directory.
pub(crate) fn location(root: &Path) -> Location {
    Location::new(root.to_str().expect("text"), "acme", "prod").expect("a location")
}

/// Somebody at a fixed time.
pub(crate) fn ana() -> Holder {
    Holder {
        name: "ana".to_owned(),
        host: "host-1".to_owned(),
        run: "1b2c3d4e".to_owned(),
        commit: Some("0123abc".to_owned()),
        clock: Arc::new(|| time::OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_000)),
        waiting: Arc::new(|_| {}),
    }
}

/// `sdk:Data::<name>`.
pub(crate) fn address(name: &str) -> Address {
    Address::new("sdk:Data", name).expect("an address")
}

/// A resource with these inputs, whose outputs are the same.
pub(crate) fn resource(name: &str, inputs: Tree) -> ResourceState {
    ResourceState {
        address: address(name),
        id: format!("id-{name}"),
        provider: ProviderState { kind: "sdk".to_owned(), config: Value::Null, of: Addresses::new() }.into(),
        scope: None,
        schema_version: 1,
        outputs: inputs.clone(),
        inputs,
        references: Entries::new(),
        dependencies: Addresses::new(),
        parents: Addresses::new(),
        options: platform_sdk::Options::default().into(),
        status: Status::Whole,
        unset: None,
    }
}

/// A resource of plain values in which every field is set.
pub(crate) fn full_resource(name: &str) -> ResourceState {
    let inputs = Tree::from(json!({
        "name": name, "size": 9_007_199_254_740_993_i64, "ratio": 0.25, "on": true, "tags": {"$ref": "mine", "ö": "ü"},
        "list": [1, {"a": null}, []],
    }));
    ResourceState {
        provider: ProviderState {
            kind: "databricks.workspace".to_owned(),
            config: json!({"host": "https://example.test"}),
            of: [address("workspace")].into(),
        }
        .into(),
        scope: Some(("workspace".to_owned(), "123".to_owned())),
        schema_version: 2,
        outputs: Tree::from(json!({"id": "x", "url": null})),
        references: [(
            "name".to_owned(),
            Referred { to: "sdk:Data::other".parse().expect("an address"), field: "id".into() },
        )]
        .into(),
        dependencies: [address("other"), address("third")].into(),
        parents: [address("other")].into(),
        options: platform_sdk::Options { protect: true, ..platform_sdk::Options::default() }.into(),
        status: Status::Partial("no answer".to_owned()),
        ..resource(name, inputs)
    }
}

/// A secret text.
pub(crate) fn secret(text: &str) -> Tree {
    Tree::Secret(Box::new(Tree::Leaf(text.into())))
}

/// An outcome that puts this resource.
pub(crate) fn put(state: ResourceState) -> Record {
    Record::Outcome { intent: None, effects: vec![Effect::put(state)] }
}

/// The intent to create this resource.
pub(crate) fn intent(id: &str, target: ResourceState) -> Record {
    Record::Intent(Box::new(Intent {
        id: id.to_owned(),
        op: IntentOp::Create,
        target,
        found_before: Vec::new(),
        pending_delete: false,
        replaces: false,
        at_ms: 0,
        by: None,
    }))
}

/// Brings a stack to one snapshot with these resources.
pub(crate) async fn written(place: &Location, names: &[&str]) {
    let mut lease = lease(place, World::Real, &no_environment(), &ana()).await.expect("a lease");
    let mut snapshot = lease.reading().snapshot.clone();
    for name in names {
        let state = resource(name, Tree::from(json!({"input": name})));
        lease.journal().append(put(state.clone())).await.expect("durable");
        snapshot.resources.insert(state.address.clone(), state.into());
    }
    lease.commit(&snapshot).await.expect("committed");
    lease.release().await.expect("released");
}

/// Every file below a directory, with its content.
pub(crate) fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let Ok(entries) = fs::read_dir(root) else { return found };
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let content = fs::read(&path).expect("a file");
            found.insert(path, content);
        }
    }
    found
}
