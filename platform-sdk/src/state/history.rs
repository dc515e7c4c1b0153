//! A stack's history: the chain of its snapshots, newest first.

use std::collections::BTreeMap;

use super::{
    Entry, Keys, Location, Snapshot,
    prune::{self, pruned},
    reading::{check_head, current_head, read_snapshot, records_after, refuse_orphans, snapshot_key},
    snapshot_format::{decode, decode_keys, read_entry},
};
use crate::{Result, desired::Hash, report::Diagnostic};

/// A stack's history, as far back as it can be read.
#[derive(Debug, Default)]
pub struct History {
    /// The snapshots that are kept, newest first, each with its hash.
    pub kept: Vec<(Hash, Entry)>,
    /// Why it can't be read any further back, where it should go on.
    pub broken: Option<Diagnostic>,
}

/// A stack's snapshots.
///
/// # Errors
/// When the head or its snapshot is missing or damaged.
pub async fn history(location: &Location) -> Result<History> {
    Ok(walk(location, |_| false).await?.0)
}

/// The chain from the head back to the first snapshot that is looked for, or to the oldest that is kept; with the bytes
/// of the one that it ends at.
async fn walk(location: &Location, found: impl Fn(&Entry) -> bool) -> Result<(History, Vec<u8>)> {
    let (mut history, mut last) = (History::default(), Vec::new());
    let Some(head) = current_head(location).await? else {
        refuse_orphans(location).await?;
        return Ok((history, last));
    };
    let pruned = pruned(location).await?;
    prune::check(location, pruned.as_ref(), head.serial)?;
    let mut next = head.snapshot.clone();
    while let Some(hash) = next.take() {
        let bytes = match read_snapshot(location, &hash).await {
            Ok(bytes) => bytes,
            Err(problem) if history.kept.is_empty() => return Err(problem.into()),
            Err(problem) => {
                history.broken = Some(problem.hint(broken_hint(history.kept.len())));
                break;
            }
        };
        let entry = read_entry(&bytes, &location.shown(&snapshot_key(location, &hash)))?;
        if history.kept.is_empty() {
            check_head(location, &head, &entry)?;
        }
        if !prune::ends_at(pruned.as_ref(), &entry) && !found(&entry) {
            next.clone_from(&entry.parent);
        }
        history.kept.push((hash, entry));
        last = bytes;
    }
    Ok((history, last))
}

fn broken_hint(kept: usize) -> String {
    format!(
        "restore it from a copy; no run needs it, only `rollback` and `--at` to it or to what is before it; `state prune \
         --keep {kept}` lets the history begin after it"
    )
}

/// The kept snapshot with this number, or the last one, with its bytes.
async fn find(location: &Location, serial: Option<u64>) -> Result<(Hash, Vec<u8>)> {
    let wanted = |entry: &Entry| serial.is_none_or(|serial| entry.serial == serial);
    let (History { kept: chain, broken }, bytes) = walk(location, wanted).await?;
    if let Some(problem) = broken {
        return Err(problem.into());
    }
    let last = chain.first().map_or(0, |(_, entry)| entry.serial);
    match (chain.into_iter().next_back(), serial) {
        (Some((hash, entry)), _) if wanted(&entry) => Ok((hash, bytes)),
        (Some((_, oldest)), Some(serial)) => {
            Err(Diagnostic::error(format!("stack `{}` has no serial {serial}", location.stack()))
                .detail(format!("the oldest one is {}, the last one {last}", oldest.serial))
                .hint("`history` lists them")
                .into())
        }
        _ => Err(Diagnostic::error(format!("stack `{}` has no snapshot yet", location.stack()))
            .hint("`up` writes the first one")
            .into()),
    }
}

/// The snapshot with this number.
///
/// # Errors
/// When there is none, it is damaged, or its secrets can't be opened.
pub async fn snapshot_at(
    location: &Location,
    serial: u64,
    environment: &BTreeMap<String, String>,
) -> Result<(Snapshot, Keys)> {
    let (hash, bytes) = find(location, Some(serial)).await?;
    let place = location.shown(&snapshot_key(location, &hash));
    let stack = (location.project.as_str(), location.stack.as_str());
    // Today's keys open what was written before, whatever it was wrapped with then.
    let (last, newest) = find(location, None).await?;
    let today =
        decode_keys(&newest, &location.shown(&snapshot_key(location, &last)), stack, location.key_source(environment))
            .await?;
    let loaded = decode(&bytes, &place, stack, location.key_source(environment), Some(&today)).await?;
    Ok((loaded.snapshot, loaded.keys))
}

/// How many records of a run that was interrupted, or is in progress, no snapshot has yet.
///
/// # Errors
/// When they can't be read.
pub async fn unfolded(location: &Location) -> Result<usize> {
    let Some(head) = current_head(location).await? else { return Ok(0) };
    let after = match &head.snapshot {
        Some(hash) => {
            let place = location.shown(&snapshot_key(location, hash));
            let entry = read_entry(&read_snapshot(location, hash).await?, &place)?;
            (entry.fence, entry.part)
        }
        None => (1, 0),
    };
    Ok(records_after(location, &head, after).await?)
}

/// A snapshot's file as it stands, secrets sealed: the last one, or that with a number.
///
/// # Errors
/// When there is none, or it is damaged.
pub async fn export(location: &Location, serial: Option<u64>) -> Result<String> {
    let (_, bytes) = find(location, serial).await?;
    Ok(String::from_utf8(bytes)?)
}
