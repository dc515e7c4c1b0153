//! What was observed: pure data that a plan is made of.

use std::collections::{BTreeMap, BTreeSet};

use super::Doubt;
use crate::{
    desired::{Address, Tree},
    provider::Observation,
    report::Diagnostic,
};

/// One object of the state, as it was found.
#[derive(Debug, Clone, PartialEq)]
pub enum Sighting {
    /// It is there.
    Present(Observation),
    /// It is gone.
    Gone,
    /// It was not read; why not.
    Unread(String),
}

/// Everything that was read before a plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// The objects of the state, by address. Missing means not read.
    pub sightings: BTreeMap<Address, Sighting>,
    /// Objects that are not in state and are to be taken in: `import`, `adopt_existing`.
    pub found: BTreeMap<Address, Observation>,
    /// What lookups found.
    pub lookups: BTreeMap<Address, Tree>,
    /// What lives in objects that are about to be deleted and that the stack does not own: descriptions by address.
    pub contents: BTreeMap<Address, Vec<String>>,
    /// Identities that connections proved: by kind of provider, then by scope.
    pub identities: BTreeMap<String, BTreeMap<String, String>>,
    /// What stands where an object of the stack's stood, and is another one.
    pub strangers: BTreeMap<Address, Observation>,
    /// Objects that could not be read, or are not the stack's any more: they hold back what depends on them.
    pub unreadable: BTreeMap<Address, Diagnostic>,
    /// Those of them that only wait until it is known what became of an interrupted step, with what they need.
    pub unsettled: BTreeMap<Address, BTreeSet<Address>>,
    /// Providers that can't be reached, by kind and configuration.
    pub down: BTreeMap<(String, String), Diagnostic>,
    /// What could not be asked for since it lies behind one of them: unreadable, too.
    pub unreached: BTreeSet<Address>,
    /// Lookups that this run does not read: nothing that it is about hangs on them, or they failed.
    pub unasked: BTreeSet<Address>,
    /// Objects whose provider leads elsewhere now: `(scope, where it was made, where it leads)`.
    pub rescoped: BTreeMap<Address, (String, String, String)>,
    /// Reality was not read; why not.
    pub offline: Option<String>,
}

impl Observed {
    /// Nothing is known of what stands at an address, as long as nobody knows what became of an interrupted step.
    pub(crate) fn doubt(&mut self, address: &Address, doubt: &Doubt) {
        self.sightings.insert(address.clone(), Sighting::Unread(doubt.problem.summary.clone()));
        self.found.remove(address);
        self.strangers.remove(address);
        self.unreadable.insert(address.clone(), doubt.problem.clone());
        self.unsettled.insert(address.clone(), doubt.needs.clone());
    }

    /// What lies behind a provider that can't be reached.
    pub(super) fn unreached(&mut self, address: &Address, problem: &Diagnostic) {
        self.sightings.insert(address.clone(), Sighting::Unread(problem.summary.clone()));
        self.unreadable.insert(address.clone(), problem.clone());
        self.unreached.insert(address.clone());
    }

    /// Why something can't be read: each cause once, also where several addresses wait for one step, or for one provider.
    pub(crate) fn told(&self) -> Vec<Diagnostic> {
        let own = |(address, problem): &(&Address, &Diagnostic)| {
            !self.unreached.contains(*address) && problem.address.as_ref().is_none_or(|of| of == *address)
        };
        let mut told: Vec<Diagnostic> =
            self.unreadable.iter().filter(own).map(|(_, problem)| problem.clone()).collect();
        told.extend(self.down.values().filter_map(|problem| {
            let of_this = |address: &&Address| self.unreadable.get(*address) == Some(problem);
            let (detail, count) = (problem.detail.as_deref()?, self.unreached.iter().filter(of_this).count());
            let waits = if count == 1 { "1 resource lies".to_owned() } else { format!("{count} resources lie") };
            (count > 0).then(|| problem.clone().detail(format!("{detail}\n{waits} behind it")))
        }));
        told
    }

    /// What is seen at an address.
    pub fn present(&self, address: &Address) -> Option<&Observation> {
        match self.sightings.get(address) {
            Some(Sighting::Present(observation)) => Some(observation),
            Some(Sighting::Gone | Sighting::Unread(_)) | None => None,
        }
    }

    /// Whether the object is known to be gone.
    pub fn gone(&self, address: &Address) -> bool {
        self.sightings.get(address) == Some(&Sighting::Gone)
    }
}
