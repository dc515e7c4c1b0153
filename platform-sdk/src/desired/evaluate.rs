//! Evaluating expressions to trees, and writing them out for people and hashes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Tree;
use crate::program::{Expr, Origin};

/// The tree of an expression; `output` gives the tree of a resource's output, or `None` while it is unknown.
pub fn evaluate(expr: &Expr, output: &mut dyn FnMut(&Origin, &str) -> Option<Tree>) -> Tree {
    evaluated(expr, false, output)
}

/// `hidden`: something around it is secret, so that none of it may be told, known or not.
fn evaluated(expr: &Expr, hidden: bool, output: &mut dyn FnMut(&Origin, &str) -> Option<Tree>) -> Tree {
    let told = if hidden { describe_hidden } else { describe };
    match expr {
        Expr::Value(value) => without_nulls(value),
        Expr::List(items) => Tree::List(items.iter().map(|item| evaluated(item, hidden, output)).collect()),
        Expr::Map(entries) => {
            Tree::Map(entries.iter().map(|(k, entry)| (k.clone(), evaluated(entry, hidden, output))).collect())
        }
        Expr::Output { origin, field } => output(origin, field).unwrap_or_else(|| Tree::Unknown(told(expr))),
        Expr::Concat(parts) => concat(parts, output).unwrap_or_else(|| Tree::Unknown(told(expr))),
        Expr::Apply { source, function } => {
            let source = evaluated(source, hidden, output);
            let is_secret = source.has_secrets();
            let Some(value) = source.plain() else {
                // Only the key is missing to it: what is made of it is as sealed.
                return if source.is_known_with_key() { Tree::sealed() } else { Tree::Unknown(told(expr)) };
            };
            // A function that fails leaves the value unknown for good; the apply reports it with this text.
            let result = match (function.call)(value) {
                Ok(value) => without_nulls(&value),
                Err(why) => {
                    let why = kept_back(&source, hidden, why);
                    Tree::Unknown(format!("fn({}) at {} failed: {why}", outputs(expr), function.at))
                }
            };
            if is_secret { secret(result) } else { result }
        }
        Expr::Secret(inner) => secret(evaluated(inner, true, output)),
        Expr::Sealed => Tree::sealed(),
        Expr::Invalid(_) if hidden => Tree::Unknown("invalid".to_owned()),
        Expr::Invalid(problem) => Tree::Unknown(format!("invalid: {problem}")),
    }
}

/// The functions of an expression that fail on values that are known: `the function at src/main.rs:42:17 failed: ..`.
pub fn failures(expr: &Expr, output: &mut dyn FnMut(&Origin, &str) -> Option<Tree>) -> Vec<String> {
    failing(expr, false, output)
}

fn failing(expr: &Expr, hidden: bool, output: &mut dyn FnMut(&Origin, &str) -> Option<Tree>) -> Vec<String> {
    match expr {
        Expr::Value(_) | Expr::Output { .. } | Expr::Sealed | Expr::Invalid(_) => Vec::new(),
        Expr::List(parts) | Expr::Concat(parts) => {
            parts.iter().flat_map(|part| failing(part, hidden, output)).collect()
        }
        Expr::Map(entries) => entries.values().flat_map(|entry| failing(entry, hidden, output)).collect(),
        Expr::Secret(inner) => failing(inner, true, output),
        Expr::Apply { source, function } => {
            let tree = evaluate(source, output);
            let Some(value) = tree.plain() else { return failing(source, hidden, output) };
            let why = (function.call)(value).err().map(|why| kept_back(&tree, hidden, why));
            why.map(|why| format!("the function at {} failed: {why}", function.at)).into_iter().collect()
        }
    }
}

/// What a function says of its failure may hold what it was given.
fn kept_back(source: &Tree, hidden: bool, error: String) -> String {
    if hidden || source.has_secrets() {
        "what it says is kept back, for it was given a secret".to_owned()
    } else {
        error
    }
}

/// Whether this tree is what the expression evaluates to. Says so without making that: most of a program is as it was
/// when it was last applied.
pub fn evaluates_to(expr: &Expr, tree: &Tree, output: &mut dyn FnMut(&Origin, &str) -> Option<Tree>) -> bool {
    match (expr, tree) {
        (Expr::Value(scalar @ (Value::Bool(_) | Value::Number(_) | Value::String(_))), Tree::Leaf(leaf)) => {
            scalar == leaf
        }
        (Expr::List(items), Tree::List(trees)) => {
            items.len() == trees.len() && items.iter().zip(trees).all(|(item, tree)| evaluates_to(item, tree, output))
        }
        (Expr::Map(entries), Tree::Map(trees)) => {
            let mut pairs = entries.iter().zip(trees);
            entries.len() == trees.len()
                && pairs.all(|((key, entry), (name, tree))| key == name && evaluates_to(entry, tree, output))
        }
        _ => evaluate(expr, output) == *tree,
    }
}

pub(super) fn secret(tree: Tree) -> Tree {
    match tree {
        Tree::Secret(_) => tree,
        other => Tree::Secret(Box::new(other)),
    }
}

/// Unset fields are absent, never null: one spelling for one meaning.
fn without_nulls(value: &Value) -> Tree {
    match value {
        Value::Array(items) => Tree::List(items.iter().map(without_nulls).collect()),
        Value::Object(entries) => {
            Tree::Map(entries.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k, without_nulls(v))).collect())
        }
        scalar => Tree::Leaf(scalar.clone()),
    }
}

/// Text from its parts; `None` while one of them is unknown.
fn concat(parts: &[Expr], output: &mut dyn FnMut(&Origin, &str) -> Option<Tree>) -> Option<Tree> {
    let (mut text, mut is_secret, mut is_sealed) = (String::new(), false, false);
    for part in parts {
        // Every other part is the program's own text, which needs no tree.
        if let Expr::Value(Value::String(own)) = part {
            text.push_str(own);
            continue;
        }
        let tree = evaluate(part, output);
        is_secret |= tree.has_secrets();
        match (tree.as_str(), tree.plain()) {
            (Some(known), _) => text.push_str(known),
            (None, Some(known)) => text.push_str(&plain_text(&known)),
            (None, None) if tree.is_known_with_key() => is_sealed = true,
            (None, None) => return None,
        }
    }
    if is_sealed {
        return Some(Tree::sealed());
    }
    let joined = Tree::Leaf(Value::String(text));
    Some(if is_secret { secret(joined) } else { joined })
}

fn plain_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// An expression as a person reads it: `s3://${landing.bucket}/lake`. Secrets are not in it.
pub fn describe(expr: &Expr) -> String {
    match expr {
        Expr::Value(value) => plain_text(value),
        Expr::List(items) => format!("[{}]", items.iter().map(describe).collect::<Vec<_>>().join(", ")),
        Expr::Map(entries) => {
            let entries = entries.iter().map(|(key, entry)| format!("{key}: {}", describe(entry)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Expr::Output { origin, field } => format!("${{{}.{field}}}", origin.address.path()),
        Expr::Concat(parts) => parts.iter().map(describe).collect(),
        // A function that has a name needs no place.
        Expr::Apply { source, function } if !function.at.contains(':') => {
            format!("{}({})", function.at, describe(source))
        }
        Expr::Apply { source, function } => format!("fn({}) at {}", describe(source), function.at),
        Expr::Secret(_) | Expr::Sealed => "[secret]".to_owned(),
        Expr::Invalid(problem) => format!("invalid: {problem}"),
    }
}

/// What may be told of an expression whose value is secret: what it waits for, and no text of its own.
fn describe_hidden(expr: &Expr) -> String {
    let of = outputs(expr);
    let secret = if of.is_empty() { "[secret]".to_owned() } else { format!("[secret] of {of}") };
    match expr {
        Expr::Apply { function, .. } => format!("fn({secret}) at {}", function.at),
        _ => secret,
    }
}

/// The outputs that an expression refers to: `${landing.bucket}, ${landing.arn}`.
fn outputs(expr: &Expr) -> String {
    let mut outputs = BTreeSet::new();
    expr.for_each_output(&mut |_, origin, field| {
        outputs.insert(format!("${{{}.{field}}}", origin.address.path()));
    });
    outputs.into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::desired::Address;

    fn output(name: &str) -> Expr {
        let address = Address::new("platform:Data", "x").expect("an address");
        Expr::Output { origin: Arc::new(Origin { recording: 1, address }), field: name.into() }
    }

    /// Few values, so that two expressions often mean the same.
    fn expressions() -> impl Strategy<Value = Expr> {
        let values = [json!(null), json!(1), json!(1.0), json!("a"), json!([1, null]), json!({"a": null, "b": [1]})];
        let leaf = prop_oneof![
            prop::sample::select(values.to_vec()).prop_map(Expr::Value),
            prop::sample::select(vec!["known", "secret", "unknown"]).prop_map(output),
        ];
        leaf.prop_recursive(3, 16, 2, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Expr::List),
                prop::collection::btree_map("[ab]", inner.clone(), 0..3)
                    .prop_map(|entries| Expr::map(entries.into_iter().map(|(name, entry)| (name.into(), entry)))),
                prop::collection::vec(inner.clone(), 0..3).prop_map(Expr::Concat),
                inner.prop_map(|inner| Expr::Secret(Box::new(inner))),
            ]
        })
    }

    fn outputs(_: &Origin, field: &str) -> Option<Tree> {
        match field {
            "known" => Some(Tree::Leaf("a".into())),
            "secret" => Some(secret(Tree::Leaf("a".into()))),
            _ => None,
        }
    }

    proptest! {
        #[test]
        fn what_an_expression_evaluates_to_is_known_without_making_it(one in expressions(), other in expressions()) {
            let (tree, another) = (evaluate(&one, &mut outputs), evaluate(&other, &mut outputs));
            prop_assert!(evaluates_to(&one, &tree, &mut outputs));
            prop_assert_eq!(evaluates_to(&one, &another, &mut outputs), tree == another);
        }
    }
}
