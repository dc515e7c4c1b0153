//! What answers mean, as a table.

use std::fmt::Write as _;
use std::time::Duration;

use platform_sdk::provider::ErrorKind;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::{ApiFault, Asked, decode};
use crate::client::retry::{Class, Fault};
use crate::client::transport::Answer;

fn asked<'a>(method: &'a str, path: &'a str) -> Asked<'a> {
    let changes = method != "GET";
    let safe_to_repeat = method != "POST";
    let (host, login) = ("https://dbc-1.example", "personal access token (`DATABRICKS_TOKEN` in the environment)");
    Asked { method, path, changes, safe_to_repeat, host, login }
}

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, headers: HeaderMap::new(), body: body.to_owned() }
}

fn with(mut answer: Answer, name: &'static str, value: &'static str) -> Answer {
    answer.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    answer
}

fn of(method: &str, path: &str, status: u16, body: &str) -> Fault {
    decode(&asked(method, path), &answer(status, body))
}

fn kind(status: u16, body: &str) -> ErrorKind {
    of("POST", "/api/2.1/unity-catalog/catalogs", status, body).error.kind
}

fn code(code: &str) -> String {
    format!(r#"{{"error_code": "{code}", "message": "no"}}"#)
}

#[test]
fn every_shape_of_body_is_read() {
    for (body, expected_code, expected_message) in [
        (r#"{"error_code": "X_Y", "message": "It is so.", "details": []}"#, "X_Y", "It is so"),
        (r#"{"error_code": 404, "message": "It is so"}"#, "404", "It is so"),
        (r#"{"error": "It is so"}"#, "", "It is so"),
        (r#"{"error": "invalid_client", "error_description": "It is so"}"#, "invalid_client", "It is so"),
        (r#"{"detail": "It is so", "status": "400", "scimType": "invalidValue"}"#, "invalidValue", "It is so"),
        (r#"{"detail": "It is so", "status": 400, "scimType": null}"#, "", "It is so"),
        ("MALFORMED_REQUEST: It is so", "MALFORMED_REQUEST", "It is so"),
        ("", "", "https://dbc-1.example answered status 400 without a word"),
        (r#"{"error_code": "X_Y"}"#, "X_Y", "https://dbc-1.example answered status 400, X_Y"),
        ("{}", "", "https://dbc-1.example answered status 400 without a word"),
    ] {
        let error = of("GET", "/x", 400, body).error;
        let fault = ApiFault::behind(&error).expect("the service's answer is the source");
        assert_eq!((fault.code.as_str(), error.message.as_str()), (expected_code, expected_message), "{body}");
        assert!(matches!(error.kind, ErrorKind::Invalid { .. }), "{body}: {:?}", error.kind);
    }
}

#[test]
fn status_and_code_give_the_kind() {
    use ErrorKind::{AlreadyExists, Ambiguous, Conflict, Denied, NotFound, NotReady, Throttled, Unavailable};
    let invalid = || ErrorKind::Invalid { field: None };
    for (status, body, expected) in [
        (401, code("UNAUTHENTICATED"), Denied),
        (403, code("PERMISSION_DENIED"), Denied),
        (403, String::new(), Denied),
        (404, code("FEATURE_DISABLED"), Denied),
        (404, code("CATALOG_DOES_NOT_EXIST"), NotFound),
        (404, code("RESOURCE_DOES_NOT_EXIST"), NotFound),
        (400, code("RESOURCE_DOES_NOT_EXIST"), NotFound),
        (404, String::new(), NotFound),
        (404, r#"{"detail": "Group 1 not found", "status": "404"}"#.to_owned(), NotFound),
        (404, r#"{"detail": "Not Found"}"#.to_owned(), Unavailable),
        (404, "404 page not found".to_owned(), Unavailable),
        (404, code("ENDPOINT_NOT_FOUND"), Unavailable),
        (400, code("CATALOG_ALREADY_EXISTS"), AlreadyExists),
        (409, code("RESOURCE_ALREADY_EXISTS"), AlreadyExists),
        (409, r#"{"detail": "Group lake", "status": "409", "scimType": "uniqueness"}"#.to_owned(), AlreadyExists),
        (409, String::new(), AlreadyExists),
        (409, code("RESOURCE_CONFLICT"), Conflict),
        (409, code("SOMETHING_NEW"), Conflict),
        (412, code("SOMETHING_NEW"), Conflict),
        (400, code("SCHEMA_NOT_EMPTY"), Conflict),
        (400, r#"{"error_code": "INVALID_STATE", "message": "Catalog 'x' is not empty"}"#.to_owned(), Conflict),
        (400, code("INVALID_STATE"), NotReady { after: None }),
        (400, code("INVALID_PARAMETER_VALUE"), invalid()),
        (422, code("X_Y"), invalid()),
        (501, code("NOT_IMPLEMENTED"), invalid()),
        (429, code("REQUEST_LIMIT_EXCEEDED"), Throttled { after: None }),
        (500, r#"{"message": "RPC token bucket limit has been exceeded"}"#.to_owned(), Throttled { after: None }),
        (400, r#"{"message": "ClusterNotReadyException: wait"}"#.to_owned(), NotReady { after: None }),
        (503, code("TEMPORARILY_UNAVAILABLE"), Unavailable),
        (500, code("INTERNAL_ERROR"), Ambiguous),
        (502, String::new(), Ambiguous),
    ] {
        assert_eq!(kind(status, &body), expected, "{status} {body}");
    }
}

#[test]
fn a_read_is_never_ambiguous() {
    assert_eq!(of("GET", "/x", 500, "").error.kind, ErrorKind::Unavailable);
    assert_eq!(of("PATCH", "/x", 500, "").error.kind, ErrorKind::Ambiguous);
}

#[test]
fn an_older_400_is_absence_only_of_what_was_asked_for() {
    let gone = |path: &str, noun: &str| {
        let body = format!(r#"{{"error_code": "INVALID_PARAMETER_VALUE", "message": "{noun} 7 does not exist"}}"#);
        of("GET", path, 400, &body).error.kind == ErrorKind::NotFound
    };
    assert!(gone("/api/2.1/clusters/get", "Cluster"));
    assert!(gone("/api/2.2/jobs/get", "Job"));
    assert!(gone("/api/2.2/jobs/runs/get", "Run"));
    assert!(!gone("/api/2.2/jobs/create", "Job"));
    assert!(!gone("/api/2.2/jobs/reset", "Cluster"));
    assert!(!gone("/api/2.1/unity-catalog/catalogs", "External location"));
}

#[test]
fn who_may_be_tried_again_depends_on_the_harm() {
    let again = |method: &str, status: u16, body: &str| of(method, "/x", status, body).again;
    for method in ["GET", "POST"] {
        assert_eq!(again(method, 429, ""), Some(Class::Throttled));
        assert_eq!(again(method, 503, ""), Some(Class::Throttled));
        assert_eq!(again(method, 503, "<html>"), Some(Class::Throttled));
        assert_eq!(again(method, 400, r#"{"message": "ClusterNotReadyException"}"#), Some(Class::Throttled));
        assert_eq!(again(method, 500, r#"{"message": "RPC token bucket limit"}"#), Some(Class::Throttled));
        for status in [400, 401, 403, 404, 409, 501] {
            assert_eq!(again(method, status, ""), None, "{status}");
        }
    }
    for status in [500, 502, 504] {
        assert_eq!(again("DELETE", status, ""), Some(Class::Broken));
        assert_eq!(again("POST", status, ""), None);
    }
}

#[test]
fn retry_after_reaches_the_kind() {
    let fault = decode(&asked("GET", "/x"), &with(answer(429, ""), "retry-after", "17"));
    let after = Some(Duration::from_secs(17));
    assert_eq!((fault.after, fault.error.kind), (after, ErrorKind::Throttled { after }));
}

#[test]
fn the_field_is_taken_from_the_details() {
    let body = r#"{"error_code": "INVALID_PARAMETER_VALUE", "message": "no", "details": [
        {"@type": "type.googleapis.com/google.rpc.RequestInfo", "request_id": "r-1"},
        {"@type": "type.googleapis.com/google.rpc.BadRequest", "field_violations": [{"field": "a.b", "description": "x"}]}]}"#;
    let error = of("POST", "/x", 400, body).error;
    assert_eq!(error.kind, ErrorKind::Invalid { field: Some("a.b".to_owned()) });
    assert_eq!(
        ApiFault::behind(&error).expect("a fault").to_string(),
        "status 400, INVALID_PARAMETER_VALUE, request r-1"
    );
}

#[test]
fn messages_say_what_and_what_next() {
    let mut all = String::new();
    let long =
        r#"{"error_code": "PERMISSION_DENIED", "message": "User does not have CREATE CATALOG on Metastore 'm'."}"#;
    for (title, method, answer) in [
        ("401", "GET", answer(401, r#"{"error_code": "UNAUTHENTICATED", "message": "Invalid access token."}"#)),
        ("403", "POST", answer(403, long)),
        (
            "404",
            "GET",
            answer(404, r#"{"error_code": "CATALOG_DOES_NOT_EXIST", "message": "Catalog 'lake' does not exist."}"#),
        ),
        ("wrong level", "GET", answer(404, &code("ENDPOINT_NOT_FOUND"))),
        ("switched off", "GET", answer(404, &code("FEATURE_DISABLED"))),
        ("page", "GET", answer(404, "<!doctype html><p>404</p>")),
        ("page for a create", "POST", answer(200, "<html>sign in</html>")),
        ("redirect", "POST", with(answer(302, ""), "location", "https://login.example/in?code=s3cret")),
        ("text", "GET", answer(404, "404 page not found")),
        ("nothing", "POST", answer(500, "")),
    ] {
        let error = decode(&asked(method, "/api/2.1/x"), &answer).error;
        writeln!(all, "{title}\n  kind: {:?}\n  error: {error}", error.kind).expect("text grows");
        error.hint.iter().for_each(|hint| writeln!(all, "  hint: {hint}").expect("text grows"));
        error.source.iter().for_each(|source| writeln!(all, "  cause: {source}").expect("text grows"));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_principal_or_a_reference_that_does_not_exist_is_another_thing_than_the_object() {
    let kind = |method: &str, path: &str, body: &str| of(method, path, 404, body).error.kind;
    let missing = |what: &str| ErrorKind::Missing { what: what.to_owned() };
    let catalogs = "/api/2.1/unity-catalog/catalogs/lake";
    let principal =
        r#"{"error_code": "PRINCIPAL_DOES_NOT_EXIST", "message": "Could not find principal with name analysts."}"#;
    assert_eq!(kind("PATCH", catalogs, principal), missing("analysts"));
    let of_acl =
        r#"{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Principal: UserName(ana@x.y) does not exist"}"#;
    assert_eq!(kind("PUT", "/api/2.0/permissions/jobs/7", of_acl), missing("ana@x.y"));
    let other = r#"{"error_code": "STORAGE_CREDENTIAL_DOES_NOT_EXIST", "message": "Storage credential 'cred' does not exist."}"#;
    assert_eq!(kind("PATCH", "/api/2.1/unity-catalog/external-locations/raw", other), missing("cred"));
    let by_body = r#"{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Cluster 'c-1' does not exist"}"#;
    assert_eq!(kind("POST", "/api/2.1/clusters/permanent-delete", by_body), ErrorKind::NotFound, "the object itself");
    let itself = r#"{"error_code": "CATALOG_DOES_NOT_EXIST", "message": "Catalog 'lake' does not exist."}"#;
    assert_eq!(kind("PATCH", catalogs, itself), ErrorKind::NotFound);
    assert_eq!(kind("GET", "/api/2.1/unity-catalog/schemas", itself), ErrorKind::NotFound, "a read of what is in it");
    assert_eq!(kind("DELETE", "/api/2.1/unity-catalog/schemas/lake.x", itself), ErrorKind::NotFound);
}
