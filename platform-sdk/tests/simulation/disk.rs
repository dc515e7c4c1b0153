//! The store that state is in: writes that were not synced are lost, or torn, when their process dies.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use platform_sdk::{
    desired::Hash,
    state::{
        Appender, Certainty, Condition, Guard, Note, Object, ObjectPerAppend, Store, StoreError, StoreKey, StoreResult,
        Version, Waiting, beats, folders_among,
    },
};

use crate::cloud::Cloud;

/// A write on its way to the disk.
enum Staged {
    Whole(String, Vec<u8>),
    Append(String, Vec<u8>),
}

#[derive(Default)]
struct Plates {
    objects: BTreeMap<String, Vec<u8>>,
    /// By number, with the process that writes.
    staged: BTreeMap<u64, (usize, Staged)>,
    next: u64,
    held: BTreeMap<String, Vec<u8>>,
    key: Option<StoreKey>,
    /// What grows; everything else is there as a whole or not at all.
    grown: BTreeSet<String>,
    /// Writes that a crash lost or tore.
    lost: u64,
    /// What was there when the head moved last.
    before_head: Option<BTreeMap<String, Vec<u8>>>,
}

/// A store whose processes can die. As a directory, its holds are those of the operating system, which end with their
/// process; as a bucket, a holder shows that it lives, and who is silent for long is taken over.
#[derive(Clone)]
pub(crate) struct Disk {
    cloud: Cloud,
    /// It is a directory, in which journals grow as files do; otherwise a bucket, where each addition is an object.
    grows: bool,
    plates: Arc<Mutex<Plates>>,
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Disk")
    }
}

fn version(bytes: &[u8]) -> Version {
    Version(Hash::of(bytes).to_string())
}

impl Disk {
    pub(crate) fn new(cloud: Cloud, grows: bool) -> Self {
        Self { cloud, grows, plates: Arc::default() }
    }

    fn plates(&self) -> MutexGuard<'_, Plates> {
        self.plates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that is durable.
    pub(crate) fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.plates().objects.clone()
    }

    /// Everything that was durable when the head moved last, if it did since this was asked.
    pub(crate) fn before_head(&self) -> Option<BTreeMap<String, Vec<u8>>> {
        self.plates().before_head.take()
    }

    /// Whether an object grows, and may end anywhere.
    pub(crate) fn grows(&self, key: &str) -> bool {
        self.plates().grown.contains(key)
    }

    /// What stands for the lease: who holds it in a bucket.
    pub(crate) fn lease(&self) -> Option<Vec<u8>> {
        self.plates().objects.get("sim/s/lease.json").cloned()
    }

    /// A store of its own with other objects, for looking at what would be read.
    pub(crate) fn with(&self, objects: BTreeMap<String, Vec<u8>>) -> Self {
        let key = self.plates().key.clone();
        Self { plates: Arc::new(Mutex::new(Plates { objects, key, ..Plates::default() })), ..self.clone() }
    }

    /// The process ended: what it had not synced is kept, torn or lost.
    pub(crate) fn ended(&self, process: usize) {
        let mut plates = self.plates();
        let (its, others) = std::mem::take(&mut plates.staged).into_iter().partition(|(_, (of, _))| *of == process);
        plates.staged = others;
        let its: BTreeMap<u64, (usize, Staged)> = its;
        for (_, staged) in its.into_values() {
            let kept = self.cloud.dice(|dice| dice.below(3));
            match staged {
                Staged::Whole(key, bytes) if kept == 0 => drop(plates.objects.insert(key, bytes)),
                Staged::Append(key, bytes) if kept < 2 => {
                    let whole = kept == 0;
                    let length = self.cloud.dice(|dice| dice.below(bytes.len() as u64 + 1));
                    let length = if whole { bytes.len() } else { usize::try_from(length).unwrap_or_default() };
                    plates.objects.entry(key).or_default().extend_from_slice(&bytes[..length]);
                    plates.lost += u64::from(length < bytes.len());
                }
                Staged::Whole(..) | Staged::Append(..) => plates.lost += 1,
            }
        }
    }

    /// How many writes crashes lost or tore.
    pub(crate) fn lost(&self) -> u64 {
        self.plates().lost
    }

    fn stage(&self, staged: Staged) -> u64 {
        let mut plates = self.plates();
        plates.next += 1;
        let number = plates.next;
        plates.staged.insert(number, (self.cloud.process(), staged));
        number
    }
}

impl Plates {
    fn holds(&self, key: &str, condition: &Condition) -> bool {
        match (condition, self.objects.get(key)) {
            (Condition::Absent, now) => now.is_none(),
            (Condition::Version(wanted), now) => now.is_some_and(|now| version(now) == *wanted),
        }
    }
}

#[async_trait]
impl Store for Disk {
    fn name(&self) -> String {
        "disk".to_owned()
    }

    async fn get(&self, key: &str) -> StoreResult<Option<Object>> {
        Ok(self.plates().objects.get(key).map(|bytes| Object { bytes: bytes.clone(), version: version(bytes) }))
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> StoreResult<Version> {
        let bytes = Vec::from(bytes);
        self.cloud.point().await;
        if !self.plates().holds(key, &condition) {
            return Err(StoreError::Conflict(key.to_owned()));
        }
        let number = self.stage(Staged::Whole(key.to_owned(), bytes.clone()));
        self.cloud.point().await;
        {
            let mut plates = self.plates();
            plates.staged.remove(&number);
            if !plates.holds(key, &condition) {
                return Err(StoreError::Conflict(key.to_owned()));
            }
            if key.ends_with("/head.json") {
                plates.before_head = Some(plates.objects.clone());
            }
            plates.objects.insert(key.to_owned(), bytes.clone());
        }
        self.cloud.point().await;
        Ok(version(&bytes))
    }

    async fn list(&self, folder: &str) -> StoreResult<Vec<String>> {
        let prefix = format!("{folder}/");
        Ok(self.plates().objects.keys().filter(|key| key.starts_with(&prefix)).cloned().collect())
    }

    async fn folders(&self, folder: &str) -> StoreResult<Vec<String>> {
        Ok(folders_among(self.plates().objects.keys(), folder))
    }

    async fn delete(&self, key: &str) -> StoreResult<()> {
        self.plates().objects.remove(key);
        Ok(())
    }

    fn appender(self: Arc<Self>, folder: String, first: u64) -> Box<dyn Appender> {
        if self.grows {
            Box::new(Growing { disk: self, folder, part: first, begun: false })
        } else {
            Box::new(ObjectPerAppend::new(self, folder, first))
        }
    }

    async fn lock(
        self: Arc<Self>,
        key: &str,
        note: Note,
        waiting: &Waiting<'_>,
    ) -> StoreResult<Option<Box<dyn Guard>>> {
        if !self.grows {
            return beats::take(&(self as Arc<dyn Store>), key, note, waiting).await;
        }
        let mut plates = self.plates();
        if plates.held.contains_key(key) {
            return Ok(None);
        }
        plates.held.insert(key.to_owned(), note());
        Ok(Some(Box::new(Hold { disk: (*self).clone(), key: key.to_owned() })))
    }

    async fn held(&self, key: &str) -> StoreResult<Option<Vec<u8>>> {
        if !self.grows {
            return beats::held(self, key).await;
        }
        Ok(self.plates().held.get(key).cloned())
    }

    async fn lives(&self, key: &str, waiting: &Waiting<'_>) -> StoreResult<bool> {
        if !self.grows {
            return beats::lives(self, key, waiting).await;
        }
        Ok(self.plates().held.contains_key(key))
    }

    async fn unlock(&self, key: &str, note: &[u8]) -> StoreResult<bool> {
        if self.grows { Ok(false) } else { beats::unlock(self, key, note).await }
    }

    async fn own_key(&self, make: bool) -> StoreResult<Option<StoreKey>> {
        let mut plates = self.plates();
        if make && plates.key.is_none() {
            plates.key = Some(StoreKey::new([7; 32]));
        }
        Ok(plates.key.clone())
    }

    fn own_key_file(&self) -> Option<PathBuf> {
        Some(PathBuf::from("disk"))
    }
}

/// A journal part that grows as a file does.
struct Growing {
    disk: Arc<Disk>,
    folder: String,
    part: u64,
    begun: bool,
}

#[async_trait]
impl Appender for Growing {
    async fn append(&mut self, bytes: Vec<u8>) -> StoreResult<()> {
        let key = format!("{}/{}.jsonl", self.folder, self.part);
        self.disk.cloud.point().await;
        if !self.begun && self.disk.plates().objects.contains_key(&key) {
            return Err(StoreError::Conflict(key));
        }
        self.begun = true;
        self.disk.plates().grown.insert(key.clone());
        let number = self.disk.stage(Staged::Append(key.clone(), bytes.clone()));
        self.disk.cloud.point().await;
        {
            let mut plates = self.disk.plates();
            plates.staged.remove(&number);
            plates.objects.entry(key).or_default().extend_from_slice(&bytes);
        }
        self.disk.cloud.point().await;
        Ok(())
    }

    fn last_part(&self) -> u64 {
        if self.begun { self.part } else { self.part - 1 }
    }
}

#[derive(Debug)]
struct Hold {
    disk: Disk,
    key: String,
}

#[async_trait]
impl Guard for Hold {
    async fn note(&mut self, note: Note) -> StoreResult<()> {
        self.disk.plates().held.insert(self.key.clone(), note());
        Ok(())
    }

    fn certainty(&self) -> Certainty {
        Certainty::of_guard()
    }

    async fn release(self: Box<Self>) {}
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.disk.plates().held.remove(&self.key);
    }
}
