//! Snapshots of everything that a user sees, with colours off, and one of each kind with colours on.
#![expect(clippy::unwrap_used, reason = "a fixture that can't be made is a failed test")]

mod fixtures;
mod graphs;
mod plans;
mod printing;
mod rust;
mod states;
