//! The AWS sandbox serves clients that AWS wrote: boto3 and the aws command line run `tests/aws_sandbox/conformance.py`.
#![expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
#![expect(clippy::print_stderr, reason = "a suite that was left out is named")]

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use platform_aws::sandbox::AwsSandbox;
use platform_sdk::sandbox::{Endpoint, Faults, Options, attach_or_start};
use serde_json::{Value, json};

fn start(dir: &Path, faults: Value) -> Endpoint {
    let options = Options { faults: serde_json::from_value::<Faults>(faults).unwrap() };
    attach_or_start(dir, Arc::new(AwsSandbox), options).unwrap()
}

/// The Python that has boto3, if there is one: named, prepared by the test command, or the system's.
fn python() -> Option<PathBuf> {
    let prepared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/venv/bin/python");
    let candidates =
        [std::env::var_os("PLATFORM_TEST_PYTHON").map(PathBuf::from), Some(prepared), Some("python3".into())];
    candidates.into_iter().flatten().find(|python| {
        Command::new(python).args(["-c", "import boto3"]).output().is_ok_and(|output| output.status.success())
    })
}

/// Without all features of this package, `conformance/` is not even built.
#[test]
fn what_is_not_built_is_named() {
    if !cfg!(all(feature = "iam", feature = "kms", feature = "s3")) {
        let why = "built without the features iam, kms and s3; `./check` has them";
        let _ = writeln!(std::io::stderr(), "left out: moto: pages of AWS, and keys: {why}");
    }
}

#[test]
fn boto3_and_the_aws_command_line_are_served() {
    let Some(python) = python() else {
        // Past the test runner, which keeps to itself what a passing test prints.
        let _ = writeln!(std::io::stderr(), "left out: boto3 and the aws command line: no python3 with boto3");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let endpoint = start(dir.path(), json!({}));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/aws_sandbox/conformance.py");
    let output = Command::new(python).arg(script).arg(&endpoint.url).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    eprintln!("{said}");
    let world = send(&endpoint, "GET", "/_sandbox/world", "", "");
    assert!(world.ends_with("\r\n\r\n{}"), "the clients left nothing behind: {world}");
}

/// Sends a request signed for this service, or unsigned for none; all that came back.
fn send(endpoint: &Endpoint, method: &str, path: &str, service: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(endpoint.url.trim_start_matches("http://")).unwrap();
    let mut head =
        format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\nx-platform-sandbox: 1\r\n");
    if !service.is_empty() {
        let scope = format!("AKIASANDBOX000000000/20260101/us-east-1/{service}/aws4_request");
        let parts = ["authorization: AWS4-HMAC-SHA256 Credential=", &scope, ", SignedHeaders=host, Signature=00\r\n"];
        head += &parts.concat();
    }
    if body.starts_with("Action=") {
        head += "content-type: application/x-www-form-urlencoded\r\n";
    }
    stream.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn faults_are_worded_as_the_service_does() {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = start(dir.path(), json!({"throttle": 1.0}));
    let s3 = send(&endpoint, "PUT", "/lake", "s3", "");
    assert!(s3.starts_with("HTTP/1.1 503 ") && s3.contains("<Error><Code>SlowDown</Code>"), "{s3}");
    let iam = send(&endpoint, "POST", "/", "iam", "Action=ListRoles&Version=2010-05-08");
    assert!(iam.starts_with("HTTP/1.1 400 ") && iam.contains("<Code>Throttling</Code>"), "{iam}");
}

#[test]
fn the_log_tells_reads_from_changes_and_keeps_no_content() {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = start(dir.path(), json!({}));
    send(&endpoint, "PUT", "/lake", "s3", "");
    send(&endpoint, "PUT", "/lake/secret.txt", "s3", "canary");
    send(&endpoint, "GET", "/lake?versioning", "s3", "");
    send(&endpoint, "POST", "/", "iam", "Action=ListRoles&Version=2010-05-08");
    send(&endpoint, "POST", "/", "iam", "Action=DeleteRole&Version=2010-05-08&RoleName=none");
    send(&endpoint, "POST", "/", "sts", "Action=GetCallerIdentity&Version=2011-06-15");
    let log = platform_sdk::sandbox::read_log(&dir.path().join("aws/requests.jsonl")).unwrap();
    let mutating: Vec<_> = log.iter().map(|entry| (entry.status.unwrap(), entry.mutating)).collect();
    assert_eq!(mutating, [(200, true), (200, true), (200, false), (200, false), (404, true), (200, false)]);
    assert!(log.iter().all(|entry| !serde_json::to_string(entry).unwrap().contains("canary")));
    assert_eq!(log[4].body.as_ref().unwrap()["RoleName"], "none");
}

#[test]
fn the_account_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let first = start(dir.path(), json!({}));
    send(&first, "PUT", "/lake", "s3", "");
    drop(first);
    let second = start(dir.path(), json!({}));
    assert!(send(&second, "GET", "/", "s3", "").contains("<Name>lake</Name>"));
}
