//! The plan: how observed, last applied and desired inputs differ, and the steps that make them one. Pure.

mod access;
mod actions;
mod build;
mod compare;
mod containment;
mod cycles;
mod decide;
mod decisions;
mod diff;
mod guard;
mod hand_over;
mod held;
mod ignore;
mod moves;
mod ordering;
mod outputs;
mod shown;
mod step;
mod target;
mod unmanaged;

pub use access::{AccessChange, access_changes, locked_out};
pub use actions::{Action, Actions, Kind};
pub use build::{Course, Planned, Wanted, change, plan};
pub use compare::{Compared, compare, differs};
pub use decide::Decision;
pub use decisions::Decisions;
pub use diff::{Difference, Sides, Verdict, diff, diff_as_far_as_opened};
pub use guard::Consent;
pub use hand_over::{HandOver, owner_fields};
pub use moves::{carry_over, entangled, moved, readdressing, renamed, unmoved};
pub use outputs::outputs;
pub use shown::Shown;
pub use step::{Change, ChangeKind, Cost, Op, Plan, Sealed, Step, Summary};
pub use target::Targets;
pub use unmanaged::{Seen, Unmanaged, baseline, departures, leaves_open, renewed};
