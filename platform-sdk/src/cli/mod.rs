//! The command line: arguments, surroundings, and one file per verb.

mod arguments;
mod context;
mod run;
mod verbs;

#[cfg(test)]
mod tests;

pub(crate) use arguments::{
    DriftArguments, ImportArguments, PlanArguments, RollbackArguments, StateForgetArguments, StateMoveArguments,
    StateUnlockArguments, UpArguments,
};
pub(crate) use context::{Context, Exit};
pub(crate) use run::main;
