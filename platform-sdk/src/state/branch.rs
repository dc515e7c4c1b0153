//! Trees as JSON: secrets sealed for their place or hashed, markers that no value can be mistaken for.
//!
//! A sealed secret is `{"$sealed": text}`, an unknown `{"$unknown": text}`. A key that starts with `$` gets another one in
//! front, so that a user's own `{"$sealed": ..}` stays what it is.

use std::{borrow::Cow, fmt, io};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
    ser::{Error as _, SerializeMap as _},
};
use serde_json::{Number, Value};
use zeroize::Zeroizing;

use super::Keys;
use crate::{
    desired::{Address, Entries, Hash, Name, Tree, hash_written, write_within},
    report::Diagnostic,
};

/// The root of a tree in state: what a sealed secret is bound to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Root<'a> {
    /// A resource's inputs.
    Inputs(&'a Address),
    /// A resource's outputs.
    Outputs(&'a Address),
    /// One of the stack's outputs.
    Export(&'a str),
}

/// What becomes of secrets.
#[derive(Debug, Clone, Copy)]
enum Mode<'a> {
    Sealed(&'a Keys),
    Hashed(&'a Keys),
    /// Inside of what is sealed as a whole.
    Clear,
}

/// A tree on its way out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Branch<'a> {
    tree: &'a Tree,
    mode: Mode<'a>,
    place: Place<'a>,
    /// For outputs: the inputs, which are not written again.
    inputs: Option<&'a Tree>,
}

/// Where a branch is. Spelled out only where a secret is: most trees have none.
#[derive(Debug, Clone, Copy)]
enum Place<'a> {
    Root(Root<'a>),
    Key(&'a Place<'a>, &'a str),
    Index(&'a Place<'a>, usize),
}

impl<'a> Branch<'a> {
    /// A tree whose secrets are sealed.
    pub(super) fn sealed(tree: &'a Tree, root: Root<'a>, keys: &'a Keys) -> Self {
        Self { tree, mode: Mode::Sealed(keys), place: Place::Root(root), inputs: None }
    }

    /// The same tree without its entries that are one of these inputs.
    pub(super) fn besides(self, inputs: &'a Tree) -> Self {
        Self { inputs: Some(inputs), ..self }
    }

    fn below(&self, tree: &'a Tree, place: Place<'a>) -> Self {
        Self { tree, mode: self.mode, place, inputs: None }
    }
}

/// The hash of inputs, as [`Tree::hash`] with the stack's keys gives it, without an intermediate value.
pub(super) fn input_hash(tree: &Tree, keys: &Keys) -> Hash {
    let place = Place::Root(Root::Export(""));
    hash_written(&Branch { tree, mode: Mode::Hashed(keys), place, inputs: None })
}

/// How deep a file may nest. Its reader, `serde_json`, takes 127 levels; what is deeper is never written.
const DEEPEST: usize = 120;

/// Writes JSON in canonical form, given that structs name their fields in order.
///
/// # Errors
/// When it nests too deep to be read again; when a secret would have to be sealed and there are no keys: a mistake of ours.
pub(super) fn to_bytes(value: &impl Serialize) -> Result<Vec<u8>, Diagnostic> {
    let mut bytes = Vec::new();
    let written = write_within(DEEPEST, value, &mut bytes);
    written.map_err(|error| Diagnostic::error("state can't be written as JSON").detail(error.to_string()))?;
    Ok(bytes)
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Root(Root::Inputs(address)) => write!(f, "{address}/inputs/"),
            Place::Root(Root::Outputs(address)) => write!(f, "{address}/outputs/"),
            Place::Root(Root::Export(name)) => write!(f, "{name}/export/"),
            Place::Key(Place::Root(root), key) => write!(f, "{}{key}", Place::Root(*root)),
            Place::Key(parent, key) => write!(f, "{parent}.{key}"),
            Place::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

impl Serialize for Branch<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.tree {
            Tree::Leaf(value) => value.serialize(serializer),
            Tree::List(items) => {
                let place = &self.place;
                serializer.collect_seq(
                    items.iter().enumerate().map(|(index, item)| self.below(item, Place::Index(place, index))),
                )
            }
            Tree::Map(entries) => {
                let mut map = serializer.serialize_map(None)?;
                for (key, entry) in entries {
                    if self.inputs.is_some_and(|inputs| entry.input_among(inputs).is_some()) {
                        continue;
                    }
                    map.serialize_entry(&self.key(key), &self.below(entry, Place::Key(&self.place, key)))?;
                }
                map.end()
            }
            Tree::Unknown(expr) => marker(serializer, "$unknown", expr),
            Tree::Secret(inner) => self.secret(inner, serializer),
        }
    }
}

impl Branch<'_> {
    fn key<'k>(&self, key: &'k str) -> Cow<'k, str> {
        match self.mode {
            Mode::Sealed(_) | Mode::Clear if key.starts_with('$') => Cow::Owned(format!("${key}")),
            Mode::Sealed(_) | Mode::Clear | Mode::Hashed(_) => Cow::Borrowed(key),
        }
    }

    fn secret<S: Serializer>(&self, inner: &Tree, serializer: S) -> Result<S::Ok, S::Error> {
        match self.mode {
            Mode::Clear => marker(serializer, "$secret", &self.below(inner, self.place)),
            Mode::Sealed(keys) => {
                let clear = Branch { tree: inner, mode: Mode::Clear, place: self.place, inputs: None };
                write_within(DEEPEST, &clear, &mut io::sink()).map_err(S::Error::custom)?;
                let bytes = Zeroizing::new(serde_json::to_vec(&clear).map_err(S::Error::custom)?);
                let sealed = keys.seal(&self.place.to_string(), &bytes);
                marker(serializer, "$sealed", &sealed.ok_or_else(|| S::Error::custom("a secret without keys"))?)
            }
            Mode::Hashed(keys) => match inner.plain() {
                Some(value) => marker(serializer, "$hmac", &keys.hmac(&value)),
                None => self.below(inner, self.place).serialize(serializer),
            },
        }
    }
}

fn marker<S: Serializer>(serializer: S, key: &str, value: &impl Serialize) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(key, value)?;
    map.end()
}

/// A tree on its way in. A sealed secret is a secret that is not known yet, until [`Stored::open`].
#[derive(Debug, Clone, Default)]
pub(super) struct Stored(Tree);

impl Stored {
    /// Whether any of it is secret.
    pub(super) fn has_secrets(&self) -> bool {
        self.0.has_secrets()
    }

    /// The tree as it is, for [`open`].
    pub(super) fn unopened(self) -> Tree {
        self.0
    }

    /// The tree with its secrets in clear.
    ///
    /// # Errors
    /// When one can't be opened.
    pub(super) fn open(mut self, root: Root<'_>, keys: &Keys) -> Result<Tree, Diagnostic> {
        open(&mut self.0, root, keys)?;
        Ok(self.0)
    }
}

/// Puts the secrets of a stored tree in clear.
///
/// # Errors
/// When one can't be opened.
pub(super) fn open(tree: &mut Tree, root: Root<'_>, keys: &Keys) -> Result<(), Diagnostic> {
    open_at(tree, &Place::Root(root), keys)
}

fn open_at(tree: &mut Tree, place: &Place<'_>, keys: &Keys) -> Result<(), Diagnostic> {
    match tree {
        Tree::Leaf(_) | Tree::Unknown(_) => Ok(()),
        Tree::List(items) => {
            items.iter_mut().enumerate().try_for_each(|(index, item)| open_at(item, &Place::Index(place, index), keys))
        }
        // Nothing is changed where nothing is secret: what two trees share stays shared.
        Tree::Map(entries) if !entries.values().any(Tree::has_secrets) => Ok(()),
        Tree::Map(entries) => {
            entries.iter_mut().try_for_each(|(key, entry)| open_at(entry, &Place::Key(place, key), keys))
        }
        Tree::Secret(inner) => {
            if keys.locked().is_some() {
                *tree = Tree::sealed();
            } else if let Tree::Unknown(sealed) = &**inner {
                let bytes = keys.unseal(&place.to_string(), sealed)?;
                let clear: Stored = serde_json::from_slice(&bytes)
                    .map_err(|_| Diagnostic::error(format!("the secret at `{place}` is no value")))?;
                **inner = clear.0;
            }
            Ok(())
        }
    }
}

impl<'de> Deserialize<'de> for Stored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Trees).map(Self)
    }
}

struct Trees;

impl<'de> Visitor<'de> for Trees {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Leaf(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Leaf(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Leaf(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Leaf(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Tree, E> {
        Number::from_f64(value).map(|number| Tree::Leaf(number.into())).ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Leaf(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Tree, E> {
        Ok(Tree::Leaf(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(Stored(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Name>()? {
            let tree = match key.as_str() {
                "$sealed" => Some(Tree::Secret(Box::new(Tree::Unknown(map.next_value()?)))),
                "$secret" => Some(Tree::Secret(Box::new(map.next_value::<Stored>()?.0))),
                "$unknown" => Some(Tree::Unknown(map.next_value()?)),
                _ => None,
            };
            if let Some(tree) = tree {
                let alone = entries.is_empty() && map.next_key::<Name>()?.is_none();
                return if alone { Ok(tree) } else { Err(A::Error::custom(format!("`{key}` is not alone"))) };
            }
            let name = match key.strip_prefix('$') {
                Some(name) if name.starts_with('$') => name.into(),
                Some(_) => return Err(A::Error::custom(format!("`{key}` is no marker of this version"))),
                None => key,
            };
            entries.push((name, map.next_value::<Stored>()?.0));
        }
        Ok(Tree::Map(entries.into_iter().collect::<Entries<Tree>>()))
    }
}
