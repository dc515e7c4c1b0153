//! From the process to a verb and back to its exit code.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io::{self, IsTerminal},
    process::ExitCode,
    sync::Arc,
};

use clap::error::ErrorKind;
use tracing_subscriber::EnvFilter;

use super::{
    arguments::{self, Arguments, Verb},
    context::{Context, Exit},
    interrupts::Interrupts,
    verbs,
};
use crate::{
    Program, Result,
    panics::print_no_secrets,
    report::{Diagnostic, Error, LogWriter, Printer, Style},
};

/// Runs the command line of this process.
pub(crate) fn main(program: Program) -> ExitCode {
    print_no_secrets();
    // Variables that are not UTF-8 can't be any of ours, nor of a service's.
    let environment: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let line: Vec<OsString> = std::env::args_os().collect();
    let attended = io::stdin().is_terminal() && io::stderr().is_terminal();
    let process = Process { line, environment, attended, signalled: true };
    ExitCode::from(process.run(program, Printer::of_process).code())
}

/// What a command takes from its process.
pub(super) struct Process {
    /// The program's name and its arguments.
    pub(super) line: Vec<OsString>,
    /// The environment.
    pub(super) environment: BTreeMap<String, String>,
    /// Somebody sits at a terminal.
    pub(super) attended: bool,
    /// Its signals are the command's.
    pub(super) signalled: bool,
}

impl Process {
    /// Runs the command; `printer` makes a printer of the style that the command line asks for.
    pub(super) fn run(self, program: Program, printer: impl FnOnce(Style) -> Printer) -> Exit {
        let about = format!("Plans and applies the data platform `{}`", program.project);
        let arguments = match arguments::parse(&about, self.line.iter().cloned()) {
            Ok(arguments) => arguments,
            Err(answer) => return self.answer(&answer, printer),
        };
        let Arguments { verb, globals } = arguments;
        let style = Style::of_process(globals.json, globals.no_color, globals.verbose > 0, &self.environment);
        log(globals.verbose);
        let printer = Arc::new(printer(style));
        let mut context = Context::new(program, globals, self.environment, printer.clone(), self.attended);
        let ended = drive(&mut context, &verb.unwrap_or_default(), self.signalled);
        let exit = ended.unwrap_or_else(|error| failed(&printer, &error));
        match printer.finish(exit.ok()) {
            Ok(()) => exit,
            // Whose terminal has gone does not hear it either.
            Err(_) if exit == Exit::Interrupted => exit,
            Err(error) => {
                let problem = Diagnostic::error("the output could not be written").detail(error.to_string());
                printer.diagnostic(&problem);
                Exit::Failed
            }
        }
    }

    /// Help and version are answers; all else is a usage error, which has its own exit code here.
    fn answer(&self, answer: &clap::Error, printer: impl FnOnce(Style) -> Printer) -> Exit {
        let asked = |flag: &str| self.line.iter().any(|argument| argument.to_str() == Some(flag));
        let style = Style::of_process(asked("--json"), asked("--no-color"), false, &self.environment);
        let printer = printer(style);
        if matches!(answer.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            let text = answer.render();
            printer.help(&if style.colour { text.ansi().to_string() } else { text.to_string() });
            return Exit::Done;
        }
        printer.diagnostic(&usage(answer));
        let _nobody_reads_it = printer.finish(false);
        Exit::Usage
    }
}

/// clap's words as a diagnostic: the first paragraph says what is wrong, the others what is possible.
fn usage(answer: &clap::Error) -> Diagnostic {
    let text = answer.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text).trim();
    let (summary, rest) = text.split_once("\n\n").unwrap_or((text, ""));
    let (summary, more) = summary.split_once('\n').unwrap_or((summary, ""));
    let rest = [more, rest].join("\n");
    let (detail, hint) = rest.split_once("For more information").unwrap_or((&rest, ""));
    let mut problem = Diagnostic::error(summary.trim_end_matches('.'));
    if !detail.trim().is_empty() {
        problem = problem.detail(detail.trim());
    }
    if hint.is_empty() { problem } else { problem.hint("--help lists what is possible") }
}

/// Says why a command did not come to its end.
pub(crate) fn failed(printer: &Printer, error: &Error) -> Exit {
    if error.is_interrupted() {
        printer.note("interrupted");
        return Exit::Interrupted;
    }
    printer.error(error);
    Exit::Failed
}

fn drive(context: &mut Context, verb: &Verb, signalled: bool) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        if signalled {
            context.interrupts = Interrupts::of_process(context.printer.clone())?;
        }
        verbs::run(context, verb).await
    });
    // What still waits for a service's answer must not hold up the end.
    runtime.shutdown_background();
    outcome
}

/// `-v`: this project's crates. Clients below them log whole requests at their finer levels, with credentials, so they
/// never go beyond `info`.
fn log(verbosity: u8) {
    let filter = match verbosity {
        0 => return,
        1 => "warn,platform_sdk=debug,platform_databricks=debug,platform_aws=debug",
        2 => "warn,platform_sdk=trace,platform_databricks=trace,platform_aws=trace",
        _ => "info,platform_sdk=trace,platform_databricks=trace,platform_aws=trace",
    };
    let subscriber = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(filter)).with_writer(LogWriter::default);
    // A program that set up its own subscriber before keeps it.
    let _has_one_already = subscriber.with_ansi(false).with_target(true).try_init();
}
