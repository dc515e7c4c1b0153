//! Help, version, and what a wrong command line is told.

use insta::assert_snapshot;

use super::fixtures::{run, run_program};
use crate::cli::context::Exit;

#[test]
fn help_is_an_answer() {
    let ran = run(&["--help"]);
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, ""));
    assert_snapshot!(ran.out);
}

#[test]
fn each_verb_explains_itself() {
    for line in [&["up", "--help"][..], &["state", "--help"], &["plan", "-h"]] {
        let ran = run(line);
        assert_eq!(ran.exit, Exit::Done, "{line:?}");
        assert!(ran.out.contains("Usage: prod") && ran.out.contains("--allow-data-loss"), "{}", ran.out);
    }
    assert_eq!(run(&["--version"]).out, format!("platform-sdk {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_lines_are_usage_errors_that_say_what_is_possible() {
    let lines: [&[&str]; 7] = [
        &["applly"],
        &["up", "--paralel", "3"],
        &["--parallel", "0"],
        &["import", "lake", "17"],
        &["import", "databricks:Catalog::lake"],
        &["--allow-data-loss", "everything"],
        &["state"],
    ];
    let mut told = String::new();
    for line in lines {
        let ran = run(line);
        assert_eq!((ran.exit, ran.exit.code(), ran.out.as_str()), (Exit::Usage, 64, ""), "{line:?}");
        let told_now = format!("$ prod {}\n{}\n", line.join(" "), ran.err);
        told.push_str(&told_now);
    }
    assert_snapshot!(told);
}

#[test]
fn a_program_reads_usage_errors_too() {
    let ran = run(&["applly", "--json"]);
    assert_eq!(ran.exit, Exit::Usage);
    let events: Vec<serde_json::Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&events[0]["event"], &events[1]["event"]), (&"diagnostic".into(), &"done".into()));
    assert_eq!(events[1]["ok"], false);
}

#[test]
fn without_a_terminal_a_missing_yes_is_an_error_that_says_so() {
    for verb in ["up", "destroy"] {
        let ran = run(&[verb]);
        assert_eq!(ran.exit, Exit::Usage);
        assert!(ran.err.starts_with(&format!("error: `{verb}` needs --yes here\n")), "{}", ran.err);
    }
    assert!(run(&["up", "--json"]).err.contains("--json asks no questions"));
    assert!(!run(&["up", "--yes"]).err.contains("--yes"));
}

#[test]
fn the_stack_is_the_flags_then_the_environments_then_the_programs() {
    let stack = |line: &[&str], environment: &[(&str, &str)]| {
        let line = [&["config", "get", "nothing", "--new-stack"], line].concat();
        run_program(super::fixtures::program(), &line, environment).err
    };
    let variable = [("PLATFORM_STACK", "from-variable")];
    assert!(stack(&[], &[]).contains("of stack `prod`"));
    assert!(stack(&[], &[("PLATFORM_STACK", "")]).contains("of stack `prod`"));
    assert!(stack(&[], &variable).contains("of stack `from-variable`"));
    assert!(stack(&["--stack", "from-flag"], &variable).contains("of stack `from-flag`"));
}

#[test]
fn every_way_to_end_has_its_code() {
    let codes = [Exit::Done, Exit::Failed, Exit::Differences, Exit::Usage, Exit::Interrupted].map(Exit::code);
    assert_eq!(codes, [0, 1, 2, 64, 130]);
}
