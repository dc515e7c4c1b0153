//! Targets and exclude: what is needed comes along, what is missing is said before anything runs, and what is left out
//! keeps its state and its dependencies whole.

use platform_sdk::{Program, interpolate, testing::Harness};

use super::{
    support::{fails, nothing, owned, program, refused, settled, steps, up},
    yard::{Chest, Fault, House, Leaf, Lock, Room, World},
};

fn two(world: &World, comment: &'static str) -> Program {
    program(world, move |stack| {
        for name in ["a", "b"] {
            let house = stack.add(name, House::new(name).comment(comment));
            let room = stack.add(&format!("{name}/room"), Room::new(&house, "room").comment(comment));
            stack.add(&format!("{name}/chest"), Chest::new(&room, "chest"));
            stack.export(name, &house.serial);
        }
        Ok(())
    })
}

fn narrowed(targets: &[&str], exclude: &[&str]) -> Harness {
    let harness = Harness::new();
    harness.want(targets, exclude, &[]).expect("targets");
    harness
}

#[test]
fn what_a_target_needs_is_made_first() {
    let world = World::default();
    let harness = narrowed(&["a/chest"], &[]);
    up(&harness, &two(&world, "x"));
    assert_eq!(world.objects(), ["Chest a/room/chest", "House a", "Room a/room"]);
    let exports = harness.snapshot().exports;
    assert_eq!(exports.keys().collect::<Vec<_>>(), ["a"], "what hangs on something left out is not exported");
    assert!(harness.plan(&two(&world, "x")).expect("a plan").is_empty());
    harness.want(&[], &[], &[]).expect("targets");
    up(&harness, &two(&world, "x"));
    settled(&harness, &two(&world, "x"));
}

#[test]
fn globs_name_types_and_paths() {
    let world = World::default();
    for (glob, count) in [("yard:Chest::*", 6), ("b/*", 3), ("a", 1), ("*", 6)] {
        let plan = narrowed(&[glob], &[]).plan(&two(&world, "x")).expect("a plan");
        assert_eq!(plan.changes().count(), count, "{glob}: {:?}", steps(&plan));
    }
}

#[test]
fn a_target_of_nothing_is_refused() {
    let world = World::default();
    assert!(refused(&narrowed(&["c*"], &[]), &two(&world, "x")).contains("no resource matches the target `c*`"));
}

#[test]
fn an_excluded_dependency_that_is_missing_is_said_before_anything_runs() {
    let world = World::default();
    let text = refused(&narrowed(&[], &["a"]), &two(&world, "x"));
    assert!(text.contains("a targeted resource needs `yard:House::a`, which is excluded"), "{text}");
    assert!(world.calls().is_empty());
}

#[test]
fn an_excluded_dependency_that_is_there_serves_as_it_is() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &two(&world, "x"));
    world.calls();
    harness.want(&[], &["a", "b*"], &[]).expect("targets");
    up(&harness, &two(&world, "y"));
    assert_eq!(world.calls(), ["update Room a/room"]);
    assert_eq!(world.field("House", "a", "comment"), Some("x".into()));
}

#[test]
fn what_is_left_out_keeps_its_state() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &two(&world, "x"));
    let before = harness.snapshot();
    harness.want(&["a"], &[], &[]).expect("targets");
    up(&harness, &two(&world, "y"));
    let after = harness.snapshot();
    for (address, state) in before.resources.iter().filter(|(address, _)| address.path() != "a") {
        assert_eq!(after.resources.get(address), Some(state));
    }
    harness.want(&[], &[], &[]).expect("targets");
    up(&harness, &two(&world, "y"));
    settled(&harness, &two(&world, "y"));
}

#[test]
fn a_targeted_delete_takes_what_is_in_it_and_nothing_above() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &two(&world, "x"));
    world.calls();
    harness.want(&["a/room"], &[], &[]).expect("targets");
    up(&harness, &nothing(&world));
    assert_eq!(world.calls(), ["delete Chest a/room/chest", "delete Room a/room"]);
    assert!(world.objects().contains(&"House a".to_owned()));
    harness.want(&[], &[], &[]).expect("targets");
    up(&harness, &nothing(&world));
    assert!(world.objects().is_empty() && owned(&harness).is_empty());
}

/// Exports of each house, of both, of a lookup and of nothing.
fn exporting(world: &World) -> Program {
    program(world, |stack| {
        let [a, b] = ["a", "b"].map(|name| stack.add(name, House::new(name)));
        stack.add("room", Room::new(&a, "room"));
        let found = stack.lookup::<House>("b");
        stack.export("a", &a.serial);
        stack.export("b", interpolate!("house {}", b.serial));
        stack.export("both", interpolate!("{} {}", a.serial, b.serial));
        stack.export("found", &found.id);
        stack.export("nothing", "x");
        Ok(())
    })
}

#[test]
fn a_targeted_destroy_keeps_the_exports_that_come_from_what_stays() {
    for (targets, exclude, left) in [
        (&["room"][..], &[][..], &["a", "b", "both", "found", "nothing"][..]),
        (&["a"], &[], &["b", "found", "nothing"]),
        (&["yard:House::a", "yard:Room::*"], &[], &["b", "found", "nothing"]),
        (&[], &["b"], &["b", "found", "nothing"]),
        (&[], &[], &[]),
    ] {
        let (world, harness) = (World::default(), Harness::new());
        up(&harness, &two(&world, "x"));
        up(&harness, &exporting(&world));
        let before = harness.snapshot();
        harness.want(targets, exclude, &[]).expect("targets");
        let run = harness.destroy(&exporting(&world)).expect("a plan");
        assert_eq!(run.failures, [], "{targets:?}");
        let gone: Vec<_> = before.exports.keys().filter(|name| !left.contains(&name.as_str())).collect();
        assert_eq!(run.plan.exports.iter().map(|change| &*change.path).collect::<Vec<_>>(), gone, "{targets:?}");
        let after = harness.snapshot();
        assert_eq!(after.exports.keys().collect::<Vec<_>>(), left, "{targets:?}");
        assert!(after.exports.iter().all(|(name, value)| before.exports.get(name) == Some(value)), "{targets:?}");
        assert_eq!(after.lookups.is_empty(), left.is_empty(), "{targets:?}: what was looked up is the program's");
    }
}

#[test]
fn a_targeted_up_keeps_the_exports_of_what_it_leaves_out() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &two(&world, "x"));
    let before = harness.snapshot().exports;
    let without_a = program(&world, |stack| {
        let house = stack.add("b", House::new("b").comment("y"));
        stack.export("b", &house.serial);
        Ok(())
    });
    harness.want(&["a*"], &[], &[]).expect("targets");
    up(&harness, &without_a);
    let after = harness.snapshot().exports;
    assert_eq!((after.len(), after.get("b")), (1, before.get("b")));
}

#[test]
fn an_excluded_dependent_forbids_the_end_of_what_it_needs() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &two(&world, "x"));
    harness.want(&["a"], &["a/chest"], &[]).expect("targets");
    let text = refused(&harness, &nothing(&world));
    assert!(text.contains("needs `yard:Chest::a/chest`, which is excluded"), "{text}");
}

#[test]
fn what_an_excluded_one_holds_is_not_replaced() {
    let (world, harness) = (World::default(), Harness::new());
    let locked = |name: &'static str, floor: i64| {
        program(&world, move |stack| {
            let house = stack.add("home", House::new(name).floor(floor));
            stack.add("lock", Lock::new().house(&house));
            Ok(())
        })
    };
    up(&harness, &locked("home", 1));
    harness.want(&[], &["lock"], &[]).expect("targets");
    let text = refused(&harness, &locked("villa", 2));
    assert!(text.contains("`yard:Lock::lock` holds `yard:House::home`, which is to be replaced"), "{text}");
}

#[test]
fn a_targeted_replacement_takes_its_dependents_along() {
    let (world, harness) = (World::default(), Harness::new());
    let floors = |floor: i64| {
        program(&world, move |stack| {
            let house = stack.add("home", House::new("home").floor(floor));
            stack.add("leaf", Leaf::new().house(&house));
            stack.add("lock", Lock::new().note(&house.serial));
            stack.add("apart", House::new("apart").floor(floor));
            Ok(())
        })
    };
    up(&harness, &floors(1));
    harness.want(&["home"], &[], &[]).expect("targets");
    let mut planned = steps(&harness.plan(&floors(2)).expect("a plan"));
    planned.sort();
    assert_eq!(planned, ["replace yard:House::home", "replace yard:Leaf::leaf", "update yard:Lock::lock"]);
    up(&harness, &floors(2));
    harness.want(&[], &[], &[]).expect("targets");
    assert_eq!(steps(&harness.plan(&floors(2)).expect("a plan")), ["replace yard:House::apart"]);
}

#[test]
fn who_holds_the_wanted_key_comes_along() {
    let (world, harness) = (World::default(), Harness::new());
    let held_by = |address: &'static str| {
        program(&world, move |stack| {
            stack.add(address, House::new("home"));
            Ok(())
        })
    };
    up(&harness, &held_by("old"));
    world.calls();
    harness.want(&["new"], &[], &[]).expect("targets");
    up(&harness, &held_by("new"));
    assert_eq!(world.calls(), ["delete House home", "create House home"]);
}

#[test]
fn what_awaits_deletion_waits_for_its_own_target() {
    let (world, harness) = (World::default(), Harness::new());
    let pair = |name: &'static str, floor: i64, comment: &'static str| {
        program(&world, move |stack| {
            stack.add("home", House::new(name).floor(floor));
            stack.add("other", House::new("other").comment(comment));
            Ok(())
        })
    };
    up(&harness, &pair("home", 1, "x"));
    world.fault("delete House", Fault::Refused);
    fails(&harness, &pair("villa", 2, "x"));
    world.calls();
    harness.want(&["other"], &[], &[]).expect("targets");
    up(&harness, &pair("villa", 2, "y"));
    assert_eq!(world.calls(), ["update House other"]);
    harness.want(&["home"], &[], &[]).expect("targets");
    up(&harness, &pair("villa", 2, "y"));
    assert_eq!(world.calls(), ["delete House home"]);
}

#[test]
fn a_replacement_can_be_asked_for_by_address() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &two(&world, "x"));
    world.calls();
    harness.want(&[], &[], &["yard:Chest::a/chest"]).expect("targets");
    up(&harness, &two(&world, "x"));
    assert_eq!(world.calls(), ["delete Chest a/room/chest", "create Chest a/room/chest"]);
    harness.want(&[], &[], &["yard:Chest::c"]).expect("targets");
    assert!(refused(&harness, &two(&world, "x")).contains("names no resource"));
}

#[test]
fn what_lives_in_a_place_that_is_renamed_comes_along_or_forbids_it() {
    let world = World::default();
    let harness = Harness::new();
    let in_house = |name: &'static str| {
        program(&world, move |stack| {
            let house = stack.add("house", House::new(name));
            let room = stack.add("room", Room::new(&house, "room"));
            stack.add("chest", Chest::new(&room, "chest"));
            Ok(())
        })
    };
    up(&harness, &in_house("home"));
    harness.want(&[], &["room"], &[]).expect("targets");
    let text = refused(&harness, &in_house("villa"));
    let said = "`yard:Room::room` is excluded, and `yard:House::house`, in which it lives, gets another name";
    assert!(text.contains(said), "{text}");
    harness.want(&["house"], &[], &[]).expect("targets");
    up(&harness, &in_house("villa"));
    harness.want(&[], &[], &[]).expect("targets");
    assert_eq!(world.objects(), ["Chest villa/room/chest", "House villa", "Room villa/room"]);
    settled(&harness, &in_house("villa"));
}
