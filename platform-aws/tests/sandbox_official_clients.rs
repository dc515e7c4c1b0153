//! The AWS sandbox serves the official Rust clients, which decode more strictly than boto3 does.
#![cfg(all(feature = "s3", feature = "iam"))]
#![expect(clippy::unwrap_used, reason = "a test that can't go on says where")]

use std::sync::Arc;

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_sdk_iam::error::ProvideErrorMetadata as _;
use aws_sdk_s3::{
    config::{Credentials, SharedCredentialsProvider},
    primitives::ByteStream,
    types::{
        BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, PublicAccessBlockConfiguration,
        ServerSideEncryption, Tag, Tagging, VersioningConfiguration,
    },
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use platform_aws::sandbox::{AwsSandbox, CALLER_ARN};
use platform_sdk::sandbox::{Endpoint, Options, attach_or_start};

fn start(dir: &std::path::Path) -> (Endpoint, SdkConfig) {
    let endpoint = attach_or_start(dir, Arc::new(AwsSandbox), Options::default()).unwrap();
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let credentials = Credentials::new("AKIASANDBOX000000000", "sandbox", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(&endpoint.url)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::disabled())
        .http_client(http)
        .build();
    (endpoint, config)
}

fn s3(config: &SdkConfig) -> aws_sdk_s3::Client {
    aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(config).force_path_style(true).build())
}

#[tokio::test]
async fn buckets_and_their_settings() {
    let dir = tempfile::tempdir().unwrap();
    let (_endpoint, config) = start(dir.path());
    let s3 = s3(&config);
    let location = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::EuWest1).build();
    s3.create_bucket().bucket("lake").create_bucket_configuration(location).send().await.unwrap();

    let head = s3.head_bucket().bucket("lake").send().await.unwrap();
    assert_eq!(head.bucket_region(), Some("eu-west-1"));
    let located = s3.get_bucket_location().bucket("lake").send().await.unwrap();
    assert_eq!(located.location_constraint(), Some(&BucketLocationConstraint::EuWest1));
    assert_eq!(s3.list_buckets().send().await.unwrap().buckets()[0].name(), Some("lake"));

    assert_eq!(s3.get_bucket_versioning().bucket("lake").send().await.unwrap().status(), None);
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    s3.put_bucket_versioning().bucket("lake").versioning_configuration(enabled).send().await.unwrap();
    let versioning = s3.get_bucket_versioning().bucket("lake").send().await.unwrap();
    assert_eq!(versioning.status(), Some(&BucketVersioningStatus::Enabled));

    let encryption = s3.get_bucket_encryption().bucket("lake").send().await.unwrap();
    let rule = &encryption.server_side_encryption_configuration().unwrap().rules()[0];
    let algorithm = rule.apply_server_side_encryption_by_default().unwrap().sse_algorithm();
    assert_eq!(algorithm, &ServerSideEncryption::Aes256);

    let block = PublicAccessBlockConfiguration::builder().block_public_acls(true).build();
    s3.put_public_access_block().bucket("lake").public_access_block_configuration(block).send().await.unwrap();
    let block = s3.get_public_access_block().bucket("lake").send().await.unwrap();
    let block = block.public_access_block_configuration().unwrap();
    assert_eq!((block.block_public_acls(), block.block_public_policy()), (Some(true), Some(false)));

    let tag = Tag::builder().key("team").value("data").build().unwrap();
    let tagging = Tagging::builder().tag_set(tag.clone()).build().unwrap();
    s3.put_bucket_tagging().bucket("lake").tagging(tagging).send().await.unwrap();
    assert_eq!(s3.get_bucket_tagging().bucket("lake").send().await.unwrap().tag_set(), [tag]);

    let missing = s3.get_bucket_policy().bucket("lake").send().await.unwrap_err();
    assert_eq!(missing.code(), Some("NoSuchBucketPolicy"));
    let missing = s3.head_bucket().bucket("nobody").send().await.unwrap_err();
    assert!(missing.into_service_error().is_not_found());
    s3.delete_bucket().bucket("lake").send().await.unwrap();
}

#[tokio::test]
async fn objects_in_memory_and_streamed() {
    let dir = tempfile::tempdir().unwrap();
    let (_endpoint, config) = start(dir.path());
    let s3 = s3(&config);
    let location = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::EuWest1).build();
    s3.create_bucket().bucket("lake").create_bucket_configuration(location).send().await.unwrap();
    s3.put_object().bucket("lake").key("a b").body(b"from memory".to_vec().into()).send().await.unwrap();
    let read = s3.get_object().bucket("lake").key("a b").send().await.unwrap();
    assert_eq!(read.body.collect().await.unwrap().to_vec(), b"from memory");
    assert_eq!(s3.list_objects_v2().bucket("lake").send().await.unwrap().contents()[0].key(), Some("a b"));
    let file = dir.path().join("file");
    std::fs::write(&file, b"from a file, in chunks").unwrap();
    let stream = ByteStream::from_path(&file).await.unwrap();
    s3.put_object().bucket("lake").key("file").body(stream).send().await.unwrap();
    let read = s3.get_object().bucket("lake").key("file").send().await.unwrap();
    assert_eq!(read.body.collect().await.unwrap().to_vec(), b"from a file, in chunks");
    let full = s3.delete_bucket().bucket("lake").send().await.unwrap_err();
    assert_eq!(full.code(), Some("BucketNotEmpty"));
}

#[tokio::test]
async fn roles_and_the_caller() {
    let dir = tempfile::tempdir().unwrap();
    let (_endpoint, config) = start(dir.path());
    let (iam, sts) = (aws_sdk_iam::Client::new(&config), aws_sdk_sts::Client::new(&config));
    assert_eq!(sts.get_caller_identity().send().await.unwrap().arn(), Some(CALLER_ARN));

    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"{CALLER_ARN}"}},"Action":"sts:AssumeRole"}}}}"#
    );
    let access = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    iam.create_role().role_name("lake").assume_role_policy_document(&trust).send().await.unwrap();
    iam.update_role().role_name("lake").description("reads the lake").send().await.unwrap();
    iam.put_role_policy().role_name("lake").policy_name("access").policy_document(access).send().await.unwrap();
    let role = iam.get_role().role_name("lake").send().await.unwrap();
    let role = role.role().unwrap();
    assert_eq!((role.description(), role.max_session_duration()), (Some("reads the lake"), Some(3_600)));
    assert_eq!(iam.list_role_policies().role_name("lake").send().await.unwrap().policy_names(), ["access"]);
    assert_eq!(iam.list_roles().send().await.unwrap().roles().len(), 1);

    let again = iam.create_role().role_name("lake").assume_role_policy_document(&trust).send().await.unwrap_err();
    assert_eq!(again.code(), Some("EntityAlreadyExists"));
    let used = iam.delete_role().role_name("lake").send().await.unwrap_err();
    assert!(used.into_service_error().is_delete_conflict_exception());
    iam.delete_role_policy().role_name("lake").policy_name("access").send().await.unwrap();
    iam.delete_role().role_name("lake").send().await.unwrap();
    let gone = iam.get_role().role_name("lake").send().await.unwrap_err();
    assert!(gone.into_service_error().is_no_such_entity_exception());
}
