//! The first interrupt: nothing new is started, what is in flight is waited for, and what only waits is not.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use platform_sdk::{
    Program, Resource as _,
    state::Memory,
    testing::{Command, Said},
};
use serde_json::json;
use time::OffsetDateTime;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::{
    support::program,
    yard::{Fault, House, Room, World},
};

/// A house, and one that waits for it.
fn two(world: &World) -> Program {
    program(world, |stack| {
        let first = stack.add("first", House::new("first").comment("x")).wait(true);
        stack.add("next", House::new("next")).depends_on(&first);
        Ok(())
    })
}

/// A state, and commands over it in virtual time.
#[derive(Default)]
struct Lives {
    world: World,
    store: Arc<Memory>,
}

/// How a command ended, what it said, and how long it took.
#[derive(Debug)]
struct Ended {
    exit: u8,
    said: String,
    took: Duration,
}

impl Lives {
    /// Runs a command, and interrupts it at some moment if it still runs.
    fn run(&self, program: Program, line: &[&str], interrupt: Option<Duration>) -> Ended {
        let (ask, stop) = watch::channel(false);
        let said = Said::default();
        let command = Command {
            program,
            line: line.iter().map(|argument| (*argument).to_owned()).collect(),
            store: self.store.clone(),
            folder: None,
            environment: BTreeMap::new(),
            clock: Arc::new(OffsetDateTime::now_utc),
            stop,
            said: said.clone(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let (exit, took) = runtime.expect("a runtime without I/O needs nothing").block_on(async {
            let began = Instant::now();
            let asking = async {
                let Some(after) = interrupt else { return std::future::pending().await };
                sleep(after).await;
                // Nobody listens any more when it has ended.
                let _ended = ask.send(true);
                std::future::pending::<u8>().await
            };
            let running = timeout(Duration::from_hours(1), command.run());
            let exit = tokio::select! {
                exit = running => exit.expect("it ends by itself"),
                exit = asking => exit,
            };
            (exit, began.elapsed())
        });
        Ended { exit, said: said.out() + &said.err(), took }
    }

    /// Interrupted after ten seconds, which end whatever only waits; and once more, to its end.
    fn interrupted(&self, program: fn(&World) -> Program, line: &[&str]) -> Ended {
        let ended = self.run(program(&self.world), line, Some(Duration::from_secs(10)));
        assert_eq!(ended.exit, 130, "{ended:?}");
        assert!(ended.took < Duration::from_secs(11), "{ended:?}");
        ended
    }

    fn done(&self, program: fn(&World) -> Program, line: &[&str]) {
        let ended = self.run(program(&self.world), line, None);
        assert_eq!(ended.exit, 0, "{ended:?}");
        let ended = self.run(program(&self.world), &["plan", "--detailed-exitcode"], None);
        assert_eq!(ended.exit, 0, "nothing is left: {ended:?}");
    }
}

const UP: &[&str] = &["up", "--yes"];

/// A minute, which is more than anybody waits for after an interrupt.
const LONG: Fault = Fault::Busy(Some(Duration::from_mins(1)));

#[test]
fn readiness_is_not_waited_for_and_the_next_run_goes_on_waiting() {
    let lives = Lives::default();
    lives.world.stall("ready first");
    lives.interrupted(two, UP);
    assert_eq!(lives.world.calls(), ["create House first"]);
    lives.world.recover();
    lives.done(two, UP);
    assert_eq!(lives.world.calls(), ["create House next"]);
}

#[test]
fn a_create_that_was_one_too_many_is_not_sent_again() {
    let lives = Lives::default();
    lives.world.fault("create House", LONG);
    let ended = lives.interrupted(two, UP);
    assert!(ended.said.contains("the run was stopped before the next try"), "{}", ended.said);
    assert_eq!(lives.world.calls(), ["create House first"]);
    lives.done(two, UP);
    assert_eq!(lives.world.calls(), ["create House first", "create House next"]);
}

#[test]
fn an_update_that_was_one_too_many_is_not_sent_again() {
    let lives = Lives::default();
    lives.done(two, UP);
    lives.world.tamper("House", "first", "comment", "by hand");
    lives.world.calls();
    lives.world.fault("update House", LONG);
    lives.interrupted(two, UP);
    assert_eq!(lives.world.calls(), ["update House first"]);
    lives.done(two, UP);
    assert_eq!(lives.world.calls(), ["update House first"]);
}

#[test]
fn a_delete_that_was_one_too_many_is_not_sent_again() {
    let lives = Lives::default();
    lives.done(two, UP);
    lives.world.calls();
    lives.world.fault("delete House", LONG);
    lives.interrupted(two, &["destroy", "--yes"]);
    assert_eq!(lives.world.calls(), ["delete House next"]);
    assert_eq!(lives.run(two(&lives.world), &["destroy", "--yes"], None).exit, 0);
    assert_eq!(lives.world.objects(), Vec::<String>::new());
}

#[test]
fn what_is_looked_for_before_a_create_is_not_looked_for_again() {
    let lives = Lives::default();
    lives.world.fault("find first", LONG);
    lives.interrupted(two, UP);
    assert_eq!(lives.world.calls(), Vec::<String>::new());
    lives.done(two, UP);
}

#[test]
fn a_create_without_an_answer_stays_open_and_is_made_once() {
    let lives = Lives::default();
    // It has happened, to look for it is one request too many, and the next run finds it.
    lives.world.fault("create House", Fault::AnswerLost);
    for fault in [Fault::Not, LONG] {
        lives.world.fault("find first", fault);
    }
    lives.interrupted(two, UP);
    lives.done(two, UP);
    assert_eq!(lives.world.calls(), ["create House first", "create House next"]);
}

#[test]
fn what_is_in_flight_is_waited_for_and_not_begun_again() {
    let lives = Lives::default();
    lives.world.slow("create House", Duration::from_mins(5));
    let ended = lives.run(two(&lives.world), UP, Some(Duration::from_secs(10)));
    assert_eq!((ended.exit, ended.took.as_secs()), (130, 300), "{ended:?}");
    lives.world.recover();
    lives.done(two, UP);
    assert_eq!(lives.world.calls(), ["create House first", "create House next"]);
}

#[test]
fn a_read_that_is_too_much_is_not_waited_for() {
    let lives = Lives::default();
    lives.done(two, UP);
    lives.world.busy("read first");
    for line in [UP, &["destroy", "--yes"], &["drift", "--accept"]] {
        lives.interrupted(two, line);
    }
    lives.world.recover();
    lives.done(two, UP);
}

#[test]
fn a_lookup_that_is_too_much_is_not_waited_for() {
    fn inside(world: &World) -> Program {
        program(world, |stack| {
            let first = stack.add("first", House::new("first"));
            let home = stack.lookup::<House>("home");
            stack.add("room", Room::new(&home, "room")).depends_on(&first);
            Ok(())
        })
    }
    let lives = Lives::default();
    lives.world.plant(House::schema(), &json!({"name": "home"}));
    lives.world.busy("read home");
    lives.interrupted(inside, UP);
    lives.world.recover();
    lives.done(inside, UP);
}
