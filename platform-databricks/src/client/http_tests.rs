//! Requests from end to end, against a scripted server.
#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use platform_sdk::provider::{ErrorKind, ProviderError};
use serde::Deserialize;
use serde_json::{Value, json as value};

use crate::auth::{Environment, Login, LoginConfig};
use crate::client::scripted::{Scene, Server, careless, html, json};
use crate::client::{ApiFault, Client, ClientOptions, path};

fn login(vars: &[(&str, &str)]) -> Login {
    let env = vars.iter().fold(Environment::empty(), |env, (name, value)| env.with(*name, *value));
    LoginConfig::resolve(LoginConfig::default(), &env).unwrap()
}

#[tokio::test]
async fn a_request_carries_token_agent_query_and_body() {
    let server = Server::playing([json(200, r#"{"id": 9007199254740993}"#)]).await;
    let answer: Value = server
        .careless_client()
        .post(path("api/2.0/things", ["a b/c"]))
        .query("force", true)
        .query("q", "x&y")
        .json(&value!({"name": "n"}))
        .send()
        .await
        .unwrap();
    assert_eq!(answer["id"].as_u64(), Some(9_007_199_254_740_993));
    let seen = &server.seen()[0];
    assert_eq!(seen.line, "POST /api/2.0/things/a%20b%2Fc?force=true&q=x%26y");
    assert_eq!(seen.header("authorization"), Some("Bearer dapi-canary"));
    assert_eq!(seen.header("user-agent"), Some(concat!("platform-sdk/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(seen.header("x-databricks-org-id"), None);
    assert_eq!(seen.body, r#"{"name":"n"}"#);
}

#[tokio::test]
async fn the_workspace_is_named_on_its_own_calls_and_not_on_the_accounts() {
    let server = Server::playing([json(200, ""), json(200, "")]).await;
    let login = login(&[
        ("DATABRICKS_HOST", server.address()),
        ("DATABRICKS_TOKEN", "t"),
        ("DATABRICKS_WORKSPACE_ID", "42"),
        ("DATABRICKS_ACCOUNT_ID", "acc-1"),
    ]);
    let client = Client::new(login, careless()).unwrap();
    client.get("/api/2.0/preview/accounts/access-control/rule-sets").done().await.unwrap();
    client.get(client.account_path("workspaces").unwrap()).done().await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[0].header("x-databricks-org-id"), Some("42"));
    assert_eq!(seen[1].header("x-databricks-org-id"), None);
    assert_eq!(seen[1].line, "GET /api/2.0/accounts/acc-1/workspaces");
}

#[tokio::test]
async fn an_account_call_without_an_account_is_an_error_before_any_request() {
    let server = Server::playing([]).await;
    let error = server.careless_client().account_path("workspaces").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid { field: Some("account_id".to_owned()) });
    assert!(error.hint.unwrap().contains("DATABRICKS_ACCOUNT_ID"));
}

#[tokio::test]
async fn a_name_that_would_address_something_else_is_not_sent() {
    let server = Server::playing([]).await;
    for name in ["", "..", "."] {
        let error =
            server.careless_client().delete(path("api/2.1/unity-catalog/schemas", [name])).done().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid { field: None }, "{name:?}");
    }
    for raw in ["/api/%2e%2E/x", "/api/x?force=true", "/api/x#y"] {
        let error = server.careless_client().delete(raw).done().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid { field: None }, "{raw}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn who_am_i_tells_the_workspace_too() {
    let me = r#"{"id": "1", "userName": "me@x", "displayName": "Me", "groups": [{"display": "b"}, {"display": "a"}]}"#;
    let server = Server::playing([json(200, me).header("x-databricks-org-id", "42")]).await;
    let identity = server.careless_client().whoami().await.unwrap();
    assert_eq!((identity.user_name.as_str(), identity.workspace_id.as_deref()), ("me@x", Some("42")));
    assert_eq!(identity.groups, ["a", "b"]);
    assert_eq!(server.lines(), ["GET /api/2.0/preview/scim/v2/Me"]);
}

#[tokio::test]
async fn even_a_create_is_repeated_when_the_service_says_later() {
    let server = Server::playing([
        json(429, ""),
        json(503, ""),
        html(503),
        json(400, r#"{"message": "ClusterNotReadyException: starting"}"#),
        json(200, r#"{"id": "1"}"#),
    ])
    .await;
    let answer: Value = server.careless_client().post("/api/2.0/x").json(&value!({"n": 1})).send().await.unwrap();
    assert_eq!(answer, value!({"id": "1"}));
    let seen = server.seen();
    assert_eq!(seen.len(), 5);
    assert!(seen.iter().all(|seen| seen.body == r#"{"n":1}"#), "each try carries the body");
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let server = Server::playing([json(429, "").header("retry-after", "1"), json(200, "")]).await;
    let start = Instant::now();
    server.careless_client().get("/api/2.0/x").done().await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn throttling_without_end_is_given_up() {
    let server = Server::playing([json(429, "").header("retry-after", "60")]).await;
    let error = server.careless_client().get("/api/2.0/x").done().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Throttled { after: Some(Duration::from_mins(1)) });
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_not_repeated() {
    for (scene, kind) in [
        (Scene::HangUp, "hang up"),
        (Scene::CutOff, "cut off"),
        (json(200, r#"{"id": "#), "garbled"),
        (json(500, r#"{"error_code": "INTERNAL_ERROR", "message": "oops"}"#), "500"),
        (json(502, ""), "502"),
        (html(200), "page"),
    ] {
        let server = Server::playing([scene]).await;
        let error = server.careless_client().post("/api/2.0/x").send::<Value>().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Ambiguous, "{kind}");
        assert_eq!(server.lines(), ["POST /api/2.0/x"], "{kind}");
    }
}

#[tokio::test]
async fn a_create_that_is_never_answered_is_ambiguous_after_the_timeout() {
    let server = Server::playing([Scene::Sleep]).await;
    let options = ClientOptions { request_timeout: Duration::from_millis(300), ..careless() };
    let error = Client::new(server.login(), options).unwrap().post("/api/2.0/x").done().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Ambiguous);
    let host = server.address();
    assert_eq!(error.message, format!("POST /api/2.0/x at {host}: no answer in time; it may have been carried out"));
}

#[tokio::test]
async fn what_is_safe_to_repeat_is_repeated_until_it_is_answered() {
    for method in ["GET", "PUT", "PATCH", "DELETE", "POST, declared safe"] {
        let broken = [Scene::HangUp, Scene::CutOff, json(200, r#"{"id": "#), json(500, ""), json(504, "")];
        let server = Server::playing(broken.into_iter().chain([json(200, r#"{"id": 1}"#)])).await;
        let client = server.careless_client();
        let request = match method {
            "GET" => client.get("/api/2.0/x"),
            "PUT" => client.put("/api/2.0/x"),
            "PATCH" => client.patch("/api/2.0/x"),
            "DELETE" => client.delete("/api/2.0/x"),
            _ => client.post("/api/2.0/x").safe_to_repeat(true),
        };
        assert_eq!(request.send::<Value>().await.unwrap(), value!({"id": 1}), "{method}");
        assert_eq!(server.lines().len(), 6, "{method}");
    }
}

#[tokio::test]
async fn a_closed_port_is_unavailable_after_a_few_tries_and_names_the_host() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::new(login(&[("DATABRICKS_HOST", &host), ("DATABRICKS_TOKEN", "t")]), careless()).unwrap();
    let error = client.post("/api/2.0/x").done().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.message.starts_with(&format!("cannot connect to {host} (after ")), "{error}");
    assert_eq!(error.hint.unwrap(), format!("is {host} reachable? check DATABRICKS_HOST"));
}

#[tokio::test]
async fn a_refused_credential_is_named_without_its_value() {
    let server = Server::playing([json(401, r#"{"message": "Invalid token dapi-canary here"}"#)]).await;
    let error = server.careless_client().get("/api/2.0/x").done().await.unwrap_err();
    assert_eq!((&error.kind, error.message.as_str()), (&ErrorKind::Denied, "Invalid token [secret] here"));
    assert!(error.hint.as_ref().unwrap().contains("`DATABRICKS_TOKEN` in the environment"), "{error:?}");
    assert!(!format!("{error:?} {:?}", ApiFault::behind(&error)).contains("canary"));
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only its shape matters")]
struct Created {
    id: u64,
}

#[tokio::test]
async fn an_answer_of_another_shape_names_the_field_and_quotes_no_value() {
    async fn of(body: &str) -> ProviderError {
        let server = Server::playing([json(200, body)]).await;
        server.careless_client().post("/api/2.0/x").send::<Created>().await.unwrap_err()
    }
    let error = of(r#"{"name": "canary"}"#).await;
    assert_eq!(error.kind, ErrorKind::Ambiguous);
    assert_eq!(
        error.message,
        "the answer to POST /api/2.0/x is not understood: missing field `id`; it may have been carried out"
    );
    let error = of(r#"{"id": "canary"}"#).await;
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = Server::playing([json(302, "").header("location", "https://login.example/?code=canary")]).await;
    let error = server.careless_client().post("/api/2.0/x").done().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    let host = server.address();
    assert_eq!(error.message, format!("the server at {host} redirects to https://login.example (status 302)"));
}

#[tokio::test]
async fn the_tap_sees_every_request() {
    let server = Server::playing([json(500, ""), json(200, "")]).await;
    let taken = Arc::new(Mutex::new(Vec::new()));
    let into = taken.clone();
    let tap = move |method: &str, path: &str, query: &[(String, String)], body: Option<&Value>| {
        into.lock().unwrap().push(format!("{method} {path} {query:?} {body:?}"));
    };
    let options = ClientOptions { tap: Some(Arc::new(tap)), ..careless() };
    let client = Client::new(server.login(), options).unwrap();
    client.put("api/2.0/x").query("a", 1).json(&value!({})).done().await.unwrap();
    let line = r#"PUT /api/2.0/x [("a", "1")] Some(Object {})"#;
    assert_eq!(*taken.lock().unwrap(), [line, line]);
}

#[tokio::test]
async fn no_log_line_and_no_debug_print_shows_a_secret() {
    let log = Log::default();
    let server = Server::playing([json(503, ""), json(200, r#"{"token_value": "canary"}"#)]).await;
    let client = server.careless_client();
    // With a second listener, a line is offered to all of them whichever thread meets it first; a single one would be
    // looked for in that thread alone, and another test's has none.
    let _second = tracing::Dispatch::new(Log::default());
    let recording = tracing::subscriber::set_default(log.clone());
    // Another test may have met the same line while nobody listened.
    tracing::callsite::rebuild_interest_cache();
    client.post("/api/2.0/token/create").json(&value!({"secret": "canary"})).done().await.unwrap();
    drop(recording);
    let text = format!("{} {client:?}", log.0.lock().unwrap());
    assert!(text.contains("method=POST path=/api/2.0/token/create status=503"), "{text}");
    assert!(!text.contains("canary"), "{text}");
}

/// Writes every event of every crate down, fields and all.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Line(String);
        impl tracing::field::Visit for Line {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                write!(self.0, "{}={value:?} ", field.name()).unwrap();
            }
        }
        let mut line = Line(String::new());
        event.record(&mut line);
        writeln!(self.0.lock().unwrap(), "{}", line.0).unwrap();
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn an_answer_without_an_end_is_refused_by_name_and_not_asked_for_again() {
    for scene in [Scene::Endless(200), Scene::Endless(500), Scene::Endless(429), Scene::Promise(u64::MAX >> 1)] {
        let server = Server::playing([scene]).await;
        let error = server.careless_client().get("/api/2.0/things").send::<Value>().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Failed { replace: false });
        assert_eq!(error.message, "the answer to GET /api/2.0/things has more than 32 MiB: it is not read");
        assert!(error.hint.unwrap().contains("DATABRICKS_HOST"));
        assert_eq!(server.lines().len(), 1);
    }
    let server = Server::playing([Scene::Endless(200)]).await;
    let error = server.careless_client().post("/api/2.0/things").done().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Ambiguous);
    assert!(error.message.ends_with("it is not read; it may have been carried out"), "{}", error.message);
}

#[tokio::test]
async fn an_answer_that_is_nested_too_deep_is_refused_by_name() {
    for depth in [128, 1_000, 100_000] {
        let body = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let server = Server::playing([json(200, &body), json(500, &body)]).await;
        let error = server.careless_client().get("/api/2.0/things").send::<Value>().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Failed { replace: false });
        let message = "the answer to GET /api/2.0/things is nested too deep to be read: more than 127 levels";
        assert_eq!(error.message, message);
        let error = server.careless_client().post("/api/2.0/things").done().await.unwrap_err();
        assert!(error.message.ends_with("answered with unreadable text (status 500)"), "{}", error.message);
    }
    let body = format!("{}{}", "[".repeat(127), "]".repeat(127));
    let server = Server::playing([json(200, &body)]).await;
    server.careless_client().get("/api/2.0/things").send::<Value>().await.unwrap();
}
