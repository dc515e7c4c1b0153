//! Options alone: state learns of them, and the service is not asked.

use std::time::Duration;

use platform_sdk::{Operation, Program, plan::Op, testing::Harness};

use super::{
    support::{program, settled, step, up},
    yard::{Chest, House, Lock, Room, World},
};

fn optioned(world: &World, with: bool) -> Program {
    program(world, move |stack| {
        let house = stack.add("home", House::new("home"));
        if with {
            house
                .protect()
                .retain_on_delete()
                .ignore_changes(["size"])
                .replace_on_changes(["comment"])
                .delete_before_replace(true)
                .timeout(Operation::Delete, Duration::from_secs(9));
        }
        Ok(())
    })
}

#[test]
fn they_are_recorded_without_a_call_and_then_nothing_is_left() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &optioned(&world, false));
    world.calls();
    for with in [true, false] {
        let run = up(&harness, &optioned(&world, with));
        assert_eq!(step(&run.plan, "yard:House::home").op, Op::Options);
        assert_eq!(step(&run.plan, "yard:House::home").reasons, ["options changed"]);
        let recorded = &harness.snapshot().resources[&"yard:House::home".parse().expect("an address")].options;
        assert_eq!((recorded.protect, recorded.timeout(Operation::Delete).is_some()), (with, with));
        settled(&harness, &optioned(&world, with));
    }
    assert!(world.calls().is_empty());
}

#[test]
fn a_change_at_a_named_path_replaces() {
    let (world, harness) = (World::default(), Harness::new());
    let commented = |comment: &'static str, size: i64| {
        program(&world, move |stack| {
            stack.add("home", House::new("home").comment(comment).size(size)).replace_on_changes(["comment"]);
            Ok(())
        })
    };
    up(&harness, &commented("x", 1));
    world.calls();
    up(&harness, &commented("x", 2));
    assert_eq!(world.calls(), ["update House home"]);
    up(&harness, &commented("y", 2));
    assert_eq!(world.calls(), ["delete House home", "create House home"]);
    world.tamper("House", "home", "comment", "by hand");
    up(&harness, &commented("y", 2));
    assert_eq!(world.calls(), ["delete House home", "create House home"]);
    settled(&harness, &commented("y", 2));
}

#[test]
fn how_a_resource_is_reached_is_no_change_of_it_and_is_known_for_its_end() {
    let (world, harness) = (World::default(), Harness::new());
    let reached = |make: &'static str, other: bool, chest: bool| {
        program(&world, move |stack| {
            let mut lock = stack.add("lock", Lock::new().make(make));
            if other {
                lock = stack.add("other", Lock::new());
            }
            let house = stack.add("home", House::new("home"));
            let room = stack.add("room", Room::new(&house, "room"));
            if chest {
                stack.add("chest", Chest::new(&room, "chest").by(&lock));
            }
            Ok(())
        })
    };
    up(&harness, &reached("iron", false, true));
    let serial = world.serial("Chest", "home/room/chest");
    for (make, other) in [("iron", true), ("steel", false)] {
        up(&harness, &reached(make, other, true));
        assert_eq!(world.serial("Chest", "home/room/chest"), serial);
        let state = harness.snapshot();
        let by = |address: &str| state.resources[&address.parse().expect("an address")].id.clone();
        let lock = if other { by("yard:Lock::other") } else { by("yard:Lock::lock") };
        let chest = &state.resources[&"yard:Chest::chest".parse().expect("an address")];
        assert_eq!(chest.inputs.get("by").and_then(|by| by.as_str()), Some(lock.as_str()));
        settled(&harness, &reached(make, other, true));
    }
    up(&harness, &reached("steel", false, false));
    settled(&harness, &reached("steel", false, false));
}
