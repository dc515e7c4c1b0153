//! Commands that only look: after an interrupted run they tell the truth, and write nothing.

use std::collections::BTreeMap;

use platform_sdk::{
    Program,
    state::{self, Holder, Location},
};

use super::{
    commands::Commands,
    support::program,
    yard::{Fault, House, World},
};

fn house(world: &World) -> Program {
    program(world, |stack| {
        let house = stack.add("a", House::new("a").comment("x"));
        stack.export("serial", &house.serial);
        Ok(())
    })
}

/// Creating `a` has happened, and its answer was lost; where it may not be read, nobody can tell.
fn interrupted() -> Commands {
    let stack = Commands::of(house);
    stack.world.fault("create House", Fault::AnswerLost);
    stack.world.deny("a");
    assert_eq!(stack.run(&["up", "--yes"]).0, 1);
    stack
}

#[test]
fn what_had_happened_is_found_out_in_memory() {
    let stack = interrupted();
    stack.world.allow("a");
    for _ in 0..2 {
        let (exit, said) = stack.look(&["state", "list"]);
        assert!(exit == 0 && said.contains("its create was interrupted; `a` is ours"), "{said}");
        assert!(said.contains("yard:House::a"), "{said}");
        let (exit, said) = stack.look(&["state", "show", "yard:House::a"]);
        assert!(exit == 0 && said.contains("\"x\""), "{said}");
        let (exit, said) = stack.look(&["plan"]);
        assert!(exit == 0 && !said.contains("+ yard:House::a"), "{said}");
        let (exit, said) = stack.look(&["drift"]);
        assert!(exit == 0 && said.contains("`a` is ours"), "{said}");
        for line in [&["output"][..], &["history"]] {
            let (exit, said) = stack.look(line);
            assert_eq!(exit, 0, "{said}");
        }
    }
}

#[test]
fn what_can_not_be_told_is_said_and_planned_for_no_one() {
    let stack = interrupted();
    for (line, code) in [(&["plan"][..], 0), (&["drift"], 1), (&["state", "list"], 0)] {
        let (exit, said) = stack.look(line);
        assert_eq!(exit, code, "{line:?}: {said}");
        assert!(said.contains("cannot find out what became of `yard:House::a`"), "{line:?}: {said}");
        assert!(!said.contains("+ yard:House::a"), "{line:?}: {said}");
    }
    let (exit, said) = stack.run(&["up", "--yes"]);
    assert_eq!(exit, 1, "what is held back is not done: {said}");
    let (exit, said) = stack.run(&["up", "--yes", "--exclude", "yard:House::a"]);
    assert_eq!(exit, 0, "what was not asked for is not missed: {said}");
}

#[test]
fn under_the_lease_of_another_it_is_in_progress() {
    let stack = interrupted();
    stack.world.allow("a");
    let location = Location::within(stack.store.clone(), "demo", "dev").expect("a place");
    let environment = BTreeMap::from([("USER".to_owned(), "ana".to_owned())]);
    let ana = Holder::here(&environment);
    let lease = state::lease(&location, state::World::Real, &environment, &ana);
    let lease = stack.runtime.block_on(lease).expect("nobody has it");
    for (line, code) in [(&["plan"][..], 0), (&["drift"], 0), (&["state", "list"], 0)] {
        let (exit, said) = stack.look(line);
        assert_eq!(exit, code, "{line:?}: {said}");
        assert!(said.contains("is in progress\n  of ana on"), "{line:?}: {said}");
        assert!(!said.contains("+ yard:House::a"), "{line:?}: {said}");
    }
    stack.runtime.block_on(lease.release()).expect("it is given back");
}
