//! What waits: what can't be read, or of which it is not known what became of an interrupted step, with whatever hangs on it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Decisions, Op,
    decide::{Decision, Sources},
    ordering::{givers, taken_key},
    target::{end_alone, left_alone},
};
use crate::{desired::Address, report::Diagnostic, state::ResourceState};

/// What was held back.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) addresses: BTreeSet<Address>,
    /// What would have to end unseen.
    pub(super) problems: Vec<Diagnostic>,
}

/// Lets wait what can't be read, what depends on it, what it needs as long as it may be there, and who wants a key that
/// something which waits would give up; and nothing else.
pub(super) fn hold_back(sources: Sources<'_>, pending: &mut BTreeSet<usize>, decisions: &mut Decisions) -> Held {
    let observed = sources.observed;
    if observed.unreadable.is_empty() {
        return Held::default();
    }
    let ends = |address: &Address| decisions.get(address).is_some_and(Decision::ends_object);
    // What is asked to end and can't be seen is refused; what may be ending already only waits.
    // What lies behind a provider that can't be reached waits, and the others end.
    let waits = |address: &Address| observed.unsettled.contains_key(address) || observed.unreached.contains(address);
    let unseen = observed.unreadable.iter().filter(|(address, _)| !waits(address));
    let problems = unseen.filter(|(address, _)| ends(address)).map(|(_, problem)| problem.clone()).collect();
    let Waiting { held, left, .. } = Waiting::of(sources, pending, decisions);
    pending.retain(|index| !left.contains(index));
    let is_held = |address: &Address, _: &Decision| held.contains(address);
    decisions.change(is_held, |address, decision| {
        *decision = left_alone(sources, address, decision);
        if waits(address) {
            decision.op = Op::Keep;
        }
    });
    // A newcomer that is held back is not there at all.
    decisions.retain(|address| !held.contains(address) || sources.snapshot.resources.contains_key(address));
    end_alone(decisions, |address| held.contains(address));
    Held { addresses: held, problems }
}

/// Finds what waits, from one to the next.
struct Waiting<'a> {
    sources: Sources<'a>,
    decisions: &'a Decisions,
    pending: &'a BTreeSet<usize>,
    /// What is to be made of what.
    dependents: BTreeMap<&'a Address, Vec<&'a Address>>,
    /// Who takes the key that each gives up.
    takers: BTreeMap<&'a Address, Vec<&'a Address>>,
    held: BTreeSet<Address>,
    /// The places of the pending deletes that wait.
    left: BTreeSet<usize>,
    next: Vec<Address>,
}

impl<'a> Waiting<'a> {
    fn of(sources: Sources<'a>, pending: &'a BTreeSet<usize>, decisions: &'a Decisions) -> Self {
        let mut dependents: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for node in sources.desired.nodes.values() {
            node.dependencies.iter().for_each(|needed| dependents.entry(needed).or_default().push(&node.address));
        }
        let givers = givers(sources, decisions);
        let mut takers: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (address, decision) in decisions.iter() {
            if let Some(giver) = taken_key(sources, address, decision).and_then(|key| givers.get(&key)) {
                takers.entry(*giver).or_default().push(address);
            }
        }
        let (held, left, next) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        let mut all = Self { sources, decisions, pending, dependents, takers, held, left, next };
        sources.observed.unreadable.keys().for_each(|address| all.hold(address));
        while let Some(address) = all.next.pop() {
            all.follow(&address);
        }
        all
    }

    fn hold(&mut self, address: &Address) {
        if self.held.insert(address.clone()) {
            self.next.push(address.clone());
        }
    }

    fn follow(&mut self, address: &Address) {
        let Sources { snapshot, observed, .. } = self.sources;
        let depending = self.dependents.get(address).into_iter().chain(self.takers.get(address)).flatten();
        for next in depending.copied().collect::<Vec<_>>() {
            self.hold(next);
        }
        let state = snapshot.resources.get(address);
        let needs = state.into_iter().flat_map(|state| state.dependencies.iter());
        for needed in needs.chain(observed.unsettled.get(address).into_iter().flatten()) {
            self.keep(needed);
        }
        let in_doubt = observed.unsettled.contains_key(address);
        let waits = |old: &ResourceState| {
            // It refers to the old object, or nobody knows which of the two is still there.
            let refers = state.is_some_and(|state| state.dependencies.contains(&old.address));
            refers || in_doubt && old.address == *address
        };
        for index in self.pending {
            if let Some(old) = snapshot.pending_deletes.get(*index).filter(|old| waits(old))
                && self.left.insert(*index)
            {
                old.dependencies.iter().for_each(|needed| self.keep(needed));
            }
        }
    }

    /// What something needs that may be there must not end before it.
    fn keep(&mut self, needed: &Address) {
        if self.decisions.get(needed).is_some_and(Decision::ends_object) {
            self.hold(needed);
        }
    }
}
