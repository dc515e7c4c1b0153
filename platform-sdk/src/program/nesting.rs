//! How deep values may nest. All of them end in state, which is read again by a parser that has a bound; and what walks
//! through one recurses. So what is deeper is refused before anything walks through it.

use std::io;

use serde::Serialize;
use serde_json::Value;

use super::{Expr, Trail};
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
    deep_value(value, DEPTH, Trail::Top)
}

/// Where one of a resource's fields nests too deep, in words, as far as that can be known before its outputs are.
pub(crate) fn field_too_deep(inputs: &Expr) -> Option<String> {
    let Expr::Map(fields) = inputs else { return expr_too_deep(inputs) };
    fields.iter().find_map(|(name, field)| deep_expr(field, DEPTH, Trail::Top.key(name)))
}

/// Where an expression nests too deep, in words, as far as that can be known before its outputs are.
pub(crate) fn expr_too_deep(expr: &Expr) -> Option<String> {
    deep_expr(expr, DEPTH, Trail::Top)
}

/// The problem of what stands at a path, in words: `` `input[0][0]` nests more than 64 deep ``.
pub(crate) fn deep_at(trail: Trail<'_>) -> String {
    let path = trail.to_string();
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
        Expr::Value(_) | Expr::Output { .. } | Expr::Sealed | Expr::Invalid(_) => false,
        _ if left == 0 => true,
        Expr::List(items) | Expr::Concat(items) => items.iter().any(|item| is_long(item, left - 1)),
        Expr::Map(entries) => entries.values().any(|entry| is_long(entry, left - 1)),
        Expr::Apply { source, .. } | Expr::Secret(source) => is_long(source, left - 1),
    }
}

fn deep_value(value: &Value, left: usize, at: Trail<'_>) -> Option<String> {
    match value {
        Value::Array(_) | Value::Object(_) if left == 0 => Some(deep_at(at)),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| deep_value(item, left - 1, at.index(index)))
        }
        Value::Object(entries) => entries.iter().find_map(|(key, entry)| deep_value(entry, left - 1, at.key(key))),
        _ => None,
    }
}

fn deep_expr(expr: &Expr, left: usize, at: Trail<'_>) -> Option<String> {
    match expr {
        Expr::Value(value) => deep_value(value, left, at),
        Expr::Output { .. } | Expr::Concat(_) | Expr::Apply { .. } | Expr::Sealed | Expr::Invalid(_) => None,
        _ if left == 0 => Some(deep_at(at)),
        Expr::List(items) => {
            items.iter().enumerate().find_map(|(index, item)| deep_expr(item, left - 1, at.index(index)))
        }
        Expr::Map(entries) => entries.iter().find_map(|(key, entry)| deep_expr(entry, left - 1, at.key(key))),
        Expr::Secret(inner) => deep_expr(inner, left - 1, at),
    }
}
