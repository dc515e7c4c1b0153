//! A key that can be renamed: in place, and what lies under it is found again under its new name.

use platform_sdk::{Program, prelude::*, testing::Harness};

use super::{
    support::{in_order, program, settled, step, up},
    yard::{Chest, House, Leaf, Room, World},
};

fn furnished(world: &World, house: &'static str, room: &'static str) -> Program {
    program(world, move |stack| {
        let house = stack.add("home", House::new(house));
        let room = stack.add("room", Room::new(&house, room));
        stack.add("chest", Chest::new(&room, "chest"));
        stack.add("one", Leaf::new().house(&house).text("one"));
        stack.add("two", Leaf::new().house(&house).text("two"));
        Ok(())
    })
}

#[test]
fn a_rename_is_one_call_and_everything_below_keeps_its_object() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &furnished(&world, "home", "room"));
    let serial = world.serial("Chest", "home/room/chest");
    world.calls();
    up(&harness, &furnished(&world, "villa", "room"));
    assert_eq!(world.calls(), ["update House home"]);
    assert_eq!(world.serial("Chest", "villa/room/chest"), serial);
    settled(&harness, &furnished(&world, "villa", "room"));
}

#[test]
fn two_names_in_one_path_can_change_in_one_run() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &furnished(&world, "home", "room"));
    world.calls();
    up(&harness, &furnished(&world, "villa", "hall"));
    assert_eq!(world.calls(), ["update House home", "update Room villa/room"]);
    settled(&harness, &furnished(&world, "villa", "hall"));
}

#[test]
fn what_is_deleted_from_a_renamed_place_is_deleted_under_its_old_name() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &furnished(&world, "home", "room"));
    let without = program(&world, |stack| {
        let house = stack.add("home", House::new("villa"));
        stack.add("room", Room::new(&house, "room"));
        Ok(())
    });
    world.calls();
    up(&harness, &without);
    in_order(&world.calls(), "delete Chest home/room/chest", "update House home");
    assert_eq!(world.objects(), ["House villa", "Room villa/room"]);
    settled(&harness, &without);
}

#[test]
fn what_is_replaced_in_a_renamed_place_leaves_nothing_behind() {
    let (world, harness) = (World::default(), Harness::new());
    let hollow = |house: &'static str, hollow: bool, chest: &'static str| {
        program(&world, move |stack| {
            let house = stack.add("home", House::new(house));
            let room = stack.add("room", Room::new(&house, "room"));
            stack.add("chest", Chest::new(&room, chest).hollow(hollow));
            Ok(())
        })
    };
    up(&harness, &hollow("home", false, "chest"));
    world.calls();
    up(&harness, &hollow("villa", true, "box"));
    in_order(&world.calls(), "delete Chest home/room/chest", "update House home");
    assert_eq!(world.objects(), ["Chest villa/room/box", "House villa", "Room villa/room"]);
    settled(&harness, &hollow("villa", true, "box"));
}

#[test]
fn a_name_that_one_gives_up_can_be_taken_in_the_same_run() {
    let (world, harness) = (World::default(), Harness::new());
    let named = |first: &'static str, second: Option<&'static str>| {
        program(&world, move |stack| {
            stack.add("z-first", House::new(first));
            if let Some(second) = second {
                stack.add("a-second", House::new(second));
            }
            Ok(())
        })
    };
    up(&harness, &named("one", Some("two")));
    up(&harness, &named("three", Some("one")));
    assert_eq!(world.objects(), ["House one", "House three"]);
    settled(&harness, &named("three", Some("one")));
    up(&harness, &named("one", None));
    assert_eq!(world.objects(), ["House one"], "renamed to what a deleted one was called");
}

#[test]
fn names_that_swap_are_refused_before_anything_runs() {
    let (world, harness) = (World::default(), Harness::new());
    let named = |first: &'static str, second: &'static str| {
        program(&world, move |stack| {
            stack.add("first", House::new(first));
            stack.add("second", House::new(second));
            Ok(())
        })
    };
    up(&harness, &named("one", "two"));
    world.calls();
    let error = harness.up(&named("two", "one")).expect_err("no order").to_string();
    assert!(error.contains("can't be put in an order") && error.contains("yard:House::first"), "{error}");
    assert!(world.calls().is_empty());
}

#[test]
fn what_refers_to_a_renamed_one_follows() {
    let (world, harness) = (World::default(), Harness::new());
    let noted = |name: &'static str| {
        program(&world, move |stack| {
            let house = stack.add("home", House::new(name));
            stack.add("copy", House::new("copy").comment(interpolate!("beside {}", house.id)));
            Ok(())
        })
    };
    up(&harness, &noted("home"));
    let run = up(&harness, &noted("villa"));
    assert!(step(&run.plan, "yard:House::copy").changes[0].unknown);
    assert_eq!(world.field("House", "copy", "comment"), Some("beside villa".into()));
    settled(&harness, &noted("villa"));
}

#[test]
fn what_moves_into_a_renamed_place_is_made_anew_there() {
    let (world, harness) = (World::default(), Harness::new());
    let rooms = |second: &'static str, in_second: bool| {
        program(&world, move |stack| {
            let (one, two) = (stack.add("one", House::new("one")), stack.add("two", House::new(second)));
            stack.add("room", Room::new(if in_second { &two } else { &one }, "room"));
            Ok(())
        })
    };
    up(&harness, &rooms("two", false));
    up(&harness, &rooms("second", true));
    assert!(world.objects().contains(&"Room second/room".to_owned()), "{:?}", world.objects());
    assert_eq!(world.objects().len(), 3);
    settled(&harness, &rooms("second", true));
}

#[test]
fn what_moves_into_a_replaced_place_is_made_anew_there() {
    let (world, harness) = (World::default(), Harness::new());
    let rooms = |floor: i64, in_second: bool| {
        program(&world, move |stack| {
            let (one, two) = (stack.add("one", House::new("one")), stack.add("two", House::new("two").floor(floor)));
            stack.add("room", Room::new(if in_second { &two } else { &one }, "room"));
            Ok(())
        })
    };
    up(&harness, &rooms(1, false));
    up(&harness, &rooms(2, true));
    assert_eq!(world.objects(), ["House one", "House two", "Room two/room"]);
    settled(&harness, &rooms(2, true));
}
