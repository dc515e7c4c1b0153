//! What a running apply knows: the snapshot as it grows, and the values that come with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

use crate::{
    desired::{
        Address, Desired, Entries, Node, ProviderKey, Tree, conceal_fields, configured_in_clear, describe, evaluate,
        in_clear, secret_key,
    },
    observe::Observed,
    plan::Op,
    program::{Expr, Field, Shape, Unset},
    report::Diagnostic,
    state::{Effect, ProviderState, Referred, ResourceState, Site, Snapshot},
};

/// The part of an apply that its actions share.
pub(super) struct Live {
    state: Mutex<Known>,
}

struct Known {
    snapshot: Snapshot,
    lookups: BTreeMap<Address, Tree>,
    replaced: BTreeMap<Address, bool>,
    became: BTreeMap<Address, Op>,
    providers: BTreeMap<ProviderKey, Arc<ProviderState>>,
}

impl Live {
    /// Starts from the planned snapshot, with outputs as they were observed.
    pub(super) fn new(snapshot: &Snapshot, observed: &Observed) -> Self {
        let mut snapshot = snapshot.clone();
        for state in snapshot.resources.values_mut() {
            if let Some(seen) = observed.present(&state.address)
                && (seen.id != state.id || seen.outputs != state.outputs)
            {
                let state = Arc::make_mut(state);
                state.outputs = seen.outputs.clone();
                state.id.clone_from(&seen.id);
            }
        }
        let known = Known {
            snapshot,
            lookups: observed.lookups.clone(),
            replaced: BTreeMap::new(),
            became: BTreeMap::new(),
            providers: BTreeMap::new(),
        };
        Self { state: Mutex::new(known) }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the apply has made of the snapshot.
    pub(super) fn into_snapshot(self) -> Snapshot {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).snapshot
    }

    /// The object with this id that a replacement has left behind.
    pub(super) fn left_behind(&self, address: &Address, id: &str) -> Option<Arc<ResourceState>> {
        self.known().snapshot.pending_deletes.iter().find(|old| old.address == *address && old.id == id).cloned()
    }

    pub(super) fn resource(&self, address: &Address) -> Option<Arc<ResourceState>> {
        self.known().snapshot.resources.get(address).cloned()
    }

    /// This provider, shared by all resources that are made with it while it is configured alike.
    pub(super) fn shared(&self, key: &ProviderKey, provider: ProviderState) -> Arc<ProviderState> {
        let providers = &mut self.known().providers;
        match providers.get(key) {
            Some(known) if **known == provider => Arc::clone(known),
            _ => {
                let provider = Arc::new(provider);
                providers.insert(key.clone(), Arc::clone(&provider));
                provider
            }
        }
    }

    /// Which of these objects of a site, by type and id, are the stack's, or await their deletion in state.
    pub(super) fn owns(&self, site: &Site, objects: &[(&str, &str)]) -> Vec<bool> {
        self.known().snapshot.owns(site, objects)
    }

    pub(super) fn apply(&self, effects: &[Effect]) {
        let mut known = self.known();
        for effect in effects {
            known.snapshot.apply(effect);
        }
    }

    pub(super) fn identify(&self, kind: &str, scope: &str, identity: &str) -> bool {
        let mut known = self.known();
        let before =
            known.snapshot.identities.entry(kind.to_owned()).or_default().insert(scope.to_owned(), identity.to_owned());
        before.as_deref() != Some(identity)
    }

    pub(super) fn export(&self, exports: BTreeMap<String, Tree>) {
        self.known().snapshot.exports = exports;
    }

    /// What lookups have found, where state does not say so yet. Those that the program dropped are kept until `whole`.
    pub(super) fn remember_lookups(&self, whole: bool, unasked: &BTreeSet<Address>) -> Option<BTreeMap<Address, Tree>> {
        let known = &mut *self.known();
        let mut lookups = known.snapshot.lookups.clone();
        lookups.retain(|address, _| !whole || unasked.contains(address));
        lookups.extend(known.lookups.iter().map(|(address, found)| (address.clone(), found.clone())));
        if lookups == known.snapshot.lookups {
            return None;
        }
        known.snapshot.lookups.clone_from(&lookups);
        Some(lookups)
    }

    pub(super) fn looked_up(&self, address: &Address, found: Tree) {
        self.known().lookups.insert(address.clone(), found);
    }

    pub(super) fn judged(&self, address: &Address, replaced: bool) {
        self.known().replaced.insert(address.clone(), replaced);
    }

    /// Whether a step that hangs on these conditions replaces: one without any does.
    pub(super) fn replaces(&self, conditions: &BTreeSet<Address>) -> bool {
        conditions.is_empty() || conditions.iter().any(|root| self.known().replaced.get(root) == Some(&true))
    }

    /// A step that might have replaced turned out to be another.
    pub(super) fn became(&self, address: &Address, op: Op) {
        self.known().became.insert(address.clone(), op);
    }

    /// What a step turned out to be, where it is another than was planned.
    pub(super) fn turned_out(&self, address: &Address) -> Option<Op> {
        self.known().became.get(address).cloned()
    }

    /// An expression with everything that is known by now.
    pub(super) fn evaluate(&self, expr: &Expr) -> Tree {
        let known = self.known();
        evaluate(expr, &mut |origin, field| {
            let address = &origin.address;
            let outputs =
                known.snapshot.resources.get(address).map(|state| &state.outputs).or(known.lookups.get(address));
            outputs?.get(field).cloned()
        })
    }

    /// A resource's inputs, all known.
    pub(super) fn inputs(&self, node: &Node) -> Result<Tree, Diagnostic> {
        let tree = conceal_fields(self.evaluate(&node.inputs), node.schema.fields());
        if let Some(key) = secret_key(node.schema, &tree) {
            return Err(in_clear(&node.address, &key).about(&node.address).at(&node.at));
        }
        let problem = if let Some(why) = tree.field_too_deep() {
            Diagnostic::error(format!("a value of `{}` can't be used: {why}", node.address))
        } else if tree.is_known() {
            return Ok(tree);
        } else {
            let mut unknown = Vec::new();
            unknowns(&tree, &mut unknown);
            Diagnostic::error(format!("a value for `{}` is not known", node.address)).detail(unknown.join("\n"))
        };
        Err(problem.about(&node.address).at(&node.at))
    }

    /// A provider's resolved configuration.
    pub(super) fn config(&self, desired: &Desired, key: &ProviderKey) -> Result<Value, Diagnostic> {
        let unknown =
            |what: String| Diagnostic::error(format!("the provider `{key}` can't be configured")).detail(what);
        let provider = desired.providers.get(key).ok_or_else(|| unknown("it is not declared".to_owned()))?;
        let config = self.evaluate(&provider.config);
        if config.has_secrets() {
            return Err(configured_in_clear(key));
        }
        config.plain().ok_or_else(|| unknown(describe(&provider.config)))
    }
}

fn unknowns(tree: &Tree, found: &mut Vec<String>) {
    match tree {
        Tree::Leaf(_) => {}
        Tree::List(items) => items.iter().for_each(|item| unknowns(item, found)),
        Tree::Map(entries) => entries.values().for_each(|entry| unknowns(entry, found)),
        Tree::Unknown(expr) => found.push(expr.clone()),
        Tree::Secret(inner) => unknowns(inner, found),
    }
}

/// The inputs as a driver gets them: what is unset and has a default, with that, unless another object fills it in.
pub fn with_defaults(inputs: &Tree, fields: &[Field]) -> Tree {
    let Tree::Map(entries) = inputs else { return inputs.clone() };
    let mut entries = entries.clone();
    for field in fields {
        let filled = field.is_filled(|by| entries.contains_key(by));
        match (entries.get_mut(field.name), field.unset, field.shape) {
            (None, Unset::Default(value), _) if !filled => {
                entries.insert(field.name.to_owned(), Tree::from(value()));
            }
            (Some(entry), _, Shape::Block(fields)) => *entry = with_defaults(entry, fields()),
            (Some(Tree::List(items)), _, Shape::Blocks(fields)) => {
                for item in items {
                    *item = with_defaults(item, fields());
                }
            }
            (Some(Tree::Map(items)), _, Shape::BlockMap(fields)) => {
                for item in items.values_mut() {
                    *item = with_defaults(item, fields());
                }
            }
            _ => {}
        }
    }
    Tree::Map(entries)
}

/// Where a resource's inputs come from, by path.
pub(crate) fn references(node: &Node) -> Entries<Referred> {
    let entry =
        |r: &crate::desired::Reference| (r.path.clone(), Referred { to: r.address.clone(), field: r.output.clone() });
    node.references.iter().map(entry).collect()
}
