//! How deep values may nest. All of them end in state, which is read again by a parser that has a bound; and what walks
//! through one recurses. So what is deeper is refused before anything walks through it.

use std::{fmt::Write as _, io};

use serde::Serialize;
use serde_json::Value;

use super::Expr;
use crate::desired::write_within;

/// How many lists, maps and secrets may be in each other, in one field of a resource or one output of a stack. Well below
/// what the reader of state takes, which has the files' own shape around it.
pub(crate) const DEPTH: usize = 64;

/// How many outputs may be made of each other.
const CHAIN: usize = 256;

/// How much of a path is said.
const SAID: usize = 64;

/// The value of anything that can be serialised.
///
/// # Errors
/// When it can't be, or nests too deep.
pub(super) fn value_of<T: Serialize + ?Sized>(value: &T) -> Result<Value, String> {
    // Written to nowhere first: the value that is too deep would recurse as deep as it goes.
    match write_within(DEPTH, value, &mut io::sink()) {
        Err(error) if error.is_io() => Err(format!("it nests more than {DEPTH} deep")),
        _ => serde_json::to_value(value).map_err(|error| error.to_string()),
    }
}

/// As [`value_of`], of a value that is given away.
pub(super) fn value_of_own<T: Serialize>(value: T) -> Result<Value, String> {
    let made = value_of(&value);
    if made.is_err() {
        // Its end would recurse as deep as it goes. The program ends soon, with this problem.
        std::mem::forget(value);
    }
    made
}

/// Where a value nests too deep, in words.
pub(crate) fn too_deep(value: &Value) -> Option<String> {
    let mut path = String::new();
    value_is_deep(value, DEPTH, &mut path).then(|| deep_at(&path))
}

/// Where one of a resource's fields nests too deep, in words, as far as that can be known before its outputs are.
pub(crate) fn field_too_deep(inputs: &Expr) -> Option<String> {
    let Expr::Map(fields) = inputs else { return expr_too_deep(inputs) };
    let mut path = String::new();
    let deep = fields.iter().any(|(name, field)| step(&mut path, Ok(name), |path| expr_is_deep(field, DEPTH, path)));
    deep.then(|| deep_at(&path))
}

/// Where an expression nests too deep, in words, as far as that can be known before its outputs are.
pub(crate) fn expr_too_deep(expr: &Expr) -> Option<String> {
    let mut path = String::new();
    expr_is_deep(expr, DEPTH, &mut path).then(|| deep_at(&path))
}

/// The problem of what stands at a path, in words: `` `input[0][0]` nests more than 64 deep ``.
pub(crate) fn deep_at(path: &str) -> String {
    let end = path.char_indices().nth(SAID).map_or(path.len(), |(at, _)| at);
    let more = if end < path.len() { "…" } else { "" };
    let place = if path.is_empty() { "it".to_owned() } else { format!("`{}{more}`", &path[..end]) };
    format!("{place} nests more than {DEPTH} deep")
}

/// An expression that is no deeper than those that walk through it go.
pub(super) fn chained(expr: Expr) -> Expr {
    if is_long(&expr, CHAIN) {
        return Expr::Invalid(format!("it is made of more than {CHAIN} outputs, one made of the other"));
    }
    expr
}

fn is_long(expr: &Expr, left: usize) -> bool {
    match expr {
        Expr::Value(_) | Expr::Output { .. } | Expr::Invalid(_) => false,
        _ if left == 0 => true,
        Expr::List(items) | Expr::Concat(items) => items.iter().any(|item| is_long(item, left - 1)),
        Expr::Map(entries) => entries.values().any(|entry| is_long(entry, left - 1)),
        Expr::Apply { source, .. } | Expr::Secret(source) => is_long(source, left - 1),
    }
}

/// Adds a list's place or a map's key to a path, for as long as `below` looks; leaves it there where that finds something.
pub(crate) fn step(path: &mut String, at: Result<&str, usize>, below: impl FnOnce(&mut String) -> bool) -> bool {
    let above = path.len();
    match at {
        Ok(key) if path.is_empty() => path.push_str(key),
        Ok(key) => path.extend([".", key]),
        Err(index) => write!(path, "[{index}]").expect("text takes text"),
    }
    let found = below(path);
    if !found {
        path.truncate(above);
    }
    found
}

fn value_is_deep(value: &Value, left: usize, path: &mut String) -> bool {
    match value {
        Value::Array(_) | Value::Object(_) if left == 0 => true,
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.any(|(index, item)| step(path, Err(index), |path| value_is_deep(item, left - 1, path)))
        }
        Value::Object(entries) => {
            entries.iter().any(|(key, entry)| step(path, Ok(key), |path| value_is_deep(entry, left - 1, path)))
        }
        _ => false,
    }
}

fn expr_is_deep(expr: &Expr, left: usize, path: &mut String) -> bool {
    match expr {
        Expr::Value(value) => value_is_deep(value, left, path),
        Expr::Output { .. } | Expr::Concat(_) | Expr::Apply { .. } | Expr::Invalid(_) => false,
        _ if left == 0 => true,
        Expr::List(items) => {
            let mut items = items.iter().enumerate();
            items.any(|(index, item)| step(path, Err(index), |path| expr_is_deep(item, left - 1, path)))
        }
        Expr::Map(entries) => {
            entries.iter().any(|(key, entry)| step(path, Ok(key), |path| expr_is_deep(entry, left - 1, path)))
        }
        Expr::Secret(inner) => expr_is_deep(inner, left - 1, path),
    }
}
