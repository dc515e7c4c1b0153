//! Waits are heard: what takes longer than ten seconds says why, at a terminal, in a pipe and to programs.

use std::time::Duration;

use platform_sdk::Program;
use serde_json::Value;

use super::{
    commands::Commands,
    support::program,
    yard::{Fault, House, World},
};

const LONG: Fault = Fault::Busy(Some(Duration::from_secs(25)));

fn house(world: &World) -> Program {
    program(world, |stack| {
        stack.add("home", House::new("home")).wait(true);
        Ok(())
    })
}

fn up(prepare: impl Fn(&World)) -> String {
    let stack = Commands::of(house);
    prepare(&stack.world);
    let (exit, said) = stack.run(&["up", "--yes"]);
    assert_eq!(exit, 0, "{said}");
    said
}

/// The lines that say of a wait.
fn waits(said: &str) -> Vec<&str> {
    said.lines().filter(|line| line.contains("waiting for ")).collect()
}

#[test]
fn a_retry_says_its_reason_every_ten_seconds() {
    let said = up(|world| world.fault("create House", LONG));
    let reason = "create House: too many requests";
    let lines = [10, 20].map(|s| format!("yard:House::home: waiting for {s} s: {reason}"));
    assert_eq!(waits(&said), lines);
}

#[test]
fn what_is_looked_for_before_a_create_says_it_too() {
    let said = up(|world| world.fault("find home", LONG));
    assert!(waits(&said)[0].contains("find home: too many requests"), "{said}");
}

#[test]
fn a_call_that_is_not_answered_is_not_silent() {
    let said = up(|world| world.slow("create House", Duration::from_secs(25)));
    assert!(waits(&said)[0].ends_with("yard:House::home: waiting for 10 s: no answer yet"), "{said}");
    assert_eq!(waits(&said).len(), 2, "{said}");
}

#[test]
fn readiness_says_the_words_of_the_service_again_and_again() {
    let said = up(|world| world.ready_after("home", 25));
    let waits = waits(&said);
    assert!(waits.len() >= 3 && waits.iter().all(|line| line.ends_with(": being prepared")), "{said}");
}

#[test]
fn a_read_says_it_where_no_step_runs_yet() {
    let stack = Commands::of(house);
    assert_eq!(stack.run(&["up", "--yes"]).0, 0);
    for line in [&["plan"][..], &["drift"]] {
        stack.world.fault("read home", LONG);
        let (exit, said) = stack.look(line);
        assert_eq!(exit, 0, "{said}");
        assert!(waits(&said)[0].ends_with("waiting for 10 s: read home: too many requests"), "{said}");
    }
}

#[test]
fn programs_are_told_by_an_event() {
    let stack = Commands::of(house);
    stack.world.fault("create House", LONG);
    let (_, said) = stack.run(&["up", "--yes", "--json"]);
    let events = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let waits: Vec<Value> = events.filter(|event| event["event"] == "waiting").collect();
    assert_eq!(waits.len(), 2, "{said}");
    assert_eq!(waits[0]["address"], "yard:House::home");
    assert_eq!(waits[0]["reason"], "create House: too many requests");
    assert_eq!(waits[0]["ms"], 10_000);
}

#[test]
fn what_takes_no_ten_seconds_says_nothing() {
    let said = up(|world| world.fault("create House", Fault::Busy(Some(Duration::from_secs(9)))));
    assert_eq!(waits(&said), Vec::<&str>::new());
}
