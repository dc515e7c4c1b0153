//! Who is reached: providers prove what they talk to, and what lies behind one that can't be reached waits, with what
//! hangs on a lookup that fails; the others go on.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Observed,
    refresh::{BUILTIN, Reading, look_up},
};
use crate::{
    Result,
    desired::{Address, Node, ProviderKey},
    provider::{ErrorKind, ProviderError},
    report::{Diagnostic, Error},
    state::ResourceState,
};

/// A provider: its kind, and its configuration as text.
type Place = (String, String);

pub(super) fn cannot_reach(kind: &str, error: &ProviderError) -> Diagnostic {
    Diagnostic::of_provider(format!("cannot reach the provider `{kind}`"), error)
}

/// Whether an error is the provider's, whichever of its objects was asked for.
fn is_of_provider(error: &ProviderError) -> bool {
    matches!(error.kind, ErrorKind::Denied | ErrorKind::Unavailable | ErrorKind::TimedOut | ErrorKind::Throttled { .. })
}

impl Reading<'_> {
    /// Each provider proves that it talks to what state records; what lies behind one that can't be reached waits.
    pub(super) async fn prove(&self, observed: &mut Observed) -> Result<()> {
        let mut problems = Vec::new();
        for ((kind, _), config) in self.targets() {
            match self.connections.identity(&kind, &config).await {
                // What it leads to is gone, and so is what lay behind it.
                Err(error) if error.is_not_found() && config != self.default_config(&kind) => {}
                Err(error) => {
                    let problem = cannot_reach(&kind, &error);
                    observed.down.insert((kind, config.to_string()), problem);
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

    /// The providers of what is to be known; `None`: all are.
    pub(super) fn places(&self) -> Option<BTreeSet<Place>> {
        let states = self.selected?.iter().filter_map(|address| self.snapshot.resources.get(address));
        let behind = states.map(|state| self.place_of(state));
        Some(behind.chain(self.targets().into_keys()).collect())
    }

    /// Whether an object is read: what lies beside what is to be known is known, too.
    pub(super) fn is_wanted(&self, state: &ResourceState, places: Option<&BTreeSet<Place>>) -> bool {
        places.is_none_or(|places| places.contains(&self.place_of(state)))
    }

    fn place_of(&self, state: &ResourceState) -> Place {
        (state.provider.kind.clone(), self.config_for(state).to_string())
    }

    /// Why the provider of an object can't be reached. One that was made over another configuration may be reached by that.
    pub(super) fn down<'o>(&self, state: &ResourceState, observed: &'o Observed) -> Option<&'o Diagnostic> {
        if observed.down.is_empty() {
            return None;
        }
        let config = self.config_for(state);
        let problem = observed.down.get(&(state.provider.kind.clone(), config.to_string()))?;
        let (made_with, scoped) = (&state.provider.config, state.scope.is_some());
        (!scoped
            || config == *made_with
            || observed.down.contains_key(&(state.provider.kind.clone(), made_with.to_string())))
        .then_some(problem)
    }

    /// The ways that lead to an object, or may: its kind, the configuration that it was made with, the program's.
    pub(super) fn ways(&self, state: &ResourceState) -> (String, String, String) {
        let (kind, program) = self.place_of(state);
        (kind, state.provider.config.to_string(), program)
    }

    /// Whether an object was not reached because no way to it leads anywhere, and not because one leads elsewhere.
    pub(super) async fn is_lost(&self, state: &ResourceState, error: &ProviderError) -> bool {
        let (kind, made_with) = (&state.provider.kind, &state.provider.config);
        let is_only = self.config_for(state) == *made_with;
        is_of_provider(error) && (is_only || self.connections.identity(kind, made_with).await.is_err())
    }

    fn down_by_key<'o>(&self, key: &ProviderKey, observed: &'o Observed) -> Option<&'o Diagnostic> {
        if observed.down.is_empty() {
            return None;
        }
        observed.down.get(&(key.kind().to_owned(), self.config_of(key)?.to_string()))
    }

    /// Whether a provider that can't be reached would have to be asked for it, or a lookup that failed is needed first.
    pub(super) fn is_behind_down(&self, node: &Node, observed: &Observed) -> bool {
        let needs = node.dependencies.iter().any(|needed| observed.unasked.contains(needed));
        needs || self.down_by_key(&node.provider, observed).is_some()
    }

    pub(super) async fn lookups(&self, observed: &mut Observed) -> Result<()> {
        for lookup in self.desired.lookups.values().filter(|lookup| lookup.reference.is_none()) {
            if self.selected.is_some_and(|selected| !selected.contains(&lookup.address)) {
                match self.snapshot.lookups.get(&lookup.address) {
                    Some(last) => drop(observed.lookups.insert(lookup.address.clone(), last.clone())),
                    None => drop(observed.unasked.insert(lookup.address.clone())),
                }
                continue;
            }
            if let Some(problem) = self.down_by_key(&lookup.provider, observed).cloned() {
                observed.unasked.insert(lookup.address.clone());
                observed.unreached(&lookup.address, &problem);
                continue;
            }
            // Behind a provider that this very stack makes, it is read during the apply.
            let Some(config) = self.config_of(&lookup.provider) else { continue };
            match look_up(self.connections, lookup, &config).await {
                Ok(found) => drop(observed.lookups.insert(lookup.address.clone(), found)),
                Err(problem) => {
                    observed.unasked.insert(lookup.address.clone());
                    observed.unreadable.insert(lookup.address.clone(), problem);
                }
            }
        }
        Ok(())
    }

    /// What is to be made behind a provider that can't be reached waits, too. Where nothing else is left, that is an error.
    pub(super) fn hold_up(&self, observed: &mut Observed) -> Result<()> {
        let mut by_key: BTreeMap<&ProviderKey, Option<Diagnostic>> = BTreeMap::new();
        let mut wait = Vec::new();
        let new = |node: &&Node| !self.snapshot.resources.contains_key(&node.address);
        for node in self.desired.nodes.values().filter(new).filter(|_| !observed.down.is_empty()) {
            let down = || self.down_by_key(&node.provider, observed).cloned();
            let problem = by_key.entry(&node.provider).or_insert_with(down);
            wait.extend(problem.clone().map(|problem| (&node.address, problem)));
        }
        for (address, problem) in wait {
            observed.unreached(address, &problem);
        }
        let failed = observed.unasked.iter().any(|address| observed.unreadable.contains_key(address));
        if !failed && observed.down.is_empty() || self.anything_is_left(observed) {
            return Ok(());
        }
        let mut told = observed.told();
        if told.is_empty() {
            told = observed.down.values().cloned().collect();
        }
        Err(Error::all(told))
    }

    /// Whether there is anything that waits for nothing unreadable.
    fn anything_is_left(&self, observed: &Observed) -> bool {
        let mut waits: BTreeSet<&Address> = observed.unreadable.keys().collect();
        // Each is declared after what it depends on.
        for address in &self.desired.order {
            let node = self.desired.nodes.get(address);
            if node.is_some_and(|node| node.dependencies.iter().any(|needed| waits.contains(needed))) {
                waits.insert(address);
            }
        }
        let ours = |address: &&Address| self.selected.is_none_or(|selected| selected.contains(*address));
        let builtin = |address: &Address| {
            let kind = self.desired.nodes.get(address).map(|node| node.provider.kind());
            let state = self.snapshot.resources.get(address).map(|state| state.provider.kind.as_str());
            kind.or(state) == Some(BUILTIN)
        };
        let mut all = self.desired.nodes.keys().chain(self.snapshot.resources.keys()).filter(ours);
        all.any(|address| !waits.contains(address) && !builtin(address))
    }
}
