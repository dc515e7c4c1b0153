//! Keys of a stack: sealing secrets one by one, and hashing them so that the hash tells nothing.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use chacha20poly1305::{
    Key, XChaCha20Poly1305, XNonce,
    aead::{Aead, Generate, KeyInit, Payload},
};
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{
    key_wrap::{self, KeySource, KeysV1, WrapV1},
    store::StoreKey,
};
use crate::{desired::canonical, report::Diagnostic};

/// The keys of one stack. Clones share them.
///
/// Nothing is made, asked for or read before the first secret: a stack without secrets needs no passphrase.
#[derive(Clone)]
pub struct Keys {
    inner: Arc<Inner>,
}

struct Inner {
    /// `<project>/<stack>`: what is sealed for one stack opens in no other.
    stack: String,
    source: KeySource,
    /// The per-stack HMAC key. It never rotates: the hashes in state would all change.
    hmac: OnceLock<StoreKey>,
    data: OnceLock<DataKey>,
    making: tokio::sync::Mutex<()>,
}

struct DataKey {
    key: StoreKey,
    wire: KeysV1,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("stack", &self.inner.stack).finish_non_exhaustive()
    }
}

impl PartialEq for Keys {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

/// 32 bytes from the operating system.
pub(super) fn random_key() -> StoreKey {
    Zeroizing::new(Key::generate().into())
}

impl Keys {
    /// Keys of a stack that has sealed nothing yet.
    pub(super) fn none_yet(stack: &str, source: KeySource) -> Self {
        let (hmac, data, making) = (OnceLock::new(), OnceLock::new(), tokio::sync::Mutex::default());
        Self { inner: Arc::new(Inner { stack: stack.to_owned(), source, hmac, data, making }) }
    }

    /// The keys that state brings along.
    ///
    /// # Errors
    /// When the passphrase or key file is missing or not the one they were wrapped with.
    pub(super) async fn open(stack: &str, source: KeySource, wire: KeysV1) -> Result<Self, Diagnostic> {
        let key = key_wrap::open(stack, &source, &wire).await?;
        let keys = Self::none_yet(stack, source);
        let _ = keys.inner.data.set(DataKey { key, wire: wire.clone() });
        let hmac = keys.unseal("hmac", &wire.hmac).ok().and_then(|bytes| StoreKey::try_from_bytes(&bytes));
        let hmac = hmac.ok_or_else(|| Diagnostic::error(format!("the keys of stack `{stack}` are damaged")))?;
        let _ = keys.inner.hmac.set(hmac);
        Ok(keys)
    }

    /// `hmac-sha256:...` of a secret, under the stack's own key: how a secret enters a hash.
    pub fn hmac(&self, value: &Value) -> String {
        use fmt::Write as _;

        let key = self.inner.hmac.get_or_init(random_key);
        let text = Zeroizing::new(canonical(value));
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&**key).expect("HMAC takes keys of any length");
        mac.update(text.as_bytes());
        let digest = mac.finalize().into_bytes();
        digest.iter().fold("hmac-sha256:".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Makes the keys if there are none. To be called before the first secret is written.
    ///
    /// # Errors
    /// When there is neither a passphrase nor a place for a key file, or that can't be written.
    pub(super) async fn ensure(&self) -> Result<(), Diagnostic> {
        let _making = self.inner.making.lock().await;
        if self.inner.data.get().is_some() {
            return Ok(());
        }
        let (key, wrap) = key_wrap::make(&self.inner.stack, &self.inner.source).await?;
        let hmac = self.inner.hmac.get_or_init(random_key);
        let hmac = seal(&key, &format!("{}/hmac", self.inner.stack), &**hmac);
        let _ = self.inner.data.set(DataKey { key, wire: KeysV1 { hmac, wrap } });
        Ok(())
    }

    /// Takes the keys of another state for this stack's own, if it has none yet. Says whether they are the same now.
    pub(super) fn adopt(&self, other: &Self) -> bool {
        let (Some(data), Some(hmac)) = (other.inner.data.get(), other.inner.hmac.get()) else {
            return other.inner.hmac.get().is_none();
        };
        if self.inner.data.get().is_none() && self.inner.hmac.set(hmac.clone()).is_ok() {
            let _ = self.inner.data.set(DataKey { key: data.key.clone(), wire: data.wire.clone() });
        }
        self.inner.hmac.get() == Some(hmac)
    }

    /// Whether the data key is wrapped with the key that the store keeps: elsewhere it opens nothing.
    pub(super) fn are_in_the_store(&self) -> bool {
        self.wire().is_some_and(|wire| matches!(wire.wrap, WrapV1::KeyFile { .. }))
    }

    /// How the keys are written down, once there are any.
    pub(super) fn wire(&self) -> Option<&KeysV1> {
        self.inner.data.get().map(|data| &data.wire)
    }

    /// Seals bytes for one place in the state: they open nowhere else. `None` before [`Keys::ensure`].
    pub(super) fn seal(&self, place: &str, bytes: &[u8]) -> Option<String> {
        self.inner.data.get().map(|data| seal(&data.key, &self.bound_to(place), bytes))
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// When it was not sealed here, or is damaged.
    pub(super) fn unseal(&self, place: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, Diagnostic> {
        let opened = self.inner.data.get().and_then(|data| unseal(&data.key, &self.bound_to(place), sealed));
        opened.ok_or_else(|| {
            Diagnostic::error(format!("the secret at `{place}` can't be opened"))
                .detail("it is damaged, or was sealed for another place or stack")
                .hint("restore the state directory from a copy")
        })
    }

    fn bound_to(&self, place: &str) -> String {
        format!("{}/{place}", self.inner.stack)
    }
}

/// XChaCha20-Poly1305: a random nonce, then the sealed bytes, as base64.
pub(super) fn seal(key: &StoreKey, place: &str, bytes: &[u8]) -> String {
    let nonce = XNonce::generate();
    let payload = Payload { msg: bytes, aad: place.as_bytes() };
    let sealed = XChaCha20Poly1305::new(&Key::from(**key)).encrypt(&nonce, payload);
    let mut all = nonce.to_vec();
    all.extend(sealed.expect("memory is large enough for one value"));
    BASE64.encode(all)
}

/// The opposite of [`seal`]; `None` when anything does not fit.
pub(super) fn unseal(key: &StoreKey, place: &str, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
    let all = BASE64.decode(sealed).ok()?;
    let (nonce, sealed) = all.split_at_checked(24)?;
    let payload = Payload { msg: sealed, aad: place.as_bytes() };
    let nonce = XNonce::try_from(nonce).ok()?;
    XChaCha20Poly1305::new(&Key::from(**key)).decrypt(&nonce, payload).ok().map(Zeroizing::new)
}

/// Keys from bytes of the right length.
pub(super) trait FromBytes: Sized {
    /// `None` when there are more or fewer.
    fn try_from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl FromBytes for StoreKey {
    fn try_from_bytes(bytes: &[u8]) -> Option<Self> {
        <[u8; 32]>::try_from(bytes).ok().map(Zeroizing::new)
    }
}
