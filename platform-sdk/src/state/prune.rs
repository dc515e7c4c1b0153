//! Pruning: old snapshots and journals are removed, on request only, and the history says where it begins since.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Condition, Entry, Holder, Lease, Location, damage,
    head::{FORMAT_VERSION, newer, parse},
    history::{History, history},
    reading::snapshot_key,
    snapshot_format::read_entry,
};
use crate::{Result, desired::Hash, report::Diagnostic};

/// `pruned.json`: from which serial on the history is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pruned {
    at: String,
    by: String,
    /// The oldest serial that is kept.
    pub(super) first: u64,
    version: u32,
}

/// What pruning would remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prunable {
    /// The oldest serial that is kept.
    pub first: u64,
    /// The serials that go, oldest first, with the keys of their snapshots.
    pub snapshots: BTreeMap<u64, Vec<String>>,
    /// The keys of the journals that only these snapshots needed.
    pub journals: Vec<String>,
    /// The history can't be read any further back than this: that it begins here makes it whole.
    pub mends: bool,
}

impl Prunable {
    /// Whether there is nothing to remove.
    pub fn is_empty(&self) -> bool {
        self.snapshots.is_empty() && self.journals.is_empty() && !self.mends
    }
}

/// Where the history of a stack begins since it was pruned; `None` where it never was.
pub(super) async fn pruned(location: &Location) -> Result<Option<Pruned>, Diagnostic> {
    let key = location.key("pruned.json");
    let Some(object) = location.store.get(&key).await? else { return Ok(None) };
    let place = location.shown(&key);
    let pruned: Pruned = parse(&object.bytes, &place, "the mark of a pruned history")?;
    match pruned.version {
        later if later > FORMAT_VERSION => Err(newer(&place, later.into())),
        _ => Ok(Some(pruned)),
    }
}

/// What is older than the newest `keep` snapshots. The one that the stack is at always stays.
///
/// # Errors
/// When the history can't be read that far back.
pub async fn prunable(location: &Location, keep: usize) -> Result<Prunable> {
    let History { kept: chain, broken } = history(location).await?;
    let mends = broken.is_some();
    if let Some(problem) = broken.filter(|_| chain.len() < keep) {
        return Err(problem.into());
    }
    let nothing = || Prunable { first: 0, snapshots: BTreeMap::new(), journals: Vec::new(), mends: false };
    let Some((_, oldest)) = chain.get(keep.max(1) - 1).or(chain.last()) else { return Ok(nothing()) };
    let kept: Vec<String> = chain.iter().take(keep.max(1)).map(|(hash, _)| snapshot_key(location, hash)).collect();
    let mut snapshots: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for key in location.store.list(&location.key("snapshots")).await.map_err(Diagnostic::from)? {
        if kept.contains(&key) {
            continue;
        }
        // What can't be read is evidence, and not ours to remove.
        if let Some(entry) = intact(location, &key).await?
            && entry.serial < oldest.serial
        {
            snapshots.entry(entry.serial).or_default().push(key);
        }
    }
    let mut journals = location.store.list(&location.key("journal")).await.map_err(Diagnostic::from)?;
    journals.retain(|key| fence_of(location, key).is_some_and(|fence| fence < oldest.fence));
    Ok(Prunable { first: oldest.serial, snapshots, journals, mends })
}

/// Removes it. The mark is written first: a history that ends early is never mistaken for a damaged one.
///
/// # Errors
/// When something can't be written or removed; running it again goes on.
pub async fn prune(_under: &Lease, location: &Location, prunable: &Prunable, who: &Holder) -> Result<()> {
    let key = location.key("pruned.json");
    let before = location.store.get(&key).await.map_err(Diagnostic::from)?;
    let condition = before.map_or(Condition::Absent, |object| Condition::Version(object.version));
    let mark = Pruned { at: who.now(), by: who.name.clone(), first: prunable.first, version: FORMAT_VERSION };
    let mut bytes = serde_json::to_vec_pretty(&mark)?;
    bytes.push(b'\n');
    location.store.put(&key, bytes.into(), condition).await.map_err(Diagnostic::from)?;
    for key in prunable.snapshots.values().flatten().chain(&prunable.journals) {
        location.store.delete(key).await.map_err(Diagnostic::from)?;
    }
    Ok(())
}

/// What an undamaged snapshot says of itself.
async fn intact(location: &Location, key: &str) -> Result<Option<Entry>, Diagnostic> {
    let Some(object) = location.store.get(key).await? else { return Ok(None) };
    let named = key.ends_with(&format!("/{}.json", Hash::of(&object.bytes)));
    Ok(read_entry(&object.bytes, key).ok().filter(|_| named))
}

/// The run that a part of a journal is of.
pub(super) fn fence_of(location: &Location, key: &str) -> Option<u64> {
    let folder = location.key("journal");
    key.strip_prefix(&folder)?.strip_prefix('/')?.split('/').next()?.parse().ok()
}

/// A snapshot that should be older than everything and is not there.
pub(super) fn ends_at(pruned: Option<&Pruned>, entry: &Entry) -> bool {
    pruned.is_some_and(|pruned| entry.serial <= pruned.first)
}

/// The mark speaks of a later history than there is: it is not this stack's.
pub(super) fn check(location: &Location, pruned: Option<&Pruned>, last: u64) -> Result<(), Diagnostic> {
    match pruned {
        Some(pruned) if pruned.first > last => {
            Err(damage(&location.shown(&location.key("pruned.json")), "it is of a later history than the head"))
        }
        _ => Ok(()),
    }
}
