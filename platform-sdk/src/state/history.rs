//! A stack's history: the chain of its snapshots, newest first.

use std::collections::BTreeMap;

use super::{
    Entry, Location, Snapshot,
    key_wrap::KeySource,
    reading::{read_head, read_snapshot, snapshot_key},
    snapshot_format::{decode, read_entry},
};
use crate::{Result, desired::Hash, report::Diagnostic};

/// All snapshots of a stack, newest first, each with its hash.
///
/// # Errors
/// When one is missing or damaged.
pub async fn history(location: &Location) -> Result<Vec<(Hash, Entry)>> {
    let mut chain = Vec::new();
    let mut next = read_head(location).await?.and_then(|(head, _)| head.snapshot);
    while let Some(hash) = next.take() {
        let bytes = read_snapshot(location, &hash).await?;
        let entry = read_entry(&bytes, &location.shown(&snapshot_key(location, &hash)))?;
        next.clone_from(&entry.parent);
        chain.push((hash, entry));
    }
    Ok(chain)
}

/// The snapshot with this number.
///
/// # Errors
/// When there is none, it is damaged, or its secrets can't be opened.
pub async fn snapshot_at(
    location: &Location,
    serial: u64,
    environment: &BTreeMap<String, String>,
) -> Result<(Hash, Snapshot)> {
    let chain = history(location).await?;
    let last = chain.first().map_or(0, |(_, entry)| entry.serial);
    let Some((hash, _)) = chain.into_iter().find(|(_, entry)| entry.serial == serial) else {
        let problem = Diagnostic::error(format!("stack `{}` has no serial {serial}", location.stack()))
            .detail(format!("its last one is {last}"))
            .hint("`history` lists them");
        return Err(problem.into());
    };
    let bytes = read_snapshot(location, &hash).await?;
    let place = location.shown(&snapshot_key(location, &hash));
    let source = KeySource::new(location.store.clone(), environment);
    let loaded = decode(&bytes, &place, (&location.project, &location.stack), source).await?;
    Ok((hash, loaded.snapshot))
}
