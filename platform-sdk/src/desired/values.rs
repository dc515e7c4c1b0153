//! What can be seen in values alone, whatever their type: elements of a list that have the same key, and text that was made
//! of an output by printing it.

use std::{collections::BTreeMap, fmt::Display};

use serde_json::Value;

use crate::{
    program::{Expr, Field, ListOrder, PRINTED_OUTPUT, Shape, Trail},
    report::Diagnostic,
};

/// Keys that two elements of one list have: the list, and what is wrong with it. What is not known yet is null in `inputs`.
pub(super) fn doubled_keys(fields: &[Field], inputs: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    in_block(fields, inputs, "", &mut found);
    found
}

fn in_block(fields: &[Field], block: &Value, above: &str, found: &mut Vec<(String, String)>) {
    for field in fields {
        let Some(value) = block.get(field.name) else { continue };
        let path = format!("{above}{}", field.name);
        match (field.shape, value) {
            (Shape::Block(fields), block) => in_block(fields(), block, &format!("{path}."), found),
            (Shape::Blocks(fields), Value::Array(items)) => {
                let key = if let ListOrder::KeyedBy(key) = field.order { Some(key) } else { None };
                let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
                for (index, item) in items.iter().enumerate() {
                    let name = key.and_then(|key| item[key].as_str());
                    if let Some(name) = name {
                        *seen.entry(name).or_default() += 1;
                    }
                    let name = name.map_or_else(|| index.to_string(), str::to_owned);
                    in_block(fields(), item, &format!("{path}[{name}]."), found);
                }
                for (name, count) in seen.into_iter().filter(|(_, count)| *count > 1) {
                    let key = key.unwrap_or_default();
                    found.push((
                        path.clone(),
                        format!("has {count} elements whose `{key}` is `{name}`: one can have it"),
                    ));
                }
            }
            (Shape::BlockMap(fields), Value::Object(entries)) => {
                for (name, block) in entries {
                    in_block(fields(), block, &format!("{path}.{name}."), found);
                }
            }
            (Shape::Leaf | Shape::Blocks(_) | Shape::BlockMap(_), _) => {}
        }
    }
}

/// Whether there are lists with keys among these fields, or below them.
pub(super) fn has_keys(fields: &[Field]) -> bool {
    fields.iter().any(|field| match field.shape {
        Shape::Leaf => false,
        Shape::Blocks(_) if matches!(field.order, ListOrder::KeyedBy(_)) => true,
        Shape::Block(below) | Shape::Blocks(below) | Shape::BlockMap(below) => has_keys(below()),
    })
}

/// Reports text that holds the print of an output instead of its value.
pub(super) fn printed_outputs(of: &impl Display, expr: &Expr) -> impl Iterator<Item = Diagnostic> {
    let mut paths = Vec::new();
    in_expr(expr, Trail::Top, &mut paths);
    paths.into_iter().map(move |path| {
        let place = if path.is_empty() { format!("`{of}`") } else { format!("field `{path}` of `{of}`") };
        Diagnostic::error(format!("{place} holds the print of an output, not its value"))
            .detail("`{:?}` prints what an output is; its value is not known while the program runs")
            .hint("make the text with `interpolate!(\"..{}..\", output)`, or with `.map(..)`")
    })
}

fn in_expr(expr: &Expr, at: Trail<'_>, found: &mut Vec<String>) {
    match expr {
        Expr::Value(value) => in_value(value, at, found),
        Expr::List(items) => items.iter().enumerate().for_each(|(index, item)| in_expr(item, at.index(index), found)),
        Expr::Map(entries) => {
            for (key, entry) in entries {
                let at = at.key(key);
                if is_printed(key) {
                    found.push(at.to_string());
                }
                in_expr(entry, at, found);
            }
        }
        Expr::Concat(parts) => parts.iter().for_each(|part| in_expr(part, at, found)),
        Expr::Apply { source, .. } | Expr::Secret(source) => in_expr(source, at, found),
        Expr::Output { .. } | Expr::Sealed | Expr::Invalid(_) => {}
    }
}

fn in_value(value: &Value, at: Trail<'_>, found: &mut Vec<String>) {
    match value {
        Value::String(text) if is_printed(text) => found.push(at.to_string()),
        Value::Array(items) => items.iter().for_each(|item| in_value(item, at, found)),
        Value::Object(entries) => {
            for (key, entry) in entries {
                if is_printed(key) {
                    found.push(at.to_string());
                }
                in_value(entry, at, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_printed(text: &str) -> bool {
    text.contains(PRINTED_OUTPUT)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LEAF: &[Field] = &[Field::new("name")];
    const PART: &[Field] = &[
        Field::new("name"),
        Field { shape: Shape::Blocks(|| LEAF), order: ListOrder::KeyedBy("name"), ..Field::new("parts") },
    ];
    const FIELDS: &[Field] = &[
        Field { shape: Shape::Blocks(|| PART), order: ListOrder::KeyedBy("name"), ..Field::new("tasks") },
        Field { shape: Shape::Blocks(|| PART), ..Field::new("sequence") },
        Field { shape: Shape::Block(|| PART), ..Field::new("one") },
        Field { shape: Shape::BlockMap(|| PART), ..Field::new("map") },
    ];

    fn paths(inputs: &Value) -> Vec<String> {
        doubled_keys(FIELDS, inputs).into_iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn two_of_one_key_are_found_wherever_a_list_has_keys() {
        let twice = json!([{"name": "a"}, {"name": "b"}, {"name": "a"}]);
        assert_eq!(paths(&json!({"tasks": twice})), ["tasks"]);
        assert_eq!(paths(&json!({"tasks": [{"name": "a", "parts": twice}]})), ["tasks[a].parts"]);
        assert_eq!(
            paths(&json!({"one": {"parts": twice}, "map": {"k": {"parts": twice}}})),
            ["one.parts", "map.k.parts"]
        );
        assert_eq!(paths(&json!({"sequence": twice})), [""; 0], "a list without keys may say a thing twice");
        let said = doubled_keys(FIELDS, &json!({"tasks": twice}));
        assert_eq!(said[0].1, "has 2 elements whose `name` is `a`: one can have it");
    }

    #[test]
    fn keys_that_are_not_known_yet_are_no_flaw() {
        assert_eq!(paths(&json!({"tasks": [{"name": null}, {"name": null}, {"name": "a"}]})), [""; 0]);
        assert_eq!(paths(&json!({"tasks": null, "one": null, "map": null})), [""; 0]);
    }
}
