//! SQL statements: `/api/2.0/sql/statements`. Enough SQL for what a provider sends: DDL of tables, and comments.

mod alter;
mod create;
mod execute;
mod lexer;
mod parse;
mod service;
mod syntax;
mod types;

pub(super) use service::ROUTES;

/// Why a statement failed: the service's error class, SQLSTATE, and a message.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SqlError {
    class: &'static str,
    state: &'static str,
    message: String,
}

impl SqlError {
    fn new(class: &'static str, state: &'static str, message: impl Into<String>) -> Self {
        Self { class, state, message: message.into() }
    }

    fn syntax(near: &str) -> Self {
        Self::new("PARSE_SYNTAX_ERROR", "42601", format!("Syntax error at or near {near}."))
    }

    /// As the service writes it: class in brackets, message, SQLSTATE.
    fn text(&self) -> String {
        format!("[{}] {} SQLSTATE: {}", self.class, self.message, self.state)
    }
}
