//! Reading reality: what state knows, in bulk where the service lists; lookups; what lives in objects that end.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt, stream};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::{Connections, Looks, Observed, Sighting, patience::READ_PATIENCE, reach::cannot_reach};
use crate::{
    Result,
    desired::{Address, Desired, LookupNode, ProviderKey, Tree, evaluate},
    program::{Expr, Operation, Origin, Schema},
    provider::{Driver, ErrorKind, Observation, ProviderError, ProviderResult, Request},
    report::Diagnostic,
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
    /// The outputs of other stacks, which are known already.
    pub references: &'a BTreeMap<Address, Tree>,
    /// How long ago at least what state says was done: what is younger may not be seen yet.
    pub age: Duration,
    /// Whether what is there is otherwise than what was last applied: `(state, inputs that are there)`.
    pub differs: fn(&Schema, &ResourceState, &Tree) -> bool,
    /// What is to be known; `None`: everything. Only the providers behind it are contacted.
    pub selected: Option<&'a BTreeSet<Address>>,
}

/// Reads everything that a plan needs to know.
///
/// # Errors
/// When a provider talks to another target than state records, or nothing is left to do beside what waits for a provider
/// that can't be reached or for a lookup that fails.
pub async fn observe(reading: Reading<'_>) -> Result<Observed> {
    let mut observed = Observed {
        offline: reading.offline.map(str::to_owned),
        lookups: reading.references.clone(),
        ..Observed::default()
    };
    if reading.offline.is_some() {
        let wanted = |address: &&Address| reading.desired.lookups.contains_key(*address);
        let known = reading.snapshot.lookups.iter().filter(|(address, _)| wanted(address));
        for (address, found) in known {
            observed.lookups.entry(address.clone()).or_insert_with(|| found.clone());
        }
        reading.left_places(&mut observed);
        return Ok(observed);
    }
    reading.prove(&mut observed).await?;
    reading.state(&mut observed).await?;
    reading.lookups(&mut observed).await?;
    reading.newcomers(&mut observed).await?;
    reading.hold_up(&mut observed)?;
    reading.conceal(&mut observed);
    Ok(observed)
}

/// Reads these objects of the state once more, and nothing beside them.
pub async fn observe_again(reading: Reading<'_>, only: &BTreeSet<Address>) -> Observed {
    let mut observed = Observed::default();
    let states = only.iter().filter_map(|address| reading.snapshot.resources.get(address)).map(|state| &**state);
    let (plain, dependent): (Vec<_>, Vec<_>) = states.partition(|state| state.provider.of.is_empty());
    reading.read_all(&plain, &mut observed).await;
    reading.read_behind(dependent, &mut observed).await;
    reading.conceal(&mut observed);
    observed
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
        let selected = |address: &Address| self.selected.is_none_or(|selected| selected.contains(address));
        let states = self.snapshot.resources.values().filter(|state| selected(&state.address));
        for state in states.filter(|state| state.provider.of.is_empty()) {
            add(&state.provider.kind, self.config_for(state));
        }
        let lookups = self.desired.lookups.values().filter(|lookup| selected(&lookup.address));
        let lookups = lookups.filter(|lookup| lookup.reference.is_none()).map(|lookup| &lookup.provider);
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
    /// Where none has: what the first one says whose login is mistaken, else the first one without any (`Denied`).
    pub fn check_credentials(&self) -> ProviderResult<()> {
        let targets = self.targets();
        let checked = targets.iter().map(|((kind, _), config)| self.connections.check_credentials(kind, config));
        let problems: Vec<_> = checked.filter_map(Result::err).collect();
        // Who can't log in to some of them is told so with what waits for them.
        if problems.len() < targets.len() {
            return Ok(());
        }
        let mistaken = problems.iter().position(|problem| problem.kind != ErrorKind::Denied);
        problems.into_iter().nth(mistaken.unwrap_or(0)).map_or(Ok(()), Err)
    }

    /// The provider's configuration, where it is known from what state knows, and leads to something that can be asked.
    pub(crate) fn config_of(&self, key: &ProviderKey) -> Option<Value> {
        let provider = self.desired.providers.get(key).filter(|_| self.waits_for(key).is_none())?;
        let config = evaluate(&provider.config, &mut |origin, field| self.known_output(origin, field)).plain()?;
        self.connections.configured(key, &config);
        Some(config)
    }

    pub(super) fn known_output(&self, origin: &Origin, field: &str) -> Option<Tree> {
        let outputs = self.snapshot.resources.get(&origin.address).map(|state| &state.outputs);
        let looked_up = || self.references.get(&origin.address).or_else(|| self.snapshot.lookups.get(&origin.address));
        outputs.or_else(looked_up)?.get(field).cloned()
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

    async fn state(&self, observed: &mut Observed) -> Result<()> {
        let places = self.places();
        let (plain, dependent): (Vec<_>, Vec<_>) = self
            .snapshot
            .resources
            .values()
            .map(|state| &**state)
            .filter(|state| state.provider.kind != BUILTIN && self.is_wanted(state, places.as_ref()))
            .partition(|state| state.provider.of.is_empty());
        self.read_all(&plain, observed).await;
        self.read_behind(dependent, observed).await;
        self.in_renamed_places(observed).await;
        let mut unread = observed.unreadable.iter().filter(|(address, _)| !observed.strangers.contains_key(*address));
        // Where nothing at all can be read, it is not the objects that are to blame.
        match unread.next() {
            Some((_, problem)) if observed.down.is_empty() && unread.count() + 1 == self.snapshot.resources.len() => {
                Err(problem.clone().into())
            }
            _ => Ok(()),
        }
    }

    /// Reads what lives behind providers that are made of other resources, those first. It is reachable only while they
    /// are there; where what is gone is its scope, it is gone too, unread.
    async fn read_behind(&self, mut waiting: Vec<&ResourceState>, observed: &mut Observed) {
        while !waiting.is_empty() {
            let unread: BTreeSet<&Address> = waiting.iter().map(|state| &state.address).collect();
            let (next, later): (Vec<&ResourceState>, Vec<_>) =
                waiting.iter().partition(|state| !state.provider.of.iter().any(|owner| unread.contains(owner)));
            let (lost, reachable): (Vec<&ResourceState>, Vec<_>) =
                next.into_iter().partition(|state| state.provider.of.iter().any(|owner| observed.gone(owner)));
            for state in lost.iter().filter(|state| self.scope_is_gone(state, observed)).collect::<Vec<_>>() {
                observed.sightings.insert(state.address.clone(), Sighting::Gone);
            }
            self.read_all(&reachable, observed).await;
            if later.len() == unread.len() {
                break;
            }
            waiting = later;
        }
    }

    fn scope_is_gone(&self, state: &ResourceState, observed: &Observed) -> bool {
        let Some((_, scope)) = &state.scope else { return false };
        let id = |owner: &Address| self.snapshot.resources.get(owner).map(|state| &state.id);
        state.provider.of.iter().any(|owner| observed.gone(owner) && id(owner) == Some(scope))
    }

    async fn read_all(&self, states: &[&ResourceState], observed: &mut Observed) {
        let mut groups: BTreeMap<(&str, String, &str), (Value, Vec<&ResourceState>)> = BTreeMap::new();
        // Ways that lead nowhere: each is tried once.
        let mut lost = BTreeMap::new();
        for state in states {
            // Which ways there are to each takes long to write down, and nearly always none is lost.
            let lost_before = || if lost.is_empty() { None } else { lost.get(&self.ways(state)) };
            if let Some(problem) = self.down(state, observed).or_else(lost_before).cloned() {
                observed.unreached(&state.address, &problem);
                continue;
            }
            let config = match self.reach(state, observed).await {
                Ok(config) => config,
                // It lay behind something that is not there any more.
                Err(error) if error.is_not_found() && !state.provider.of.is_empty() => {
                    observed.sightings.insert(state.address.clone(), Sighting::Gone);
                    continue;
                }
                Err(error) if self.is_lost(state, &error).await => {
                    let problem = cannot_reach(&state.provider.kind, &error);
                    observed.unreached(&state.address, &problem);
                    lost.insert(self.ways(state), problem);
                    continue;
                }
                Err(error) => {
                    unread(state, error, observed);
                    continue;
                }
            };
            let key = (state.provider.kind.as_str(), config.to_string(), state.address.type_name());
            groups.entry(key).or_insert_with(|| (config, Vec::new())).1.push(state);
        }
        let named = |((kind, made_with, _), problem)| ((kind, made_with), problem);
        observed.down.extend(lost.into_iter().map(named));
        // Groups go side by side, and so do the reads in each: together they are no more than was asked for.
        let slots = Semaphore::new(self.parallel.max(1));
        let schemas = self.connections.schemas();
        let reads = groups.into_values().map(|(config, group)| self.read_group(config, group, &slots));
        let mut reads = stream::iter(reads).buffer_unordered(self.parallel.max(1));
        while let Some(results) = reads.next().await {
            for (state, result) in results {
                match result {
                    Ok(Some(seen)) => {
                        self.sighted(schemas.get(state.address.type_name()).copied(), state, seen, observed);
                    }
                    Ok(None) => drop(observed.sightings.insert(state.address.clone(), Sighting::Gone)),
                    Err(error) => unread(state, error, observed),
                }
            }
        }
    }

    async fn read_group<'s>(
        &self,
        config: Value,
        group: Vec<&'s ResourceState>,
        slots: &Semaphore,
    ) -> Vec<(&'s ResourceState, ProviderResult<Option<Observation>>)> {
        let mut listed = BTreeMap::new();
        if group.len() >= WORTH_LISTING {
            let _slot = slots.acquire().await;
            if let Ok(Some(all)) = self.list(&config, &group).await {
                listed = all.into_iter().map(|seen| (seen.id.clone(), seen)).collect();
            }
        }
        let schema = self.schema(&config, &group).await;
        let reads = group.into_iter().map(|state| {
            let (found, config) = (listed.get(&state.id).cloned(), &config);
            async move {
                // A list may leave out what was made a moment ago or what we may not see: absence is confirmed. So is
                // what differs, for it may be what was there before the last update.
                if let Some(seen) = found.filter(|seen| !self.may_lag(schema, state, seen)) {
                    return (state, Ok(Some(seen)));
                }
                let _slot = slots.acquire().await;
                (state, self.read_in_time(config, state).await)
            }
        });
        stream::iter(reads).buffer_unordered(self.parallel.max(1)).collect().await
    }

    /// A list takes no longer than the most impatient of those that it is for.
    async fn list(&self, config: &Value, group: &[&ResourceState]) -> ProviderResult<Option<Vec<Observation>>> {
        let Some(first) = group.first() else { return Ok(None) };
        let bound = group.iter().filter_map(|state| self.bound(state)).min();
        let of: Vec<Request> = group.iter().map(|state| request(state)).collect();
        in_time(bound, async |patience| self.patient_driver(config, first, patience).await?.list(&of).await).await
    }

    /// How long the program gives a read: the options of now count, or else those of the last apply.
    fn bound(&self, state: &ResourceState) -> Option<Duration> {
        let options = self.desired.nodes.get(&state.address).map_or(&state.options, |node| &node.options);
        options.timeout(Operation::Read)
    }

    pub(super) async fn patient_driver(
        &self,
        config: &Value,
        state: &ResourceState,
        patience: Duration,
    ) -> ProviderResult<Arc<dyn Driver>> {
        let of = (state.provider.kind.as_str(), config, state.address.type_name());
        self.connections.patient_driver(of, patience).await
    }

    async fn read_in_time(&self, config: &Value, state: &ResourceState) -> ProviderResult<Option<Observation>> {
        let read = async |patience| {
            let driver = self.patient_driver(config, state, patience).await?;
            match self.read(driver.as_ref(), state).await? {
                Some(seen) => Ok(Some(seen)),
                None => self.in_renamed_place(state, driver.as_ref()).await,
            }
        };
        in_time(self.bound(state), read).await
    }

    async fn read(&self, driver: &dyn Driver, state: &ResourceState) -> ProviderResult<Option<Observation>> {
        let mut looks = Looks::new(driver.schema().consistency, self.age);
        loop {
            let seen = driver.read(&request(state)).await?;
            let settled = seen.as_ref().is_some_and(|seen| !self.may_lag(Some(driver.schema()), state, seen));
            if settled || !looks.again().await {
                return Ok(seen);
            }
        }
    }

    /// The configuration that leads to where an object was made: an object is read only there.
    pub(super) async fn reach(&self, state: &ResourceState, observed: &mut Observed) -> ProviderResult<Value> {
        let config = self.config_for(state);
        let way = self.connections.way_to(state, config).await?;
        if let Some(is) = way.program_leads_to {
            observed.rescoped.insert(state.address.clone(), is);
        }
        Ok(way.config)
    }
}

/// Does this with the patience that a bound leaves, and ends it there.
async fn in_time<T>(
    bound: Option<Duration>,
    read: impl AsyncFnOnce(Duration) -> ProviderResult<T>,
) -> ProviderResult<T> {
    let Some(bound) = bound else { return read(READ_PATIENCE).await };
    let late = || ProviderError::new(ErrorKind::TimedOut, format!("no answer within {bound:?}"));
    tokio::time::timeout(bound, read(bound)).await.unwrap_or_else(|_| Err(late()))
}

pub(super) fn unread(state: &ResourceState, error: ProviderError, observed: &mut Observed) {
    let address = &state.address;
    let problem = Diagnostic::of_provider(format!("cannot read `{address}`"), &error).about(address);
    observed.sightings.insert(address.clone(), Sighting::Unread(error.message));
    observed.unreadable.insert(address.clone(), problem);
}

/// What a driver is told of an object.
pub(crate) fn request(state: &ResourceState) -> Request {
    // A page does without what is sealed: what it gives back of that is known again.
    let (inputs, outputs) = (state.inputs.plain_with_stand_ins(), state.outputs.plain_part_with_stand_ins());
    Request { id: state.id.clone(), inputs, outputs }
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
    let mut inside = Vec::new();
    for address in ending {
        let Some(state) = reading.snapshot.resources.get(address) else { continue };
        let Some(seen) = observed.present(address).filter(|_| state.provider.kind != BUILTIN) else { continue };
        let config = reading.config_for(state);
        let Ok(driver) = reading.connections.driver(&state.provider.kind, &config, address.type_name()).await else {
            continue;
        };
        let Ok(contents) = driver.contents(&seen.id).await else { continue };
        inside.push((state, contents));
    }
    if inside.is_empty() {
        return;
    }
    let all = inside.iter().flat_map(|(_, contents)| contents);
    let snapshot = by_seen_ids(reading.snapshot, observed);
    let owned = snapshot.owned(all.map(|content| (content.type_name, content.id.as_str())));
    for (state, contents) in &inside {
        let site = state.site();
        let foreign = contents.iter().filter(|content| !owned.has(&site, content.type_name, &content.id));
        let foreign: Vec<String> = foreign.map(|content| format!("{} `{}`", content.type_name, content.id)).collect();
        if !foreign.is_empty() {
            observed.contents.insert(state.address.clone(), foreign);
        }
    }
}

/// What the stack owns, by the ids that its objects have now.
fn by_seen_ids(snapshot: &Snapshot, observed: &Observed) -> Snapshot {
    let mut snapshot = snapshot.clone();
    for state in snapshot.resources.values_mut() {
        if let Some(seen) = observed.present(&state.address).filter(|seen| seen.id != state.id) {
            Arc::make_mut(state).id.clone_from(&seen.id);
        }
    }
    snapshot
}
