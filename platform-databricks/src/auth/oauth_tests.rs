//! OAuth from discovery to renewal, against a scripted server.
#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

use std::time::Instant;

use platform_sdk::provider::ErrorKind;
use serde_json::json as value;

use crate::auth::{Environment, LoginConfig};
use crate::client::scripted::{Scene, Server, careless, html, json};
use crate::client::{Client, ClientOptions};

fn client(server: &Server) -> Client {
    client_at(server.address(), careless())
}

fn client_at(host: &str, options: ClientOptions) -> Client {
    let env = Environment::empty()
        .with("DATABRICKS_HOST", host)
        .with("DATABRICKS_ACCOUNT_ID", "acc-1")
        .with("DATABRICKS_CLIENT_ID", "app")
        .with("DATABRICKS_CLIENT_SECRET", "dose-canary");
    Client::new(LoginConfig::resolve(LoginConfig::default(), &env).unwrap(), options).unwrap()
}

fn names_endpoint(server: &Server) -> Scene {
    json(200, &value!({"token_endpoint": format!("{}/oidc/v1/token", server.address())}).to_string())
}

fn token(name: &str, seconds: u64) -> Scene {
    json(200, &value!({"access_token": name, "token_type": "Bearer", "expires_in": seconds}).to_string())
}

const DISCOVERY: [&str; 3] =
    ["GET /.well-known/databricks-config", "GET /oidc/.well-known/oauth-authorization-server", "POST /oidc/v1/token"];

#[tokio::test]
async fn the_endpoint_is_discovered_and_the_token_is_kept() {
    let server = Server::playing([json(404, "")]).await;
    server.then([names_endpoint(&server), token("tok-1", 3600), json(200, ""), json(200, "")]);
    let client = client(&server);
    client.get("/api/2.0/a").done().await.unwrap();
    client.get("/api/2.0/b").done().await.unwrap();
    assert_eq!(server.lines(), [&DISCOVERY[..], &["GET /api/2.0/a", "GET /api/2.0/b"]].concat());
    let seen = server.seen();
    // "app:dose-canary"
    assert_eq!(seen[2].header("authorization"), Some("Basic YXBwOmRvc2UtY2FuYXJ5"));
    assert_eq!(seen[2].header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(seen[2].body, "grant_type=client_credentials&scope=all-apis");
    assert_eq!(seen[0].header("authorization"), None);
    assert_eq!(seen[4].header("authorization"), Some("Bearer tok-1"));
}

#[tokio::test]
async fn the_host_may_name_its_oidc_base_with_the_account_in_it() {
    let server = Server::playing([]).await;
    let base = format!("{}/oidc/accounts/{{account_id}}", server.address());
    server.then([
        json(200, &value!({"oidc_endpoint": base}).to_string()),
        names_endpoint(&server),
        token("tok-1", 3600),
        json(200, ""),
    ]);
    client(&server).get("/api/2.0/a").done().await.unwrap();
    assert_eq!(server.lines()[1], "GET /oidc/accounts/acc-1/.well-known/oauth-authorization-server");
}

#[tokio::test]
async fn a_token_is_renewed_40_seconds_before_its_end() {
    let server = Server::playing([json(404, "")]).await;
    server.then([names_endpoint(&server), token("tok-1", 40), json(200, ""), token("tok-2", 100), json(200, "")]);
    server.then([json(200, "")]);
    let client = client(&server);
    for _ in 0..3 {
        client.get("/api/2.0/a").done().await.unwrap();
    }
    let tokens: Vec<_> =
        server.seen().iter().filter_map(|seen| seen.header("authorization").map(str::to_owned)).collect();
    let basic = "Basic YXBwOmRvc2UtY2FuYXJ5";
    assert_eq!(tokens, [basic, "Bearer tok-1", basic, "Bearer tok-2", "Bearer tok-2"]);
}

#[tokio::test]
async fn many_requests_at_once_fetch_one_token() {
    let server = Server::playing([json(404, "")]).await;
    server.then([names_endpoint(&server), token("tok-1", 3600)]);
    server.then((0..8).map(|_| json(200, "")));
    let client = client(&server);
    let calls: Vec<_> = (0..8).map(|_| tokio::spawn(client.get("/api/2.0/a").done())).collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(server.lines().iter().filter(|line| line.starts_with("POST")).count(), 1);
}

#[tokio::test]
async fn many_requests_at_once_share_one_failure() {
    let server = Server::playing([json(404, "")]).await;
    server.then([names_endpoint(&server), json(401, r#"{"error": "invalid_client"}"#)]);
    let client = client(&server);
    let calls: Vec<_> = (0..8).map(|_| tokio::spawn(client.get("/api/2.0/a").done())).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap_err().kind, ErrorKind::Denied);
    }
    assert_eq!(server.lines(), DISCOVERY);
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once() {
    let server = Server::playing([json(404, "")]).await;
    server.then([names_endpoint(&server), token("tok-1", 3600), json(401, ""), token("tok-2", 3600), json(200, "")]);
    server.then([json(401, ""), token("tok-3", 3600), json(401, r#"{"message": "no tok-3"}"#)]);
    let client = client(&server);
    client.post("/api/2.0/a").done().await.unwrap();
    let error = client.post("/api/2.0/a").done().await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Denied, "no [secret]"));
    assert_eq!(server.lines().len(), 9);
}

#[tokio::test]
async fn a_secret_that_is_quoted_in_another_writing_is_not_told() {
    // `app:dose-canary`, as the header had it.
    for quoted in ["Basic YXBwOmRvc2UtY2FuYXJ5", "dose%2Dcanary", "\\\\u0064ose-canary", "646f73652d63616e617279"] {
        let server = Server::playing([html(404)]).await;
        let body = format!(r#"{{"error": "invalid_client", "error_description": "got {quoted} from you"}}"#);
        server.then([names_endpoint(&server), json(401, &body)]);
        let error = client(&server).get("/api/2.0/a").done().await.unwrap_err();
        assert!(error.message.contains("[secret] from you"), "{error:?}");
        assert!(!format!("{error:?}").contains(&quoted[quoted.len() - 6..]), "{error:?}");
    }
}

#[tokio::test]
async fn a_refused_client_is_named_and_its_secret_is_not() {
    for status in [400, 401] {
        let server = Server::playing([html(404)]).await;
        let body = r#"{"error": "invalid_client", "error_description": "Client dose-canary is unknown."}"#;
        server.then([names_endpoint(&server), json(status, body)]);
        let error = client(&server).get("/api/2.0/a").done().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Denied);
        assert_eq!(error.message, "get a token for service principal `app`: Client [secret] is unknown");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        let hint = error.hint.unwrap();
        assert!(hint.contains("service principal `app` (`DATABRICKS_CLIENT_SECRET` in the environment)"), "{hint}");
    }
}

#[tokio::test]
async fn the_login_is_patient_with_a_busy_server() {
    let server = Server::playing([json(503, ""), json(404, ""), Scene::HangUp]).await;
    server.then([names_endpoint(&server), json(429, ""), Scene::HangUp, token("tok-1", 3600), json(200, "")]);
    client(&server).get("/api/2.0/a").done().await.unwrap();
    assert_eq!(server.lines().len(), 8);
}

#[tokio::test]
async fn a_host_without_oidc_is_asked_about() {
    let server = Server::playing([html(200), html(404)]).await;
    let error = client(&server).get("/api/2.0/a").done().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    let page = "answered with an HTML page (status 404); is DATABRICKS_HOST a workspace address?";
    assert!(error.message.contains(page), "{error}");
}

#[tokio::test]
async fn an_unreachable_host_is_waited_for_once_however_many_ask() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = client_at(&host, careless());
    let start = Instant::now();
    let calls: Vec<_> = (0..20).map(|_| tokio::spawn(client.get("/api/2.0/a").done())).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap_err().kind, ErrorKind::Unavailable);
    }
    assert!(start.elapsed().as_secs_f64() < 2.0, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_token_of_any_lifetime_is_kept_for_a_day_at_most() {
    for seconds in [u64::MAX, u64::MAX / 2, 1 << 40] {
        let server = Server::playing([json(404, "")]).await;
        server.then([names_endpoint(&server), token("tok-1", seconds), json(200, ""), json(200, "")]);
        let client = client(&server);
        client.get("/api/2.0/a").done().await.unwrap();
        client.get("/api/2.0/b").done().await.unwrap();
        assert_eq!(server.lines().len(), 5);
    }
}

#[tokio::test]
async fn a_token_that_no_header_can_carry_is_refused_by_name() {
    for name in ["", "two words", "dapi\r\nx: y", "d\u{e4}pi"] {
        let server = Server::playing([json(404, "")]).await;
        server.then([names_endpoint(&server), token(name, 3600)]);
        let error = client(&server).get("/api/2.0/a").done().await.unwrap_err();
        let expected = "get a token for service principal `app`: \
                        the token in the answer of /oidc/v1/token is none that can be sent";
        assert_eq!(error.message, expected);
        assert_eq!(server.lines().len(), 3);
    }
}

#[tokio::test]
async fn a_login_s_answer_without_an_end_is_refused_by_name() {
    let server = Server::playing([Scene::Endless(200)]).await;
    let error = client(&server).get("/api/2.0/a").done().await.unwrap_err();
    assert!(error.message.ends_with("has more than 1 MiB: it is not read"), "{}", error.message);
    let server = Server::playing([json(404, "")]).await;
    server.then([names_endpoint(&server), Scene::Endless(200)]);
    let error = client(&server).get("/api/2.0/a").done().await.unwrap_err();
    assert!(error.message.ends_with("/oidc/v1/token has more than 1 MiB: it is not read"), "{}", error.message);
}

#[tokio::test]
async fn an_answer_that_leads_elsewhere_with_the_secret_is_not_believed() {
    let elsewhere =
        ["https://evil.example", "http://evil.example", "http://127.0.0.1:1", "http://localhost:1", "file:///etc"];
    for base in elsewhere {
        let server = Server::playing([json(200, &value!({"oidc_endpoint": format!("{base}/oidc")}).to_string())]).await;
        let error = client(&server).get("/api/2.0/a").done().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Denied);
        assert!(error.message.contains("no token endpoint at"), "{}", error.message);
        assert_eq!(server.lines(), DISCOVERY[..1], "nobody else was asked, and nobody was told the secret");
        let server = Server::playing([json(404, "")]).await;
        server.then([json(200, &value!({"token_endpoint": format!("{base}/oidc/v1/token")}).to_string())]);
        let error = client(&server).get("/api/2.0/a").done().await.unwrap_err();
        assert!(error.message.contains("nor its account's console"), "{}", error.message);
        assert_eq!(server.lines(), DISCOVERY[..2]);
    }
}
