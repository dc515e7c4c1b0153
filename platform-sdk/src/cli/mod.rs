//! The command line: arguments, surroundings, and one file per verb.

mod arguments;
mod context;
mod run;
mod verbs;

#[cfg(test)]
mod tests;

pub(crate) use arguments::{
    DriftArguments, ImportArguments, PlanArguments, RollbackArguments, StateCopyArguments, StateExportArguments,
    StateForgetArguments, StateImportArguments, StateMoveArguments, StatePruneArguments, StateRotateArguments,
    StateUnlockArguments, UpArguments,
};
pub(crate) use context::{Context, Declared, Exit};
pub(crate) use run::main;
pub(crate) use verbs::serve;
