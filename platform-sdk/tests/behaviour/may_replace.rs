//! A value that is not known yet may ask for a replacement: it counts as one until it is known, and nothing destructive
//! runs before; if it is what was there, everything that hung on it is kept.

use platform_sdk::{
    Output, Program, Stack,
    plan::Op,
    prelude::*,
    report::Event,
    testing::{Harness, Run},
};
use serde_json::{Value, json};

use super::{
    support::{nothing, program, refused, settled, step, up},
    yard::{Chest, House, Leaf, Lock, Room, World},
};

/// A value that is unknown whenever `seed` changes, though `value` may stay the same.
fn computed(stack: &Stack, name: &str, seed: i64, value: i64) -> Output<i64> {
    let data = stack.add(name, Data::new(json!({"seed": seed, "value": value})));
    data.output.map(|data: Value| data["value"].as_i64().unwrap_or_default())
}

/// A house on a floor that is computed, with a room, a chest and a leaf in it and a lock on it.
fn furnished(world: &World, seed: i64, floor: i64) -> Program {
    program(world, move |stack| {
        let floor = computed(stack, "floor", seed, floor);
        let house = stack.add("home", House::new("home").floor(floor));
        let room = stack.add("room", Room::new(&house, "room"));
        stack.add("chest", Chest::new(&room, "chest"));
        stack.add("leaf", Leaf::new().house(&house));
        stack.add("lock", Lock::new().house(&house));
        Ok(())
    })
}

fn finished(run: &Run) -> Vec<String> {
    let ended = run.events.iter().filter_map(|event| match event {
        Event::StepFinished { address, op, .. } => Some(format!("{} {}", op.name(), address.path())),
        _ => None,
    });
    ended.collect()
}

#[test]
fn everything_that_hangs_on_the_value_says_so_and_is_kept_when_it_is_the_same() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &furnished(&world, 1, 7));
    world.calls();
    let run = up(&harness, &furnished(&world, 2, 7));
    assert_eq!(step(&run.plan, "yard:House::home").condition.as_deref(), Some("${floor.output} differs"));
    for inside in ["yard:Room::room", "yard:Chest::chest", "yard:Leaf::leaf", "yard:Lock::lock"] {
        let step = step(&run.plan, inside);
        assert!(matches!(step.op, Op::Replace { .. }), "{step:?}");
        assert_eq!(step.condition.as_deref(), Some("yard:House::home is replaced"), "{inside}");
    }
    assert!(world.calls().is_empty());
    assert!(finished(&run).contains(&"keep home".to_owned()), "{:?}", finished(&run));
    assert!(finished(&run).contains(&"keep chest".to_owned()), "{:?}", finished(&run));
    settled(&harness, &furnished(&world, 2, 7));
}

#[test]
fn everything_that_hangs_on_the_value_is_replaced_when_it_differs() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &furnished(&world, 1, 7));
    let serial = world.serial("Chest", "home/room/chest");
    up(&harness, &furnished(&world, 2, 8));
    assert_ne!(world.serial("Chest", "home/room/chest"), serial);
    settled(&harness, &furnished(&world, 2, 8));
}

#[test]
fn it_counts_as_a_replacement_for_every_guard() {
    let (world, harness) = (World::default(), Harness::new());
    let guarded = |seed: i64| {
        program(&world, move |stack| {
            let floor = computed(stack, "floor", seed, 7);
            let house = stack.add("home", House::new("home").floor(floor)).protect();
            let room = stack.add("room", Room::new(&house, "room"));
            stack.add("chest", Chest::new(&room, "chest")).protect();
            Ok(())
        })
    };
    up(&harness, &guarded(1));
    let text = refused(&harness, &guarded(2));
    assert!(text.contains("2 resources are protected and may be replaced"), "{text}");
    for protected in ["yard:House::home", "yard:Chest::chest"] {
        assert!(text.contains(&format!("\n  {protected} (")), "{text}");
    }
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &furnished(&world, 1, 7));
    let plan = harness.plan(&furnished(&world, 2, 7)).expect("a plan");
    assert_eq!(step(&plan, "yard:Chest::chest").destroys, ["chest `home/room/chest` with its data"]);
    world.plant(<Leaf as platform_sdk::Resource>::schema(), &json!({"house": "home"}));
    assert!(refused(&harness, &furnished(&world, 2, 7)).contains("holds what the stack does not own"));
}

#[test]
fn either_of_two_values_is_enough() {
    let both = |world: &World, house: (i64, i64), leaf: (i64, i64)| {
        program(world, move |stack| {
            let floor = computed(stack, "floor", house.0, house.1);
            let colour = computed(stack, "colour", leaf.0, leaf.1).map(|colour: i64| colour.to_string());
            let house = stack.add("home", House::new("home").floor(floor));
            stack.add("leaf", Leaf::new().house(&house).colour(colour));
            Ok(())
        })
    };
    for (floor, colour) in [(7, 7), (8, 7), (7, 8), (8, 8)] {
        let (world, harness) = (World::default(), Harness::new());
        up(&harness, &both(&world, (1, 7), (1, 7)));
        let before = harness.snapshot();
        up(&harness, &both(&world, (2, floor), (2, colour)));
        let id = |snapshot: &platform_sdk::state::Snapshot| {
            snapshot.resources[&"yard:Leaf::leaf".parse().expect("an address")].id.clone()
        };
        let replaced = id(&before) != id(&harness.snapshot());
        assert_eq!(replaced, floor == 8 || colour == 8, "floor {floor}, colour {colour}");
        assert_eq!(world.objects().len(), 2, "{:?}", world.objects());
        settled(&harness, &both(&world, (2, floor), (2, colour)));
    }
}

#[test]
fn behind_a_certain_replacement_a_value_is_waited_for() {
    let (world, harness) = (World::default(), Harness::new());
    let numbered = |floor: i64| {
        program(&world, move |stack| {
            let house = stack.add("home", House::new("home").floor(floor));
            stack.add("leaf", Leaf::new().colour(&house.serial)).delete_before_replace(true);
            Ok(())
        })
    };
    up(&harness, &numbered(1));
    up(&harness, &numbered(2));
    assert_eq!(world.objects().len(), 2);
    settled(&harness, &numbered(2));
}

#[test]
fn what_is_dropped_from_a_place_that_may_be_replaced_is_deleted_in_any_case() {
    for floor in [7, 8] {
        let (world, harness) = (World::default(), Harness::new());
        up(&harness, &furnished(&world, 1, 7));
        let bare = program(&world, move |stack| {
            let floor = computed(stack, "floor", 2, floor);
            stack.add("home", House::new("home").floor(floor));
            Ok(())
        });
        up(&harness, &bare);
        assert_eq!(world.objects(), ["House home"], "floor {floor}");
        settled(&harness, &bare);
    }
}

#[test]
fn an_unknown_value_behind_a_judge_may_replace_and_may_lose_data() {
    let wide = |world: &World, seed: i64, width: i64| {
        program(world, move |stack| {
            let width = computed(stack, "width", seed, width);
            let house = stack.add("home", House::new("home"));
            let room = stack.add("room", Room::new(&house, "room"));
            stack.add("chest", Chest::new(&room, "chest").width(width));
            Ok(())
        })
    };
    for (width, calls) in [
        (10, vec![]),
        (20, vec!["update Chest home/room/chest"]),
        (5, vec!["update Chest home/room/chest"]),
        (-1, vec!["delete Chest home/room/chest", "create Chest home/room/chest"]),
    ] {
        let (world, harness) = (World::default(), Harness::new());
        up(&harness, &wide(&world, 1, 10));
        world.calls();
        let run = up(&harness, &wide(&world, 2, width));
        let chest = step(&run.plan, "yard:Chest::chest");
        assert!(chest.condition.is_some());
        assert_eq!(
            chest.destroys,
            ["chest `home/room/chest` with its data", "perhaps data in `width` of `home/room/chest`"]
        );
        assert_eq!(world.calls(), calls, "width {width}");
        settled(&harness, &wide(&world, 2, width));
        up(&harness, &nothing(&world));
    }
}

#[test]
fn a_field_that_an_option_forces_waits_for_its_value() {
    let (world, harness) = (World::default(), Harness::new());
    let sized = |seed: i64, size: i64| {
        program(&world, move |stack| {
            let size = computed(stack, "size", seed, size);
            stack.add("home", House::new("home").size(size)).replace_on_changes(["size"]);
            Ok(())
        })
    };
    up(&harness, &sized(1, 4));
    world.calls();
    let run = up(&harness, &sized(2, 4));
    assert!(step(&run.plan, "yard:House::home").condition.is_some());
    assert!(world.calls().is_empty());
    up(&harness, &sized(3, 5));
    assert_eq!(world.calls(), ["delete House home", "create House home"]);
    settled(&harness, &sized(3, 5));
}
