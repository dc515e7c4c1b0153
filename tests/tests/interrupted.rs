//! The `prod` example, told to stop: by a person, a supervisor, a terminal that closes, or a reader that has read enough.
#![cfg(unix)]

use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::Stdio,
};

use platform_tests::{Running, Served, left_out, said};
use rustix::{
    process::Signal,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};
use serde_json::json;

/// The signals that ask for an end, but for those that whoever runs the tests has ignored, as `nohup` does: a process
/// inherits that, and keeps to it.
fn signals() -> Vec<Signal> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    let (ignored, heard): (Vec<_>, Vec<_>) =
        [Signal::TERM, Signal::INT, Signal::HUP].into_iter().partition(|signal| mask >> (signal.as_raw() - 1) & 1 == 1);
    for signal in ignored {
        left_out(&format!("{signal:?}"), "whoever runs these tests has it ignored");
    }
    assert!(!heard.is_empty(), "nothing could end the program");
    heard
}

const UP: &[&str] = &["up", "--yes"];

/// The exit code of what was interrupted.
const INTERRUPTED: Option<i32> = Some(130);

/// Each answer of each service takes so long from now on.
fn slow(served: &Served, ms: u64) {
    for service in ["aws", "databricks"] {
        served.faults(service, &json!({"latency_ms": {"min": ms, "max": ms}}));
    }
}

fn start(served: &Served, arguments: &[&str]) -> Running {
    let mut command = served.command(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    Running::start(command)
}

fn is_held(served: &Served) -> bool {
    served.place().path().join("acme-data/prod/lease.json").exists()
}

/// The platform is up.
fn up(served: &Served) -> BTreeSet<String> {
    let ran = served.run(UP, &[]);
    assert!(ran.status.success(), "{}", said(&ran));
    served.world()
}

#[test]
fn while_it_reads_reality_the_lease_is_given_back_and_nothing_is_written() {
    let served = Served::start("prod");
    up(&served);
    let before = served.place().state_files();
    slow(&served, 10_000);
    for signal in signals() {
        let mut run = start(&served, UP);
        run.until(|_| is_held(&served));
        run.signal(signal);
        assert_eq!(run.end().code(), INTERRUPTED, "{signal:?}: {}", run.err());
        run.until_heard("stopping");
        assert!(served.place().state_files() == before, "{signal:?}: a file of the state is another");
    }
    // A plan holds nothing that it would have to give back.
    for signal in signals() {
        let mut run = start(&served, &["plan"]);
        run.until_said("nothing real is touched");
        run.signal(signal);
        assert_eq!(run.end().code(), INTERRUPTED, "{signal:?}: {}", run.err());
        assert!(served.place().state_files() == before, "{signal:?}: a file of the state is another");
    }
}

#[test]
fn while_it_applies_what_is_in_flight_ends_and_the_next_up_goes_on() {
    let served = Served::start("prod");
    let wanted = up(&served);
    for signal in signals() {
        served.reset();
        slow(&served, 500);
        let mut run = start(&served, UP);
        run.until_said(": creating");
        run.signal(signal);
        assert_eq!(run.end().code(), INTERRUPTED, "{signal:?}: {}", run.err());
        run.until_heard("interrupted: run the command again to go on from here");
        assert!(!is_held(&served), "{signal:?}");
        let made = served.world();
        slow(&served, 0);
        assert!(up(&served) == wanted, "{signal:?}");
        assert!(made != wanted, "{signal:?}: everything was made before it stopped");
    }
}

#[test]
fn a_second_signal_ends_it_at_once_and_the_journal_covers_what_was_in_flight() {
    let served = Served::start("prod");
    let wanted = up(&served);
    let signal = signals()[0];
    served.reset();
    slow(&served, 3_000);
    let mut run = start(&served, UP);
    run.until_said(": creating");
    run.signal(signal);
    run.until_said("again to end at once");
    run.signal(signal);
    assert_eq!(run.end().code(), INTERRUPTED, "{}", run.err());
    assert!(!run.err().contains("interrupted: run the command again"), "it waited: {}", run.err());
    slow(&served, 0);
    assert!(up(&served) == wanted);
}

#[test]
fn at_the_question_it_ends_without_a_change() {
    let served = Served::start("prod");
    for signal in signals() {
        let (mut run, mut terminal) = asking(&served);
        run.signal(signal);
        assert_eq!(run.end().code(), INTERRUPTED, "{signal:?}");
        assert!(!is_held(&served), "{signal:?}");
        terminal.write_all(b"y\n").expect("nobody reads it any more");
    }
    let (mut run, mut terminal) = asking(&served);
    terminal.write_all(b"n\n").expect("the answer is read");
    assert_eq!(run.end().code(), Some(1));
    assert!(!is_held(&served));
    assert!(served.place().state_files().is_empty(), "nothing was to be written");
}

/// An `up` at a terminal that has asked its question.
fn asking(served: &Served) -> (Running, File) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&terminal).and_then(|()| unlockpt(&terminal)).expect("our own terminal");
    let name = ptsname(&terminal, Vec::new()).expect("it has a name").into_string().expect("a path");
    let side = || File::options().read(true).write(true).open(&name).expect("the other side");
    let mut command = served.command(&["up"]);
    command.stdin(side()).stdout(side()).env("TERM", "dumb");
    let run = Running::with_terminal(command, side());
    let mut seen = Vec::new();
    let mut terminal = File::from(terminal);
    while !String::from_utf8_lossy(&seen).contains("[y/N]") {
        let mut bytes = [0; 4096];
        let count = terminal.read(&mut bytes).expect("the terminal can be read");
        seen.extend_from_slice(&bytes[..count]);
    }
    (run, terminal)
}

#[test]
fn a_reader_that_has_read_enough_does_not_end_the_work() {
    let served = Served::start("prod");
    let wanted = up(&served);
    served.reset();
    let mut command = served.command(UP);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    drop(child.stderr.take());
    let mut first = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut first).expect("a line");
    let status = child.wait().expect("it is our child");
    assert_eq!(status.code(), Some(0), "after {first:?}");
    assert!(served.world() == wanted);
}
