//! Bad input, as users of built programs meet it: a clear error, exit code 1, and state as it was.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    sync::Arc,
    thread,
};

use platform_databricks::sandbox::DatabricksSandbox;
use platform_sdk::sandbox::{Endpoint, Options, attach_or_start};
use platform_tests::{Place, request};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The program of `src/bin/mistaken.rs`.
const MISTAKEN: &str = env!("CARGO_BIN_EXE_mistaken");

/// A server that gives every request this answer, for as long as the tests run.
fn answering(status: &'static str, kind: &'static str, body: &'static str) -> String {
    promising(status, kind, body, body.len())
}

/// The same, and it says that its answer has another length.
fn promising(status: &'static str, kind: &'static str, body: &'static str, length: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let head = BufReader::new(stream.try_clone().expect("a second handle")).lines();
            let _ = head.take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty())).count();
            // A client may be gone already: what it saw is what the test asserts.
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
        }
    });
    url
}

/// A sandbox's server that programs take for the real service.
struct Service {
    endpoint: Endpoint,
    _worlds: TempDir,
}

impl Service {
    fn start() -> Self {
        let worlds = tempfile::tempdir().expect("a temporary folder");
        let endpoint = attach_or_start(worlds.path(), Arc::new(DatabricksSandbox), Options::default());
        Self { endpoint: endpoint.expect("the sandbox starts"), _worlds: worlds }
    }

    fn login(&self) -> [(&str, &str); 2] {
        [("DATABRICKS_HOST", self.endpoint.url.as_str()), ("DATABRICKS_TOKEN", "sandbox")]
    }
}

/// The same error whatever port and folder the test has.
fn without_places(place: &Place, said: &str, host: Option<&str>) -> String {
    let said = said.replace(&place.path().display().to_string(), "STATE");
    let said = host.map_or(said.clone(), |host| said.replace(host, "HOST"));
    // How long it took, and the number of a thread that panicked, are of one run.
    let words = said.split(' ').map(|word| {
        if word.starts_with('(') && word.trim_matches(['(', ')']).parse::<u32>().is_ok() { "(N)" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Runs `up` with this environment after a good one: it is refused, and no file of the state changes. What it says.
#[track_caller]
fn refused_by(variables: &[(&str, &str)]) -> String {
    let service = Service::start();
    let place = Place::of("starter");
    let made = place.run_with(&service.login(), &["up", "--yes"]);
    assert_eq!(made.code, 0, "{made:?}");
    refuses(&place, variables, &["up", "--yes"])
}

/// Runs this, which has to be refused and leave every file of the state as it is. What it says.
#[track_caller]
fn refuses(place: &Place, variables: &[(&str, &str)], arguments: &[&str]) -> String {
    let before = place.state_files();
    assert!(!before.is_empty(), "the first run wrote no state");
    let ran = place.run_with(variables, arguments);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(place.state_files() == before, "a file of the state is another");
    let host = variables.iter().find(|(name, _)| *name == "DATABRICKS_HOST");
    without_places(place, &ran.err, host.map(|(_, host)| *host))
}

#[test]
fn no_credentials() {
    insta::assert_snapshot!(refused_by(&[("NO_COLOR", "1")]));
}

#[test]
fn two_kinds_of_credentials_at_once() {
    insta::assert_snapshot!(refused_by(&[
        ("DATABRICKS_HOST", "http://127.0.0.1:1"),
        ("DATABRICKS_TOKEN", "sandbox"),
        ("DATABRICKS_CLIENT_ID", "id"),
        ("DATABRICKS_CLIENT_SECRET", "secret"),
    ]));
}

#[test]
fn a_plan_does_without_credentials_and_says_so_first() {
    let (service, place) = (Service::start(), Place::of("starter"));
    assert_eq!(place.run_with(&service.login(), &["up", "--yes"]).code, 0);
    let plan = place.run_with(&[("NO_COLOR", "1")], &["plan"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    insta::assert_snapshot!(without_places(&place, &plan.out, None));
}

#[test]
fn a_plan_does_not_do_without_a_login_that_is_mistaken() {
    let (service, place) = (Service::start(), Place::of("starter"));
    assert_eq!(place.run_with(&service.login(), &["up", "--yes"]).code, 0);
    let both = [("DATABRICKS_CLIENT_ID", "id"), ("DATABRICKS_CLIENT_SECRET", "secret")];
    let said = refuses(&place, &[service.login().as_slice(), &both].concat(), &["plan"]);
    assert!(said.contains("more than one kind of Databricks credentials"), "{said}");
}

#[test]
fn a_host_that_nobody_knows() {
    let unknown = [("DATABRICKS_HOST", "https://no-such-workspace.invalid"), ("DATABRICKS_TOKEN", "sandbox")];
    let said = refused_by(&unknown);
    assert!(said.contains("cannot connect to HOST") && said.contains("check DATABRICKS_HOST"), "{said}");
}

#[test]
fn a_host_that_is_none() {
    insta::assert_snapshot!(refused_by(&[("DATABRICKS_HOST", "my workspace"), ("DATABRICKS_TOKEN", "sandbox")]));
}

#[test]
fn a_closed_port() {
    let said = refused_by(&[("DATABRICKS_HOST", "http://127.0.0.1:1"), ("DATABRICKS_TOKEN", "sandbox")]);
    assert!(said.contains("cannot connect to HOST (after ") && said.contains("Connection refused"), "{said}");
    assert!(said.contains("hint: is HOST reachable? check DATABRICKS_HOST"), "{said}");
}

#[test]
fn another_workspace_than_the_one_in_state() {
    let (service, place) = (Service::start(), Place::of("starter"));
    assert_eq!(place.run_with(&service.login(), &["up", "--yes"]).code, 0);
    let account = platform_databricks::sandbox::ACCOUNT_ID;
    let body = json!({"workspace_name": "other", "compute_mode": "SERVERLESS", "aws_region": "eu-west-1"});
    let made = ask(&service, "POST", &format!("/api/2.0/accounts/{account}/workspaces"), &body);
    let other = made["workspace_id"].to_string();
    let said = refuses(
        &place,
        &[service.login().as_slice(), &[("DATABRICKS_WORKSPACE_ID", other.as_str())]].concat(),
        &["up", "--yes"],
    );
    assert!(said.contains("talks to another workspace than the one in state"), "{said}");
    assert!(said.contains(&format!("lead to workspace `{other}`")), "{said}");
    assert!(said.contains("hint: use the login of the recorded one"), "{said}");
}

fn ask(service: &Service, method: &str, path: &str, body: &Value) -> Value {
    let login = "authorization: Bearer sandbox\r\n";
    let (_, answer) = request(&service.endpoint.url, login, (method, path), &body.to_string());
    serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{answer}"))
}

#[test]
fn a_refused_login() {
    let host = answering("401 Unauthorized", "application/json", r#"{"error_code":"UNAUTHENTICATED","message":"no"}"#);
    insta::assert_snapshot!(refused_by(&[("DATABRICKS_HOST", &host), ("DATABRICKS_TOKEN", "sandbox")]));
}

#[test]
fn a_login_that_may_not() {
    let host = answering("403 Forbidden", "application/json", r#"{"error_code":"PERMISSION_DENIED","message":"no"}"#);
    insta::assert_snapshot!(refused_by(&[("DATABRICKS_HOST", &host), ("DATABRICKS_TOKEN", "sandbox")]));
}

#[test]
fn a_page_instead_of_json() {
    let host = answering("200 OK", "text/html", "<html>log in</html>");
    insta::assert_snapshot!(refused_by(&[("DATABRICKS_HOST", &host), ("DATABRICKS_TOKEN", "sandbox")]));
}

#[test]
fn a_truncated_answer() {
    let host = promising("200 OK", "application/json", r#"{"userName": "me"#, 4000);
    let said = refused_by(&[("DATABRICKS_HOST", &host), ("DATABRICKS_TOKEN", "sandbox")]);
    assert!(said.contains("GET /api/2.0/preview/scim/v2/Me at HOST: the connection broke before the whole"), "{said}");
    assert!(said.contains("hint: does a proxy between here and HOST cut answers off?"), "{said}");
}

#[test]
fn an_answer_whose_json_ends_too_early() {
    let host = answering("200 OK", "application/json", r#"{"userName": "me"#);
    let said = refused_by(&[("DATABRICKS_HOST", &host), ("DATABRICKS_TOKEN", "sandbox")]);
    assert!(said.contains("the answer to GET /api/2.0/preview/scim/v2/Me is cut off or garbled"), "{said}");
    assert!(said.contains("hint: does a proxy between here and HOST cut answers off?"), "{said}");
}

#[test]
fn an_unknown_config_key() {
    insta::assert_snapshot!(refused_by(&[("PLATFORM_CONFIG_CATALOGUE", "main")]));
}

#[test]
fn a_program_with_a_mistake() {
    let place = Place::running(MISTAKEN);
    let made = place.run(&["up", "--sandbox", "--yes"]);
    assert_eq!(made.code, 0, "{made:?}");
    let mistakes = [
        "an address twice",
        "a cycle",
        "a handle of another stack",
        "one natural key twice",
        "no notebook",
        "a folder as notebook",
        "an error",
        "a panic",
    ];
    let said = mistakes.map(|mistake| {
        let said = refuses(&place, &[("MISTAKE", mistake)], &["up", "--sandbox", "--yes"]);
        format!("## {mistake}\n{said}")
    });
    insta::assert_snapshot!(said.join("\n"));
    let made = place.run(&["plan", "--sandbox", "--detailed-exitcode"]);
    assert_eq!(made.code, 0, "nothing was changed: {made:?}");
}

#[test]
fn a_state_directory_that_can_t_be_written() {
    let place = Place::running(MISTAKEN);
    // Whoever runs the tests may be root, whom no permission stops: a file is where a folder has to be.
    let file = place.path().join("file");
    std::fs::write(&file, "in the way").expect("the folder can be written");
    let service = Service::start();
    let ran = place.run_at(&file.join("state"), &service.login(), &["up", "--yes"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    insta::assert_snapshot!(without_places(&place, &ran.err, Some(&service.endpoint.url)));
    let schemas = ask(&service, "GET", "/api/2.1/unity-catalog/schemas?catalog_name=main", &Value::Null);
    assert!(!schemas.to_string().contains("\"shop\""), "nothing is made that no state tells of: {schemas}");
}

#[test]
fn state_of_the_sandbox_used_for_real() {
    let place = Place::up("starter");
    let login = [("DATABRICKS_HOST", "http://127.0.0.1:1"), ("DATABRICKS_TOKEN", "x")];
    insta::assert_snapshot!(refuses(&place, &login, &["up", "--yes"]));
}

#[test]
fn real_state_used_in_the_sandbox() {
    let (service, place) = (Service::start(), Place::of("starter"));
    assert_eq!(place.run_with(&service.login(), &["up", "--yes"]).code, 0);
    insta::assert_snapshot!(refuses(&place, &[], &["up", "--sandbox", "--yes"]));
    assert!(!place.path().join("sandbox").exists(), "a sandbox was made before the state was looked at");
}
