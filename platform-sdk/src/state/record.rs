//! The journal's records: what a run is about to do, what it did, and how they fold into a snapshot.

use std::sync::Arc;

use crate::{
    desired::Address,
    provider::Found,
    state::{ResourceState, Snapshot},
};

/// What an intent is about to ask of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntentOp {
    /// Make a new object.
    Create,
    /// Change an object in place.
    Update,
    /// Remove an object.
    Delete,
}

/// Durable before the request is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// Unique in the stack: 16 lower-case hexadecimal digits.
    pub id: String,
    /// What is asked.
    pub op: IntentOp,
    /// The object as it will be in state when this succeeds (create, update) or as it was (delete). For a create its id
    /// and outputs are empty.
    pub target: ResourceState,
    /// What `find` saw before a create: these objects are not ours.
    pub found_before: Vec<Found>,
    /// The deletion of an object that a replacement left behind, not of what stands at the address.
    pub pending_delete: bool,
    /// The deletion is the first half of a replacement: what stood at the address is to be made anew.
    pub replaces: bool,
    /// When it was announced, in milliseconds since 1970; 0 where that is not known.
    pub at_ms: u64,
    /// Who asks, as the service names the makers of objects.
    pub by: Option<String>,
}

/// What is known to have happened, and what it does to the snapshot.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The address holds this object now.
    Put(Arc<ResourceState>),
    /// The object at this address is to be deleted later: it moves to the pending deletes.
    Retire(Address),
    /// Nothing is at this address any more.
    Remove(Address),
    /// Nothing is at its address any more, and its successor is still to be made.
    End(Arc<ResourceState>),
    /// The pending delete with this address and remote id is done.
    Deleted(Address, String),
    /// The object at the first address has the second one now.
    Move(Address, Address),
    /// Nothing happened, and it is known: the intent failed before any effect.
    Nothing,
}

impl Effect {
    /// The address of this object holds it now.
    pub fn put(state: impl Into<Arc<ResourceState>>) -> Self {
        Self::Put(state.into())
    }
}

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// About to ask.
    Intent(Box<Intent>),
    /// The create of this intent has made the object with this remote id, or its update has given the object this one.
    Created {
        /// The intent.
        intent: String,
        /// The remote id.
        id: String,
    },
    /// An intent's outcome, or a change of state that asks nothing of a provider (`intent` is `None`).
    Outcome {
        /// The intent that this closes.
        intent: Option<String>,
        /// What it does, in order.
        effects: Vec<Effect>,
    },
    /// The target that a kind of provider has proved: kind, scope, identity.
    Identity(String, String, String),
    /// What lookups found, whole.
    Lookups(std::collections::BTreeMap<Address, crate::desired::Tree>),
    /// The stack's outputs, whole.
    Exports(std::collections::BTreeMap<String, crate::desired::Tree>),
}

/// An intent without an outcome: what an earlier run was doing when it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenIntent {
    /// The intent.
    pub intent: Intent,
    /// The remote id, where the create or the rename got so far.
    pub created: Option<String>,
}

impl Snapshot {
    /// Applies one effect.
    pub fn apply(&mut self, effect: &Effect) {
        match effect {
            Effect::Put(state) => {
                self.replacing.remove(&state.address);
                self.resources.insert(state.address.clone(), Arc::clone(state));
            }
            Effect::Retire(address) => self.pending_deletes.extend(self.resources.remove(address)),
            Effect::Remove(address) => {
                self.replacing.remove(address);
                self.resources.remove(address);
            }
            Effect::End(old) => {
                self.resources.remove(&old.address);
                self.replacing.insert(old.address.clone(), Arc::clone(old));
            }
            Effect::Deleted(address, id) => self.pending_deletes.retain(|old| old.address != *address || old.id != *id),
            Effect::Move(from, to) => {
                if let Some(mut state) = self.resources.remove(from) {
                    Arc::make_mut(&mut state).address = to.clone();
                    self.resources.insert(to.clone(), state);
                }
            }
            Effect::Nothing => {}
        }
    }
}
