//! Each kind of bucket passes the suite that every store passes, and says what it lacks.

use platform_sdk::{
    Diagnostic,
    state::{Condition, StoreError, conformance},
};

use crate::bucket::{Bucket, Service};

async fn conforms(service: Service) {
    let Some(bucket) = Bucket::start(service, "conformance") else { return };
    let (folder, whole) =
        (bucket.location(&bucket.folder("conforming")), bucket.location(&bucket.bucket("acme-state")));
    tokio::join!(conformance::check(folder.store()), conformance::check(whole.store()));
}

#[test]
fn a_store_in_a_bucket_conforms() {
    Service::each(|service| runtime().block_on(conforms(service)));
}

/// What becomes of a wish for something in a bucket that is not there.
#[track_caller]
fn assert_named<T: std::fmt::Debug>(answer: Result<T, StoreError>, summary: &str, detail: &str) {
    let error = answer.expect_err("no bucket");
    assert!(!error.may_pass(), "{error:?}");
    let said = Diagnostic::from(error);
    assert_eq!((said.summary.as_str(), said.detail.as_deref()), (summary, Some(detail)));
    let hint = said.hint.expect("a hint");
    assert!(hint.starts_with("create it, or choose another place with `--state`"), "{hint}");
}

async fn names_a_bucket_that_is_not_there(service: Service) {
    let Some(bucket) = Bucket::start(service, "no bucket") else { return };
    let url = bucket.bucket("nowhere");
    let store = bucket.location(&url).store();
    let what = if service == Service::Azure { "container" } else { "bucket" };
    let detail = format!("there is no {what} `nowhere`");
    let write = store.put("acme/prod/head.json", "".into(), Condition::Absent).await;
    assert_named(write, &format!("cannot write `{url}/acme/prod/head.json`"), &detail);
    assert_named(store.list("acme/prod").await, &format!("cannot list `{url}/acme/prod`"), &detail);
    // fake-gcs-server tells a missing bucket from a missing object everywhere but here.
    if service != Service::Google {
        assert_named(store.get("acme/prod/1").await, &format!("cannot read `{url}/acme/prod/1`"), &detail);
    }
}

#[test]
fn a_bucket_that_is_not_there_is_named() {
    Service::each(|service| runtime().block_on(names_a_bucket_that_is_not_there(service)));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().expect("a runtime")
}
