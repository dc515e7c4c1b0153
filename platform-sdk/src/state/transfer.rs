//! Taking a state in that `state export` has written.

use std::collections::BTreeMap;

use super::{
    Commit, Entry, Keys, Lease, Location, OpenIntent, Record, Snapshot,
    head::FORMAT_VERSION,
    reading::snapshot_key,
    snapshot_format::{decode, entry_version, read_entry},
};
use crate::{Result, desired::Hash, report::Diagnostic};

/// A state as it was exported.
#[derive(Debug)]
pub struct Exported {
    /// What it says of itself.
    pub entry: Entry,
    /// What the stack owned.
    pub snapshot: Snapshot,
    /// The file is as a snapshot of the stack's history was written; `None` where there is no history to compare it with.
    pub as_written: Option<bool>,
    open: Vec<OpenIntent>,
    keys: Keys,
}

/// Reads an exported state of this stack.
///
/// # Errors
/// When it is none, is of another stack or a newer version, or its secrets can't be opened.
pub async fn exported(
    location: &Location,
    text: &str,
    name: &str,
    environment: &BTreeMap<String, String>,
) -> Result<Exported> {
    let bytes = text.trim().as_bytes();
    // Nothing of it came from the store, so the store's remedies don't help.
    let wrong = "give a file that `state export` wrote for this stack";
    let newer = entry_version(bytes).is_some_and(|version| version > FORMAT_VERSION.into());
    let entry = read_entry(bytes, name).map_err(|problem| if newer { problem } else { problem.hint(wrong) })?;
    if (&entry.project, &entry.stack) != (&location.project, &location.stack) {
        let problem = Diagnostic::error(format!("`{name}` is the state of `{}/{}`", entry.project, entry.stack));
        let hint = if entry.stack == location.stack {
            format!("{wrong}; a program whose project was renamed says `.formerly(\"{}\")`", entry.project)
        } else {
            wrong.to_owned()
        };
        return Err(problem.detail(format!("it would become that of `{}`", location.stack())).hint(hint).into());
    }
    let source = location.key_source(environment);
    let loaded = decode(bytes, name, (&location.project, &location.stack), source, None).await?;
    let super::snapshot_format::Loaded { entry, snapshot, open, keys } = loaded;
    let as_written = as_written(location, bytes).await?;
    Ok(Exported { entry, snapshot, as_written, open, keys })
}

/// A snapshot's name is its hash, and an export is the snapshot itself.
async fn as_written(location: &Location, bytes: &[u8]) -> Result<Option<bool>, Diagnostic> {
    let kept = location.store.list(&location.key("snapshots")).await?;
    let name = snapshot_key(location, &Hash::of(bytes));
    Ok((!kept.is_empty()).then(|| kept.contains(&name)))
}

/// Makes an exported state the stack's own, as its next snapshot.
///
/// # Errors
/// When the lease's state is of another stack of the same name, or it can't be written.
pub async fn take_in(lease: &mut Lease, exported: Exported) -> Result<Commit> {
    let Exported { snapshot, open, keys: theirs, entry, .. } = exported;
    let reading = lease.reading();
    let owns = !reading.snapshot.resources.is_empty() || !reading.snapshot.pending_deletes.is_empty();
    if owns && reading.snapshot.uuid != snapshot.uuid {
        let problem = Diagnostic::error(format!("the exported state is of another stack called `{}`", entry.stack))
            .detail(format!(
                "its id is {}, and that of the stack here, which owns {} resources, is {}",
                snapshot.uuid,
                reading.snapshot.resources.len(),
                reading.snapshot.uuid
            ))
            .hint("choose another place with `--state`, or `state forget` what this stack owns first");
        return Err(problem.into());
    }
    let ours = reading.keys.clone();
    let known: Vec<String> = reading.open.iter().map(|open| open.intent.id.clone()).collect();
    ours.adopt(&theirs);
    for OpenIntent { intent, created } in open.into_iter().filter(|open| !known.contains(&open.intent.id)) {
        let id = intent.id.clone();
        lease.journal().append(Record::Intent(Box::new(intent))).await?;
        if let Some(made) = created {
            lease.journal().append(Record::Created { intent: id, id: made }).await?;
        }
    }
    lease.commit(&snapshot).await
}
