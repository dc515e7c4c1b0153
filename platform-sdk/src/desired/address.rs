//! Addresses: the name of a resource in its stack, `databricks:Table::sales/orders`.

use std::{
    cmp::Ordering,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    str::FromStr,
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Name, describe};
use crate::{program::Expr, report::Diagnostic};

/// `<type>::<path>`, unique in a stack. Lookups have a `?` before their last name. In the order of the texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    kind: Kind,
    /// The first bytes of the path, as a number that has their order.
    lead: u64,
    text: Arc<str>,
}

/// What tells types apart without reading them: the length of the type's name, and most of its hash.
///
/// A plan looks up each address dozens of times in maps of all of them, and nearly all have one of a few types: with this
/// and the lead beside the pointer, a search hardly ever follows one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind(u64);

impl Kind {
    /// The longest name of a type, in bytes.
    const LONGEST: usize = 0xffff;

    fn of(type_name: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        type_name.hash(&mut hasher);
        Self(((type_name.len() as u64) << 48) | (hasher.finish() >> 16))
    }

    /// The length of the type's name.
    fn len(self) -> usize {
        usize::try_from(self.0 >> 48).unwrap_or_default()
    }
}

impl Address {
    /// An address of this type and path.
    ///
    /// # Errors
    /// When the path is empty or has characters that an address can't carry.
    pub fn new(type_name: &str, path: &str) -> Result<Self, Diagnostic> {
        check(type_name, path)?;
        Ok(Self::of([type_name, "::", path].concat(), type_name.len()))
    }

    pub(crate) fn placeholder(type_name: &str) -> Self {
        Self::of(format!("{type_name}::-"), type_name.len())
    }

    fn of(text: impl Into<Arc<str>>, split: usize) -> Self {
        let text = text.into();
        let path = &text.as_bytes()[split + 2..];
        let mut lead = [0; 8];
        let length = path.len().min(lead.len());
        lead[..length].copy_from_slice(&path[..length]);
        Self { kind: Kind::of(&text[..split]), lead: u64::from_be_bytes(lead), text }
    }

    /// `databricks:Table`.
    pub fn type_name(&self) -> &str {
        &self.text[..self.kind.len()]
    }

    /// `sales/orders`.
    pub fn path(&self) -> &str {
        &self.text[self.kind.len() + 2..]
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it names a lookup.
    pub fn is_lookup(&self) -> bool {
        self.path().rsplit('/').next().is_some_and(|name| name.starts_with('?'))
    }
}

impl Ord for Address {
    fn cmp(&self, other: &Self) -> Ordering {
        // No path has a zero byte, so that one which ends within its lead comes before those that go on.
        if self.kind == other.kind && self.lead != other.lead {
            return self.lead.cmp(&other.lead);
        }
        if Arc::ptr_eq(&self.text, &other.text) { Ordering::Equal } else { self.text.cmp(&other.text) }
    }
}

impl PartialOrd for Address {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

/// Whether a path can be one.
fn check(type_name: &str, path: &str) -> Result<(), Diagnostic> {
    let bad = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '"' | '`' | '$' | '#' | '*');
    let name = path.rsplit('/').next().unwrap_or_default();
    if type_name.len() > Kind::LONGEST {
        return Err(Diagnostic::error(format!("the name of a type has {} bytes, which is too long", type_name.len())));
    }
    if name.is_empty()
        || name == "?"
        || path.starts_with('/')
        || path.contains("//")
        || path.contains("::")
        || path.contains(bad)
    {
        let problem = Diagnostic::error(format!("`{path}` can't be the name of a {type_name}"))
            .hint("use letters, digits, `-`, `_`, `.`; `/` separates components");
        return Err(problem);
    }
    Ok(())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Address {
    type Err = Diagnostic;

    fn from_str(text: &str) -> Result<Self, Diagnostic> {
        match text.split_once("::") {
            Some((type_name, path)) if type_name.contains(':') => {
                check(type_name, path)?;
                Ok(Self::of(text, type_name.len()))
            }
            _ => Err(Diagnostic::error(format!("`{text}` is not an address"))
                .hint("an address is `<type>::<path>`, such as `databricks:Catalog::lake`; `state list` shows all")),
        }
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl serde::de::Visitor<'_> for Text {
            type Value = Address;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an address")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Address, E> {
                text.parse().map_err(|problem: Diagnostic| E::custom(problem.summary))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// Names one provider of a stack: its kind, and a digest of its configuration where it is not the default of its kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProviderKey(Name);

impl ProviderKey {
    /// The default provider of a kind.
    pub fn default_of(kind: &str) -> Self {
        Self(kind.into())
    }

    /// The provider of a kind with this configuration.
    pub fn new(kind: &str, config: &Expr) -> Self {
        let digest = super::hash(&serde_json::Value::String(describe(config)));
        Self(format!("{kind}#{}", &digest.as_str()[..8]).into())
    }

    /// The kind: `databricks.workspace`.
    pub fn kind(&self) -> &str {
        self.0.split('#').next().unwrap_or_default()
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn kind_of(&self, kinds: impl IntoIterator<Item = &'static str>) -> &'static str {
        kinds.into_iter().find(|kind| *kind == self.kind()).unwrap_or("")
    }
}

impl fmt::Display for ProviderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn addresses_have_the_order_of_their_texts(
            texts in prop::collection::vec("[a-b]:[A-B]{1,2}[0-9]?::[a-bé]{0,9}[?/]?[a-b]{1,2}", 2..8),
        ) {
            let mut addresses: Vec<Address> = texts.iter().filter_map(|text| text.parse().ok()).collect();
            let mut texts: Vec<String> = addresses.iter().map(Address::to_string).collect();
            addresses.sort();
            texts.sort();
            prop_assert!(addresses.iter().map(Address::as_str).eq(texts.iter().map(String::as_str)));
            prop_assert!(addresses.windows(2).all(|two| (two[0] == two[1]) == (two[0].as_str() == two[1].as_str())));
        }
    }

    #[test]
    fn an_address_knows_its_type_and_its_path() {
        let address: Address = "databricks:Table::sales/orders".parse().expect("an address");
        assert_eq!((address.type_name(), address.path()), ("databricks:Table", "sales/orders"));
        assert_eq!(Address::new("databricks:Table", "sales/orders").expect("an address"), address);
        assert!(format!("{}:T::a", "x".repeat(Kind::LONGEST)).parse::<Address>().is_err());
    }
}
