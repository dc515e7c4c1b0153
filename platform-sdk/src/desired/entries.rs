//! Entries: a small sorted map, for the fields of a struct. A tree's map has a few of them, and a B-tree's node room for
//! eleven, in each of a stack's many resources. Copies are one map until one of them is changed.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::Name;

/// Values by name, in the order of the names. A copy costs nothing; who changes one pays for it then.
#[derive(Debug, Clone, Eq)]
pub struct Entries<T>(Arc<[(Name, T)]>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: PartialEq> PartialEq for Entries<T> {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || self.0 == other.0
    }
}

impl<T> Entries<T> {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.as_str().cmp(name))
    }

    /// Whether both are one map in memory, so that they are equal without a look at what is in them.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.place(name).ok().map(|at| &self.0[at].1)
    }

    /// Whether there is one of this name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.place(name).is_ok()
    }

    /// The names.
    pub fn keys(&self) -> impl Iterator<Item = &Name> {
        self.0.iter().map(|(name, _)| name)
    }

    /// The values.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, value)| value)
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &T)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// Of entries with one name, the last stays.
    fn of(mut entries: Vec<(Name, T)>) -> Self {
        // Most come in order.
        if !entries.is_sorted_by(|(a, _), (b, _)| a < b) {
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            entries.dedup_by(|later, earlier| {
                let same = later.0 == earlier.0;
                if same {
                    std::mem::swap(later, earlier);
                }
                same
            });
        }
        Self(entries.into())
    }
}

impl<T: Clone> Entries<T> {
    /// The value of this name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        self.place(name).ok().map(|at| &mut Arc::make_mut(&mut self.0)[at].1)
    }

    /// Sets a value; gives back what had its name. Moves all others: what has many values is collected.
    pub fn insert(&mut self, name: impl Into<Name>, value: T) -> Option<T> {
        let name = name.into();
        match self.place(&name) {
            Ok(at) => Some(std::mem::replace(&mut Arc::make_mut(&mut self.0)[at].1, value)),
            Err(at) => {
                let (before, after) = self.0.split_at(at);
                self.0 = [before, &[(name, value)], after].concat().into();
                None
            }
        }
    }

    /// Takes a value out.
    pub fn remove(&mut self, name: &str) -> Option<T> {
        let at = self.place(name).ok()?;
        let value = self.0[at].1.clone();
        self.0 = [&self.0[..at], &self.0[at + 1..]].concat().into();
        Some(value)
    }

    /// Keeps only the values for which this holds.
    pub fn retain(&mut self, mut keeps: impl FnMut(&str, &T) -> bool) {
        self.0 = self.0.iter().filter(|(name, value)| keeps(name, value)).cloned().collect();
    }

    /// The values, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.iter_mut().map(|(_, value)| value)
    }

    /// Names and values, the values to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Name, &mut T)> {
        Arc::make_mut(&mut self.0).iter_mut().map(|(name, value)| (&*name, value))
    }
}

impl<T, N: Into<Name>> FromIterator<(N, T)> for Entries<T> {
    /// Of values with one name, the last stays.
    fn from_iter<I: IntoIterator<Item = (N, T)>>(entries: I) -> Self {
        Self::of(entries.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

impl<T: Clone, N: Into<Name>> Extend<(N, T)> for Entries<T> {
    fn extend<I: IntoIterator<Item = (N, T)>>(&mut self, entries: I) {
        let mut entries = entries.into_iter().map(|(name, value)| (name.into(), value)).peekable();
        if entries.peek().is_some() {
            *self = Self::of(self.0.iter().cloned().chain(entries).collect());
        }
    }
}

impl<T, N: Into<Name>, const LEN: usize> From<[(N, T); LEN]> for Entries<T> {
    fn from(entries: [(N, T); LEN]) -> Self {
        entries.into_iter().collect()
    }
}

impl<T: Clone> IntoIterator for Entries<T> {
    type Item = (Name, T);
    type IntoIter = std::vec::IntoIter<(Name, T)>;

    fn into_iter(self) -> Self::IntoIter {
        Vec::from(&*self.0).into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Entries<T> {
    type Item = (&'a Name, &'a T);
    type IntoIter = std::iter::Map<std::slice::Iter<'a, (Name, T)>, fn(&'a (Name, T)) -> (&'a Name, &'a T)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

impl<T: Serialize> Serialize for Entries<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for Entries<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names<T>(std::marker::PhantomData<T>);

        impl<'de, T: serde::Deserialize<'de>> serde::de::Visitor<'de> for Names<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Entries<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries::of(entries))
            }
        }

        deserializer.deserialize_map(Names(std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn text(entries: &Entries<usize>) -> Vec<(String, usize)> {
        entries.iter().map(|(name, value)| (name.to_string(), *value)).collect()
    }

    proptest! {
        #[test]
        fn they_are_what_a_b_tree_would_be(
            names in prop::collection::vec("[a-e]{0,2}", 0..12),
            more in prop::collection::vec("[a-e]{0,2}", 0..4),
            one in "[a-e]{0,2}",
        ) {
            let pairs = |names: &[String], from: usize| -> Vec<(String, usize)> {
                names.iter().cloned().enumerate().map(|(value, name)| (name, from + value)).collect()
            };
            let mut ours: Entries<usize> = pairs(&names, 0).into_iter().collect();
            let mut wanted: BTreeMap<String, usize> = pairs(&names, 0).into_iter().collect();
            let same = |ours: &Entries<usize>, wanted: &BTreeMap<String, usize>| {
                text(ours) == wanted.clone().into_iter().collect::<Vec<_>>()
            };
            prop_assert!(same(&ours, &wanted));
            prop_assert_eq!(ours.get(&one), wanted.get(&one));
            ours.extend(pairs(&more, 20));
            wanted.extend(pairs(&more, 20));
            prop_assert!(same(&ours, &wanted));
            prop_assert_eq!(ours.insert(&one, 40), wanted.insert(one.clone(), 40));
            prop_assert!(same(&ours, &wanted));
            let before = (ours.clone(), wanted.clone());
            prop_assert_eq!(ours.remove(&one), wanted.remove(&one));
            prop_assert_eq!(ours.remove(&one), None);
            for value in ours.values_mut().chain(wanted.values_mut()) {
                *value += 1;
            }
            prop_assert!(same(&ours, &wanted));
            ours.retain(|_, value| value % 2 == 0);
            wanted.retain(|_, value| *value % 2 == 0);
            prop_assert!(same(&ours, &wanted));
            prop_assert!(same(&before.0, &before.1), "a copy does not see what becomes of the other");
            let written = serde_json::to_string(&before.0).expect("JSON");
            prop_assert_eq!(&written, &serde_json::to_string(&before.1).expect("JSON"));
            prop_assert_eq!(serde_json::from_str::<Entries<usize>>(&written).expect("entries"), before.0);
        }
    }

    #[test]
    fn a_copy_shares_until_one_of_both_is_changed() {
        let one: Entries<usize> = [("a", 1), ("b", 2)].into();
        let mut other = one.clone();
        assert!(one.is_same(&other));
        *other.get_mut("a").expect("there") = 3;
        assert!(!one.is_same(&other) && one != other);
        assert_eq!((one.get("a"), other.get("a")), (Some(&1), Some(&3)));
    }
}
