//! What is known of an object whose create or update was not finished.

use super::{Looks, conceal::concealed_outputs, refresh::request};
use crate::{
    desired::Tree,
    program::{Field, Schema},
    provider::{Driver, Observation, ProviderResult},
    state::ResourceState,
};

/// The resource as such an update has left it, as far as the service shows it; `None` when it shows no change. Something
/// that shows half of the update is looked at until it would show the rest.
pub(crate) async fn halfway(
    driver: &dyn Driver,
    before: &ResourceState,
    target: &ResourceState,
    mut looks: Looks,
) -> ProviderResult<Option<ResourceState>> {
    let fields = driver.schema().fields();
    loop {
        let Some(seen) = driver.read(&request(before)).await? else { return Ok(None) };
        let (landed, missing) = landed(before, target, &seen, fields);
        if !missing || !looks.again().await {
            return Ok(landed);
        }
    }
}

/// The resource whose object has another key now. What else was to change and is not seen, is compared again.
pub(crate) fn renamed(
    before: &ResourceState,
    target: &ResourceState,
    seen: &Observation,
    schema: &Schema,
) -> ResourceState {
    let fields = schema.fields();
    let (landed, _missing) = landed(before, target, seen, fields);
    let state = landed.unwrap_or_else(|| before.clone());
    let state = ResourceState { id: seen.id.clone(), outputs: concealed_outputs(seen, schema, target), ..state };
    with_keys(state, target, fields)
}

/// The resource whose object has this id now, which nobody could look at since.
pub(crate) fn renamed_unseen(
    before: &ResourceState,
    target: &ResourceState,
    id: &str,
    fields: &[Field],
) -> ResourceState {
    let mut state = ResourceState { id: id.to_owned(), outputs: known_by(id), ..before.clone() };
    state.dependencies.extend(target.dependencies.iter().cloned());
    let is_key = |path: &str| fields.iter().any(|field| field.key && field.name == path);
    let kept = before.references.iter().filter(|(path, _)| !is_key(path));
    let new = target.references.iter().filter(|(path, _)| is_key(path));
    state.references = kept.chain(new).map(|(path, of)| (path.clone(), of.clone())).collect();
    with_keys(state, target, fields)
}

/// The outputs of what is known by its id alone: enough to finish it or to delete it, and the next run reads the others.
pub(crate) fn known_by(id: &str) -> Tree {
    Tree::Map([("id".to_owned(), Tree::Leaf(id.into()))].into())
}

/// The resource under the key that it was given, however the service writes it.
fn with_keys(mut state: ResourceState, target: &ResourceState, fields: &[Field]) -> ResourceState {
    if let (Tree::Map(has), Tree::Map(gets)) = (&mut state.inputs, &target.inputs) {
        let keys = fields.iter().filter(|field| field.key);
        has.extend(keys.filter_map(|field| Some((field.name.to_owned(), gets.get(field.name)?.clone()))));
    }
    state
}

/// The resource with those changes that are seen, if there are any, and whether others are missing. A field that state
/// knows nothing of would be the service's business once the program sets it no more, and what it refers to could be
/// deleted before it.
fn landed(
    before: &ResourceState,
    target: &ResourceState,
    seen: &Observation,
    fields: &[Field],
) -> (Option<ResourceState>, bool) {
    let changing = |field: &&Field| before.inputs.get(field.name) != target.inputs.get(field.name);
    // Whether what is never shown has changed, nobody can say: it is sent again.
    let shown = fields.iter().filter(|field| !field.write_only && !field.via).filter(changing);
    let (there, missing): (Vec<&Field>, Vec<&Field>) =
        shown.partition(|field| alike(field, seen.inputs.get(field.name), target.inputs.get(field.name)));
    let (Tree::Map(mut inputs), false) = (before.inputs.clone(), there.is_empty()) else {
        return (None, !missing.is_empty());
    };
    for field in &there {
        match target.inputs.get(field.name) {
            Some(value) => drop(inputs.insert(field.name.to_owned(), value.clone())),
            None => drop(inputs.remove(field.name)),
        }
    }
    let is_there = |path: &str| there.iter().any(|field| path.split(['.', '[']).next() == Some(field.name));
    let kept = before.references.iter().filter(|(path, _)| !is_there(path));
    let new = target.references.iter().filter(|(path, _)| is_there(path));
    let mut state = before.clone();
    state.references = kept.chain(new).map(|(path, of)| (path.clone(), of.clone())).collect();
    state.dependencies.extend(target.dependencies.iter().cloned());
    state.inputs = Tree::Map(inputs);
    (Some(state), !missing.is_empty())
}

fn alike(field: &Field, seen: Option<&Tree>, wanted: Option<&Tree>) -> bool {
    let plain = |tree: Option<&Tree>| {
        let value = tree.map(|tree| tree.exposed().plain().unwrap_or_default());
        value.map(|value| field.normalize.map_or(value.clone(), |normalize| normalize(value)))
    };
    plain(seen) == plain(wanted)
}
