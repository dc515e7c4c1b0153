//! Shown values: what a plan says of a value. The tree itself where all of it may be seen: a plan of a new stack would
//! otherwise be a second copy of all its inputs.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::desired::Tree;

/// How secrets stand in what is shown.
const REDACTED: &str = "[secret]";

/// A value as it may be seen: secrets as `[secret]`, what is not known yet as its expression. There is no secret in it.
#[derive(Debug, Clone)]
pub struct Shown(Tree);

impl Shown {
    /// What may be seen of this tree.
    pub fn of(tree: &Tree) -> Self {
        if tree.has_secrets() { tree.shown().into() } else { Self(tree.clone()) }
    }

    /// Nothing but that there is a secret.
    pub fn redacted() -> Self {
        Value::from(REDACTED).into()
    }

    /// As JSON.
    pub fn value(&self) -> Value {
        self.0.shown()
    }
}

impl From<Value> for Shown {
    fn from(value: Value) -> Self {
        Self(value.into())
    }
}

/// What is seen is compared: the expression of an unknown value is the same text when it has been written and read.
impl PartialEq for Shown {
    fn eq(&self, other: &Self) -> bool {
        seen_alike(&self.0, &other.0)
    }
}

fn seen_alike(a: &Tree, b: &Tree) -> bool {
    if let (Some(a), Some(b)) = (text(a), text(b)) {
        return a == b;
    }
    match (a, b) {
        (Tree::Leaf(a), Tree::Leaf(b)) => a == b,
        (Tree::List(a), Tree::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| seen_alike(a, b)),
        (Tree::Map(a), Tree::Map(b)) => {
            let pair = |((a_name, a), (b_name, b))| a_name == b_name && seen_alike(a, b);
            a.is_same(b) || a.len() == b.len() && a.iter().zip(b.iter()).all(pair)
        }
        _ => false,
    }
}

fn text(tree: &Tree) -> Option<&str> {
    match tree {
        Tree::Leaf(Value::String(text)) | Tree::Unknown(text) => Some(text),
        Tree::Secret(_) => Some(REDACTED),
        Tree::Leaf(_) | Tree::List(_) | Tree::Map(_) => None,
    }
}

/// A tree on its way out.
struct Seen<'a>(&'a Tree);

impl Serialize for Seen<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Tree::Leaf(value) => value.serialize(serializer),
            Tree::List(items) => serializer.collect_seq(items.iter().map(Seen)),
            Tree::Map(entries) => serializer.collect_map(entries.iter().map(|(name, entry)| (name, Seen(entry)))),
            Tree::Unknown(expr) => serializer.serialize_str(expr),
            Tree::Secret(_) => serializer.serialize_str(REDACTED),
        }
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Seen(&self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Shown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tree(value: Value) -> Tree {
        value.into()
    }

    #[test]
    fn it_is_written_as_it_is_shown_and_read_it_is_the_same() {
        let (hush, unknown) = (Tree::Secret(Box::new(tree(json!("canary")))), Tree::Unknown("${a.id}".to_owned()));
        let list = Tree::List(vec![tree(json!({"b": 1.5, "a": null})), unknown.clone()]);
        for tree in [
            Tree::Map([("known", tree(json!([1, true]))), ("later", unknown), ("list", list.clone())].into()),
            Tree::Map([("password", hush), ("list", list)].into()),
        ] {
            let shown = Shown::of(&tree);
            assert!(!shown.0.has_secrets(), "not even kept: {shown:?}");
            assert_eq!(shown.value(), tree.shown());
            let text = serde_json::to_string(&shown).expect("JSON");
            assert_eq!(text, tree.shown().to_string());
            assert!(!text.contains("canary") && !format!("{shown:?}").contains("canary"), "{shown:?}");
            let read: Shown = serde_json::from_str(&text).expect("shown");
            assert_eq!(read, shown);
            assert_ne!(Shown::from(json!({"known": [1, true]})), shown);
        }
        assert_eq!(Shown::redacted(), Shown::of(&Tree::Secret(Box::new(tree(json!({"deep": "canary"}))))));
    }

    #[test]
    fn what_has_no_secret_is_shown_without_a_copy() {
        let inputs = tree(json!({"a": 1}));
        let (Tree::Map(inputs), Shown(Tree::Map(shown))) = (&inputs, Shown::of(&inputs)) else { panic!("maps") };
        assert!(inputs.is_same(&shown));
    }
}
