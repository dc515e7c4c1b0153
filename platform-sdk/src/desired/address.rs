//! Addresses: the name of a resource in its stack, `databricks:Table::sales/orders`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::describe;
use crate::{program::Expr, report::Diagnostic};

/// `<type>::<path>`, unique in a stack. Lookups have a `?` before their last name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    text: std::sync::Arc<str>,
    split: usize,
}

impl Address {
    /// An address of this type and path.
    ///
    /// # Errors
    /// When the path is empty or has characters that an address can't carry.
    pub fn new(type_name: &str, path: &str) -> Result<Self, Diagnostic> {
        check(type_name, path)?;
        Ok(Self { text: format!("{type_name}::{path}").into(), split: type_name.len() })
    }

    pub(crate) fn placeholder(type_name: &str) -> Self {
        Self { text: format!("{type_name}::-").into(), split: type_name.len() }
    }

    /// `databricks:Table`.
    pub fn type_name(&self) -> &str {
        &self.text[..self.split]
    }

    /// `sales/orders`.
    pub fn path(&self) -> &str {
        &self.text[self.split + 2..]
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

/// Whether a path can be one.
fn check(type_name: &str, path: &str) -> Result<(), Diagnostic> {
    let bad = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '"' | '`' | '$' | '#' | '*');
    let name = path.rsplit('/').next().unwrap_or_default();
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
                Ok(Self { text: text.into(), split: type_name.len() })
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
pub struct ProviderKey(String);

impl ProviderKey {
    /// The default provider of a kind.
    pub fn default_of(kind: &str) -> Self {
        Self(kind.to_owned())
    }

    /// The provider of a kind with this configuration.
    pub fn new(kind: &str, config: &Expr) -> Self {
        let digest = super::hash(&serde_json::Value::String(describe(config)));
        Self(format!("{kind}#{}", &digest.as_str()[..8]))
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
