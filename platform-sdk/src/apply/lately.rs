//! What this run did a moment ago and a service may not know of everywhere yet: names that were given up, objects that
//! were made.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::schedule::Run;
use crate::{
    desired::{Address, Node, Tree},
    program::{Field, Schema},
    provider::{ErrorKind, ProviderError},
    state::{Effect, ResourceState, Site},
};

/// How long a service may hold a name that was given up.
const NAME_HELD: Duration = Duration::from_mins(5);

/// What this run did, and when.
pub(super) struct Lately {
    began: Instant,
    /// What it deleted, or gave another name.
    ended: Mutex<Vec<Ended>>,
    made: Mutex<BTreeMap<Address, Instant>>,
}

/// An object that this run has deleted, as it was.
struct Ended {
    old: Arc<ResourceState>,
    at: Instant,
}

impl Ended {
    /// Whether it was one of this type, with this id if one is given.
    fn is(&self, type_name: &str, id: Option<&str>) -> bool {
        self.old.address.type_name() == type_name && id.is_none_or(|id| id == self.old.id)
    }

    /// Whether it had the natural key of these inputs, where its type has one.
    fn had_key(&self, schema: &Schema, site: &Site, inputs: &Tree) -> bool {
        let same = |field: &Field| plain(field, &self.old.inputs) == plain(field, inputs);
        let mut keys = schema.fields().iter().filter(|field| field.key).peekable();
        self.is(schema.type_name, None) && site.is_of(&self.old) && keys.peek().is_some() && keys.all(same)
    }
}

fn plain(field: &Field, inputs: &Tree) -> Option<serde_json::Value> {
    let value = inputs.get(field.name)?.plain()?;
    Some(field.normalize.map_or(value.clone(), |normalize| normalize(value)))
}

impl Lately {
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), ended: Mutex::default(), made: Mutex::default() }
    }

    fn ended(&self, which: impl Fn(&Ended) -> bool, window: Duration) -> bool {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.iter().any(|end| end.at.elapsed() < window && which(end))
    }
}

impl Run<'_> {
    /// An object has ended, or has another natural key now.
    pub(super) fn has_ended(&self, old: Arc<ResourceState>) {
        let mut ended = self.lately.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.push(Ended { old, at: Instant::now() });
    }

    /// The objects that end with these effects have ended.
    pub(super) fn have_ended(&self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::End(old) => self.has_ended(old.clone()),
                Effect::Remove(address) => self.live.resource(address).into_iter().for_each(|old| self.has_ended(old)),
                Effect::Deleted(address, id) => {
                    self.live.left_behind(address, id).into_iter().for_each(|old| self.has_ended(old));
                }
                _ => {}
            }
        }
    }

    /// Whether this run deleted an object of this type, so lately that it may still show.
    pub(super) fn ended_lately(&self, schema: &Schema) -> bool {
        self.lately.ended(|end| end.is(schema.type_name, None), schema.consistency)
    }

    /// Whether this run deleted the object with this id, which may still show.
    pub(super) fn may_still_show(&self, schema: &Schema, id: &str) -> bool {
        self.lately.ended(|end| end.is(schema.type_name, Some(id)), NAME_HELD.max(schema.consistency))
    }

    /// Whether this run gave up the natural key of these inputs, which the service may still hold.
    pub(super) fn gave_up_key(&self, schema: &Schema, site: &Site, inputs: &Tree) -> bool {
        self.lately.ended(|end| end.had_key(schema, site, inputs), NAME_HELD.max(schema.consistency))
    }

    /// Whether this run deleted this object of a site.
    pub(super) fn ended_in(&self, holder: &ResourceState, kind: &str, id: &str) -> bool {
        self.lately.ended(|end| end.is(kind, Some(id)) && end.old.site().is_of(holder), Duration::MAX)
    }

    /// An object was made, or has another natural key now.
    pub(super) fn has_made(&self, address: &Address) {
        let mut made = self.lately.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.insert(address.clone(), Instant::now());
    }

    /// Whether something is not found only because it was made a moment ago: by this run, or by one right before. What the
    /// service names is not there, unless one of these is called so.
    pub(super) fn lags_behind(&self, node: &Node, error: &ProviderError) -> bool {
        let missing = match &error.kind {
            ErrorKind::NotFound => None,
            ErrorKind::Missing { what } => Some(what.as_str()),
            _ => return false,
        };
        let made = self.lately.made.lock().unwrap_or_else(PoisonError::into_inner);
        let mut others = node.dependencies.iter().chain([&node.address]);
        others.any(|address| {
            let Some(state) = self.live.resource(address) else { return false };
            let when = made.get(address).unwrap_or(&self.lately.began);
            when.elapsed() < node.schema.consistency && missing.is_none_or(|what| is_called(&state, what))
        })
    }
}

/// Whether it is what a service names so: by its id, or by a text that it has.
fn is_called(state: &ResourceState, what: &str) -> bool {
    state.id.eq_ignore_ascii_case(what) || has_text(&state.outputs, what) || has_text(&state.inputs, what)
}

fn has_text(tree: &Tree, what: &str) -> bool {
    match tree {
        Tree::Leaf(value) => value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(what)),
        Tree::List(items) => items.iter().any(|item| has_text(item, what)),
        Tree::Map(entries) => entries.values().any(|entry| has_text(entry, what)),
        Tree::Unknown(_) | Tree::Secret(_) => false,
    }
}
