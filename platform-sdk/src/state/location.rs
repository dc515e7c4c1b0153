//! Where a stack's state is: a store, a project and a stack.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use async_trait::async_trait;

use super::{Left, Logins, Store};
use crate::{
    Result,
    report::Diagnostic,
    sealing::{KeptKey, Key, KeySource, KeyWrapper},
};

/// The state of one stack.
#[derive(Debug, Clone)]
pub struct Location {
    pub(super) store: Arc<dyn Store>,
    pub(super) project: String,
    pub(super) stack: String,
    wrapper: Option<Arc<dyn KeyWrapper>>,
    /// Where runs keep what they learn after they have lost the store.
    pub(super) stranded: Option<PathBuf>,
    /// Its secrets may stay sealed.
    keyless: bool,
    /// The names of the projects that may read a state which was left for them.
    heirs: Vec<String>,
}

/// A store, as the keeper of a key beside what it stores.
#[derive(Debug)]
struct Kept(Arc<dyn Store>);

#[async_trait]
impl KeptKey for Kept {
    async fn key(&self, make: bool) -> Result<Option<Key>, Diagnostic> {
        Ok(self.0.own_key(make).await?)
    }

    fn file(&self) -> Option<PathBuf> {
        self.0.own_key_file()
    }
}

/// Whether a folder beside the projects is none.
pub(super) fn is_reserved(name: &str) -> bool {
    matches!(name, "key" | "sandbox" | "stranded")
}

impl Location {
    /// From `--state` or `PLATFORM_STATE`, without a login: a path, or `file://` and a path.
    ///
    /// # Errors
    /// As [`Location::with_logins`].
    pub fn new(state: &str, project: &str, stack: &str) -> Result<Self> {
        Self::with_logins(state, project, stack, &Logins::default())
    }

    /// From `--state` or `PLATFORM_STATE`: a path, `file://` and a path, `s3://`, `az://` or `gs://`.
    ///
    /// # Errors
    /// When the URL is of a kind that is not supported or built in, a login is missing, or project or stack can't be
    /// folders.
    pub fn with_logins(state: &str, project: &str, stack: &str, logins: &Logins) -> Result<Self> {
        Self::within(super::url::open(state, logins)?, project, stack)
    }

    /// In any store.
    ///
    /// # Errors
    /// When project or stack can't be folders.
    pub fn within(store: Arc<dyn Store>, project: &str, stack: &str) -> Result<Self> {
        for (what, name) in [("project", project), ("stack", stack)] {
            let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
            if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
                let problem = Diagnostic::error(format!("`{name}` can't be the name of a {what}"))
                    .hint("use letters, digits, `-`, `_` and `.`, which can't be first");
                return Err(problem.into());
            }
        }
        // These stand beside the projects: the key file, the sandbox's world, what runs learned that had lost their store.
        if is_reserved(project) {
            let problem = Diagnostic::error(format!("a project can't be called `{project}`"))
                .detail("the state directory keeps something else under that name")
                .hint("choose another name in `Program::new`");
            return Err(problem.into());
        }
        let (project, stack) = (project.to_owned(), stack.to_owned());
        let (wrapper, stranded, heirs) = (None, None, Vec::new());
        Ok(Self { store, project, stack, wrapper, stranded, keyless: false, heirs })
    }

    /// With a key of a service, which wraps the data keys of its stacks.
    pub fn with_key(self, wrapper: Option<Arc<dyn KeyWrapper>>) -> Self {
        Self { wrapper, ..self }
    }

    /// For who only looks: where no key is given, its secrets stay sealed ([`Keys::locked`](super::Keys::locked)).
    pub fn to_look(self) -> Self {
        Self { keyless: true, ..self }
    }

    /// Whether its secrets may stay sealed.
    pub(crate) fn is_to_look(&self) -> bool {
        self.keyless
    }

    /// Keeps in this folder of this machine what runs learn after they have lost the store, until the next one brings it
    /// home.
    pub fn stranding_in(self, folder: Option<PathBuf>) -> Self {
        Self { stranded: folder, ..self }
    }

    /// For a project that is called so now, or was once: it reads what was left for it.
    pub(crate) fn for_heirs(self, heirs: impl IntoIterator<Item = String>) -> Self {
        Self { heirs: heirs.into_iter().collect(), ..self }
    }

    /// Whether a state was left for who reads it here.
    pub(super) fn is_heir(&self, left: &Left) -> bool {
        matches!(left, Left::MovedTo(now) if self.heirs.contains(now))
    }

    /// Where wrapping keys come from.
    pub(super) fn key_source(&self, environment: &BTreeMap<String, String>) -> KeySource {
        let source = KeySource::new(environment, self.wrapper.clone()).keeping(Arc::new(Kept(self.store())));
        source.optional(self.keyless)
    }

    /// Whether both are the same stack in the same place.
    pub(crate) fn is(&self, other: &Self) -> bool {
        (self.store.name(), self.stack()) == (other.store.name(), other.stack())
    }

    /// The store.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// `<project>/<stack>`.
    pub fn stack(&self) -> String {
        format!("{}/{}", self.project, self.stack)
    }

    /// The key of something in the stack's folder.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.project, self.stack)
    }

    /// A key as a person finds it.
    pub(super) fn shown(&self, key: &str) -> String {
        format!("{}/{key}", self.store.name())
    }
}
