//! What was observed: pure data that a plan is made of.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Objects that could not be read: they hold back what depends on them.
    pub unreadable: BTreeMap<Address, Diagnostic>,
    /// Those of them of which it is only not known yet what became of an interrupted step: they wait, whatever is wanted of
    /// them.
    pub unsettled: BTreeSet<Address>,
    /// Objects whose provider leads elsewhere now: `(scope, where it was made, where it leads)`.
    pub rescoped: BTreeMap<Address, (String, String, String)>,
    /// Reality was not read; why not.
    pub offline: Option<String>,
}

impl Observed {
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
