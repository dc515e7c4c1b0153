//! The command line as its users meet it: grammar, help, exit codes, and the verbs that need no engine.
#![expect(clippy::unwrap_used, reason = "a fixture that can't be made is a failed test")]

mod fixtures;
mod grammar;
mod keyless;
mod places;
mod references;
mod saved_plans;
mod secrecy;
mod secrets;
mod stacks;
mod stored;
mod terminal;
mod usage;
mod verbs;
