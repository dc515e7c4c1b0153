//! Observing: what really exists of what state knows, what is looked up, imported or adopted.

mod observed;

pub use observed::{Observed, Sighting};
