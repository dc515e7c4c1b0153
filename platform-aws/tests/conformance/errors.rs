//! What a broken connection means: never absence, and never the wrong certainty.

use std::{collections::BTreeMap, net::TcpListener, sync::Arc, time::Duration};

use platform_aws::{Aws, iam::Role, policy::uc_trust, s3::Bucket};
use platform_sdk::{
    Provider, Resource,
    provider::{Connect, Connection, Context, ErrorKind, Request},
};
use serde_json::json;

use crate::subject::{REGION, inputs};

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
