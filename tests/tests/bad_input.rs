//! Bad input, as the user of the built `starter` meets it: a clear error, exit code 1, and state as it was.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    sync::Arc,
    thread,
};

use platform_databricks::sandbox::DatabricksSandbox;
use platform_sdk::sandbox::{Options, attach_or_start};
use platform_tests::Place;

/// A server that gives every request this answer, for as long as the tests run.
fn answering(status: &'static str, kind: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let head = BufReader::new(stream.try_clone().expect("a second handle")).lines();
            let _ = head.take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty())).count();
            let length = body.len();
            // A client may be gone already: what it saw is what the test asserts.
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
        }
    });
    url
}

/// Runs `up` with this environment after a good one for real, against a sandbox's server: what it says.
#[track_caller]
fn refused(variables: &[(&str, &str)], says: &[&str]) {
    let worlds = tempfile::tempdir().expect("a temporary folder");
    let server = attach_or_start(worlds.path(), Arc::new(DatabricksSandbox), Options::default());
    // It serves as long as this value lives.
    let server = server.expect("the sandbox starts");
    let good = [("DATABRICKS_HOST", server.url.as_str()), ("DATABRICKS_TOKEN", "sandbox")];
    let place = Place::of("starter");
    let made = place.run_with(&good, &["up", "--yes"]);
    assert_eq!(made.code, 0, "{made:?}");
    let before = place.state_files();
    assert!(!before.is_empty(), "the first run wrote no state");

    let ran = place.run_with(variables, &["up", "--yes"]);

    assert_eq!(ran.code, 1, "{ran:?}");
    for text in says {
        assert!(ran.err.contains(text), "`{text}` in {}", ran.err);
    }
    assert!(place.state_files() == before, "a file of the state is another");
}

#[test]
fn no_credentials() {
    refused(&[("NO_COLOR", "1")], &["cannot log in", "no Databricks credentials", "hint: set `DATABRICKS_HOST`"]);
}

#[test]
fn two_kinds_of_credentials_at_once() {
    let both = [
        ("DATABRICKS_HOST", "http://127.0.0.1:1"),
        ("DATABRICKS_TOKEN", "sandbox"),
        ("DATABRICKS_CLIENT_ID", "id"),
        ("DATABRICKS_CLIENT_SECRET", "secret"),
    ];
    refused(&both, &["more than one kind of Databricks credentials", "DATABRICKS_AUTH_TYPE"]);
}

#[test]
fn a_closed_port() {
    let closed = [("DATABRICKS_HOST", "http://127.0.0.1:1"), ("DATABRICKS_TOKEN", "sandbox")];
    refused(&closed, &["cannot connect to http://127.0.0.1:1", "check DATABRICKS_HOST"]);
}

#[test]
fn a_refused_login() {
    let host = answering("401 Unauthorized", "application/json", r#"{"error_code":"UNAUTHENTICATED","message":"no"}"#);
    let login = [("DATABRICKS_HOST", host.as_str()), ("DATABRICKS_TOKEN", "sandbox")];
    refused(&login, &["status 401", "the credential is refused", "`DATABRICKS_TOKEN`", &host]);
}

#[test]
fn a_login_that_may_not() {
    let host = answering("403 Forbidden", "application/json", r#"{"error_code":"PERMISSION_DENIED","message":"no"}"#);
    let login = [("DATABRICKS_HOST", host.as_str()), ("DATABRICKS_TOKEN", "sandbox")];
    refused(&login, &["status 403", "`DATABRICKS_TOKEN`", "ask for the privilege"]);
}

#[test]
fn a_page_instead_of_json() {
    let host = answering("200 OK", "text/html", "<html>log in</html>");
    let login = [("DATABRICKS_HOST", host.as_str()), ("DATABRICKS_TOKEN", "sandbox")];
    refused(&login, &["HTML page", "DATABRICKS_HOST", "open the host in a browser"]);
}

#[test]
fn an_unknown_config_key() {
    let key = [("PLATFORM_CONFIG_CATALOGUE", "main")];
    refused(&key, &["config key `catalogue`", "PLATFORM_CONFIG_CATALOGUE", "correct its spelling"]);
}

#[test]
fn state_of_the_sandbox_used_for_real() {
    let place = Place::up("starter");
    let before = place.state_files();

    let ran = place.run_with(&[("DATABRICKS_HOST", "http://127.0.0.1:1"), ("DATABRICKS_TOKEN", "x")], &["up", "--yes"]);

    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("is of the sandbox world") && ran.err.contains("add `--sandbox`"), "{}", ran.err);
    assert!(place.state_files() == before, "a file of the state is another");
}
