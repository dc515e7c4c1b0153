//! Containment: the end of a place ends what is in it, in one call where the service takes it along, one by one where it
//! refuses, each with its reason.

use platform_sdk::{Program, plan::Op, prelude::*, testing::Harness};
use serde_json::json;

use super::{
    commands::Commands,
    support::{fails, in_order, nothing, program, refused, settled, step, steps, up},
    yard::{Chest, Fault, House, Leaf, Room, World, Yard},
};

/// A house with a room with a chest: the room goes with the house, the chest forbids the room to go.
fn furnished(world: &World, floor: i64) -> Program {
    program(world, move |stack| {
        let house = stack.add("home", House::new("home").floor(floor));
        let room = stack.add("room", Room::new(&house, "room"));
        stack.add("chest", Chest::new(&room, "chest"));
        Ok(())
    })
}

#[test]
fn a_delete_takes_along_what_cascades_and_first_deletes_what_refuses() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &furnished(&world, 1));
    world.calls();
    let run = up(&harness, &nothing(&world));
    assert_eq!(world.calls(), ["delete Chest home/room/chest", "delete House home"]);
    assert_eq!(step(&run.plan, "yard:Room::room").reasons[1], "goes with yard:House::home");
    assert!(world.objects().is_empty() && harness.snapshot().resources.is_empty());
}

#[test]
fn a_replacement_replaces_what_is_in_it_recursively_with_reasons() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &furnished(&world, 1));
    world.calls();
    let run = up(&harness, &furnished(&world, 2));
    assert_eq!(step(&run.plan, "yard:Room::room").reasons, ["lives in yard:House::home, which is replaced"]);
    assert_eq!(step(&run.plan, "yard:Chest::chest").reasons, ["lives in yard:Room::room, which is replaced"]);
    assert_eq!(
        world.calls(),
        [
            "delete Chest home/room/chest",
            "delete House home",
            "create House home",
            "create Room home/room",
            "create Chest home/room/chest"
        ]
    );
    settled(&harness, &furnished(&world, 2));
}

#[test]
fn what_is_dropped_from_a_replaced_place_goes_with_it() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &furnished(&world, 1));
    let without = program(&world, |stack| {
        stack.add("home", House::new("home").floor(2));
        Ok(())
    });
    world.calls();
    up(&harness, &without);
    assert_eq!(world.calls(), ["delete Chest home/room/chest", "delete House home", "create House home"]);
    settled(&harness, &without);
}

#[test]
fn when_the_place_does_not_go_what_goes_with_it_stays_in_state() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &furnished(&world, 1));
    world.fault("delete House", Fault::Refused);
    fails(&harness, &nothing(&world));
    let left: Vec<_> = harness.snapshot().resources.into_keys().map(|address| address.to_string()).collect();
    assert_eq!(left, ["yard:House::home", "yard:Room::room"]);
    up(&harness, &nothing(&world));
    assert!(world.objects().is_empty());
}

#[test]
fn contents_of_others_forbid_the_end_of_a_place() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &furnished(&world, 1));
    world.plant(<Leaf as platform_sdk::Resource>::schema(), &json!({"house": "home"}));
    let text = refused(&harness, &nothing(&world));
    assert!(
        text.contains("`yard:House::home` holds what the stack does not own") && text.contains("yard:Leaf"),
        "{text}"
    );
    assert!(refused(&harness, &furnished(&world, 2)).contains("yard:Leaf"));
}

#[test]
fn what_an_offline_plan_could_not_see_is_not_taken_along() {
    let commands = Commands::of(|world| furnished(world, 1));
    let (up, _) = commands.run(&["up", "--yes"]);
    commands.world.plant(<Room as platform_sdk::Resource>::schema(), &json!({"house": "home", "name": "theirs"}));
    let (exit, said) = commands.run(&["destroy", "--yes", "--allow-data-loss", "all", "--offline"]);
    assert_eq!((up, exit), (0, 1), "{said}");
    assert!(said.contains("holds what the stack does not own") && said.contains("home/theirs"), "{said}");
    assert!(commands.world.objects().contains(&"Room home/theirs".to_owned()));
}

/// A house, and one of the same name on another yard with a room in it.
fn two_yards(world: &World, here: bool) -> Program {
    let north = Yard::of(world).over("north");
    program(world, move |stack| {
        if here {
            stack.add("home", House::new("home"));
        }
        let there = stack.within(&north);
        let house = there.add("there", House::new("home"));
        there.add("room", Room::new(&house, "room"));
        Ok(())
    })
}

#[test]
fn what_has_the_name_of_ours_on_another_yard_is_somebody_elses() {
    let stack = Commands::of(|world| two_yards(world, true));
    stack.world.leads_to("north", "yard-2");
    assert_eq!(stack.run(&["up", "--yes"]).0, 0);
    stack.world.plant(<Room as platform_sdk::Resource>::schema(), &json!({"house": "home", "name": "room"}));
    let without = Commands { program: |world| two_yards(world, false), ..stack };
    for line in [&["up", "--yes"][..], &["up", "--yes", "--offline"]] {
        let (exit, said) = without.run(line);
        assert!(exit == 1 && said.contains("holds what the stack does not own"), "{line:?}: {said}");
        assert!(said.contains("yard:Room `home/room`"), "{line:?}: {said}");
    }
    assert_eq!(without.world.objects_of("yard-1"), ["House home", "Room home/room"]);
}

#[test]
fn what_was_made_over_another_way_to_the_same_yard_is_ours() {
    let (world, harness) = (World::default(), Harness::new());
    let mirror = Yard::of(&world).over("mirror");
    let furnished = program(&world, move |stack| {
        let house = stack.add("home", House::new("home"));
        stack.within(&mirror).add("room", Room::new(&house, "room"));
        Ok(())
    });
    up(&harness, &furnished);
    up(&harness, &nothing(&world));
    assert!(world.objects().is_empty());
}

#[test]
fn with_force_and_the_loss_said_contents_of_others_go_along() {
    let (world, harness) = (World::default(), Harness::new());
    let forced = program(&world, |stack| {
        stack.add("home", House::new("home")).force_destroy(true);
        Ok(())
    });
    up(&harness, &forced);
    let leaf = world.plant(<Leaf as platform_sdk::Resource>::schema(), &json!({"house": "home"}));
    let run = up(&harness, &nothing(&world));
    let lost = &step(&run.plan, "yard:House::home").destroys;
    assert_eq!(*lost, [format!("yard:Leaf `{leaf}`, which the stack does not own")]);
    assert!(world.objects().is_empty());
}

#[test]
fn a_retained_child_of_a_place_that_goes_is_refused() {
    let (world, harness) = (World::default(), Harness::new());
    let retaining = program(&world, |stack| {
        let house = stack.add("home", House::new("home"));
        let room = stack.add("room", Room::new(&house, "room"));
        stack.add("chest", Chest::new(&room, "chest")).retain_on_delete();
        stack.add("leaf", Leaf::new().house(&house)).retain_on_delete();
        Ok(())
    });
    up(&harness, &retaining);
    let text = refused(&harness, &nothing(&world));
    for retained in ["yard:Chest::chest", "yard:Leaf::leaf"] {
        assert!(text.contains(&format!("`{retained}` is to be retained")), "{text}");
    }
}

#[test]
fn a_retained_child_that_moves_to_another_place_can_t_stay_in_the_one_that_goes() {
    let (world, harness) = (World::default(), Harness::new());
    let at = |house: &'static str, forgets: bool| {
        program(&world, move |stack| {
            let mut house = stack.add(house, House::new(house));
            if forgets {
                house = house.retain_on_delete();
            }
            stack.add("leaf", Leaf::new().house(&house)).retain_on_delete();
            Ok(())
        })
    };
    up(&harness, &at("home", false));
    world.calls();
    let text = refused(&harness, &at("villa", false));
    let said = "`yard:Leaf::leaf` is to be retained, and `yard:House::home`, in which it lives, is deleted";
    assert_eq!(text.matches(said).count(), 1, "{text}");
    assert!(world.calls().is_empty());
    up(&harness, &at("home", true));
    up(&harness, &at("villa", false));
    let left = world.objects();
    assert!(left.contains(&"House home".to_owned()), "the house is retained, and so the leaf in it may be: {left:?}");
    settled(&harness, &at("villa", false));
}

#[test]
fn a_retained_resource_is_not_replaced_under_the_same_key() {
    let (world, harness) = (World::default(), Harness::new());
    let retaining = |name: &'static str, floor: i64| {
        program(&world, move |stack| {
            stack.add("home", House::new(name).floor(floor)).retain_on_delete();
            Ok(())
        })
    };
    up(&harness, &retaining("home", 1));
    assert!(refused(&harness, &retaining("home", 2)).contains("its replacement needs the same key"));
    world.calls();
    up(&harness, &retaining("villa", 2));
    assert_eq!(world.calls(), ["create House villa"], "under another key the old one just stays");
    assert_eq!(world.objects(), ["House home", "House villa"]);
    settled(&harness, &retaining("villa", 2));
}

#[test]
fn what_still_lives_in_a_dropped_place_is_named() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &furnished(&world, 1));
    let homeless = program(&world, |stack| {
        let room = stack.add("room", Room::new(Id::<House>::new("home"), "room"));
        stack.add("chest", Chest::new(&room, "chest"));
        Ok(())
    });
    let text = refused(&harness, &homeless);
    assert!(
        text.contains("`yard:Room::room` lives in `yard:House::home`, which is not in the program any more"),
        "{text}"
    );
}

#[test]
fn moving_out_of_a_dropped_place_comes_before_its_end() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &furnished(&world, 1));
    let moved = program(&world, |stack| {
        let villa = stack.add("villa", House::new("villa"));
        let room = stack.add("room", Room::new(&villa, "room"));
        stack.add("chest", Chest::new(&room, "chest"));
        Ok(())
    });
    world.calls();
    let run = up(&harness, &moved);
    assert!(matches!(step(&run.plan, "yard:Chest::chest").op, Op::Replace { .. }), "{:?}", run.steps());
    in_order(&world.calls(), "delete Chest home/room/chest", "delete House home");
    assert_eq!(world.objects(), ["Chest villa/room/chest", "House villa", "Room villa/room"]);
    settled(&harness, &moved);
}

#[test]
fn a_place_that_takes_another_key_gets_its_contents_anew() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &furnished(&world, 1));
    let elsewhere = program(&world, |stack| {
        let house = stack.add("home", House::new("villa").floor(2));
        let room = stack.add("room", Room::new(&house, "room"));
        stack.add("chest", Chest::new(&room, "chest"));
        Ok(())
    });
    world.calls();
    up(&harness, &elsewhere);
    let calls = world.calls();
    assert_eq!(calls.iter().filter(|call| call.starts_with("delete")).count(), 2, "{calls:?}");
    assert_eq!(world.objects(), ["Chest villa/room/chest", "House villa", "Room villa/room"]);
    settled(&harness, &elsewhere);
}

#[test]
fn a_hollow_chest_holds_no_data() {
    let (world, harness) = (World::default(), Harness::new());
    let two = program(&world, |stack| {
        let house = stack.add("home", House::new("home"));
        let room = stack.add("room", Room::new(&house, "room"));
        stack.add("full", Chest::new(&room, "full"));
        stack.add("hollow", Chest::new(&room, "hollow").hollow(true));
        Ok(())
    });
    up(&harness, &two);
    let plan = harness.plan(&nothing(&world)).expect("a plan");
    assert_eq!(step(&plan, "yard:Chest::full").destroys, ["chest `home/room/full` with its data"]);
    assert_eq!(step(&plan, "yard:Chest::hollow").destroys, [""; 0]);
    assert_eq!(steps(&plan).len(), 4);
}
