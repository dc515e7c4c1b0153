//! The actions of a plan: what is asked of providers and of state, and what must be done before what.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Op,
    decide::{Decision, Sources},
};
use crate::{Result, desired::Address, desired::Tree, program::Schema, report::Diagnostic};

/// What one action does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Finds out whether a step that may replace does.
    Judge,
    /// Makes, adopts or updates what the address is to hold.
    Make,
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
    /// Places of the actions that must be done before.
    pub needs: BTreeSet<usize>,
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
    /// The addresses in an order that respects all needs; may name one twice.
    pub fn order(&self) -> impl Iterator<Item = &Address> {
        self.order.iter().map(|index| &self.list[*index].address)
    }
}

/// The actions that carry out these decisions.
///
/// # Errors
/// When no order satisfies all needs; names the resources.
pub(crate) fn actions(sources: Sources<'_>, decisions: &BTreeMap<Address, Decision>) -> Result<Actions> {
    let mut builder = Builder { sources, decisions, list: Vec::new(), at: BTreeMap::new() };
    builder.collect();
    builder.made_after_dependencies();
    builder.ended_after_dependents();
    builder.ended_along();
    builder.pending();
    builder.freed_keys();
    builder.finish()
}

struct Builder<'a> {
    sources: Sources<'a>,
    decisions: &'a BTreeMap<Address, Decision>,
    list: Vec<Action>,
    at: BTreeMap<(&'a Address, Slot), usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    Judge,
    Make,
    End,
}

impl<'a> Builder<'a> {
    fn push(&mut self, address: &'a Address, kind: Kind, slot: Option<Slot>) {
        let index = self.list.len();
        self.list.push(Action { address: address.clone(), kind, needs: BTreeSet::new(), remaining: 0 });
        if let Some(slot) = slot {
            self.at.insert((address, slot), index);
        }
    }

    fn of(&self, address: &Address, slot: Slot) -> Option<usize> {
        self.at.get(&(address, slot)).copied()
    }

    fn need(&mut self, action: Option<usize>, needed: Option<usize>) {
        if let (Some(action), Some(needed)) = (action, needed)
            && action != needed
        {
            self.list[action].needs.insert(needed);
        }
    }

    fn collect(&mut self) {
        let Sources { desired, observed, snapshot, .. } = self.sources;
        let unread: BTreeSet<&Address> =
            desired.lookups.keys().filter(|address| !observed.lookups.contains_key(*address)).collect();
        if !unread.is_empty() {
            let wanted: BTreeSet<&Address> = desired.nodes.values().flat_map(|node| &node.dependencies).collect();
            for address in unread.intersection(&wanted) {
                self.push(address, Kind::Read, Some(Slot::Make));
            }
        }
        let left = self.decisions.keys().filter(|address| !desired.nodes.contains_key(*address));
        for address in desired.order.iter().chain(left) {
            let Some(decision) = self.decisions.get(address) else { continue };
            match decision.op {
                Op::Create | Op::Adopt | Op::Update => self.push(address, Kind::Make, Some(Slot::Make)),
                Op::Replace { .. } => {
                    if decision.condition.as_ref() == Some(address) {
                        self.push(address, Kind::Judge, Some(Slot::Judge));
                    }
                    self.push(address, Kind::End, Some(Slot::End));
                    self.push(address, Kind::Make, Some(Slot::Make));
                }
                Op::Delete => self.push(address, Kind::End, Some(Slot::End)),
                Op::Forget | Op::Move { .. } | Op::Options => self.push(address, Kind::Note, None),
                Op::Read | Op::Keep => {}
            }
        }
        for (index, old) in snapshot.pending_deletes.iter().enumerate() {
            self.push(&old.address, Kind::EndPending(index), None);
        }
    }

    fn made_after_dependencies(&mut self) {
        for (address, decision) in self.decisions {
            let (judge, make, end) =
                (self.of(address, Slot::Judge), self.of(address, Slot::Make), self.of(address, Slot::End));
            for dependency in self.sources.desired.nodes.get(address).into_iter().flat_map(|node| &node.dependencies) {
                let before = self.of(dependency, Slot::Make);
                self.need(make, before);
                self.need(judge, before);
            }
            if let Some(root) = &decision.condition {
                let judge = self.of(root, Slot::Judge);
                self.need(make, judge);
                self.need(end, judge);
            }
            match decision.op {
                Op::Replace { create_first: true } => self.need(end, make),
                Op::Replace { create_first: false } => self.need(make, end),
                _ => {}
            }
        }
    }

    /// Whether this resource's object goes away along with `target`'s, directly or further up.
    fn dies_along(&self, address: &Address, target: &Address) -> bool {
        let mut at = address;
        while let Some(next) = self.decisions.get(at).and_then(|decision| decision.dies_with.as_ref()) {
            if next == target {
                return true;
            }
            at = next;
        }
        false
    }

    /// Deletes by the union of last applied and desired dependencies.
    fn ended_after_dependents(&mut self) {
        if !self.decisions.values().any(Decision::ends_object) {
            return;
        }
        let mut dependents = self.dependents_in_state();
        for node in self.sources.desired.nodes.values() {
            for dependency in &node.dependencies {
                dependents.entry(dependency).or_default().insert(&node.address);
            }
        }
        for (address, decision) in self.decisions.iter().filter(|(_, decision)| decision.ends_object()) {
            let end = self.of(address, Slot::End);
            let delete_first = decision.op == Op::Replace { create_first: false };
            for dependent in dependents.get(address).into_iter().flatten() {
                if self.dies_along(dependent, address) {
                    continue;
                }
                let theirs = self.decisions.get(*dependent);
                let had =
                    self.sources.snapshot.resources.get(*dependent).is_some_and(|s| s.dependencies.contains(address));
                match theirs.map(|theirs| &theirs.op) {
                    Some(Op::Delete) => self.need(end, self.of(dependent, Slot::End)),
                    Some(Op::Replace { create_first }) => {
                        // Behind a delete-first replacement, a create-first one waits for the new object.
                        if had && (!delete_first || !create_first) {
                            self.need(end, self.of(dependent, Slot::End));
                        } else if !delete_first {
                            self.need(end, self.of(dependent, Slot::Make));
                        }
                    }
                    Some(Op::Update | Op::Create | Op::Adopt) if !delete_first => {
                        self.need(end, self.of(dependent, Slot::Make));
                    }
                    _ => {}
                }
            }
        }
    }

    fn dependents_in_state(&self) -> BTreeMap<&'a Address, BTreeSet<&'a Address>> {
        let mut dependents: BTreeMap<&Address, BTreeSet<&Address>> = BTreeMap::new();
        for state in self.sources.snapshot.resources.values() {
            for dependency in &state.dependencies {
                dependents.entry(dependency).or_default().insert(&state.address);
            }
        }
        dependents
    }

    /// What must be over before an object goes along with another must be over before that one ends.
    fn ended_along(&mut self) {
        for (address, decision) in self.decisions {
            let Some(end) = self.of(address, Slot::End).filter(|_| decision.dies_with.is_some()) else { continue };
            let before: Vec<usize> = self.list[end].needs.iter().copied().collect();
            let mut at = decision;
            while let Some(target) = &at.dies_with {
                let theirs = self.of(target, Slot::End);
                for needed in &before {
                    let action = &self.list[*needed];
                    let along = action.kind == Kind::End
                        && (action.address == *target || self.dies_along(&action.address, target));
                    let own_make = action.kind == Kind::Make && action.address == *address;
                    if !along && !own_make {
                        self.need(theirs, Some(*needed));
                    }
                }
                match self.decisions.get(target) {
                    Some(next) => at = next,
                    None => break,
                }
            }
            let with = decision.dies_with.as_ref().and_then(|target| self.of(target, Slot::End));
            self.need(Some(end), with);
        }
    }

    fn pending(&mut self) {
        let Sources { snapshot, .. } = self.sources;
        let places: Vec<(usize, usize)> = self
            .list
            .iter()
            .enumerate()
            .filter_map(|(at, action)| if let Kind::EndPending(index) = action.kind { Some((at, index)) } else { None })
            .collect();
        if places.is_empty() {
            return;
        }
        let dependents = self.dependents_in_state();
        for (at, index) in places {
            let old = &snapshot.pending_deletes[index];
            for dependent in dependents.get(&old.address).into_iter().flatten() {
                self.need(Some(at), self.of(dependent, Slot::Make));
            }
            for dependency in &old.dependencies {
                self.need(self.of(dependency, Slot::End), Some(at));
            }
        }
    }

    /// A new object under a key that another gives up waits until it has.
    fn freed_keys(&mut self) {
        if !self.decisions.values().any(Decision::ends_object) {
            return;
        }
        let mut freed: BTreeMap<(&str, String), &Address> = BTreeMap::new();
        for (address, decision) in self.decisions.iter().filter(|(_, decision)| decision.ends_object()) {
            let state = self.sources.snapshot.resources.get(address);
            let schema = self.sources.schemas.get(address.type_name());
            if let (Some(state), Some(schema)) = (state, schema)
                && let Some(key) = natural_key(schema, &state.inputs)
                && decision.condition.is_none()
            {
                freed.insert((address.type_name(), key), address);
            }
        }
        let newcomers = self.decisions.iter().filter(|(_, decision)| decision.op == Op::Create);
        for (address, decision) in newcomers {
            let Some(schema) = self.sources.schemas.get(address.type_name()) else { continue };
            let Some(key) = natural_key(schema, &decision.inputs) else { continue };
            if let Some(holder) = freed.get(&(address.type_name(), key)) {
                self.need(self.of(address, Slot::Make), self.of(holder, Slot::End));
            }
        }
    }

    fn finish(mut self) -> Result<Actions> {
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
            let stuck: BTreeSet<&str> = (0..self.list.len())
                .filter(|index| waiting[*index] > 0)
                .map(|index| self.list[index].address.as_str())
                .collect();
            let names = stuck.into_iter().collect::<Vec<_>>().join("\n");
            return Err(Diagnostic::error("these changes can't be put in an order")
                .detail(names)
                .hint("apply them in two steps, the first with --target")
                .into());
        }
        for index in order.iter().rev() {
            self.list[*index].remaining =
                dependents[*index].iter().map(|next| self.list[*next].remaining + 1).max().unwrap_or(0);
        }
        Ok(Actions { list: self.list, order })
    }
}

/// The fields marked `key`, where all of them are known.
pub(super) fn natural_key(schema: &Schema, inputs: &Tree) -> Option<String> {
    let keys: Vec<Value> = schema
        .fields()
        .iter()
        .filter(|field| field.key)
        .map(|field| inputs.get(field.name).map_or(Some(Value::Null), Tree::plain))
        .collect::<Option<_>>()?;
    (!keys.is_empty()).then(|| crate::desired::canonical(&Value::Array(keys)))
}
