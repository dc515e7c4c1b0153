//! Readiness that was not reached is not forgotten: state knows it, plans say so, and the next run waits for it first.

use std::time::Duration;

use platform_sdk::{
    Operation, Program, Resource as _,
    state::Status,
    testing::{Harness, Run},
};
use serde_json::{Value, json};

use super::{
    commands::Commands,
    support::{fails, nothing, program, refused, settled, step, steps, up},
    yard::{Fault, House, Site, Tent, World},
};

const UP: &[&str] = &["up", "--yes"];
const WORDS: &str = "PAINTING: the second coat";

/// A house that is waited for, and one that comes after it.
fn two(world: &World) -> Program {
    program(world, |stack| {
        let first = stack.add("first", House::new("first")).wait(true);
        stack.add("next", House::new("next")).depends_on(&first);
        Ok(())
    })
}

/// The same, of which nobody waits for long.
fn soon(world: &World) -> Program {
    program(world, |stack| {
        let first = stack.add("first", House::new("first")).wait(true);
        let first = first.timeout(Operation::Ready, Duration::from_millis(50));
        stack.add("next", House::new("next")).depends_on(&first);
        Ok(())
    })
}

/// A tent on a site, which nobody says to wait for.
fn camp(world: &World) -> Program {
    program(world, |stack| {
        let site = stack.add("site", Site::new());
        stack.within(&site.provider()).add("tent", Tent::new("tent"));
        Ok(())
    })
}

/// The reasons of the one step at an address.
fn reasons(run: &Run, address: &str) -> Vec<String> {
    step(&run.plan, address).reasons.clone()
}

#[test]
fn a_wait_that_ran_out_of_time_goes_on_with_the_next_run_before_dependents_start() {
    let (world, harness) = (World::default(), Harness::new());
    world.not_ready("first", WORDS);
    let failures = fails(&harness, &soon(&world));
    assert!(failures[0].contains("still not ready after"), "{failures:?}");
    let plan = harness.plan(&soon(&world)).expect("a plan");
    assert_eq!(steps(&plan), ["update yard:House::first", "create yard:House::next"]);
    let because = &step(&plan, "yard:House::first").reasons;
    assert!(because[0].starts_with("an earlier run did not see it ready: still not ready after"), "{because:?}");
    fails(&harness, &soon(&world));
    assert_eq!(world.calls(), ["create House first"], "nothing is sent to what is only waited for");
    world.recover();
    let run = up(&harness, &soon(&world));
    assert_eq!(run.steps(), ["update yard:House::first", "create yard:House::next"]);
    assert_eq!(world.calls(), ["create House next"]);
    settled(&harness, &soon(&world));
}

#[test]
fn with_nothing_else_to_do_it_is_still_waited_for() {
    let (world, harness) = (World::default(), Harness::new());
    let alone = program(&world, |stack| {
        stack.add("first", House::new("first")).wait(true).timeout(Operation::Ready, Duration::from_millis(50));
        Ok(())
    });
    world.not_ready("first", WORDS);
    fails(&harness, &alone);
    fails(&harness, &alone);
    world.recover();
    assert_eq!(up(&harness, &alone).steps(), ["update yard:House::first"]);
    settled(&harness, &alone);
}

/// How a process can end before what it made is ready.
fn after_its_end(end: fn(&Commands), program: fn(&World) -> Program, made: (&str, &str), later: &str) {
    let stack = Commands::of(program);
    stack.world.not_ready(made.0, WORDS);
    end(&stack);
    end(&stack);
    assert_eq!(stack.world.calls().len(), 1, "made once, and nothing after it");
    let (exit, said) = stack.look(&["plan", "--detailed-exitcode"]);
    assert_eq!(exit, 2, "{said}");
    assert!(said.contains("an earlier run did not see it ready"), "{said}");
    let (exit, said) = stack.look(&["state", "list"]);
    assert!(exit == 0 && said.contains(&format!("{}  (not ready:", made.1)), "{said}");
    stack.world.recover();
    let (exit, said) = stack.run(UP);
    assert_eq!(exit, 0, "{said}");
    assert_eq!(stack.world.calls(), [later]);
    assert_eq!(stack.look(&["plan", "--detailed-exitcode"]).0, 0);
    let (_, said) = stack.look(&["state", "list"]);
    assert!(!said.contains("not ready"), "{said}");
}

fn interrupted(stack: &Commands) {
    let said = stack.interrupted(UP, Duration::from_mins(1));
    assert!(said.contains(WORDS), "{said}");
}

fn killed(stack: &Commands) {
    let said = stack.killed(UP, Duration::from_mins(1));
    assert!(said.contains(WORDS), "{said}");
}

#[test]
fn after_an_interrupt_the_next_run_waits_before_dependents_start() {
    after_its_end(interrupted, two, ("first", "yard:House::first"), "create House next");
}

#[test]
fn after_a_kill_the_next_run_waits_before_dependents_start() {
    after_its_end(killed, two, ("first", "yard:House::first"), "create House next");
}

#[test]
fn what_a_provider_is_made_of_is_waited_for_before_anything_is_made_behind_it() {
    after_its_end(interrupted, camp, ("1", "yard:Site::site"), "create Tent tent");
    after_its_end(killed, camp, ("1", "yard:Site::site"), "create Tent tent");
}

#[test]
fn after_a_kill_an_update_is_waited_for_too() {
    fn commented(world: &World) -> Program {
        program(world, |stack| {
            let first = stack.add("first", House::new("first").comment("y")).wait(true);
            stack.add("next", House::new("next")).depends_on(&first);
            Ok(())
        })
    }
    let mut stack = Commands::of(two);
    assert_eq!(stack.run(UP).0, 0);
    stack.world.calls();
    stack.program = commented;
    stack.world.not_ready("first", WORDS);
    killed(&stack);
    killed(&stack);
    assert_eq!(stack.world.calls(), ["update House first"]);
    stack.world.recover();
    assert_eq!(stack.run(UP).0, 0);
    assert_eq!(stack.look(&["plan", "--detailed-exitcode"]).0, 0);
}

#[test]
fn drift_says_so_and_is_none() {
    let stack = Commands::of(two);
    stack.world.not_ready("first", WORDS);
    killed(&stack);
    // Whoever held the stack is dead, which takes a while to be certain.
    interrupted(&stack);
    let (exit, said) = stack.look(&["drift"]);
    assert_eq!(exit, 0, "{said}");
    assert!(said.contains("an earlier run did not see `yard:House::first` ready"), "{said}");
    let (_, said) = stack.look(&["state", "show", "yard:House::first", "--json"]);
    let shown: Value = serde_json::from_str(said.lines().next().expect("a line")).expect("JSON");
    assert_eq!(shown["not_ready"], json!("not ready yet when the run was stopped"), "{said}");
}

#[test]
fn what_failed_says_so_each_time_in_the_words_of_the_service() {
    let (world, harness) = (World::default(), Harness::new());
    world.wreck("first", "FAILED: no paint");
    for _ in 0..2 {
        let failures = fails(&harness, &two(&world));
        assert!(failures[0].contains("FAILED: no paint"), "{failures:?}");
        assert_eq!(failures.len(), 1);
    }
    assert_eq!(world.calls(), ["create House first"]);
    world.recover();
    let run = up(&harness, &two(&world));
    assert_eq!(reasons(&run, "yard:House::first"), ["an earlier run did not see it ready: FAILED: no paint"]);
    settled(&harness, &two(&world));
}

#[test]
fn a_create_whose_answer_was_lost_is_waited_for_like_any_other() {
    let stack = Commands::of(two);
    stack.world.not_ready("first", WORDS);
    stack.world.fault("create House", Fault::AnswerLost);
    stack.world.stall("read first");
    stack.killed(UP, Duration::from_mins(1));
    stack.world.recover();
    stack.world.not_ready("first", WORDS);
    killed(&stack);
    stack.world.recover();
    assert_eq!(stack.run(UP).0, 0);
    assert_eq!(stack.world.calls(), ["create House first", "create House next"]);
    assert_eq!(stack.look(&["plan", "--detailed-exitcode"]).0, 0);
}

#[test]
fn who_is_not_waited_for_any_more_holds_up_nobody() {
    let (world, harness) = (World::default(), Harness::new());
    world.not_ready("first", WORDS);
    fails(&harness, &soon(&world));
    let unwaited = program(&world, |stack| {
        let first = stack.add("first", House::new("first"));
        stack.add("next", House::new("next")).depends_on(&first);
        Ok(())
    });
    let run = up(&harness, &unwaited);
    assert_eq!(run.steps(), ["options yard:House::first", "create yard:House::next"]);
    settled(&harness, &unwaited);
}

#[test]
fn what_a_target_needs_is_waited_for_and_may_not_be_excluded() {
    let (world, harness) = (World::default(), Harness::new());
    world.not_ready("first", WORDS);
    fails(&harness, &soon(&world));
    harness.want(&["next"], &["first"], &[]).expect("globs");
    let error = refused(&harness, &soon(&world));
    assert!(error.contains("a targeted resource needs `yard:House::first`"), "{error}");
    harness.want(&["next"], &[], &[]).expect("globs");
    assert_eq!(fails(&harness, &soon(&world)).len(), 1);
    assert_eq!(world.calls(), ["create House first"]);
    world.recover();
    up(&harness, &soon(&world));
    settled(&harness, &soon(&world));
}

#[test]
fn what_is_not_ready_can_be_deleted_and_replaced() {
    let (world, harness) = (World::default(), Harness::new());
    world.not_ready("first", WORDS);
    fails(&harness, &soon(&world));
    let higher = program(&world, |stack| {
        stack
            .add("first", House::new("first").floor(2))
            .wait(true)
            .timeout(Operation::Ready, Duration::from_millis(50));
        Ok(())
    });
    let run = harness.up(&higher).expect("a plan");
    assert_eq!(run.steps(), ["replace yard:House::first"]);
    let waiting = |status: &Status| matches!(status, Status::Unready(_));
    assert!(harness.snapshot().resources.values().all(|state| waiting(&state.status)));
    up(&harness, &nothing(&world));
    assert_eq!(world.objects(), Vec::<String>::new());
}

#[test]
fn behind_what_is_not_ready_nothing_is_looked_up_or_imported_yet() {
    fn looking(world: &World) -> Program {
        program(world, |stack| {
            let site = stack.add("site", Site::new());
            let inner = stack.within(&site.provider());
            let old = inner.lookup::<Tent>("old");
            inner.add("tent", Tent::new("tent").comment(&old.serial));
            inner.add("taken", Tent::new("taken")).import("taken");
            Ok(())
        })
    }
    let mut stack = Commands::of(|world| {
        program(world, |stack| {
            stack.add("site", Site::new()).wait(true);
            Ok(())
        })
    });
    stack.world.not_ready("1", WORDS);
    killed(&stack);
    stack.program = looking;
    // Somebody has pitched tents there.
    stack.world.plant_at("1", Tent::schema(), &json!({"name": "old"}));
    stack.world.plant_at("1", Tent::schema(), &json!({"name": "taken"}));
    let (exit, said) = stack.look(&["plan"]);
    assert_eq!(exit, 0, "{said}");
    assert!(said.contains("cannot look for `yard:Tent::taken` yet"), "{said}");
    stack.world.calls();
    stack.world.recover();
    let (exit, said) = stack.run(UP);
    assert_eq!(exit, 1, "what could not be looked for waits for the next run: {said}");
    assert_eq!(stack.world.calls(), ["create Tent tent"]);
    let (exit, said) = stack.run(UP);
    assert_eq!(exit, 0, "{said}");
    assert_eq!(stack.world.calls(), Vec::<String>::new());
    assert_eq!(stack.look(&["plan", "--detailed-exitcode"]).0, 0);
}

#[test]
fn a_lookup_behind_what_is_made_is_read_when_that_is_ready() {
    let (world, harness) = (World::default(), Harness::new());
    world.plant_at("2", Tent::schema(), &json!({"name": "old"}));
    world.ready_after("2", 2);
    let looking = program(&world, |stack| {
        let site = stack.add("site", Site::new());
        let inner = stack.within(&site.provider());
        let old = inner.lookup::<Tent>("old");
        inner.add("tent", Tent::new("tent").comment(&old.serial));
        Ok(())
    });
    up(&harness, &looking);
    settled(&harness, &looking);
}

#[test]
fn what_lies_in_what_was_replaced_is_made_in_its_successor_when_that_is_ready() {
    fn camp_on(world: &World, ground: &'static str) -> Program {
        program(world, move |stack| {
            let site = stack.add("site", Site::new().ground(ground));
            stack.within(&site.provider()).add("tent", Tent::new("tent"));
            Ok(())
        })
    }
    let mut stack = Commands::of(|world| camp_on(world, "grass"));
    assert_eq!(stack.run(UP).0, 0);
    let first = stack.world.serial("Tent", "tent");
    stack.program = |world| camp_on(world, "sand");
    for id in ["2", "3"] {
        stack.world.not_ready(id, WORDS);
    }
    stack.world.calls();
    killed(&stack);
    assert_eq!(stack.world.calls().len(), 1, "a new site, and nothing after it");
    let (exit, said) = stack.look(&["plan"]);
    assert!(exit == 0 && said.contains("it lives in what is left of yard:Site::site"), "{said}");
    stack.world.recover();
    let (exit, said) = stack.run(UP);
    assert_eq!(exit, 0, "{said}");
    assert_ne!(stack.world.serial("Tent", "tent"), first);
    let (exit, said) = stack.look(&["plan", "--detailed-exitcode"]);
    assert_eq!(exit, 0, "{said}");
}
