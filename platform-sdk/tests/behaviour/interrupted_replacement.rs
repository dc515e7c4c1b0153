//! A replacement that did not finish: the next run goes on from where it is, whatever the program says by then, and what
//! awaits deletion stays in state until it is really gone.

use platform_sdk::{Program, prelude::*, testing::Harness};

use serde_json::json;

use super::{
    support::{fails, nothing, owned, program, settled, step, steps, up},
    yard::{Chest, Fault, House, Lock, Room, World},
};

fn house(world: &World, name: &'static str, floor: i64) -> Program {
    program(world, move |stack| {
        stack.add("home", House::new(name).floor(floor));
        Ok(())
    })
}

/// The old house is gone, and its successor was refused.
fn between_the_two(world: &World) -> Harness {
    let harness = Harness::new();
    up(&harness, &house(world, "home", 1));
    world.fault("create House", Fault::Refused);
    fails(&harness, &house(world, "home", 2));
    assert!(world.objects().is_empty() && owned(&harness).is_empty());
    world.calls();
    harness
}

#[test]
fn with_the_same_goal_nothing_is_deleted_twice() {
    let world = World::default();
    let harness = between_the_two(&world);
    up(&harness, &house(&world, "home", 2));
    assert_eq!(world.calls(), ["create House home"]);
    settled(&harness, &house(&world, "home", 2));
}

#[test]
fn when_the_resource_is_removed_meanwhile_nothing_is_left() {
    let world = World::default();
    let harness = between_the_two(&world);
    up(&harness, &nothing(&world));
    assert!(world.calls().is_empty() && world.objects().is_empty());
}

#[test]
fn with_changed_inputs_the_new_ones_are_created() {
    let world = World::default();
    let harness = between_the_two(&world);
    up(&harness, &house(&world, "villa", 3));
    assert_eq!(world.objects(), ["House villa"]);
    assert_eq!(world.field("House", "villa", "floor"), Some(3.into()));
    settled(&harness, &house(&world, "villa", 3));
}

#[test]
fn what_is_left_to_others_is_what_it_was_before_the_interruption() {
    let (world, harness) = (World::default(), Harness::new());
    let sized = |floor: i64, size: i64| {
        program(&world, move |stack| {
            let house = stack.add("home", House::new("home").floor(floor).size(size)).ignore_changes(["size"]);
            stack.add("room", Room::new(&house, "room").comment(size.to_string())).ignore_changes(["comment"]);
            Ok(())
        })
    };
    up(&harness, &sized(1, 4));
    world.tamper("House", "home", "size", json!(9));
    world.tamper("Room", "home/room", "comment", json!("by hand"));
    world.fault("create House", Fault::Refused);
    fails(&harness, &sized(2, 5));
    assert!(world.objects().is_empty());
    world.fault("create House", Fault::Refused);
    fails(&harness, &sized(3, 6));
    let plan = harness.plan(&sized(3, 6)).expect("a plan");
    assert_eq!(step(&plan, "yard:House::home").reasons, ["its replacement was interrupted"]);
    up(&harness, &sized(3, 6));
    assert_eq!(world.field("House", "home", "size"), Some(json!(9)));
    assert_eq!(world.field("Room", "home/room", "comment"), Some(json!("by hand")), "it went with the house");
    settled(&harness, &sized(3, 6));
}

#[test]
fn what_was_imported_once_is_not_looked_for_again() {
    let (world, harness) = (World::default(), Harness::new());
    let imported = |floor: i64| {
        program(&world, move |stack| {
            stack.add("home", House::new("home").floor(floor)).import("home");
            Ok(())
        })
    };
    up(&harness, &house(&world, "home", 1));
    up(&harness, &imported(1));
    world.fault("create House", Fault::Refused);
    fails(&harness, &imported(2));
    assert!(world.objects().is_empty());
    up(&harness, &imported(2));
    assert_eq!(world.objects(), ["House home"]);
    settled(&harness, &imported(2));
}

#[test]
fn under_another_address_it_goes_on_and_once_dropped_it_is_over() {
    for drops in [false, true] {
        let (world, harness) = (World::default(), Harness::new());
        let at = |address: &'static str, from: Option<&'static str>, size: i64| {
            program(&world, move |stack| {
                let home = stack.add(address, House::new("home").floor(size).size(size)).ignore_changes(["size"]);
                if let Some(from) = from {
                    home.moved_from(from);
                }
                Ok(())
            })
        };
        up(&harness, &at("home", None, 4));
        world.fault("create House", Fault::Refused);
        fails(&harness, &at("home", None, 5));
        if drops {
            up(&harness, &nothing(&world));
        }
        up(&harness, &at("seat", Some("home"), 6));
        assert_eq!(world.field("House", "home", "size"), Some(json!(if drops { 6 } else { 4 })));
        settled(&harness, &at("seat", Some("home"), 6));
        assert!(harness.snapshot().replacing.is_empty());
    }
}

/// The new house is there, and the end of the old one was refused.
fn both_there(world: &World) -> Harness {
    let harness = Harness::new();
    up(&harness, &house(world, "home", 1));
    world.fault("delete House", Fault::Refused);
    fails(&harness, &house(world, "villa", 2));
    assert_eq!(owned(&harness), ["yard:House::home villa", "old yard:House::home home"]);
    world.calls();
    harness
}

#[test]
fn what_awaits_deletion_is_in_the_plan_until_it_is_gone() {
    let world = World::default();
    let harness = both_there(&world);
    for _ in 0..2 {
        world.fault("delete House", Fault::Refused);
        fails(&harness, &house(&world, "villa", 2));
        assert_eq!(owned(&harness).len(), 2);
    }
    let plan = harness.plan(&house(&world, "villa", 2)).expect("a plan");
    assert_eq!(steps(&plan), ["delete yard:House::home"]);
    assert_eq!(step(&plan, "yard:House::home").reasons, ["`home` was left behind by a replacement"]);
    up(&harness, &house(&world, "villa", 2));
    assert_eq!(world.objects(), ["House villa"]);
    settled(&harness, &house(&world, "villa", 2));
}

#[test]
fn a_key_that_awaits_deletion_can_be_taken_back() {
    let world = World::default();
    let harness = both_there(&world);
    up(&harness, &house(&world, "home", 2));
    assert_eq!(world.calls(), ["delete House home", "update House villa"]);
    assert_eq!(world.objects(), ["House home"]);
    settled(&harness, &house(&world, "home", 2));
}

#[test]
fn both_go_when_the_resource_is_removed() {
    let world = World::default();
    let harness = both_there(&world);
    up(&harness, &nothing(&world));
    assert!(world.objects().is_empty() && owned(&harness).is_empty());
}

#[test]
fn what_awaits_deletion_stays_where_it_is_once_the_program_retains_it() {
    let world = World::default();
    let harness = both_there(&world);
    let retaining = program(&world, |stack| {
        stack.add("home", House::new("villa").floor(2)).retain_on_delete();
        Ok(())
    });
    up(&harness, &retaining);
    assert!(world.calls().is_empty());
    assert_eq!(world.objects(), ["House home", "House villa"]);
    settled(&harness, &retaining);
}

#[test]
fn what_awaits_deletion_follows_its_resource_to_another_address() {
    let world = World::default();
    let harness = both_there(&world);
    let moved = program(&world, |stack| {
        stack.add("seat", House::new("villa").floor(2)).moved_from("home");
        Ok(())
    });
    world.fault("delete House", Fault::Refused);
    fails(&harness, &moved);
    assert_eq!(owned(&harness), ["yard:House::seat villa", "old yard:House::seat home"]);
    up(&harness, &moved);
    assert_eq!(world.objects(), ["House villa"]);
    settled(&harness, &moved);
}

#[test]
fn with_data_in_it_the_loss_is_said_again() {
    let (world, harness) = (World::default(), Harness::new());
    let chest = |name: &'static str| {
        program(&world, move |stack| {
            let house = stack.add("home", House::new("home"));
            let room = stack.add("room", Room::new(&house, "room"));
            stack.add("chest", Chest::new(&room, name));
            Ok(())
        })
    };
    up(&harness, &chest("old"));
    world.fault("delete Chest", Fault::Refused);
    fails(&harness, &chest("new"));
    let plan = harness.plan(&chest("new")).expect("a plan");
    assert_eq!(step(&plan, "yard:Chest::chest").destroys, ["chest `home/room/old` with its data"]);
    up(&harness, &chest("new"));
    settled(&harness, &chest("new"));
}

#[test]
fn what_was_retained_is_never_deleted_by_a_later_run() {
    let (world, harness) = (World::default(), Harness::new());
    let kept = |name: &'static str, floor: i64, note: &'static str| {
        program(&world, move |stack| {
            let house = stack.add("home", House::new(name).floor(floor)).retain_on_delete();
            stack.add("lock", Lock::new().note(interpolate!("{} {}", house.serial, note)));
            Ok(())
        })
    };
    up(&harness, &kept("home", 1, "a"));
    // The run ends between the new house and the end of the old one.
    world.fault("update Lock", Fault::Refused);
    fails(&harness, &kept("villa", 2, "a"));
    up(&harness, &kept("villa", 2, "a"));
    assert_eq!(world.objects(), ["House home", "House villa", "Lock 2"]);
    settled(&harness, &kept("villa", 2, "a"));
}

#[test]
fn old_ones_end_after_what_still_refers_to_them_and_before_what_they_refer_to() {
    let (world, harness) = (World::default(), Harness::new());
    let pair = |name: &'static str, floor: i64, make: &'static str| {
        program(&world, move |stack| {
            let house = stack.add("home", House::new(name).floor(floor));
            stack.add("lock", Lock::new().house(&house).make(make));
            Ok(())
        })
    };
    up(&harness, &pair("home", 1, "iron"));
    // Both new ones are made, both old ones stay.
    world.fault("delete Lock", Fault::Refused);
    fails(&harness, &pair("villa", 2, "steel"));
    assert_eq!(owned(&harness).len(), 4, "{:?}", owned(&harness));
    world.calls();
    up(&harness, &pair("villa", 2, "steel"));
    assert_eq!(world.calls(), ["delete Lock 2", "delete House home"]);
    settled(&harness, &pair("villa", 2, "steel"));
}

#[test]
fn a_dependent_that_failed_lets_go_before_the_old_one_ends() {
    let (world, harness) = (World::default(), Harness::new());
    let locked = |name: &'static str, floor: i64| {
        program(&world, move |stack| {
            let house = stack.add("home", House::new(name).floor(floor));
            stack.add("lock", Lock::new().house(&house));
            Ok(())
        })
    };
    up(&harness, &locked("home", 1));
    world.fault("update Lock", Fault::Refused);
    fails(&harness, &locked("villa", 2));
    assert_eq!(owned(&harness).last().map(String::as_str), Some("old yard:House::home home"));
    world.calls();
    up(&harness, &locked("villa", 2));
    assert_eq!(world.calls(), ["update Lock 2", "delete House home"]);
    settled(&harness, &locked("villa", 2));
}

#[test]
fn answers_that_were_lost_on_the_way_change_nothing() {
    for (name, order) in [("home", "delete first"), ("villa", "create first")] {
        let (world, harness) = (World::default(), Harness::new());
        up(&harness, &house(&world, "home", 1));
        world.calls();
        world.fault("create House", Fault::AnswerLost);
        world.fault("delete House", Fault::AnswerLost);
        up(&harness, &house(&world, name, 2));
        let creates = world.calls().iter().filter(|call| call.starts_with("create")).count();
        assert_eq!((creates, world.objects()), (1, vec![format!("House {name}")]), "{order}");
        settled(&harness, &house(&world, name, 2));
    }
}
