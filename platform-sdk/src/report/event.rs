//! What happens during a command, as it happens: the one stream that every report is made of.

use std::{sync::Arc, time::Duration};

use crate::{
    desired::{Address, Hash},
    plan::{Op, Plan, Sealed, Step, Summary, Unmanaged},
    provider::Changed,
    report::Diagnostic,
};

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The plan is made.
    Plan(Arc<Plan>),
    /// What reality differs in from state: changes read from state to reality.
    Drift {
        /// One for each resource that differs.
        steps: Vec<Step>,
        /// What else was changed, in fields that the program does not set.
        unmanaged: Vec<Unmanaged>,
        /// Secrets that were not compared, for there is no key to them.
        sealed: Vec<Sealed>,
        /// Why there is none, where that is so.
        keyless: Option<String>,
        /// State is made to say the same.
        accepted: bool,
        /// All could be compared. Otherwise diagnostics say what could not, and why.
        complete: bool,
    },
    /// The apply begins; how many steps it has.
    ApplyStarted {
        /// Steps that do something.
        steps: usize,
    },
    /// A step begins.
    StepStarted {
        /// The resource.
        address: Address,
        /// What is done.
        op: Op,
    },
    /// The service's words for what a running step waits for.
    StepProgress {
        /// The resource.
        address: Address,
        /// `PROVISIONING: network is being made`.
        state: String,
    },
    /// Something takes longer than ten seconds: why.
    Waiting {
        /// The resource whose step waits; `None` where it is about no single one.
        address: Option<Address>,
        /// What is waited for.
        reason: String,
        /// Since it began.
        waited: Duration,
    },
    /// A step ended.
    StepFinished {
        /// The resource.
        address: Address,
        /// What was done.
        op: Op,
        /// Since it began.
        took: Duration,
        /// Why it failed.
        error: Option<Diagnostic>,
        /// It was not begun, because of what failed before it.
        skipped: bool,
        /// What it has changed all the same, where it did not come to its end.
        changed: Changed,
    },
    /// Something that should be known.
    Diagnostic(Diagnostic),
    /// A line for people, such as what was recovered: never part of `--json`.
    Note(String),
    /// The command ended.
    Done {
        /// Whether it did what it was to do.
        ok: bool,
        /// What was done, counted.
        summary: Summary,
        /// The snapshot now.
        snapshot: Option<Hash>,
    },
}

/// Whoever wants to know.
pub trait Observer: Send + Sync {
    /// Takes one event; must not block.
    fn event(&self, event: &Event);
}
