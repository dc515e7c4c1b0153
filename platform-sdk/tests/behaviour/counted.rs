//! What a run that does not come to its end has done is counted: also of a step that failed after a part of it.

use std::time::Duration;

use platform_sdk::{Operation, Program};

use super::{
    commands::Commands,
    support::program,
    yard::{Fault, House, World},
};

const UP: &[&str] = &["up", "--yes"];

fn home(world: &World, name: &'static str, floor: i64) -> Program {
    program(world, move |stack| {
        stack.add("home", House::new(name).floor(floor).comment(name));
        Ok(())
    })
}

fn before(world: &World) -> Program {
    home(world, "home", 1)
}

/// The house that there is, after this happened to a change of it.
fn changed(program: fn(&World) -> Program, call: &str, fault: Fault) -> String {
    let mut stack = Commands::of(before);
    assert_eq!(stack.run(UP).0, 0);
    stack.program = program;
    stack.world.fault(call, fault);
    failed(&stack)
}

fn failed(stack: &Commands) -> String {
    let (exit, said) = stack.run(UP);
    assert_eq!(exit, 1, "{said}");
    said
}

#[test]
fn what_was_refused_before_it_did_anything_has_changed_nothing() {
    let said = changed(|world| home(world, "villa", 1), "update House", Fault::Refused);
    assert!(said.contains("Not finished: nothing was changed."), "{said}");
}

#[test]
fn half_an_update_is_a_part() {
    let said = changed(|world| home(world, "villa", 1), "update House", Fault::Renamed);
    assert!(said.contains("yard:House::home: could not be updated, after 1 change\n"), "{said}");
    assert!(said.contains("Not finished: 1 done in part."), "{said}");
}

#[test]
fn half_a_replacement_is_a_part() {
    let said = changed(|world| home(world, "home", 2), "create House", Fault::Refused);
    assert!(said.contains("yard:House::home: could not be replaced, after 1 change\n"), "{said}");
    assert!(said.contains("Not finished: 1 done in part."), "{said}");
}

#[test]
fn what_was_made_and_is_not_ready_is_a_part() {
    let stack = Commands::of(|world| {
        program(world, |stack| {
            let first = stack.add("first", House::new("first")).wait(true);
            let first = first.timeout(Operation::Ready, Duration::from_secs(1));
            stack.add("other", House::new("other"));
            stack.add("next", House::new("next")).depends_on(&first);
            Ok(())
        })
    });
    stack.world.not_ready("first", "PAINTING: the second coat");
    let said = failed(&stack);
    assert!(said.contains("Not finished: 1 created, 1 done in part."), "{said}");
}

#[test]
fn of_what_was_not_answered_nobody_says_that_it_did_nothing() {
    let stack = Commands::of(before);
    for _ in 0..100 {
        stack.world.fault("create House", Fault::AnswerLost);
    }
    stack.world.deny("home");
    let said = failed(&stack);
    assert!(said.contains("yard:House::home: could not be created, as far as is known\n"), "{said}");
    assert!(said.contains("Not finished: 1 perhaps done."), "{said}");
}

#[test]
fn a_program_reads_how_many_changes_a_step_has_made() {
    let mut stack = Commands::of(before);
    assert_eq!(stack.run(UP).0, 0);
    stack.program = |world| home(world, "villa", 1);
    stack.world.fault("update House", Fault::Renamed);
    let (exit, said) = stack.run(&["up", "--yes", "--json"]);
    assert_eq!(exit, 1, "{said}");
    assert!(said.contains("\"changes\":1,") && said.contains("\"partly\":1,"), "{said}");
}
