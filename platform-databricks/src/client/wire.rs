//! Between the fields of a page and the API's JSON: what is sent, what is read, what a replace-all call keeps.

use std::{collections::BTreeSet, fmt::Display};

use platform_sdk::{
    Field, ListOrder, Resource, Shape, ToExpr, Unset,
    desired::Tree,
    provider::{Change, ErrorKind, ProviderError, ProviderResult},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The JSON of resolved fields, secrets in clear: what a request sends.
pub(crate) fn sent(fields: &impl ToExpr) -> Map<String, Value> {
    match Tree::of_known(&fields.to_expr()).plain() {
        Some(Value::Object(fields)) => fields,
        Some(_) | None => Map::new(),
    }
}

/// `fields` with the default of every top-level field of the page that is not set, for defaults that the service does
/// not share.
pub(crate) fn with_defaults(page: &[Field], mut fields: Map<String, Value>) -> Map<String, Value> {
    for field in page {
        if let (Unset::Default(value), false) = (field.unset, fields.contains_key(field.name)) {
            fields.insert(field.name.to_owned(), value());
        }
    }
    fields
}

/// Reads a page's fields from the service's JSON, which may have more.
///
/// # Errors
/// `Unavailable` when a field has another type than the API's reference says.
pub(crate) fn understood<T: DeserializeOwned>(what: impl Display, answer: Map<String, Value>) -> ProviderResult<T> {
    serde_json::from_value(Value::Object(answer)).map_err(|error| {
        // Serde's words may quote a value, and a value may be a secret: only a field's name is shown.
        let text = error.to_string();
        let hint = if text.starts_with("missing field") { text } else { "a field has an unexpected type".to_owned() };
        ProviderError::new(ErrorKind::Unavailable, format!("the answer about {what} is not understood: {hint}"))
    })
}

/// The value without nulls, empty lists and empty maps: the service's ways of saying that nothing is there.
pub(crate) fn pruned(value: Value) -> Value {
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    };
    match value {
        Value::Array(items) => items.into_iter().map(pruned).collect(),
        Value::Object(entries) => {
            entries.into_iter().map(|(key, value)| (key, pruned(value))).filter(|(_, value)| !empty(value)).collect()
        }
        scalar => scalar,
    }
}

/// The fields of an object, [`pruned`].
pub(crate) fn pruned_fields(object: Value) -> Map<String, Value> {
    into_fields(pruned(object))
}

/// The fields of an object; none of anything else.
pub(crate) fn into_fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Renames a field, if it is there.
pub(crate) fn rename(fields: &mut Map<String, Value>, from: &str, to: &str) {
    if let Some(value) = fields.remove(from) {
        fields.insert(to.to_owned(), value);
    }
}

/// What a replace-all call sends: what was observed, with the page's fields as they are wanted. What the page doesn't
/// know, and what the program never set, stays as it is; what it sets no more, or another object fills in, is left out.
pub(crate) fn merged<R: Resource>(
    change: &Change<R>,
    observed: Map<String, Value>,
    wanted: Map<String, Value>,
) -> Map<String, Value> {
    let below = |path: &str, above: &str| path.strip_prefix(above).is_some_and(|rest| rest.starts_with(['.', '[']));
    let touched = |path: &str| change.touches(path) || change.paths.iter().any(|above| below(path, above));
    overlay(R::fields(), "", observed, wanted, &touched)
}

fn overlay(
    page: &[Field],
    path: &str,
    mut object: Map<String, Value>,
    mut wanted: Map<String, Value>,
    touched: &dyn Fn(&str) -> bool,
) -> Map<String, Value> {
    let said: BTreeSet<String> = wanted.keys().cloned().collect();
    for field in page {
        // What another object filled in is not to be held to when that one says otherwise.
        let filled = field.is_filled(|by| said.contains(by));
        let here = if path.is_empty() { field.name.to_owned() } else { format!("{path}.{}", field.name) };
        let before = object.remove(field.name);
        let after = match wanted.remove(field.name) {
            Some(after) => Some(overlaid(field, &here, before, after, touched)),
            None => before.filter(|_| !filled && !touched(&here)),
        };
        object.extend(after.map(|after| (field.name.to_owned(), after)));
    }
    object
}

fn overlaid(field: &Field, path: &str, before: Option<Value>, after: Value, touched: &dyn Fn(&str) -> bool) -> Value {
    match (field.shape, field.order, after) {
        (Shape::Block(fields), _, Value::Object(after)) => {
            Value::Object(overlay(fields(), path, into_fields(before.unwrap_or_default()), after, touched))
        }
        (Shape::Blocks(fields), ListOrder::KeyedBy(key), Value::Array(after)) => {
            let items = after.into_iter().map(|item| {
                let name = item[key].as_str().unwrap_or_default().to_owned();
                let same = |other: &&Value| other[key] == item[key];
                let before = before.as_ref().and_then(Value::as_array).and_then(|items| items.iter().find(same));
                let before = into_fields(before.cloned().unwrap_or_default());
                Value::Object(overlay(fields(), &format!("{path}[{name}]"), before, into_fields(item), touched))
            });
            items.collect()
        }
        (Shape::Leaf | Shape::Block(_) | Shape::Blocks(_) | Shape::BlockMap(_), _, after) => after,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    static INNER: &[Field] = &[Field::new("key"), Field::new("x"), Field::new("y")];

    fn fields(value: Value) -> Map<String, Value> {
        into_fields(value)
    }

    #[test]
    fn what_says_nothing_is_pruned_and_what_says_something_stays() {
        let answer =
            json!({"a": null, "b": {}, "c": [], "d": {"e": {}}, "f": 0, "g": "", "h": false, "i": [{"j": null}]});
        assert_eq!(pruned(answer), json!({"f": 0, "g": "", "h": false, "i": [{}]}));
    }

    #[test]
    fn an_overlay_keeps_what_nobody_asked_about() {
        let page = [
            Field::new("set"),
            Field::new("dropped"),
            Field::new("never_set"),
            Field { shape: Shape::Blocks(|| INNER), order: ListOrder::KeyedBy("key"), ..Field::new("list") },
        ];
        let observed = json!({
            "set": 1, "dropped": 2, "never_set": 3, "unknown": 4,
            "list": [{"key": "a", "x": 1, "y": 1, "unknown": 1}, {"key": "gone", "x": 1}],
        });
        let wanted = json!({"set": 10, "list": [{"key": "a", "y": 2}, {"key": "b", "x": 3}]});
        let touched = |path: &str| ["set", "dropped", "list", "list[a]", "list[a].x"].contains(&path);
        let sent = overlay(&page, "", fields(observed), fields(wanted), &touched);
        let expected = json!({
            "set": 10, "never_set": 3, "unknown": 4,
            "list": [{"key": "a", "y": 2, "unknown": 1}, {"key": "b", "x": 3}],
        });
        assert_eq!(Value::Object(sent), expected);
    }

    #[test]
    fn an_answer_of_another_shape_is_an_error_without_its_values() {
        #[derive(Debug, serde::Deserialize)]
        struct Wants {
            #[expect(dead_code, reason = "only read")]
            n: u32,
        }
        let error = understood::<Wants>("cluster `etl`", fields(json!({"n": "hush"}))).expect_err("not a number");
        assert_eq!(error.message, "the answer about cluster `etl` is not understood: a field has an unexpected type");
        assert!(!format!("{error:?}").contains("hush"));
    }
}
