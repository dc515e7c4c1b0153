//! Diagnostics: what went wrong, why, and what to do next, with the resource and the line of the user's program.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    desired::Address,
    provider::{ErrorKind, ProviderError},
    scrub::Known,
};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The command fails.
    Error,
    /// The command goes on.
    Warning,
}

/// One thing that a user should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What happened, in one line: lower case, no full stop, the thing named.
    pub summary: String,
    /// Why: what was wanted and what was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The next step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The resource it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// The place in the user's program: `examples/prod.rs:42`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Whether the failed call of a provider that it tells of was denied, or never reached it. Of this process only.
    #[serde(skip)]
    pub(crate) kind: Option<ErrorKind>,
}

impl Diagnostic {
    /// An error with this summary.
    pub fn error(summary: impl Into<String>) -> Self {
        let (severity, summary) = (Severity::Error, summary.into());
        Self { severity, summary, detail: None, hint: None, address: None, at: None, kind: None }
    }

    /// A warning with this summary.
    pub fn warning(summary: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(summary) }
    }

    /// With the reason.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// With the next step.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// About this resource.
    pub fn about(mut self, address: &Address) -> Self {
        self.address = Some(address.clone());
        self
    }

    /// Caused at this place of the user's program.
    pub fn at(mut self, at: &str) -> Self {
        self.at = Some(at.to_owned());
        self
    }

    /// Without any of these secrets.
    pub(crate) fn scrubbed(self, known: &Known) -> Self {
        if known.is_empty() {
            return self;
        }
        let without = |text: String| known.taken_out_of(&text);
        let address = self.address.filter(|address| !known.are_in(address.as_str()));
        let (detail, hint) = (self.detail.map(without), self.hint.map(without));
        Self { summary: without(self.summary), detail, hint, address, ..self }
    }

    /// From a failed provider call: its message, its causes, its hint.
    pub fn of_provider(summary: impl Into<String>, error: &ProviderError) -> Self {
        let mut detail = error.message.clone();
        // Others may name a field, by a text that is not ours.
        let kind = matches!(error.kind, ErrorKind::Denied | ErrorKind::Unavailable).then(|| error.kind.clone());
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            detail.push_str(": ");
            detail.push_str(&cause.to_string());
            source = cause.source();
        }
        Self { hint: error.hint.clone(), kind, ..Self::error(summary).detail(detail) }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{word}: {}", self.summary)?;
        if let Some(detail) = &self.detail {
            write!(f, "\n  {}", detail.replace('\n', "\n  "))?;
        }
        match (&self.address, &self.at) {
            (Some(address), Some(at)) => write!(f, "\n  at {at} ({address})")?,
            (Some(address), None) => write!(f, "\n  on {address}")?,
            (None, Some(at)) => write!(f, "\n  at {at}")?,
            (None, None) => {}
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {}", hint.replace('\n', "\n        "))?;
        }
        Ok(())
    }
}

/// Why a program or a command failed: one or more diagnostics, all found at once where that is possible.
///
/// Any error becomes one with `?`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    diagnostics: Vec<Diagnostic>,
    interrupted: bool,
}

impl Error {
    /// Several findings at once.
    pub fn all(diagnostics: Vec<Diagnostic>) -> Self {
        Self { diagnostics, interrupted: false }
    }

    /// No failure: a person or a supervisor stopped the command.
    pub(crate) fn interrupted() -> Self {
        Self { diagnostics: Vec::new(), interrupted: true }
    }

    /// Whether the command was stopped.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    /// Without any of these secrets.
    pub(crate) fn scrubbed(self, known: &Known) -> Self {
        let diagnostics = self.diagnostics.into_iter().map(|diagnostic| diagnostic.scrubbed(known));
        Self { diagnostics: diagnostics.collect(), ..self }
    }

    /// What is to be shown.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.diagnostics.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl From<Diagnostic> for Error {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::all(vec![diagnostic])
    }
}

impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        Diagnostic::error(text).into()
    }
}
