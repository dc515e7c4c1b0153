//! Addresses that change: everything in state that names one.

use std::{collections::BTreeMap, sync::Arc};

use super::{ResourceState, Snapshot};
use crate::desired::Address;

impl ResourceState {
    /// The same object where addresses have these new names.
    pub fn readdress(&mut self, to: &BTreeMap<Address, Address>) {
        let renamed = |address: &Address| to.get(address).unwrap_or(address).clone();
        self.address = renamed(&self.address);
        self.dependencies = self.dependencies.iter().map(renamed).collect();
        self.parents = self.parents.iter().map(renamed).collect();
        if !self.provider.of.is_empty() {
            let provider = Arc::make_mut(&mut self.provider);
            provider.of = provider.of.iter().map(renamed).collect();
        }
        if let Some(with) = self.options.deleted_with.as_ref().map(renamed) {
            Arc::make_mut(&mut self.options).deleted_with = Some(with);
        }
        for reference in self.references.values_mut() {
            reference.to = renamed(&reference.to);
        }
    }
}

impl Snapshot {
    /// The same objects where addresses have these new names.
    pub fn readdressed(mut self, to: &BTreeMap<Address, Address>) -> Self {
        self.all_mut().for_each(|state| Arc::make_mut(state).readdress(to));
        let by_address = |states: BTreeMap<Address, Arc<ResourceState>>| {
            states.into_values().map(|state| (state.address.clone(), state)).collect()
        };
        self.resources = by_address(self.resources);
        self.replacing = by_address(self.replacing);
        self
    }
}
