//! Keys of a key management service: what a provider's crate implements to wrap data keys with one.

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::provider::ProviderResult;

/// A key in a service that wraps data keys, and never leaves it. A program names one with
/// [`Program::secrets_key`](crate::Program::secrets_key).
#[async_trait]
pub trait KeyWrapper: fmt::Debug + Send + Sync {
    /// The kind of service, as state names it: `aws-kms`.
    fn kind(&self) -> &'static str;

    /// The key that wraps, as the service names it: an id, an alias or an ARN.
    fn key(&self) -> String;

    /// Wraps a data key. `place` is bound to it: what was wrapped for one stack opens for no other.
    ///
    /// # Errors
    /// When the service can't be reached or refuses.
    async fn wrap(
        &self,
        data_key: &[u8; 32],
        place: &str,
        environment: &BTreeMap<String, String>,
    ) -> ProviderResult<String>;

    /// The data key that was wrapped with `key`, which may be another one than [`KeyWrapper::key`] by now.
    ///
    /// # Errors
    /// When the service can't be reached or refuses, or it was not wrapped for this place.
    async fn unwrap(
        &self,
        key: &str,
        wrapped: &str,
        place: &str,
        environment: &BTreeMap<String, String>,
    ) -> ProviderResult<Zeroizing<Vec<u8>>>;
}
