//! SQL statements on a warehouse: sent, polled, and their failures classified.
//! <https://docs.databricks.com/api/workspace/statementexecution>
//!
//! A statement that failed is an answer of status 200. What is known of why is its error class, `[SCHEMA_NOT_FOUND]`.

use std::time::Duration;

use platform_sdk::provider::{Context, ErrorKind, ProviderError, ProviderResult, changed, waiting};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::client::{Client, path};

const STATEMENTS: &str = "api/2.0/sql/statements";
/// The pause after the first look; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// After this long it is asked why a statement does not run yet.
const SOON: Duration = Duration::from_secs(5);
/// A warehouse starts in minutes; a statement of ours takes seconds.
const PATIENCE: Duration = Duration::from_mins(20);

#[derive(Deserialize)]
struct Statement {
    statement_id: String,
    status: Status,
}

#[derive(Deserialize)]
struct Status {
    state: String,
    error: Option<Failure>,
}

#[derive(Deserialize, Default)]
struct Failure {
    #[serde(default)]
    error_code: String,
    #[serde(default)]
    message: String,
}

/// Runs a statement to its end. Starts the warehouse if it is stopped.
pub(super) async fn run(client: &Client, ctx: &Context, warehouse: &str, statement: &str) -> ProviderResult<()> {
    let body = json!({"warehouse_id": warehouse, "statement": statement, "wait_timeout": "0s"});
    let sent = client.post(format!("/{STATEMENTS}")).json(&body).happens_later().send::<Statement>().await;
    let mut now = sent.map_err(|mut error| {
        if error.is_not_found() {
            error.kind = ErrorKind::Invalid { field: Some("via".to_owned()) };
        }
        error
    })?;
    let (start, mut pause) = (Instant::now(), FIRST_PAUSE);
    loop {
        match now.status.state.as_str() {
            "SUCCEEDED" => {
                changed();
                return Ok(());
            }
            "PENDING" | "RUNNING" => {}
            state => return Err(failed(state, &now.status.error.unwrap_or_default())),
        }
        if start.elapsed() > PATIENCE {
            let message = format!("statement {} is still {}", now.statement_id, now.status.state);
            return Err(ProviderError::new(ErrorKind::TimedOut, message)
                .hint(format!("look at warehouse {warehouse}: does it start?")));
        }
        let words = words(client, warehouse, &now.status.state, start.elapsed()).await;
        ctx.progress(&words);
        waiting(&words, sleep(pause)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        now = client.get(path(STATEMENTS, [&now.statement_id])).send().await.map_err(|mut error| {
            // The statement runs on, whoever may not look at it.
            error.kind = ErrorKind::Ambiguous;
            error
        })?;
    }
}

/// What is waited for: soon, what keeps the warehouse from starting on the statement.
async fn words(client: &Client, warehouse: &str, state: &str, since: Duration) -> String {
    if state != "PENDING" || since < SOON {
        return state.to_owned();
    }
    let Ok(answer) = client.get(path("/api/2.0/sql/warehouses", [warehouse])).send::<Value>().await else {
        return state.to_owned();
    };
    let of_warehouse = answer["state"].as_str().unwrap_or_default();
    match answer["health"]["summary"].as_str().filter(|health| !health.is_empty()) {
        Some(health) => format!("{state}: the warehouse is {of_warehouse}: {health}"),
        None => format!("{state}: the warehouse is {of_warehouse}"),
    }
}

fn failed(state: &str, failure: &Failure) -> ProviderError {
    let message = failure.message.lines().next().unwrap_or_default().trim_end_matches('.');
    if message.is_empty() {
        return ProviderError::new(ErrorKind::Failed { replace: false }, format!("the statement ended as {state}"));
    }
    ProviderError::new(kind_of(&failure.error_code, class(message)), message)
}

/// `SCHEMA_NOT_FOUND` of `[SCHEMA_NOT_FOUND] The schema ...`, without a sub-class.
fn class(message: &str) -> &str {
    let named = message.strip_prefix('[').and_then(|rest| rest.split([']', '.']).next());
    named.unwrap_or_default()
}

fn kind_of(code: &str, class: &str) -> ErrorKind {
    match class {
        "TABLE_OR_VIEW_ALREADY_EXISTS" | "TABLE_ALREADY_EXISTS" => return ErrorKind::AlreadyExists,
        "TABLE_OR_VIEW_NOT_FOUND" | "SCHEMA_NOT_FOUND" | "CATALOG_NOT_FOUND" | "NO_SUCH_CATALOG_EXCEPTION" => {
            return ErrorKind::NotFound;
        }
        "INSUFFICIENT_PERMISSIONS" | "PERMISSION_DENIED" | "UNAUTHORIZED_ACCESS" => return ErrorKind::Denied,
        _ if class.starts_with("DELTA_CONCURRENT") => return ErrorKind::Conflict,
        _ => {}
    }
    match code {
        "ALREADY_EXISTS" => ErrorKind::AlreadyExists,
        "NOT_FOUND" => ErrorKind::NotFound,
        "UNAUTHENTICATED" => ErrorKind::Denied,
        "RESOURCE_EXHAUSTED" => ErrorKind::Throttled { after: None },
        "TEMPORARILY_UNAVAILABLE" | "WORKSPACE_TEMPORARILY_UNAVAILABLE" | "SERVICE_UNDER_MAINTENANCE" | "ABORTED" => {
            ErrorKind::NotReady { after: None }
        }
        "BAD_REQUEST" => ErrorKind::Invalid { field: None },
        _ => ErrorKind::Failed { replace: false },
    }
}

#[cfg(test)]
mod tests {
    use platform_sdk::provider::ErrorKind;

    use super::{class, kind_of};

    #[test]
    fn a_failure_is_classified_by_its_class_and_then_by_its_code() {
        assert_eq!(class("[SCHEMA_NOT_FOUND] The schema `x`"), "SCHEMA_NOT_FOUND");
        assert_eq!(class("[DELTA_CONCURRENT_APPEND.ROW] x"), "DELTA_CONCURRENT_APPEND");
        assert_eq!(class("boom"), "");
        assert_eq!(kind_of("BAD_REQUEST", "TABLE_OR_VIEW_ALREADY_EXISTS"), ErrorKind::AlreadyExists);
        assert_eq!(kind_of("BAD_REQUEST", "DELTA_CONCURRENT_APPEND"), ErrorKind::Conflict);
        assert_eq!(kind_of("BAD_REQUEST", "PARSE_SYNTAX_ERROR"), ErrorKind::Invalid { field: None });
        assert_eq!(kind_of("RESOURCE_EXHAUSTED", ""), ErrorKind::Throttled { after: None });
        assert_eq!(kind_of("INTERNAL_ERROR", ""), ErrorKind::Failed { replace: false });
    }
}
