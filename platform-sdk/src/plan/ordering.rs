//! What must be done before what: creates by desired dependencies, ends by the union of old and new ones, and keys that
//! one gives up and another takes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Decisions, Kind, Op,
    actions::{Builder, Slot},
    decide::{Decision, Sources, referring_fields},
};
use crate::{
    desired::{Address, Addresses, Tree},
    program::{Access, Identity, Schema},
    state::ResourceState,
};

/// Who depends on whom: as last applied, and as desired.
pub(super) struct Dependents<'a> {
    had: BTreeMap<&'a Address, BTreeSet<&'a Address>>,
    wants: BTreeMap<&'a Address, BTreeSet<&'a Address>>,
}

impl<'a> Dependents<'a> {
    pub(super) fn of(sources: Sources<'a>) -> Self {
        let mut all = Self { had: BTreeMap::new(), wants: BTreeMap::new() };
        // What is gone depends on nothing any more.
        let there = sources.snapshot.resources.values().filter(|state| !sources.observed.gone(&state.address));
        for state in there {
            for dependency in &state.dependencies {
                all.had.entry(dependency).or_default().insert(&state.address);
            }
        }
        for node in sources.desired.nodes.values() {
            for dependency in &node.dependencies {
                all.wants.entry(dependency).or_default().insert(&node.address);
            }
        }
        all
    }

    /// What depended on it when it was last applied.
    pub(super) fn had(&self, address: &Address) -> impl Iterator<Item = &'a Address> + use<'a, '_> {
        self.had.get(address).into_iter().flatten().copied()
    }

    fn all(&self, address: &Address) -> BTreeSet<&'a Address> {
        self.had(address).chain(self.wants.get(address).into_iter().flatten().copied()).collect()
    }

    /// What is to depend on it.
    pub(super) fn wants(&self, address: &Address) -> impl Iterator<Item = &'a Address> + use<'a, '_> {
        self.wants.get(address).into_iter().flatten().copied()
    }

    fn is(of: &BTreeMap<&Address, BTreeSet<&Address>>, address: &Address, dependent: &Address) -> bool {
        of.get(address).is_some_and(|all| all.contains(dependent))
    }
}

/// A natural key among the objects that it has to be unique among.
pub(super) type Key<'a> = (&'a str, &'a Addresses, String);

impl<'a> Builder<'a> {
    /// Finds all needs.
    pub(super) fn order(&mut self) {
        let dependents = Dependents::of(self.sources);
        self.made_after_dependencies();
        self.looked_up_after_their_places();
        self.ended_after_dependents(&dependents);
        self.ended_along();
        self.ended_before_renames();
        self.left_behind(&dependents);
        self.freed_keys();
        self.handed_over_last(&dependents);
    }

    fn made_after_dependencies(&mut self) {
        for (address, decision) in self.decisions.iter() {
            let (judge, make, end) =
                (self.of(address, Slot::Judge), self.of(address, Slot::Make), self.of(address, Slot::End));
            for dependency in self.sources.desired.nodes.get(address).into_iter().flat_map(|node| &node.dependencies) {
                let before = self.of(dependency, Slot::Make);
                self.need(make, before);
                // A place that may be replaced waits for what is in it, so that can't wait for the place.
                if !decision.drawn_by.contains(dependency) && !self.is_renamed_place(address, dependency) {
                    self.need(judge, before);
                }
            }
            for root in &decision.conditions {
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

    /// What lies behind something is looked up when that is there, and ready.
    fn looked_up_after_their_places(&mut self) {
        for (address, lookup) in &self.sources.desired.lookups {
            for dependency in &lookup.dependencies {
                self.need(self.of(address, Slot::Make), self.of(dependency, Slot::Make));
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
    fn ended_after_dependents(&mut self, dependents: &Dependents<'a>) {
        for (address, decision) in self.decisions.iter().filter(|(_, decision)| decision.ends_object()) {
            let end = self.of(address, Slot::End);
            let delete_first = decision.op == Op::Replace { create_first: false };
            for dependent in dependents.all(address) {
                let Some(theirs) = self.decisions.get(dependent).filter(|_| !self.dies_along(dependent, address))
                else {
                    continue;
                };
                let had = Dependents::is(&dependents.had, address, dependent);
                let dropped = had && !Dependents::is(&dependents.wants, address, dependent);
                // What waits for a value of the new object can't end before the old one does.
                let waits = delete_first && !theirs.conditions.is_empty() && !theirs.drawn_by.contains(address);
                if self.may_be_late(dependent, address) {
                    continue;
                }
                match theirs.op {
                    Op::Delete => self.need(end, self.of(dependent, Slot::End)),
                    // Behind a delete-first replacement, a create-first one waits for the new object.
                    Op::Replace { create_first } if had && (dropped || !(waits || delete_first && create_first)) => {
                        self.need(end, self.of(dependent, Slot::End));
                    }
                    // What is gone from reality holds nothing any more, and what is new never did.
                    Op::Replace { .. } | Op::Update | Op::Adopt if !delete_first || dropped => {
                        self.need(end, self.of(dependent, Slot::Make));
                        if self.is_owned_by(dependent, address) {
                            self.need(end, self.of(dependent, Slot::HandOver));
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// Whether an object has the other one for its owner.
    fn is_owned_by(&self, address: &Address, owner: &Address) -> bool {
        let Sources { snapshot, schemas, .. } = self.sources;
        let (state, schema) = (snapshot.resources.get(address), schemas.get(address.type_name()));
        let (Some(state), Some(schema)) = (state, schema) else { return false };
        referring_fields(schema, state, owner).any(|field| field.access == Some(Access::Owner))
    }

    /// Whether an end does not wait for what merely refers to it, because there is no order otherwise.
    fn may_be_late(&self, dependent: &Address, target: &Address) -> bool {
        self.sources.detours.late.contains(dependent) && !self.clings(dependent, target)
    }

    /// Whether an object lives in another, or holds it, so that the other one can't end before.
    fn clings(&self, address: &Address, target: &Address) -> bool {
        let Sources { snapshot, schemas, .. } = self.sources;
        let (Some(state), Some(schema)) = (snapshot.resources.get(address), schemas.get(address.type_name())) else {
            return false;
        };
        state.provider.of.contains(target)
            || referring_fields(schema, state, target).any(|field| field.parent.is_some() || field.holds)
    }

    /// What must be over before an object goes along with another must be over before that one ends.
    fn ended_along(&mut self) {
        for (address, decision) in self.decisions.iter() {
            let Some(end) = self.of(address, Slot::End).filter(|_| decision.dies_with.is_some()) else { continue };
            let mut before = self.list[end].needs.clone();
            before.sort_unstable();
            before.dedup();
            let mut at = decision;
            while let Some(target) = &at.dies_with {
                let theirs = self.of(target, Slot::End);
                for needed in &before {
                    let action = &self.list[*needed];
                    let along = action.kind == Kind::End
                        && (action.address == *target || self.dies_along(&action.address, target));
                    if !along {
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

    /// Whether `place` gets another name in this run, and this object's id has that name in it.
    fn is_renamed_place(&self, address: &Address, place: &Address) -> bool {
        let Sources { snapshot, schemas, .. } = self.sources;
        let by_key = |address: &Address| schemas.get(address.type_name()).is_some_and(|s| s.identity == Identity::Key);
        snapshot.resources.get(address).is_some_and(|state| state.parents.contains(place))
            && by_key(address)
            && self.renames(place)
    }

    fn renames(&self, address: &Address) -> bool {
        renames(self.sources, address, self.decisions.get(address))
    }

    /// An object is deleted by its id; where a place's name is part of that, before the place gets another name.
    fn ended_before_renames(&mut self) {
        let Sources { snapshot, schemas, .. } = self.sources;
        let ending = self.decisions.iter().filter(|(_, decision)| decision.ends_object());
        let ending =
            ending.filter_map(|(address, _)| Some((self.of(address, Slot::End)?, snapshot.resources.get(address)?)));
        let left = self.pending.iter().map(|(index, place)| (*place, &snapshot.pending_deletes[*index]));
        for (end, state) in ending.chain(left).collect::<Vec<_>>() {
            let mut places: Vec<&Address> = state.parents.iter().collect();
            let by_key = schemas.get(state.address.type_name()).is_some_and(|s| s.identity == Identity::Key);
            while let Some(place) = places.pop().filter(|_| by_key) {
                if self.renames(place) {
                    self.need(self.of(place, Slot::Make), Some(end));
                    places.extend(snapshot.resources.get(place).into_iter().flat_map(|state| &state.parents));
                }
            }
        }
    }

    /// What earlier replacements left behind ends after what still depends on it, and before what it depends on.
    fn left_behind(&mut self, dependents: &Dependents<'a>) {
        let old = |index: &usize| &*self.sources.snapshot.pending_deletes[*index];
        let places: Vec<(usize, &ResourceState)> =
            self.pending.iter().map(|(index, place)| (*place, old(index))).collect();
        for (place, old) in &places {
            let op = self.decisions.get(&old.address).map(|decision| &decision.op);
            for dependent in dependents.had(&old.address) {
                if self.may_be_late(dependent, &old.address) {
                    continue;
                }
                let ends = self.decisions.get(dependent).is_some_and(Decision::ends_object);
                // Behind a delete-first replacement it waits for the newest object, and so perhaps for this one's end.
                let waits = op == Some(&Op::Replace { create_first: false })
                    && Dependents::is(&dependents.wants, &old.address, dependent);
                if ends || !waits {
                    self.need(Some(*place), self.of(dependent, if ends { Slot::End } else { Slot::Make }));
                }
            }
            for dependency in &old.dependencies {
                self.need(self.of(dependency, Slot::End), Some(*place));
            }
            let other = places.iter().filter(|(_, other)| {
                other.dependencies.contains(&old.address) && !old.dependencies.contains(&other.address)
            });
            for (other, _) in other {
                self.need(Some(*place), Some(*other));
            }
        }
    }

    /// A new object, or a renamed one, under a key that another gives up waits until it has.
    fn freed_keys(&mut self) {
        let givers = givers(self.sources, self.decisions);
        let left = self.pending.iter().filter_map(|(index, place)| {
            let old = &self.sources.snapshot.pending_deletes[*index];
            Some((held_key(self.sources, old)?, *place))
        });
        let left: BTreeMap<Key<'_>, usize> = left.collect();
        for (address, decision) in self.decisions.iter() {
            let Some(key) = taken_key(self.sources, address, decision) else { continue };
            let make = self.of(address, Slot::Make);
            self.need(make, left.get(&key).copied());
            if let Some(holder) = givers.get(&key).filter(|holder| **holder != address) {
                let ends = self.decisions.get(holder).is_some_and(Decision::ends_object);
                self.need(make, self.of(holder, if ends { Slot::End } else { Slot::Make }));
            }
        }
    }
}

/// Who gives up which natural key: what ends, and what is renamed.
pub(super) fn givers<'a>(sources: Sources<'a>, decisions: &'a Decisions) -> BTreeMap<Key<'a>, &'a Address> {
    let giving = decisions
        .iter()
        .filter(|(address, decision)| decision.ends_object() || renames(sources, address, Some(*decision)));
    let keys = giving.filter_map(|(address, _)| {
        let state = sources.snapshot.resources.get(address)?;
        Some((held_key(sources, state)?, address))
    });
    keys.collect()
}

pub(super) fn renames(sources: Sources<'_>, address: &Address, decision: Option<&Decision>) -> bool {
    let schema = sources.schemas.get(address.type_name());
    schema.is_some_and(|schema| decision.is_some_and(|decision| decision.renames(schema)))
}

/// The natural key that an object has.
pub(super) fn held_key<'a>(sources: Sources<'a>, state: &'a ResourceState) -> Option<Key<'a>> {
    let schema = sources.schemas.get(state.address.type_name())?;
    Some((schema.type_name, &state.provider.of, natural_key(schema, &state.inputs)?))
}

/// The natural key that a new or renamed object takes, where it is known.
pub(super) fn taken_key<'a>(sources: Sources<'a>, address: &Address, decision: &Decision) -> Option<Key<'a>> {
    if !matches!(decision.op, Op::Create | Op::Replace { .. }) && !renames(sources, address, Some(decision)) {
        return None;
    }
    let node = sources.desired.nodes.get(address)?;
    let of = &sources.desired.providers.get(&node.provider)?.dependencies;
    Some((node.schema.type_name, of, natural_key(node.schema, &decision.inputs)?))
}

/// The fields marked `key`, where all of them are known.
fn natural_key(schema: &Schema, inputs: &Tree) -> Option<String> {
    let keys: Vec<Value> = schema
        .fields()
        .iter()
        .filter(|field| field.key)
        .map(|field| {
            let value = inputs.get(field.name).map_or(Some(Value::Null), Tree::plain)?;
            Some(field.normalize.map_or_else(|| value.clone(), |normalize| normalize(value.clone())))
        })
        .collect::<Option<_>>()?;
    (!keys.is_empty()).then(|| crate::desired::canonical(&Value::Array(keys)))
}
