//! The printer: what goes to which stream, in which mode.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use insta::assert_snapshot;

use super::fixtures::{address, every_operation, lake};
use crate::{
    desired::Hash,
    plan::{Op, Summary},
    provider::Changed,
    report::{Diagnostic, Error, Event, Mode, Observer, Printer, Style},
};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn printer(mode: Mode) -> (Printer, Captured, Captured) {
    let (out, err) = (Captured::default(), Captured::default());
    let style = Style { mode, ..Style::PLAIN };
    (Printer::new(style, Box::new(out.clone()), Box::new(err.clone())), out, err)
}

fn failure() -> Diagnostic {
    Diagnostic::error("cannot create catalog `lake`")
        .detail("permission denied: you lack CREATE CATALOG on the metastore")
        .hint("ask a metastore admin for CREATE CATALOG")
        .about(&address("databricks:Catalog::lake"))
        .at("examples/prod.rs:42")
}

/// A run in which one step succeeds, one fails, and one is not begun.
fn run(printer: &Printer) {
    let finished = |name: &str, error: Option<Diagnostic>, skipped| Event::StepFinished {
        address: address(name),
        op: Op::Create,
        took: Duration::from_millis(1234),
        changed: if error.is_some() { Changed::Times(2) } else { Changed::Nothing },
        error,
        skipped,
    };
    let started = |name: &str| Event::StepStarted { address: address(name), op: Op::Create };
    let says = |state: &str| Event::StepProgress { address: address("aws:Bucket::landing"), state: state.into() };
    for event in [
        Event::ApplyStarted { steps: 3 },
        Event::Note("taking up what an interrupted run left".into()),
        started("aws:Bucket::landing"),
        says("PENDING: network"),
        says("PENDING: network"),
        says("RUNNING"),
        finished("aws:Bucket::landing", None, false),
        started("databricks:Catalog::lake"),
        finished("databricks:Catalog::lake", Some(failure()), false),
        finished("databricks:Schema::sales", None, true),
        Event::Diagnostic(Diagnostic::warning("the account has two metastores")),
        Event::Done {
            ok: false,
            summary: Summary([("create".to_owned(), 1), (Summary::PARTLY.to_owned(), 1)].into()),
            snapshot: Some(Hash::of(b"snapshot")),
        },
    ] {
        printer.event(&event);
    }
    printer.error(&Error::all(vec![failure(), Diagnostic::error("1 of 3 steps failed")]));
}

#[test]
fn a_pipe_sees_stable_lines_and_each_failure_once() {
    let (printer, out, err) = printer(Mode::Plain);
    run(&printer);
    printer.finish(false).unwrap();
    assert_snapshot!(out.text(), @"Not finished: 1 created, 1 done in part.");
    assert_snapshot!(err.text());
}

#[test]
fn a_program_sees_one_object_a_line_and_a_last_one() {
    let (printer, out, _) = printer(Mode::Json);
    printer.text("for people");
    run(&printer);
    printer.finish(false).unwrap();
    assert_snapshot!(out.text());
    for line in out.text().lines() {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(object["event"].is_string() && object["schema"] == 1, "{line}");
    }
    assert!(out.text().lines().last().is_some_and(|line| line.contains("\"event\":\"done\"")), "{}", out.text());
}

#[test]
fn a_command_without_events_still_ends_with_done_for_programs() {
    let (printer, out, _) = printer(Mode::Json);
    printer.error(&Diagnostic::error("no credentials").into());
    printer.finish(false).unwrap();
    let last = out.text().lines().last().map(str::to_owned).unwrap();
    assert!(last.contains("\"event\":\"done\"") && last.contains("\"ok\":false"), "{last}");
}

#[test]
fn warnings_of_a_plan_are_shown_once() {
    for mode in [Mode::Plain, Mode::Json] {
        let (printer, out, err) = printer(mode);
        let plan = every_operation();
        let warning = plan.warnings[0].clone();
        printer.event(&Event::Plan(std::sync::Arc::new(plan)));
        printer.event(&Event::Diagnostic(warning));
        let stream = if mode == Mode::Plain { out.text() + &err.text() } else { out.text() };
        assert_eq!(stream.matches("you may lose access").count(), 1, "{stream}");
    }
}

#[test]
fn a_reader_who_goes_away_is_no_failure_but_a_full_disk_is() {
    struct Failing(io::ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    for (kind, whole) in [(io::ErrorKind::BrokenPipe, true), (io::ErrorKind::StorageFull, false)] {
        let printer = Printer::new(Style::PLAIN, Box::new(Failing(kind)), Box::new(Captured::default()));
        printer.event(&Event::Plan(std::sync::Arc::new(lake())));
        printer.text("more");
        assert_eq!(printer.finish(true).is_ok(), whole, "{kind}");
    }
}

#[test]
fn colours_of_a_run() {
    let (out, err) = (Captured::default(), Captured::default());
    let style = Style { colour: true, error_colour: true, ..Style::PLAIN };
    let printer = Printer::new(style, Box::new(out.clone()), Box::new(err.clone()));
    run(&printer);
    assert_snapshot!((out.text() + &err.text()).replace('\u{1b}', "␛"));
}
