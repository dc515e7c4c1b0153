//! The local store: a directory. Atomic renames, `fsync` where durability is promised, locks of the operating system.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;

use super::{
    local_lock::{self, LocalGuard},
    store::{
        Appender, Condition, Guard, Note, Object, Store, StoreError, StoreKey, StoreResult, Version, Waiting, check_key,
    },
};
use crate::{
    desired::Hash,
    files,
    sealing::{keep_key_file, key_file},
};

/// A directory as a store. It is made when something is written first.
#[derive(Debug, Clone)]
pub struct Local {
    root: PathBuf,
}

/// How often a lock is tried before its holder is believed: a reader who asks who holds it has it for a moment too.
const TRIES: u32 = 10;

impl Local {
    /// The store in this directory.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn path(&self, key: &str) -> StoreResult<PathBuf> {
        check_key(key)?;
        Ok(self.root.join(key))
    }

    fn key_file(&self) -> PathBuf {
        self.root.join("key")
    }
}

/// Runs what blocks on files outside of the runtime's threads.
pub(super) async fn blocking<T: Send + 'static>(
    doing: &'static str,
    path: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> StoreResult<T> {
    let answer = tokio::task::spawn_blocking(work).await.unwrap_or_else(|died| Err(io::Error::other(died)));
    answer.map_err(|source| StoreError::Failed { doing, what: path.display().to_string(), source })
}

#[async_trait]
impl Store for Local {
    fn name(&self) -> String {
        self.root.display().to_string()
    }

    async fn get(&self, key: &str) -> StoreResult<Option<Object>> {
        let path = self.path(key)?;
        let bytes = blocking("read", &path.clone(), move || read_if_there(&path)).await?;
        Ok(bytes.map(|bytes| Object { version: version(&bytes), bytes }))
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> StoreResult<Version> {
        let path = self.path(key)?;
        let written = version(&bytes);
        let done = blocking("write", &path.clone(), move || put(&path, &bytes, &condition)).await?;
        if done { Ok(written) } else { Err(StoreError::Conflict(key.to_owned())) }
    }

    async fn list(&self, folder: &str) -> StoreResult<Vec<String>> {
        let path = self.path(folder)?;
        let folder = folder.to_owned();
        blocking("list", &path.clone(), move || {
            let mut keys = Vec::new();
            walk(&path, &folder, &mut keys)?;
            keys.sort();
            Ok(keys)
        })
        .await
    }

    async fn folders(&self, folder: &str) -> StoreResult<Vec<String>> {
        let path = if folder.is_empty() { self.root.clone() } else { self.path(folder)? };
        blocking("list", &path.clone(), move || folders(&path)).await
    }

    async fn delete(&self, key: &str) -> StoreResult<()> {
        let path = self.path(key)?;
        let project = self.root.join(key.split('/').next().unwrap_or_default());
        blocking("delete", &path.clone(), move || match fs::remove_file(&path) {
            Ok(()) => {
                sync_folder(&path)?;
                remove_empty_folders(&path, &project);
                Ok(())
            }
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => Err(error),
        })
        .await
    }

    fn appender(self: Arc<Self>, folder: String, first: u64) -> Box<dyn Appender> {
        Box::new(LocalAppender { folder: self.root.join(folder), part: first, file: None })
    }

    async fn lock(
        self: Arc<Self>,
        key: &str,
        note: Note,
        _waiting: &Waiting<'_>,
    ) -> StoreResult<Option<Box<dyn Guard>>> {
        let path = self.path(key)?;
        for tried in 0..TRIES {
            if tried > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let (path, note) = (path.clone(), note());
            let guard = blocking("lock", &path.clone(), move || LocalGuard::take(&path, &note)).await?;
            if let Some(guard) = guard {
                return Ok(Some(Box::new(guard)));
            }
        }
        Ok(None)
    }

    async fn held(&self, key: &str) -> StoreResult<Option<Vec<u8>>> {
        let path = self.path(key)?;
        blocking("read", &path.clone(), move || local_lock::held(&path)).await
    }

    /// The operating system holds a lock for exactly as long as its process lives.
    async fn unlock(&self, _key: &str, _note: &[u8]) -> StoreResult<bool> {
        Ok(false)
    }

    async fn own_key(&self, make: bool) -> StoreResult<Option<StoreKey>> {
        let path = self.key_file();
        blocking(if make { "write" } else { "read" }, &path.clone(), move || key_file(&path, make)).await
    }

    async fn keep_key(&self, key: &StoreKey) -> StoreResult<bool> {
        let (path, key) = (self.key_file(), key.clone());
        blocking("write", &path.clone(), move || keep_key_file(&path, &key)).await
    }

    fn own_key_file(&self) -> Option<PathBuf> {
        Some(self.key_file())
    }
}

/// A journal part of a directory: one file that grows.
#[derive(Debug)]
struct LocalAppender {
    folder: PathBuf,
    part: u64,
    file: Option<Arc<File>>,
}

#[async_trait]
impl Appender for LocalAppender {
    async fn append(&mut self, bytes: Vec<u8>) -> StoreResult<()> {
        let path = self.folder.join(format!("{}.jsonl", self.part));
        if let Some(file) = &self.file {
            let file = Arc::clone(file);
            let written = move |path: PathBuf| {
                (&*file).write_all(&bytes)?;
                file.sync_data()?;
                still_there(&file, &path)
            };
            return blocking("write", &path.clone(), move || written(path)).await;
        }
        let shown = path.clone();
        let created = blocking("write", &shown, move || {
            make_folder_of(&path)?;
            let mut file = OpenOptions::new().append(true).create_new(true).open(&path)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            sync_folder(&path)?;
            Ok(file)
        });
        self.file = Some(Arc::new(created.await?));
        Ok(())
    }

    fn last_part(&self) -> u64 {
        if self.file.is_some() { self.part } else { self.part - 1 }
    }
}

/// An open file takes what is written also after its folder was removed, moved or unmounted, and nobody finds it there.
#[cfg(unix)]
fn still_there(file: &File, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;

    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let there = match fs::metadata(path) {
        Ok(there) => identity(there) == identity(file.metadata()?),
        Err(error) if is_absent(&error) => false,
        Err(error) => return Err(error),
    };
    let gone = "its folder was removed, moved or unmounted while it was written";
    if there { Ok(()) } else { Err(io::Error::new(io::ErrorKind::NotFound, gone)) }
}

/// Elsewhere an open file keeps its folder where it is.
#[cfg(not(unix))]
fn still_there(_file: &File, _path: &Path) -> io::Result<()> {
    Ok(())
}

fn version(bytes: &[u8]) -> Version {
    Version(Hash::of(bytes).to_string())
}

/// A path whose parent is a file is absent when read and an error when written.
fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match files::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Compares and swaps under a lock on the directory, which leaves no lock file behind.
fn put(path: &Path, bytes: &[u8], condition: &Condition) -> io::Result<bool> {
    make_folder_of(path)?;
    let folder = File::open(path.parent().unwrap_or(path))?;
    folder.lock()?;
    let holds = match condition {
        Condition::Absent => !path.try_exists()?,
        Condition::Version(wanted) => read_if_there(path)?.is_some_and(|now| version(&now) == *wanted),
    };
    if holds {
        // The lock keeps the name of what is not yet in place ours.
        files::replace(path, bytes, None)?;
        folder.sync_all()?;
    }
    Ok(holds)
}

/// Makes the folders above a file, durably. Says which ones it made, outermost first.
pub(super) fn make_folder_of(path: &Path) -> io::Result<Vec<PathBuf>> {
    let Some(folder) = path.parent() else { return Ok(Vec::new()) };
    let here = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.is_dir();
    let mut missing: Vec<PathBuf> = folder.ancestors().take_while(here).map(Path::to_owned).collect();
    missing.reverse();
    for made in &missing {
        match fs::create_dir(made) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists || !made.is_dir() => return Err(error),
            _ => sync_folder(made)?,
        }
    }
    Ok(missing)
}

/// Makes the entry of a file in its folder durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn folders(path: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && entry.path().is_dir() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Removes the folders that a file has left empty, below this one: a bucket has none of the kind.
fn remove_empty_folders(path: &Path, below: &Path) {
    for folder in path.ancestors().skip(1).take_while(|folder| *folder != below) {
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
}

fn walk(folder: &Path, key: &str, keys: &mut Vec<String>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if is_absent(&error) => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let key = format!("{key}/{name}");
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &key, keys)?;
        } else {
            keys.push(key);
        }
    }
    Ok(())
}

/// Reads a whole open file from its start.
pub(super) fn read_open(mut file: &File) -> io::Result<Vec<u8>> {
    use std::io::Seek as _;

    file.rewind()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether a lock is somebody else's.
pub(super) fn taken(tried: Result<(), TryLockError>) -> io::Result<bool> {
    match tried {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
