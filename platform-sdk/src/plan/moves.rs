//! Moves: addresses that changed by `moved_from`, all at once, so that swaps and chains work.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    Result,
    desired::{Address, Desired},
    report::{Diagnostic, Error},
    state::Snapshot,
};

/// The snapshot with every moved object at its new address, and where each came from.
///
/// # Errors
/// When an old address is malformed, or both the old and the new address are in state.
pub fn moved(desired: &Desired, snapshot: &Snapshot) -> Result<(Snapshot, BTreeMap<Address, Address>)> {
    let mut from = BTreeMap::new();
    let mut problems = Vec::new();
    for node in desired.nodes.values() {
        for old in &node.options.moved_from {
            let text = if old.contains("::") { old.clone() } else { format!("{}::{old}", node.address.type_name()) };
            match text.parse::<Address>() {
                Err(problem) => problems.push(problem.about(&node.address).at(&node.at)),
                Ok(old) if old != node.address && snapshot.resources.contains_key(&old) => {
                    from.entry(node.address.clone()).or_insert(old);
                }
                Ok(_) => {}
            }
        }
    }
    // A swap or a chain moves what stands at the new address away in the same breath.
    let leaving: BTreeSet<&Address> = from.values().collect();
    for (to, old) in &from {
        if snapshot.resources.contains_key(to) && !leaving.contains(to) {
            problems.push(
                Diagnostic::error(format!("`{to}` was moved from `{old}`, and both are in state"))
                    .hint("forget one of them with `state forget`, or take `moved_from` away")
                    .about(to),
            );
        }
    }
    if !problems.is_empty() {
        return Err(Error::all(problems));
    }
    Ok((with_moves(snapshot, &from), from))
}

fn with_moves(snapshot: &Snapshot, from: &BTreeMap<Address, Address>) -> Snapshot {
    if from.is_empty() {
        return snapshot.clone();
    }
    let to: BTreeMap<&Address, &Address> = from.iter().map(|(to, old)| (old, to)).collect();
    let renamed = |address: &Address| to.get(address).map_or_else(|| address.clone(), |to| (*to).clone());
    let mut moved = snapshot.clone();
    moved.resources = snapshot
        .resources
        .values()
        .map(|state| {
            let mut state = (**state).clone();
            state.address = renamed(&state.address);
            state.dependencies = state.dependencies.iter().map(renamed).collect();
            state.parents = state.parents.iter().map(renamed).collect();
            state.provider.of = state.provider.of.iter().map(renamed).collect();
            state.options.deleted_with = state.options.deleted_with.as_ref().map(renamed);
            for reference in state.references.values_mut() {
                reference.to = renamed(&reference.to);
            }
            (state.address.clone(), Arc::new(state))
        })
        .collect();
    moved
}
