//! What others set in fields that the program does not: `drift` tells of it, no plan looks at it, and `up` leaves it.

use platform_sdk::{Program, Secret, Stack};
use serde_json::{Value, json};

use super::{
    commands::Commands,
    support::program,
    yard::{House, Sign, Site, World},
};

fn home(world: &World, declare: fn(&Stack)) -> Program {
    program(world, move |stack| {
        declare(stack);
        Ok(())
    })
}

fn bare(world: &World) -> Program {
    home(world, |stack| drop(stack.add("home", House::new("home"))))
}

fn commented(world: &World) -> Program {
    home(world, |stack| drop(stack.add("home", House::new("home").comment("ours"))))
}

fn red(world: &World) -> Program {
    home(world, |stack| drop(stack.add("home", House::new("home").colour("red"))))
}

fn large(world: &World) -> Program {
    home(world, |stack| drop(stack.add("home", House::new("home").size(7))))
}

fn up(stack: &mut Commands, program: fn(&World) -> Program) {
    stack.program = program;
    let (exit, said) = stack.run(&["up", "--yes"]);
    assert_eq!(exit, 0, "{said}");
}

fn made(program: fn(&World) -> Program) -> Commands {
    let mut stack = Commands::of(program);
    up(&mut stack, program);
    stack
}

/// What `drift --json` lists as unmanaged.
fn unmanaged(stack: &Commands) -> Value {
    let (_, said) = stack.look(&["drift", "--json"]);
    let events = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let drift = events.into_iter().find(|event| event["event"] == "drift").expect("a drift event");
    assert_eq!(drift["steps"], json!([]), "{said}");
    drift["unmanaged"].clone()
}

fn change(path: &str, after: impl Into<Value>, kind: &str) -> Value {
    json!({"path": path, "before": null, "after": after.into(), "kind": kind})
}

fn of_home(changes: &[Value]) -> Value {
    json!([{"address": "yard:House::home", "changes": changes}])
}

#[test]
fn an_addition_is_told_and_left_alone() {
    let mut stack = made(bare);
    assert_eq!(stack.look(&["drift", "--unmanaged"]), (0, "No drift. Reality is what state says.\n".to_owned()));
    stack.world.tamper("House", "home", "comment", "by hand");
    let (exit, said) = stack.look(&["drift"]);
    assert_eq!(exit, 0, "{said}");
    insta::assert_snapshot!(said, @r#"
    * yard:House::home  unmanaged
        comment: "by hand"  (was not set)

    No drift in what the program sets.
    1 resource was changed in what the program does not set; `up` leaves that as it is.
    "#);
    assert_eq!(unmanaged(&stack), of_home(&[change("comment", "by hand", "add")]));
    assert_eq!(stack.look(&["drift", "--unmanaged"]).0, 2, "where it is asked for");
    let (exit, said) = stack.look(&["plan", "--detailed-exitcode"]);
    assert_eq!(exit, 0, "{said}");
    assert!(!said.contains("comment"), "{said}");
    stack.world.calls();
    up(&mut stack, bare);
    assert_eq!(stack.world.calls(), [""; 0]);
    assert_eq!(stack.world.field("House", "home", "comment"), Some(json!("by hand")));
    assert_eq!(unmanaged(&stack), of_home(&[change("comment", "by hand", "add")]), "a run takes nothing for granted");
}

#[test]
fn beside_drift_both_are_told() {
    let stack = made(red);
    stack.world.tamper("House", "home", "comment", "by hand");
    stack.world.tamper("House", "home", "colour", "blue");
    let (exit, said) = stack.look(&["drift"]);
    assert_eq!(exit, 2, "{said}");
    insta::assert_snapshot!(said, @r#"
    ~ yard:House::home  changed
        colour: "red" → "blue"  (drift)
    * yard:House::home  unmanaged
        comment: "by hand"  (was not set)

    1 resource was changed behind the program's back; `up` takes it back.
    1 resource was changed in what the program does not set; `up` leaves that as it is.
    "#);
}

#[test]
fn what_the_service_fills_in_by_itself_is_no_addition() {
    let stack = made(bare);
    assert_eq!(stack.world.field("House", "home", "colour"), Some(json!("white")));
    assert_eq!(unmanaged(&stack), json!([]));
    stack.world.tamper("House", "home", "colour", "blue");
    assert_eq!(unmanaged(&stack), of_home(&[change("colour", "blue", "change")]));
    stack.world.tamper("House", "home", "colour", Value::Null);
    assert_eq!(unmanaged(&stack), of_home(&[change("colour", Value::Null, "remove")]));
    stack.world.tamper("House", "home", "colour", "white");
    stack.world.tamper("House", "home", "tags", json!({}));
    stack.world.tamper("House", "home", "comment", Value::Null);
    assert_eq!(unmanaged(&stack), json!([]), "and nothing is there in many ways");
}

#[test]
fn a_field_that_the_program_sets_later_is_its_own_and_one_that_it_drops_is_watched() {
    let mut stack = made(bare);
    stack.world.tamper("House", "home", "comment", "by hand");
    up(&mut stack, commented);
    assert_eq!(unmanaged(&stack), json!([]));
    let mut stack = made(red);
    up(&mut stack, bare);
    assert_eq!(stack.world.field("House", "home", "colour"), Some(json!("red")), "released");
    assert_eq!(unmanaged(&stack), json!([]));
    stack.world.tamper("House", "home", "colour", "blue");
    assert_eq!(unmanaged(&stack), of_home(&[change("colour", "blue", "change")]));
}

#[test]
fn a_step_of_another_field_does_not_take_an_addition_for_its_own_doing() {
    let mut stack = made(bare);
    stack.world.tamper("House", "home", "comment", "by hand");
    up(&mut stack, large);
    assert_eq!(stack.world.field("House", "home", "size"), Some(json!(7)));
    assert_eq!(unmanaged(&stack), of_home(&[change("comment", "by hand", "add")]));
    stack.world.tamper("House", "home", "colour", "blue");
    up(&mut stack, bare);
    let both = [change("comment", "by hand", "add"), change("colour", "blue", "change")];
    assert_eq!(unmanaged(&stack), of_home(&both));
}

#[test]
fn what_is_accepted_is_told_no_more() {
    let mut stack = made(bare);
    stack.world.tamper("House", "home", "comment", "by hand");
    let (exit, said) = stack.run(&["drift", "--accept"]);
    assert_eq!(exit, 0, "{said}");
    insta::assert_snapshot!(said, @r#"
    * yard:House::home  unmanaged
        comment: "by hand"  (was not set)

    No drift in what the program sets.
    1 resource was changed in what the program does not set; state takes it as it is now.
    "#);
    assert_eq!(unmanaged(&stack), json!([]));
    stack.world.tamper("House", "home", "comment", "by another hand");
    assert_eq!(unmanaged(&stack), of_home(&[change("comment", "by another hand", "change")]));
    up(&mut stack, bare);
    assert_eq!(stack.world.field("House", "home", "comment"), Some(json!("by another hand")));
}

#[test]
fn what_is_left_to_others_is_not_told() {
    let stack = made(|world| {
        home(world, |stack| {
            stack.add("home", House::new("home")).ignore_changes(["comment"]);
        })
    });
    stack.world.tamper("House", "home", "comment", "by hand");
    assert_eq!(unmanaged(&stack), json!([]));
}

#[test]
fn a_secret_is_neither_shown_nor_kept() {
    let stack = made(|world| home(world, |stack| drop(stack.add("sign", Sign::new("sign")))));
    stack.world.tamper("Sign", "sign", "code", "canary-1");
    let (_, said) = stack.look(&["drift"]);
    assert!(said.contains("code: [secret]  (was not set)"), "{said}");
    let (exit, accepted) = stack.run(&["drift", "--accept"]);
    assert_eq!(exit, 0, "a stack without secrets needs no key: {accepted}");
    let (_, state) = stack.look(&["state", "export"]);
    assert!(![said, accepted, state].concat().contains("canary"));
    assert_eq!(unmanaged(&stack), json!([]));
}

#[test]
fn a_secret_of_a_stack_with_keys_is_compared() {
    let stack = made(|world| {
        home(world, |stack| {
            stack.add("sign", Sign::new("sign"));
            stack.add("other", Sign::new("other").code(Secret::new("canary-0".to_owned())));
        })
    });
    stack.world.tamper("Sign", "sign", "code", "canary-1");
    assert_eq!(stack.run(&["drift", "--accept"]).0, 0);
    assert_eq!(unmanaged(&stack), json!([]));
    stack.world.tamper("Sign", "sign", "code", "canary-2");
    let told = json!([{"address": "yard:Sign::sign", "changes": [change("code", "[secret]", "change")]}]);
    assert_eq!(unmanaged(&stack), told);
}

/// Takes the baseline out of a state, as one of a version that knew none.
fn without_baseline(stack: &Commands) {
    let (_, exported) = stack.look(&["state", "export"]);
    let mut file: Value = serde_json::from_str(&exported).expect("JSON");
    for resource in file["resources"].as_object_mut().expect("resources").values_mut() {
        resource.as_object_mut().expect("a resource").remove("unset").expect("a baseline");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let name = folder.path().join("state.json");
    std::fs::write(&name, file.to_string()).expect("written");
    let (exit, said) = stack.run(&["state", "import", "--yes", name.to_str().expect("text")]);
    assert_eq!(exit, 0, "{said}");
}

#[test]
fn a_state_that_knows_no_baseline_says_nothing_and_the_next_run_makes_one() {
    let mut stack = made(bare);
    without_baseline(&stack);
    stack.world.tamper("House", "home", "comment", "by hand");
    assert_eq!(unmanaged(&stack), json!([]));
    up(&mut stack, bare);
    assert_eq!(unmanaged(&stack), json!([]));
    stack.world.tamper("House", "home", "comment", "by another hand");
    assert_eq!(unmanaged(&stack), of_home(&[change("comment", "by another hand", "change")]));
    // Once it is made, a run with nothing to do writes nothing.
    let (exit, said) = stack.look(&["up", "--yes"]);
    assert_eq!(exit, 0, "{said}");
}

#[test]
fn what_can_not_be_read_after_a_run_is_read_by_the_next() {
    let stack = Commands::of(bare);
    stack.world.deny("home");
    let (exit, said) = stack.run(&["up", "--yes"]);
    assert_eq!(exit, 0, "{said}");
    stack.world.allow("home");
    stack.world.tamper("House", "home", "comment", "by hand");
    assert_eq!(unmanaged(&stack), json!([]), "nobody knows what stood there");
    assert_eq!(stack.run(&["up", "--yes"]).0, 0);
    stack.world.tamper("House", "home", "colour", "blue");
    assert_eq!(unmanaged(&stack), of_home(&[change("colour", "blue", "change")]));
}

#[test]
fn only_what_a_run_has_made_or_changed_is_read_again() {
    let mut stack = made(|world| {
        home(world, |stack| {
            for name in ["a", "b", "c", "d", "e"] {
                stack.add(name, House::new(name));
            }
        })
    });
    stack.world.asked();
    up(&mut stack, |world| {
        home(world, |stack| {
            for name in ["a", "b", "c", "d", "e"] {
                stack.add(name, if name == "b" { House::new(name).size(3) } else { House::new(name) });
            }
        })
    });
    let asked = stack.world.asked();
    assert_eq!(asked[5..], ["read b"], "{asked:?}");
}

#[test]
fn what_the_program_sets_whole_is_not_read_again() {
    let whole = |world: &World| {
        home(world, |stack| {
            let tent = Site::new().ground("grass");
            stack.add("sign", Sign::new("sign").words("hi").code(Secret::new("canary".to_owned())));
            stack.add("site", tent);
        })
    };
    let mut stack = made(whole);
    let asked = stack.world.asked();
    assert_eq!(asked.iter().filter(|asked| asked.starts_with("read")).count(), 1, "the mark is left open: {asked:?}");
    up(&mut stack, whole);
    assert_eq!(unmanaged(&stack), json!([]));
}
