//! What happens to each resource of a stack, by address. Nothing happens to most of a stack, and those share one decision.

use std::{
    collections::{BTreeMap, btree_map},
    ops::Index,
    sync::Arc,
};

use super::{Op, decide::Decision};
use crate::desired::{Address, Tree};

/// Decisions in the order of the addresses.
#[derive(Debug, Clone)]
pub struct Decisions {
    all: BTreeMap<Address, Arc<Decision>>,
    /// What is decided of everything that simply stays.
    stays: Arc<Decision>,
}

impl Default for Decisions {
    fn default() -> Self {
        Self { all: BTreeMap::new(), stays: Arc::new(Decision::new(Op::Keep, Tree::default())) }
    }
}

impl Decisions {
    /// Decides about an address, whatever was decided before.
    pub(super) fn insert(&mut self, address: Address, decision: Decision) {
        let decision = if decision == *self.stays { Arc::clone(&self.stays) } else { Arc::new(decision) };
        self.all.insert(address, decision);
    }

    /// What is decided about an address.
    pub fn get(&self, address: &Address) -> Option<&Decision> {
        self.all.get(address).map(|decision| &**decision)
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, address: &Address) -> Option<&mut Decision> {
        self.all.get_mut(address).map(Arc::make_mut)
    }

    /// Changes those for which this holds.
    pub(super) fn change(
        &mut self,
        which: impl Fn(&Address, &Decision) -> bool,
        mut change: impl FnMut(&Address, &mut Decision),
    ) {
        for (address, decision) in self.all.iter_mut().filter(|(address, decision)| which(address, decision)) {
            change(address, Arc::make_mut(decision));
        }
    }

    /// Keeps only those about the addresses for which this holds.
    pub(super) fn retain(&mut self, keeps: impl Fn(&Address) -> bool) {
        self.all.retain(|address, _| keeps(address));
    }

    /// Whether anything is decided about an address.
    pub fn contains_key(&self, address: &Address) -> bool {
        self.all.contains_key(address)
    }

    /// Whether the stack still has what is at this address afterwards.
    pub(super) fn stays(&self, address: &Address) -> bool {
        self.get(address).is_some_and(|decision| !matches!(decision.op, Op::Delete | Op::Forget))
    }

    /// Whether the stack still has anything afterwards.
    pub fn any_stays(&self) -> bool {
        self.keys().any(|address| self.stays(address))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// The addresses.
    pub fn keys(&self) -> btree_map::Keys<'_, Address, Arc<Decision>> {
        self.all.keys()
    }

    /// The decisions.
    pub fn values(&self) -> impl Iterator<Item = &Decision> {
        self.all.values().map(|decision| &**decision)
    }

    /// Both.
    pub fn iter(&self) -> impl Iterator<Item = (&Address, &Decision)> {
        self.all.iter().map(|(address, decision)| (address, &**decision))
    }
}

impl Index<&Address> for Decisions {
    type Output = Decision;

    /// What is decided about an address that the plan knows.
    fn index(&self, address: &Address) -> &Decision {
        &self.all[address]
    }
}
