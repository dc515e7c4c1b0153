//! The printer: the one place that writes to stdout and stderr, for people, for pipes, or as JSON.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal, Write},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anstream::{AutoStream, ColorChoice};
use dialoguer::console::Term;
use serde_json::Value;

use super::{
    diagnostic_text::diagnostic_lines,
    drift_text::drift_view,
    escape::one_line,
    json::{diagnostic_json, event_json},
    plan_text::{View, plan_pieces},
    progress::{Live, Outcome, done_line, finished_line},
    sink::Sink,
    style::Paint,
    words,
};
use crate::{
    desired::Address,
    plan::{Plan, Summary},
    report::{Diagnostic, Error, Event, Observer},
};

/// How much text is put together before it is written, in bytes.
const AT_ONCE: usize = 1 << 16;

/// What output is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A person at a terminal: a live tree and, unless told otherwise, colours.
    Human,
    /// A pipe or a file: plain, stable lines.
    Plain,
    /// A program: one JSON object a line on stdout.
    Json,
}

/// How a printer is to write.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// What for.
    pub mode: Mode,
    /// Colours on stdout.
    pub colour: bool,
    /// Colours on stderr.
    pub error_colour: bool,
    /// Nothing folded, nothing left out.
    pub verbose: bool,
    /// The columns of the terminal that stdout is; `None`: a pipe or a file.
    pub columns: Option<usize>,
    /// The same for stderr.
    pub error_columns: Option<usize>,
}

impl Style {
    /// Plain text without colours: what a pipe gets.
    pub const PLAIN: Self = Self {
        mode: Mode::Plain,
        colour: false,
        error_colour: false,
        verbose: false,
        columns: None,
        error_columns: None,
    };

    /// What suits this process's streams, `NO_COLOR` and `TERM`.
    pub fn of_process(json: bool, no_color: bool, verbose: bool, environment: &BTreeMap<String, String>) -> Self {
        let set = |name: &str| environment.get(name).is_some_and(|value| !value.is_empty());
        let dumb = environment.get("TERM").is_some_and(|term| term == "dumb");
        let colourful = !json && !no_color && !set("NO_COLOR") && !dumb;
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let mode = match (json, err && !dumb) {
            (true, _) => Mode::Json,
            (false, true) => Mode::Human,
            (false, false) => Mode::Plain,
        };
        let (columns, error_columns) = (out.then(|| columns(&Term::stdout())), err.then(|| columns(&Term::stderr())));
        Self { mode, colour: colourful && out, error_colour: colourful && err, verbose, columns, error_columns }
    }

    /// How a plan is to look on stdout.
    fn view(self) -> View {
        let folded = self.columns.is_some() && !self.verbose;
        View { colour: self.colour, verbose: self.verbose, folded, columns: self.columns }
    }
}

fn columns(terminal: &Term) -> usize {
    let (_, columns) = terminal.size();
    usize::from(columns).clamp(40, 120)
}

/// Writes everything that a command has to say. Cheap to share; each write is whole.
pub struct Printer {
    style: Style,
    inner: Mutex<Inner>,
}

struct Inner {
    out: Sink,
    err: Sink,
    live: Option<Live>,
    apply_started: Option<Instant>,
    states: BTreeMap<Address, String>,
    shown: Vec<Diagnostic>,
    failures: Vec<Diagnostic>,
    /// How the command ended; for programs it is the last line, so it waits for what is still to be said.
    done: Option<Event>,
}

impl Printer {
    /// A printer on this process's streams.
    pub fn of_process(style: Style) -> Self {
        // What takes colours may have to be told to. Without them a stream is left as it is: no byte is lost.
        let mut out: Box<dyn Write + Send> = Box::new(io::stdout());
        let mut err: Box<dyn Write + Send> = Box::new(io::stderr());
        if style.colour {
            out = Box::new(AutoStream::new(io::stdout(), ColorChoice::Always));
        }
        if style.error_colour {
            err = Box::new(AutoStream::new(io::stderr(), ColorChoice::Always));
        }
        Self::new(style, out, err)
    }

    /// A printer on these streams.
    pub fn new(style: Style, out: Box<dyn Write + Send>, err: Box<dyn Write + Send>) -> Self {
        let inner = Inner {
            out: Sink::new(out, style.columns, style.colour),
            err: Sink::new(err, style.error_columns, style.error_colour),
            live: None,
            apply_started: None,
            states: BTreeMap::new(),
            shown: Vec::new(),
            failures: Vec::new(),
            done: None,
        };
        Self { style, inner: Mutex::new(inner) }
    }

    /// How it writes.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Whether stdout is for programs.
    pub fn is_json(&self) -> bool {
        self.style.mode == Mode::Json
    }

    /// Text on stdout, for people; not part of `--json`.
    pub fn text(&self, text: &str) {
        if !self.is_json() {
            self.lock().write_out(text);
        }
    }

    /// The same for what is copied or read by a program: no line of it is broken.
    pub fn data(&self, text: &str) {
        if !self.is_json() {
            self.raw(text);
        }
    }

    /// Data on stdout in every mode: what is asked for by name and not an event, such as an export.
    pub fn raw(&self, text: &str) {
        self.lock().on_out(|out| out.write(text));
    }

    /// Help, with colours of its own: there is nobody's data in it.
    pub(crate) fn help(&self, text: &str) {
        self.lock().on_out(|out| out.put(text));
    }

    /// An object on stdout, for programs.
    pub fn object(&self, object: &Value) {
        if self.is_json() {
            self.raw(&format!("{object}\n"));
        }
    }

    /// A line on stderr, for people.
    pub fn note(&self, text: &str) {
        self.lock().write_err(&format!("{}\n", one_line(text)));
    }

    /// A diagnostic, unless it was shown before.
    pub fn diagnostic(&self, diagnostic: &Diagnostic) {
        self.lock().diagnostic(self.style, diagnostic);
    }

    /// Why a command failed: each diagnostic once.
    pub fn error(&self, error: &Error) {
        let mut inner = self.lock();
        inner.end_tree();
        error.diagnostics().iter().for_each(|diagnostic| inner.diagnostic(self.style, diagnostic));
    }

    /// A question on stderr, to be answered on its line.
    pub fn ask(&self, question: &str) {
        let mut inner = self.lock();
        inner.end_tree();
        inner.write_err(question);
    }

    /// Runs `ask` with the live tree taken away.
    pub fn suspended<T>(&self, ask: impl FnOnce() -> T) -> T {
        self.lock().end_tree();
        ask()
    }

    /// Ends the output: for programs the last line is always `done`. Says whether all of it could be written.
    ///
    /// # Errors
    /// When stdout could not be written for another reason than that its reader has gone.
    pub fn finish(&self, ok: bool) -> io::Result<()> {
        let mut inner = self.lock();
        inner.end_tree();
        if self.is_json() {
            let done = inner.done.take();
            let done = done.unwrap_or(Event::Done { ok, summary: Summary::default(), snapshot: None });
            inner.write_object(&done);
        }
        match inner.out.failure.take() {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic while printing leaves nothing half-done that the next line would suffer from.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Printer {
    fn event(&self, event: &Event) {
        let mut inner = self.lock();
        if self.is_json() {
            inner.json_event(event);
        } else {
            inner.text_event(self.style, event);
        }
    }
}

impl Inner {
    fn write_out(&mut self, text: &str) {
        self.on_out(|out| out.write_prose(text));
    }

    fn on_out(&mut self, write: impl FnOnce(&mut Sink)) {
        let Self { out, live, .. } = self;
        match live {
            Some(live) => live.suspend(|| write(out)),
            None => write(out),
        }
    }

    fn write_err(&mut self, text: &str) {
        let Self { err, live, .. } = self;
        match live {
            Some(live) => live.suspend(|| err.write_prose(text)),
            None => err.write_prose(text),
        }
    }

    fn end_tree(&mut self) {
        if let Some(live) = self.live.take() {
            live.end();
        }
    }

    fn diagnostic(&mut self, style: Style, diagnostic: &Diagnostic) {
        if self.shown.contains(diagnostic) {
            return;
        }
        self.shown.push(diagnostic.clone());
        if style.mode == Mode::Json {
            self.on_out(|out| out.write(&format!("{}\n", diagnostic_json(diagnostic))));
        }
        // Programs find it on stdout; whoever reads their log finds it on stderr, too.
        let paint = Paint { colour: style.error_colour };
        self.write_err(&format!("{}\n", diagnostic_lines(diagnostic, paint, style.error_columns)));
    }

    fn write_object(&mut self, event: &Event) {
        if let Some(object) = event_json(event) {
            self.on_out(|out| out.write(&format!("{object}\n")));
        }
    }

    fn json_event(&mut self, event: &Event) {
        match event {
            Event::Diagnostic(diagnostic) => {
                return self.diagnostic(Style { mode: Mode::Json, ..Style::PLAIN }, diagnostic);
            }
            Event::StepFinished { error, .. } => self.shown.extend(error.clone()),
            Event::Done { .. } => {
                self.done = Some(event.clone());
                return;
            }
            Event::Plan(_)
            | Event::Drift { .. }
            | Event::ApplyStarted { .. }
            | Event::StepStarted { .. }
            | Event::StepProgress { .. }
            | Event::Waiting { .. }
            | Event::Note(_) => {}
        }
        self.write_object(event);
        if let Event::Plan(plan) = event {
            for warning in &plan.warnings {
                self.diagnostic(Style { mode: Mode::Json, ..Style::PLAIN }, warning);
            }
        }
    }

    fn text_event(&mut self, style: Style, event: &Event) {
        let paint = Paint { colour: style.error_colour };
        match event {
            Event::Plan(plan) => {
                self.plan(plan, style.view());
                self.shown.extend(plan.warnings.iter().cloned());
            }
            Event::Drift { steps, unmanaged, sealed, keyless, accepted, complete } => {
                let (found, keyless) = ((&steps[..], &unmanaged[..]), (keyless.as_deref(), &sealed[..]));
                self.write_out(&drift_view(found, keyless, (*accepted, *complete), style.view()));
            }
            Event::ApplyStarted { steps } => {
                self.apply_started = Some(Instant::now());
                self.live = (style.mode == Mode::Human).then(|| Live::start(*steps, paint, style.error_columns));
            }
            Event::StepStarted { address, op } => match &mut self.live {
                Some(live) => live.step_started(address, op),
                None => self.write_err(&format!("{address}: {}\n", words::doing(op))),
            },
            Event::StepProgress { address, state } => self.step_progress(address, state),
            Event::Waiting { address, reason, waited } => self.waiting(address.as_ref(), reason, *waited),
            Event::StepFinished { address, op, took, error, skipped, changed } => {
                let ended = match (error, skipped) {
                    (Some(_), _) => Outcome::Failed,
                    (None, true) => Outcome::Skipped,
                    (None, false) => Outcome::Done,
                };
                self.failures.extend(error.clone());
                let took = (style.mode == Mode::Human).then_some(*took);
                let text = finished_line(address, op, (ended, *changed), paint, took);
                match &mut self.live {
                    Some(live) => live.step_finished(address, &text),
                    None => self.write_err(&format!("{text}\n")),
                }
            }
            Event::Diagnostic(diagnostic) => self.diagnostic(style, diagnostic),
            Event::Note(note) => self.write_err(&format!("{}\n", one_line(note))),
            Event::Done { ok, summary, .. } => self.text_done(style, *ok, summary),
        }
    }

    fn plan(&mut self, plan: &Plan, view: View) {
        let mut text = String::new();
        for piece in plan_pieces(plan, view) {
            text.push_str(&piece);
            if text.len() >= AT_ONCE {
                self.write_out(&text);
                text.clear();
            }
        }
        self.write_out(&text);
    }

    /// Off a terminal a state is worth a line only when it is another than before.
    fn step_progress(&mut self, address: &Address, state: &str) {
        if let Some(live) = &self.live {
            live.step_progress(address, state);
        } else if self.states.get(address).is_none_or(|before| before != state) {
            self.states.insert(address.clone(), state.to_owned());
            self.write_err(&format!("{address}: {}\n", one_line(state)));
        }
    }

    /// The tree has a clock for each step, and only wants to know why.
    fn waiting(&mut self, address: Option<&Address>, reason: &str, waited: Duration) {
        match (&self.live, address) {
            (Some(live), Some(address)) if live.shows(address) => live.step_progress(address, reason),
            (_, address) => {
                let of = address.map(|address| format!("{address}: ")).unwrap_or_default();
                self.write_err(&format!("{of}waiting for {} s: {}\n", waited.as_secs(), one_line(reason)));
            }
        }
    }

    /// Failures stand at the end, where they are still to be seen.
    fn text_done(&mut self, style: Style, ok: bool, summary: &Summary) {
        self.end_tree();
        for failure in std::mem::take(&mut self.failures) {
            self.diagnostic(style, &failure);
        }
        if let Some(started) = self.apply_started.take() {
            let took: Option<Duration> = (style.mode == Mode::Human).then(|| started.elapsed());
            let line = done_line(ok, summary, Paint { colour: style.colour }, took);
            self.write_out(&format!("{line}\n"));
        }
    }
}
