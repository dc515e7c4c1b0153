//! The Databricks sandbox serves the client that Databricks wrote: databricks-sdk runs
//! `tests/databricks_sandbox/conformance.py`.
#![expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
#![expect(clippy::print_stderr, reason = "a suite that was left out is named")]

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use platform_databricks::sandbox::{ACCOUNT_ID, DatabricksSandbox, TOKEN};
use platform_sdk::sandbox::{Endpoint, Faults, Options, Service, attach_or_start, read_log};
use serde_json::{Value, json};

fn start(dir: &Path, faults: Value) -> Endpoint {
    let options = Options { faults: serde_json::from_value::<Faults>(faults).unwrap() };
    attach_or_start(dir, Arc::new(DatabricksSandbox), options).unwrap()
}

/// The Python that has databricks-sdk, if there is one: named, or prepared by the test command.
fn python() -> Option<PathBuf> {
    let prepared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/venv/bin/python");
    let candidates = [std::env::var_os("PLATFORM_TEST_PYTHON").map(PathBuf::from), Some(prepared)];
    candidates.into_iter().flatten().find(|python| {
        Command::new(python).args(["-c", "import databricks.sdk"]).output().is_ok_and(|output| output.status.success())
    })
}

#[test]
fn the_official_client_is_served() {
    let Some(python) = python() else {
        // Past the test runner, which keeps to itself what a passing test prints.
        let _ = writeln!(std::io::stderr(), "left out: databricks-sdk: no python with it; set PLATFORM_TEST_PYTHON");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let endpoint = start(dir.path(), json!({}));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/databricks_sandbox/conformance.py");
    let output = Command::new(python).arg(script).arg(&endpoint.url).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    eprintln!("{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success());
    let log = read_log(&dir.path().join("databricks/requests.jsonl")).unwrap();
    let shows = |canary: &str| log.iter().any(|entry| serde_json::to_string(entry).unwrap().contains(canary));
    assert!(!log.is_empty() && !shows("canary-of-the-conformance") && !shows("sandbox-secret"));
}

async fn send(endpoint: &Endpoint, method: &str, path: &str, body: &Value) -> (u16, Value) {
    // Only the first installation is taken; they are all the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let request = reqwest::Client::new().request(method.parse().unwrap(), format!("{}{path}", endpoint.url));
    let request = request.bearer_auth(TOKEN);
    let request = if body.is_null() { request } else { request.json(body) };
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn faults_are_worded_as_the_service_does() {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = start(dir.path(), json!({"throttle": 1.0}));
    let (status, answer) = send(&endpoint, "GET", "/api/2.0/preview/scim/v2/Me", &json!(null)).await;
    assert_eq!((status, &answer["error_code"]), (429, &json!("REQUEST_LIMIT_EXCEEDED")));
}

#[tokio::test]
async fn the_world_survives_a_restart_and_the_log_tells_reads_from_changes() {
    let dir = tempfile::tempdir().unwrap();
    let first = start(dir.path(), json!({}));
    let schema = json!({"catalog_name": "main", "name": "kept"});
    assert_eq!(send(&first, "POST", "/api/2.1/unity-catalog/schemas", &schema).await.0, 200);
    assert_eq!(send(&first, "POST", "/api/2.1/unity-catalog/schemas", &schema).await.0, 400);
    drop(first);
    let second = start(dir.path(), json!({}));
    assert_eq!(send(&second, "GET", "/api/2.1/unity-catalog/schemas/main.kept", &json!(null)).await.0, 200);
    let log = read_log(&dir.path().join("databricks/requests.jsonl")).unwrap();
    let told: Vec<_> = log.iter().map(|entry| (entry.status.unwrap(), entry.mutating)).collect();
    assert_eq!(told, [(200, true), (400, true), (200, false)]);
}

#[test]
fn any_client_is_pointed_here_by_its_environment() {
    let exports = DatabricksSandbox.exports("http://127.0.0.1:1");
    let expected =
        [("DATABRICKS_HOST", "http://127.0.0.1:1"), ("DATABRICKS_TOKEN", TOKEN), ("DATABRICKS_ACCOUNT_ID", ACCOUNT_ID)];
    assert_eq!(exports, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}
