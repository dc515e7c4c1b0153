//! What people and programs see: diagnostics, plans, progress, events.

mod change_text;
mod diagnostic;
mod diagnostic_text;
mod drift_text;
mod escape;
mod event;
mod graph;
mod json;
mod line_diff;
mod plan_html;
mod plan_markdown;
mod plan_text;
mod printer;
mod progress;
mod rust_code;
mod rust_words;
mod silence;
mod sink;
mod state_text;
mod style;
mod values;
mod words;
mod wrap;

#[cfg(test)]
mod tests;

pub use diagnostic::{Diagnostic, Error, Severity};
pub use diagnostic_text::diagnostic_text;
pub(crate) use escape::one_line;
pub use event::{Event, Observer};
pub use graph::{dot, mermaid};
pub use json::{diagnostic_json, event_json, object, plan_json};
pub use plan_html::plan_html;
pub use plan_markdown::plan_markdown;
pub use plan_text::{View, plan_text, plan_view};
pub use printer::{Mode, Printer, Style};
pub use rust_code::{Named, Place, rust_code};
pub use rust_words::{literal, variable};
pub(crate) use silence::{Silence, heard};
pub use state_text::{
    applied_outputs, output_json, output_text, outputs_text, state_list_json, state_list_text, state_show_json,
};
pub(crate) use {sink::LogWriter, state_text::state_show_text};
