//! Ownership: who gets an object gets it after everything that this run does in it, on it or through it, since its caller
//! may be able to do nothing more then. Pure.

use std::collections::BTreeSet;

use super::{
    Change, ChangeKind, Decisions, Kind, Op, Shown, Step,
    actions::{Builder, Slot},
    build,
    decide::{Decision, Sources},
    diff::{Difference, Verdict},
    ordering::Dependents,
};
use crate::{
    desired::{Address, Tree},
    program::{Access, Field, Schema},
};

/// Whether a resource is given to another owner, and what else happens to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HandOver {
    /// It is not.
    #[default]
    No,
    /// It is made, adopted or updated first.
    After,
    /// Nothing else happens to it.
    Alone,
}

/// The fields that name an owner.
pub fn owner_fields(schema: &Schema) -> impl Iterator<Item = &'static Field> + use<> {
    schema.fields().iter().filter(|field| field.access == Some(Access::Owner))
}

fn is_owner(schema: &Schema, difference: &Difference) -> bool {
    owner_fields(schema).any(|field| difference.path.field() == Some(field.name))
}

/// Says of each decision whether it gives the object to another owner.
pub(super) fn mark(sources: Sources<'_>, decisions: &mut Decisions) {
    let schema = |address: &Address| Some(sources.desired.nodes.get(address)?.schema);
    let gives = |address: &Address, decision: &Decision| {
        schema(address).map_or(HandOver::No, |schema| of(schema, decision)) != HandOver::No
    };
    decisions.change(gives, |address, decision| {
        decision.hand_over = schema(address).map_or(HandOver::No, |schema| of(schema, decision));
    });
}

fn of(schema: &Schema, decision: &Decision) -> HandOver {
    let names_owner = || owner_fields(schema).any(|field| decision.inputs.get(field.name).is_some());
    let changes = || decision.differences.iter().filter(|difference| difference.verdict > Verdict::Released);
    match decision.op {
        Op::Create | Op::Replace { .. } if names_owner() => HandOver::After,
        Op::Update if changes().count() > 0 && changes().all(|change| is_owner(schema, change)) => HandOver::Alone,
        Op::Update | Op::Adopt if changes().any(|change| is_owner(schema, change)) => HandOver::After,
        _ => HandOver::No,
    }
}

/// A decision without what is handed over in a step of its own.
pub(super) fn before(schema: &Schema, decision: &Decision) -> Decision {
    let mut decision = decision.clone();
    if decision.hand_over == HandOver::After {
        decision.differences.retain(|difference| !is_owner(schema, difference));
        if let Tree::Map(inputs) = &mut decision.inputs {
            for field in owner_fields(schema) {
                inputs.remove(field.name);
            }
        }
    }
    decision
}

/// The step that gives an object to another owner.
pub(super) fn step(sources: Sources<'_>, address: &Address, decision: &Decision) -> Step {
    let node = sources.desired.nodes.get(address);
    let mut changes = Vec::new();
    for field in node.into_iter().flat_map(|node| owner_fields(node.schema)) {
        let differs = |difference: &&Difference| difference.path.field() == Some(field.name);
        let difference = decision.differences.iter().find(differs).filter(|_| !decision.ends_object());
        changes.extend(difference.map(build::change).or_else(|| {
            let after = decision.inputs.get(field.name).filter(|_| !matches!(decision.op, Op::Update | Op::Adopt))?;
            Some(Change {
                path: field.name.into(),
                before: None,
                after: Some(Shown::of(after)),
                kind: ChangeKind::Add,
                replaces: false,
                unknown: !after.is_known(),
            })
        }));
    }
    Step {
        address: address.clone(),
        op: Op::Update,
        reasons: vec!["it gets its owner after all that is done in it, on it or through it".to_owned()],
        destroys: Vec::new(),
        changes,
        effect: None,
        follows: false,
        condition: None,
        takes_along: Vec::new(),
    }
}

impl<'a> Builder<'a> {
    /// An object is handed over after everything of this run that depends on it, directly or further down: made, changed
    /// or ended. What depends on it and is handed over itself is handed over before.
    pub(super) fn handed_over_last(&mut self, dependents: &Dependents<'a>) {
        let nodes = &self.sources.desired.nodes;
        let given = self.list.iter().filter(|action| action.kind == Kind::HandOver);
        let given = given.filter_map(|action| nodes.get_key_value(&action.address));
        let given: Vec<&'a Address> = given.map(|(address, _)| address).collect();
        for address in given {
            let hand_over = self.of(address, Slot::HandOver);
            self.need(hand_over, self.of(address, Slot::Make));
            // The new owner may have to be made first.
            for dependency in self.sources.desired.nodes.get(address).into_iter().flat_map(|node| &node.dependencies) {
                self.need(hand_over, self.of(dependency, Slot::Make));
            }
            let (mut seen, mut waiting) = (BTreeSet::from([address]), vec![address]);
            while let Some(at) = waiting.pop() {
                for dependent in dependents.had(at) {
                    self.need(hand_over, self.of(dependent, Slot::End));
                }
                self.left_inside(hand_over, at);
                for dependent in dependents.wants(at).filter(|dependent| seen.insert(*dependent)) {
                    for slot in [Slot::Judge, Slot::Make, Slot::End, Slot::HandOver] {
                        self.need(hand_over, self.of(dependent, slot));
                    }
                    // What is handed over has waited for everything below it.
                    if self.of(dependent, Slot::HandOver).is_none() {
                        waiting.push(dependent);
                    }
                }
            }
        }
    }

    /// What earlier replacements left behind in an object.
    fn left_inside(&mut self, hand_over: Option<usize>, address: &Address) {
        let old = |index: &usize| self.sources.snapshot.pending_deletes[*index].dependencies.contains(address);
        let inside: Vec<usize> = self.pending.iter().filter(|(index, _)| old(index)).map(|(_, place)| *place).collect();
        for place in inside {
            self.need(hand_over, Some(place));
        }
    }
}
