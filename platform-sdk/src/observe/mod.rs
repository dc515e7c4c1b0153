//! Observing: what really exists of what state knows, what is looked up, imported or adopted.

mod backoff;
mod callers;
mod conceal;
mod connections;
mod halfway;
mod lagging;
mod look;
mod newcomers;
mod observed;
mod paced;
mod patience;
mod reach;
mod recognise;
mod refresh;
mod renamed_place;
mod settle;
mod strangers;
mod unready;

pub(crate) use backoff::Backoff;
pub use callers::callers;
pub use connections::{Connections, Identity};
pub(crate) use halfway::{halfway, known_by, renamed, renamed_unseen};
pub(crate) use look::{Looked, Looks, Unanswered};
pub use observed::{Observed, Sighting};
pub(crate) use recognise::{PATIENCE, may_have_happened};
pub(crate) use refresh::{BUILTIN, look_up, request};
pub use refresh::{Reading, contents, observe, observe_again};
pub use settle::{Doubt, Settled, Unsettled, settle};
pub(crate) use settle::{listed, renames, without_unseen};
