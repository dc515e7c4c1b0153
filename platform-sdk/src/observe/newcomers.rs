//! Newcomers: what the program imports or adopts, and what of it is there to be taken in.

use super::{Observed, refresh::Reading};
use crate::{
    Result,
    desired::{Address, Node, Tree, evaluate},
    program::{Identity, Schema, Unset},
    provider::{Observation, ProviderError, Request},
    report::{Diagnostic, Error},
    state::ResourceState,
};

impl Reading<'_> {
    /// Whether it is looked for before it is made.
    pub(super) fn takes_in(&self, node: &Node) -> bool {
        let wanted = self.imported(node).is_some() || node.options.adopt_existing;
        let selected = self.selected.is_none_or(|selected| selected.contains(&node.address));
        wanted && selected && !self.snapshot.resources.contains_key(&node.address)
    }

    /// The id to import. What was imported once, and has ended since to be made anew, is not there to be imported again.
    fn imported<'n>(&self, node: &'n Node) -> Option<&'n String> {
        let before = self.snapshot.replacing.get(&node.address).and_then(|old| old.options.import.as_ref());
        node.options.import.as_ref().filter(|id| before != Some(id))
    }

    /// Looks for what is imported or adopted.
    pub(super) async fn newcomers(&self, observed: &mut Observed) -> Result<()> {
        let mut problems = Vec::new();
        for node in self.desired.nodes.values().filter(|node| self.takes_in(node)) {
            if self.is_behind_down(node, observed) {
                continue;
            }
            if self.imported(node).is_some() && self.imported_later(node, observed) {
                continue;
            }
            match self.newcomer(node, observed).await {
                Ok(Some(seen)) => drop(observed.found.insert(node.address.clone(), seen)),
                Ok(None) => {}
                Err(problem) => problems.push(problem.about(&node.address).at(&node.at)),
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::all(problems)) }
    }

    async fn newcomer(&self, node: &Node, observed: &Observed) -> Result<Option<Observation>, Diagnostic> {
        let failed =
            |error: &ProviderError| Diagnostic::of_provider(format!("cannot look for `{}`", node.address), error);
        let Some(config) = self.config_of(&node.provider) else { return Ok(None) };
        let driver = self.connections.driver(node.provider.kind(), &config, node.schema.type_name).await;
        let driver = driver.map_err(|error| failed(&error))?;
        let read = |id: String| async { driver.read(&Request { id, inputs: None, outputs: None }).await };
        if let Some(id) = self.imported(node) {
            let seen = read(id.clone()).await.map_err(|error| failed(&error))?;
            let seen = seen.ok_or_else(|| {
                Diagnostic::error(format!("there is no `{id}` to import as `{}`", node.address))
                    .hint("check the id; `.import(..)` takes the id that the service shows")
            })?;
            return match self.owner(node, &seen.id) {
                Some(owner) => Err(Diagnostic::error(format!("`{}` is in state already, as `{owner}`", seen.id)).hint(
                    format!("say `.moved_from(\"{owner}\")` instead of `.import(..)`, or `state forget` it first"),
                )),
                None => Ok(Some(seen)),
            };
        }
        let inputs = evaluate(&node.inputs, &mut |origin, field| {
            observed
                .lookups
                .get(&origin.address)
                .and_then(|found| found.get(field).cloned())
                .or_else(|| self.known_output(origin, field))
        });
        let Some(inputs) = identifying(node.schema, inputs).and_then(|inputs| inputs.plain()) else { return Ok(None) };
        // Only a natural key says which object is meant.
        if node.schema.identity != Identity::Key {
            return Ok(None);
        }
        let mut found = driver.find(&inputs).await.map_err(|error| failed(&error))?;
        // What the stack owns under another address is not there to be taken in: it is moved, or gives up its key.
        found.retain(|found| self.owner(node, &found.id).is_none());
        match found.as_slice() {
            [] => Ok(None),
            [one] => read(one.id.clone()).await.map_err(|error| failed(&error)),
            many => {
                let ids: Vec<&str> = many.iter().map(|found| found.id.as_str()).collect();
                Err(Diagnostic::error(format!("{} objects could be `{}`", many.len(), node.address))
                    .detail(ids.join(", "))
                    .hint("say which with `.import(\"id\")`"))
            }
        }
    }

    /// The address under which the stack owns an object of this node's type and provider.
    fn owner(&self, node: &Node, id: &str) -> Option<&Address> {
        let of = &self.desired.providers.get(&node.provider)?.dependencies;
        let is = |state: &&ResourceState| {
            state.address.type_name() == node.schema.type_name && state.id == id && state.provider.of == *of
        };
        let (live, left) = (self.snapshot.resources.values(), &self.snapshot.pending_deletes);
        live.chain(left).map(|state| &**state).find(is).map(|state| &state.address)
    }
}

/// The inputs that find an object: without optional ones that are not known yet. `None` while its key is not.
fn identifying(schema: &Schema, inputs: Tree) -> Option<Tree> {
    let Tree::Map(entries) = inputs else { return Some(inputs) };
    let mut known = Vec::new();
    for (name, value) in &entries {
        let field = schema.field(name)?;
        if value.is_known() {
            known.push((name.clone(), value.clone()));
        } else if field.key || matches!(field.unset, Unset::Never) {
            return None;
        }
    }
    Some(Tree::Map(known.into_iter().collect()))
}
