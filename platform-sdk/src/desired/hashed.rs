//! What a program's hash covers, written straight into the digest: as a value it would be larger than the graph itself.

use std::{collections::BTreeMap, fmt};

use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::{Map, Value};

use super::{Address, Addresses, Desired, Node, ProviderKey};
use crate::program::{Expr, Options};

/// `desired_hash`'s text: the program's expressions. Fields in alphabetical order.
#[derive(Serialize)]
pub(super) struct Whole<'a> {
    exports: BTreeMap<&'a str, Hashed<'a>>,
    lookups: BTreeMap<&'a Address, Hashed<'a>>,
    project: &'a str,
    providers: BTreeMap<&'a ProviderKey, Hashed<'a>>,
    resources: Resources<'a>,
    stack: &'a str,
}

impl<'a> Whole<'a> {
    pub(super) fn of(desired: &'a Desired) -> Self {
        let Desired { project, stack, nodes, lookups, providers, exports, .. } = desired;
        Self {
            exports: exports.iter().map(|(name, expr)| (name.as_str(), Hashed::at(expr, name))).collect(),
            lookups: lookups.iter().map(|(address, lookup)| (address, Hashed::new(&lookup.key))).collect(),
            project,
            providers: providers.iter().map(|(key, provider)| (key, Hashed::new(&provider.config))).collect(),
            resources: Resources(nodes),
            stack,
        }
    }
}

struct Resources<'a>(&'a BTreeMap<Address, Node>);

impl Serialize for Resources<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct One<'a> {
            dependencies: &'a Addresses,
            inputs: Hashed<'a>,
            #[serde(serialize_with = "options")]
            options: &'a Options,
            provider: &'a ProviderKey,
        }

        serializer.collect_map(self.0.iter().map(|(address, node)| {
            let Node { dependencies, inputs, options, provider, .. } = node;
            (address, One { dependencies, inputs: Hashed::new(inputs), options, provider })
        }))
    }
}

/// Options name their fields in the order in which people read them.
fn options<S: Serializer>(options: &Options, serializer: S) -> Result<S::Ok, S::Error> {
    if *options == Options::default() {
        return Map::new().serialize(serializer);
    }
    let value = serde_json::to_value(options).map_err(serde::ser::Error::custom)?;
    Plain(&value).serialize(serializer)
}

/// An expression as hashes see it: secrets by their place, closures by theirs.
#[derive(Clone, Copy)]
pub(super) struct Hashed<'a> {
    expr: &'a Expr,
    place: Place<'a>,
}

/// Where an expression stands. Spelled out only where a secret is: most expressions have none.
#[derive(Clone, Copy)]
enum Place<'a> {
    Root(&'a str),
    Key(&'a Place<'a>, &'a str),
    Index(&'a Place<'a>, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(name) => f.write_str(name),
            Self::Key(Self::Root(""), key) => f.write_str(key),
            Self::Key(above, key) => write!(f, "{above}.{key}"),
            Self::Index(above, index) => write!(f, "{above}[{index}]"),
        }
    }
}

impl<'a> Hashed<'a> {
    pub(super) fn new(expr: &'a Expr) -> Self {
        Self::at(expr, "")
    }

    pub(super) fn at(expr: &'a Expr, name: &'a str) -> Self {
        Self { expr, place: Place::Root(name) }
    }

    /// As a value, for keys.
    pub(super) fn value(self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Serialize for Hashed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { expr, place } = self;
        match expr {
            Expr::Value(value) => Plain(value).serialize(serializer),
            Expr::List(items) => serializer.collect_seq(
                items.iter().enumerate().map(|(index, expr)| Hashed { expr, place: Place::Index(place, index) }),
            ),
            Expr::Map(entries) => serializer
                .collect_map(entries.iter().map(|(key, expr)| (key, Hashed { expr, place: Place::Key(place, key) }))),
            Expr::Output { origin, field } => pair(serializer, ("$ref", &origin.address), Some(("field", field))),
            Expr::Concat(parts) => {
                let parts: Vec<Hashed<'_>> = parts.iter().map(|expr| Hashed { expr, place: *place }).collect();
                pair(serializer, ("$concat", &parts), None::<(&str, &str)>)
            }
            Expr::Apply { source, function } => {
                let source = Hashed { expr: source, place: *place };
                pair(serializer, ("$fn", &function.at), Some(("of", &source)))
            }
            Expr::Secret(_) | Expr::Sealed => pair(serializer, ("$secret", &place.to_string()), None::<(&str, &str)>),
            Expr::Invalid(problem) => pair(serializer, ("$invalid", problem), None::<(&str, &str)>),
        }
    }
}

fn pair<S: Serializer>(
    serializer: S,
    (key, value): (&str, &impl Serialize),
    second: Option<(&str, &(impl Serialize + ?Sized))>,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry(key, value)?;
    if let Some((key, value)) = second {
        map.serialize_entry(key, value)?;
    }
    map.end()
}

/// A value without the nulls of its objects, whose keys are sorted: serde_json's own order is a feature flag's choice.
struct Plain<'a>(&'a Value);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Array(items) => serializer.collect_seq(items.iter().map(Plain)),
            Value::Object(entries) => {
                let mut entries: Vec<_> = entries.iter().filter(|(_, entry)| !entry.is_null()).collect();
                entries.sort_by_key(|(key, _)| *key);
                serializer.collect_map(entries.into_iter().map(|(key, entry)| (key, Plain(entry))))
            }
            scalar => scalar.serialize(serializer),
        }
    }
}
