//! Which stacks there are in a store, and in which of them there is nothing more to do.

use std::collections::BTreeSet;

use super::{
    Left, Location, Store, StoreResult,
    head::Head,
    reading::{current_head, read_snapshot, records_after, snapshot_key},
    snapshot_format::decode_addresses,
};
use crate::{Result, desired::Address};

/// The stacks of a project of which the store holds anything but the lock of a run, also what is damaged, and also what
/// was left.
///
/// # Errors
/// Those of the store.
pub async fn stacks(store: &dyn Store, project: &str) -> StoreResult<BTreeSet<String>> {
    let mut stacks = BTreeSet::new();
    for stack in store.folders(project).await? {
        let lease = format!("{project}/{stack}/lease.json");
        if store.list(&format!("{project}/{stack}")).await?.iter().any(|key| *key != lease) {
            stacks.insert(stack);
        }
    }
    Ok(stacks)
}

/// The projects of which the store holds anything.
///
/// # Errors
/// Those of the store.
pub async fn projects(store: &dyn Store) -> StoreResult<BTreeSet<String>> {
    let mut projects = BTreeSet::new();
    for project in store.folders("").await?.into_iter().filter(|name| !super::location::is_reserved(name)) {
        if !store.folders(&project).await?.is_empty() {
            projects.insert(project);
        }
    }
    Ok(projects)
}

/// What a stack owned as of its last snapshot.
///
/// # Errors
/// When that can't be read.
pub async fn addresses(location: &Location) -> Result<BTreeSet<Address>> {
    let head = current_head(location).await?;
    let Some(hash) = head.and_then(|head| head.snapshot) else { return Ok(BTreeSet::new()) };
    let bytes = read_snapshot(location, &hash).await?;
    let place = location.shown(&snapshot_key(location, &hash));
    Ok(decode_addresses(&bytes, &place, (&location.project, &location.stack))?)
}

/// Why a state was left, as far as its head can be read.
pub(super) async fn left(location: &Location) -> StoreResult<Option<Left>> {
    let object = location.store.get(&location.key("head.json")).await?;
    Ok(object.and_then(|object| Head::parse(&object.bytes, "").ok()?.left))
}

/// What a store holds of one stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holding {
    /// Nothing that anybody could miss: no object, or what a run left that began and did nothing.
    Nothing,
    /// Its state, be it damaged.
    State,
    /// What it was when it was left.
    Husk(Left),
}

/// What the store holds of a stack.
///
/// # Errors
/// Those of the store.
pub async fn holding(location: &Location) -> Result<Holding> {
    let failed = crate::report::Diagnostic::from;
    let Some(object) = location.store.get(&location.key("head.json")).await.map_err(failed)? else {
        let lease = location.key("lease.json");
        let keys = location.store.list(&location.stack()).await.map_err(failed)?;
        return Ok(if keys.iter().any(|key| *key != lease) { Holding::State } else { Holding::Nothing });
    };
    let Ok(head) = Head::parse(&object.bytes, "") else { return Ok(Holding::State) };
    if head.snapshot.is_none() && head.left.is_none() {
        let silent = records_after(location, &head, (1, 0)).await.is_ok_and(|records| records == 0);
        return Ok(if silent { Holding::Nothing } else { Holding::State });
    }
    Ok(head.left.map_or(Holding::State, Holding::Husk))
}
