//! Wrapping a stack's data key: with a passphrase, or with the random key that a local store keeps beside it.

use std::{collections::BTreeMap, fmt, sync::Arc};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    secrets::{FromBytes as _, random_key, seal, unseal},
    store::{Store, StoreKey},
};
use crate::report::Diagnostic;

/// The environment variable of the passphrase.
pub const PASSPHRASE: &str = "PLATFORM_PASSPHRASE";

/// The keys of a stack as they are written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeysV1 {
    /// The HMAC key, sealed with the data key.
    pub(super) hmac: String,
    /// The data key, wrapped.
    pub(super) wrap: WrapV1,
}

/// How the data key is wrapped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) enum WrapV1 {
    /// With what argon2id makes of a passphrase.
    Passphrase {
        /// KiB of memory.
        memory_kib: u32,
        /// Passes over it.
        passes: u32,
        /// Random, base64.
        salt: String,
        /// The wrapped key.
        sealed: String,
    },
    /// With the store's own key.
    KeyFile {
        /// The wrapped key.
        sealed: String,
    },
}

/// Where wrapping keys come from.
#[derive(Clone)]
pub(super) struct KeySource {
    passphrase: Option<Arc<Zeroizing<String>>>,
    store: Arc<dyn Store>,
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySource").field("store", &self.store).finish_non_exhaustive()
    }
}

impl KeySource {
    /// The environment's passphrase, and this store's own key.
    pub(super) fn new(store: Arc<dyn Store>, environment: &BTreeMap<String, String>) -> Self {
        let passphrase = environment.get(PASSPHRASE).filter(|text| !text.is_empty());
        Self { passphrase: passphrase.map(|text| Arc::new(Zeroizing::new(text.clone()))), store }
    }
}

/// A new data key, and how it is wrapped: with the passphrase if there is one.
///
/// # Errors
/// When there is neither a passphrase nor a store that keeps a key of its own.
pub(super) async fn make(stack: &str, source: &KeySource) -> Result<(StoreKey, WrapV1), Diagnostic> {
    let key = random_key();
    if let Some(passphrase) = &source.passphrase {
        let salt = BASE64.encode(&random_key()[..16]);
        let (memory_kib, passes) = (Params::DEFAULT_M_COST, Params::DEFAULT_T_COST);
        let wrapping = stretch(passphrase, &salt, memory_kib, passes).await?;
        let sealed = seal(&wrapping, &place(stack), &*key);
        return Ok((key, WrapV1::Passphrase { memory_kib, passes, salt, sealed }));
    }
    let own = source.store.own_key(true).await?.ok_or_else(|| {
        Diagnostic::error(format!("stack `{stack}` has a secret and nothing to encrypt it with"))
            .detail(format!("{} keeps no key of its own", source.store.name()))
            .hint(format!("set {PASSPHRASE}, and keep it: nothing else opens the secrets of this stack"))
    })?;
    let sealed = seal(&own, &place(stack), &*key);
    Ok((key, WrapV1::KeyFile { sealed }))
}

/// The data key.
///
/// # Errors
/// When what it was wrapped with is missing or another one.
pub(super) async fn open(stack: &str, source: &KeySource, keys: &KeysV1) -> Result<StoreKey, Diagnostic> {
    match &keys.wrap {
        WrapV1::Passphrase { memory_kib, passes, salt, sealed } => {
            let passphrase = source.passphrase.as_ref().ok_or_else(|| {
                Diagnostic::error(format!("the secrets of stack `{stack}` are encrypted with a passphrase"))
                    .detail(format!("{PASSPHRASE} is not set"))
                    .hint(format!("set {PASSPHRASE} to the passphrase that this stack was made with"))
            })?;
            let wrapping = stretch(passphrase, salt, *memory_kib, *passes).await?;
            unwrap(&wrapping, stack, sealed).ok_or_else(|| {
                Diagnostic::error(format!("{PASSPHRASE} is not the passphrase of stack `{stack}`"))
                    .detail("its data key can't be unwrapped with it")
                    .hint(format!("set {PASSPHRASE} to the passphrase that this stack was made with"))
            })
        }
        WrapV1::KeyFile { sealed } => {
            let file = source.store.own_key_file().map(|path| path.display().to_string()).unwrap_or_default();
            let own = source.store.own_key(false).await?.ok_or_else(|| {
                Diagnostic::error(format!("the key file of stack `{stack}` is missing"))
                    .detail(format!("the stack's secrets are encrypted with a key that was in `{file}`"))
                    .hint(format!("restore `{file}` from where the state directory was copied from"))
            })?;
            unwrap(&own, stack, sealed).ok_or_else(|| {
                Diagnostic::error(format!("`{file}` is not the key of stack `{stack}`"))
                    .detail("the stack's data key can't be unwrapped with it")
                    .hint(format!("restore `{file}` from where the state directory was copied from"))
            })
        }
    }
}

fn place(stack: &str) -> String {
    format!("{stack}/data-key")
}

fn unwrap(wrapping: &StoreKey, stack: &str, sealed: &str) -> Option<StoreKey> {
    StoreKey::try_from_bytes(&unseal(wrapping, &place(stack), sealed)?)
}

/// argon2id, which takes a moment on purpose.
async fn stretch(
    passphrase: &Arc<Zeroizing<String>>,
    salt: &str,
    memory_kib: u32,
    passes: u32,
) -> Result<StoreKey, Diagnostic> {
    let (passphrase, salt) = (Arc::clone(passphrase), salt.to_owned());
    let work = move || {
        let salt = BASE64.decode(salt).map_err(|error| error.to_string())?;
        let params = Params::new(memory_kib, passes, 1, Some(32)).map_err(|error| error.to_string())?;
        let mut key = StoreKey::default();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &salt, &mut *key)
            .map_err(|error| error.to_string())?;
        Ok(key)
    };
    let answer = tokio::task::spawn_blocking(work).await.unwrap_or_else(|died| Err(died.to_string()));
    answer.map_err(|cause: String| Diagnostic::error("the passphrase can't be used").detail(cause))
}
