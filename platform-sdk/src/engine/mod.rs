//! The verbs: one orchestrator each, an ordered list of stage calls.

mod apply;
mod drift;
mod import;
mod ledger;
mod preview;
mod saved;
mod session;
mod signals;
mod stored;
mod survey;

pub(crate) use apply::{destroy, rollback, up};
pub(crate) use drift::drift;
pub(crate) use import::import;
pub(crate) use preview::plan;
pub(crate) use stored::{history, snapshot, state_export, state_forget, state_move, state_repair, state_unlock};
pub(crate) use survey::{Offline, Survey, Surveyed};
