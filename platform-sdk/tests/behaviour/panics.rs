//! A panic in a function of the program, or in a page, is a failure like any other: it is told, and loses nothing.

use platform_sdk::{Output, Program, testing::Harness};

use super::{
    commands::Commands,
    support::{fails, program, refused, settled, up},
    yard::{Fault, House, World},
};

fn boom<T>(_value: T) -> String {
    panic!("no such colour")
}

/// Two houses; the colour of one panics once the other is there.
fn panics_later(world: &World) -> Program {
    program(world, |stack| {
        let first = stack.add("first", House::new("first"));
        let colour: Output<String> = first.serial.map(boom);
        stack.add("bad", House::new("bad").colour(&colour));
        stack.add("other", House::new("other"));
        Ok(())
    })
}

fn without_it(world: &World) -> Program {
    program(world, |stack| {
        stack.add("first", House::new("first"));
        stack.add("other", House::new("other"));
        Ok(())
    })
}

#[test]
fn a_function_that_panics_during_an_apply_fails_its_own_step_and_the_state_is_saved() {
    let mut stack = Commands::of(panics_later);
    let (exit, said) = stack.run(&["up", "--yes"]);
    assert_eq!(exit, 1, "{said}");
    for word in ["yard:House::bad", "panics.rs:", "no such colour"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert_eq!(stack.world.objects(), ["House first", "House other"]);
    stack.program = without_it;
    assert_eq!(stack.look(&["plan", "--detailed-exitcode"]).0, 0);
}

#[test]
fn a_function_that_panics_on_what_is_known_is_told_before_anything_is_done() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &without_it(&world));
    world.calls();
    let error = refused(&harness, &panics_later(&world));
    for word in ["a value of `yard:House::bad` can't be made", "panics.rs:", "no such colour"] {
        assert!(error.contains(word), "{word}: {error}");
    }
    let exporting = program(&world, |stack| {
        let first = stack.add("first", House::new("first"));
        stack.add("other", House::new("other"));
        stack.export("colour", first.serial.map(boom));
        Ok(())
    });
    let error = refused(&harness, &exporting);
    assert!(error.contains("the output `colour` of the stack") && error.contains("no such colour"), "{error}");
    assert!(world.calls().is_empty());
}

#[test]
fn a_page_that_panics_while_it_makes_something_stops_nobody_else_and_is_settled_by_the_next_run() {
    let (world, harness) = (World::default(), Harness::new());
    world.fault("create House", Fault::Panics);
    let failures = fails(&harness, &without_it(&world));
    assert_eq!(failures.len(), 1);
    assert!(failures[0].contains("ended in a panic") && failures[0].contains("a bug in the page"), "{failures:?}");
    assert_eq!(world.objects().len(), 1);
    up(&harness, &without_it(&world));
    settled(&harness, &without_it(&world));
}

#[test]
fn a_page_that_panics_while_it_reads_holds_back_only_its_own() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &without_it(&world));
    world.fault("read first", Fault::Panics);
    let plan = harness.plan(&without_it(&world)).expect("a plan");
    let warning = plan.warnings[0].to_string();
    assert!(warning.contains("cannot read `yard:House::first`") && warning.contains("a bug in the page"), "{warning}");
    settled(&harness, &without_it(&world));
}
