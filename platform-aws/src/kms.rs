//! A key of AWS KMS that wraps the keys of a program's secrets:
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html>.
//!
//! The place of a data key is its encryption context: CloudTrail names it, and a policy can ask for it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_kms::primitives::Blob;
use platform_sdk::{
    provider::{Connect, ErrorKind, ProviderError, ProviderResult},
    sealing::{KeyWrapper, Zeroizing},
};

use crate::{
    client::Client,
    error::Answer,
    login::{Settings, discover},
    provider::read_file,
};

/// The key of the encryption context.
const CONTEXT: &str = "platform";

/// A symmetric KMS key, by id, ARN, `alias/name` or the alias's ARN.
///
/// ```
/// use platform_aws::KmsKey;
/// use platform_sdk::prelude::*;
///
/// # let _ =
/// Program::new("shop", |_| Ok(())).secrets_key(KmsKey::new("alias/platform").region("eu-central-1"))
/// # ;
/// ```
///
/// `kms:Encrypt` is needed where secrets are written first or keys are rotated, `kms:Decrypt` wherever they are read.
#[derive(Debug, Clone)]
pub struct KmsKey {
    key: String,
    settings: Settings,
}

impl KmsKey {
    /// The key, with the login that every AWS tool uses. An ARN names its region; otherwise it is `AWS_REGION`, or the
    /// profile's.
    pub fn new(key: impl Into<String>) -> Self {
        let key = key.into();
        let region = key.strip_prefix("arn:").and_then(|arn| arn.split(':').nth(2)).map(str::to_owned);
        Self { key, settings: Settings { region, ..Settings::default() } }
    }

    /// The region that the key is in.
    pub fn region(mut self, region: &str) -> Self {
        self.settings.region = Some(region.to_owned());
        self
    }

    /// A profile of `~/.aws/config`; wins over keys in the environment.
    pub fn profile(mut self, profile: &str) -> Self {
        self.settings.profile = Some(profile.to_owned());
        self
    }

    async fn client(&self, environment: &BTreeMap<String, String>) -> ProviderResult<aws_sdk_kms::Client> {
        let login = discover(&self.settings, environment, &read_file)?;
        if login.region.is_none() {
            return Err(ProviderError::new(
                ErrorKind::Invalid { field: None },
                "no region is set, and KMS is one a region",
            )
            .hint("set AWS_REGION, name the key by its ARN, or add `.region(..)` to it"));
        }
        let connect = Connect { environment: environment.clone(), sandbox: None };
        Ok(Client::connect(&login, &connect).await.kms())
    }
}

#[async_trait]
impl KeyWrapper for KmsKey {
    fn kind(&self) -> &'static str {
        "aws-kms"
    }

    fn key(&self) -> String {
        self.key.clone()
    }

    async fn wrap(
        &self,
        data_key: &[u8; 32],
        place: &str,
        environment: &BTreeMap<String, String>,
    ) -> ProviderResult<String> {
        let request = self.client(environment).await?.encrypt().key_id(&self.key).encryption_context(CONTEXT, place);
        let answer = request.plaintext(Blob::new(data_key.as_slice())).send().await.doing("encrypt with KMS")?;
        let wrapped = answer.ciphertext_blob().map(|blob| aws_smithy_types::base64::encode(blob.as_ref()));
        wrapped.ok_or_else(|| ProviderError::new(ErrorKind::Ambiguous, "encrypt with KMS: the answer holds nothing"))
    }

    async fn unwrap(
        &self,
        key: &str,
        wrapped: &str,
        place: &str,
        environment: &BTreeMap<String, String>,
    ) -> ProviderResult<Zeroizing<Vec<u8>>> {
        let wrapped = aws_smithy_types::base64::decode(wrapped).map_err(|error| {
            ProviderError::new(ErrorKind::Invalid { field: None }, "the wrapped key is damaged").caused_by(error)
        })?;
        let request = self.client(environment).await?.decrypt().key_id(key).encryption_context(CONTEXT, place);
        let answer = request.ciphertext_blob(Blob::new(wrapped)).send().await.doing("decrypt with KMS")?;
        let opened = answer.plaintext.map(|blob| Zeroizing::new(blob.into_inner()));
        opened.ok_or_else(|| ProviderError::new(ErrorKind::Ambiguous, "decrypt with KMS: the answer holds nothing"))
    }
}
