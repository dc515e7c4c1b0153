//! Containment: what lives in, holds, or goes with a resource whose object ends; and what is in state and not desired.

use std::sync::Arc;

use super::{
    Op,
    decide::{Decider, Decision, Sources, referring_fields},
};
use crate::{
    desired::{Address, Node, Tree},
    observe::Sighting,
    program::{Field, OnParentDelete, Options, Schema},
    report::Diagnostic,
    state::ResourceState,
};

/// A resource whose end asks for another's.
pub(super) struct Drawn {
    /// The resource that ends.
    pub(super) target: Address,
    /// How the other one hangs on it: `lives in`, `holds`, `goes with`.
    pub(super) why: &'static str,
    /// Its end takes the other's object along.
    pub(super) takes_along: bool,
}

impl Decider<'_> {
    /// The resources that end and draw this one in: it lives in them, holds them, goes with them, or has its scope in
    /// them.
    pub(super) fn drawn_in(&self, schema: &Schema, state: &ResourceState, node: Option<&Node>) -> Vec<Drawn> {
        let with = node.map_or(&state.options, |node| &node.options).deleted_with.as_ref();
        let ending = state.dependencies.iter().filter_map(|target| Some((target, self.ending(target)?)));
        ending
            .filter_map(|(target, decision)| {
                let drawn = |why, takes_along| Some(Drawn { target: target.clone(), why, takes_along });
                let really = !retained(self.sources, target);
                let of_scope = state.scope.as_ref().is_some_and(|(_, id)| self.id_of(target) == Some(id));
                if of_scope && state.provider.of.contains(target) {
                    return drawn("lives in", really);
                }
                let field = referring_fields(schema, state, target).max_by_key(|f| (f.parent.is_some(), f.holds));
                match field {
                    Some(Field { parent: Some(mark), .. }) => {
                        drawn("lives in", really && *mark == OnParentDelete::Cascades)
                    }
                    _ if with == Some(target) => drawn("goes with", really),
                    Some(Field { holds: true, .. })
                        if decision.op == Op::Replace { create_first: false } && still_holds(node, target) =>
                    {
                        drawn("holds", false)
                    }
                    _ => None,
                }
            })
            .collect()
    }

    fn ending(&self, address: &Address) -> Option<&Decision> {
        self.decisions.get(address).filter(|decision| decision.ends_object())
    }

    pub(super) fn id_of(&self, address: &Address) -> Option<&String> {
        self.sources.snapshot.resources.get(address).map(|state| &state.id)
    }

    /// The place that took it along when a replacement ended that one, and was interrupted.
    pub(super) fn went_along(&self, state: &ResourceState) -> Option<Address> {
        let Sources { snapshot, schemas, observed, .. } = self.sources;
        let schema = schemas.get(state.address.type_name())?;
        let takes_along = |field: &Field| field.parent == Some(OnParentDelete::Cascades);
        let in_place = |target: &&Address| {
            state.provider.of.contains(target) || referring_fields(schema, state, target).any(takes_along)
        };
        let mut places = state.dependencies.iter().filter(in_place);
        let ended = |place: &&Address| {
            let above = snapshot.resources.get(*place).filter(|_| observed.gone(place));
            snapshot.replacing.contains_key(*place) || above.is_some_and(|above| self.went_along(above).is_some())
        };
        places.find(ended).cloned()
    }

    /// Its scope's own object is gone, so it is, unread.
    pub(super) fn scope_is_gone(&self, state: &ResourceState) -> bool {
        let Some((_, scope)) = &state.scope else { return false };
        let gone = |owner: &Address| self.sources.observed.gone(owner) && self.id_of(owner) == Some(scope);
        state.provider.of.iter().any(gone)
    }

    /// What is in state and not desired.
    pub(super) fn undesired(&mut self) {
        let Sources { snapshot, desired, .. } = self.sources;
        let left: Vec<&Address> =
            snapshot.resources.keys().filter(|address| !desired.nodes.contains_key(*address)).collect();
        for address in &left {
            let decision = self.left_over(&snapshot.resources[*address]);
            self.decisions.insert((*address).clone(), decision);
        }
        // Who goes along with whom is known only when all of them are decided.
        for address in left {
            let state = &snapshot.resources[address];
            let Some(schema) = self.sources.schemas.get(address.type_name()) else { continue };
            let drawn = self.drawn_in(schema, state, None);
            let Some(decision) = self.decisions.get_mut(address) else { continue };
            match decision.op {
                Op::Delete => {
                    if let Some(along) = drawn.into_iter().find(|drawn| drawn.takes_along) {
                        decision.reasons.push(format!("goes with {}", along.target));
                        decision.dies_with = Some(along.target);
                    }
                }
                _ if self.sources.observed.gone(address) => {}
                _ => {
                    let held = state.dependencies.iter().filter(|target| {
                        self.decisions.get(target).is_some_and(|decision| decision.op == Op::Delete)
                            && referring_fields(schema, state, target).any(|field| field.holds)
                    });
                    self.problems.extend(held.map(|target| held_unretained(address, target)));
                }
            }
        }
    }

    /// What is to be retained, and can't be: the place that it lives in, or what it goes with, really ends.
    pub(super) fn retained_in_vain(&mut self) {
        let Sources { snapshot, desired, schemas, observed, .. } = self.sources;
        let mut problems = Vec::new();
        for (address, decision) in self.decisions.iter() {
            let given_up = matches!(decision.op, Op::Replace { .. } | Op::Forget);
            if !given_up || !retained(self.sources, address) || observed.gone(address) {
                continue;
            }
            let Some(state) = snapshot.resources.get(address) else { continue };
            let Some(schema) = schemas.get(address.type_name()) else { continue };
            let drawn = self.drawn_in(schema, state, desired.nodes.get(address)).into_iter();
            let in_it = drawn.filter(|drawn| drawn.why != "holds" && !retained(self.sources, &drawn.target));
            problems.extend(in_it.map(|drawn| dies_unretained(address, &drawn.target)));
        }
        self.problems.extend(problems);
    }

    /// What goes along with another ends when that one does. Where there is no order then, it is deleted by itself.
    pub(super) fn end_alone(&mut self) {
        for address in &self.sources.detours.alone {
            if let Some(decision) = self.decisions.get_mut(address) {
                decision.ends_alone();
            }
        }
    }

    fn left_over(&mut self, state: &ResourceState) -> Decision {
        let address = &state.address;
        if !self.sources.schemas.contains_key(address.type_name()) {
            let problem = Diagnostic::error(format!("no provider of the program knows the type of `{address}`"))
                .detail("it is in state, and the program does not declare it any more")
                .hint("list its provider with `.provider(..)`, or `state forget` it");
            self.problems.push(problem.about(address));
        }
        let nothing = Tree::default();
        let undeclared = !self.sources.desired.leaving.contains_key(address);
        let why = undeclared.then_some("not in the program any more");
        match self.sources.observed.sightings.get(address) {
            Some(Sighting::Gone) => Decision::new(Op::Forget, nothing).because("gone from reality"),
            _ if self.scope_is_gone(state) => Decision::new(Op::Forget, nothing).because("gone from reality"),
            _ if retained(self.sources, address) => Decision::new(Op::Forget, nothing)
                .because(why.map_or("retained".to_owned(), |why| format!("{why}; retained"))),
            _ => {
                let decision = Decision::new(Op::Delete, nothing);
                match why {
                    Some(why) => decision.because(why),
                    None => decision,
                }
            }
        }
    }
}

fn still_holds(node: Option<&Node>, target: &Address) -> bool {
    let holds = |field: &str| node.and_then(|node| node.schema.field(field)).is_some_and(|field| field.holds);
    node.is_some_and(|node| node.references.iter().any(|r| r.address == *target && holds(&r.field)))
}

/// The options that hold for a resource: those of the program, and those of state where it does not declare it.
pub(super) fn options<'a>(sources: Sources<'a>, address: &Address) -> Option<&'a Arc<Options>> {
    let node = sources.desired.nodes.get(address).map(|node| &node.options);
    let leaving = || sources.desired.leaving.get(address);
    node.or_else(leaving).or_else(|| sources.snapshot.resources.get(address).map(|state| &state.options))
}

/// Whether the end of this resource leaves its object where it is.
pub(super) fn retained(sources: Sources<'_>, address: &Address) -> bool {
    options(sources, address).is_some_and(|options| options.retain_on_delete)
}

fn held_unretained(address: &Address, target: &Address) -> Diagnostic {
    Diagnostic::error(format!("`{address}` is to be retained, and `{target}`, which it holds, is deleted"))
        .hint(format!("keep `{target}`, retain it too, or take `.retain_on_delete()` away and apply that first"))
        .about(address)
}

fn dies_unretained(address: &Address, target: &Address) -> Diagnostic {
    Diagnostic::error(format!("`{address}` is to be retained, and `{target}`, in which it lives, is deleted"))
        .hint(format!("keep `{target}`, retain it too, or take `.retain_on_delete()` away and apply that first"))
        .about(address)
}
