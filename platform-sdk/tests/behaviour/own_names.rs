//! Own delete, own create: a name that the service still holds after our own delete is waited for.

use std::time::{Duration, Instant};

use platform_sdk::{
    Operation, Program, Resource as _,
    report::Event,
    testing::{Harness, Run},
};
use serde_json::json;

use super::{
    commands::Commands,
    support::{fails, paused, program, settled, up},
    yard::{Fault, House, World},
};

fn harness() -> Harness {
    Harness::new().with_runtime(paused)
}

fn house(world: &World, floor: i64) -> Program {
    program(world, move |stack| {
        stack.add("home", House::new("home").floor(floor));
        Ok(())
    })
}

/// What was said of waits.
fn waits(run: &Run) -> Vec<String> {
    let waits = run.events.iter().filter_map(|event| match event {
        Event::Waiting { address: Some(address), reason, .. } => Some(format!("{address}: {reason}")),
        _ => None,
    });
    waits.collect()
}

#[test]
fn a_replacement_waits_until_the_service_lets_go_of_the_name_and_says_so() {
    let (world, harness) = (World::default(), harness());
    up(&harness, &house(&world, 1));
    world.holds_names(Duration::from_secs(45));
    let run = up(&harness, &house(&world, 2));
    let said = waits(&run);
    assert!(said.len() >= 3, "{said:?}");
    assert!(said[0].starts_with("yard:House::home: its name is still taken by what was deleted"), "{said:?}");
    settled(&harness, &house(&world, 2));
}

#[test]
fn what_is_still_found_after_our_own_delete_is_waited_out() {
    let (world, harness) = (World::default(), harness());
    up(&harness, &house(&world, 1));
    world.haunt("home", 6);
    up(&harness, &house(&world, 2));
    settled(&harness, &house(&world, 2));
}

#[test]
fn a_name_that_is_given_up_to_another_address_is_waited_for_too() {
    let (world, harness) = (World::default(), harness());
    up(&harness, &house(&world, 1));
    world.holds_names(Duration::from_secs(45));
    let elsewhere = program(&world, |stack| {
        stack.add("other", House::new("home"));
        Ok(())
    });
    up(&harness, &elsewhere);
    settled(&harness, &elsewhere);
}

#[test]
fn what_an_interrupted_replacement_has_deleted_is_waited_out_by_the_next_run() {
    fn first(world: &World) -> Program {
        house(world, 1)
    }
    fn second(world: &World) -> Program {
        house(world, 2)
    }
    let mut stack = Commands::of(first);
    assert_eq!(stack.run(&["up", "--yes"]).0, 0);
    stack.program = second;
    stack.world.holds_names(Duration::from_secs(45));
    stack.world.fault("create House", Fault::Refused);
    assert_eq!(stack.run(&["up", "--yes"]).0, 1);
    let (exit, said) = stack.run(&["up", "--yes"]);
    assert_eq!(exit, 0, "{said}");
    assert!(said.contains("its name is still taken by what was deleted"), "{said}");
}

#[test]
fn it_is_waited_for_no_longer_than_the_program_gives_it() {
    let (world, harness) = (World::default(), harness());
    let bounded = |floor: i64| {
        let world = world.clone();
        program(&world, move |stack| {
            let home = stack.add("home", House::new("home").floor(floor));
            home.timeout(Operation::Create, Duration::from_secs(5));
            Ok(())
        })
    };
    up(&harness, &bounded(1));
    world.holds_names(Duration::from_hours(1));
    let failures = fails(&harness, &bounded(2));
    assert!(failures[0].contains("the name is taken"), "{failures:?}");
}

#[test]
fn somebody_elses_name_is_not_waited_for() {
    let (world, harness) = (World::default(), harness());
    up(&harness, &house(&world, 1));
    world.plant(House::schema(), &json!({"name": "villa"}));
    let villa = program(&world, |stack| {
        stack.add("villa", House::new("villa"));
        Ok(())
    });
    let began = Instant::now();
    let failures = fails(&harness, &villa);
    assert!(failures[0].contains("`villa` exists already"), "{failures:?}");
    assert!(began.elapsed() < Duration::from_mins(1));
}
