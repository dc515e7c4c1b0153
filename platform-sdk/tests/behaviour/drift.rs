//! `drift --accept` records what was found, and prints the Rust that says the same.

use platform_sdk::Program;
use serde_json::Value;

use super::{
    commands::Commands,
    support::program,
    yard::{House, World},
};

fn houses(world: &World) -> Program {
    program(world, |stack| {
        for name in ["a", "b"] {
            stack.add(name, House::new(name).comment("x"));
        }
        Ok(())
    })
}

fn up() -> Commands {
    let stack = Commands::of(houses);
    let (exit, said) = stack.run(&["up", "--yes"]);
    assert_eq!(exit, 0, "{said}");
    stack
}

/// Accepts what is found; the objects that say so.
fn accept(stack: &Commands, code: u8) -> Vec<Value> {
    let (exit, said) = stack.run(&["drift", "--accept", "--json"]);
    assert_eq!(exit, code, "{said}");
    let objects = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    objects.filter(|object| object["event"] == "accepted").collect()
}

#[test]
fn what_was_changed_is_accepted_with_its_rust_and_is_no_drift_any_more() {
    let stack = up();
    stack.world.tamper("House", "a", "comment", "by hand");
    assert_eq!(stack.look(&["drift"]).0, 2);
    let accepted = accept(&stack, 0);
    assert_eq!(accepted.len(), 1, "{accepted:?}");
    assert_eq!(accepted[0]["address"], "yard:House::a");
    let rust = accepted[0]["rust"].as_str().expect("Rust");
    assert!(rust.contains("House::new(\"a\")") && rust.contains(".comment(\"by hand\")"), "{rust}");
    assert_eq!(stack.look(&["drift"]).0, 0);
}

#[test]
fn what_is_gone_leaves_the_state_and_has_no_rust() {
    let stack = up();
    stack.world.lose("House", "a");
    let accepted = accept(&stack, 0);
    assert_eq!(accepted.len(), 1, "{accepted:?}");
    assert_eq!((&accepted[0]["address"], &accepted[0]["rust"]), (&Value::from("yard:House::a"), &Value::Null));
    let (_, said) = stack.look(&["state", "list"]);
    assert!(said.contains("yard:House::b") && !said.contains("yard:House::a"), "{said}");
}

#[test]
fn what_may_not_be_read_is_not_gone() {
    let stack = up();
    stack.world.deny("a");
    let (_, said) = stack.look(&["drift"]);
    assert!(said.contains("cannot read `yard:House::a`"), "{said}");
    assert_eq!(accept(&stack, 1), Vec::<Value>::new());
    let (_, said) = stack.look(&["state", "list"]);
    assert!(said.contains("yard:House::a"), "{said}");
}
