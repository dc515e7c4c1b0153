//! Addresses: a small sorted set, for what one resource depends on. It mostly is one, and a B-tree's node has room for
//! eleven, in each of a stack's many resources.

use serde::{Deserialize, Deserializer, Serialize};

use super::Address;

/// A set of addresses, in their order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct Addresses(Vec<Address>);

impl Addresses {
    /// None.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this one is in it.
    pub fn contains(&self, address: &Address) -> bool {
        self.0.binary_search(address).is_ok()
    }

    /// Adds one. Says whether it is new.
    pub fn insert(&mut self, address: Address) -> bool {
        match self.0.binary_search(&address) {
            Ok(_) => false,
            Err(place) => {
                self.0.insert(place, address);
                true
            }
        }
    }

    /// Takes one out. Says whether it was there.
    pub fn remove(&mut self, address: &Address) -> bool {
        self.0.binary_search(address).map(|place| self.0.remove(place)).is_ok()
    }

    /// Whether all of it is in another set.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.iter().all(|address| other.contains(address))
    }

    /// In their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Address> {
        self.0.iter()
    }
}

impl Extend<Address> for Addresses {
    fn extend<I: IntoIterator<Item = Address>>(&mut self, more: I) {
        let before = self.0.len();
        self.0.extend(more);
        if self.0.len() > before {
            self.0.sort_unstable();
            self.0.dedup();
            self.0.shrink_to_fit();
        }
    }
}

impl FromIterator<Address> for Addresses {
    fn from_iter<I: IntoIterator<Item = Address>>(addresses: I) -> Self {
        let mut all = Self::new();
        all.extend(addresses);
        all
    }
}

impl<const N: usize> From<[Address; N]> for Addresses {
    fn from(addresses: [Address; N]) -> Self {
        addresses.into_iter().collect()
    }
}

impl IntoIterator for Addresses {
    type Item = Address;
    type IntoIter = std::vec::IntoIter<Address>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Addresses {
    type Item = &'a Address;
    type IntoIter = std::slice::Iter<'a, Address>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from_iter)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn address(name: &str) -> Address {
        Address::new("platform:Data", name).expect("an address")
    }

    proptest! {
        #[test]
        fn they_are_what_a_b_tree_would_be(names in prop::collection::vec("[a-e]{1,2}", 0..12), one in "[a-e]{1,2}") {
            let (one, all) = (address(&one), || names.iter().map(|name| address(name)));
            let (mut ours, mut wanted): (Addresses, BTreeSet<Address>) = (all().collect(), all().collect());
            prop_assert!(ours.iter().eq(&wanted));
            prop_assert_eq!(ours.contains(&one), wanted.contains(&one));
            prop_assert_eq!(ours.insert(one.clone()), wanted.insert(one.clone()));
            prop_assert!(ours.iter().eq(&wanted) && ours.len() == wanted.len());
            prop_assert_eq!((ours.remove(&one), ours.remove(&one)), (wanted.remove(&one), false));
            let written = serde_json::to_value(&ours).expect("written");
            prop_assert_eq!(&written, &serde_json::to_value(&wanted).expect("written"));
            prop_assert_eq!(&serde_json::from_value::<Addresses>(written).expect("read"), &ours);
            prop_assert!(ours.is_subset(&all().collect()) && ours.into_iter().eq(wanted));
        }
    }
}
