//! A gate in front of a Databricks server that others wrote: each request is held against the API's facts on its way.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use platform_databricks::sandbox::facts;
use reqwest::Url;

use crate::relay::Relay;

/// What went through.
#[derive(Debug, Default)]
struct Passed {
    /// `POST /api/2.1/unity-catalog/catalogs`, in order.
    requests: Vec<String>,
    /// What no fact allows, with the request that it was in.
    wrong: Vec<String>,
}

/// An open gate. Ending it fails the test when a request was not as the facts say.
#[derive(Debug)]
pub struct Gate {
    relay: Relay,
    passed: Arc<Mutex<Passed>>,
}

impl Gate {
    /// A gate before the server at this URL.
    ///
    /// # Panics
    /// When the URL has no address of a server, or there is no free port.
    pub fn before(url: &str) -> Self {
        let passed = Arc::<Mutex<Passed>>::default();
        let notes = passed.clone();
        let relay = Relay::before(url, move |request, server| {
            note(&request.line, &request.body, &notes);
            request.pass(server)
        });
        Self { relay, passed }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.relay.url()
    }

    /// The requests for a change so far: `POST /api/2.2/jobs/create`.
    pub fn changes(&self) -> Vec<String> {
        let passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        passed.requests.iter().filter(|request| !request.starts_with("GET ")).cloned().collect()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        let wrong = passed.wrong.join("\n");
        assert!(thread::panicking() || wrong.is_empty(), "not as the API's facts say:\n{wrong}");
    }
}

fn note(line: &str, body: &[u8], passed: &Mutex<Passed>) {
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query =
        Url::parse(&format!("http://gate/?{query}")).map(|url| url.query_pairs().into_owned().collect::<Vec<_>>());
    let mut passed = passed.lock().unwrap_or_else(PoisonError::into_inner);
    passed.requests.push(format!("{method} {path}"));
    let found = facts::check(method, path, &query.unwrap_or_default(), body);
    let violations = found.err().unwrap_or_default();
    passed.wrong.extend(violations.iter().map(|violation| format!("{method} {target}: {violation}")));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(line: &str, body: &str) -> Vec<String> {
        let passed = Mutex::default();
        note(line, body.as_bytes(), &passed);
        passed.into_inner().expect("nobody panicked").wrong
    }

    #[test]
    fn what_the_facts_do_not_know_is_named_with_its_request() {
        let create = "POST /api/2.2/jobs/create HTTP/1.1";
        assert_eq!(wrong(create, r#"{"tasks": [{"task_key": "a"}]}"#), [""; 0]);
        assert_eq!(
            wrong(create, r#"{"tasks": [{"task_key": 1, "run_if": "NEVER", "pause": true}]}"#),
            [
                "POST /api/2.2/jobs/create: `tasks[0].pause` is not a known field",
                "POST /api/2.2/jobs/create: `tasks[0].run_if` is none of ALL_DONE, ALL_FAILED, ALL_SUCCESS, \
                 AT_LEAST_ONE_FAILED, AT_LEAST_ONE_SUCCESS, NONE_FAILED",
                "POST /api/2.2/jobs/create: `tasks[0].task_key` is not of type string",
            ]
        );
        assert_eq!(
            wrong("GET /api/2.2/jobs/list?nam=a%20b HTTP/1.1", ""),
            ["GET /api/2.2/jobs/list?nam=a%20b: `?nam` is not a known field"]
        );
    }
}
