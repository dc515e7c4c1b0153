//! The verbs: one orchestrator each, an ordered list of stage calls.

mod apply;
mod baseline;
mod commit;
mod drift;
mod import;
mod known;
mod leases;
mod ledger;
mod mend;
mod place;
mod preview;
mod references;
mod saved;
mod session;
mod stacks;
mod stored;
mod survey;
mod upkeep;

pub(crate) use apply::{destroy, rollback, up};
pub(crate) use drift::drift;
pub(crate) use import::import;
pub(crate) use known::{Known, printed};
pub(crate) use mend::{state_forget, state_import, state_move};
pub(crate) use place::find;
pub(crate) use preview::plan;
pub(crate) use references::Elsewhere;
pub(crate) use saved::parse as saved_plan;
pub(crate) use stacks::{stack_list, stack_remove};
pub(crate) use stored::{history, snapshot, state_export, state_unlock};
pub(crate) use survey::{Offline, Survey, Surveyed};
pub(crate) use upkeep::{state_copy, state_prune, state_repair, state_rotate};
