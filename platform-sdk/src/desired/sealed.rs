//! Secrets that stay sealed: who looks at a stack without its key knows where they are, and not what they are.

use std::borrow::Cow;

use serde_json::Value;

use super::{Tree, unwrap_secrets};

/// The expression of such a secret. No program's expression reads so.
const SEALED: &str = "$sealed";

/// What a page is given in the place of one.
const STAND_IN: &str = "$platform::sealed";

/// Whether texts stand for sealed secrets in a value.
pub(crate) fn has_stand_ins(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(STAND_IN),
        Value::Array(items) => items.iter().any(has_stand_ins),
        Value::Object(entries) => entries.values().any(has_stand_ins),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

impl Tree {
    /// A secret whose value nobody here can know, for there is no key to it.
    pub fn sealed() -> Self {
        Self::Secret(Box::new(Self::Unknown(SEALED.to_owned())))
    }

    /// Whether this is such a secret.
    pub fn is_sealed(&self) -> bool {
        matches!(unwrap_secrets(self), (Self::Unknown(text), true) if text == SEALED)
    }

    /// Whether any of it is.
    pub fn has_sealed(&self) -> bool {
        match self {
            Self::Leaf(_) | Self::Unknown(_) => false,
            Self::List(items) => items.iter().any(Self::has_sealed),
            Self::Map(entries) => entries.values().any(Self::has_sealed),
            Self::Secret(inner) => self.is_sealed() || inner.has_sealed(),
        }
    }

    /// Whether all of it is known to who has the key.
    pub fn is_known_with_key(&self) -> bool {
        match self {
            Self::Leaf(_) => true,
            Self::List(items) => items.iter().all(Self::is_known_with_key),
            Self::Map(entries) => entries.values().all(Self::is_known_with_key),
            Self::Unknown(_) => false,
            Self::Secret(inner) => self.is_sealed() || inner.is_known_with_key(),
        }
    }

    /// As [`Self::plain`], with a text that stands for each sealed secret: [`Self::sealed_again`] knows it.
    pub fn plain_with_stand_ins(&self) -> Option<Value> {
        self.with_stand_ins().plain()
    }

    /// As [`Self::plain_part`], with such texts.
    pub fn plain_part_with_stand_ins(&self) -> Option<Value> {
        self.with_stand_ins().plain_part()
    }

    fn with_stand_ins(&self) -> Cow<'_, Self> {
        if !self.has_sealed() {
            return Cow::Borrowed(self);
        }
        let instead = |tree: &Self| tree.with_stand_ins().into_owned();
        Cow::Owned(match self {
            _ if self.is_sealed() => Self::Leaf(STAND_IN.into()),
            Self::List(items) => Self::List(items.iter().map(instead).collect()),
            Self::Map(entries) => {
                Self::Map(entries.iter().map(|(name, entry)| (name.clone(), instead(entry))).collect())
            }
            Self::Secret(inner) => Self::Secret(Box::new(instead(inner))),
            Self::Leaf(_) | Self::Unknown(_) => self.clone(),
        })
    }

    /// What a service or a page shows of sealed secrets: what has such a text in it is one.
    pub fn sealed_again(self) -> Self {
        match self {
            Self::Leaf(Value::String(text)) if text.contains(STAND_IN) => Self::sealed(),
            Self::Leaf(_) | Self::Unknown(_) => self,
            Self::List(items) => Self::List(items.into_iter().map(Self::sealed_again).collect()),
            Self::Map(entries) => {
                Self::Map(entries.into_iter().map(|(name, entry)| (name, entry.sealed_again())).collect())
            }
            Self::Secret(inner) if inner.as_str().is_some_and(|text| text.contains(STAND_IN)) => Self::sealed(),
            Self::Secret(inner) => Self::Secret(Box::new(inner.sealed_again())),
        }
    }

    /// Whether both could be the same, if sealed secrets were opened.
    pub fn may_be(&self, other: &Tree) -> bool {
        self.may_be_by(other, Tree::eq)
    }

    /// The same with another word for what is equal, which is asked about leaves and what is of two kinds.
    pub fn may_be_by(&self, other: &Tree, same: fn(&Tree, &Tree) -> bool) -> bool {
        if self.is_sealed() || other.is_sealed() {
            return true;
        }
        match (unwrap_secrets(self).0, unwrap_secrets(other).0) {
            (Self::List(a), Self::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.may_be_by(b, same)),
            (Self::Map(a), Self::Map(b)) => {
                a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| a.may_be_by(b, same)))
            }
            (a, b) => same(a, b),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map<const N: usize>(entries: [(&str, Tree); N]) -> Tree {
        Tree::Map(entries.into())
    }

    #[test]
    fn what_is_sealed_is_shown_as_any_secret_and_is_told_from_what_is_not_known_yet() {
        let later = Tree::Secret(Box::new(Tree::Unknown("[secret] of ${a.id}".to_owned())));
        let tree = map([("a", Tree::sealed()), ("b", json!(1).into()), ("c", later.clone())]);
        assert_eq!(tree.shown(), json!({"a": "[secret]", "b": 1, "c": "[secret] of ${a.id}"}));
        assert_eq!(format!("{:?}", Tree::sealed()), "[secret]");
        assert!(Tree::sealed().is_sealed() && !later.is_sealed() && tree.has_sealed());
        assert!(!tree.is_known_with_key() && map([("a", Tree::sealed())]).is_known_with_key());
        assert!(!Tree::sealed().is_known() && Tree::sealed().has_secrets());
    }

    #[test]
    fn a_page_that_gives_back_what_stands_for_a_secret_gives_back_the_secret() {
        let hush = |value: Value| Tree::Secret(Box::new(value.into()));
        let tree = map([("a", Tree::sealed()), ("b", json!([1]).into()), ("c", hush(json!("open")))]);
        let given = tree.plain_with_stand_ins().expect("a value");
        assert_eq!((&given["b"], &given["c"]), (&json!([1]), &json!("open")));
        let seen = map([
            ("a", given["a"].clone().into()),
            ("b", json!([1]).into()),
            ("c", hush(json!("open"))),
            ("d", hush(format!("in {}", given["a"].as_str().expect("text")).into())),
        ]);
        let again = seen.sealed_again();
        assert!(["a", "d"].iter().all(|name| again.get(name).is_some_and(Tree::is_sealed)));
        assert_eq!(again.get("c"), Some(&hush(json!("open"))));
    }

    #[test]
    fn what_is_sealed_may_be_anything_and_what_stands_beside_it_is_compared() {
        let list = |first: Tree, second: i64| Tree::List(vec![first, json!(second).into()]);
        let hush = Tree::Secret(Box::new(json!("x").into()));
        assert!(list(Tree::sealed(), 1).may_be(&list(hush.clone(), 1)));
        assert!(!list(Tree::sealed(), 1).may_be(&list(hush, 2)));
        assert!(!map([("a", Tree::sealed())]).may_be(&map([("b", Tree::sealed())])));
    }
}
