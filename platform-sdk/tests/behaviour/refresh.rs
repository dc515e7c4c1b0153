//! Refresh: what is gone, changed, renamed, somebody else's, denied or not answered, and what each verb makes of it.

use std::time::Duration;

use platform_sdk::{Operation, Program, Resource as _};
use serde_json::json;

use super::{
    commands::Commands,
    support::program,
    yard::{Fault, House, Room, World},
};

/// Enough houses to be listed; `a` has a room.
fn five(world: &World) -> Program {
    program(world, |stack| {
        for name in ["a", "b", "c", "d", "e"] {
            let house = stack.add(name, House::new(name).comment("x"));
            if name == "a" {
                stack.add("a/room", Room::new(&house, "room"));
            }
        }
        stack.export("serial", &stack.add("f", House::new("f")).serial);
        Ok(())
    })
}

fn up(program: fn(&World) -> Program) -> Commands {
    let stack = Commands::of(program);
    let (exit, said) = stack.run(&["up", "--yes"]);
    assert_eq!(exit, 0, "{said}");
    stack.world.calls();
    stack.world.asked();
    stack
}

/// How often something is said.
fn times(said: &str, text: &str) -> usize {
    said.matches(text).count()
}

fn nothing_is_left(stack: &Commands) {
    for line in [&["plan", "--detailed-exitcode"][..], &["plan", "--detailed-exitcode", "--offline"], &["drift"]] {
        let (exit, said) = stack.look(line);
        assert_eq!(exit, 0, "{line:?}: {said}");
    }
}

#[test]
fn what_is_gone_is_made_again_and_told_as_drift() {
    let stack = up(five);
    stack.world.lose("House", "b");
    let (exit, said) = stack.look(&["drift"]);
    assert!(exit == 2 && said.contains("yard:House::b  gone"), "{said}");
    let (exit, said) = stack.run(&["up", "--yes"]);
    assert!(exit == 0 && said.contains("gone from reality"), "{said}");
    assert_eq!(stack.world.calls(), ["create House b"]);
    nothing_is_left(&stack);
}

#[test]
fn what_was_changed_is_changed_back_and_nothing_else() {
    let stack = up(five);
    stack.world.tamper("House", "b", "comment", "by hand");
    assert_eq!(stack.look(&["plan", "--detailed-exitcode"]).0, 2);
    assert_eq!(stack.run(&["up", "--yes"]).0, 0);
    assert_eq!(stack.world.calls(), ["update House b"]);
    nothing_is_left(&stack);
}

#[test]
fn what_has_another_id_keeps_its_address_and_state_learns_the_id() {
    let stack = up(five);
    stack.world.forward("House", "b", "b-2");
    let (exit, said) = stack.look(&["plan", "--detailed-exitcode"]);
    assert!(exit == 2 && said.contains("its id is `b-2` now, and was `b`"), "{said}");
    let (exit, said) = stack.look(&["drift"]);
    assert!(exit == 2 && said.contains("its id is `b-2` now, and was `b`"), "{said}");
    assert_eq!(stack.run(&["up", "--yes"]).0, 0);
    assert_eq!(stack.world.calls(), Vec::<String>::new());
    let (_, said) = stack.look(&["state", "show", "yard:House::b"]);
    assert!(said.contains("b-2"), "{said}");
    nothing_is_left(&stack);
}

#[test]
fn another_id_is_accepted() {
    let stack = up(five);
    stack.world.forward("House", "b", "b-2");
    let (exit, said) = stack.run(&["drift", "--accept"]);
    assert_eq!(exit, 0, "{said}");
    nothing_is_left(&stack);
}

#[test]
fn one_object_is_not_owned_at_two_addresses() {
    let stack = up(five);
    stack.world.lose("House", "b");
    stack.world.forward("House", "c", "b");
    let (exit, said) = stack.run(&["up", "--yes"]);
    assert!(exit == 1 && said.contains("`yard:House::c` and `yard:House::b` are the same object"), "{said}");
    assert_eq!(stack.world.calls(), Vec::<String>::new());
}

#[test]
fn what_somebody_else_renamed_is_nobodys() {
    let stack = up(five);
    let serial = stack.world.serial("House", "b");
    stack.world.rename("House", "b", "y");
    let (exit, said) = stack.run(&["up", "--yes"]);
    assert!(exit == 0 && said.contains("gone from reality"), "{said}");
    assert_eq!(stack.world.calls(), ["create House b"]);
    assert_eq!(stack.world.serial("House", "y"), serial, "it is left as it is");
    let (exit, _) = stack.run(&["destroy", "--yes"]);
    assert_eq!((exit, stack.world.objects()), (0, vec!["House y".to_owned()]));
}

#[test]
fn what_somebody_made_anew_is_not_taken_over() {
    let stack = up(five);
    stack.world.remake("House", "a");
    stack.world.tamper("House", "a", "comment", "theirs");
    stack.world.lose("House", "b");
    let text = "`yard:House::a` is another object than the one that this stack made";
    let (exit, said) = stack.look(&["plan"]);
    assert!(exit == 0 && times(&said, text) == 1, "{said}");
    let (exit, said) = stack.run(&["up", "--yes"]);
    assert!(exit == 1 && times(&said, text) == 1, "{said}");
    assert_eq!(stack.world.calls(), ["create House b"], "the others go on");
    let (exit, said) = stack.run(&["destroy", "--yes", "--allow-data-loss=all"]);
    assert!(exit == 1 && said.contains(text), "{said}");
    assert_eq!(stack.world.calls(), Vec::<String>::new());
}

#[test]
fn what_somebody_made_anew_is_taken_over_when_it_is_accepted() {
    let stack = up(five);
    stack.world.remake("House", "a");
    let (exit, said) = stack.look(&["drift"]);
    assert!(exit == 2 && times(&said, "another object than the one that this stack made") == 1, "{said}");
    assert_eq!(stack.run(&["drift", "--accept"]).0, 0);
    // Its room went with the old one.
    assert_eq!(stack.run(&["up", "--yes"]).0, 0);
    assert_eq!(stack.world.calls(), ["create Room a/room"]);
    nothing_is_left(&stack);
}

#[test]
fn what_is_left_to_its_maker_can_be_adopted_as_any_other() {
    let stack = up(five);
    stack.world.remake("House", "c");
    assert_eq!(stack.run(&["state", "forget", "yard:House::c"]).0, 0);
    let (exit, said) = stack.run(&["up", "--yes"]);
    assert!(exit == 1 && said.contains("`c` exists already"), "{said}");
    let (exit, said) = stack.run(&["import", "yard:House::c", "c"]);
    assert_eq!(exit, 0, "{said}");
    nothing_is_left(&stack);
}

#[test]
fn what_may_not_be_read_holds_back_itself_and_is_told_once() {
    let stack = up(five);
    stack.world.deny("a");
    stack.world.lose("House", "b");
    let text = "cannot read `yard:House::a`";
    let (exit, said) = stack.look(&["plan"]);
    assert!(exit == 0 && times(&said, text) == 1, "{said}");
    let (exit, said) = stack.look(&["drift"]);
    assert!(exit == 2 && times(&said, text) == 1, "{said}");
    let (exit, said) = stack.run(&["up", "--yes"]);
    assert!(exit == 1 && times(&said, text) == 1, "{said}");
    assert_eq!(stack.world.calls(), ["create House b"]);
    let (exit, said) = stack.look(&["drift"]);
    assert!(exit == 1 && times(&said, text) == 1, "that nothing differs can't be said: {said}");
    let (exit, said) = stack.look(&["plan", "--detailed-exitcode"]);
    assert!(exit == 1 && times(&said, text) == 1, "{said}");
    let (exit, said) = stack.run(&["drift", "--accept"]);
    assert!(exit == 1 && times(&said, text) == 1, "{said}");
}

#[test]
fn a_list_that_leaves_something_out_is_not_believed() {
    let stack = up(five);
    stack.world.lists(&["b", "c"]);
    stack.world.deny("c");
    stack.world.lose("House", "d");
    let (exit, said) = stack.look(&["drift"]);
    assert_eq!(exit, 2, "{said}");
    let mut asked = stack.world.asked();
    asked.sort();
    asked.dedup();
    assert_eq!(asked, ["list House", "read a/room", "read b", "read c", "read d"], "one list, and what it lacks");
    assert!(said.contains("cannot read `yard:House::c`") && times(&said, "  gone") == 1, "{said}");
    assert_eq!(stack.run(&["up", "--yes"]).0, 1);
    assert_eq!(stack.world.calls(), ["create House d"]);
}

#[test]
fn where_listing_is_refused_each_is_read() {
    let stack = up(five);
    stack.world.lists(&[]);
    stack.world.fault("list House", Fault::Refused);
    nothing_is_left(&stack);
    assert_eq!(stack.world.asked().iter().filter(|call| *call == "read b").count(), 1, "the second list was answered");
}

#[test]
fn a_read_that_is_one_too_many_is_asked_again() {
    let stack = up(five);
    for after in [Some(Duration::from_secs(90)), None, None] {
        stack.world.fault("read b", Fault::Busy(after));
    }
    let began = stack.now();
    let (exit, said) = stack.look(&["plan", "--detailed-exitcode"]);
    assert_eq!(exit, 0, "{said}");
    assert_eq!(times(&stack.world.asked().join("\n"), "read b"), 4);
    assert!(stack.now() - began >= Duration::from_secs(90), "as long as the service asks for");
}

#[test]
fn a_list_a_lookup_and_a_find_that_are_too_many_are_asked_again() {
    let stack = Commands::of(|world| {
        program(world, |stack| {
            for name in ["a", "b", "c", "d"] {
                stack.add(name, House::new(name)).adopt_existing();
            }
            stack.add("room", Room::new(&stack.lookup::<House>("home"), "room"));
            Ok(())
        })
    });
    for name in ["home", "a"] {
        stack.world.plant(House::schema(), &json!({"name": name}));
    }
    for call in ["read home", "find a"] {
        stack.world.fault(call, Fault::Busy(None));
    }
    let (exit, said) = stack.run(&["up", "--yes"]);
    assert_eq!(exit, 0, "{said}");
    stack.world.lists(&[]);
    stack.world.fault("list House", Fault::Busy(None));
    stack.world.asked();
    assert_eq!(stack.look(&["plan", "--detailed-exitcode"]).0, 0);
    let asked = stack.world.asked();
    assert_eq!(asked.iter().filter(|call| *call == "list House").count(), 2, "{asked:?}");
    assert!(!asked.contains(&"read b".to_owned()), "{asked:?}");
}

#[test]
fn what_stays_too_much_holds_back_itself() {
    let stack = up(five);
    stack.world.busy("read a");
    stack.world.lose("House", "b");
    // But for the lines that say what is waited for meanwhile.
    let told = |said: &str| {
        let lines = said.lines().filter(|line| !line.starts_with("waiting for "));
        times(&lines.collect::<Vec<_>>().join("\n"), "read a: too many requests")
    };
    let (exit, said) = stack.run(&["up", "--yes"]);
    assert!(exit == 1 && told(&said) == 1, "{said}");
    assert_eq!(stack.world.calls(), ["create House b"]);
    let (exit, said) = stack.look(&["drift"]);
    assert!(exit == 1 && told(&said) == 1, "{said}");
}

#[test]
fn as_long_as_the_program_gives_it() {
    let stack = up(|world| {
        program(world, |stack| {
            stack.add("a", House::new("a")).timeout(Operation::Read, Duration::from_secs(10));
            stack.add("b", House::new("b"));
            Ok(())
        })
    });
    stack.world.busy("read a");
    let began = stack.now();
    let (exit, said) = stack.look(&["plan"]);
    assert!(exit == 0 && said.contains("read a: too many requests"), "{said}");
    assert!(stack.now() - began <= Duration::from_secs(10));
    assert!(times(&stack.world.asked().join("\n"), "read a") > 1);
}

#[test]
fn a_service_that_refuses_everything_is_not_waited_for_by_each() {
    let stack = up(|world| {
        program(world, |stack| {
            for number in 0..60 {
                stack.add(&format!("h{number}"), House::new(format!("h{number}")));
            }
            Ok(())
        })
    });
    for number in 0..60 {
        stack.world.busy(&format!("read h{number}"));
    }
    let began = stack.now();
    let (exit, said) = stack.look(&["plan"]);
    assert!(exit == 1 && said.contains("too many requests"), "{said}");
    let took = stack.now() - began;
    assert!(took > Duration::from_mins(4) && took < Duration::from_mins(6), "{took:?}");
}

#[test]
fn a_list_without_an_answer_is_given_up_in_the_time_of_a_read() {
    let stack = up(|world| {
        program(world, |stack| {
            for name in ["a", "b", "c", "d"] {
                stack.add(name, House::new(name)).timeout(Operation::Read, Duration::from_secs(10));
            }
            Ok(())
        })
    });
    stack.world.lists(&[]);
    stack.world.stall("list House");
    let (exit, said) = stack.look(&["plan", "--detailed-exitcode"]);
    assert_eq!(exit, 0, "{said}");
}
