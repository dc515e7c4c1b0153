//! Changes that wait for each other: one more call or a delete-first replacement unties them; else they are refused, and
//! the way out works.

use platform_sdk::{Data, Program, interpolate, plan::Op, testing::Harness};
use serde_json::json;

use super::{
    support::{in_order, nothing, program, refused, settled, step, steps, up},
    yard::{Fault, House, Leaf, Room, Sign, Site, Tent, World},
};

/// A house at this address, always of the same name, and whatever else.
fn home(world: &World, at: &'static str, and: fn(&platform_sdk::Stack, &platform_sdk::Handle<House>)) -> Program {
    program(world, move |stack| {
        let house = stack.add(at, House::new("home"));
        and(stack, &house);
        Ok(())
    })
}

#[test]
fn what_lies_in_two_places_and_refers_across_takes_one_call_more() {
    let (world, harness) = (World::default(), Harness::new());
    let camps = program(&world, |stack| {
        let (north, south) = (stack.add("north", Site::new()), stack.add("south", Site::new()));
        stack.within(&north.provider()).add("one", Tent::new("one").comment(interpolate!("{}", south.id)));
        stack.within(&south.provider()).add("two", Tent::new("two").comment(interpolate!("{}", north.id)));
        Ok(())
    });
    up(&harness, &camps);
    world.calls();
    up(&harness, &nothing(&world));
    let calls = world.calls();
    assert_eq!(calls.len(), 3, "{calls:?}");
    assert!(calls[0].starts_with("delete Tent"), "{calls:?}");
    assert!(world.objects().is_empty());
}

#[test]
fn what_waits_for_a_value_behind_a_handed_over_name_holds_up_no_delete() {
    let (world, harness) = (World::default(), Harness::new());
    let counted =
        |at| home(&world, at, |stack, house| drop(stack.add("count", Data::new(json!(1)).trigger(&house.serial))));
    up(&harness, &counted("old"));
    world.calls();
    up(&harness, &counted("new"));
    assert_eq!(world.calls(), ["delete House home", "create House home"]);
    settled(&harness, &counted("new"));
}

/// A leaf that says of which house it is, and can't change its colour.
fn leaf(world: &World, at: &'static str, colour: &'static str, create_first: bool) -> Program {
    program(world, move |stack| {
        let house = stack.add(at, House::new("home"));
        let leaf = stack.add("leaf", Leaf::new().colour(colour).text(&house.serial));
        if create_first {
            leaf.delete_before_replace(false);
        }
        Ok(())
    })
}

#[test]
fn what_is_replaced_behind_a_handed_over_name_is_deleted_first() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &leaf(&world, "old", "green", false));
    world.calls();
    let run = up(&harness, &leaf(&world, "new", "red", false));
    let leaf_step = step(&run.plan, "yard:Leaf::leaf");
    assert_eq!(leaf_step.op, Op::Replace { create_first: false });
    assert!(leaf_step.reasons.iter().any(|reason| reason.starts_with("deleted first")), "{leaf_step:?}");
    let calls = world.calls();
    in_order(&calls, "delete Leaf 2", "delete House home");
    in_order(&calls, "delete House home", "create House home");
    settled(&harness, &leaf(&world, "new", "red", false));
}

#[test]
fn names_that_two_replacements_swap_are_both_free_first() {
    let (world, harness) = (World::default(), Harness::new());
    let named = |first: &'static str, second: &'static str| {
        program(&world, move |stack| {
            stack.add("first", Sign::new(first));
            stack.add("second", Sign::new(second));
            Ok(())
        })
    };
    up(&harness, &named("one", "two"));
    world.calls();
    up(&harness, &named("two", "one"));
    let calls = world.calls();
    in_order(&calls, "delete Sign one", "create Sign one");
    in_order(&calls, "delete Sign two", "create Sign two");
    settled(&harness, &named("two", "one"));
}

#[test]
fn what_is_gone_from_reality_holds_up_no_delete() {
    let (world, harness) = (World::default(), Harness::new());
    let furnished = |at| home(&world, at, |stack, house| drop(stack.add("room", Room::new(house, "room"))));
    up(&harness, &furnished("old"));
    world.lose("Room", "home/room");
    world.calls();
    up(&harness, &furnished("new"));
    assert_eq!(world.calls(), ["delete House home", "create House home", "create Room home/room"]);
    settled(&harness, &furnished("new"));
}

#[test]
fn what_was_left_behind_ends_before_its_place_is_replaced() {
    let (world, harness) = (World::default(), Harness::new());
    let strewn = |floor: i64, colour: &'static str| {
        program(&world, move |stack| {
            let house = stack.add("home", House::new("home").floor(floor));
            let leaf = stack.add("leaf", Leaf::new().house(&house).colour(colour));
            stack.add("copy", House::new("copy").comment(&leaf.serial));
            Ok(())
        })
    };
    up(&harness, &strewn(1, "green"));
    world.fault("delete Leaf", Fault::Refused);
    assert_eq!(harness.up(&strewn(1, "red")).expect("a plan").failures.len(), 1);
    up(&harness, &strewn(2, "red"));
    assert_eq!(world.objects().len(), 3, "{:?}", world.objects());
    settled(&harness, &strewn(2, "red"));
}

#[test]
fn a_name_that_nobody_can_let_go_of_is_refused_and_a_move_is_the_way_out() {
    let (world, harness) = (World::default(), Harness::new());
    let copied = |at, from: Option<&'static str>| {
        program(&world, move |stack| {
            let mut house = stack.add(at, House::new("home"));
            if let Some(from) = from {
                house = house.moved_from(from);
            }
            stack.add("copy", House::new("copy").comment(&house.serial));
            Ok(())
        })
    };
    up(&harness, &copied("old", None));
    world.calls();
    let text = refused(&harness, &copied("new", None));
    for line in [
        "`yard:House::copy` is updated only after `yard:House::new` is created",
        "`yard:House::new` is created only after `yard:House::old` is deleted",
        "`yard:House::old` is deleted only after `yard:House::copy` is updated",
        "if `yard:House::new` is `yard:House::old` under another address, say `.moved_from(\"old\")`",
    ] {
        assert!(text.contains(line), "{text}");
    }
    up(&harness, &copied("new", Some("old")));
    assert!(world.calls().is_empty());
    settled(&harness, &copied("new", Some("old")));
}

#[test]
fn who_insists_on_create_first_is_told_what_to_take_away() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &leaf(&world, "old", "green", true));
    let text = refused(&harness, &leaf(&world, "new", "red", true));
    assert!(text.contains("take `.delete_before_replace(false)` of `yard:Leaf::leaf` away"), "{text}");
}

#[test]
fn a_swap_that_a_failed_create_cut_in_two_moves_nothing_twice() {
    let (world, harness) = (World::default(), Harness::new());
    let swapped = program(&world, |stack| {
        stack.add("a", House::new("two")).moved_from("b");
        stack.add("b", House::new("one")).moved_from("a");
        Ok(())
    });
    world.fault("create House", Fault::Refused);
    assert_eq!(harness.up(&swapped).expect("a plan").failures.len(), 1);
    let plan = harness.plan(&swapped).expect("a plan");
    assert_eq!(steps(&plan), ["create yard:House::a"]);
    up(&harness, &swapped);
    settled(&harness, &swapped);
}

#[test]
fn what_takes_over_the_name_of_what_is_dropped_and_is_referred_to_instead_holds_up_no_delete() {
    let (world, harness) = (World::default(), Harness::new());
    let before = program(&world, |stack| {
        stack.add("a", House::new("one"));
        let dropped = stack.add("b", House::new("two"));
        stack.add("copy", House::new("copy").comment(&dropped.serial));
        Ok(())
    });
    let after = program(&world, |stack| {
        let taking = stack.add("a", House::new("two"));
        stack.add("copy", House::new("copy").comment(&taking.serial));
        Ok(())
    });
    up(&harness, &before);
    world.calls();
    up(&harness, &after);
    assert_eq!(world.calls(), ["delete House two", "update House one", "update House copy"]);
    settled(&harness, &after);
}
