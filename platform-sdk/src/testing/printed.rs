//! The Rust that `import` and `drift --accept` print.

use std::collections::BTreeMap;

use crate::{
    desired::{Address, Addresses, Entries, Tree},
    engine::{self, Known},
    program::{Options, Schema},
    state::{ProviderState, ResourceState, Snapshot, Status},
};

/// The statement that is printed for an object with these inputs, in a stack that owns what has these ids.
pub fn printed(address: &Address, schema: &Schema, inputs: &Tree, ids: &BTreeMap<Address, String>) -> String {
    let known = Known { snapshot: &owning(ids), lookups: &BTreeMap::new(), references: &Entries::new() };
    engine::printed(address, schema, inputs, &known)
}

/// What a stack knows that owns what has these ids; their outputs are no more than that.
pub(crate) fn owning(ids: &BTreeMap<Address, String>) -> Snapshot {
    let resource = |(address, id): (&Address, &String)| {
        let state = ResourceState {
            address: address.clone(),
            id: id.clone(),
            provider: ProviderState::default().into(),
            scope: None,
            schema_version: 1,
            inputs: Tree::Map(Entries::new()),
            references: Entries::new(),
            outputs: Tree::Map([("id", Tree::Leaf(id.as_str().into()))].into()),
            dependencies: Addresses::new(),
            parents: Addresses::new(),
            options: Options::none(),
            status: Status::Whole,
            unset: None,
        };
        (address.clone(), state.into())
    };
    Snapshot { resources: ids.iter().map(resource).collect(), ..Snapshot::default() }
}
