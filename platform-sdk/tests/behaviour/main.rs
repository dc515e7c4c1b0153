//! How runs behave: a file for each behaviour, over the harness and a service of these tests' own.
//!
//! Where a run is killed, stopped or has company, other files prove it:
//!
//! | what | where |
//! |---|---|
//! | killed at any await, lost and late answers, lag, damage by others | `tests/simulation/` |
//! | `prod` killed at every fault point, every answer lost | `tests/tests/prod_killed.rs` of the workspace |
//! | interrupts, at any time; a reader that has gone | `tests/tests/interrupted.rs` |
//! | two runs at once | `tests/tests/two_runs.rs` |
//! | a panic or an error in the program plans nothing | `tests/tests/bad_input.rs` |
//! | waiting for readiness slows nobody | `tests/timing/not_ready.rs` |

mod circles;
mod commands;
mod support;
mod yard;

mod components;
mod containment;
mod data;
mod deleted_with;
mod drift;
mod held_back;
mod ignore_changes;
mod imports;
mod interrupted;
mod interrupted_replacement;
mod judged;
mod logins;
mod lookups;
mod lost_answers;
mod may_replace;
mod moves;
mod options_only;
mod ordering;
mod protect;
mod read_only;
mod references;
mod refresh;
mod renames;
mod replace_order;
mod retain_on_delete;
mod schema_versions;
mod scope;
mod state_by_hand;
mod targets;
mod timeouts;
mod unset_fields;
mod unsettled;
