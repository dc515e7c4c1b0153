//! A KMS key that wraps the keys of secrets: on moto, with a key that boto3 makes.

use std::collections::BTreeMap;

use platform_aws::KmsKey;
use platform_sdk::{
    desired::Tree,
    provider::ErrorKind,
    sealing::KeyWrapper,
    state::{Holder, Location, World, lease, read},
};
use serde_json::json;

use crate::subject::{REGION, Subject};

struct Scene {
    environment: BTreeMap<String, String>,
    key: String,
}

async fn scene(name: &str) -> Option<Scene> {
    let subject = Subject::on_moto(name).await?;
    let made = subject.boto.must("kms", "create_key", json!({}));
    let key = made["KeyMetadata"]["KeyId"].as_str().expect("an id").to_owned();
    let endpoint = crate::server::moto().expect("it runs");
    let environment = [
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "hush-canary"),
        ("AWS_REGION", REGION),
        ("AWS_ENDPOINT_URL", endpoint),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Some(Scene { environment, key })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_wrapped_for_a_place_unwraps_there_alone() {
    let Some(Scene { key, environment }) = scene(concat!(module_path!(), "::places")).await else { return };
    let kms = KmsKey::new(key);
    let wrapped = kms.wrap(&[7; 32], "acme/prod/data-key", &environment).await.expect("wrapped");
    let opened = kms.unwrap(&kms.key(), &wrapped, "acme/prod/data-key", &environment).await.expect("unwrapped");
    assert_eq!(**opened, [7; 32]);
    assert!(kms.unwrap(&kms.key(), &wrapped, "acme/test/data-key", &environment).await.is_err(), "another stack's");
    assert!(kms.unwrap(&kms.key(), "AAAA", "acme/prod/data-key", &environment).await.is_err(), "damaged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_s_secrets_open_with_its_kms_key_and_with_nothing_else() {
    let name = concat!(module_path!(), "::stack");
    let Some(Scene { key, environment }) = scene(name).await else { return };
    let folder = tempfile::tempdir().expect("a directory");
    let plain = Location::new(folder.path().to_str().expect("text"), "acme", "prod").expect("a location");
    let place = plain.clone().with_key(Some(std::sync::Arc::new(KmsKey::new(key.clone()))));
    let mut lease = lease(&place, World::Real, &environment, &Holder::here(&environment)).await.expect("a lease");
    let mut snapshot = lease.reading().snapshot.clone();
    snapshot.exports.insert("token".to_owned(), Tree::Secret(Box::new(Tree::Leaf("hush".into()))));
    lease.commit(&snapshot).await.expect("committed");
    lease.release().await.expect("released");
    let reading = read(&place, World::Real, &environment).await.expect("readable");
    assert_eq!(reading.snapshot.exports, snapshot.exports);
    let said = read(&plain, World::Real, &environment).await.expect_err("no key").to_string();
    assert!(said.contains(&format!("are encrypted with aws-kms `{key}`")), "{said}");
    let elsewhere = KmsKey::new(key).region("eu-central-1");
    let place = plain.with_key(Some(std::sync::Arc::new(elsewhere)));
    let said = read(&place, World::Real, &environment).await.expect_err("no such key there").to_string();
    assert!(said.contains("cannot unwrap the key of stack `acme/prod`") && !said.contains("hush"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_goes_over_to_the_kms_key_that_the_program_names_now() {
    let name = concat!(module_path!(), "::rotation");
    let Some(Scene { key: old, environment }) = scene(name).await else { return };
    let Some(Scene { key: new, .. }) = scene(name).await else { return };
    let folder = tempfile::tempdir().expect("a directory");
    let plain = Location::new(folder.path().to_str().expect("text"), "acme", "prod").expect("a location");
    let with = |key: &str| plain.clone().with_key(Some(std::sync::Arc::new(KmsKey::new(key))));
    let who = Holder::here(&environment);
    let mut first = lease(&with(&old), World::Real, &environment, &who).await.expect("a lease");
    let mut snapshot = first.reading().snapshot.clone();
    snapshot.exports.insert("token".to_owned(), Tree::Secret(Box::new(Tree::Leaf("hush".into()))));
    first.commit(&snapshot).await.expect("committed");
    first.release().await.expect("released");
    // The program names the new key from here on; what the old one wrapped still opens until then.
    let second = lease(&with(&new), World::Real, &environment, &who).await.expect("opened with the old key");
    let (by, _) = second.rotate(false).await.expect("rotated").expect("there are secrets");
    assert!(by.contains(&new), "{by}");
    // moto decrypts with disabled keys, too: what the state says it needs is in the refusal to a program without any.
    let said = read(&plain, World::Real, &environment).await.expect_err("no key").to_string();
    assert!(said.contains(&format!("are encrypted with aws-kms `{new}`")), "{said}");
    let reading = read(&with(&new), World::Real, &environment).await.expect("readable");
    assert_eq!(reading.snapshot.exports, snapshot.exports);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_a_region_is_an_error_that_says_where_to_set_one() {
    let environment = [("AWS_ACCESS_KEY_ID", "k"), ("AWS_SECRET_ACCESS_KEY", "s"), ("HOME", "/nowhere")];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let error = KmsKey::new("alias/x").wrap(&[0; 32], "p", &environment).await.expect_err("no region");
    assert_eq!(error.kind, ErrorKind::Invalid { field: None });
    assert!(error.hint.expect("a hint").contains("AWS_REGION"));
}
