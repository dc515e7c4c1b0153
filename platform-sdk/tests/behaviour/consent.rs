//! Consent: what is forced is asked for by an option, said by the plan, agreed to, and then reaches the service; and who is
//! refused is told what is still missing, never what was done.

use platform_sdk::{Program, Resource as _};
use serde_json::json;

use super::{
    commands::Commands,
    support::{nothing, program},
    yard::{Chest, Fault, House, Lock, Room, World},
};

const AGREED: &[&str] = &["up", "--yes", "--allow-data-loss", "yard:House::home"];

fn home(world: &World, forced: bool, number: i64) -> Program {
    program(world, move |stack| {
        let home = stack.add("home", House::new("home").number(number).floor(1));
        home.force_destroy(forced).force_update(forced);
        Ok(())
    })
}

/// A house that somebody else has put a lock on, which the service shows nobody.
fn locked(program: fn(&World) -> Program) -> Commands {
    let stack = Commands::of(program);
    assert_eq!(stack.run(&["up", "--yes"]).0, 0);
    stack.world.plant(Lock::schema(), &json!({"house": "home"}));
    stack
}

#[test]
fn a_delete_of_what_others_use_is_forced_after_option_and_consent() {
    let stack = locked(|world| home(world, true, 1));
    let gone = Commands { program: nothing, ..stack };
    let (exit, said) = gone.run(&["up", "--yes"]);
    assert_eq!(exit, 1, "{said}");
    assert!(said.contains("destroys what else uses `home`: its delete is forced"), "{said}");
    assert!(said.contains("agree with `--allow-data-loss yard:House::home`"), "{said}");
    let (exit, said) = gone.run(AGREED);
    assert_eq!(exit, 0, "{said}");
    assert_eq!(gone.world.objects().len(), 1, "only the lock is left");
}

#[test]
fn a_replacement_of_what_others_use_is_forced_after_option_and_consent() {
    let stack = locked(|world| home(world, true, 1));
    let other = Commands {
        program: |world| {
            program(world, |stack| {
                stack.add("home", House::new("home").number(1).floor(2)).force_destroy(true).force_update(true);
                Ok(())
            })
        },
        ..stack
    };
    assert_eq!(other.run(&["up", "--yes"]).0, 1);
    let (exit, said) = other.run(AGREED);
    assert_eq!(exit, 0, "{said}");
    assert_eq!(other.world.field("House", "home", "floor"), Some(json!(2)));
}

#[test]
fn a_refused_delete_says_what_is_missing_and_never_what_was_done() {
    let stack = locked(|world| home(world, false, 1));
    let gone = Commands { program: nothing, ..stack };
    let (exit, said) = gone.run(AGREED);
    assert_eq!(exit, 1, "{said}");
    assert!(said.contains("say `.force_destroy(true)`, apply that, and agree to the loss"), "{said}");

    let stack = Commands { program: |world| home(world, true, 1), ..gone };
    assert_eq!(stack.run(&["up", "--yes"]).0, 0);
    let gone = Commands { program: nothing, ..stack };
    gone.world.fault("delete House", Fault::InUse);
    let (exit, said) = gone.run(AGREED);
    assert!(exit == 1 && said.contains("is in use"), "{said}");
    assert!(!said.contains("force_destroy") && !said.contains("--allow-data-loss yard"), "{said}");
}

#[test]
fn a_change_that_breaks_others_is_forced_after_option_and_consent() {
    let stack = locked(|world| home(world, true, 1));
    let moved = Commands { program: |world| home(world, true, 2), ..stack };
    let (exit, said) = moved.run(&["up", "--yes"]);
    assert_eq!(exit, 1, "{said}");
    assert!(said.contains("destroys what uses `home` as it is: the change of `number` is forced"), "{said}");
    assert_eq!(moved.world.field("House", "home", "number"), Some(json!(1)));
    let (exit, said) = moved.run(AGREED);
    assert_eq!(exit, 0, "{said}");
    assert_eq!(moved.world.field("House", "home", "number"), Some(json!(2)));
}

#[test]
fn a_change_that_breaks_nobody_asks_for_no_consent() {
    let stack = locked(|world| home(world, true, 1));
    let commented = Commands {
        program: |world| {
            program(world, |stack| {
                let home = stack.add("home", House::new("home").number(1).floor(1).comment("x"));
                home.force_destroy(true).force_update(true);
                Ok(())
            })
        },
        ..stack
    };
    let (exit, said) = commented.run(&["up", "--yes"]);
    assert_eq!(exit, 0, "{said}");
}

#[test]
fn a_refused_change_says_what_is_missing_and_never_what_was_done() {
    let stack = locked(|world| home(world, false, 1));
    let moved = Commands { program: |world| home(world, false, 2), ..stack };
    for line in [&["up", "--yes"][..], AGREED] {
        let (exit, said) = moved.run(line);
        assert_eq!(exit, 1, "{said}");
        assert!(said.contains("say `.force_update(true)` and agree to what may break"), "{said}");
        assert_eq!(moved.world.field("House", "home", "number"), Some(json!(1)));
    }
    let moved = Commands { program: |world| home(world, true, 2), ..moved };
    moved.world.fault("update House", Fault::InUse);
    let (exit, said) = moved.run(AGREED);
    assert!(exit == 1 && said.contains("is in use"), "{said}");
    assert!(!said.contains("force_update") && !said.contains("--allow-data-loss yard"), "{said}");
}

#[test]
fn the_option_is_kept_with_the_resource() {
    let stack = Commands::of(|world| home(world, true, 1));
    assert_eq!(stack.run(&["up", "--yes"]).0, 0);
    let (_, shown) = stack.run(&["state", "show", "yard:House::home", "--json"]);
    assert!(shown.contains(r#""force_destroy":true"#) && shown.contains(r#""force_update":true"#), "{shown}");
}

#[test]
fn a_refusal_says_each_resource_once_and_how_to_agree_once() {
    let chests = |world: &World| {
        program(world, |stack| {
            let home = stack.add("home", House::new("home"));
            let room = stack.add("room", Room::new(&home, "room"));
            for name in ["a", "b", "c"] {
                stack.add(name, Chest::new(&room, name));
            }
            Ok(())
        })
    };
    let stack = Commands::of(chests);
    assert_eq!(stack.run(&["up", "--yes"]).0, 0);
    let (exit, said) = stack.run(&["destroy", "--yes"]);
    assert_eq!(exit, 1, "{said}");
    let (plan, refusal) = said.split_once("error: ").expect("a refusal");
    assert_eq!(
        refusal,
        "3 resources would destroy data\n  yard:Chest::a\n  yard:Chest::b\n  yard:Chest::c\n  \
         hint: agree with `--allow-data-loss ADDRESS` for each, or `--allow-data-loss all`\n"
    );
    assert!(plan.contains("destroys chest `home/room/a` with its data"), "{plan}");
}
