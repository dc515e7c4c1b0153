//! Saved plans: exactly those steps, or a refusal that names what moved.

use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use super::fixtures::{Ran, run_program};
use crate::{
    Program, Secret,
    cli::context::Exit,
    testing::{Cloud, Machine, Room},
};

/// A stack over a cloud, with a place for its state and its plan.
struct Desk {
    cloud: Cloud,
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { cloud: Cloud::new(), folder: tempfile::tempdir().unwrap() }
    }

    fn program(&self, comment: &'static str, password: &'static str) -> Program {
        Program::new("acme-data", move |stack| {
            let lab = stack.add("lab", Room::new("lab").comment(comment));
            stack.add("one", Machine::new(&lab).password(Secret::from(password)));
            stack.add("shed", Room::new("shed").comment(comment));
            Ok(())
        })
        .provider(self.cloud.provider())
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("plan.json")
    }

    fn run(&self, program: Program, line: &[&str]) -> Ran {
        let state = self.folder.path().join("state");
        run_program(program, line, &[("PLATFORM_STATE", state.to_str().unwrap())])
    }

    fn save(&self, program: Program, flags: &[&str]) {
        let file = self.file();
        let line: Vec<&str> =
            ["plan", "--out", file.to_str().unwrap()].into_iter().chain(flags.iter().copied()).collect();
        let ran = self.run(program, &line);
        assert_eq!(ran.exit, Exit::Done, "{}", ran.err);
    }

    fn apply(&self, program: Program, flags: &[&str]) -> Ran {
        let file = self.file();
        let line = ["up", "--plan", file.to_str().unwrap(), "--yes"].into_iter().chain(flags.iter().copied());
        self.run(program, &line.collect::<Vec<_>>())
    }

    /// What the refusal says has moved, given that nothing was done.
    fn refusal(&self, program: Program) -> String {
        self.cloud.take_calls();
        let ran = self.apply(program, &[]);
        assert_eq!(ran.exit, Exit::Failed, "{}", ran.out);
        assert!(ran.err.contains("the saved plan can't be applied any more"), "{}", ran.err);
        assert!(!self.cloud.take_calls().iter().any(crate::testing::Call::mutates));
        ran.err
    }
}

#[test]
fn a_saved_plan_is_applied_as_it_was_shown_from_the_first_run_on() {
    let desk = Desk::new();
    for comment in ["x", "y"] {
        desk.save(desk.program(comment, "hush"), &[]);
        let text = std::fs::read_to_string(desk.file()).unwrap();
        assert!(!text.contains("hush"), "{text}");
        let ran = desk.apply(desk.program(comment, "hush"), &[]);
        assert_eq!(ran.exit, Exit::Done, "{}", ran.err);
        assert_eq!(desk.cloud.objects()["test:Room::lab"]["comment"], json!(comment));
    }
}

#[test]
fn another_program_is_named() {
    let desk = Desk::new();
    desk.save(desk.program("x", "hush"), &[]);
    assert!(desk.refusal(desk.program("y", "hush")).contains("the program: it declares something else"));
}

#[test]
fn another_secret_is_named() {
    let desk = Desk::new();
    desk.save(desk.program("x", "hush"), &[]);
    assert!(desk.refusal(desk.program("x", "other")).contains("a secret: it has another value"), "without keys");
    desk.run(desk.program("x", "hush"), &["up", "--yes"]);
    desk.save(desk.program("y", "hush"), &[]);
    let said = desk.refusal(desk.program("y", "other"));
    assert!(said.contains("a secret of `test:Machine::one`: it has another value"), "{said}");
}

#[test]
fn a_state_that_moved_on_is_named() {
    let desk = Desk::new();
    desk.save(desk.program("x", "hush"), &[]);
    desk.run(desk.program("x", "hush"), &["up", "--yes"]);
    assert!(desk.refusal(desk.program("x", "hush")).contains("the state: another run has changed it"));
}

#[test]
fn a_reality_that_moved_is_named_step_by_step() {
    let desk = Desk::new();
    desk.run(desk.program("x", "hush"), &["up", "--yes"]);
    desk.save(desk.program("y", "hush"), &[]);
    desk.cloud.tamper(Cloud::room_type(), "shed", "comment", json!("by hand"));
    let objects = desk.cloud.objects();
    let machine = objects.keys().find_map(|name| name.strip_prefix("test:Machine::")).unwrap();
    desk.cloud.lose(Cloud::machine_type(), machine);
    let said = desk.refusal(desk.program("y", "hush"));
    assert!(said.contains("reality: it asks for other steps"), "{said}");
    assert!(said.contains("`test:Machine::one`: create, not keep"), "{said}");
    assert!(said.contains("`test:Room::shed`: update, of other values"), "{said}");
    assert!(!said.contains("test:Room::lab"), "{said}");
}

#[test]
fn another_executable_is_named() {
    let desk = Desk::new();
    desk.save(desk.program("x", "hush"), &[]);
    let mut saved: serde_json::Value = serde_json::from_slice(&std::fs::read(desk.file()).unwrap()).unwrap();
    saved["executable"] = crate::desired::Hash::of(b"an older build").as_str().into();
    std::fs::write(desk.file(), saved.to_string()).unwrap();
    assert!(desk.refusal(desk.program("x", "hush")).contains("the executable: it was built again"));
}

#[test]
fn another_stack_is_named() {
    let desk = Desk::new();
    desk.save(desk.program("x", "hush"), &[]);
    let ran = desk.apply(desk.program("x", "hush"), &["--stack", "other", "--new-stack"]);
    assert!(ran.err.contains("the stack: the plan is of another one"), "{}", ran.err);
}

#[test]
fn targets_are_those_that_the_plan_was_made_with() {
    let desk = Desk::new();
    desk.save(desk.program("x", "hush"), &["--target", "shed"]);
    let narrower = desk.apply(desk.program("x", "hush"), &["--target", "lab"]);
    assert!(narrower.err.contains("a saved plan is not narrowed any further"), "{}", narrower.err);
    let ran = desk.apply(desk.program("x", "hush"), &[]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.err);
    assert_eq!(desk.cloud.objects().keys().collect::<Vec<_>>(), ["test:Room::shed"]);
}

#[test]
fn what_is_no_saved_plan_is_refused() {
    let desk = Desk::new();
    std::fs::write(desk.file(), "{}").unwrap();
    let ran = desk.apply(desk.program("x", "hush"), &[]);
    assert!(ran.err.contains("is not a saved plan"), "{}", ran.err);
}
