//! Two `up`s of one stack at once, as processes: one works, the other is told who does, since when, and what to do.
#![cfg(unix)]

use std::process::Stdio;

use platform_tests::{Running, Served, left_out, said};
use serde_json::json;

/// Without that feature, `stores/` is not even built.
#[test]
fn what_is_not_built_is_named() {
    if !cfg!(feature = "stores") {
        left_out(
            "state in S3, Azure and at Google, runs that stand still",
            "built without the feature `stores`; `./check` has it",
        );
    }
}

#[test]
fn one_works_and_the_other_is_told_who_and_since_when() {
    let served = Served::start("prod");
    served.faults("databricks", &json!({"latency_ms": {"min": 300, "max": 300}}));
    let mut command = served.command(&["up", "--yes"]);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut first = Running::start(command);
    first.until_said(": creating");
    let second = served.run(&["up", "--yes"], &[("USER", "ben")]);
    assert_eq!(second.status.code(), Some(1), "{}", said(&second));
    let told = said(&second);
    for part in ["stack `acme-data/prod` is in use", "held by", " since 20", "(run ", "wait until that run is done"] {
        assert!(told.contains(part), "no {part:?} in {told}");
    }
    let status = first.end();
    assert_eq!(status.code(), Some(0), "{}", first.err());
    let plan = served.run(&["plan", "--detailed-exitcode"], &[]);
    assert_eq!(plan.status.code(), Some(0), "{}", said(&plan));
}
