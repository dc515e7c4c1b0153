//! `import` and `adopt_existing`: an object that exists becomes the stack's own; then it lives like any other.

use platform_sdk::{Program, Resource as _, plan::Op, testing::Harness};
use serde_json::json;

use super::{
    support::{fails, nothing, owned, program, refused, settled, step, up},
    yard::{Chest, House, Leaf, Room, World},
};

fn importing(world: &World, floor: i64, comment: &'static str) -> Program {
    program(world, move |stack| {
        stack.add("home", House::new("home").floor(floor).comment(comment)).import("home");
        Ok(())
    })
}

fn adopting(world: &World, comment: &'static str) -> Program {
    program(world, move |stack| {
        stack.add("home", House::new("home").comment(comment)).adopt_existing();
        Ok(())
    })
}

fn with_a_house(comment: &str) -> World {
    let world = World::default();
    world.plant(House::schema(), &json!({"name": "home", "floor": 1, "comment": comment}));
    world
}

#[test]
fn an_import_shows_the_difference_then_owns_it() {
    let (world, harness) = (with_a_house("theirs"), Harness::new());
    let run = up(&harness, &importing(&world, 1, "ours"));
    let step = step(&run.plan, "yard:House::home");
    assert_eq!((step.op.clone(), step.changes.len()), (Op::Adopt, 1));
    assert_eq!(world.field("House", "home", "comment"), Some(json!("ours")));
    settled(&harness, &importing(&world, 1, "ours"));
}

#[test]
fn an_imported_one_is_updated_then_replaced_while_the_program_still_says_import() {
    let (world, harness) = (with_a_house("ours"), Harness::new());
    up(&harness, &importing(&world, 1, "ours"));
    assert!(world.calls().is_empty());
    up(&harness, &importing(&world, 1, "new"));
    assert_eq!(world.calls(), ["update House home"]);
    up(&harness, &importing(&world, 2, "new"));
    assert_eq!(world.calls(), ["delete House home", "create House home"]);
    settled(&harness, &importing(&world, 2, "new"));
}

#[test]
fn what_can_t_become_what_the_program_says_is_not_taken_to_be_destroyed() {
    let (world, harness) = (with_a_house("theirs"), Harness::new());
    let text = refused(&harness, &importing(&world, 2, "ours"));
    assert!(text.contains("exists as `home` and is another") && text.contains("`floor` can't be changed"), "{text}");
    assert!(world.calls().is_empty());
}

#[test]
fn taking_in_what_would_lose_data_says_so() {
    let (world, harness) = (with_a_house("theirs"), Harness::new());
    world.plant(Room::schema(), &json!({"house": "home", "name": "room"}));
    world.plant(Chest::schema(), &json!({"room": "home/room", "name": "chest", "width": 20}));
    let narrower = program(&world, |stack| {
        let house = stack.add("home", House::new("home")).import("home");
        let room = stack.add("room", Room::new(&house, "room")).import("home/room");
        stack.add("chest", Chest::new(&room, "chest").width(5)).import("home/room/chest");
        Ok(())
    });
    let plan = harness.plan(&narrower).expect("a plan");
    assert_eq!(step(&plan, "yard:Chest::chest").destroys, ["data in `width` of `home/room/chest`"]);
    up(&harness, &narrower);
    settled(&harness, &narrower);
}

#[test]
fn what_another_address_owns_is_not_imported() {
    let (world, harness) = (World::default(), Harness::new());
    let twice = |twice: bool| {
        program(&world, move |stack| {
            stack.add("first", House::new("home"));
            if twice {
                stack.add("second", House::new("other")).import("home");
            }
            Ok(())
        })
    };
    up(&harness, &twice(false));
    let text = refused(&harness, &twice(true));
    assert!(text.contains("`home` is in state already, as `yard:House::first`"), "{text}");
}

#[test]
fn one_s_own_object_under_a_dropped_address_is_not_adopted_and_deleted() {
    let (world, harness) = (World::default(), Harness::new());
    let at = |address: &'static str| {
        program(&world, move |stack| {
            stack.add(address, House::new("home")).adopt_existing();
            Ok(())
        })
    };
    up(&harness, &at("old"));
    up(&harness, &at("new"));
    assert_eq!(world.objects(), ["House home"]);
    assert_eq!(owned(&harness), ["yard:House::new home"]);
    settled(&harness, &at("new"));
}

#[test]
fn adoption_takes_what_is_there_and_creates_what_is_not() {
    let (world, harness) = (with_a_house("theirs"), Harness::new());
    let serial = world.serial("House", "home");
    let run = up(&harness, &adopting(&world, "ours"));
    assert_eq!(step(&run.plan, "yard:House::home").op, Op::Adopt);
    assert_eq!(world.serial("House", "home"), serial);
    settled(&harness, &adopting(&world, "ours"));
    let (world, harness) = (World::default(), Harness::new());
    let run = up(&harness, &adopting(&world, "ours"));
    assert_eq!(step(&run.plan, "yard:House::home").op, Op::Create);
    settled(&harness, &adopting(&world, "ours"));
}

#[test]
fn adoption_finds_by_key_though_other_values_are_not_known_yet() {
    let (world, harness) = (with_a_house("theirs"), Harness::new());
    let noted = program(&world, |stack| {
        let other = stack.add("other", House::new("other"));
        stack.add("home", House::new("home").comment(&other.serial)).adopt_existing();
        Ok(())
    });
    let run = up(&harness, &noted);
    assert_eq!(step(&run.plan, "yard:House::home").op, Op::Adopt);
    settled(&harness, &noted);
}

#[test]
fn without_being_asked_nothing_is_adopted() {
    let (world, harness) = (with_a_house("theirs"), Harness::new());
    let plain = program(&world, |stack| {
        stack.add("home", House::new("home"));
        Ok(())
    });
    assert!(fails(&harness, &plain)[0].contains("exists already"));
    assert_eq!(world.field("House", "home", "comment"), Some(json!("theirs")));
}

#[test]
fn an_adopted_one_is_deleted_like_any_other() {
    let (world, harness) = (with_a_house("theirs"), Harness::new());
    up(&harness, &adopting(&world, "ours"));
    up(&harness, &nothing(&world));
    assert!(world.objects().is_empty());
}

#[test]
fn an_import_that_is_not_there_is_said_before_anything_runs() {
    let (world, harness) = (World::default(), Harness::new());
    let missing = program(&world, |stack| {
        stack.add("leaf", Leaf::new()).import("77");
        stack.add("home", House::new("home"));
        Ok(())
    });
    assert!(refused(&harness, &missing).contains("there is no `77` to import"));
    assert!(world.calls().is_empty());
}
