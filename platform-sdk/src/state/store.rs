//! Stores: a key/value space with conditional writes, which is all that state asks of a directory or a bucket.

use std::{fmt, io, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use zeroize::Zeroizing;

use crate::{provider::ProviderError, report::Diagnostic};

/// What identifies one content of an object: it changes whenever the content does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(pub String);

/// An object as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its content.
    pub bytes: Vec<u8>,
    /// What a conditional write names.
    pub version: Version,
}

/// What must hold for a write to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// There is no such object.
    Absent,
    /// It still has this content.
    Version(Version),
}

/// Why a store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The condition of a write does not hold: nothing was written.
    #[error("`{0}` was written by somebody else")]
    Conflict(String),
    /// The key is none: empty, absolute, or with a `.` or `..` in it.
    #[error("`{0}` can't be a key")]
    Key(String),
    /// The store can't be read or written.
    #[error("cannot {doing} `{what}`")]
    Failed {
        /// The verb: `read`.
        doing: &'static str,
        /// The object, as a person finds it.
        what: String,
        /// The cause.
        source: io::Error,
    },
}

impl StoreError {
    /// Whether the same request may succeed a moment later: the store was out of reach, or its answer was lost.
    pub fn may_pass(&self) -> bool {
        use io::ErrorKind as Kind;

        let Self::Failed { source, .. } = self else { return false };
        matches!(
            source.kind(),
            Kind::TimedOut
                | Kind::ConnectionReset
                | Kind::ConnectionAborted
                | Kind::ConnectionRefused
                | Kind::NotConnected
                | Kind::BrokenPipe
                | Kind::HostUnreachable
                | Kind::NetworkUnreachable
                | Kind::NetworkDown
        )
    }
}

/// What a store answers.
pub type StoreResult<T> = Result<T, StoreError>;

/// A key/value space. Keys are paths without a leading slash: `acme/prod/head.json`.
///
/// A write is durable when it is answered, and whole or not there at all. Every store passes
/// [`conformance`](super::conformance::check).
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    /// How messages name it: a path or URL.
    fn name(&self) -> String;

    /// An object, or `None`.
    async fn get(&self, key: &str) -> StoreResult<Option<Object>>;

    /// Writes an object if the condition holds, in one step that no other writer can come between.
    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> StoreResult<Version>;

    /// The keys below a folder, at any depth, in order. None when there is no such folder.
    async fn list(&self, folder: &str) -> StoreResult<Vec<String>>;

    /// The names of the folders in a folder, `` for the top, in order. None when there is no such folder. In a directory one
    /// may have nothing in it.
    async fn folders(&self, folder: &str) -> StoreResult<Vec<String>>;

    /// Removes an object; one that is not there is removed already.
    async fn delete(&self, key: &str) -> StoreResult<()>;

    /// Starts a journal in a folder, at part `first`.
    fn appender(self: Arc<Self>, folder: String, first: u64) -> Box<dyn Appender>;

    /// Takes the exclusive hold that `key` stands for, and leaves a note there for others to read. `None` when somebody
    /// alive holds it; the hold of somebody dead has ended. Where it takes a while to find out which of the two it is,
    /// `waiting` is told the other's note first.
    async fn lock(self: Arc<Self>, key: &str, note: Note, waiting: &Waiting<'_>)
    -> StoreResult<Option<Box<dyn Guard>>>;

    /// The note of whoever holds `key` now.
    async fn held(&self, key: &str) -> StoreResult<Option<Vec<u8>>>;

    /// Whether somebody alive holds `key`. Where only signs of life tell, it waits for one, and tells `waiting` the note
    /// of whom it waits for.
    async fn lives(&self, key: &str, _waiting: &Waiting<'_>) -> StoreResult<bool> {
        Ok(self.held(key).await?.is_some())
    }

    /// Ends somebody else's hold, if its note is still this one. `false` when the hold can't be ended or is another one.
    async fn unlock(&self, key: &str, note: &[u8]) -> StoreResult<bool>;

    /// A random key kept beside the store, for stacks without a passphrase; made when `make` says so. `None` when there
    /// is none, which is always so where others could read it.
    async fn own_key(&self, make: bool) -> StoreResult<Option<StoreKey>>;

    /// Keeps this key as its own where it has none. Says whether its own key is this one now; never where it keeps none.
    async fn keep_key(&self, _key: &StoreKey) -> StoreResult<bool> {
        Ok(false)
    }

    /// The file of that key, for messages. `None` when this store keeps no key of its own.
    fn own_key_file(&self) -> Option<PathBuf>;
}

/// A store's own key.
pub type StoreKey = Zeroizing<[u8; 32]>;

/// A journal being written: numbered parts in a folder, `1.jsonl`, `2.jsonl`, ....
#[async_trait]
pub trait Appender: Send + Sync {
    /// Adds bytes behind all that was added before, and answers when they are durable. After an error nothing may be
    /// added any more.
    async fn append(&mut self, bytes: Vec<u8>) -> StoreResult<()>;

    /// The last part that was written; the one before the first while there is none.
    fn last_part(&self) -> u64;
}

/// Makes the note of a hold: anew for each sign of life, so that it changes for as long as its holder lives.
pub type Note = Arc<dyn Fn() -> Vec<u8> + Send + Sync>;

/// Is told the note of whom a lock waits for.
pub type Waiting<'w> = dyn Fn(&[u8]) + Send + Sync + 'w;

/// An exclusive hold. It also ends when this is dropped or the process dies: at once or, where only silence tells, after
/// a while.
#[async_trait]
pub trait Guard: fmt::Debug + Send + Sync {
    /// Replaces the note.
    async fn note(&mut self, note: Note) -> StoreResult<()>;

    /// What to ask whether the hold still lasts.
    fn certainty(&self) -> Certainty;

    /// Ends the hold, and leaves nothing behind that keeps others out.
    async fn release(self: Box<Self>);
}

/// Whether a hold still lasts, asked while its guard is busy elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Certainty(Option<Arc<dyn Confirm>>);

/// Knows whether a hold still lasts.
#[async_trait]
pub trait Confirm: fmt::Debug + Send + Sync {
    /// Waits until it is certain whether the hold lasts, for no longer than it could last unseen.
    async fn confirm(&self) -> Hold;
}

/// What is certain of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// It lasts.
    Lasts,
    /// Somebody else has taken over, or may have.
    Lost,
    /// The store does not answer: nobody here can say.
    Unknown,
}

impl Certainty {
    /// Of a hold that lasts for as long as its guard does: one of the operating system.
    pub fn of_guard() -> Self {
        Self::default()
    }

    /// Of a hold that has to be asked about.
    pub fn by(confirm: impl Confirm + 'static) -> Self {
        Self(Some(Arc::new(confirm)))
    }

    /// Waits until it is certain whether the hold lasts.
    pub async fn confirm(&self) -> Hold {
        match &self.0 {
            Some(asked) => asked.confirm().await,
            None => Hold::Lasts,
        }
    }
}

/// The key of a journal's part.
pub(super) fn part_key(folder: &str, part: u64) -> String {
    format!("{folder}/{part}.jsonl")
}

/// Refuses keys that could leave the store or hide in it.
///
/// # Errors
/// When a segment is empty or starts with a dot.
pub fn check_key(key: &str) -> StoreResult<()> {
    if key.split('/').any(|segment| segment.is_empty() || segment.starts_with('.') || segment.contains('\\')) {
        return Err(StoreError::Key(key.to_owned()));
    }
    Ok(())
}

impl From<StoreError> for Diagnostic {
    fn from(error: StoreError) -> Self {
        let said = Self::error(error.to_string());
        match error {
            StoreError::Conflict(_) => said
                .detail("another run has taken over this stack; nothing of this write was kept")
                .hint("run the command again: it starts from what the other run left"),
            StoreError::Key(_) => said.hint("use letters, digits, `-`, `_` and `.`, not first, for project and stack"),
            StoreError::Failed { source, .. } => {
                match source.get_ref().and_then(|error| error.downcast_ref::<ProviderError>()) {
                    // A provider logs in for the store, and knows best what to do about it.
                    Some(error) => Self::of_provider(said.summary, error),
                    None => said
                        .detail(source.to_string())
                        .hint("make it accessible, or choose another place with `--state` or PLATFORM_STATE"),
                }
            }
        }
    }
}
