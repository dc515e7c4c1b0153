//! `moved_from`: an object keeps being itself under another address, however addresses change.

use platform_sdk::{Program, Secret, Stack, desired::Address, testing::Harness};

use super::{
    support::{fails, owned, program, refused, settled, steps, up},
    yard::{Fault, House, Leaf, Lock, Room, World},
};

/// Houses by address, with what each was moved from.
fn houses(world: &World, all: &[(&'static str, &'static str, &[&'static str])]) -> Program {
    let all: Vec<_> = all.iter().map(|(address, name, from)| (*address, *name, from.to_vec())).collect();
    program(world, move |stack| {
        for (address, name, from) in &all {
            from.iter().fold(stack.add(address, House::new(*name)), |house, old| house.moved_from(old));
        }
        Ok(())
    })
}

/// Applies a change of addresses: no call, and nothing more to do afterwards, again and again.
fn moves(world: &World, harness: &Harness, program: &Program) -> Vec<String> {
    world.calls();
    let run = up(harness, program);
    assert!(world.calls().is_empty(), "{:?}", run.steps());
    settled(harness, program);
    assert!(up(harness, program).steps().is_empty());
    run.steps()
}

#[test]
fn a_rename_is_a_move() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &houses(&world, &[("a", "one", &[])]));
    let steps = moves(&world, &harness, &houses(&world, &[("b", "one", &["a"])]));
    assert_eq!(steps, ["move yard:House::b"]);
    assert_eq!(owned(&harness), ["yard:House::b one"]);
}

#[test]
fn a_swap_is_done_once() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &houses(&world, &[("a", "one", &[]), ("b", "two", &[])]));
    let swapped = houses(&world, &[("a", "two", &["b"]), ("b", "one", &["a"])]);
    moves(&world, &harness, &swapped);
    assert_eq!(owned(&harness), ["yard:House::a two", "yard:House::b one"]);
}

#[test]
fn a_swap_is_done_once_also_when_the_run_fails() {
    let (world, harness) = (World::default(), Harness::new());
    let two = |first: &'static str, second: &'static str, comment: &'static str, swap: bool| {
        program(&world, move |stack| {
            let a = stack.add("a", House::new(first).comment(comment));
            let b = stack.add("b", House::new(second).comment(comment));
            if swap {
                a.moved_from("b");
                b.moved_from("a");
            }
            Ok(())
        })
    };
    up(&harness, &two("one", "two", "x", false));
    world.fault("update House", Fault::Refused);
    world.fault("update House", Fault::Refused);
    fails(&harness, &two("two", "one", "y", true));
    assert_eq!(owned(&harness), ["yard:House::a two", "yard:House::b one"]);
    up(&harness, &two("two", "one", "y", true));
    assert_eq!(owned(&harness), ["yard:House::a two", "yard:House::b one"]);
    settled(&harness, &two("two", "one", "y", true));
}

#[test]
fn a_chain_moves_each_by_one() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &houses(&world, &[("a", "one", &[]), ("b", "two", &[])]));
    moves(&world, &harness, &houses(&world, &[("b", "one", &["a"]), ("c", "two", &["b"])]));
    assert_eq!(owned(&harness), ["yard:House::b one", "yard:House::c two"]);
}

#[test]
fn several_old_addresses_are_tried() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &houses(&world, &[("a", "one", &[])]));
    moves(&world, &harness, &houses(&world, &[("c", "one", &["b", "a"])]));
}

#[test]
fn an_old_address_can_be_taken_by_a_new_resource() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &houses(&world, &[("a", "one", &[])]));
    let taken = houses(&world, &[("b", "one", &["a"]), ("a", "two", &[])]);
    let run = up(&harness, &taken);
    assert_eq!(run.steps(), ["move yard:House::b", "create yard:House::a"]);
    settled(&harness, &taken);
}

#[test]
fn both_in_state_is_an_error() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &houses(&world, &[("a", "one", &[]), ("b", "two", &[])]));
    let text = refused(&harness, &houses(&world, &[("b", "two", &["a"])]));
    assert!(text.contains("`yard:House::b` was moved from `yard:House::a`, and both are in state"), "{text}");
}

#[test]
fn two_can_t_come_from_one() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &houses(&world, &[("a", "one", &[])]));
    let text = refused(&harness, &houses(&world, &[("b", "one", &["a"]), ("c", "two", &["a"])]));
    assert!(text.contains("`yard:House::a` was moved to `yard:House::b` and to `yard:House::c`"), "{text}");
}

#[test]
fn nothing_comes_from_another_type() {
    let (world, harness) = (World::default(), Harness::new());
    let text = refused(&harness, &houses(&world, &[("b", "one", &["yard:Lock::a"])]));
    assert!(text.contains("different types"), "{text}");
}

#[test]
fn what_refers_to_a_moved_one_still_does() {
    let (world, harness) = (World::default(), Harness::new());
    let inside = |address: &'static str, old: &'static str| {
        program(&world, move |stack| {
            let house = stack.add(address, House::new("home")).moved_from(old);
            stack.add("leaf", Leaf::new().house(&house)).deleted_with(&house);
            Ok(())
        })
    };
    up(&harness, &inside("a", "z"));
    let steps = moves(&world, &harness, &inside("b", "a"));
    assert_eq!(steps, ["move yard:House::b"]);
    let leaf = &harness.snapshot().resources[&"yard:Leaf::leaf".parse().expect("an address")];
    assert!(leaf.dependencies.iter().all(|address| address.path() == "b"), "{leaf:?}");
}

#[test]
fn a_moved_one_can_change_in_the_same_run() {
    let (world, harness) = (World::default(), Harness::new());
    let house = |address: &'static str, old: &'static str, floor: i64, comment: &'static str| {
        program(&world, move |stack| {
            stack.add(address, House::new("home").floor(floor).comment(comment)).moved_from(old);
            Ok(())
        })
    };
    up(&harness, &house("a", "z", 1, "x"));
    world.calls();
    up(&harness, &house("b", "a", 1, "y"));
    assert_eq!(world.calls(), ["update House home"]);
    up(&harness, &house("c", "b", 2, "y"));
    assert_eq!(world.calls(), ["delete House home", "create House home"]);
    settled(&harness, &house("c", "b", 2, "y"));
}

#[test]
fn a_moved_one_can_get_another_parent() {
    let (world, harness) = (World::default(), Harness::new());
    let two = |stack: &Stack| (stack.add("a", House::new("a")), stack.add("b", House::new("b")));
    let before = program(&world, move |stack| {
        let (a, _) = two(stack);
        stack.add("room", Room::new(&a, "room"));
        Ok(())
    });
    let after = program(&world, move |stack| {
        let (_, b) = two(stack);
        stack.add("chamber", Room::new(&b, "room")).moved_from("room");
        Ok(())
    });
    up(&harness, &before);
    up(&harness, &after);
    assert_eq!(world.objects(), ["House a", "House b", "Room b/room"]);
    settled(&harness, &after);
}

#[test]
fn components_are_entered_left_and_renamed() {
    let (world, harness) = (World::default(), Harness::new());
    let in_component = |name: Option<(&'static str, &'static str)>| {
        program(&world, move |stack| {
            let declare = |stack: &Stack| {
                let house = stack.add("home", House::new("home"));
                stack.add("lock", Lock::new().house(&house));
                Ok(())
            };
            match name {
                None => declare(stack),
                Some((name, old)) => stack.component(name, declare).map(|component| drop(component.moved_from(old))),
            }
        })
    };
    up(&harness, &in_component(None));
    moves(&world, &harness, &in_component(Some(("north", ""))));
    assert_eq!(owned(&harness)[0], "yard:House::north/home home");
    moves(&world, &harness, &in_component(Some(("south", "north"))));
    assert_eq!(owned(&harness)[0], "yard:House::south/home home");
}

#[test]
fn a_narrowed_run_moves_all_the_same_and_says_so() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &houses(&world, &[("a", "one", &[])]));
    harness.want(&["new"], &[], &[]).expect("targets");
    let program = houses(&world, &[("b", "one", &["a"]), ("new", "two", &[])]);
    assert_eq!(steps(&harness.plan(&program).expect("a plan")), ["move yard:House::b", "create yard:House::new"]);
    up(&harness, &program);
    assert_eq!(owned(&harness), ["yard:House::b one", "yard:House::new two"]);
}

#[test]
fn of_several_old_addresses_it_had_the_one_that_no_other_came_from() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &houses(&world, &[("a", "one", &[]), ("b", "two", &[])]));
    moves(&world, &harness, &houses(&world, &[("b", "one", &["a"]), ("c", "two", &["a", "b"])]));
    assert_eq!(owned(&harness), ["yard:House::b one", "yard:House::c two"]);
}

#[test]
fn a_narrowed_run_leaves_what_it_only_moves_as_it_was() {
    let (world, harness) = (World::default(), Harness::new());
    let before = program(&world, |stack| {
        let house = stack.add("house", House::new("one"));
        stack.add("other", House::new("two"));
        stack.add("lock", Lock::new().house(&house));
        Ok(())
    });
    let after = program(&world, |stack| {
        stack.add("other", House::new("two"));
        stack.add("moved", Lock::new().code(Secret::from("1"))).moved_from("lock");
        Ok(())
    });
    up(&harness, &before);
    harness.want(&["other"], &[], &[]).expect("targets");
    up(&harness, &after);
    let moved = harness.snapshot().resources.values().find(|state| state.address.path() == "moved").cloned();
    let moved = moved.expect("it has moved");
    assert!(moved.inputs.get("house").is_some() && moved.inputs.get("code").is_none(), "{:?}", moved.inputs);
    assert_eq!(moved.dependencies.iter().map(Address::path).collect::<Vec<_>>(), ["house"]);
}
