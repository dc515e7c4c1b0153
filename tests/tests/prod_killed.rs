//! The `prod` example with its process killed, or its answers lost, at every point in turn: the next `up` heals, and the
//! world is the one of a run that nothing disturbed.
#![cfg(unix)]

use std::{
    collections::BTreeSet,
    os::unix::process::ExitStatusExt as _,
    process::Output,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use platform_tests::{Served, ask};
use serde_json::json;

/// How many lives are lived at once: most of their time is spent waiting.
const AT_ONCE: usize = 4;

/// The signal of `kill -9`.
const KILL: i32 = 9;

const UP: &[&str] = &["up", "--yes", "--parallel", "4"];

#[test]
fn killed_at_every_point_the_next_up_makes_the_same_world() {
    let wanted = undisturbed();
    let (next, lives) = (AtomicUsize::new(1), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let served = Served::start("prod");
                loop {
                    let at = next.fetch_add(1, Ordering::SeqCst).to_string();
                    served.reset();
                    let killed = served.run(UP, &[("PLATFORM_FAULT_AT", at.as_str())]);
                    if killed.status.success() {
                        return;
                    }
                    assert_eq!(killed.status.signal(), Some(KILL), "{at}: {}", said(&killed));
                    heals(&served, &wanted, &format!("killed at {at}: {}", said(&killed)));
                    lives.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    // An intent, a request and an outcome for each of 27 resources, even if all of them shared their flushes.
    assert!(lives.load(Ordering::SeqCst) > 2 * 27, "{lives:?} points");
}

#[test]
fn with_the_answer_of_every_change_lost_in_turn_the_world_is_the_same() {
    let wanted = undisturbed();
    thread::scope(|scope| {
        for (service, changes) in [("aws", 3), ("databricks", 20)] {
            let wanted = &wanted;
            scope.spawn(move || {
                let served = Served::start("prod");
                let url = &served.services[service];
                for nth in 1.. {
                    served.reset();
                    let fault = json!({"nth_mutation": {"n": nth, "fault": "reset_after"}});
                    let before = faults(url);
                    ask(url, "PUT", "/_sandbox/faults", &fault);
                    let first = served.run(UP, &[]);
                    if faults(url) == before {
                        assert!(nth > changes, "only {nth} changes were asked of {service}");
                        return;
                    }
                    // It may have looked for itself what became of the request; else it says so, and the next one does.
                    assert!(first.status.code().is_some(), "{service} {nth}: {}", said(&first));
                    heals(&served, wanted, &format!("{service}: answer {nth} was lost: {}", said(&first)));
                }
            });
        }
    });
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
fn faults(url: &str) -> usize {
    let log = ask(url, "GET", "/_sandbox/log?since=0", &serde_json::Value::Null);
    log.as_array().expect("entries").iter().filter(|entry| entry["fault"].is_string()).count()
}

fn said(output: &Output) -> String {
    let err = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = err.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
