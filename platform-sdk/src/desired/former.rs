//! Types under their names of today: what state knows under a name that its type had before.

use std::{borrow::Cow, collections::BTreeMap};

use super::Address;
use crate::{program::Schema, state::Snapshot};

/// The address of today of each that state has under a former name of a known type. One whose place is taken by another
/// resource keeps its old name, which planning refuses by name.
pub fn former_names(
    snapshot: &Snapshot,
    schemas: &BTreeMap<&'static str, &'static Schema>,
) -> BTreeMap<Address, Address> {
    let names: BTreeMap<&str, &str> =
        schemas.values().flat_map(|schema| schema.formerly.iter().map(|old| (*old, schema.type_name))).collect();
    if names.is_empty() {
        return BTreeMap::new();
    }
    let today = |address: &Address| {
        let new = Address::new(names.get(address.type_name())?, address.path()).ok()?;
        let taken = snapshot.resources.contains_key(&new) || snapshot.replacing.contains_key(&new);
        (!taken).then(|| (address.clone(), new))
    };
    snapshot.all().filter_map(|state| today(&state.address)).collect()
}

/// The snapshot under names of today.
pub fn renamed_types<'s>(
    snapshot: &'s Snapshot,
    schemas: &BTreeMap<&'static str, &'static Schema>,
) -> Cow<'s, Snapshot> {
    let names = former_names(snapshot, schemas);
    if names.is_empty() { Cow::Borrowed(snapshot) } else { Cow::Owned(snapshot.clone().readdressed(&names)) }
}
