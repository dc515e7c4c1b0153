//! Telling new objects apart: where a type's objects are recognised only by what was not there before, one is made at a
//! time, and none while it is not known what became of another.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OwnedMutexGuard;

use super::schedule::Run;
use crate::{
    desired::{Address, Node, Tree},
    plan::{Course, Decision},
    program::{Identity, Schema},
    provider::{Found, waiting},
    report::Diagnostic,
    state::{ProviderState, ResourceState},
};

/// The creates of a type in one place; the address of one whose outcome is not known.
type Doubt = Option<Address>;

/// The turns of such types, by type and place.
#[derive(Default)]
pub(super) struct Apart(Mutex<BTreeMap<(&'static str, String), Arc<tokio::sync::Mutex<Doubt>>>>);

/// The turn to make an object that has to be told apart from others of its type.
pub(super) struct Alone(Option<OwnedMutexGuard<Doubt>>);

impl Alone {
    /// What became of this one is not known.
    pub(super) fn in_doubt(&mut self, address: &Address) {
        if let Some(doubt) = &mut self.0 {
            **doubt = Some(address.clone());
        }
    }
}

/// The objects that this plan ends.
pub(super) fn leaving(course: &Course) -> Vec<&ResourceState> {
    let snapshot = &course.snapshot;
    let ends = |state: &&Arc<ResourceState>| course.decisions.get(&state.address).is_some_and(Decision::ends_object);
    snapshot.resources.values().filter(ends).chain(&snapshot.pending_deletes).map(|state| &**state).collect()
}

impl Run<'_> {
    /// What has the same key and ends in this run: a service may go on showing it, and it is not what is made next. Where
    /// the key is the id, what is made next may have the same one.
    pub(super) fn leaving(&self, schema: &Schema, inputs: &Tree) -> Vec<Found> {
        if schema.identity == Identity::Key {
            return Vec::new();
        }
        let same = |name: &str, state: &ResourceState| state.inputs.get(name) == inputs.get(name);
        let is_like = |state: &&&ResourceState| {
            let mut keys = schema.fields().iter().filter(|field| field.key);
            state.address.type_name() == schema.type_name && keys.all(|key| same(key.name, state))
        };
        self.leaving.iter().filter(is_like).map(|state| Found::id(&state.id)).collect()
    }

    /// Waits until no other new object could be taken for this one. It is to be kept until it is known what was made.
    pub(super) async fn alone(&self, node: &Node, provider: &ProviderState) -> Result<Alone, Diagnostic> {
        if node.schema.identity != Identity::ListDifference {
            return Ok(Alone(None));
        }
        let place = (node.schema.type_name, format!("{} {}", provider.kind, provider.config));
        let turns =
            self.apart.0.lock().unwrap_or_else(PoisonError::into_inner).entry(place.clone()).or_default().clone();
        let one_by_one = format!("another {} is being made, and a new one is told by not having been there", place.0);
        let turn = waiting(one_by_one, self.slots.resting(turns.lock_owned())).await;
        match &*turn {
            None => Ok(Alone(Some(turn))),
            Some(other) => Err(Diagnostic::error(format!("cannot create `{}` yet", node.address))
                .detail(format!(
                    "what became of `{other}` is not known, and a new {} is recognised only by not having been there",
                    node.schema.type_name
                ))
                .hint("run the command again: it finds that out first")
                .about(&node.address)
                .at(&node.at)),
        }
    }
}
