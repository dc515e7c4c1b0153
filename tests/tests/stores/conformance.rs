//! The store in S3 passes the suite that every store passes.

use platform_sdk::state::{Condition, StoreError, conformance};

use crate::bucket::S3;

#[tokio::test(flavor = "multi_thread")]
async fn a_store_in_s3_conforms() {
    let Some(s3) = S3::start("state in S3: conformance") else { return };
    conformance::check(s3.location().store()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_not_there_is_named() {
    let Some(s3) = S3::start("state in S3: no bucket") else { return };
    let store = s3.location_in("s3://nowhere").store();
    let error = store.put("acme/prod/head.json", "".into(), Condition::Absent).await.expect_err("no bucket");
    assert!(matches!(error, StoreError::Failed { .. }) && !error.may_pass(), "{error:?}");
    assert_eq!(error.to_string(), "cannot write `s3://nowhere/acme/prod/head.json`");
}
