//! What a rollback wants: the inputs of an earlier snapshot, under this program's providers.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Address, Desired, Entries, Node, ProviderKey, ProviderNode, Reference, Tree, graph::as_expr, order, validate,
};
use crate::{
    Result,
    program::{Expr, Field, Options, Origin, Schema, Shape},
    report::{Diagnostic, Error},
    state::{ResourceState, Snapshot},
};

impl Desired {
    /// What an earlier snapshot held. References are kept where a whole field was one; write-only fields are those of
    /// today, and what has another address today keeps its object.
    ///
    /// # Errors
    /// When a type of the snapshot is not known to any provider.
    pub fn of_snapshot(
        self,
        old: &Snapshot,
        now: &Snapshot,
        schemas: &BTreeMap<&'static str, &'static Schema>,
    ) -> Result<Self> {
        let mut desired = self.nothing();
        let mut problems = Vec::new();
        for state in old.resources.values() {
            let Some(schema) = schemas.get(state.address.type_name()) else {
                problems.push(Diagnostic::error(format!(
                    "no provider of the program knows the type of `{}`",
                    state.address
                )));
                continue;
            };
            let (key, provider) = desired.provider_of(state);
            desired.providers.entry(key.clone()).or_insert(provider);
            let mut node = stored(state, old, now.resources.get(&state.address).map(|now| &**now), (schema, key));
            if let Some(today) = address_today(state, old, now) {
                Arc::make_mut(&mut node.options).moved_from.push(today.to_string());
            }
            desired.nodes.insert(state.address.clone(), node);
        }
        if !problems.is_empty() {
            return Err(Error::all(problems));
        }
        let given: Vec<Address> = desired.nodes.keys().cloned().collect();
        desired.order =
            order::order(&given, &desired.nodes).map_err(|cycle| validate::cycle(&cycle, &desired.nodes))?;
        desired.parting = None;
        desired.exports = old.exports.iter().map(|(name, tree)| (name.clone(), as_expr(tree))).collect();
        Ok(desired)
    }

    fn provider_of(&self, state: &ResourceState) -> (ProviderKey, ProviderNode) {
        let default = ProviderKey::default_of(&state.provider.kind);
        let kind = default.kind_of(self.providers.values().map(|provider| provider.kind));
        let config = Expr::Value(state.provider.config.clone());
        let key = if state.provider.of.is_empty() { default } else { ProviderKey::new(kind, &config) };
        (key, ProviderNode { kind, config, dependencies: state.provider.of.clone() })
    }
}

/// The address under which the same object stands today, where it is another one.
fn address_today<'n>(state: &ResourceState, old: &Snapshot, now: &'n Snapshot) -> Option<&'n Address> {
    if now.resources.contains_key(&state.address) {
        return None;
    }
    let same = |other: &&std::sync::Arc<ResourceState>| {
        other.id == state.id
            && other.scope == state.scope
            && other.address.type_name() == state.address.type_name()
            && !old.resources.contains_key(&other.address)
    };
    now.resources.values().find(same).map(|other| &other.address)
}

/// A node of what state held.
fn stored(
    state: &ResourceState,
    old: &Snapshot,
    now: Option<&ResourceState>,
    (schema, provider): (&'static Schema, ProviderKey),
) -> Node {
    let inputs = left_alone(&state.inputs, now.map(|now| &now.inputs), schema.fields());
    let mut references = Vec::new();
    let mut entries = match as_expr(&inputs) {
        Expr::Map(entries) => entries,
        _ => Entries::new(),
    };
    for (path, reference) in &state.references {
        let (address, output) = (reference.to.clone(), reference.field.clone());
        // What was made of an output, or looked up, holds as it was then: how it was made is not written down.
        let output_then = old.resources.get(&address).and_then(|of| of.outputs.get(&output)?.plain());
        if output_then.is_none() || inputs.get(path).and_then(Tree::plain) != output_then {
            continue;
        }
        let origin = Arc::new(Origin { recording: 0, address: address.clone() });
        entries.insert(path.clone(), Expr::Output { origin, field: output.clone() });
        references.push(Reference { field: path.clone(), path: path.clone(), address, output });
    }
    // How an object came into the stack is of today: an id that was imported then may be gone.
    let today = now.map(|now| (*now.options).clone()).unwrap_or_default();
    let options = Options {
        moved_from: today.moved_from,
        import: today.import,
        adopt_existing: today.adopt_existing,
        ..(*state.options).clone()
    };
    Node {
        address: state.address.clone(),
        schema,
        inputs: Expr::Map(entries),
        references,
        dependencies: state.dependencies.iter().filter(|address| !address.is_lookup()).cloned().collect(),
        parents: state.parents.iter().filter(|address| !address.is_lookup()).cloned().collect(),
        options: options.shared(),
        provider,
        at: "history".into(),
    }
}

/// The inputs of then with the write-only ones of today: nobody can tell what a service holds, and an old password is no
/// better than a new one. What is not there any more is made anew with what it was made with.
fn left_alone(then: &Tree, now: Option<&Tree>, fields: &[Field]) -> Tree {
    let (Tree::Map(entries), Some(now @ Tree::Map(_))) = (then, now) else { return then.clone() };
    let mut entries = entries.clone();
    for field in fields {
        let today = now.get(field.name);
        if field.write_only {
            match today {
                Some(value) => drop(entries.insert(field.name, value.clone())),
                None => drop(entries.remove(field.name)),
            }
        } else if let (Shape::Block(fields), Some(entry)) = (field.shape, entries.get_mut(field.name)) {
            *entry = left_alone(entry, today, fields());
        } else if let (Shape::BlockMap(fields), Some(Tree::Map(items))) = (field.shape, entries.get_mut(field.name)) {
            for (key, item) in items.iter_mut() {
                *item = left_alone(item, today.and_then(|today| today.get(key)), fields());
            }
        }
    }
    Tree::Map(entries)
}
