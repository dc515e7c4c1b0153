//! A bucket as a store: objects with conditional writes, through the `object_store` crate.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt as _;
use object_store::{
    Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, UpdateVersion, path::Path,
};

use super::{
    beats,
    bucket_error::{failure, has_no_bucket, is_conflict},
    object_per_append::ObjectPerAppend,
    store::{
        Appender, Condition, Guard, Note, Object, Store, StoreError, StoreKey, StoreResult, Version, Waiting, check_key,
    },
};

/// A bucket, or a folder of one, at any service that `object_store` speaks to. Keeps no key of its own: whoever reads the
/// bucket could read it.
#[derive(Debug, Clone)]
pub struct Bucket {
    objects: Arc<dyn ObjectStore>,
    /// `s3://acme/platform`, without a slash at its end.
    name: String,
    /// The folder, with a slash at its end, or nothing.
    prefix: String,
}

impl Bucket {
    /// A folder of a bucket; messages call it `name`.
    pub fn new(objects: Arc<dyn ObjectStore>, name: &str, folder: &str) -> Self {
        let folder = folder.trim_matches('/');
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        Self { objects, name: name.trim_end_matches('/').to_owned(), prefix }
    }

    fn path(&self, key: &str) -> StoreResult<Path> {
        check_key(key)?;
        Path::parse(format!("{}{key}", self.prefix)).map_err(|_| StoreError::Key(key.to_owned()))
    }

    fn failed(&self, doing: &'static str, key: &str, error: Error) -> StoreError {
        StoreError::Failed { doing, what: format!("{}/{key}", self.name), source: failure(&self.name, error) }
    }
}

/// What a service names a content by: some by a tag, some by a number.
fn version(e_tag: Option<String>, version: Option<String>) -> Version {
    Version(serde_json::to_string(&(e_tag, version)).expect("text is JSON"))
}

/// `None` for what was not made here: no object has it.
fn update(version: &Version) -> Option<UpdateVersion> {
    let (e_tag, version) = serde_json::from_str(&version.0).ok()?;
    Some(UpdateVersion { e_tag, version })
}

#[async_trait]
impl Store for Bucket {
    fn name(&self) -> String {
        self.name.clone()
    }

    async fn get(&self, key: &str) -> StoreResult<Option<Object>> {
        let failed = |error| self.failed("read", key, error);
        let found = match self.objects.get(&self.path(key)?).await {
            Err(error @ Error::NotFound { .. }) if !has_no_bucket(&error) => return Ok(None),
            answer => answer.map_err(failed)?,
        };
        let version = version(found.meta.e_tag.clone(), found.meta.version.clone());
        Ok(Some(Object { bytes: found.bytes().await.map_err(failed)?.to_vec(), version }))
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> StoreResult<Version> {
        let path = self.path(key)?;
        let conflict = || StoreError::Conflict(key.to_owned());
        let mode = match &condition {
            Condition::Absent => PutMode::Create,
            Condition::Version(wanted) => PutMode::Update(update(wanted).ok_or_else(conflict)?),
        };
        let options = PutOptions { mode, ..PutOptions::default() };
        match self.objects.put_opts(&path, PutPayload::from(bytes), options).await {
            Ok(written) => Ok(version(written.e_tag, written.version)),
            Err(error) if is_conflict(&error) => Err(conflict()),
            Err(error) => Err(self.failed("write", key, error)),
        }
    }

    async fn list(&self, folder: &str) -> StoreResult<Vec<String>> {
        let listed = self.objects.list(Some(&self.path(folder)?));
        let found: Vec<_> = listed.try_collect().await.map_err(|error| self.failed("list", folder, error))?;
        let key = |path: &str| path.strip_prefix(&self.prefix).map(str::to_owned);
        let mut keys: Vec<_> = found.iter().filter_map(|object| key(object.location.as_ref())).collect();
        keys.sort();
        Ok(keys)
    }

    async fn folders(&self, folder: &str) -> StoreResult<Vec<String>> {
        let within = match (folder, self.prefix.trim_end_matches('/')) {
            ("", "") => None,
            ("", prefix) => Some(Path::parse(prefix).map_err(|_| StoreError::Key(prefix.to_owned()))?),
            (folder, _) => Some(self.path(folder)?),
        };
        let listed = self.objects.list_with_delimiter(within.as_ref()).await;
        let found = listed.map_err(|error| self.failed("list", folder, error))?.common_prefixes;
        let names = found.iter().filter_map(|path| path.filename()).filter(|name| !name.starts_with('.'));
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort();
        Ok(names)
    }

    async fn delete(&self, key: &str) -> StoreResult<()> {
        match self.objects.delete(&self.path(key)?).await {
            Ok(()) => Ok(()),
            Err(error @ Error::NotFound { .. }) if !has_no_bucket(&error) => Ok(()),
            Err(error) => Err(self.failed("delete", key, error)),
        }
    }

    fn appender(self: Arc<Self>, folder: String, first: u64) -> Box<dyn Appender> {
        Box::new(ObjectPerAppend::new(self, folder, first))
    }

    async fn lock(
        self: Arc<Self>,
        key: &str,
        note: Note,
        waiting: &Waiting<'_>,
    ) -> StoreResult<Option<Box<dyn Guard>>> {
        let store: Arc<dyn Store> = self;
        beats::take(&store, key, note, waiting).await
    }

    async fn held(&self, key: &str) -> StoreResult<Option<Vec<u8>>> {
        beats::held(self, key).await
    }

    async fn lives(&self, key: &str, waiting: &Waiting<'_>) -> StoreResult<bool> {
        beats::lives(self, key, waiting).await
    }

    async fn unlock(&self, key: &str, note: &[u8]) -> StoreResult<bool> {
        beats::unlock(self, key, note).await
    }

    async fn own_key(&self, _make: bool) -> StoreResult<Option<StoreKey>> {
        Ok(None)
    }

    fn own_key_file(&self) -> Option<PathBuf> {
        None
    }
}
