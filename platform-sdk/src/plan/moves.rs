//! Moves: addresses that changed by `moved_from`, all at once, so that swaps and chains work.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    Result,
    desired::{Address, Desired, Node},
    report::{Diagnostic, Error},
    state::{Effect, ResourceState, Snapshot},
};

/// The snapshot with every moved object at its new address, and where each came from. A move that state has recorded is
/// over: `moved_from` may stay in the program, also where two resources have swapped their addresses. So is one from an
/// address at which something stands that came there, or was made there, by the same moves.
///
/// # Errors
/// When an old address is malformed or of another type, when two resources were moved from it, or when both the old and
/// the new address are in state.
pub fn moved<'s>(desired: &Desired, snapshot: &'s Snapshot) -> Result<(Cow<'s, Snapshot>, BTreeMap<Address, Address>)> {
    let mut origins: BTreeMap<&Address, Vec<Address>> = BTreeMap::new();
    let mut problems = Vec::new();
    for node in desired.nodes.values().filter(|node| !node.options.moved_from.is_empty()) {
        match possible_origins(desired, node, snapshot) {
            Ok(old) if old.is_empty() => {}
            Ok(old) => drop(origins.insert(&node.address, old)),
            Err(problem) => problems.push(problem.about(&node.address).at(&node.at)),
        }
    }
    let from = matched(origins);
    let mut to: BTreeMap<Address, Address> = BTreeMap::new();
    for (new, old) in &from {
        if let Some(other) = to.insert(old.clone(), new.clone()) {
            let text = format!("`{old}` was moved to `{other}` and to `{new}`");
            problems.push(Diagnostic::error(text).hint("take one of the two `moved_from` away").about(new));
        }
    }
    for (new, old) in &from {
        // A swap or a chain moves what stands at the new address away in the same breath.
        if snapshot.resources.contains_key(new) && !to.contains_key(new) {
            problems.push(
                Diagnostic::error(format!("`{new}` was moved from `{old}`, and both are in state"))
                    .hint("forget one of them with `state forget`, or take `moved_from` away")
                    .about(new),
            );
        }
    }
    if !problems.is_empty() {
        return Err(Error::all(problems));
    }
    let mut moved = with_moves(desired, snapshot, &to);
    if !moved.replacing.is_empty() {
        carry_over(desired, moved.to_mut());
    }
    Ok((moved, from))
}

/// What replacements have ended and not made again goes where the program has it now; what it has dropped is over.
pub fn carry_over(desired: &Desired, snapshot: &mut Snapshot) {
    let Snapshot { resources, replacing, .. } = snapshot;
    for (address, mut old) in std::mem::take(replacing) {
        let moved_from = |node: &&Node| {
            let names = &mut node.options.moved_from.iter();
            !resources.contains_key(&node.address)
                && names.any(|text| former(node, text).is_ok_and(|old| old == address))
        };
        if desired.nodes.contains_key(&address) {
            replacing.insert(address, old);
        } else if let Some(node) = desired.nodes.values().find(moved_from) {
            Arc::make_mut(&mut old).address.clone_from(&node.address);
            replacing.insert(node.address.clone(), old);
        }
    }
}

/// Where each resource came from. Of several addresses that it may have had, it had one that no other one came from.
fn matched(mut origins: BTreeMap<&Address, Vec<Address>>) -> BTreeMap<Address, Address> {
    let mut from: BTreeMap<Address, Address> = BTreeMap::new();
    while let Some((new, old)) =
        origins.iter().min_by_key(|(_, old)| old.len()).map(|(new, old)| (*new, old[0].clone()))
    {
        origins.remove(new);
        for others in origins.values_mut().filter(|others| others.len() > 1) {
            others.retain(|other| *other != old);
        }
        from.insert(new.clone(), old);
    }
    from
}

/// The addresses in state that a resource may have been moved from, as far as that has not been applied yet.
fn possible_origins(desired: &Desired, node: &Node, snapshot: &Snapshot) -> Result<Vec<Address>, Diagnostic> {
    let applied = snapshot.resources.get(&node.address).map(|state| &state.options.moved_from);
    let mut origins = Vec::new();
    for text in &node.options.moved_from {
        let old = former(node, text)?;
        if old.type_name() != node.address.type_name() {
            let problem = Diagnostic::error(format!("`{}` can't have moved from `{old}`", node.address));
            return Err(problem.detail("they are of different types").hint("take `moved_from` away"));
        }
        let over = applied.is_some_and(|applied| applied.contains(text));
        if over || old == node.address || origins.contains(&old) {
            continue;
        }
        if snapshot.resources.get(&old).is_some_and(|state| !has_come(desired, state)) {
            origins.push(old);
        }
    }
    Ok(origins)
}

/// Whether what stands at an address is what the program declares there, after all moves that the program tells of.
fn has_come(desired: &Desired, state: &ResourceState) -> bool {
    let told = desired.nodes.get(&state.address).map(|node| &node.options.moved_from);
    told.is_some_and(|told| !told.is_empty() && told.iter().all(|from| state.options.moved_from.contains(from)))
}

/// The address that a `moved_from` names; under its type's name of today, where it says a former one.
fn former(node: &Node, text: &str) -> Result<Address, Diagnostic> {
    let whole = if text.contains("::") { text.to_owned() } else { format!("{}::{text}", node.address.type_name()) };
    let old: Address = whole.parse()?;
    if node.schema.formerly.contains(&old.type_name()) {
        return Address::new(node.schema.type_name, old.path());
    }
    Ok(old)
}

/// An address, with every one that moves lead to from it, and from which they lead to it.
pub fn entangled(desired: &Desired, with: &Address) -> BTreeSet<Address> {
    let mut all = BTreeSet::from([with.clone()]);
    let moving = || desired.nodes.values().filter(|node| !node.options.moved_from.is_empty());
    loop {
        let known = all.len();
        for node in moving() {
            let names = node.options.moved_from.iter().filter_map(|text| former(node, text).ok());
            let names: BTreeSet<Address> = names.chain([node.address.clone()]).collect();
            if !names.is_disjoint(&all) {
                all.extend(names);
            }
        }
        if all.len() == known {
            return all;
        }
    }
}

/// A program that leaves what stands at these addresses where it is.
pub fn unmoved<T>(desired: &Desired, standing: &BTreeMap<Address, T>) -> Desired {
    // It is the same program: it keeps its hash.
    desired.hash();
    let mut desired = desired.clone();
    for node in desired.nodes.values_mut().filter(|node| standing.contains_key(&node.address)) {
        Arc::make_mut(&mut node.options).moved_from.clear();
    }
    desired
}

/// What giving addresses other names, each to another place that is free, does to state.
pub fn readdressing(before: &Snapshot, names: &BTreeMap<Address, Address>) -> Vec<Effect> {
    if names.is_empty() {
        return Vec::new();
    }
    let after = before.clone().readdressed(names);
    let mut steps: Vec<Effect> = before.replacing.keys().map(|old| Effect::Remove(old.clone())).collect();
    steps.extend(effects(before, &after, &names.iter().map(|(old, new)| (new.clone(), old.clone())).collect()));
    steps.extend(after.replacing.values().map(|old| Effect::End(Arc::clone(old))));
    steps
}

/// What moving does to state: the old addresses are left, then everything that names one is written again.
pub(super) fn effects(before: &Snapshot, moved: &Snapshot, from: &BTreeMap<Address, Address>) -> Vec<Effect> {
    let mut effects: Vec<Effect> = from.values().map(|old| Effect::Remove(old.clone())).collect();
    let left = before.pending_deletes.iter().zip(&moved.pending_deletes).filter(|(was, is)| was != is);
    for (was, is) in left {
        effects.push(Effect::Deleted(was.address.clone(), was.id.clone()));
        effects.extend([Effect::put(Arc::clone(is)), Effect::Retire(is.address.clone())]);
    }
    let through = |address: &Address| effects.iter().any(|effect| matches!(effect, Effect::Retire(a) if a == address));
    let changed = moved
        .resources
        .values()
        .filter(|state| through(&state.address) || before.resources.get(&state.address) != Some(state));
    let changed: Vec<Effect> = changed.map(|state| Effect::put(Arc::clone(state))).collect();
    effects.extend(changed);
    effects
}

/// What giving an address another name does to state: all that stands there, awaits its deletion or is to be made again
/// there, and everything that names it.
pub fn renamed(snapshot: &Snapshot, from: &Address, to: &Address) -> Vec<Effect> {
    let names = BTreeMap::from([(from.clone(), to.clone())]);
    let new = |old: &Arc<ResourceState>| {
        let mut new = ResourceState::clone(old);
        new.readdress(&names);
        new
    };
    let mut effects = Vec::new();
    if snapshot.resources.contains_key(from) {
        effects.push(Effect::Move(from.clone(), to.clone()));
    }
    if snapshot.replacing.contains_key(from) {
        effects.push(Effect::Remove(from.clone()));
    }
    // What awaits its deletion takes its new name through the place of what is there, which is put back after it.
    let mut through = BTreeSet::new();
    for (was, is) in snapshot.pending_deletes.iter().map(|old| (old, new(old))).filter(|(was, is)| ***was != *is) {
        through.insert(is.address.clone());
        effects.push(Effect::Deleted(was.address.clone(), was.id.clone()));
        effects.extend([Effect::Put(is.clone().into()), Effect::Retire(is.address)]);
    }
    let changed = |was: &Arc<ResourceState>, is: &ResourceState| {
        let moved = ResourceState { address: is.address.clone(), ..ResourceState::clone(was) };
        moved != *is || through.contains(&is.address)
    };
    let live = snapshot.resources.values().map(|was| (was, new(was))).filter(|(was, is)| changed(was, is));
    effects.extend(live.map(|(_, is)| Effect::put(is)));
    let gone = snapshot.replacing.values().map(|was| (was, new(was)));
    let gone = gone.filter(|(was, is)| ***was != *is || through.contains(&is.address));
    effects.extend(gone.map(|(_, is)| Effect::End(is.into())));
    effects
}

fn with_moves<'s>(desired: &Desired, snapshot: &'s Snapshot, to: &BTreeMap<Address, Address>) -> Cow<'s, Snapshot> {
    if to.is_empty() {
        return Cow::Borrowed(snapshot);
    }
    let mut moved = snapshot.clone();
    moved.pending_deletes.iter_mut().for_each(|old| Arc::make_mut(old).readdress(to));
    moved.resources = std::mem::take(&mut moved.resources)
        .into_values()
        .map(|mut shared| {
            let state = Arc::make_mut(&mut shared);
            let is_new = to.contains_key(&state.address);
            state.readdress(to);
            if let Some(node) = desired.nodes.get(&state.address).filter(|_| is_new) {
                Arc::make_mut(&mut state.options).moved_from.clone_from(&node.options.moved_from);
            }
            (shared.address.clone(), shared)
        })
        .collect();
    Cow::Owned(moved)
}
