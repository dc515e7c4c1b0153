//! What a broken connection means: never absence, and never the wrong certainty.

use std::{collections::BTreeMap, net::TcpListener, sync::Arc, time::Duration};

use platform_aws::{Aws, iam::Role, policy::uc_trust, s3::Bucket};
use platform_sdk::{
    Provider, Resource,
    provider::{Connect, Connection, Context, ErrorKind, Request},
    sandbox::{Endpoint, Options, attach_or_start},
};
use serde_json::json;
use tempfile::TempDir;

use crate::subject::{REGION, inputs};

/// A connection to a sandbox with these faults; the rest keeps it running.
async fn faulty(faults: serde_json::Value) -> (Arc<dyn Connection>, Endpoint, TempDir) {
    let dir = TempDir::new().expect("a directory");
    let options = Options { faults: serde_json::from_value(faults).expect("faults") };
    let service = Aws::from_env().connector().sandbox().expect("AWS has a sandbox");
    let endpoint = attach_or_start(dir.path(), service, options).expect("the sandbox starts");
    let connect = Connect { environment: BTreeMap::new(), sandbox: Some(endpoint.url.clone()) };
    let connection = Aws::from_env().connector().connect(&json!({}), &connect).await.expect("a connection");
    (connection, endpoint, dir)
}

async fn connection(url: &str) -> Arc<dyn Connection> {
    let environment = [("AWS_ACCESS_KEY_ID", "k"), ("AWS_SECRET_ACCESS_KEY", "hush-canary"), ("AWS_REGION", REGION)];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let connect = Connect { environment: BTreeMap::from(environment), sandbox: None };
    Aws::from_env().connector().connect(&json!({"endpoint": url}), &connect).await.expect("a connection")
}

/// A port that answers every connection with these bytes, `times` counted.
fn answering(bytes: &'static [u8]) -> (String, Arc<std::sync::atomic::AtomicUsize>) {
    use std::io::{Read as _, Write as _};

    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    let times = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = times.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let mut request = vec![0; 65536];
            drop(stream.read(&mut request));
            drop(stream.write_all(bytes));
        }
    });
    (url, times)
}

fn role() -> serde_json::Value {
    inputs(&Role::new("lake", uc_trust("hf28", "lake", "123456789012")))
}

#[tokio::test]
async fn clause_7_a_closed_port_is_unavailable_and_nothing_is_absent() {
    let connection = connection("http://127.0.0.1:1").await;
    for type_name in [Bucket::schema().type_name, Role::schema().type_name] {
        let request = Request { id: "lake".to_owned(), inputs: None, outputs: None };
        let error = connection.driver(type_name).expect("a driver").read(&request).await.expect_err("no server");
        assert_eq!(error.kind, ErrorKind::Unavailable, "{error:?}");
        assert!(!format!("{error:?}").contains("hush-canary"));
    }
}

#[tokio::test]
async fn clause_7_a_create_whose_answer_was_lost_is_ambiguous_and_not_repeated() {
    let (url, times) = answering(b"");
    let driver = connection(&url).await.driver(Role::schema().type_name).expect("a driver");
    let error = driver.create(&Context::detached(), &role()).await.expect_err("no answer");
    assert_eq!(error.kind, ErrorKind::Ambiguous, "{error:?}");
    assert_eq!(times.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn clause_7_an_unreadable_answer_is_ambiguous() {
    let page = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 22\r\nconnection: close\r\n\r\n<html>Welcome</html>\r\n";
    let (url, _) = answering(page);
    let driver = connection(&url).await.driver(Role::schema().type_name).expect("a driver");
    let error = driver.create(&Context::detached(), &role()).await.expect_err("no XML of IAM's");
    assert_eq!(error.kind, ErrorKind::Ambiguous, "{error:?}");
}

#[tokio::test]
async fn clause_7_denied_is_an_error_and_not_absence() {
    let refusal = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let (url, _) = answering(refusal);
    let connection = connection(&url).await;
    let request = Request { id: "lake".to_owned(), inputs: None, outputs: None };
    let bucket = connection.driver(Bucket::schema().type_name).expect("a driver");
    let error = bucket.read(&request).await.expect_err("it is denied");
    assert_eq!(error.kind, ErrorKind::Denied, "{error:?}");
    assert!(error.hint.is_some());
    let (ctx, inputs) = (Context::detached(), json!({"name": "lake"}));
    let made = tokio::time::timeout(Duration::from_secs(20), bucket.create(&ctx, &inputs)).await;
    assert_eq!(made.expect("in time").expect_err("it is denied").kind, ErrorKind::Denied);
}

#[tokio::test]
async fn clause_6_what_a_lost_create_made_is_found_and_finished() {
    let made = [(Bucket::schema(), json!({"name": "acme-lake", "versioning": true})), (Role::schema(), role())];
    for (schema, inputs) in made {
        let (connection, _sandbox, _dir) = faulty(json!({"nth_mutation": {"n": 1, "fault": "reset_after"}})).await;
        let driver = connection.driver(schema.type_name).expect("a driver");
        let error = driver.create(&Context::detached(), &inputs).await.expect_err("the answer is lost");
        assert_eq!(error.kind, ErrorKind::Ambiguous, "{}: {error:?}", schema.type_name);
        let found = driver.find(&inputs).await.expect("find");
        assert_eq!(found.len(), 1, "{} was made", schema.type_name);
        assert!(found[0].created_at_ms.is_some(), "its age tells whether it is ours");
        let mut request = Request { id: found[0].id.clone(), inputs: Some(inputs.clone()), outputs: None };
        let seen = driver.read(&request).await.expect("read").expect("it is there");
        request.outputs = seen.outputs.plain();
        request.inputs = seen.inputs.plain();
        let paths: Vec<String> = schema.fields().iter().map(|field| field.name.to_owned()).collect();
        driver.update(&Context::detached(), &request, &inputs, &paths).await.expect("it can be finished");
        let seen = driver.read(&request).await.expect("read").expect("it is there").inputs.plain().expect("known");
        assert_eq!(seen.get("versioning"), inputs.get("versioning"));
    }
}

#[tokio::test]
async fn clause_6_a_delete_whose_answer_was_lost_is_simply_repeated() {
    let (connection, _sandbox, _dir) = faulty(json!({"nth_mutation": {"n": 2, "fault": "reset_after"}})).await;
    let driver = connection.driver(Role::schema().type_name).expect("a driver");
    let (id, outputs) = driver.create(&Context::detached(), &role()).await.expect("create");
    let request = Request { id, inputs: Some(role()), outputs: outputs.plain() };
    driver.delete(&Context::detached(), &request, false).await.expect("delete");
    assert!(driver.read(&request).await.expect("read").is_none());
}

#[tokio::test]
async fn clause_7_refusals_of_a_create_are_what_the_service_meant() {
    for (fault, kind) in [("throttle", ErrorKind::Throttled { after: None }), ("reset_before", ErrorKind::Ambiguous)] {
        let (connection, _sandbox, _dir) = faulty(json!({"nth_mutation": {"n": 1, "fault": fault}})).await;
        let driver = connection.driver(Bucket::schema().type_name).expect("a driver");
        let error =
            driver.create(&Context::detached(), &json!({"name": "acme-lake"})).await.expect_err("it is refused");
        assert!(std::mem::discriminant(&error.kind) == std::mem::discriminant(&kind), "{fault}: {error:?}");
        assert!(driver.find(&json!({"name": "acme-lake"})).await.expect("find").is_empty());
    }
}

/// A port that answers every connection with this head, and then with these bytes until the client hangs up.
fn endless(head: &'static [u8], more: &'static [u8]) -> String {
    use std::io::{Read as _, Write as _};

    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut request = vec![0; 65536];
            drop(stream.read(&mut request));
            let block = more.repeat((64 << 10) / more.len());
            let mut sent = stream.write_all(head);
            while sent.is_ok() {
                sent = stream.write_all(&block);
            }
        }
    });
    url
}

#[tokio::test]
async fn clause_7_an_answer_without_an_end_is_refused_by_name() {
    for head in [
        b"HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\n\r\n".as_slice(),
        b"HTTP/1.1 400 Bad\r\ncontent-type: text/xml\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: 9223372036854775807\r\n\r\n",
    ] {
        for more in [b" ".as_slice(), b"<a>"] {
            let driver = connection(&endless(head, more)).await.driver(Role::schema().type_name).expect("a driver");
            let request = Request { id: "lake".to_owned(), inputs: None, outputs: None };
            let error = driver.read(&request).await.expect_err("no end");
            assert!(error.message.ends_with("the answer has more than 32 MiB: it is not read"), "{error:?}");
            assert_eq!(error.kind, ErrorKind::Ambiguous);
        }
    }
}

#[tokio::test]
async fn clause_7_an_answer_that_is_nested_deep_is_an_error_and_no_crash() {
    let nested = "<a>".repeat(500_000) + &"</a>".repeat(500_000);
    let length = nested.len();
    for status in [200, 400, 404] {
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
        let (url, _) = answering((head + &nested).into_bytes().leak());
        let connection = connection(&url).await;
        for type_name in [Bucket::schema().type_name, Role::schema().type_name] {
            let request = Request { id: "lake".to_owned(), inputs: None, outputs: None };
            let read = connection.driver(type_name).expect("a driver").read(&request).await;
            assert!(read.is_err() || status == 404, "{type_name}, status {status}: {read:?}");
        }
    }
}

#[tokio::test]
async fn clause_7_a_service_that_asks_for_a_century_is_believed_a_day() {
    let refusal =
        b"HTTP/1.1 429 Slow\r\nretry-after: 18446744073709551615\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let (url, _) = answering(refusal);
    let driver = connection(&url).await.driver(Role::schema().type_name).expect("a driver");
    let error = driver.create(&Context::detached(), &role()).await.expect_err("throttled");
    assert_eq!(error.kind, ErrorKind::Throttled { after: Some(Duration::from_hours(24)) }, "{error:?}");
}
