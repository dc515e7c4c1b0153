//! What remains of a damaged state: its whole snapshots, and what can be read of its journals.

use std::collections::BTreeSet;

use super::{
    Entry, Folded, Keys, Location, Version, World,
    frame::{before_damage, frames},
    head::{FORMAT_VERSION, Head, NO_NUMBER, version},
    prune::fence_of,
    reading::{is_far, misfitting, snapshot_key},
    record_format::{self, LineV4},
    snapshot_format::read_entry,
    store::part_key,
};
use crate::{Result, desired::Hash, report::Diagnostic, sealing::KeySource};

/// What is there of a state's files, whatever refers to them.
pub(super) struct Remains {
    pub(super) head: Option<(Vec<u8>, Version)>,
    /// The world that it speaks of.
    pub(super) world: World,
    /// The snapshot to go on from.
    pub(super) base: Option<(Hash, Entry)>,
    pub(super) fences: BTreeSet<u64>,
    pub(super) last_serial: u64,
    pub(super) last_fence: u64,
    pub(super) findings: Vec<String>,
    /// Nothing of this was damaged.
    pub(super) sound: bool,
    /// The head was not.
    pub(super) head_is_sound: bool,
}

impl Remains {
    /// `problem` is handed back where it is none that repairing helps against.
    pub(super) async fn of(location: &Location, world: World, problem: Diagnostic) -> Result<Self> {
        let object = location.store.get(&location.key("head.json")).await.map_err(Diagnostic::from)?;
        let newer = |bytes: &[u8]| version(bytes).is_some_and(|version| version > FORMAT_VERSION.into());
        if object.as_ref().is_some_and(|object| newer(&object.bytes)) {
            return Err(problem.into());
        }
        let head = object.as_ref().and_then(|object| Head::parse(&object.bytes, "").ok());
        let named = match &head {
            Some(head) => entry_of(location, head).await?,
            None => None,
        };
        let world = match (&head, &named) {
            // A snapshot is what its name says, and a head may be anything.
            (Some(head), Some(named)) if head.world != named.world => named.world,
            (Some(head), _) if head.world != world => return Err(problem.into()),
            _ => world,
        };
        let keys = location.store.list(&location.key("journal")).await.map_err(Diagnostic::from)?;
        let fences: BTreeSet<u64> = keys.iter().filter_map(|key| fence_of(location, key)).collect();
        // A number that no run can have reached says nothing of how far runs have come.
        let fences: BTreeSet<u64> = fences.into_iter().filter(|fence| *fence < NO_NUMBER).collect();
        let first = named.as_ref().map_or(1, |named| named.fence);
        let far = head.as_ref().is_some_and(|head| is_far(head, first, &fences));
        let told = head.as_ref().filter(|_| !far).map_or(0, |head| head.fence);
        let last_fence = fences.last().copied().unwrap_or(0).max(told);
        let mut remains = Self {
            head: object.map(|object| (object.bytes, object.version)),
            world,
            base: None,
            fences,
            last_serial: head.as_ref().map_or(0, |head| head.serial),
            last_fence,
            findings: Vec::new(),
            sound: true,
            head_is_sound: true,
        };
        let place = location.shown(&location.key("head.json"));
        let state = match (&head, &named) {
            (None, _) if remains.head.is_some() => Some("can't be read"),
            (None, _) => Some("is missing"),
            _ if far => Some("says that there were more runs than there can have been"),
            (Some(head), _) if last_fence > head.fence => Some("is older than what was journalled"),
            (Some(head), Some(named)) if misfitting(head, named).is_some() => {
                Some("does not fit the snapshot that it names")
            }
            _ => None,
        };
        if let Some(state) = state {
            remains.findings.push(format!("`{place}` {state}"));
            (remains.sound, remains.head_is_sound) = (false, false);
        }
        // An old one names what was left behind.
        remains.snapshots(location, head.as_ref().filter(|head| last_fence <= head.fence)).await?;
        Ok(remains)
    }

    /// Finds the snapshot to go on from: the head's, or the newest one that is whole.
    async fn snapshots(&mut self, location: &Location, head: Option<&Head>) -> Result<()> {
        let world = self.world;
        let wanted = head.and_then(|head| head.snapshot.as_ref());
        let mut found = wanted.is_none();
        for key in location.store.list(&location.key("snapshots")).await.map_err(Diagnostic::from)? {
            let Some(object) = location.store.get(&key).await.map_err(Diagnostic::from)? else { continue };
            let (hash, place) = (Hash::of(&object.bytes), location.shown(&key));
            let named = key.ends_with(&format!("/{hash}.json"));
            let entry = match read_entry(&object.bytes, &place) {
                Ok(entry) if named => entry,
                _ => {
                    self.findings.push(format!("`{place}` is not what its name says"));
                    self.sound = false;
                    continue;
                }
            };
            if (&entry.project, &entry.stack, entry.world) != (&location.project, &location.stack, world) {
                let Entry { project, stack, world, .. } = entry;
                self.findings.push(format!("`{place}` is of `{project}/{stack}` in the {world} world"));
                self.sound = false;
                continue;
            }
            self.last_serial = self.last_serial.max(entry.serial);
            self.last_fence = self.last_fence.max(entry.fence);
            let is_wanted = wanted == Some(&hash);
            found |= is_wanted;
            // Of two with one number, a run that died before the head moved wrote the first.
            let age = |entry: &Entry| (entry.serial, entry.fence);
            let newer = self.base.as_ref().is_none_or(|(_, best)| age(best) < age(&entry));
            // A head that names its snapshot decides; without it, or without that snapshot, the newest does.
            if is_wanted || (newer && self.base.as_ref().is_none_or(|(best, _)| Some(best) != wanted)) {
                self.base = Some((hash, entry));
            }
        }
        if let (Some(wanted), false) = (wanted, found) {
            let place = location.shown(&snapshot_key(location, wanted));
            if !self.findings.iter().any(|finding| finding.contains(&place)) {
                self.findings.push(format!("`{place}` is missing"));
            }
            self.sound = false;
        }
        Ok(())
    }
}

/// What the snapshot that a head names says of itself; `None` where that is not whole.
async fn entry_of(location: &Location, head: &Head) -> Result<Option<Entry>, Diagnostic> {
    let Some(hash) = &head.snapshot else { return Ok(None) };
    let object = location.store.get(&snapshot_key(location, hash)).await?;
    let whole = object.filter(|object| Hash::of(&object.bytes) == *hash);
    Ok(whole.and_then(|object| read_entry(&object.bytes, "").ok()))
}

/// Plays what can be read of journals.
pub(super) struct Salvage<'a> {
    pub(super) location: &'a Location,
    pub(super) source: KeySource,
    pub(super) folded: Folded,
    pub(super) keys: Keys,
    pub(super) findings: Vec<String>,
    /// The version that the journal says it is of.
    pub(super) version: u32,
    pub(super) recovered: usize,
    pub(super) damaged: bool,
}

impl Salvage<'_> {
    pub(super) async fn journals(
        &mut self,
        fences: &BTreeSet<u64>,
        (first, part): (u64, u64),
    ) -> Result<(), Diagnostic> {
        for fence in fences.range(first..) {
            self.journal(*fence, if *fence == first { part } else { 0 }).await?;
        }
        if self.recovered > 0 {
            self.findings.push(format!("{} records of journals go on from there", self.recovered));
        }
        Ok(())
    }

    /// Plays one run's journal up to its first damage: what came after may rest on what is lost.
    async fn journal(&mut self, fence: u64, after: u64) -> Result<(), Diagnostic> {
        let folder = self.location.key(&format!("journal/{fence}"));
        let keys = self.location.store.list(&folder).await?;
        let parts = (after + 1..).take(keys.len());
        let mut seen = 0;
        for part in parts {
            let key = part_key(&folder, part);
            let Some(object) = self.location.store.get(&key).await? else { break };
            seen += 1;
            if let Err(why) = self.part(&object.bytes).await? {
                let place = self.location.shown(&key);
                self.findings.push(format!("`{place}` is damaged: {why}; what that run did there and later is lost"));
                self.damaged = true;
                return Ok(());
            }
        }
        for key in keys.iter().filter(|key| number(key).is_none()) {
            self.findings.push(format!("`{}` is no part of a journal; it stays", self.location.shown(key)));
        }
        let expected = keys.iter().filter(|key| number(key).is_some_and(|number| number > after)).count();
        if seen < expected {
            let place = self.location.shown(&folder);
            self.findings.push(format!("`{place}` lacks a part; what comes after it is lost"));
            self.damaged = true;
        }
        Ok(())
    }

    async fn part(&mut self, bytes: &[u8]) -> Result<Result<(), String>, Diagnostic> {
        let (whole, trouble) = match frames(bytes) {
            Ok(read) => (read.records, Ok(())),
            Err(why) => (before_damage(bytes), Err(why)),
        };
        for json in whole {
            let line = match record_format::read(json, self.version) {
                Ok(line) => line,
                Err(error) => return Ok(Err(error)),
            };
            match line {
                LineV4::Seal(_) => {}
                LineV4::Begin(begin) => {
                    self.version = begin.version;
                    if self.folded.snapshot.uuid.is_empty() {
                        self.folded.snapshot.uuid = begin.uuid;
                    }
                }
                LineV4::Keys(wire) => {
                    self.keys = Keys::open(&self.location.stack(), self.source.clone(), wire, Some(&self.keys)).await?;
                }
                line => {
                    if let Some(record) = line.into_record(&self.keys)? {
                        self.folded.apply(record);
                        self.recovered += 1;
                    }
                }
            }
        }
        Ok(trouble)
    }
}

fn number(key: &str) -> Option<u64> {
    key.rsplit('/').next()?.strip_suffix(".jsonl")?.parse().ok()
}
