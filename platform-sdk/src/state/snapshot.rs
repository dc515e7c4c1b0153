//! The snapshot: everything a stack owns at one moment, in memory. Secrets are in clear here and sealed on disk.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Keys, branch};
use crate::{
    desired::{Address, Addresses, Entries, Hash, Name, Tree},
    program::Options,
};

/// What a stack owns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    /// The stack's own id, part of the marks on its objects; drawn once.
    pub uuid: String,
    /// What it owns, by address. Shared: a copy of a snapshot costs a pointer for each resource.
    pub resources: BTreeMap<Address, Arc<ResourceState>>,
    /// Objects that replacements left behind and that are still to be deleted, oldest first.
    pub pending_deletes: Vec<Arc<ResourceState>>,
    /// What replacements have ended and not made again yet, as it was: where nothing is now, and something is to be.
    pub replacing: BTreeMap<Address, Arc<ResourceState>>,
    /// The stack's outputs as of the last apply.
    pub exports: BTreeMap<String, Tree>,
    /// What the program's lookups found when it was last applied: what a plan goes by that reads nothing.
    pub lookups: BTreeMap<Address, Tree>,
    /// Which target each kind of provider has proved, by scope: `{"databricks.workspace": {"workspace": "123"}}`.
    pub identities: BTreeMap<String, BTreeMap<String, String>>,
}

impl Snapshot {
    /// Every object that it tells of: those that are there, those that await deletion, and those that are gone.
    pub fn all(&self) -> impl Iterator<Item = &Arc<ResourceState>> {
        self.resources.values().chain(&self.pending_deletes).chain(self.replacing.values())
    }

    /// The same, to be changed.
    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut Arc<ResourceState>> {
        self.resources.values_mut().chain(&mut self.pending_deletes).chain(self.replacing.values_mut())
    }
}

/// The provider that an object was made with, kept so that it can be deleted after the program drops the provider.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProviderState {
    /// Its kind.
    pub kind: String,
    /// Its non-secret configuration, resolved.
    pub config: Value,
    /// The resources that its configuration was made of.
    pub of: Addresses,
}

/// Whether an object is what its inputs say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Status {
    /// It is.
    #[default]
    Whole,
    /// It is, and was imported to an address that the program does not declare yet: until it does, nothing deletes it.
    Undeclared,
    /// Its update did not finish: the next run reads it and finishes it. The reason, for people.
    Partial(String),
    /// Its create did not finish: the next run reads it and finishes it, and brings about everything that it was to be made
    /// with. The reason, for people.
    Making(String),
    /// It is what its inputs say, and is not known to be ready, which is waited for: the next run goes on waiting. Why it
    /// is not known, for people.
    Unready(String),
}

/// Where an input came from: `{"$ref": "databricks:Catalog::lake", "field": "name"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Referred {
    /// The resource or lookup.
    #[serde(rename = "$ref")]
    pub to: Address,
    /// Its output. Left out when it is the id.
    #[serde(default = "id", skip_serializing_if = "is_id")]
    pub field: Name,
}

fn id() -> Name {
    "id".into()
}

fn is_id(field: &str) -> bool {
    field == "id"
}

/// One object that the stack owns.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceState {
    /// Its address when it was last applied.
    pub address: Address,
    /// Its remote id.
    pub id: String,
    /// The provider it was made with. Shared by all that were.
    pub provider: Arc<ProviderState>,
    /// The identity of its scope when it was made: `("workspace", "123")`.
    pub scope: Option<(String, String)>,
    /// Schema version of its inputs.
    pub schema_version: u32,
    /// The inputs that were last applied, resolved; only what the program set.
    pub inputs: Tree,
    /// Where the inputs came from, by path.
    pub references: Entries<Referred>,
    /// The outputs as last seen.
    pub outputs: Tree,
    /// The addresses it depends on directly.
    pub dependencies: Addresses,
    /// The addresses it lives in.
    pub parents: Addresses,
    /// Its options when it was last applied. Shared, for most have none.
    pub options: Arc<Options>,
    /// Whether it is whole.
    pub status: Status,
    /// What stood in the fields that the program does not set, as hashes by path; `None` as long as it was not read whole
    /// since it was last applied.
    pub unset: Option<Entries<Name>>,
}

impl ResourceState {
    /// `input_hash`: of the inputs that were last applied, with secrets as HMACs under the stack's keys.
    pub fn input_hash(&self, keys: &Keys) -> Hash {
        branch::input_hash(&self.inputs, keys)
    }
}
