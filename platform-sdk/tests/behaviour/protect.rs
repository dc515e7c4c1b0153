//! `protect`: in the program or in state, it forbids every end, and all violations are said at once.

use platform_sdk::{Program, testing::Harness};

use super::{
    support::{nothing, program, refused, settled, steps, up},
    yard::{Fault, House, Leaf, Lock, World},
};

fn guarded(world: &World, floor: i64, protect: bool) -> Program {
    program(world, move |stack| {
        let house = stack.add("home", House::new("home").floor(floor));
        if protect {
            house.protect();
        }
        Ok(())
    })
}

#[test]
fn it_forbids_delete_and_replace_and_nothing_else() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &guarded(&world, 1, true));
    assert!(refused(&harness, &guarded(&world, 2, true)).contains("protected and would be replaced"));
    assert!(refused(&harness, &nothing(&world)).contains("protected and would be deleted"));
    let updated = program(&world, |stack| {
        stack.add("home", House::new("home").floor(1).comment("new")).protect();
        Ok(())
    });
    up(&harness, &updated);
    settled(&harness, &updated);
}

#[test]
fn in_state_it_forbids_until_a_run_has_taken_it_away() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &guarded(&world, 1, true));
    let text = refused(&harness, &guarded(&world, 2, false));
    assert!(text.contains("protected in state"), "{text}");
    let run = up(&harness, &guarded(&world, 1, false));
    assert_eq!(run.steps(), ["options yard:House::home"]);
    up(&harness, &guarded(&world, 2, false));
    settled(&harness, &guarded(&world, 2, false));
}

#[test]
fn in_the_program_it_forbids_before_any_run_has_recorded_it() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &guarded(&world, 1, false));
    assert!(refused(&harness, &guarded(&world, 2, true)).contains("protected"));
    let error = harness.destroy(&guarded(&world, 1, true)).expect_err("a guard").to_string();
    assert!(error.contains("`yard:House::home` is protected and would be deleted"), "{error}");
}

#[test]
fn all_violations_are_said_at_once_before_anything_runs() {
    let (world, harness) = (World::default(), Harness::new());
    let three = |floor: i64| {
        program(&world, move |stack| {
            stack.add("a", House::new("a").floor(floor)).protect();
            stack.add("b", House::new("b").floor(floor)).protect();
            stack.add("c", House::new("c").floor(floor));
            Ok(())
        })
    };
    up(&harness, &three(1));
    world.calls();
    let text = refused(&harness, &three(2));
    assert!(text.contains("2 resources are protected and would be replaced"), "one reason, once: {text}");
    assert!(text.contains("yard:House::a (") && text.contains("yard:House::b ("), "each with its line: {text}");
    assert!(!text.contains("yard:House::c") && world.calls().is_empty());
    let error = harness.plan(&three(2)).expect_err("a refusal");
    assert_eq!(error.diagnostics().len(), 1, "{error}");
}

#[test]
fn it_counts_only_where_a_target_goes() {
    let (world, harness) = (World::default(), Harness::new());
    let two = |floor: i64| {
        program(&world, move |stack| {
            stack.add("a", House::new("a").floor(floor)).protect();
            stack.add("b", House::new("b").floor(floor));
            Ok(())
        })
    };
    up(&harness, &two(1));
    harness.want(&["b"], &[], &[]).expect("targets");
    let run = up(&harness, &two(2));
    assert_eq!(run.steps(), ["replace yard:House::b"]);
}

#[test]
fn it_forbids_what_only_follows_from_another_replacement() {
    let (world, harness) = (World::default(), Harness::new());
    let inside = |floor: i64| {
        program(&world, move |stack| {
            let house = stack.add("home", House::new("home").floor(floor));
            stack.add("leaf", Leaf::new().house(&house)).protect();
            Ok(())
        })
    };
    up(&harness, &inside(1));
    let text = refused(&harness, &inside(2));
    assert!(text.contains("`yard:Leaf::leaf` is protected") && text.contains("lives in yard:House::home"), "{text}");
}

#[test]
fn an_update_that_fails_leaves_it_in_force() {
    let (world, harness) = (World::default(), Harness::new());
    let lock = |note: &'static str| {
        program(&world, move |stack| {
            stack.add("lock", Lock::new().note(note)).protect();
            Ok(())
        })
    };
    up(&harness, &lock("a"));
    world.fault("update Lock", Fault::Refused);
    assert!(!harness.up(&lock("b")).expect("a plan").failures.is_empty());
    assert!(refused(&harness, &nothing(&world)).contains("protected"));
    assert_eq!(steps(&harness.plan(&lock("b")).expect("a plan")), ["update yard:Lock::lock"]);
}
