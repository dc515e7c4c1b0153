//! Keys of a stack: sealing secrets one by one, and hashing them so that the hash tells nothing.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{
    desired::canonical,
    report::Diagnostic,
    sealing::{By, FromBytes as _, Key, KeySource, Unwrapped, Wrapped, random_key, seal, unseal},
};

/// The keys of a stack as they are written down: version 2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeysV2 {
    /// The HMAC key, sealed with the data key.
    hmac: String,
    /// The data keys before this one, newest first, sealed with it: they open earlier snapshots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    retired: Vec<String>,
    /// The data key.
    wrapped: Wrapped,
}

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
    hmac: OnceLock<Key>,
    data: OnceLock<DataKey>,
    making: tokio::sync::Mutex<()>,
    /// Why what is sealed stays so, where it does.
    locked: OnceLock<Diagnostic>,
}

#[derive(Clone)]
struct DataKey {
    key: Key,
    /// Those before it, newest first.
    retired: Vec<Key>,
    wire: KeysV2,
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

impl Keys {
    /// Keys of a stack that has sealed nothing yet.
    pub(super) fn none_yet(stack: &str, source: KeySource) -> Self {
        let (hmac, data, making) = (OnceLock::new(), OnceLock::new(), tokio::sync::Mutex::default());
        Self { inner: Arc::new(Inner { stack: stack.to_owned(), source, hmac, data, making, locked: OnceLock::new() }) }
    }

    /// The keys that state brings along. `known` are those of a later state of the same stack, if there is one: they open
    /// what was written before, whatever it was wrapped with then.
    ///
    /// # Errors
    /// When what they were wrapped with is missing or another one.
    pub(super) async fn open(
        stack: &str,
        source: KeySource,
        wire: KeysV2,
        known: Option<&Self>,
    ) -> Result<Self, Diagnostic> {
        if let Some(known) = known.filter(|known| known.unseal("hmac", &wire.hmac).is_ok()) {
            return Ok(known.clone());
        }
        let key = match source.unwrap(&of(stack), &data_key(stack), &wire.wrapped).await? {
            Unwrapped::Key(key) => key,
            Unwrapped::Without(why) => {
                let keys = Self::none_yet(stack, source);
                let _ = keys.inner.locked.set(why);
                return Ok(keys);
            }
        };
        let damaged = || Diagnostic::error(format!("the keys of stack `{stack}` are damaged"));
        let earlier = |sealed: &String| Key::try_from_bytes(&unseal(&key, &format!("{stack}/retired"), sealed)?);
        let retired = wire.retired.iter().map(earlier).collect::<Option<_>>().ok_or_else(damaged)?;
        let keys = Self::none_yet(stack, source);
        let hmac = wire.hmac.clone();
        let _ = keys.inner.data.set(DataKey { key, retired, wire });
        let hmac = keys.unseal("hmac", &hmac).ok().and_then(|bytes| Key::try_from_bytes(&bytes));
        let _ = keys.inner.hmac.set(hmac.ok_or_else(damaged)?);
        Ok(keys)
    }

    /// The same keys, wrapped with what the environment and the program name now. With `anew` the data key is another
    /// one, and the old one is kept under it for the snapshots before. `None` when there are none.
    ///
    /// # Errors
    /// When there is nothing to wrap them with, or that can't be used.
    pub(super) async fn rotated(&self, anew: bool) -> Result<Option<Self>, Diagnostic> {
        let (Some(data), Some(hmac)) = (self.inner.data.get(), self.inner.hmac.get()) else { return Ok(None) };
        let stack = &self.inner.stack;
        let source = self.inner.source.renewed();
        let (key, mut retired) = (if anew { random_key() } else { data.key.clone() }, data.retired.clone());
        if anew {
            retired.insert(0, data.key.clone());
        }
        let wire = KeysV2 {
            hmac: seal(&key, &format!("{stack}/hmac"), &**hmac),
            retired: retired.iter().map(|old| seal(&key, &format!("{stack}/retired"), &**old)).collect(),
            wrapped: source.wrap(&of(stack), &data_key(stack), &key).await?,
        };
        let keys = Self::none_yet(stack, source);
        let _ = keys.inner.data.set(DataKey { key, retired, wire });
        let _ = keys.inner.hmac.set(hmac.clone());
        Ok(Some(keys))
    }

    /// Keys for the same secrets in another stack, wrapped as these are. What is hashed there is hashed as it was here.
    /// `None` when there are none.
    ///
    /// # Errors
    /// When there is nothing to wrap them with, or that can't be used.
    pub(super) async fn in_stack(&self, stack: &str) -> Result<Option<Self>, Diagnostic> {
        let (true, Some(hmac)) = (self.are_made(), self.inner.hmac.get()) else { return Ok(None) };
        let keys = Self::none_yet(stack, self.inner.source.clone());
        let _ = keys.inner.hmac.set(hmac.clone());
        keys.ensure().await?;
        Ok(Some(keys))
    }

    /// What the data key is wrapped with, in words: `the passphrase`.
    pub(super) fn wrapped_by(&self) -> Option<String> {
        self.wire().map(|wire| match &wire.wrapped.by {
            By::KeyFile => "a key file".to_owned(),
            By::Passphrase { .. } => "a passphrase".to_owned(),
            By::Service { key, kind } => format!("{kind} `{key}`"),
        })
    }

    /// `hmac-sha256:...` of a secret, under the stack's own key: how a secret enters a hash.
    pub fn hmac(&self, value: &Value) -> String {
        use fmt::Write as _;

        self.mac(value).iter().fold("hmac-sha256:".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// The same as bytes.
    pub(super) fn mac(&self, value: &Value) -> [u8; 32] {
        mac(&**self.inner.hmac.get_or_init(random_key), value)
    }

    /// Why its secrets stay sealed, where who reads them was given no key and can do without.
    pub fn locked(&self) -> Option<&Diagnostic> {
        self.inner.locked.get()
    }

    /// Whether the stack has keys: without, [`Self::hmac`] is good for this process only.
    pub(crate) fn are_made(&self) -> bool {
        self.inner.data.get().is_some()
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
        let (stack, key) = (&self.inner.stack, random_key());
        let wrapped = self.inner.source.wrap(&of(stack), &data_key(stack), &key).await?;
        let hmac = self.inner.hmac.get_or_init(random_key);
        let hmac = seal(&key, &format!("{stack}/hmac"), &**hmac);
        let wire = KeysV2 { hmac, retired: Vec::new(), wrapped };
        let _ = self.inner.data.set(DataKey { key, retired: Vec::new(), wire });
        Ok(())
    }

    /// Takes the keys of another state for this stack's own, if it has none yet.
    pub(super) fn adopt(&self, other: &Self) {
        let (Some(data), Some(hmac)) = (other.inner.data.get(), other.inner.hmac.get()) else { return };
        if self.inner.data.get().is_none() && self.inner.hmac.set(hmac.clone()).is_ok() {
            let _ = self.inner.data.set(data.clone());
        }
    }

    /// Whether the data key is wrapped with the key that the store keeps: elsewhere it opens nothing.
    pub(super) fn are_in_the_store(&self) -> bool {
        self.wire().is_some_and(|wire| wire.wrapped.by == By::KeyFile) && self.inner.source.is_kept()
    }

    /// How the keys are written down, once there are any.
    pub(super) fn wire(&self) -> Option<&KeysV2> {
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
        let place_in_stack = self.bound_to(place);
        let opened = self.inner.data.get().and_then(|data| {
            let mut keys = std::iter::once(&data.key).chain(&data.retired);
            keys.find_map(|key| unseal(key, &place_in_stack, sealed))
        });
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

/// HMAC-SHA256 of a value under a key.
pub(super) fn mac(key: &[u8], value: &Value) -> [u8; 32] {
    let text = Zeroizing::new(canonical(value));
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

/// The stack, for messages.
fn of(stack: &str) -> String {
    format!("stack `{stack}`")
}

/// What a wrapped data key is bound to.
fn data_key(stack: &str) -> String {
    format!("{stack}/data-key")
}
