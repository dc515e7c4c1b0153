//! Secrecy by origin: what was made of something secret is secret, whatever it is. That a text has the letters of a secret
//! in it counts only where nobody would have written them by chance.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Name, Tree, evaluate::secret};
use crate::{
    program::{Field, Schema},
    scrub::Known,
};

/// A value that is the same as a secret of so many characters is one.
const TELLING: usize = 8;

/// So is a text that has one of so many characters in it.
const TELLING_INSIDE: usize = 12;

/// Secrets that tell themselves apart from other values by their letters.
#[derive(Debug, Default)]
pub struct Telling {
    whole: BTreeSet<String>,
    inside: Known,
}

impl Telling {
    /// Those of them that do.
    pub fn of(secrets: Vec<String>) -> Self {
        let mut telling = Self::default();
        for secret in secrets {
            let length = secret.chars().count();
            if length >= TELLING_INSIDE {
                telling.inside.learn(&secret);
            }
            if length >= TELLING {
                telling.whole.insert(secret);
            }
        }
        telling
    }

    /// Whether one of them stands in a text that nobody would have written by chance.
    pub fn stands_in(&self, text: &str) -> bool {
        self.inside.are_in(text)
    }

    fn has(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.whole.contains(text) || self.inside.are_in(text),
            Value::Number(number) => self.whole.contains(&number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
        }
    }
}

impl Tree {
    /// The same tree, as secret as what it comes from: where that is secret, and wherever the two can't be told apart.
    pub fn as_secret_as(self, origin: &Tree) -> Tree {
        if !origin.has_secrets() {
            return self;
        }
        match (self, origin) {
            (Tree::Map(entries), Tree::Map(origins)) => {
                let entry = |(name, entry): (Name, Tree)| {
                    let entry = match origins.get(&name) {
                        Some(origin) => entry.as_secret_as(origin),
                        None => entry,
                    };
                    (name, entry)
                };
                Tree::Map(entries.into_iter().map(entry).collect())
            }
            (Tree::List(items), Tree::List(origins)) => {
                let same = items.len() == origins.len()
                    && items.iter().zip(origins).all(|(item, origin)| item.exposed() == origin.exposed());
                let item = |(index, item): (usize, Tree)| {
                    // Elements may come back in another order.
                    let origins = if same { &origins[index..=index] } else { &origins[..] };
                    origins.iter().fold(item, Tree::as_secret_as)
                };
                Tree::List(items.into_iter().enumerate().map(item).collect())
            }
            (there, _) => secret(there),
        }
    }

    /// The same tree with what nobody would have written by chance, but for one of these secrets, marked as that: what a
    /// service returns must not lose the secrecy of what it was given.
    pub fn concealing(self, secrets: &Telling) -> Tree {
        if secrets.whole.is_empty() {
            return self;
        }
        match self {
            Self::Leaf(value) if secrets.has(&value) => secret(Self::Leaf(value)),
            Self::Leaf(_) | Self::Unknown(_) | Self::Secret(_) => self,
            Self::List(items) => Self::List(items.into_iter().map(|item| item.concealing(secrets)).collect()),
            Self::Map(entries) if entries.keys().any(|key| secrets.has(&Value::String(key.to_string()))) => {
                secret(Self::Map(entries))
            }
            Self::Map(entries) => {
                Self::Map(entries.into_iter().map(|(key, entry)| (key, entry.concealing(secrets))).collect())
            }
        }
    }
}

/// Marks what fields declare secret, for values that reached them in clear.
pub fn conceal_fields(tree: Tree, fields: &[Field]) -> Tree {
    if !fields.iter().any(|field| field.secret) {
        return tree;
    }
    let Tree::Map(entries) = tree else { return tree };
    let conceal = |(name, entry): (Name, Tree)| {
        let marked = fields.iter().any(|field| field.secret && name == field.name);
        let entry = if marked && !matches!(entry, Tree::Unknown(_)) { secret(entry) } else { entry };
        (name, entry)
    };
    Tree::Map(entries.into_iter().map(conceal).collect())
}

/// Outputs, as secret as their marks say, and as the inputs that they come from.
pub fn conceal_outputs(outputs: Tree, schema: &Schema, inputs: &Tree) -> Tree {
    let marked = schema.outputs.iter().any(|output| output.secret);
    if !marked && !inputs.has_secrets() {
        return outputs;
    }
    let Tree::Map(entries) = outputs else { return outputs };
    let conceal = |(name, entry): (Name, Tree)| {
        let entry = match schema.output(&name) {
            Some(output) if output.secret => secret(entry),
            Some(output) => output.from.iter().filter_map(|input| inputs.get(input)).fold(entry, Tree::as_secret_as),
            None => entry,
        };
        (name, entry)
    };
    Tree::Map(entries.into_iter().map(conceal).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hush(value: Value) -> Tree {
        secret(value.into())
    }

    fn map<const N: usize>(entries: [(&str, Tree); N]) -> Tree {
        Tree::Map(entries.into())
    }

    #[test]
    fn what_comes_from_a_secret_is_secret_whatever_it_is() {
        let origin = map([("n", hush(json!(1))), ("b", hush(json!(true))), ("open", json!(1).into())]);
        let there = Tree::from(json!({"n": 1, "b": true, "open": 1, "other": 1}));
        let wanted = map([
            ("n", hush(json!(1))),
            ("b", hush(json!(true))),
            ("open", json!(1).into()),
            ("other", json!(1).into()),
        ]);
        assert_eq!(there.as_secret_as(&origin), wanted);
        assert_eq!(Tree::from(json!("1/true")).as_secret_as(&origin), hush(json!("1/true")), "of another shape");
        assert_eq!(Tree::from(json!({"canary": 1})).as_secret_as(&hush(json!({"x": 1}))), hush(json!({"canary": 1})));
    }

    #[test]
    fn elements_in_another_order_are_all_as_secret_as_any() {
        let origin = Tree::List(vec![hush(json!("a")), json!("b").into()]);
        assert_eq!(Tree::from(json!(["a", "b"])).as_secret_as(&origin), origin);
        let turned = Tree::List(vec![hush(json!("b")), hush(json!("a"))]);
        assert_eq!(Tree::from(json!(["b", "a"])).as_secret_as(&origin), turned);
        let blocks = Tree::List(vec![map([("key", json!("one").into()), ("password", hush(json!(7)))])]);
        let there = Tree::from(json!([{"key": "two", "password": 8}, {"key": "one", "password": 7}]));
        let wanted = |key: &str, n: i64| map([("key", json!(key).into()), ("password", hush(json!(n)))]);
        assert_eq!(there.as_secret_as(&blocks), Tree::List(vec![wanted("two", 8), wanted("one", 7)]));
    }

    #[test]
    fn a_short_secret_makes_nothing_else_secret_and_a_long_one_is_known_again() {
        let telling =
            Telling::of(vec!["1".into(), "prod".into(), "true".into(), "hunter2!".into(), "long enough canary".into()]);
        let open = json!({"a": "1 of 10", "b": true, "c": 1, "d": "prod-data", "e": "hunter2!!"});
        assert_eq!(Tree::from(open.clone()).concealing(&telling), Tree::from(open));
        for telling_text in
            ["hunter2!", "with long enough canary in it", "bG9uZyBlbm91Z2ggY2FuYXJ5", "long%20enough+canary"]
        {
            assert_eq!(
                Tree::from(json!(telling_text)).concealing(&telling),
                hush(json!(telling_text)),
                "{telling_text}"
            );
        }
        let key = json!({"long enough canary": 1});
        assert_eq!(Tree::from(key.clone()).concealing(&telling), hush(key), "nor is it seen as a key");
    }
}
