//! S3 bucket: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>.
//!
//! - Names are shared by all accounts, but the bucket is its account's, so that is its scope.
//! - Versioning that was on once can only be suspended: to S3 that is a third state, to this page it is off.
//! - In us-east-1 creating a bucket that one owns succeeds: a create looks first there.
//! - Settings are calls of their own after the create, and may be told at first that there is no such bucket.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use platform_sdk::{
    Declared, Id, IntoInput, Output, Resolved, Stage,
    derive::{Block, Outputs, Resource},
    interpolate, names,
    provider::{
        Change, Content, Context, ErrorKind, Existing, Found, Made, Manage, Observed, ProviderError, ProviderResult,
        Read, Values, id_in_address,
    },
};
use serde_json::{Value, json};

use super::{contents, location, settings};
use crate::{
    Aws,
    arn::{below, of_region},
    client::{Client, once},
    endless::Walk,
    error::Answer,
};

/// An S3 bucket: private, encrypted, and unversioned unless told otherwise.
#[derive(Resource)]
#[resource(
    type = "aws:Bucket",
    outputs = BucketOutputs,
    provider = Aws,
    scope = "account",
    data,
    identity = key,
    validate = problems
)]
pub struct Bucket<S: Stage = Declared> {
    /// Its name, unique in the world: 3 to 63 lower-case letters, digits, dots and hyphens.
    #[field(required, key, replace)]
    pub name: S::In<String>,
    /// Where it is: `eu-central-1`. Default: the provider's region.
    #[field(computed, replace)]
    pub region: Option<S::In<String>>,
    /// Whether overwritten and deleted objects are kept as versions. Default: no.
    #[field(default = false)]
    pub versioning: Option<S::In<bool>>,
    /// How new objects are encrypted. Default: with S3's own keys.
    #[field(default = s3_keys())]
    pub encryption: Option<Encryption<S>>,
    /// Which ways to make it public are shut. Default: all.
    #[field(default = all_shut())]
    pub public_access_block: Option<PublicAccessBlock<S>>,
    /// Its tags. Default: none.
    #[field(default = json!({}))]
    pub tags: Option<S::In<BTreeMap<String, String>>>,
}

names! {
    /// How objects are encrypted at rest.
    pub enum EncryptionAlgorithm {
        /// With keys that S3 keeps.
        Aes256 = "AES256",
        /// With a key of the Key Management Service.
        Kms = "aws:kms",
        /// Twice, with a key of the Key Management Service.
        KmsDsse = "aws:kms:dsse",
    }
}

/// How new objects of a bucket are encrypted.
#[derive(Block)]
pub struct Encryption<S: Stage = Declared> {
    /// With whose keys.
    #[field(required)]
    pub algorithm: S::In<EncryptionAlgorithm>,
    /// The key's ARN, id or alias. Default: the account's key for S3, where the algorithm takes one.
    #[field(computed)]
    pub kms_key: Option<S::In<String>>,
    /// Whether one key of the bucket stands for many calls to the Key Management Service, which cost. Default: no.
    #[field(default = false)]
    pub bucket_key: Option<S::In<bool>>,
}

/// Which ways to make a bucket public are shut: all of them, unless told otherwise.
#[derive(Block)]
pub struct PublicAccessBlock<S: Stage = Declared> {
    /// New access control lists that make public are refused. Default: yes.
    #[field(default = true)]
    pub block_public_acls: Option<S::In<bool>>,
    /// Access control lists that make public have no effect. Default: yes.
    #[field(default = true)]
    pub ignore_public_acls: Option<S::In<bool>>,
    /// Bucket policies that make public are refused. Default: yes.
    #[field(default = true)]
    pub block_public_policy: Option<S::In<bool>>,
    /// Bucket policies that make public hold only within the account. Default: yes.
    #[field(default = true)]
    pub restrict_public_buckets: Option<S::In<bool>>,
}

/// Outputs of [`Bucket`].
#[derive(Outputs)]
pub struct BucketOutputs<S: Stage = Declared> {
    /// Its name.
    #[output(is = "{name}")]
    pub id: S::Out<Id<Bucket>>,
    /// Its name, as text.
    #[output(is = "{name}")]
    pub bucket: S::Out<String>,
    /// `arn:aws:s3:::acme-landing`.
    pub arn: S::Out<String>,
    /// Where it is.
    pub region: S::Out<String>,
}

impl BucketOutputs {
    /// The URL of what is at this path: `s3://acme-landing/raw`. An empty path is the whole bucket.
    pub fn url(&self, path: impl IntoInput<String>) -> Output<String> {
        interpolate!("s3://{}/{}", self.bucket, path.into_input())
    }
}

impl Encryption {
    /// With keys that S3 keeps; free of charge.
    pub fn sse_s3() -> Self {
        Self::new(EncryptionAlgorithm::Aes256)
    }

    /// With this key of the Key Management Service: its ARN, id or alias.
    pub fn kms(key: impl IntoInput<String>) -> Self {
        Self::new(EncryptionAlgorithm::Kms).kms_key(key)
    }
}

impl PublicAccessBlock {
    /// Nothing is shut: policies and access control lists alone decide who reads.
    pub fn none() -> Self {
        Self::new()
            .block_public_acls(false)
            .ignore_public_acls(false)
            .block_public_policy(false)
            .restrict_public_buckets(false)
    }
}

fn s3_keys() -> Value {
    json!({"algorithm": "AES256", "bucket_key": false})
}

fn all_shut() -> Value {
    json!({
        "block_public_acls": true,
        "ignore_public_acls": true,
        "block_public_policy": true,
        "restrict_public_buckets": true,
    })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
fn problems(inputs: &Value) -> Vec<(String, String)> {
    let Some(name) = inputs["name"].as_str() else { return Vec::new() };
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-';
    let ends = name.ends_with(['.', '-']) || name.starts_with(['.', '-']);
    let fits = (3..=63).contains(&name.len()) && name.chars().all(allowed) && !ends && !name.contains("..");
    let rule = "names are 3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends";
    if fits { Vec::new() } else { vec![("name".to_owned(), format!("is `{name}`; {rule}"))] }
}

#[async_trait]
impl Manage for Bucket {
    type Client = Client;

    async fn read(client: &Client, existing: &Existing<Self>) -> Read<Self> {
        let Some(region) = location::locate(client, &existing.id, known_region(existing)).await? else {
            return Ok(None);
        };
        let inputs = Box::pin(settings::read(client, &existing.id, &region)).await?;
        let outputs = outputs(&existing.id, &region);
        Ok(Some(Observed { id: existing.id.clone(), inputs, outputs, tainted: None }))
    }

    async fn meant(_client: &Client, asked: &str) -> ProviderResult<Vec<String>> {
        let asked = below(asked, "s3").and_then(|name| name.strip_prefix("s3:::")).unwrap_or(asked);
        id_in_address(asked, &["s3/buckets/{}"], "").map(|id| vec![id])
    }

    async fn find(client: &Client, inputs: &Bucket<Resolved>) -> ProviderResult<Vec<Found>> {
        let Some(region) = location::locate_ours(client, &inputs.name, inputs.region.as_deref()).await? else {
            return Ok(Vec::new());
        };
        let created_at_ms = created_at(client, &inputs.name, &region).await?;
        Ok(vec![Found { created_at_ms, ..Found::id(&inputs.name) }])
    }

    async fn create(client: &Client, ctx: &Context, inputs: Bucket<Resolved>) -> ProviderResult<Made<Self>> {
        let name = &inputs.name;
        let region = inputs.region.clone().or_else(|| client.region().map(str::to_owned)).ok_or_else(|| {
            let message = format!("create bucket `{name}`: no region is set");
            ProviderError::new(ErrorKind::Invalid { field: Some("region".to_owned()) }, message)
                .hint("give it one with `.region(..)`, or set AWS_REGION")
        })?;
        make(client, name, &region).await?;
        ctx.created(name).await?;
        settings::write_new(client, &region, &inputs).await?;
        Ok(Made { id: name.clone(), outputs: outputs(name, &region) })
    }

    async fn update(client: &Client, _ctx: &Context, change: Change<Self>) -> ProviderResult<Made<Self>> {
        settings::write_changes(client, &change.outputs.region, &change).await?;
        Ok(Made { id: change.id, outputs: change.outputs })
    }

    async fn delete(client: &Client, _ctx: &Context, existing: Existing<Self>, force: bool) -> ProviderResult<()> {
        let what = format!("delete bucket `{}`", existing.id);
        let Some(region) = location::locate(client, &existing.id, known_region(&existing)).await? else {
            return Ok(());
        };
        if force {
            contents::remove_all(client, &existing.id, &region, &what).await?;
        }
        client.s3(&region).delete_bucket().bucket(&existing.id).send().await.unless_absent(&what)?;
        Ok(())
    }

    /// The first of its objects.
    async fn contents(client: &Client, id: &str) -> ProviderResult<Vec<Content>> {
        match location::locate(client, id, None).await? {
            Some(region) => contents::first(client, id, &region).await,
            None => Ok(Vec::new()),
        }
    }
}

fn known_region(existing: &Existing<Bucket>) -> Option<&str> {
    let applied = || existing.inputs.as_ref().and_then(|inputs| inputs.region.as_deref());
    existing.outputs.as_ref().map(|outputs| outputs.region.as_str()).or_else(applied)
}

async fn make(client: &Client, name: &str, region: &str) -> ProviderResult<()> {
    let what = format!("create bucket `{name}`");
    if region == "us-east-1" && location::locate_ours(client, name, Some(region)).await?.is_some() {
        let message = format!("{what}: your account has a bucket of this name");
        return Err(ProviderError::new(ErrorKind::AlreadyExists, message));
    }
    // The first region is the only one that is not named.
    let elsewhere = (region != "us-east-1").then(|| {
        CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(region)).build()
    });
    let call = client.s3(region).create_bucket().bucket(name).set_create_bucket_configuration(elsewhere);
    let call = call.customize().config_override(aws_sdk_s3::config::Builder::new().retry_config(once()));
    call.send().await.doing(&what).map(drop)
}

/// When the bucket was made, as the list of all buckets says; unknown to those who may not list.
async fn created_at(client: &Client, name: &str, region: &str) -> ProviderResult<Option<u64>> {
    let mut pages = client.s3(region).list_buckets().prefix(name).into_paginator().send();
    let (mut walk, what) = (Walk::default(), format!("look for bucket `{name}`"));
    while let Some(page) = pages.next().await {
        walk.page(&what)?;
        let page = match page.doing(&what) {
            Err(error) if error.kind == ErrorKind::Denied => return Ok(None),
            other => other?,
        };
        if let Some(bucket) = page.buckets().iter().find(|bucket| bucket.name() == Some(name)) {
            let made = bucket.creation_date().and_then(|date| date.to_millis().ok());
            return Ok(made.and_then(|ms| u64::try_from(ms).ok()));
        }
    }
    Ok(None)
}

fn outputs(name: &str, region: &str) -> Values<Bucket> {
    BucketOutputs {
        id: Id::new(name),
        bucket: name.to_owned(),
        arn: format!("arn:{}:s3:::{name}", of_region(region)),
        region: region.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use platform_sdk::{ToExpr, desired::describe, prelude::*};

    use super::*;

    #[test]
    fn names_that_s3_refuses_are_refused_before_a_plan() {
        for name in ["acme-landing", "a.b", "123"] {
            assert!(problems(&json!({"name": name})).is_empty(), "{name}");
        }
        for name in ["ab", "Acme", "acme_landing", "-acme", "acme.", "a..b"] {
            assert_eq!(problems(&json!({"name": name})).len(), 1, "{name}");
        }
    }

    #[tokio::test]
    async fn a_bucket_has_the_arn_of_its_partition_and_is_known_by_it() {
        let client = Client::sandbox("http://127.0.0.1:1", None);
        for (region, partition) in [("eu-west-1", "aws"), ("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn")] {
            let arn = outputs("acme-landing", region).arn;
            assert_eq!(arn, format!("arn:{partition}:s3:::acme-landing"));
            assert_eq!(Bucket::meant(&client, &arn).await.expect("a name"), ["acme-landing"]);
        }
    }

    #[test]
    fn urls_stay_readable_while_the_bucket_is_unknown() {
        let _program = Program::new("demo", |stack| {
            let landing = stack.add("landing", Bucket::new("acme-landing"));
            assert_eq!(describe(&landing.url("raw").to_expr()), "s3://${landing.bucket}/raw");
            Ok(())
        });
    }
}
