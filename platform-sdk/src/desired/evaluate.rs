//! Evaluating expressions to trees, and writing them out for people and hashes.

use serde_json::Value;

use super::Tree;
use crate::program::{Expr, Origin};

/// The tree of an expression; `output` gives the tree of a resource's output, or `None` while it is unknown.
pub fn evaluate(expr: &Expr, output: &mut dyn FnMut(&Origin, &str) -> Option<Tree>) -> Tree {
    match expr {
        Expr::Value(value) => without_nulls(value),
        Expr::List(items) => Tree::List(items.iter().map(|item| evaluate(item, output)).collect()),
        Expr::Map(entries) => {
            Tree::Map(entries.iter().map(|(k, entry)| (k.clone(), evaluate(entry, output))).collect())
        }
        Expr::Output { origin, field } => output(origin, field).unwrap_or_else(|| Tree::Unknown(describe(expr))),
        Expr::Concat(parts) => concat(expr, parts, output),
        Expr::Apply { source, function } => {
            let source = evaluate(source, output);
            let Some(value) = source.plain() else { return Tree::Unknown(describe(expr)) };
            // A function that fails leaves the value unknown for good; the apply reports it with this text.
            let result = match (function.call)(value) {
                Ok(value) => without_nulls(&value),
                Err(error) => Tree::Unknown(format!("{} failed: {error}", describe(expr))),
            };
            if source.has_secrets() { secret(result) } else { result }
        }
        Expr::Secret(inner) => secret(evaluate(inner, output)),
        Expr::Invalid(problem) => Tree::Unknown(format!("invalid: {problem}")),
    }
}

fn secret(tree: Tree) -> Tree {
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

fn concat(whole: &Expr, parts: &[Expr], output: &mut dyn FnMut(&Origin, &str) -> Option<Tree>) -> Tree {
    let (mut text, mut is_secret) = (String::new(), false);
    for part in parts {
        // Every other part is the program's own text, which needs no tree.
        if let Expr::Value(Value::String(own)) = part {
            text.push_str(own);
            continue;
        }
        let tree = evaluate(part, output);
        is_secret |= tree.has_secrets();
        match tree.as_str() {
            Some(known) => text.push_str(known),
            None => match tree.plain() {
                Some(value) => text.push_str(&plain_text(&value)),
                None => return Tree::Unknown(describe(whole)),
            },
        }
    }
    let joined = Tree::Leaf(Value::String(text));
    if is_secret { secret(joined) } else { joined }
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
        Expr::Apply { source, function } => format!("fn({}) at {}", describe(source), function.at),
        Expr::Secret(_) => "[secret]".to_owned(),
        Expr::Invalid(problem) => format!("invalid: {problem}"),
    }
}
