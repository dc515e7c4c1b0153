//! Fingerprints of secrets for files that outlive a stack without keys: slow on purpose, so that they are no oracle.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{
    desired::{Hash, canonical},
    report::Diagnostic,
    sealing::{random_key, stretch},
};

/// What argon2id asks for: RFC 9106, for a machine with little memory.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// A new salt.
pub(crate) fn salt() -> String {
    BASE64.encode(*random_key())
}

/// The fingerprint of a value under a salt: equal only for equal values, and costly to guess from.
///
/// # Errors
/// When the salt is none.
pub(crate) async fn fingerprint(value: &Value, salt: &str) -> Result<Hash, Diagnostic> {
    let key = stretch(Zeroizing::new(canonical(value)), salt, MEMORY_KIB, PASSES).await?;
    Ok(Hash::of(&*key))
}
