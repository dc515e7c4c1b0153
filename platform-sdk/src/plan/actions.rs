//! The actions of a plan: what is asked of providers and of state, and what must be done before what.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Decisions, HandOver, Op,
    containment::retained,
    cycles::{Detours, Knot},
    decide::Sources,
};
use crate::{desired::Address, report::Diagnostic, state::ResourceState};

/// What one action does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Finds out whether a step that may replace does.
    Judge,
    /// Makes, adopts or updates what the address is to hold.
    Make,
    /// Gives the object to its owner.
    HandOver,
    /// Ends the object that the address held: by a call, or along with another.
    End,
    /// Ends the object at this place of the pending deletes.
    EndPending(usize),
    /// Changes state alone: a move, options, a forget.
    Note,
    /// Reads a lookup.
    Read,
}

/// One action.
#[derive(Debug, Clone)]
pub struct Action {
    /// The resource.
    pub address: Address,
    /// What it does.
    pub kind: Kind,
    /// Places of the actions that must be done before, each once.
    pub needs: Vec<usize>,
    /// How many actions, at least, come after this one in a row: longest first.
    pub remaining: usize,
}

/// All actions of a plan.
#[derive(Debug, Clone, Default)]
pub struct Actions {
    /// The actions.
    pub list: Vec<Action>,
    order: Vec<usize>,
}

impl Actions {
    /// The actions in an order that respects all needs; may name an address more than once.
    pub fn order(&self) -> impl Iterator<Item = &Action> {
        self.order.iter().map(|index| &self.list[*index])
    }
}

/// Why these actions can't be carried out as they are.
pub(super) enum Tied {
    /// There is an order with these detours.
    With(Detours),
    /// There is none.
    Up(Diagnostic),
}

/// The actions that carry out these decisions, and the ends of these pending deletes.
///
/// # Errors
/// When no order satisfies all needs.
pub(super) fn actions(sources: Sources<'_>, decisions: &Decisions, pending: &BTreeSet<usize>) -> Result<Actions, Tied> {
    let mut builder = Builder { sources, decisions, list: Vec::new(), at: BTreeMap::new(), pending: BTreeMap::new() };
    builder.collect(pending);
    // Most plans of a large stack do nothing, and to know who depends on whom takes longer than all else here.
    if !builder.list.is_empty() {
        builder.order();
    }
    builder.finish()
}

/// Whether the object that a replacement left behind is to stay.
pub(super) fn retains(sources: Sources<'_>, old: &ResourceState) -> bool {
    old.options.retain_on_delete || retained(sources, &old.address)
}

/// Collects actions, and what each needs.
pub(super) struct Builder<'a> {
    pub(super) sources: Sources<'a>,
    pub(super) decisions: &'a Decisions,
    pub(super) list: Vec<Action>,
    /// The places of the pending deletes that are carried out.
    pub(super) pending: BTreeMap<usize, usize>,
    at: BTreeMap<(&'a Address, Slot), usize>,
}

/// What an address can have one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    Judge,
    Make,
    HandOver,
    End,
}

impl<'a> Builder<'a> {
    fn push(&mut self, address: &'a Address, kind: Kind, slot: Option<Slot>) -> usize {
        let index = self.list.len();
        self.list.push(Action { address: address.clone(), kind, needs: Vec::new(), remaining: 0 });
        if let Some(slot) = slot {
            self.at.insert((address, slot), index);
        }
        index
    }

    pub(super) fn of(&self, address: &Address, slot: Slot) -> Option<usize> {
        self.at.get(&(address, slot)).copied()
    }

    pub(super) fn need(&mut self, action: Option<usize>, needed: Option<usize>) {
        if let (Some(action), Some(needed)) = (action, needed)
            && action != needed
        {
            // More than once where there are several reasons, until the end.
            self.list[action].needs.push(needed);
        }
    }

    fn collect(&mut self, pending: &BTreeSet<usize>) {
        let Sources { desired, observed, snapshot, .. } = self.sources;
        let unread = desired
            .lookups
            .keys()
            .filter(|address| !observed.lookups.contains_key(*address) && !observed.unasked.contains(*address));
        let mut unread = unread.peekable();
        if unread.peek().is_some() {
            let used: BTreeSet<&Address> = desired.nodes.values().flat_map(|node| &node.dependencies).collect();
            for address in unread.filter(|address| used.contains(address)) {
                self.push(address, Kind::Read, Some(Slot::Make));
            }
        }
        let left = self.decisions.keys().filter(|address| !desired.nodes.contains_key(*address));
        for address in desired.order.iter().chain(left) {
            let Some(decision) = self.decisions.get(address) else { continue };
            match decision.op {
                Op::Update if decision.hand_over == HandOver::Alone => {}
                Op::Create | Op::Adopt | Op::Update => drop(self.push(address, Kind::Make, Some(Slot::Make))),
                Op::Replace { .. } => {
                    if decision.conditions.contains(address) {
                        self.push(address, Kind::Judge, Some(Slot::Judge));
                    }
                    self.push(address, Kind::End, Some(Slot::End));
                    self.push(address, Kind::Make, Some(Slot::Make));
                }
                Op::Delete => drop(self.push(address, Kind::End, Some(Slot::End))),
                Op::Move { .. } | Op::Options => drop(self.push(address, Kind::Note, Some(Slot::Make))),
                Op::Forget => drop(self.push(address, Kind::Note, None)),
                Op::Read | Op::Keep => {}
            }
            if decision.hand_over != HandOver::No {
                self.push(address, Kind::HandOver, Some(Slot::HandOver));
            }
        }
        for index in pending {
            if let Some(old) = snapshot.pending_deletes.get(*index) {
                let place = self.push(&old.address, Kind::EndPending(*index), None);
                self.pending.insert(*index, place);
            }
        }
    }

    fn finish(mut self) -> Result<Actions, Tied> {
        for action in &mut self.list {
            action.needs.sort_unstable();
            action.needs.dedup();
        }
        let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); self.list.len()];
        let mut waiting: Vec<usize> = self.list.iter().map(|action| action.needs.len()).collect();
        for (index, action) in self.list.iter().enumerate() {
            for needed in &action.needs {
                dependents[*needed].push(index);
            }
        }
        let mut free: BTreeSet<usize> = (0..self.list.len()).filter(|index| waiting[*index] == 0).collect();
        let mut order = Vec::with_capacity(self.list.len());
        while let Some(index) = free.pop_first() {
            order.push(index);
            for dependent in &dependents[index] {
                waiting[*dependent] -= 1;
                if waiting[*dependent] == 0 {
                    free.insert(*dependent);
                }
            }
        }
        if order.len() < self.list.len() {
            let stuck = (0..self.list.len()).filter(|index| waiting[*index] > 0).collect();
            let knot = Knot::among(self.sources, self.decisions, &self.list, &stuck);
            let mut detours = self.sources.detours.clone();
            return Err(if knot.untie(&mut detours) { Tied::With(detours) } else { Tied::Up(knot.problem()) });
        }
        for index in order.iter().rev() {
            self.list[*index].remaining =
                dependents[*index].iter().map(|next| self.list[*next].remaining + 1).max().unwrap_or(0);
        }
        Ok(Actions { list: self.list, order })
    }
}
