//! One command of a program as a future: a process's life that a test can slow down, stop, or end at any await.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

use crate::{
    Program,
    cli::{Context, Embedded, Exit, Interrupts, failed, parse, run_verb},
    report::{Mode, Printer, Style},
    state::{Clock, Store},
};

/// One command: a program, its arguments, and a store instead of a directory.
pub struct Command {
    /// The program.
    pub program: Program,
    /// The arguments: `["up", "--yes", "--json"]`.
    pub line: Vec<String>,
    /// Where its state is.
    pub store: Arc<dyn Store>,
    /// What stands for `.platform` on its machine: where it keeps what it learns after it has lost its store. Without,
    /// nothing is kept.
    pub folder: Option<PathBuf>,
    /// The environment; nothing else of the process's own is read.
    pub environment: BTreeMap<String, String>,
    /// What time it is, for what is written down.
    pub clock: Clock,
    /// Turns true to interrupt it, as the first Ctrl-C does.
    pub stop: watch::Receiver<bool>,
    /// Where it writes; can be read while it runs, and after it has been dropped.
    pub said: Said,
}

/// What a command has said so far.
#[derive(Debug, Clone, Default)]
pub struct Said {
    out: Stream,
    err: Stream,
}

impl Said {
    /// Its stdout.
    pub fn out(&self) -> String {
        self.out.text()
    }

    /// Its stderr.
    pub fn err(&self) -> String {
        self.err.text()
    }
}

impl Command {
    /// Runs it to its end and gives its exit code. Whoever drops the future before has killed the process: nothing is
    /// tidied up, apart from tasks of the runtime, which end with that.
    pub async fn run(self) -> u8 {
        let Self { program, line, store, folder, environment, clock, stop, said } = self;
        let line = std::iter::once("program".to_owned()).chain(line);
        let Ok(arguments) = parse("a program under test", line) else { return Exit::Usage.code() };
        let mode = if arguments.globals.json { Mode::Json } else { Mode::Plain };
        let style = Style { mode, ..Style::PLAIN };
        let printer = Arc::new(Printer::new(style, Box::new(said.out), Box::new(said.err)));
        let mut context = Context::new(program, arguments.globals, environment, printer.clone(), false);
        context.embedded = Some(Embedded { store, folder, clock });
        context.interrupts = Interrupts::by(stop);
        let verb = arguments.verb.unwrap_or_default();
        // All that a run is made of is too much to lie within the futures of whoever embeds it.
        let ended = Box::pin(run_verb(&mut context, &verb)).await;
        let exit = ended.unwrap_or_else(|error| failed(&printer, &error));
        match printer.finish(exit.ok()) {
            Ok(()) => exit.code(),
            Err(_) => Exit::Failed.code(),
        }
    }
}

#[derive(Debug, Clone, Default)]
struct Stream(Arc<Mutex<Vec<u8>>>);

impl Stream {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
