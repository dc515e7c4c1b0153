//! A bucket's settings, translated to S3's calls and back: one call to read and one to write each.

use std::{collections::BTreeMap, time::Duration};

use aws_sdk_s3::{
    Client as S3,
    types::{
        BucketVersioningStatus, PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
        ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tag, Tagging, VersioningConfiguration,
    },
};
use platform_sdk::{
    Resolved,
    provider::{Change, ErrorKind, ProviderError, ProviderResult},
};

use super::bucket::{Bucket, Encryption, EncryptionAlgorithm, PublicAccessBlock};
use crate::{
    client::Client,
    error::Answer,
    merge::{is_system_tag, wanted},
};

type Tags = BTreeMap<String, String>;

/// Everything that S3 says of the bucket.
pub(super) async fn read(client: &Client, name: &str, region: &str) -> ProviderResult<Bucket<Resolved>> {
    let s3 = client.s3(region);
    let what = format!("read bucket `{name}`");
    let (versioning, rule, shut, tags) = tokio::try_join!(
        async { s3.get_bucket_versioning().bucket(name).send().await.unless_absent(&what) },
        encryption_rule(&s3, name, &what),
        async { s3.get_public_access_block().bucket(name).send().await.unless_absent(&what) },
        all_tags(&s3, name, &what),
    )?;
    let status = versioning.and_then(|versioning| versioning.status);
    let shut = shut.and_then(|shut| shut.public_access_block_configuration);
    Ok(Bucket {
        name: name.to_owned(),
        region: Some(region.to_owned()),
        versioning: Some(status == Some(BucketVersioningStatus::Enabled)),
        encryption: Some(encryption_of(rule.as_ref())),
        public_access_block: Some(public_access_block_of(shut.as_ref())),
        tags: Some(tags.into_iter().filter(|(key, _)| !is_system_tag(key)).collect()),
    })
}

/// Settings of a bucket that was just made: what is asked for, and what must not be left to S3's defaults.
pub(super) async fn write_new(client: &Client, region: &str, inputs: &Bucket<Resolved>) -> ProviderResult<()> {
    let (s3, name) = (client.s3(region), inputs.name.as_str());
    let what = format!("create bucket `{name}`");
    let shut = public_access_block(inputs.public_access_block.as_ref(), None, &|_| false);
    settled(|| put_public_access_block(&s3, name, shut.clone(), &what)).await?;
    if let Some(encryption) = &inputs.encryption {
        let rule = encryption_rule_for(encryption, None, false);
        settled(|| put_encryption(&s3, name, rule.clone(), &what)).await?;
    }
    if inputs.versioning == Some(true) {
        settled(|| put_versioning(&s3, name, true, &what)).await?;
    }
    if let Some(tags) = inputs.tags.as_ref().filter(|tags| !tags.is_empty()) {
        settled(|| put_tags(&s3, name, tags, &what)).await?;
    }
    Ok(())
}

/// The settings that differ.
pub(super) async fn write_changes(client: &Client, region: &str, change: &Change<Bucket>) -> ProviderResult<()> {
    let (s3, name, after) = (client.s3(region), change.id.as_str(), &change.after);
    let what = format!("update bucket `{name}`");
    if change.touches("public_access_block") {
        let block = "public_access_block";
        let touched =
            |field: &str| change.paths.iter().any(|p| p == block) || change.touches(&format!("{block}.{field}"));
        let (before, after) = (change.before.public_access_block.as_ref(), after.public_access_block.as_ref());
        put_public_access_block(&s3, name, public_access_block(after, before, &touched), &what).await?;
    }
    if change.touches("encryption") {
        let there = encryption_rule(&s3, name, &what).await?;
        let default = Encryption { algorithm: EncryptionAlgorithm::Aes256, kms_key: None, bucket_key: None };
        let touched = change.touches("encryption.bucket_key") || change.paths.iter().any(|path| path == "encryption");
        let rule = encryption_rule_for(after.encryption.as_ref().unwrap_or(&default), there, touched);
        put_encryption(&s3, name, rule, &what).await?;
    }
    if change.touches("versioning") {
        put_versioning(&s3, name, after.versioning.unwrap_or(false), &what).await?;
    }
    if change.touches("tags") {
        let mut tags = all_tags(&s3, name, &what).await?;
        tags.retain(|key, _| is_system_tag(key));
        tags.extend(after.tags.clone().unwrap_or_default());
        put_tags(&s3, name, &tags, &what).await?;
    }
    Ok(())
}

/// A new bucket is not known to all of S3 at once, and its settings may be told so: they wait a little.
async fn settled<F: Future<Output = ProviderResult<()>>>(call: impl Fn() -> F) -> ProviderResult<()> {
    let mut pause = Duration::from_millis(200);
    loop {
        match call().await {
            Err(error) if pause < Duration::from_secs(8) && is_settling(&error.kind) => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            // The bucket is made: that it can't be found is for later to solve.
            Err(error) if error.is_not_found() => {
                return Err(ProviderError { kind: ErrorKind::NotReady { after: None }, ..error });
            }
            other => return other,
        }
    }
}

fn is_settling(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotReady { .. })
}

async fn put_versioning(s3: &S3, name: &str, on: bool, what: &str) -> ProviderResult<()> {
    let status = if on { BucketVersioningStatus::Enabled } else { BucketVersioningStatus::Suspended };
    let configuration = VersioningConfiguration::builder().status(status).build();
    let call = s3.put_bucket_versioning().bucket(name).versioning_configuration(configuration);
    call.send().await.doing(what).map(drop)
}

async fn encryption_rule(s3: &S3, name: &str, what: &str) -> ProviderResult<Option<ServerSideEncryptionRule>> {
    let answer = s3.get_bucket_encryption().bucket(name).send().await.unless_absent(what)?;
    let configuration = answer.and_then(|answer| answer.server_side_encryption_configuration);
    Ok(configuration.and_then(|configuration| configuration.rules.into_iter().next()))
}

/// The rule as it is there, with what is wanted in it.
fn encryption_rule_for(
    encryption: &Encryption<Resolved>,
    there: Option<ServerSideEncryptionRule>,
    bucket_key_touched: bool,
) -> ServerSideEncryptionRule {
    let mut rule = there.unwrap_or_else(|| ServerSideEncryptionRule::builder().build());
    let algorithm = ServerSideEncryption::from(encryption.algorithm.as_str());
    let before = rule.apply_server_side_encryption_by_default.take();
    // An account's own key that S3 chose before stays while the algorithm does.
    let before = before.filter(|before| before.sse_algorithm == algorithm);
    let key = encryption.kms_key.clone().or_else(|| before.and_then(|before| before.kms_master_key_id));
    let by_default = ServerSideEncryptionByDefault::builder().sse_algorithm(algorithm).set_kms_master_key_id(key);
    // Its builder only fails without an algorithm.
    rule.apply_server_side_encryption_by_default = by_default.build().ok();
    rule.bucket_key_enabled = Some(wanted(bucket_key_touched, encryption.bucket_key, rule.bucket_key_enabled, false));
    rule
}

async fn put_encryption(s3: &S3, name: &str, rule: ServerSideEncryptionRule, what: &str) -> ProviderResult<()> {
    let configuration = ServerSideEncryptionConfiguration::builder().rules(rule).build();
    let configuration = configuration.map_err(|error| unsendable(what, "encryption", error))?;
    let call = s3.put_bucket_encryption().bucket(name).server_side_encryption_configuration(configuration);
    call.send().await.doing(what).map(drop)
}

/// Buckets without a rule are encrypted with S3's keys since January 2023.
fn encryption_of(rule: Option<&ServerSideEncryptionRule>) -> Encryption<Resolved> {
    let default = rule.and_then(|rule| rule.apply_server_side_encryption_by_default.as_ref());
    Encryption {
        algorithm: default.map_or(EncryptionAlgorithm::Aes256, |default| default.sse_algorithm().as_str().into()),
        kms_key: default.and_then(|default| default.kms_master_key_id.clone()),
        bucket_key: Some(rule.and_then(|rule| rule.bucket_key_enabled).unwrap_or(false)),
    }
}

fn public_access_block(
    after: Option<&PublicAccessBlock<Resolved>>,
    before: Option<&PublicAccessBlock<Resolved>>,
    touched: &dyn Fn(&str) -> bool,
) -> PublicAccessBlockConfiguration {
    let pick = |field: &str, get: fn(&PublicAccessBlock<Resolved>) -> Option<bool>| {
        wanted(touched(field), after.and_then(get), before.and_then(get), true)
    };
    PublicAccessBlockConfiguration::builder()
        .block_public_acls(pick("block_public_acls", |block| block.block_public_acls))
        .ignore_public_acls(pick("ignore_public_acls", |block| block.ignore_public_acls))
        .block_public_policy(pick("block_public_policy", |block| block.block_public_policy))
        .restrict_public_buckets(pick("restrict_public_buckets", |block| block.restrict_public_buckets))
        .build()
}

async fn put_public_access_block(
    s3: &S3,
    name: &str,
    configuration: PublicAccessBlockConfiguration,
    what: &str,
) -> ProviderResult<()> {
    let call = s3.put_public_access_block().bucket(name).public_access_block_configuration(configuration);
    call.send().await.doing(what).map(drop)
}

/// A bucket without a configuration has nothing shut.
fn public_access_block_of(configuration: Option<&PublicAccessBlockConfiguration>) -> PublicAccessBlock<Resolved> {
    let read =
        |get: fn(&PublicAccessBlockConfiguration) -> Option<bool>| Some(configuration.and_then(get).unwrap_or(false));
    PublicAccessBlock {
        block_public_acls: read(|shut| shut.block_public_acls),
        ignore_public_acls: read(|shut| shut.ignore_public_acls),
        block_public_policy: read(|shut| shut.block_public_policy),
        restrict_public_buckets: read(|shut| shut.restrict_public_buckets),
    }
}

async fn all_tags(s3: &S3, name: &str, what: &str) -> ProviderResult<Tags> {
    let answer = s3.get_bucket_tagging().bucket(name).send().await.unless_absent(what)?;
    Ok(answer.map(|answer| answer.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect()).unwrap_or_default())
}

async fn put_tags(s3: &S3, name: &str, tags: &Tags, what: &str) -> ProviderResult<()> {
    if tags.is_empty() {
        return s3.delete_bucket_tagging().bucket(name).send().await.doing(what).map(drop);
    }
    let set = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let set = set.collect::<Result<Vec<_>, _>>().map_err(|error| unsendable(what, "tags", error))?;
    let tagging = Tagging::builder().set_tag_set(Some(set)).build();
    let tagging = tagging.map_err(|error| unsendable(what, "tags", error))?;
    s3.put_bucket_tagging().bucket(name).tagging(tagging).send().await.doing(what).map(drop)
}

fn unsendable(what: &str, field: &str, error: aws_sdk_s3::error::BuildError) -> ProviderError {
    ProviderError::new(ErrorKind::Invalid { field: Some(field.to_owned()) }, what).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clause_4_a_rule_keeps_what_nobody_asked_to_change() {
        let there = ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(
                ServerSideEncryptionByDefault::builder()
                    .sse_algorithm(ServerSideEncryption::AwsKms)
                    .kms_master_key_id("arn:aws:kms:eu-west-1:1:key/1")
                    .build()
                    .expect("a default"),
            )
            .bucket_key_enabled(true)
            .build();
        let kms = Encryption { algorithm: EncryptionAlgorithm::Kms, kms_key: None, bucket_key: None };
        assert_eq!(encryption_rule_for(&kms, Some(there.clone()), false), there);
        let s3 = Encryption { algorithm: EncryptionAlgorithm::Aes256, kms_key: None, bucket_key: None };
        let rule = encryption_rule_for(&s3, Some(there), true);
        let default = rule.apply_server_side_encryption_by_default.expect("a default");
        assert_eq!((default.sse_algorithm, default.kms_master_key_id), (ServerSideEncryption::Aes256, None));
        assert_eq!(rule.bucket_key_enabled, Some(false));
    }

    #[test]
    fn a_bucket_of_which_s3_says_nothing_is_encrypted_and_open() {
        assert_eq!(encryption_of(None).algorithm, EncryptionAlgorithm::Aes256);
        assert_eq!(public_access_block_of(None).block_public_acls, Some(false));
    }
}
