//! The `prod` example with its process killed, or its answers lost, at every point in turn: the next `up` heals, and the
//! world is the one of a run that nothing disturbed.
#![cfg(unix)]

use std::{
    collections::BTreeSet,
    os::unix::process::ExitStatusExt as _,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use platform_tests::{Served, said};
use serde_json::json;

/// How many lives are lived at once: most of their time is spent waiting.
const AT_ONCE: usize = 12;

/// The signal of `kill -9`.
const KILL: i32 = 9;

const UP: &[&str] = &["up", "--yes", "--parallel", "4"];

#[test]
fn killed_at_every_point_the_next_up_makes_the_same_world() {
    let wanted = undisturbed();
    let lives = in_turn(|served, at| {
        let killed = served.run(UP, &[("PLATFORM_FAULT_AT", at.to_string().as_str())]);
        if killed.status.success() {
            return false;
        }
        assert_eq!(killed.status.signal(), Some(KILL), "{at}: {}", said(&killed));
        heals(served, &wanted, &format!("killed at {at}: {}", said(&killed)));
        true
    });
    // An intent, a request and an outcome for each of 27 resources, even if all of them shared their flushes.
    assert!(lives > 2 * 27, "{lives} points");
}

#[test]
fn with_the_answer_of_every_change_lost_in_turn_the_world_is_the_same() {
    let wanted = undisturbed();
    for (service, changes) in [("aws", 3), ("databricks", 20)] {
        let lives = in_turn(|served, nth| {
            // The log outlives the worlds.
            let before = faults_met(served, service);
            served.faults(service, &json!({"nth_mutation": {"n": nth, "fault": "reset_after"}}));
            let first = served.run(UP, &[]);
            if faults_met(served, service) == before {
                return false;
            }
            // It may have looked for itself what became of the request; else it says so, and the next one does.
            assert!(first.status.code().is_some(), "{service} {nth}: {}", said(&first));
            heals(served, &wanted, &format!("{service}: answer {nth} was lost: {}", said(&first)));
            true
        });
        assert!(lives >= changes, "only {lives} changes were asked of {service}");
    }
}

/// Lives one life after the other, each from the beginning, until one of them was not disturbed any more; says how many
/// were. Lives count from 1.
fn in_turn(life: impl Fn(&Served, usize) -> bool + Sync) -> usize {
    let (next, lives, ended) = (AtomicUsize::new(1), AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let served = Served::start("prod");
                while !ended.load(Ordering::SeqCst) {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    served.reset();
                    if life(&served, number) {
                        lives.fetch_add(1, Ordering::SeqCst);
                    } else {
                        ended.store(true, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    lives.into_inner()
}

/// The world after a run that nothing disturbed.
fn undisturbed() -> BTreeSet<String> {
    let served = Served::start("prod");
    let up = served.run(UP, &[]);
    assert!(up.status.success(), "{}", said(&up));
    served.world()
}

fn heals(served: &Served, wanted: &BTreeSet<String>, what: &str) {
    let healed = served.run(UP, &[]);
    assert!(healed.status.success(), "{what}\nthen: {}", said(&healed));
    let world = served.world();
    let (missing, too_much) = (wanted.difference(&world), world.difference(wanted));
    assert!(
        world == *wanted,
        "{what}\nmissing: {:#?}\ntoo much: {:#?}",
        missing.collect::<Vec<_>>(),
        too_much.collect::<Vec<_>>()
    );
}

/// How many requests met a fault so far.
fn faults_met(served: &Served, service: &str) -> usize {
    served.log(service).iter().filter(|entry| entry["fault"].is_string()).count()
}
