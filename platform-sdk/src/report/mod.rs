//! What people and programs see: diagnostics, plans, progress, events.

mod diagnostic;
mod event;

pub use diagnostic::{Diagnostic, Error, Severity};
pub use event::{Event, Observer};
