//! A store in memory: for tests, simulations, and plans that start from nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;

use super::{
    object_per_append::ObjectPerAppend,
    store::{
        Appender, Certainty, Condition, Guard, Note, Object, Store, StoreError, StoreKey, StoreResult, Version,
        Waiting, check_key,
    },
};
use crate::{desired::Hash, sealing::random_key};

/// Objects in memory, lost with it. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    shelf: Arc<Mutex<Shelf>>,
}

#[derive(Default)]
struct Shelf {
    objects: BTreeMap<String, Vec<u8>>,
    held: BTreeMap<String, Vec<u8>>,
    key: Option<StoreKey>,
}

impl std::fmt::Debug for Shelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.objects.keys().collect::<BTreeSet<_>>()).finish()
    }
}

impl Memory {
    /// Another store with what is in this one now, which goes its own way. Nobody holds anything there.
    #[must_use]
    pub fn fork(&self) -> Self {
        let here = self.shelf();
        let forked = Shelf { objects: here.objects.clone(), held: BTreeMap::new(), key: here.key.clone() };
        Self { shelf: Arc::new(Mutex::new(forked)) }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The names of the folders in a folder, `` for the top, of a store that has these keys.
pub fn folders_among<'k>(keys: impl IntoIterator<Item = &'k String>, folder: &str) -> Vec<String> {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let within = keys.into_iter().filter_map(|key| key.strip_prefix(&prefix)?.split_once('/'));
    within.map(|(name, _)| name.to_owned()).collect::<BTreeSet<_>>().into_iter().collect()
}

fn version(bytes: &[u8]) -> Version {
    Version(Hash::of(bytes).to_string())
}

#[async_trait]
impl Store for Memory {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    async fn get(&self, key: &str) -> StoreResult<Option<Object>> {
        check_key(key)?;
        Ok(self.shelf().objects.get(key).map(|bytes| Object { bytes: bytes.clone(), version: version(bytes) }))
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> StoreResult<Version> {
        check_key(key)?;
        let mut inside = self.shelf();
        let holds = match (&condition, inside.objects.get(key)) {
            (Condition::Absent, now) => now.is_none(),
            (Condition::Version(wanted), now) => now.is_some_and(|now| version(now) == *wanted),
        };
        if !holds {
            return Err(StoreError::Conflict(key.to_owned()));
        }
        let written = version(&bytes);
        inside.objects.insert(key.to_owned(), bytes.into());
        Ok(written)
    }

    async fn list(&self, folder: &str) -> StoreResult<Vec<String>> {
        check_key(folder)?;
        let prefix = format!("{folder}/");
        Ok(self.shelf().objects.keys().filter(|key| key.starts_with(&prefix)).cloned().collect())
    }

    async fn folders(&self, folder: &str) -> StoreResult<Vec<String>> {
        if !folder.is_empty() {
            check_key(folder)?;
        }
        Ok(folders_among(self.shelf().objects.keys(), folder))
    }

    async fn delete(&self, key: &str) -> StoreResult<()> {
        check_key(key)?;
        self.shelf().objects.remove(key);
        Ok(())
    }

    fn appender(self: Arc<Self>, folder: String, first: u64) -> Box<dyn Appender> {
        Box::new(ObjectPerAppend::new(self, folder, first))
    }

    async fn lock(
        self: Arc<Self>,
        key: &str,
        note: Note,
        _waiting: &Waiting<'_>,
    ) -> StoreResult<Option<Box<dyn Guard>>> {
        check_key(key)?;
        let mut inside = self.shelf();
        if inside.held.contains_key(key) {
            return Ok(None);
        }
        inside.held.insert(key.to_owned(), note());
        Ok(Some(Box::new(Hold { memory: (*self).clone(), key: key.to_owned() })))
    }

    async fn held(&self, key: &str) -> StoreResult<Option<Vec<u8>>> {
        Ok(self.shelf().held.get(key).cloned())
    }

    /// A hold lasts for as long as its guard.
    async fn unlock(&self, _key: &str, _note: &[u8]) -> StoreResult<bool> {
        Ok(false)
    }

    async fn own_key(&self, make: bool) -> StoreResult<Option<StoreKey>> {
        let mut inside = self.shelf();
        if make && inside.key.is_none() {
            inside.key = Some(random_key());
        }
        Ok(inside.key.clone())
    }

    fn own_key_file(&self) -> Option<PathBuf> {
        Some(PathBuf::from("memory"))
    }
}

#[derive(Debug)]
struct Hold {
    memory: Memory,
    key: String,
}

#[async_trait]
impl Guard for Hold {
    async fn note(&mut self, note: Note) -> StoreResult<()> {
        self.memory.shelf().held.insert(self.key.clone(), note());
        Ok(())
    }

    fn certainty(&self) -> Certainty {
        Certainty::of_guard()
    }

    async fn release(self: Box<Self>) {}
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.memory.shelf().held.remove(&self.key);
    }
}
