//! Applying: carries out a plan's actions, journal first, as soon as what they need is done.

mod apart;
mod context;
mod created;
mod down;
mod end;
mod force;
mod hand_over;
mod heard;
mod held;
mod inside;
mod lately;
mod ledger;
mod live;
mod make;
mod ready;
mod reidentify;
mod retry;
mod schedule;
mod scrub;
mod slots;
mod steps;
mod update;

pub use ledger::{Ledger, Memory};
pub(crate) use live::references;
pub use live::with_defaults;
pub use schedule::{Applied, Apply, Settings, apply};
pub use scrub::Scrub;
