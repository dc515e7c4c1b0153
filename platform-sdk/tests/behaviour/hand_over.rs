//! Ownership: a step of its own, after all that a run does in, on or through the object, and due until it is done.

use platform_sdk::{Program, Resource as _, plan::ChangeKind, testing::Harness};
use serde_json::json;

use super::{
    support::{fails, in_order, nothing, program, settled, steps, up},
    yard::{Fault, House, Lock, Room, World},
};

/// A house of this owner, with a room and a lock on it.
fn owned(world: &World, owner: &'static str, comment: &'static str, room: bool) -> Program {
    program(world, move |stack| {
        let mut house = House::new("home").comment(comment);
        if !owner.is_empty() {
            house = house.owner(owner);
        }
        let home = stack.add("home", house);
        if room {
            stack.add("room", Room::new(&home, "room").comment(comment));
            stack.add("lock", Lock::new().house(&home));
        }
        Ok(())
    })
}

fn owner(world: &World) -> Option<serde_json::Value> {
    world.field("House", "home", "owner")
}

#[test]
fn a_new_object_is_handed_over_after_all_that_is_made_in_and_on_it() {
    let (world, harness) = (World::default(), Harness::new());
    let run = up(&harness, &owned(&world, "ada", "x", true));
    let calls = world.calls();
    assert_eq!(
        (calls.first().map(String::as_str), calls.last().map(String::as_str)),
        (Some("create House home"), Some("update House home"))
    );
    assert_eq!(calls.len(), 4, "{calls:?}");
    assert_eq!(owner(&world), Some(json!("ada")));
    let planned = steps(&run.plan);
    assert_eq!(
        planned.iter().filter(|step| step.ends_with("House::home")).collect::<Vec<_>>(),
        ["create yard:House::home", "update yard:House::home"]
    );
    let last = run.plan.changes().last().expect("a step");
    assert_eq!((last.op.name(), &*last.changes[0].path, last.changes.len()), ("update", "owner", 1));
    let created = run.step("yard:House::home").expect("the create");
    assert!(created.changes.iter().all(|change| change.path != "owner"), "{created:?}");
    assert_eq!(run.plan.summary.count("update"), 1);
    settled(&harness, &owned(&world, "ada", "x", true));
}

#[test]
fn it_is_not_handed_over_when_something_in_it_failed_and_by_the_next_run() {
    let (world, harness) = (World::default(), Harness::new());
    world.fault("create Room", Fault::Refused);
    fails(&harness, &owned(&world, "ada", "x", true));
    assert_eq!(owner(&world), None);
    world.calls();
    let run = up(&harness, &owned(&world, "ada", "x", true));
    assert_eq!(world.calls(), ["create Room home/room", "update House home"]);
    assert_eq!(steps(&run.plan), ["create yard:Room::room", "update yard:House::home"]);
    assert_eq!(owner(&world), Some(json!("ada")));
    settled(&harness, &owned(&world, "ada", "x", true));
}

#[test]
fn a_hand_over_that_is_refused_is_still_due() {
    let (world, harness) = (World::default(), Harness::new());
    world.fault("update House", Fault::Refused);
    fails(&harness, &owned(&world, "ada", "x", true));
    let plan = harness.plan_offline(&owned(&world, "ada", "x", true)).expect("a plan");
    assert_eq!(steps(&plan), ["update yard:House::home"]);
    up(&harness, &owned(&world, "ada", "x", true));
    assert_eq!(owner(&world), Some(json!("ada")));
    settled(&harness, &owned(&world, "ada", "x", true));
}

#[test]
fn a_change_of_the_owner_with_other_changes_is_two_steps_with_those_of_its_dependents_between() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &owned(&world, "ada", "x", true));
    world.calls();
    up(&harness, &owned(&world, "bob", "y", true));
    assert_eq!(world.calls(), ["update House home", "update Room home/room", "update House home"]);
    assert_eq!(owner(&world), Some(json!("bob")));
    settled(&harness, &owned(&world, "bob", "y", true));
}

#[test]
fn what_is_deleted_in_it_goes_before_it_is_handed_over() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &owned(&world, "ada", "x", true));
    world.calls();
    up(&harness, &owned(&world, "bob", "x", false));
    let calls = world.calls();
    in_order(&calls, "delete Room home/room", "update House home");
    assert_eq!(calls.len(), 3, "{calls:?}");
    settled(&harness, &owned(&world, "bob", "x", false));
}

#[test]
fn what_lives_in_it_is_handed_over_before() {
    let (world, harness) = (World::default(), Harness::new());
    let both = program(&world, |stack| {
        let home = stack.add("home", House::new("home").owner("ada"));
        stack.add("room", Room::new(&home, "room").owner("ada"));
        Ok(())
    });
    up(&harness, &both);
    let all = ["create House home", "create Room home/room", "update Room home/room", "update House home"];
    assert_eq!(world.calls(), all);
    settled(&harness, &both);
    up(&harness, &nothing(&world));
    assert!(world.objects().is_empty());
}

#[test]
fn an_adopted_object_is_handed_over_last() {
    let (world, harness) = (World::default(), Harness::new());
    world.plant(House::schema(), &json!({"name": "home", "owner": "eve", "comment": "w"}));
    let adopting = program(&world, |stack| {
        let home = stack.add("home", House::new("home").comment("x").owner("ada")).adopt_existing();
        stack.add("room", Room::new(&home, "room"));
        Ok(())
    });
    up(&harness, &adopting);
    assert_eq!(world.calls(), ["update House home", "create Room home/room", "update House home"]);
    assert_eq!(owner(&world), Some(json!("ada")));
    settled(&harness, &adopting);
}

#[test]
fn an_owner_that_the_program_drops_stays_as_it_is_without_a_call() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &owned(&world, "ada", "x", false));
    world.calls();
    let run = up(&harness, &owned(&world, "", "x", false));
    assert!(world.calls().is_empty());
    assert_eq!(owner(&world), Some(json!("ada")));
    let step = run.step("yard:House::home").expect("it is said");
    assert_eq!((step.op.name(), step.changes[0].kind), ("options", ChangeKind::Release));
    let text = platform_sdk::report::plan_text(&run.plan);
    assert!(text.contains("(stays as it is)") && !text.contains("(default)"), "{text}");
    settled(&harness, &owned(&world, "", "x", false));
}

#[test]
fn an_owner_changed_by_others_is_given_back_last() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &owned(&world, "ada", "x", true));
    world.tamper("House", "home", "owner", json!("eve"));
    world.calls();
    up(&harness, &owned(&world, "ada", "y", true));
    assert_eq!(world.calls(), ["update House home", "update Room home/room", "update House home"]);
    assert_eq!(owner(&world), Some(json!("ada")));
    settled(&harness, &owned(&world, "ada", "y", true));
}
