//! The verbs that look at state and mend it, on a real directory.

use std::{cell::RefCell, fs, path::Path};

use insta::{assert_snapshot, with_settings};
use serde_json::{Value, json};

use super::fixtures::{Ran, run_program};
use crate::{Data, Program, cli::context::Exit, interpolate, state::FORMAT_VERSION};

/// Two resources, the second made of the first.
fn program(value: &'static str) -> Program {
    Program::new("acme", move |stack| {
        let one = stack.add("one", Data::new(json!(value)));
        stack.add("two", Data::new(interpolate!("{}-two", one.output).json()));
        stack.export("one", &one.output);
        Ok(())
    })
    .stack("prod")
}

/// A directory with state in it, and what commands there said.
struct Place {
    folder: tempfile::TempDir,
    told: RefCell<String>,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), told: RefCell::default() }
    }

    fn state(&self) -> String {
        self.folder.path().join("state").display().to_string()
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Runs a line of a program, with state in this place.
    fn run_of(&self, value: &'static str, line: &str) -> Ran {
        let state = self.state();
        let line: Vec<&str> = line.split_whitespace().chain(["--state", &state]).collect();
        let mut ran = run_program(program(value), &line, &[("USER", "ana")]);
        let place = self.folder.path().display().to_string();
        (ran.out, ran.err) = (ran.out.replace(&place, "<place>"), ran.err.replace(&place, "<place>"));
        ran
    }

    fn run(&self, line: &str) -> Ran {
        self.run_of("a", line)
    }

    /// Runs it and wants it done.
    fn done(&self, line: &str) -> String {
        let ran = self.run(line);
        assert_eq!(ran.exit, Exit::Done, "{line}: {}{}", ran.out, ran.err);
        ran.out
    }

    /// Runs it and wants it refused.
    fn refused(&self, line: &str) -> String {
        let ran = self.run(line);
        assert_eq!(ran.exit, Exit::Failed, "{line}: {}{}", ran.out, ran.err);
        ran.err
    }

    /// Runs it, wants it to end so, and keeps what it said for the snapshot.
    fn tells(&self, exit: Exit, line: impl AsRef<str>) {
        let line = line.as_ref();
        let ran = self.run(line);
        assert_eq!(ran.exit, exit, "{line}: {}{}", ran.out, ran.err);
        let line = line.replace(&self.folder.path().display().to_string(), "<place>");
        self.told.borrow_mut().extend(["$ prod ", &line, "\n", &ran.out, &ran.err, "\n"]);
    }

    /// Adds what was said elsewhere.
    fn also(&self, other: &Self) {
        self.told.borrow_mut().push_str(&other.told.borrow());
    }

    /// A place whose stack is at the serial of the last of these values.
    fn up(values: &[&'static str]) -> Self {
        let place = Self::new();
        for value in values {
            assert_eq!(place.run_of(value, "up --yes").exit, Exit::Done);
        }
        place
    }

    fn head(&self) -> Value {
        serde_json::from_slice(&fs::read(Path::new(&self.state()).join("acme/prod/head.json")).unwrap()).unwrap()
    }
}

/// What commands said, without what differs from run to run.
macro_rules! told {
    ($place:ident) => {
        with_settings!({filters => vec![
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "<time>"),
            (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>"),
            (r"\b[0-9a-f]{64}\b", "<hash>"),
            (r"\b[0-9a-f]{40}\b", "<commit>"),
            (r"\b[0-9a-f]{16}\b", "<id>"),
            (r"<time>  [0-9a-f]{12}  ana.*", "<time>  <hash>  ana"),
            (r"`[0-9a-f]{12}`", "`<hash>`"),
            (r"\b\d{3,} bytes", "<n> bytes"),
        ]}, { assert_snapshot!($place.told.borrow().as_str()); })
    };
}

#[test]
fn history_lists_what_state_was_and_show_and_export_reach_it() {
    let place = Place::up(&["a", "b"]);
    place.tells(Exit::Done, "history");
    let shown = place.done("state show platform:Data::one --at 1");
    assert!(shown.contains("input: \"a\""), "{shown}");
    let export = |line: &str| serde_json::from_str::<Value>(&place.done(line)).unwrap();
    assert_eq!(export("state export")["entry"]["serial"], 2);
    assert_eq!(export("state export --at 1")["resources"]["platform:Data::one"]["in"]["input"], "a");
    place.tells(Exit::Failed, "state export --at 7");
    let lines = place.done("state export --json");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["event"], &lines[0]["state"]["entry"]["serial"]), (&"state".into(), &2.into()));
    assert_eq!(lines[1]["event"], "done");
    let nothing = Place::new();
    nothing.tells(Exit::Failed, "state export");
    place.also(&nothing);
    told!(place);
}

#[test]
fn moving_takes_along_what_refers_to_it_and_the_next_plan_knows() {
    let place = Place::up(&["a"]);
    place.tells(Exit::Done, "state mv platform:Data::two platform:Data::deux");
    place.tells(Exit::Done, "state mv platform:Data::one platform:Data::un --json");
    let shown = place.done("state show platform:Data::deux");
    assert!(shown.contains("platform:Data::un") && !shown.contains("platform:Data::one"), "{shown}");
    place.tells(Exit::Failed, "state mv platform:Data::one platform:Data::x");
    place.tells(Exit::Failed, "state mv platform:Data::un platform:Data::deux");
    place.tells(Exit::Failed, "state mv platform:Data::un platform:Other::un");
    assert_eq!(place.head()["serial"], 3);
    told!(place);
}

#[test]
fn forgetting_leaves_the_object_and_names_who_still_refers_to_it() {
    let place = Place::up(&["a"]);
    place.tells(Exit::Done, "state forget platform:Data::one");
    place.tells(Exit::Done, "state list");
    place.tells(Exit::Failed, "state forget platform:Data::one");
    let plan = place.done("plan --offline");
    assert!(plan.contains("1 to create"), "{plan}");
    told!(place);
}

#[test]
fn an_exported_state_is_taken_in_where_there_is_none_and_as_the_next_serial_where_there_is_one() {
    let place = Place::up(&["a", "b"]);
    fs::write(place.path("old.json"), place.done("state export --at 1")).unwrap();
    let old = place.path("old.json");
    let ran = place.run(&format!("state import {old}"));
    assert_eq!(ran.exit, Exit::Usage, "nobody to ask: {}", ran.err);
    place.tells(Exit::Done, format!("state import {old} --yes"));
    assert!(place.done("state show platform:Data::one").contains("input: \"a\""));
    assert_eq!(place.head()["serial"], 3);
    let elsewhere = Place::new();
    fs::copy(&old, elsewhere.path("old.json")).unwrap();
    let line = format!("state import {} --yes", elsewhere.path("old.json"));
    elsewhere.tells(Exit::Done, &line);
    assert!(elsewhere.done("plan").contains("No changes."), "{}", elsewhere.done("plan"));
    told!(place);
}

#[test]
fn a_foreign_or_damaged_export_is_refused_and_nothing_changes() {
    let place = Place::up(&["a"]);
    let other = Place::up(&["b"]);
    let before = place.head();
    fs::write(place.path("other.json"), other.done("state export")).unwrap();
    place.tells(Exit::Failed, format!("state import {} --yes", place.path("other.json")));
    fs::write(place.path("none.json"), "{}").unwrap();
    place.tells(Exit::Failed, format!("state import {} --yes", place.path("none.json")));
    place.tells(Exit::Failed, format!("state import {} --yes", place.path("absent.json")));
    let text = other.done("state export").replace("\"stack\":\"prod\"", "\"stack\":\"test\"");
    fs::write(place.path("test.json"), text).unwrap();
    place.tells(Exit::Failed, format!("state import {} --yes", place.path("test.json")));
    assert_eq!(place.head(), before);
    told!(place);
}

#[test]
fn a_copy_is_the_same_state_and_another_one_there_is_left_alone() {
    let place = Place::up(&["a", "b"]);
    let copy = place.path("copy");
    place.tells(Exit::Done, format!("state copy-to {copy}"));
    assert_eq!(place.done(&format!("state copy-to {copy}")).lines().count(), 2, "a second copy finds all of it there");
    let there = run_program(program("b"), &["plan", "--state", &copy], &[]);
    assert!(there.out.contains("No changes."), "{}{}", there.out, there.err);
    assert_eq!(place.run_of("c", "up --yes").exit, Exit::Done);
    place.tells(Exit::Failed, format!("state copy-to {copy}"));
    let nothing = Place::new();
    nothing.tells(Exit::Failed, "state copy-to elsewhere");
    place.also(&nothing);
    told!(place);
}

#[test]
fn pruning_keeps_the_newest_and_says_where_history_begins() {
    let place = Place::up(&["a", "b", "c", "d"]);
    assert_eq!(place.run("state prune --keep 2").exit, Exit::Usage, "it asks");
    place.tells(Exit::Done, "state prune --keep 2 --yes");
    place.tells(Exit::Done, "history");
    place.tells(Exit::Failed, "state show platform:Data::one --at 1");
    place.tells(Exit::Done, "state prune --keep 2 --yes --json");
    assert_eq!(fs::read_dir(Path::new(&place.state()).join("acme/prod/snapshots")).unwrap().count(), 2);
    assert!(place.run_of("d", "plan").out.contains("No changes."));
    assert_eq!(place.run_of("e", "up --yes").exit, Exit::Done);
    assert_eq!(place.done("history").lines().count(), 3);
    told!(place);
}

#[test]
fn rolling_back_plans_the_inputs_of_then_and_finds_what_was_moved() {
    let place = Place::up(&["a", "b"]);
    place.done("state mv platform:Data::two platform:Data::deux");
    place.tells(Exit::Done, "rollback 1 --yes");
    assert!(place.done("state show platform:Data::two").contains("\"a-two\""));
    place.tells(Exit::Failed, "rollback 9 --yes");
    told!(place);
}

#[test]
fn a_damaged_head_is_repaired_from_the_newest_snapshot_and_kept() {
    let place = Place::up(&["a", "b"]);
    let head = Path::new(&place.state()).join("acme/prod/head.json");
    fs::write(&head, "{ nothing").unwrap();
    place.tells(Exit::Failed, "plan");
    place.tells(Exit::Done, "state repair --yes");
    assert_eq!(place.head()["serial"], 3);
    assert!(place.run_of("b", "plan").out.contains("No changes."));
    let kept: Vec<_> =
        fs::read_dir(head.with_file_name("damaged")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(fs::read(&kept[0]).unwrap(), b"{ nothing");
    place.tells(Exit::Done, "state repair");
    told!(place);
}

#[test]
fn a_lost_snapshot_is_made_again_of_the_one_before_and_its_journal() {
    let place = Place::up(&["a", "b"]);
    let snapshot = place.head()["snapshot"].as_str().unwrap().to_owned();
    let file = Path::new(&place.state()).join(format!("acme/prod/snapshots/{snapshot}.json"));
    fs::remove_file(&file).unwrap();
    place.tells(Exit::Failed, "plan");
    let refused = place.run("state repair");
    assert_eq!(refused.exit, Exit::Usage, "it asks before it writes");
    assert!(refused.err.contains("`state repair` needs --yes here"), "{}", refused.err);
    place.tells(Exit::Done, "state repair --yes");
    assert!(place.run_of("b", "plan").out.contains("No changes."), "what the journal says of the lost run holds");
    assert!(!file.exists());
    told!(place);
}

#[test]
fn what_is_none_of_the_state_s_files_is_named_and_left_alone() {
    let place = Place::up(&["a"]);
    let stack = Path::new(&place.state()).join("acme/prod");
    let strays = ["notes.txt", "snapshots/notes.txt", "journal/x"].map(|name| stack.join(name));
    for stray in &strays {
        fs::write(stray, "mine").unwrap();
    }
    assert!(place.run_of("a", "plan").out.contains("No changes."), "nothing is held up");
    place.tells(Exit::Done, "state repair");
    assert!(strays.iter().all(|stray| fs::read(stray).unwrap() == b"mine"));
    told!(place);
}

#[test]
fn an_old_snapshot_that_is_damaged_holds_up_nothing_but_the_way_back() {
    let place = Place::up(&["a", "b"]);
    let first = place.head()["parent"].as_str().unwrap().to_owned();
    fs::write(Path::new(&place.state()).join(format!("acme/prod/snapshots/{first}.json")), "{}").unwrap();
    assert!(place.run_of("b", "plan").out.contains("No changes."));
    let ran = place.run("state repair");
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Done, "the state is whole\n"));
    place.told.borrow_mut().push_str(&ran.err);
    assert!(place.refused("rollback 1 --yes").contains("is damaged"));
    assert!(place.done("state show platform:Data::one --at 2").contains("\"b\""));
    told!(place);
}

#[test]
fn a_history_with_a_gap_is_told_up_to_it_and_begins_after_it_on_request() {
    let place = Place::up(&["a", "b", "c"]);
    let gap = place.head()["parent"].as_str().unwrap().to_owned();
    let gap = Path::new(&place.state()).join(format!("acme/prod/snapshots/{gap}.json"));
    fs::write(&gap, "{}").unwrap();
    place.tells(Exit::Failed, "history");
    let copy = format!("state copy-to {}", place.path("copy"));
    place.tells(Exit::Failed, &copy);
    assert!(place.refused("state prune --keep 2 --yes").contains("is damaged"), "it is one of the two");
    place.tells(Exit::Done, "state prune --keep 1 --yes");
    place.tells(Exit::Done, "history");
    assert_eq!(fs::read(&gap).unwrap(), b"{}", "evidence stays");
    place.tells(Exit::Done, "state repair");
    place.tells(Exit::Failed, &copy);
    fs::remove_file(&gap).unwrap();
    place.done(&copy);
    told!(place);
}

#[test]
fn a_gap_at_the_end_of_a_history_is_mended_by_the_mark_alone() {
    let place = Place::up(&["a", "b"]);
    let first = place.head()["parent"].as_str().unwrap().to_owned();
    fs::remove_file(Path::new(&place.state()).join(format!("acme/prod/snapshots/{first}.json"))).unwrap();
    assert!(place.refused(&format!("state copy-to {}", place.path("copy"))).contains("is missing"));
    place.done("state prune --keep 1 --yes");
    assert_eq!(place.done("history").lines().count(), 1);
}

#[test]
fn a_lost_head_is_no_empty_history_and_one_that_does_not_fit_is_named() {
    let place = Place::up(&["a", "b"]);
    let head = Path::new(&place.state()).join("acme/prod/head.json");
    let whole = fs::read_to_string(&head).unwrap();
    let lines = ["history", "state export", "state list", "state show --at 1", "state prune --keep 1 --yes"];
    fs::remove_file(&head).unwrap();
    for line in lines {
        let said = place.refused(line);
        assert!(said.contains("head.json` is damaged\n  it is missing"), "{line}: {said}");
    }
    fs::write(&head, whole.replace("\"serial\": 2", "\"serial\": 7")).unwrap();
    for line in lines {
        let said = place.refused(line);
        assert!(said.contains("head.json` is damaged\n  its serial is not that of the snapshot"), "{line}: {said}");
    }
    fs::write(&head, whole).unwrap();
    place.done("history");
}

#[test]
fn what_is_no_part_of_a_journal_is_named_and_nothing_is_lost_by_it() {
    let place = Place::up(&["a"]);
    let stray = Path::new(&place.state()).join("acme/prod/journal/1/notes");
    fs::write(&stray, "mine").unwrap();
    place.tells(Exit::Failed, "plan");
    assert_eq!(place.refused("state repair"), place.refused("up --yes"), "there is nothing to repair");
    assert_eq!(fs::read(&stray).unwrap(), b"mine");
    fs::remove_file(&stray).unwrap();
    assert!(place.done("plan").contains("No changes."));
    told!(place);
}

#[test]
fn all_of_state_is_shown_as_of_any_serial() {
    let place = Place::up(&["a", "b"]);
    place.tells(Exit::Done, "state list --at 1");
    place.tells(Exit::Done, "state show --at 1");
    assert!(place.done("state show").contains("\"b\""));
    assert_eq!(place.done("state show --json --at 1").matches("\"event\":\"resource\"").count(), 2);
    place.tells(Exit::Failed, "state list --at 7");
    told!(place);
}

#[test]
fn an_export_that_was_changed_since_is_taken_in_with_a_warning_and_a_newer_one_is_refused() {
    let place = Place::up(&["a"]);
    let text = place.done("state export");
    let file = place.path("state.json");
    let line = format!("state import {file} --yes");
    fs::write(&file, &text).unwrap();
    assert!(!place.run(&line).err.contains("warning"));
    fs::write(&file, text.replace("\"input\":\"a\"", "\"input\":\"c\"")).unwrap();
    place.tells(Exit::Done, &line);
    fs::write(&file, text.replace(&format!("\"version\":{FORMAT_VERSION}"), "\"version\":99")).unwrap();
    let refused = place.refused(&line);
    assert!(refused.contains("was written by a newer version") && refused.contains("update platform-sdk"), "{refused}");
    told!(place);
}
