//! The verbs: one orchestrator each, an ordered list of stage calls.

mod survey;

pub(crate) use survey::{Offline, Survey, Surveyed};
