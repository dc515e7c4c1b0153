//! Which stacks are known: a name that was mistyped is no new stack, and a project that was renamed keeps what it had.

use std::{collections::BTreeMap, fs, path::PathBuf};

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::fixtures::{Ran, run_program};
use crate::{Data, Program, Secret, cli::context::Exit};

/// The passphrase, as every command here has it.
const KEY: (&str, &str) = ("PLATFORM_PASSPHRASE", "correct horse");

/// A folder for state and a config file.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn config(&self, text: &str) {
        fs::write(self.0.path().join("c.toml"), text).unwrap();
    }

    fn program(&self, project: &str) -> Program {
        let program = Program::new(project, |stack| {
            let size = stack.config_or("size", 1)?;
            let token = stack.config_or("token", Secret::new("canary".to_owned()))?;
            let data = stack.add("data", Data::new(json!(size)));
            stack.export("data", &data.output);
            stack.export("token", token);
            Ok(())
        });
        let file = self.0.path().join("c.toml");
        if file.exists() { program.config_file(file) } else { program }
    }

    fn run_of(&self, program: Program, line: &str) -> Ran {
        let state = self.0.path().join("state").display().to_string();
        let line: Vec<&str> = line.split_whitespace().collect();
        let mut ran = run_program(program, &line, &[("PLATFORM_STATE", &state), KEY, ("USER", "ana")]);
        let place = self.0.path().display().to_string();
        (ran.out, ran.err) = (ran.out.replace(&place, "<place>"), ran.err.replace(&place, "<place>"));
        ran
    }

    fn run(&self, line: &str) -> Ran {
        self.run_of(self.program("acme"), line)
    }

    fn done(&self, line: &str) -> String {
        self.done_of(self.program("acme"), line)
    }

    fn done_of(&self, program: Program, line: &str) -> String {
        let ran = self.run_of(program, line);
        assert_eq!(ran.exit, Exit::Done, "{line}: {}{}", ran.out, ran.err);
        ran.out + &ran.err
    }

    fn refused(&self, line: &str) -> String {
        self.refused_of(self.program("acme"), line)
    }

    fn refused_of(&self, program: Program, line: &str) -> String {
        let before = self.files();
        let ran = self.run_of(program, line);
        assert_eq!(ran.exit, Exit::Failed, "{line}: {}{}", ran.out, ran.err);
        assert_eq!(self.files(), before, "{line}: nothing was changed");
        ran.err
    }

    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.0.path().join("state")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { _ = files.insert(path.clone(), fs::read(path).unwrap()) }
            }
        }
        files
    }
}

const TABLES: &str = "[default]\nsize = 1\n\n[prod]\nsize = 3\n\n[dev]\n";

#[test]
fn a_name_that_nobody_knows_is_refused_with_those_that_are_known() {
    let place = Place::new();
    place.config(TABLES);
    place.done("up --yes --stack prod");
    assert_snapshot!(place.refused("plan --stack prdo"), @r"
    error: project `acme` has no stack `prdo`
      the program's default is `dev`
      `<place>/c.toml` has tables of `dev`, `prod`
      <place>/state holds `prod`
      hint: did you mean `prod`? a new one takes `--new-stack`
    ");
    let known = place.refused("plan --stack prdo");
    for line in [
        "up --yes",
        "destroy --yes",
        "drift",
        "output",
        "history",
        "state list",
        "state repair --yes",
        "graph",
        "doctor",
        "config list",
        "config set size 4",
        "rollback 1 --yes",
        "state unlock 1b2c",
        "import sdk:Data::x y",
    ] {
        assert_eq!(place.refused(&format!("{line} --stack prdo")), known, "{line}");
    }
    assert!(!fs::read_to_string(place.0.path().join("c.toml")).unwrap().contains("prdo"));
    let nothing = Place::new();
    assert_snapshot!(nothing.refused("plan --stack nobody-meant-this"), @r"
    error: project `acme` has no stack `nobody-meant-this`
      the program's default is `dev`
      hint: a new one takes `--new-stack`
    ");
}

#[test]
fn a_new_stack_is_said_once_and_is_known_then() {
    let place = Place::new();
    place.refused("up --yes --stack pr-7");
    place.done("plan --stack pr-7 --new-stack");
    place.refused("plan --stack pr-7");
    place.done("up --yes --stack pr-7 --new-stack");
    place.done("up --yes --stack pr-7");
    place.done("up --yes --stack pr-7 --new-stack");
    assert!(place.refused("plan --stack pr7").contains("did you mean `pr-7`?"));
    place.config("[default]\nsize = 1\n");
    place.done("up --yes --stack pr-7");
    place.done("config set size 2 --stack stage --new-stack");
    assert!(place.done("plan --stack stage").contains("data"), "the table that was set is one");
}

#[test]
fn a_stored_stack_whose_table_was_renamed_is_planned_with_no_defaults() {
    let place = Place::new();
    place.config(TABLES);
    place.done("up --yes --stack prod");
    place.done("up --yes");
    place.config(&TABLES.replace("[prod]", "[production]").replace("[dev]", "[develop]"));
    assert_snapshot!(place.refused("plan --stack prod"), @r"
    error: stack `prod` has state, and no table in the config file
      `<place>/c.toml` has tables of `develop`, `production`; without one it would be planned with defaults
      hint: was it renamed? write `[prod]` in it, which may be empty; `destroy` needs none
    ");
    let known = place.refused("plan --stack prod");
    for line in ["up --yes", "drift", "graph", "doctor", "rollback 1 --yes", "plan --new-stack"] {
        assert_eq!(place.refused(&format!("{line} --stack prod")), known, "{line}");
    }
    assert!(place.refused("plan").contains("stack `dev` has state, and no table"), "the program's default is no other");
    for line in ["output", "history", "state list", "config list", "destroy --yes"] {
        place.done(&format!("{line} --stack prod"));
    }
}

#[test]
fn a_first_run_without_a_table_is_told_what_the_second_will_be_refused_for() {
    let place = Place::new();
    place.config("[prod]\nsize = 3\n");
    let said = place.done("up --yes");
    assert!(said.contains("warning: stack `dev` has no table in the config file"), "{said}");
    assert!(place.refused("up --yes").contains("write `[dev]` in it, which may be empty"));
    place.config("[prod]\nsize = 3\n\n[dev]\n");
    assert!(!place.done("up --yes").contains("warning"));
}

#[test]
fn stacks_are_listed_and_removed_where_they_own_nothing() {
    let place = Place::new();
    place.config(TABLES);
    place.done("up --yes --stack prod");
    place.config("[default]\nsize = 1\n");
    place.done("up --yes --stack pr-7 --new-stack");
    place.config(TABLES);
    assert_snapshot!(place.done("stack list"), @r"
    dev   default, in the config file
    pr-7  has state
    prod  in the config file, has state
    ");
    let listed = place.done("stack list --json");
    let one: Value = serde_json::from_str(listed.lines().nth(1).unwrap()).unwrap();
    assert_eq!(
        (&one["name"], &one["default"], &one["configured"], &one["state_of"]),
        (&json!("pr-7"), &json!(false), &json!(false), &json!(["acme"]))
    );
    assert_eq!(place.run("stack remove pr-7").exit, Exit::Usage, "it asks");
    assert_snapshot!(place.refused("stack remove pr-7 --yes"), @r"
    error: stack `acme/pr-7` is in use: it can't be removed
      it still owns 1 resource, which would be nobody's
      hint: `destroy` deletes them, `state forget` leaves one as it is
    ");
    assert_snapshot!(place.refused("stack remove pr-9 --yes"), @r"
    error: stack `pr-9` of `acme` has no state in <place>/state
      there is that of `pr-7`, `prod`
      hint: did you mean `pr-7`?
    ");
    place.done("destroy --yes --stack pr-7");
    let said = place.done("stack remove pr-7 --yes");
    assert!(said.contains("removed the state of `acme/pr-7`"), "{said}");
    assert!(!place.0.path().join("state/acme/pr-7").exists());
    assert!(!place.done("stack list").contains("pr-7"));
    place.refused("plan --stack pr-7");
}

#[test]
fn a_project_that_was_renamed_brings_its_state_along() {
    let place = Place::new();
    let renamed = || place.program("lake").formerly("acme");
    place.done("up --yes");
    place.done("up --yes --stack pr-7 --new-stack");
    let said = place.done_of(place.program("lake"), "plan");
    assert!(said.contains("`lake/dev` has no state here; `acme/dev` has state"), "{said}");
    assert!(said.contains(".formerly(\"acme\")"), "{said}");
    assert_snapshot!(place.refused_of(place.program("lake"), "plan --stack pr-7"), @r#"
    error: project `lake` has no stack `pr-7`
      the program's default is `dev`
      hint: a new one takes `--new-stack`; `acme/pr-7` has state: a project that was renamed says `.formerly("acme")`
    "#);

    let before = place.files();
    for line in ["plan", "output --show-secrets", "state list", "drift"] {
        let said = place.done_of(renamed(), line);
        assert!(!said.contains("to create"), "{line}: {said}");
    }
    assert_eq!(place.files(), before, "reading brings nothing along");
    assert_snapshot!(place.done_of(renamed(), "stack list"), @r"
    dev   default, has state, as `acme/dev`
    pr-7  has state, as `acme/pr-7`
    ");
    let old = place.done("output --show-secrets");
    assert_snapshot!(place.done_of(renamed(), "up --yes"), @r"
    Stack dev of lake

    No changes. The platform is what the program says.
    brought the state of `acme/dev` along: it is that of `lake/dev` now
    ");
    assert_eq!(place.done_of(renamed(), "output --show-secrets"), old);
    assert_eq!(place.done_of(place.program("lake"), "output --show-secrets"), old, "it is its own now");
    assert!(!place.done_of(renamed(), "up --yes").contains("brought"), "once");
    assert_snapshot!(place.refused("plan"), @r"
    error: the state of `acme/dev` is that of `lake/dev` now
      its project was renamed, and it was brought along; what it was until then stays here
      hint: run the program of project `lake`, and refer to its stacks by that name
    ");
    assert_eq!(place.refused("up --yes"), place.refused("state list"));

    place.done_of(renamed(), "destroy --yes --stack pr-7");
    place.done_of(renamed(), "stack remove pr-7 --yes");
    assert!(!place.done_of(renamed(), "stack list").contains("pr-7"), "nor is there what it was before");
}

#[test]
fn of_two_states_of_a_renamed_project_none_is_guessed() {
    let place = Place::new();
    place.done("up --yes");
    place.done_of(place.program("lake"), "up --yes");
    assert_snapshot!(place.refused_of(place.program("lake").formerly("acme"), "plan"), @r"
    error: stack `dev` has more than one state: `lake/dev`, `acme/dev`
      project `lake` was called otherwise, and only one of them can be what it owns
      hint: leave out `.formerly(..)` to work on the first; `stack remove` removes one that owns nothing
    ");
    let three = || place.program("sea").formerly("lake").formerly("acme");
    assert!(place.refused_of(three(), "up --yes").contains("more than one state: `lake/dev`, `acme/dev`"));
    place.done_of(place.program("lake"), "destroy --yes");
    place.done_of(place.program("lake"), "stack remove dev --yes");
    place.done_of(three(), "up --yes");
    assert_eq!(place.done_of(three(), "output data"), "1\n");
}

#[test]
fn secrets_of_a_config_file_open_after_a_rename() {
    let place = Place::new();
    place.config("[dev]\nsize = 1\n");
    place.done("config set --secret token canary-config");
    place.done("up --yes");
    let renamed = || place.program("lake").formerly("acme");
    assert_eq!(place.done_of(renamed(), "output token --show-secrets"), "canary-config\n");
    assert!(!place.done_of(renamed(), "plan").contains("to update"));
    place.done_of(renamed(), "up --yes");
    assert_eq!(place.done_of(renamed(), "output token --show-secrets"), "canary-config\n");
    let ran = place.run_of(place.program("lake"), "plan");
    assert!(ran.err.contains("another stack, table or project"), "{}", ran.err);
}
