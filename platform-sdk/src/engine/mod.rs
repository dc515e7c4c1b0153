//! The verbs: one orchestrator each, an ordered list of stage calls.

mod survey;
mod verbs;

pub(crate) use survey::{Offline, Survey, Surveyed};
pub(crate) use verbs::{
    destroy, drift, history, import, plan, rollback, snapshot, state_export, state_forget, state_move, state_repair,
    state_unlock, up,
};
