//! A stack's outputs as another stack reads them: from its last snapshot, opening no more secrets than are asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Location, World,
    reading::{check_head, current_head, read_snapshot, refuse_orphans, snapshot_key},
    snapshot_format::{decode_exports, read_entry},
};
use crate::{Result, desired::Tree};

/// What a stack exports.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exports {
    /// The names of all its outputs.
    pub names: BTreeSet<String>,
    /// Those that were asked for.
    pub values: BTreeMap<String, Tree>,
}

/// The outputs of a stack as of its last snapshot; `None` when it has none.
///
/// # Errors
/// When its state is of the other world, damaged or newer, or a secret among the wanted ones can't be opened.
pub async fn exports(
    location: &Location,
    world: World,
    environment: &BTreeMap<String, String>,
    wanted: &BTreeSet<&str>,
) -> Result<Option<Exports>> {
    let Some(head) = current_head(location).await? else {
        refuse_orphans(location).await?;
        return Ok(None);
    };
    world.check(head.world, &location.stack())?;
    let Some(hash) = head.snapshot.clone() else { return Ok(None) };
    let bytes = read_snapshot(location, &hash).await?;
    check_head(location, &head, &read_entry(&bytes, &location.shown(&snapshot_key(location, &hash)))?)?;
    let place = location.shown(&snapshot_key(location, &hash));
    let stack = (location.project.as_str(), location.stack.as_str());
    Ok(Some(decode_exports(&bytes, &place, stack, location.key_source(environment), wanted).await?))
}
