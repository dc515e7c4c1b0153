//! Lookups: read and never owned; what they found is remembered, for plans that read nothing.

use platform_sdk::{Program, Resource as _, testing::Harness};
use serde_json::json;

use super::{
    support::{nothing, program, refused, settled, steps, up},
    yard::{House, Lock, Room, World},
};

fn inside(world: &World, key: &'static str) -> Program {
    program(world, move |stack| {
        let house = stack.lookup::<House>(key);
        stack.add("room", Room::new(&house, "room"));
        stack.add("lock", Lock::new().note(&house.serial));
        stack.export("serial", &house.serial);
        Ok(())
    })
}

fn with_houses() -> World {
    let world = World::default();
    world.plant(House::schema(), &json!({"name": "home"}));
    world.plant(House::schema(), &json!({"name": "villa"}));
    world
}

#[test]
fn after_a_run_nothing_is_left_whether_reality_is_read_or_not() {
    let (world, harness) = (with_houses(), Harness::new());
    up(&harness, &inside(&world, "home"));
    settled(&harness, &inside(&world, "home"));
}

#[test]
fn another_key_is_another_thing_and_not_known_before_it_is_read() {
    let (world, harness) = (with_houses(), Harness::new());
    up(&harness, &inside(&world, "home"));
    let offline = harness.plan_offline(&inside(&world, "villa")).expect("a plan");
    let mut planned = steps(&offline);
    planned.sort();
    assert_eq!(planned, ["replace yard:Room::room", "update yard:Lock::lock"]);
    assert!(offline.changes().all(|step| step.changes.iter().any(|change| change.unknown)));
    up(&harness, &inside(&world, "villa"));
    settled(&harness, &inside(&world, "villa"));
    assert_eq!(harness.snapshot().lookups.len(), 1, "what the program dropped is forgotten");
}

#[test]
fn what_is_found_is_neither_owned_nor_deleted() {
    let (world, harness) = (with_houses(), Harness::new());
    up(&harness, &inside(&world, "home"));
    up(&harness, &nothing(&world));
    assert_eq!(world.objects(), ["House home", "House villa"]);
    assert!(harness.snapshot().lookups.is_empty());
}

#[test]
fn what_is_not_there_is_said_before_anything_runs() {
    let (world, harness) = (with_houses(), Harness::new());
    assert!(refused(&harness, &inside(&world, "attic")).contains("there is no yard:House `attic`"));
    assert!(world.calls().is_empty());
}
