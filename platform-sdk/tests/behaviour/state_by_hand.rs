//! State verbs after an interrupted run: what became of its steps is found out first; what can't be told is not touched.

use platform_sdk::{Program, Secret};

use super::{
    commands::Commands,
    support::program,
    yard::{Fault, House, Lock, Room, World},
};

fn base(world: &World) -> Program {
    program(world, |stack| {
        stack.add("b", House::new("b").comment("x"));
        Ok(())
    })
}

fn grown(world: &World) -> Program {
    grown_at(world, "a")
}

fn moved(world: &World) -> Program {
    grown_at(world, "c")
}

fn grown_at(world: &World, address: &'static str) -> Program {
    program(world, move |stack| {
        let house = stack.add(address, House::new("a").comment("x"));
        stack.add("room", Room::new(&house, "room"));
        stack.add("b", House::new("b").comment("x"));
        stack.add("lock", Lock::new().code(Secret::new("1234".to_owned())));
        Ok(())
    })
}

/// `b` is there, and a call that was to make more has happened; its answer was lost, and nobody may look.
fn interrupted(call: &str, id: &str) -> Commands {
    let mut stack = Commands::of(base);
    done(&stack, &["up", "--yes"]);
    stack.program = grown;
    stack.world.fault(call, Fault::AnswerLost);
    stack.world.deny(id);
    assert_eq!(stack.run(&["up", "--yes"]).0, 1);
    stack
}

fn done(stack: &Commands, line: &[&str]) -> String {
    let (exit, said) = stack.run(line);
    assert_eq!(exit, 0, "{line:?}: {said}");
    said
}

fn refused(stack: &Commands, line: &[&str], why: &str) {
    let (exit, said) = stack.run(line);
    assert!(exit == 1 && said.contains(why), "{line:?}: {said}");
}

/// Once it may be looked for, the next `up` finishes, and nothing was made twice.
fn heals(stack: &Commands, id: &str) {
    stack.world.allow(id);
    done(stack, &["up", "--yes"]);
    done(stack, &["plan", "--detailed-exitcode"]);
    let mut made = stack.world.calls();
    made.retain(|call| call.starts_with("create"));
    let all = made.len();
    made.sort();
    made.dedup();
    assert_eq!(made.len(), all, "{made:?}");
    assert_eq!(stack.world.objects().len(), 4, "{:?}", stack.world.objects());
}

#[test]
fn what_had_happened_is_moved_too() {
    let mut stack = interrupted("create House", "a");
    stack.world.allow("a");
    let said = done(&stack, &["state", "mv", "yard:House::a", "yard:House::c"]);
    assert!(said.contains("its create was interrupted; `a` is ours"), "{said}");
    stack.program = moved;
    heals(&stack, "a");
}

#[test]
fn what_had_happened_is_forgotten_too_and_left() {
    let stack = interrupted("create House", "a");
    stack.world.allow("a");
    done(&stack, &["state", "forget", "yard:House::a"]);
    refused(&stack, &["up", "--yes"], "`a` exists already");
    assert!(stack.world.objects().contains(&"House a".to_owned()));
}

#[test]
fn what_can_not_be_told_is_neither_moved_nor_forgotten_nor_moved_onto() {
    let stack = interrupted("create House", "a");
    let why = "a run was interrupted while it changed `yard:House::a`";
    refused(&stack, &["state", "forget", "yard:House::a"], why);
    refused(&stack, &["state", "mv", "yard:House::b", "yard:House::a"], why);
    heals(&stack, "a");
}

#[test]
fn what_an_interrupted_step_refers_to_stays_where_it_is_and_the_others_move() {
    let mut stack = interrupted("create Room", "a/room");
    let why = "a run was interrupted while it changed `yard:Room::room`";
    refused(&stack, &["state", "mv", "yard:House::a", "yard:House::c"], why);
    done(&stack, &["state", "mv", "yard:House::b", "yard:House::d"]);
    done(&stack, &["state", "mv", "yard:House::d", "yard:House::b"]);
    stack.world.allow("a/room");
    done(&stack, &["state", "mv", "yard:House::a", "yard:House::c"]);
    stack.program = moved;
    heals(&stack, "a/room");
}

#[test]
fn a_state_that_is_taken_in_does_not_end_what_was_open() {
    let mut stack = Commands::of(base);
    done(&stack, &["up", "--yes"]);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("state.json");
    std::fs::write(&file, done(&stack, &["state", "export"])).expect("a file");
    stack.program = grown;
    stack.world.fault("create House", Fault::AnswerLost);
    stack.world.deny("a");
    assert_eq!(stack.run(&["up", "--yes", "--target", "yard:House::a"]).0, 1);
    done(&stack, &["state", "import", &file.display().to_string(), "--yes"]);
    heals(&stack, "a");
}

#[test]
fn another_key_opens_what_was_open() {
    let mut stack = Commands::of(base);
    done(&stack, &["up", "--yes"]);
    stack.program = grown;
    stack.world.fault("create Lock", Fault::AnswerLost);
    // What is there is asked before, and again after the answer was lost.
    for fault in [Fault::Not, Fault::Refused] {
        stack.world.fault("find Lock", fault);
    }
    assert_eq!(stack.run(&["up", "--yes"]).0, 1);
    done(&stack, &["state", "rotate-key", "--re-encrypt"]);
    heals(&stack, "none");
}

#[test]
fn a_rollback_takes_back_what_had_happened_too() {
    let stack = interrupted("create House", "a");
    stack.world.allow("a");
    stack.world.calls();
    done(&stack, &["rollback", "1", "--yes"]);
    assert_eq!(stack.world.objects(), ["House b"]);
    assert!(stack.world.calls().contains(&"delete House a".to_owned()));
}

/// One house, at an address, under a name.
fn house(world: &World, address: &'static str, name: &'static str, floor: i64) -> Program {
    program(world, move |stack| {
        stack.add(address, House::new(name).floor(floor));
        Ok(())
    })
}

#[test]
fn what_awaits_its_deletion_moves_along_and_is_deleted() {
    let mut stack = Commands::of(|world| house(world, "a", "home", 1));
    done(&stack, &["up", "--yes"]);
    stack.program = |world| house(world, "a", "villa", 2);
    stack.world.fault("delete House", Fault::Refused);
    assert_eq!(stack.run(&["up", "--yes"]).0, 1);
    assert_eq!(stack.world.objects(), ["House home", "House villa"]);
    done(&stack, &["state", "mv", "yard:House::a", "yard:House::c"]);
    let listed = done(&stack, &["state", "list"]);
    assert!(!listed.contains("yard:House::a") && listed.matches("yard:House::c").count() == 2, "{listed}");
    stack.program = |world| house(world, "c", "villa", 2);
    done(&stack, &["up", "--yes"]);
    assert_eq!(stack.world.objects(), ["House villa"]);
    done(&stack, &["plan", "--detailed-exitcode"]);
}

#[test]
fn what_is_to_be_made_again_moves_along_and_is_made_there() {
    let mut stack = Commands::of(|world| house(world, "a", "home", 1));
    done(&stack, &["up", "--yes"]);
    stack.program = |world| house(world, "a", "home", 2);
    stack.world.fault("create House", Fault::Refused);
    assert_eq!(stack.run(&["up", "--yes"]).0, 1);
    assert!(stack.world.objects().is_empty());
    done(&stack, &["state", "mv", "yard:House::a", "yard:House::c"]);
    refused(&stack, &["state", "mv", "yard:House::a", "yard:House::d"], "`yard:House::a` is not in state");
    stack.program = |world| house(world, "c", "home", 2);
    let plan = done(&stack, &["plan"]);
    assert!(plan.contains("its replacement was interrupted"), "{plan}");
    done(&stack, &["up", "--yes"]);
    assert_eq!(stack.world.objects(), ["House home"]);
    done(&stack, &["plan", "--detailed-exitcode"]);
}

#[test]
fn nothing_moves_to_where_something_is_to_be_made_again() {
    fn two(world: &World, floor: i64) -> Program {
        program(world, move |stack| {
            stack.add("a", House::new("home").floor(floor));
            stack.add("b", House::new("villa"));
            Ok(())
        })
    }
    let mut stack = Commands::of(|world| two(world, 1));
    done(&stack, &["up", "--yes"]);
    stack.program = |world| two(world, 2);
    stack.world.fault("create House", Fault::Refused);
    assert_eq!(stack.run(&["up", "--yes"]).0, 1);
    assert_eq!(stack.world.objects(), ["House villa"]);
    let why = "`yard:House::a` is in state already";
    refused(&stack, &["state", "mv", "yard:House::b", "yard:House::a"], why);
}
