//! `timeout`: each operation is given up after its own bound, and what is given up is not lost.

use std::time::Duration;

use platform_sdk::{Operation, Program, testing::Harness};

use super::{
    support::{fails, owned, program, settled, steps, up},
    yard::{House, World},
};

/// Two houses; what is done with `slow` is given up soon, what is done with the other one never.
fn two(world: &World, comment: &'static str, bounded: Operation) -> Program {
    program(world, move |stack| {
        stack.add("slow", House::new("slow").comment(comment)).timeout(bounded, Duration::from_millis(50));
        stack.add("other", House::new("other").comment(comment));
        Ok(())
    })
}

#[test]
fn a_read_without_an_answer_holds_back_only_itself() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &two(&world, "x", Operation::Read));
    world.stall("read slow");
    let run = up(&harness, &two(&world, "y", Operation::Read));
    assert_eq!(steps(&run.plan), ["update yard:House::other"]);
    let warning = run.plan.warnings[0].to_string();
    assert!(
        warning.contains("cannot read `yard:House::slow`") && warning.contains("no answer within 50ms"),
        "{warning}"
    );
}

#[test]
fn an_update_without_an_answer_is_planned_again() {
    let (world, harness) = (World::default(), Harness::new());
    let slow = |comment| {
        let world = world.clone();
        program(&world, move |stack| {
            stack
                .add("slow", House::new("slow").comment(comment))
                .timeout(Operation::Update, Duration::from_millis(50));
            Ok(())
        })
    };
    up(&harness, &slow("x"));
    world.stall("update House");
    let failures = fails(&harness, &slow("y"));
    assert!(failures[0].contains("no answer within 50ms"), "{failures:?}");
    world.recover();
    up(&harness, &slow("y"));
    settled(&harness, &slow("y"));
}

#[test]
fn a_delete_without_an_answer_leaves_it_in_state() {
    let (world, harness) = (World::default(), Harness::new());
    let program = two(&world, "x", Operation::Delete);
    up(&harness, &program);
    world.stall("delete House");
    let only = super::support::program(&world, |stack| {
        stack.add("other", House::new("other").comment("x"));
        Ok(())
    });
    let failures = fails(&harness, &only);
    assert!(failures[0].contains("no answer within 50ms"), "{failures:?}");
    assert_eq!(owned(&harness), ["yard:House::other other", "yard:House::slow slow"]);
    world.recover();
    up(&harness, &only);
    settled(&harness, &only);
}

#[test]
fn a_create_without_an_answer_is_made_once_all_the_same() {
    let (world, harness) = (World::default(), Harness::new());
    let slow = program(&world, |stack| {
        stack.add("slow", House::new("slow")).timeout(Operation::Create, Duration::from_millis(50));
        Ok(())
    });
    world.stall("create House");
    let failures = fails(&harness, &slow);
    assert!(failures[0].contains("no answer within 50ms"), "{failures:?}");
    world.recover();
    up(&harness, &slow);
    assert_eq!(world.objects(), ["House slow"]);
    settled(&harness, &slow);
}
