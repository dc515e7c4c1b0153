//! A command line run in this process, with its streams captured.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::{Arc, Mutex},
};

use serde_json::json;

use crate::{
    Data, Program,
    cli::{context::Exit, run::Process},
    interpolate,
    report::{Mode, Printer, Style},
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

/// What a command said and how it ended.
pub(super) struct Ran {
    pub(super) exit: Exit,
    pub(super) out: String,
    pub(super) err: String,
}

/// A program of two resources, one made of the other.
pub(super) fn program() -> Program {
    Program::new("acme-data", |stack| {
        let region: String = stack.config_or("region", "eu-west-1".to_owned())?;
        let raw = stack.add("raw", Data::new(json!({"region": region})));
        stack.add("copy", Data::new(interpolate!("{}-copy", raw.output).json()));
        Ok(())
    })
    .stack("prod")
}

/// Runs `line` of this program, without a terminal, over state of its own: a command of a test leaves nothing beside
/// the sources.
pub(super) fn run_program(program: Program, line: &[&str], environment: &[(&str, &str)]) -> Ran {
    run_styled(program, line, environment, Style::PLAIN)
}

/// The same where both streams are terminals, with colours.
pub(super) fn run_at_terminal(program: Program, line: &[&str], environment: &[(&str, &str)]) -> Ran {
    let (columns, error_columns) = (Some(80), Some(80));
    run_styled(
        program,
        line,
        environment,
        Style { colour: true, error_colour: true, columns, error_columns, ..Style::PLAIN },
    )
}

fn run_styled(program: Program, line: &[&str], environment: &[(&str, &str)], shape: Style) -> Ran {
    let (out, err) = (Captured::default(), Captured::default());
    let mut environment: BTreeMap<_, _> =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let state = tempfile::tempdir().unwrap();
    environment.entry("PLATFORM_STATE".to_owned()).or_insert_with(|| state.path().display().to_string());
    let line = std::iter::once("prod").chain(line.iter().copied()).map(Into::into).collect();
    let (stdout, stderr) = (out.clone(), err.clone());
    let exit = Process { line, environment, attended: false, signalled: false }.run(program, move |style| {
        let mode = if style.mode == Mode::Json { Mode::Json } else { Mode::Plain };
        Printer::new(Style { mode, verbose: style.verbose, ..shape }, Box::new(stdout), Box::new(stderr))
    });
    Ran { exit, out: out.text(), err: err.text() }
}

/// Runs `line` of the usual program.
pub(super) fn run(line: &[&str]) -> Ran {
    run_program(program(), line, &[])
}
