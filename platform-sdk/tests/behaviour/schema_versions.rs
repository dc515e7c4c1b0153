//! Schema versions: state of an older one is brought to the program's, and a rename in the SDK is no change.

use std::sync::Arc;

use platform_sdk::{
    Program, Secret,
    desired::{Address, Tree},
    state::{ResourceState, Snapshot},
    testing::Harness,
};
use serde_json::json;

use super::{
    support::{nothing, program, refused, settled, step, up},
    yard::{House, Sign, World},
};

fn sign(world: &World, words: &'static str) -> Program {
    program(world, move |stack| {
        let house = stack.add("home", House::new("home"));
        let sign = Sign::new("sign").words(words).code(Secret::from("hush"));
        stack.add("sign", sign).depends_on(&house);
        Ok(())
    })
}

fn address() -> Address {
    "yard:Sign::sign".parse().expect("an address")
}

/// The state as the first version of the type left it: its `words` were called `text`.
fn as_version_one(snapshot: &Snapshot) -> Snapshot {
    let mut old = snapshot.clone();
    let state = Arc::make_mut(old.resources.get_mut(&address()).expect("a sign"));
    downgrade(state);
    old
}

fn downgrade(state: &mut ResourceState) {
    state.schema_version = 1;
    if let Tree::Map(inputs) = &mut state.inputs {
        let words = inputs.remove("words").expect("words");
        inputs.insert("text".to_owned(), words);
    }
    if let Some(reference) = state.references.remove("words") {
        state.references.insert("text".to_owned(), reference);
    }
}

#[test]
fn a_rename_is_no_change() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &sign(&world, "hello"));
    harness.restore(as_version_one(&harness.snapshot()));
    settled(&harness, &sign(&world, "hello"));
}

#[test]
fn what_changed_besides_is_seen_and_the_new_version_recorded() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &sign(&world, "hello"));
    harness.restore(as_version_one(&harness.snapshot()));
    let run = up(&harness, &sign(&world, "goodbye"));
    let changes = &step(&run.plan, "yard:Sign::sign").changes;
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!((&changes[0].before, &changes[0].after), (&Some(json!("hello").into()), &Some(json!("goodbye").into())));
    let state = &harness.snapshot().resources[&address()];
    assert_eq!(state.schema_version, 2);
    settled(&harness, &sign(&world, "goodbye"));
}

#[test]
fn secrets_stay_secret_and_references_keep_their_field() {
    let (world, harness) = (World::default(), Harness::new());
    let referring = program(&world, |stack| {
        let house = stack.add("home", House::new("home"));
        stack.add("sign", Sign::new("sign").words(&house.serial).code(Secret::from("hush")));
        stack.add("new", House::new("new"));
        Ok(())
    });
    up(&harness, &referring);
    let mut old = as_version_one(&harness.snapshot());
    old.resources.remove(&"yard:House::new".parse().expect("an address"));
    world.lose("House", "new");
    harness.restore(old);
    up(&harness, &referring);
    let state = &harness.snapshot().resources[&address()];
    assert!(state.inputs.get("code").is_some_and(Tree::has_secrets), "{:?}", state.inputs);
    assert_eq!(state.references.keys().collect::<Vec<_>>(), ["words"]);
    settled(&harness, &referring);
}

#[test]
fn what_awaits_its_end_is_ended_whatever_version_made_it() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &sign(&world, "hello"));
    harness.restore(as_version_one(&harness.snapshot()));
    up(&harness, &nothing(&world));
    assert!(world.objects().is_empty());
}

#[test]
fn a_newer_version_is_refused_by_name() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &sign(&world, "hello"));
    let mut newer = harness.snapshot();
    Arc::make_mut(newer.resources.get_mut(&address()).expect("a sign")).schema_version = 3;
    harness.restore(newer);
    let text = refused(&harness, &sign(&world, "hello"));
    assert!(text.contains("`yard:Sign::sign` was written by a newer version") && text.contains("version 3"), "{text}");
}

#[test]
fn a_version_that_can_t_be_brought_up_is_refused_by_name() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &sign(&world, "hello"));
    let mut strange = harness.snapshot();
    Arc::make_mut(strange.resources.get_mut(&address()).expect("a sign")).schema_version = 0;
    harness.restore(strange);
    let text = refused(&harness, &sign(&world, "hello"));
    assert!(text.contains("`yard:Sign::sign`") && text.contains("there was no version 0"), "{text}");
}
