//! The desired state: the graph that a program declares, its checks and its hashes. Pure.

mod address;
mod addresses;
mod entries;
mod evaluate;
mod former;
mod graph;
mod hashed;
mod history;
mod migrate;
mod name;
mod names;
mod order;
mod path;
mod sealed;
mod secrecy;
mod tree;
mod validate;
mod values;

pub use address::{Address, ProviderKey};
pub use addresses::Addresses;
pub use entries::Entries;
pub use evaluate::{describe, evaluate, evaluates_to, failures};
pub use former::{former_names, renamed_types};
pub(crate) use graph::desired;
pub use graph::{Desired, LookupNode, Node, ProviderNode, Reference};
pub use migrate::{brought_to, migrated};
pub use name::Name;
pub use names::{configured_in_clear, in_clear, secret_key};
pub use path::{Path, Segment};
pub(crate) use sealed::has_stand_ins;
pub use secrecy::{Telling, conceal_fields, conceal_outputs};
pub use tree::{Tree, unwrap_secrets};

pub use crate::canonical::{Hash, canonical, hash, hash_written, write_within};
