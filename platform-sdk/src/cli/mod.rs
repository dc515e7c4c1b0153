//! The command line: arguments, surroundings, and one file per verb.

mod arguments;
mod context;
mod interrupts;
mod run;
mod verbs;

#[cfg(test)]
mod tests;

pub(crate) use arguments::{
    DriftArguments, ImportArguments, PlanArguments, RollbackArguments, StackRemoveArguments, StateCopyArguments,
    StateExportArguments, StateForgetArguments, StateImportArguments, StateMoveArguments, StatePruneArguments,
    StateRotateArguments, StateUnlockArguments, UpArguments, Verb, parse,
};
pub(crate) use context::{Context, Declared, Embedded, Exit, STATE};
pub(crate) use interrupts::Interrupts;
pub(crate) use run::{failed, main};
pub(crate) use verbs::{run as run_verb, serve};
