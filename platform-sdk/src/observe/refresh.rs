//! Reading reality: what state knows, in bulk where the service lists; lookups; what is imported or adopted.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, stream};
use serde_json::Value;

use super::{Connections, Observed, Sighting};
use crate::{
    Result,
    desired::{Address, Desired, LookupNode, Node, ProviderKey, Tree, evaluate},
    program::{Expr, Origin},
    provider::{ErrorKind, Observation, ProviderError, ProviderResult, Request},
    report::{Diagnostic, Error},
    state::{ResourceState, Snapshot},
};

/// How many objects of a type make listing cheaper than reading each.
const WORTH_LISTING: usize = 4;

/// The provider of the SDK's own resources: state is all there is of them.
pub(crate) const BUILTIN: &str = "platform";

/// What is to be read.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// What the program wants.
    pub desired: &'a Desired,
    /// What the stack owns, moves applied.
    pub snapshot: &'a Snapshot,
    /// Where it is read from.
    pub connections: &'a Connections,
    /// How many reads at once.
    pub parallel: usize,
    /// Reality is not to be read; why not.
    pub offline: Option<&'a str>,
}

/// Reads everything that a plan needs to know.
///
/// # Errors
/// When a provider can't be reached at all, talks to another target than state records, or a lookup finds nothing.
pub async fn observe(reading: Reading<'_>) -> Result<Observed> {
    let mut observed = Observed { offline: reading.offline.map(str::to_owned), ..Observed::default() };
    if reading.offline.is_some() {
        return Ok(observed);
    }
    reading.prove(&mut observed).await?;
    reading.state(&mut observed).await?;
    reading.lookups(&mut observed).await?;
    reading.newcomers(&mut observed).await?;
    let mut secrets = Vec::new();
    for state in reading.snapshot.resources.values() {
        state.inputs.collect_secrets(&mut secrets);
        state.outputs.collect_secrets(&mut secrets);
    }
    for sighting in observed.sightings.values_mut() {
        if let Sighting::Present(seen) = sighting {
            seen.inputs = std::mem::take(&mut seen.inputs).concealing(&secrets);
            seen.outputs = std::mem::take(&mut seen.outputs).concealing(&secrets);
        }
    }
    Ok(observed)
}

impl Reading<'_> {
    /// What must be contacted: kinds and configurations of state, lookups and imports, without the SDK's own.
    pub(super) fn targets(&self) -> BTreeMap<(String, String), Value> {
        let mut targets = BTreeMap::new();
        let mut add = |kind: &str, config: Value| {
            if kind != BUILTIN {
                targets.insert((kind.to_owned(), config.to_string()), config);
            }
        };
        for state in self.snapshot.resources.values().filter(|state| state.provider.of.is_empty()) {
            add(&state.provider.kind, self.config_for(state));
        }
        let lookups = self.desired.lookups.values().map(|lookup| &lookup.provider);
        let taken_in = self.desired.nodes.values().filter(|node| self.takes_in(node)).map(|node| &node.provider);
        for key in lookups.chain(taken_in) {
            if let Some(config) = self.config_of(key) {
                add(key.kind(), config);
            }
        }
        targets
    }

    /// Whether any provider must be contacted.
    pub fn needs_providers(&self) -> bool {
        !self.targets().is_empty() || self.snapshot.resources.values().any(|state| state.provider.kind != BUILTIN)
    }

    /// Whether every provider that must be contacted has credentials.
    ///
    /// # Errors
    /// What the first one without says.
    pub fn check_credentials(&self) -> ProviderResult<()> {
        self.targets().iter().try_for_each(|((kind, _), config)| self.connections.check_credentials(kind, config))
    }

    fn takes_in(&self, node: &Node) -> bool {
        let wanted = node.options.import.is_some() || node.options.adopt_existing;
        wanted && !self.snapshot.resources.contains_key(&node.address)
    }

    /// The provider's configuration, where it is known from what state knows.
    pub(crate) fn config_of(&self, key: &ProviderKey) -> Option<Value> {
        let provider = self.desired.providers.get(key)?;
        evaluate(&provider.config, &mut |origin, field| self.known_output(origin, field)).plain()
    }

    fn known_output(&self, origin: &Origin, field: &str) -> Option<Tree> {
        self.snapshot.resources.get(&origin.address)?.outputs.get(field).cloned()
    }

    /// The configuration to reach an object with: the program's, where it still has one, else the one it was made with.
    pub(crate) fn config_for(&self, state: &ResourceState) -> Value {
        let node = self.desired.nodes.get(&state.address);
        let default = ProviderKey::default_of(&state.provider.kind);
        let key = match node {
            Some(node) => Some(&node.provider),
            None if state.provider.of.is_empty() => Some(&default),
            None => None,
        };
        key.and_then(|key| self.config_of(key)).unwrap_or_else(|| state.provider.config.clone())
    }

    /// Each provider proves that it talks to what state records.
    async fn prove(&self, observed: &mut Observed) -> Result<()> {
        let mut problems = Vec::new();
        for ((kind, _), config) in self.targets() {
            match self.connections.identity(&kind, &config).await {
                Err(error) => {
                    problems.push(Diagnostic::of_provider(format!("cannot reach the provider `{kind}`"), &error));
                }
                Ok(identity) => {
                    if config == self.default_config(&kind) {
                        problems.extend(self.other_target(&kind, &identity));
                        observed.identities.insert(kind, identity);
                    }
                }
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::all(problems)) }
    }

    fn default_config(&self, kind: &str) -> Value {
        self.config_of(&ProviderKey::default_of(kind)).unwrap_or(Value::Null)
    }

    fn other_target(&self, kind: &str, proved: &BTreeMap<String, String>) -> Option<Diagnostic> {
        let recorded = self.snapshot.identities.get(kind)?;
        let (scope, was) = recorded.iter().find(|(scope, was)| proved.get(*scope).is_some_and(|is| is != *was))?;
        let is = &proved[scope];
        Some(
            Diagnostic::error(format!("`{kind}` talks to another {scope} than the one in state"))
                .detail(format!("state was made in {scope} `{was}`; the credentials in use lead to {scope} `{is}`"))
                .hint("use the login of the recorded one, or another --stack for the other"),
        )
    }

    async fn state(&self, observed: &mut Observed) -> Result<()> {
        let (plain, dependent): (Vec<_>, Vec<_>) = self
            .snapshot
            .resources
            .values()
            .map(|state| &**state)
            .filter(|state| state.provider.kind != BUILTIN)
            .partition(|state| state.provider.of.is_empty());
        self.read_all(&plain, observed).await;
        // What lives behind a provider that is made of other resources is reachable only while those are there.
        let reachable: Vec<&ResourceState> =
            dependent.into_iter().filter(|state| !state.provider.of.iter().any(|owner| observed.gone(owner))).collect();
        self.read_all(&reachable, observed).await;
        let mut problems: Vec<_> = Vec::new();
        if !observed.unreadable.is_empty() && observed.unreadable.len() == self.snapshot.resources.len() {
            problems.extend(observed.unreadable.values().next().cloned());
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::all(problems)) }
    }

    async fn read_all(&self, states: &[&ResourceState], observed: &mut Observed) {
        let mut groups: BTreeMap<(String, String, &str), Vec<&ResourceState>> = BTreeMap::new();
        for state in states {
            let config = self.config_for(state).to_string();
            groups.entry((state.provider.kind.clone(), config, state.address.type_name())).or_default().push(state);
        }
        let reads = groups.into_values().map(|group| self.read_group(group));
        let mut reads = stream::iter(reads).buffer_unordered(self.parallel.max(1));
        while let Some(results) = reads.next().await {
            for (address, result) in results {
                match result {
                    Ok(Some(seen)) => drop(observed.sightings.insert(address, Sighting::Present(seen))),
                    Ok(None) => drop(observed.sightings.insert(address, Sighting::Gone)),
                    Err(error) => {
                        let problem =
                            Diagnostic::of_provider(format!("cannot read `{address}`"), &error).about(&address);
                        observed.sightings.insert(address.clone(), Sighting::Unread(error.message));
                        observed.unreadable.insert(address, problem);
                    }
                }
            }
        }
    }

    async fn read_group(&self, group: Vec<&ResourceState>) -> Vec<(Address, ProviderResult<Option<Observation>>)> {
        let mut listed = BTreeMap::new();
        if group.len() >= WORTH_LISTING
            && let Ok(Some(all)) = self.list(&group).await
        {
            listed = all.into_iter().map(|seen| (seen.id.clone(), seen)).collect();
        }
        let reads = group.into_iter().map(|state| {
            let found = listed.get(&state.id).cloned();
            async move {
                // A list may leave out what was made a moment ago or what we may not see: absence is confirmed.
                let result = match found {
                    Some(seen) => Ok(Some(seen)),
                    None => self.read(state).await,
                };
                (state.address.clone(), result)
            }
        });
        stream::iter(reads).buffer_unordered(self.parallel.max(1)).collect().await
    }

    async fn list(&self, group: &[&ResourceState]) -> ProviderResult<Option<Vec<Observation>>> {
        let Some(first) = group.first() else { return Ok(None) };
        let config = self.config_for(first);
        let driver = self.connections.driver(&first.provider.kind, &config, first.address.type_name()).await?;
        let of: Vec<Request> = group.iter().map(|state| request(state)).collect();
        driver.list(&of).await
    }

    async fn read(&self, state: &ResourceState) -> ProviderResult<Option<Observation>> {
        let config = self.config_for(state);
        self.scope(state, &config).await?;
        let driver = self.connections.driver(&state.provider.kind, &config, state.address.type_name()).await?;
        driver.read(&request(state)).await
    }

    /// An object is read only where it was made.
    async fn scope(&self, state: &ResourceState, config: &Value) -> ProviderResult<()> {
        let Some((scope, was)) = &state.scope else { return Ok(()) };
        let identity = self.connections.identity(&state.provider.kind, config).await?;
        match identity.get(scope) {
            Some(is) if is != was => Err(ProviderError::new(
                ErrorKind::Denied,
                format!("it was made in {scope} `{was}`, and its provider talks to {scope} `{is}`"),
            )
            .hint("use the login of the recorded one, or another --stack for the other")),
            _ => Ok(()),
        }
    }

    async fn lookups(&self, observed: &mut Observed) -> Result<()> {
        let mut problems = Vec::new();
        for lookup in self.desired.lookups.values() {
            // Behind a provider that this very stack makes, it is read during the apply.
            let Some(config) = self.config_of(&lookup.provider) else { continue };
            match look_up(self.connections, lookup, &config).await {
                Ok(found) => drop(observed.lookups.insert(lookup.address.clone(), found)),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::all(problems)) }
    }

    async fn newcomers(&self, observed: &mut Observed) -> Result<()> {
        let mut problems = Vec::new();
        for node in self.desired.nodes.values().filter(|node| self.takes_in(node)) {
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
        if let Some(id) = &node.options.import {
            let seen = read(id.clone()).await.map_err(|error| failed(&error))?;
            return seen.map(Some).ok_or_else(|| {
                Diagnostic::error(format!("there is no `{id}` to import as `{}`", node.address))
                    .hint("check the id; `.import(..)` takes the id that the service shows")
            });
        }
        let inputs = evaluate(&node.inputs, &mut |origin, field| {
            observed
                .lookups
                .get(&origin.address)
                .and_then(|found| found.get(field).cloned())
                .or_else(|| self.known_output(origin, field))
        });
        let Some(inputs) = inputs.plain() else { return Ok(None) };
        let found = driver.find(&inputs).await.map_err(|error| failed(&error))?;
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
}

/// What a driver is told of an object.
pub(crate) fn request(state: &ResourceState) -> Request {
    Request { id: state.id.clone(), inputs: state.inputs.plain(), outputs: state.outputs.plain() }
}

/// Reads one lookup.
pub(crate) async fn look_up(
    connections: &Connections,
    lookup: &LookupNode,
    config: &Value,
) -> Result<Tree, Diagnostic> {
    let key = match &lookup.key {
        Expr::Value(Value::String(key)) => key.clone(),
        other => crate::desired::describe(other),
    };
    let about = |problem: Diagnostic| problem.about(&lookup.address).at(&lookup.at);
    let failed =
        |error: &ProviderError| about(Diagnostic::of_provider(format!("cannot look up `{}`", lookup.address), error));
    let driver = connections.look_up(lookup.provider.kind(), config, lookup.type_name).await.map_err(|e| failed(&e))?;
    driver.look_up(&key).await.map_err(|error| failed(&error))?.ok_or_else(|| {
        about(
            Diagnostic::error(format!("there is no {} `{key}`", lookup.type_name)).hint(
                "create it outside of this stack, correct the name, or check which workspace or account is meant",
            ),
        )
    })
}

/// What lives in objects that end, without what the stack itself owns.
///
/// # Errors
/// Never; what can't be listed is left to the service's own refusal.
pub async fn contents(reading: Reading<'_>, ending: &BTreeSet<Address>, observed: &mut Observed) {
    let owned: BTreeSet<(&str, &str)> =
        reading.snapshot.resources.values().map(|own| (own.address.type_name(), own.id.as_str())).collect();
    for address in ending {
        let Some(state) = reading.snapshot.resources.get(address) else { continue };
        if state.provider.kind == BUILTIN || observed.present(address).is_none() {
            continue;
        }
        let config = reading.config_for(state);
        let Ok(driver) = reading.connections.driver(&state.provider.kind, &config, address.type_name()).await else {
            continue;
        };
        let Ok(contents) = driver.contents(&state.id).await else { continue };
        let foreign = contents.iter().filter(|content| !owned.contains(&(content.type_name, content.id.as_str())));
        let foreign: Vec<String> = foreign.map(|content| format!("{} `{}`", content.type_name, content.id)).collect();
        if !foreign.is_empty() {
            observed.contents.insert(address.clone(), foreign);
        }
    }
}
