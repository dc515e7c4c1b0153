//! Any journal cut at any byte folds to the state that one of its prefixes describes.

use std::fs;

use platform_sdk::{
    desired::Tree,
    state::{Effect, Folded, Record, World, lease, read},
};
use proptest::{prelude::*, sample::Index};
use serde_json::json;

use super::fixture::{address, ana, intent, location, no_environment, resource};

#[derive(Debug, Clone)]
enum Step {
    Intent(u8, u8),
    Created(u8),
    Outcome(Option<u8>, Vec<(u8, u8, u8)>),
    Identity(u8),
    Exports(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let effects = prop::collection::vec((0..6_u8, 0..4_u8, 0..4_u8), 0..3);
    prop_oneof![
        (0..4_u8, 0..4_u8).prop_map(|(id, name)| Step::Intent(id, name)),
        (0..4_u8).prop_map(Step::Created),
        (prop::option::of(0..4_u8), effects).prop_map(|(id, effects)| Step::Outcome(id, effects)),
        any::<u8>().prop_map(Step::Identity),
        any::<u8>().prop_map(Step::Exports),
    ]
}

fn record(step: &Step) -> Record {
    let object = |name: u8| resource(&format!("r{name}"), Tree::from(json!({"n": name})));
    let at = |name: u8| address(&format!("r{name}"));
    match step {
        Step::Intent(id, name) => intent(&id.to_string(), object(*name)),
        Step::Created(id) => Record::Created { intent: id.to_string(), id: format!("made-{id}") },
        Step::Outcome(id, effects) => Record::Outcome {
            intent: id.map(|id| id.to_string()),
            effects: effects
                .iter()
                .map(|(kind, a, b)| match kind {
                    0 => Effect::put(object(*a)),
                    1 => Effect::Retire(at(*a)),
                    2 => Effect::Remove(at(*a)),
                    3 => Effect::Deleted(at(*a), format!("id-r{a}")),
                    4 => Effect::Move(at(*a), at(*b)),
                    _ => Effect::Nothing,
                })
                .collect(),
        },
        Step::Identity(n) => Record::Identity("sdk".to_owned(), "scope".to_owned(), n.to_string()),
        Step::Exports(n) => Record::Exports([("x".to_owned(), Tree::from(json!(n)))].into()),
    }
}

/// Writes the steps, cuts the journal, and compares with every prefix after in memory.
async fn check(steps: &[Step], cut: Index) {
    let folder = tempfile::tempdir().expect("a directory");
    let place = location(folder.path());
    let lease = lease(&place, World::Real, &no_environment(), &ana()).await.expect("a lease");
    let mut after = Folded { snapshot: lease.reading().snapshot.clone(), open: Vec::new() };
    let mut prefixes = vec![after.clone()];
    for step in steps {
        lease.journal().append_lazy(record(step)).await.expect("queued");
        after.apply(record(step));
        prefixes.push(after.clone());
    }
    lease.release().await.expect("released");
    let whole = read(&place, World::Real, &no_environment()).await.expect("a reading");
    assert_eq!((whole.snapshot, whole.open), (after.snapshot, after.open));
    let journal = folder.path().join("acme/prod/journal/1/1.jsonl");
    let bytes = fs::read(&journal).expect("a journal");
    let cut = cut.index(bytes.len() + 1);
    fs::write(&journal, &bytes[..cut]).expect("cut");
    let reading = read(&place, World::Real, &no_environment()).await.expect("a cut is no damage");
    let mut wanted = prefixes.swap_remove(reading.recovered);
    if bytes[..cut].iter().all(|byte| *byte != b'\n') {
        // Even the line with the stack's id is gone: nothing was ever answered.
        wanted.snapshot.uuid.clone_from(&reading.snapshot.uuid);
    }
    assert_eq!((reading.snapshot, reading.open), (wanted.snapshot, wanted.open));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn every_cut_is_a_prefix(steps in prop::collection::vec(step(), 1..12), cut in any::<Index>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(check(&steps, cut));
    }
}
