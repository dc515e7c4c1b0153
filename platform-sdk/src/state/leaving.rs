//! Leaving a state: for the new name of a project, which brings it along, or for good.
//!
//! What is left says so in its head first. A process that dies later has left something that goes on from there.

use std::collections::BTreeMap;

use super::{Commit, Holder, Lease, Left, Location, World, lease::hold, lease::lease, stacks::left};
use crate::{Result, report::Diagnostic};

/// Makes the state of a stack that of the same stack of a project of another name. Both leases are held meanwhile. `None`
/// when another run has done it before.
///
/// # Errors
/// When the other stack has a state of its own, or something can't be written: the next try goes on from there.
pub async fn bring_along(from: &Lease, to: &Lease, project: &str, stack: &str) -> Result<Option<Commit>> {
    let theirs = from.reading();
    let moved = Left::MovedTo(project.to_owned());
    if to.reading().base.is_some() {
        return Ok(None);
    }
    let name = format!("{project}/{stack}");
    // Before anything is left: there may be no key to wrap theirs with.
    let keys = theirs.keys.in_stack(&name).await?;
    from.journal().leave(moved).await?;
    let keys = keys.unwrap_or_else(|| to.reading().keys.clone());
    Ok(Some(to.journal().commit_anew(&theirs.snapshot, &theirs.open, &keys).await?))
}

/// Removes a stack's state for good, where it owns nothing. Says how many objects there were.
///
/// # Errors
/// When it owns something, somebody uses it, or it can't be read or removed.
pub async fn remove(
    location: &Location,
    world: World,
    environment: &BTreeMap<String, String>,
    who: &Holder,
) -> Result<usize> {
    if left(location).await.map_err(Diagnostic::from)?.is_some() {
        let guard = hold(location, who, &who.now()).await?;
        let cleared = clear(location).await;
        guard.release().await;
        return Ok(cleared?);
    }
    let lease = lease(location, world, environment, who).await?;
    let removed = async {
        unused(&lease, location)?;
        lease.journal().leave(Left::Removed).await?;
        clear(location).await
    };
    let removed = removed.await;
    let released = lease.release().await;
    let count = removed?;
    released.map(|()| count)
}

fn unused(lease: &Lease, location: &Location) -> Result<(), Diagnostic> {
    let reading = lease.reading();
    let owned = reading.snapshot.all().count();
    let problem = Diagnostic::error(format!("stack `{}` is in use: it can't be removed", location.stack()));
    if owned > 0 {
        return Err(problem
            .detail(format!("it still owns {}, which would be nobody's", count(owned)))
            .hint("`destroy` deletes them, `state forget` leaves one as it is"));
    }
    if !reading.open.is_empty() {
        let detail = "a run was interrupted, and nobody knows yet what became of what it asked";
        return Err(problem.detail(detail).hint("`state repair` or `up` finds out"));
    }
    Ok(())
}

fn count(owned: usize) -> String {
    if owned == 1 { "1 resource".to_owned() } else { format!("{owned} resources") }
}

/// Removes every object of a state that was left, the head last: until then it says so.
async fn clear(location: &Location) -> Result<usize, Diagnostic> {
    let (head, lease) = (location.key("head.json"), location.key("lease.json"));
    let keys = location.store.list(&location.stack()).await?;
    let others: Vec<_> = keys.iter().filter(|key| **key != head && **key != lease).collect();
    for key in &others {
        location.store.delete(key).await?;
    }
    location.store.delete(&head).await?;
    Ok(others.len() + 1)
}
