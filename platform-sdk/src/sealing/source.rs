//! Where wrapping keys come from, and data keys as they are written down.

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc};

use argon2::{Algorithm, Argon2, Params, Version};
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{FromBytes as _, Key, KeyWrapper, key_file, random_key, seal, unseal};
use crate::{
    provider::{ErrorKind, ProviderError},
    report::Diagnostic,
};

/// The environment variable of the passphrase.
pub const PASSPHRASE: &str = "PLATFORM_PASSPHRASE";

/// The environment variable that names a key file.
pub const KEY_FILE: &str = "PLATFORM_KEY_FILE";

/// The passphrase to go over to, when a key is rotated.
pub const NEW_PASSPHRASE: &str = "PLATFORM_NEW_PASSPHRASE";

/// The key file to go over to, when a key is rotated.
pub const NEW_KEY_FILE: &str = "PLATFORM_NEW_KEY_FILE";

/// A data key as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wrapped {
    pub(crate) by: By,
    pub(crate) sealed: String,
}

/// What a data key is wrapped with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(crate) enum By {
    /// A key file: the one that is named, or the one that a local store keeps.
    KeyFile,
    /// What argon2id makes of a passphrase.
    Passphrase {
        /// KiB of memory.
        memory_kib: u32,
        /// Passes over it.
        passes: u32,
        /// Random, base64.
        salt: String,
    },
    /// A key of a service.
    Service {
        /// The key, as the service names it.
        key: String,
        /// The kind of service.
        kind: String,
    },
}

/// A key file that somebody keeps: a local store, beside its state.
#[async_trait]
pub(crate) trait KeptKey: fmt::Debug + Send + Sync {
    /// The key; made when `make` says so. `None` when there is none, or its keeper keeps none.
    async fn key(&self, make: bool) -> Result<Option<Key>, Diagnostic>;

    /// Its file; `None` when its keeper keeps none.
    fn file(&self) -> Option<PathBuf>;
}

/// Where wrapping keys come from. What is there is used in this order: the program's service, the passphrase, the named
/// key file, the kept one.
#[derive(Clone, Default)]
pub(crate) struct KeySource {
    environment: Arc<BTreeMap<String, String>>,
    wrapper: Option<Arc<dyn KeyWrapper>>,
    kept: Option<Arc<dyn KeptKey>>,
    /// What is sealed may stay so.
    optional: bool,
}

/// What came of unwrapping a data key.
pub(crate) enum Unwrapped {
    /// It.
    Key(Key),
    /// Nothing was given to unwrap it with, and who asks can do without: why.
    Without(Diagnostic),
}

/// Why there is no key.
enum NoKey {
    /// Nothing that it could be was given.
    NotGiven(Diagnostic),
    /// What was given is another one, or can't be used.
    Wrong(Diagnostic),
}

impl From<Diagnostic> for NoKey {
    fn from(problem: Diagnostic) -> Self {
        Self::Wrong(problem)
    }
}

impl Unwrapped {
    /// The key, for who can't do without.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn key(self) -> Result<Key, Diagnostic> {
        match self {
            Self::Key(key) => Ok(key),
            Self::Without(why) => Err(why),
        }
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySource").field("wrapper", &self.wrapper).field("kept", &self.kept).finish_non_exhaustive()
    }
}

impl KeySource {
    /// The environment's, and what the program names.
    pub(crate) fn new(environment: &BTreeMap<String, String>, wrapper: Option<Arc<dyn KeyWrapper>>) -> Self {
        // Only what wrapping needs is kept: environments are full of other people's secrets.
        let needed =
            |name: &str| matches!(name, PASSPHRASE | KEY_FILE | NEW_PASSPHRASE | NEW_KEY_FILE) || wrapper.is_some();
        let environment = environment.iter().filter(|(name, value)| needed(name) && !value.is_empty());
        let environment = environment.map(|(name, value)| (name.clone(), value.clone())).collect();
        Self { environment: Arc::new(environment), wrapper, kept: None, optional: false }
    }

    /// With a key that somebody keeps, for when there is no other.
    pub(crate) fn keeping(self, kept: Arc<dyn KeptKey>) -> Self {
        Self { kept: Some(kept), ..self }
    }

    /// For who only looks: where no key is given, what is sealed stays so.
    pub(crate) fn optional(self, optional: bool) -> Self {
        Self { optional, ..self }
    }

    /// What a rotation goes over to: what is named as new, else the first of what there is.
    pub(crate) fn renewed(&self) -> Self {
        let only = |name: &str, value: &String| Self {
            environment: Arc::new(BTreeMap::from([(name.to_owned(), value.clone())])),
            ..Self::default()
        };
        match (self.environment.get(NEW_PASSPHRASE), self.environment.get(NEW_KEY_FILE)) {
            (Some(passphrase), _) => only(PASSPHRASE, passphrase),
            (None, Some(file)) => only(KEY_FILE, file),
            (None, None) => self.clone(),
        }
    }

    fn passphrase(&self) -> Option<Zeroizing<String>> {
        self.environment.get(PASSPHRASE).cloned().map(Zeroizing::new)
    }

    fn named_file(&self) -> Option<PathBuf> {
        self.environment.get(KEY_FILE).map(PathBuf::from)
    }

    /// Whether key files are the kept one, which is nowhere else.
    pub(crate) fn is_kept(&self) -> bool {
        self.named_file().is_none()
    }

    /// Wraps a data key. `what` is what it is of, for messages: ``stack `acme/prod` ``.
    ///
    /// # Errors
    /// When there is nothing to wrap it with, or that can't be used.
    pub(crate) async fn wrap(&self, what: &str, place: &str, key: &Key) -> Result<Wrapped, Diagnostic> {
        if let Some(wrapper) = &self.wrapper {
            let sealed = wrapper.wrap(key, place, &self.environment).await.map_err(|error| {
                Diagnostic::of_provider(
                    format!("cannot wrap the key of {what} with {} `{}`", wrapper.kind(), wrapper.key()),
                    &error,
                )
            })?;
            return Ok(Wrapped { by: By::Service { key: wrapper.key(), kind: wrapper.kind().to_owned() }, sealed });
        }
        if let Some(passphrase) = self.passphrase() {
            let salt = BASE64.encode(&random_key()[..16]);
            let (memory_kib, passes) = (Params::DEFAULT_M_COST, Params::DEFAULT_T_COST);
            let wrapping = stretch(passphrase, &salt, memory_kib, passes).await?;
            let sealed = seal(&wrapping, place, &**key);
            return Ok(Wrapped { by: By::Passphrase { memory_kib, passes, salt }, sealed });
        }
        let Some(file) = self.file_key(true).await? else {
            return Err(Diagnostic::error(format!("{what} has a secret and nothing to encrypt it with"))
                .detail("no passphrase, no key file, and the program names no key of a service")
                .hint(format!(
                    "set {PASSPHRASE}, and keep it: nothing else opens the secrets; or name a key file with {KEY_FILE}"
                )));
        };
        Ok(Wrapped { by: By::KeyFile, sealed: seal(&file, place, &**key) })
    }

    /// The data key.
    ///
    /// # Errors
    /// When what it was wrapped with is missing or another one. That it is missing is none for who can do without.
    pub(crate) async fn unwrap(&self, what: &str, place: &str, wrapped: &Wrapped) -> Result<Unwrapped, Diagnostic> {
        match self.opened(what, place, wrapped).await {
            Ok(key) => Ok(Unwrapped::Key(key)),
            Err(NoKey::NotGiven(why)) if self.optional => Ok(Unwrapped::Without(why)),
            Err(NoKey::NotGiven(why) | NoKey::Wrong(why)) => Err(why),
        }
    }

    async fn opened(&self, what: &str, place: &str, wrapped: &Wrapped) -> Result<Key, NoKey> {
        match &wrapped.by {
            By::Passphrase { memory_kib, passes, salt } => {
                let hint = format!("set {PASSPHRASE} to the passphrase that its secrets were encrypted with");
                let Some(passphrase) = self.passphrase() else {
                    let why = Diagnostic::error(format!("the secrets of {what} are encrypted with a passphrase"));
                    return Err(NoKey::NotGiven(why.detail(format!("{PASSPHRASE} is not set")).hint(hint)));
                };
                let wrapping = stretch(passphrase, salt, *memory_kib, *passes).await?;
                let key = opened(&wrapping, place, &wrapped.sealed).ok_or_else(|| {
                    Diagnostic::error(format!("{PASSPHRASE} is not the passphrase of {what}"))
                        .detail("it does not unwrap the data key, as nothing does that was copied from another stack, table or project")
                        .hint(hint)
                })?;
                Ok(key)
            }
            By::KeyFile => self.unwrap_with_file(what, place, &wrapped.sealed).await,
            By::Service { kind, key } => self.unwrap_at_service((kind, key), what, place, &wrapped.sealed).await,
        }
    }

    async fn unwrap_with_file(&self, what: &str, place: &str, sealed: &str) -> Result<Key, NoKey> {
        let file = self.named_file().or_else(|| self.kept.as_ref()?.file());
        let Some(file) = file.map(|path| path.display().to_string()) else {
            let why = Diagnostic::error(format!("the secrets of {what} are encrypted with a key file"));
            let why = why.detail(format!("{KEY_FILE} is not set"));
            return Err(NoKey::NotGiven(why.hint(format!("set {KEY_FILE} to the path of that file"))));
        };
        let hint = if self.is_kept() {
            format!("set {KEY_FILE} if it was another file, or restore `{file}` from where the state was copied from")
        } else {
            format!("set {KEY_FILE} to the key file that its secrets were encrypted with")
        };
        let Some(own) = self.file_key(false).await? else {
            let why = Diagnostic::error(format!("the key file of {what} is missing"))
                .detail(format!("its secrets are encrypted with a key file, and there is no `{file}`"))
                .hint(hint);
            // Whoever names a file means it.
            return Err(if self.is_kept() { NoKey::NotGiven(why) } else { NoKey::Wrong(why) });
        };
        let key = opened(&own, place, sealed).ok_or_else(|| {
            Diagnostic::error(format!("`{file}` is not the key of {what}"))
                .detail("it does not unwrap the data key, as nothing does that was copied from another stack, table or project")
                .hint(hint)
        })?;
        Ok(key)
    }

    async fn unwrap_at_service(
        &self,
        (kind, key): (&str, &str),
        what: &str,
        place: &str,
        sealed: &str,
    ) -> Result<Key, NoKey> {
        let Some(wrapper) = self.wrapper.as_ref().filter(|wrapper| wrapper.kind() == kind) else {
            let why = Diagnostic::error(format!("the secrets of {what} are encrypted with {kind} `{key}`")).detail(
                "the program names no key of that kind, or the sandbox is asked for, which reaches no real service",
            );
            return Err(NoKey::NotGiven(why.hint("name it in the program with `.secrets_key(..)`")));
        };
        let failed = |error: ProviderError| {
            let why = Diagnostic::of_provider(format!("cannot unwrap the key of {what} with {kind} `{key}`"), &error);
            // Whose login may not use it was not given it.
            if error.kind == ErrorKind::Denied { NoKey::NotGiven(why) } else { NoKey::Wrong(why) }
        };
        let bytes = wrapper.unwrap(key, sealed, place, &self.environment).await.map_err(failed)?;
        let none = || Diagnostic::error(format!("what {kind} `{key}` unwraps is no key of {what}"));
        Ok(Key::try_from_bytes(&bytes).ok_or_else(none)?)
    }

    /// The key of the named file, or the kept one.
    async fn file_key(&self, make: bool) -> Result<Option<Key>, Diagnostic> {
        let Some(path) = self.named_file() else {
            return match &self.kept {
                Some(kept) => kept.key(make).await,
                None => Ok(None),
            };
        };
        let shown = path.display().to_string();
        let read = tokio::task::spawn_blocking(move || key_file(&path, make)).await;
        read.unwrap_or_else(|died| Err(std::io::Error::other(died))).map_err(|error| {
            Diagnostic::error(format!("cannot use the key file `{shown}`"))
                .detail(error.to_string())
                .hint(format!("{KEY_FILE} names it"))
        })
    }
}

fn opened(wrapping: &Key, place: &str, sealed: &str) -> Option<Key> {
    Key::try_from_bytes(&unseal(wrapping, place, sealed)?)
}

/// The most that a passphrase may cost, in KiB of memory and in passes over it: a few seconds. What is written costs far
/// less; a file that asks for more was not written by any version of this program.
const DEAREST: (u32, u32) = (256 * 1024, 16);

/// argon2id, which takes a moment on purpose.
pub(crate) async fn stretch(
    passphrase: Zeroizing<String>,
    salt: &str,
    memory_kib: u32,
    passes: u32,
) -> Result<Key, Diagnostic> {
    if memory_kib > DEAREST.0 || passes > DEAREST.1 {
        return Err(Diagnostic::error("the passphrase can't be used")
            .detail(format!(
                "what is encrypted with it asks for {passes} passes over {memory_kib} KiB, which nothing has written"
            ))
            .hint("restore the file that holds the wrapped key from a copy"));
    }
    let salt = salt.to_owned();
    let work = move || {
        let salt = BASE64.decode(salt).map_err(|error| error.to_string())?;
        let params = Params::new(memory_kib, passes, 1, Some(32)).map_err(|error| error.to_string())?;
        let mut key = Key::default();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &salt, &mut *key)
            .map_err(|error| error.to_string())?;
        Ok(key)
    };
    let answer = tokio::task::spawn_blocking(work).await.unwrap_or_else(|died| Err(died.to_string()));
    answer.map_err(|cause: String| Diagnostic::error("the passphrase can't be used").detail(cause))
}
