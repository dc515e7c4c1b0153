//! Answers that were lost: what a request did all the same is found, and nothing of anybody else's is taken for it.

use platform_sdk::{Program, Resource as _, testing::Harness};
use serde_json::json;

use super::{
    support::{fails, owned, program, settled, up},
    yard::{Fault, House, Leaf, Site, Tent, World},
};

fn house(world: &World, name: &'static str) -> Program {
    program(world, move |stack| {
        stack.add("home", House::new(name));
        Ok(())
    })
}

#[test]
fn two_new_ones_without_key_or_mark_are_told_apart() {
    let (world, harness) = (World::default(), Harness::new());
    let leaves = program(&world, |stack| {
        for colour in ["red", "green", "blue"] {
            stack.add(colour, Leaf::new().colour(colour));
        }
        Ok(())
    });
    world.fault("create Leaf", Fault::Not);
    world.fault("create Leaf", Fault::AnswerLost);
    up(&harness, &leaves);
    assert_eq!(world.objects().len(), 3);
    settled(&harness, &leaves);
}

#[test]
fn a_rename_that_happened_is_remembered_though_its_update_failed() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &house(&world, "home"));
    let serial = world.serial("House", "home");
    world.fault("update House", Fault::AnswerLost);
    world.fault("update House", Fault::Refused);
    fails(&harness, &house(&world, "villa"));
    assert_eq!(owned(&harness), ["yard:House::home villa"]);
    // Whoever takes the old name now is nobody of ours.
    world.plant(House::schema(), &json!({"name": "home"}));
    up(&harness, &house(&world, "villa"));
    assert_eq!((world.objects().len(), world.serial("House", "villa")), (2, serial));
    settled(&harness, &house(&world, "villa"));
}

#[test]
fn what_has_the_same_name_in_another_place_is_another_object() {
    let (world, harness) = (World::default(), Harness::new());
    let camps = program(&world, |stack| {
        let (north, south) = (stack.add("north", Site::new()), stack.add("south", Site::new()));
        let first = stack.within(&north.provider()).add("first", Tent::new("tent"));
        stack.within(&south.provider()).add("second", Tent::new("tent")).depends_on(&first);
        Ok(())
    });
    world.fault("create Tent", Fault::Not);
    world.fault("create Tent", Fault::AnswerLost);
    up(&harness, &camps);
    assert_eq!(world.objects().iter().filter(|object| object.starts_with("Tent")).count(), 2);
    settled(&harness, &camps);
}
