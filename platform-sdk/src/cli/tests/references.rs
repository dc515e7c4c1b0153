//! References: one stack reads what another exports, typed, checked before anything is planned.

use insta::assert_snapshot;
use serde_json::json;

use super::fixtures::{Ran, run_program};
use crate::{Data, Output, Program, Secret, cli::context::Exit, interpolate};

/// The stack that exports: a text, a number, and a secret.
fn network(subnet: &'static str) -> Program {
    Program::new("network", move |stack| {
        let data = stack.add("subnet", Data::new(json!(subnet)));
        stack.export("subnet", &data.output);
        stack.export("mtu", json!(1500));
        stack.export("password", Secret::new("canary-55".to_owned()));
        Ok(())
    })
    .stack("prod")
}

/// The stack that reads.
fn shop(read: impl Fn(&crate::Stack) -> Output<String> + 'static) -> Program {
    Program::new("shop", move |stack| {
        let value = read(stack);
        let data = stack.add("settings", Data::new(interpolate!("at {}", value).json()));
        stack.export("settings", &data.output);
        Ok(())
    })
    .stack("prod")
}

struct Place(tempfile::TempDir);

impl Place {
    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn run(&self, program: Program, line: &[&str], state: &str) -> Ran {
        let state = self.path(state);
        let mut ran = run_program(program, &[line, &["--state", &state]].concat(), &[]);
        let place = self.0.path().display().to_string();
        (ran.out, ran.err) = (ran.out.replace(&place, "<place>"), ran.err.replace(&place, "<place>"));
        ran
    }

    fn done(&self, program: Program, line: &[&str]) -> String {
        let ran = self.run(program, line, "state");
        assert_eq!(ran.exit, Exit::Done, "{}{}", ran.out, ran.err);
        ran.out
    }

    fn refused(&self, program: Program) -> String {
        let ran = self.run(program, &["plan"], "state");
        assert_eq!(ran.exit, Exit::Failed, "{}{}", ran.out, ran.err);
        let line = regex_free_line(&ran.err);
        assert!(!ran.err.contains("canary"));
        line
    }
}

/// The text with the number of the line in this file taken out.
fn regex_free_line(text: &str) -> String {
    let cut = |line: &str| {
        line.split_once("references.rs:")
            .map_or_else(|| line.to_owned(), |(before, _)| format!("{before}references.rs"))
    };
    text.lines().map(cut).collect::<Vec<_>>().join("\n")
}

fn applied() -> Place {
    let place = Place(tempfile::tempdir().unwrap());
    place.done(network("subnet-1"), &["up", "--yes"]);
    place
}

#[test]
fn an_output_of_another_project_is_a_value_here_and_its_change_a_change_here() {
    let place = applied();
    let program = || shop(|stack| stack.reference("network/prod").output("subnet"));
    assert_snapshot!(place.done(program(), &["plan"]));
    place.done(program(), &["up", "--yes"]);
    assert_eq!(place.done(program(), &["output", "settings"]), "at subnet-1\n");
    let offline = place.done(program(), &["plan", "--offline", "--detailed-exitcode"]);
    assert!(offline.contains("No changes"), "{offline}");
    place.done(network("subnet-2"), &["up", "--yes"]);
    assert!(place.done(program(), &["plan"]).contains("\"at subnet-1\" → \"at subnet-2\""));
    place.done(program(), &["destroy", "--yes"]);
}

#[test]
fn what_is_secret_there_is_secret_here() {
    let place = applied();
    let program = || shop(|stack| stack.reference("network/prod").output("password"));
    for line in [&["plan"][..], &["plan", "--json"], &["up", "--yes"], &["output"], &["state", "export"]] {
        let said = place.done(program(), line);
        assert!(!said.contains("canary"), "{line:?}: {said}");
    }
    assert_eq!(place.done(program(), &["output", "settings", "--show-secrets"]), "at canary-55\n");
}

#[test]
fn a_missing_output_a_wrong_type_and_a_missing_stack_are_errors_of_the_plan() {
    let place = applied();
    let told = [
        place.refused(shop(|stack| stack.reference("network/prod").output("subnets"))),
        place.refused(shop(|stack| stack.reference("network/prod").output("mtu"))),
        place.refused(shop(|stack| stack.reference("network/prod").output::<i64>("password").map(|n| n.to_string()))),
        place.refused(shop(|stack| stack.reference("network/test").output("subnet"))),
        place.refused(shop(|stack| stack.reference("prod").output("subnet"))),
    ];
    assert_snapshot!(told.join("\n\n"));
    let both = shop(|stack| {
        let network = stack.reference("network/prod");
        interpolate!("{} {}", network.output::<String>("a"), network.output::<String>("b"))
    });
    assert_eq!(place.refused(both).matches("has no output").count(), 2, "all at once");
}

#[test]
fn a_stack_whose_state_is_damaged_is_named_and_not_read() {
    let place = applied();
    let program = || shop(|stack| stack.reference("network/prod").output("subnet"));
    let head = place.0.path().join("state/network/prod/head.json");
    let whole = std::fs::read_to_string(&head).unwrap();
    std::fs::remove_file(&head).unwrap();
    assert!(place.refused(program()).contains("network/prod/head.json` is damaged\n  it is missing"));
    std::fs::write(&head, whole.replace("\"serial\": 1", "\"serial\": 2")).unwrap();
    assert!(place.refused(program()).contains("network/prod/head.json` is damaged\n  its serial is not that"));
    let hash = &whole.split_once("\"snapshot\": \"").unwrap().1[..64];
    std::fs::write(&head, &whole).unwrap();
    std::fs::write(head.with_file_name(format!("snapshots/{hash}.json")), "{}").unwrap();
    assert!(place.refused(program()).contains("is damaged\n  its content is not what its name says"));
}

#[test]
fn a_stack_whose_state_is_elsewhere_is_read_there() {
    let place = applied();
    let elsewhere = place.path("state");
    let program = move || {
        let elsewhere = elsewhere.clone();
        shop(move |stack| stack.reference("network/prod").at(&elsewhere).output("subnet"))
    };
    assert_eq!(place.run(program(), &["up", "--yes"], "mine").exit, Exit::Done);
    assert_eq!(place.run(program(), &["output", "settings"], "mine").out, "at subnet-1\n");
    let here = shop(|stack| stack.reference("network/prod").output("subnet"));
    assert!(place.run(here, &["plan"], "mine").err.contains("has no state"));
}

#[test]
fn a_test_gives_the_outputs_and_a_plan_for_review_leaves_them_open() {
    let program = || shop(|stack| stack.reference("network/prod").output("subnet"));
    let plan = crate::testing::plan(program()).unwrap();
    assert!(plan.contains("at ${network/?prod.subnet}"), "{plan}");
    let harness = crate::testing::Harness::new().with_outputs_of("network/prod", [("subnet", json!("s-9"))]);
    let run = harness.up(&program()).unwrap();
    assert_eq!(run.failures, []);
    assert_eq!(harness.snapshot().exports["settings"].plain(), Some(json!("at s-9")));
    let said = crate::testing::Harness::new().plan(&program()).unwrap_err().to_string();
    assert!(said.contains("nobody gave the outputs of stack `network/prod`"), "{said}");
}
