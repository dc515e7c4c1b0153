//! What people and programs see: diagnostics, plans, progress, events.

mod diagnostic;

pub use diagnostic::{Diagnostic, Error, Severity};
