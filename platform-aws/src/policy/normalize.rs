//! One spelling for each meaning of a policy document, so that documents compare by what they say.
//!
//! Source of the equivalences: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>.

use platform_sdk::desired::canonical;
use serde_json::{Map, Value};

use crate::arn::below;

/// The document in normal form: a single value is a list of one, lists whose order means nothing are sorted, an account's
/// root is its id, everyone is `{"AWS": ["*"]}`, condition values are text, empty parts are absent.
///
/// What is not a policy document comes back as it is.
pub fn normalize(document: Value) -> Value {
    match document {
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(object @ Value::Object(_)) => normalize(object),
            _ => Value::String(text),
        },
        Value::Object(mut entries) => {
            // Documents without a version are read in the first one's language.
            entries.entry("Version").or_insert_with(|| "2008-10-17".into());
            if let Some(statements) = entries.remove("Statement") {
                let statements = listed(statements).into_iter().map(statement).collect();
                entries.insert("Statement".to_owned(), sorted(statements));
            }
            Value::Object(entries)
        }
        other => other,
    }
}

fn statement(value: Value) -> Value {
    let Value::Object(entries) = value else { return value };
    let entries = entries.into_iter().filter_map(|(key, value)| {
        let value = match key.as_str() {
            "Action" | "NotAction" | "Resource" | "NotResource" => sorted(listed(value)),
            "Principal" | "NotPrincipal" => principal(value),
            "Condition" => condition(value),
            _ => value,
        };
        (!is_empty(&value)).then_some((key, value))
    });
    Value::Object(entries.collect())
}

fn principal(value: Value) -> Value {
    let kinds = match value {
        Value::Object(kinds) => kinds,
        // Everyone, written short.
        other => Map::from_iter([("AWS".to_owned(), other)]),
    };
    let kinds = kinds.into_iter().map(|(kind, values)| {
        let values = listed(values);
        let values = if kind == "AWS" { values.into_iter().map(account).collect() } else { values };
        (kind, sorted(values))
    });
    Value::Object(kinds.collect())
}

/// An account's root, in whichever partition, is meant by its id.
fn account(value: Value) -> Value {
    let is_id = |id: &&str| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
    let root = value.as_str().and_then(|arn| below(arn, "iam"));
    match root.and_then(|root| root.strip_prefix("iam::")?.strip_suffix(":root")).filter(is_id) {
        Some(id) => id.into(),
        None => value,
    }
}

fn condition(value: Value) -> Value {
    let Value::Object(operators) = value else { return value };
    let text = |value: Value| match value {
        Value::Bool(_) | Value::Number(_) => Value::String(value.to_string()),
        other => other,
    };
    let operators = operators.into_iter().filter_map(|(operator, keys)| {
        let Value::Object(keys) = keys else { return Some((operator, keys)) };
        let keys: Map<_, _> = keys
            .into_iter()
            .map(|(key, values)| (key, sorted(listed(values).into_iter().map(text).collect())))
            .collect();
        (!keys.is_empty()).then_some((operator, Value::Object(keys)))
    });
    Value::Object(operators.collect())
}

fn listed(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        one => vec![one],
    }
}

fn sorted(mut items: Vec<Value>) -> Value {
    items.sort_by_cached_key(canonical);
    items.dedup();
    Value::Array(items)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn same(a: Value, b: Value) {
        assert_eq!(normalize(a), normalize(b));
    }

    fn different(a: Value, b: Value) {
        assert_ne!(normalize(a), normalize(b));
    }

    #[expect(clippy::needless_pass_by_value, reason = "`json!` makes values")]
    fn with(key: &str, value: Value) -> Value {
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", key: value}]})
    }

    #[test]
    fn a_single_value_is_a_list_of_one() {
        for key in ["Action", "NotAction", "Resource", "NotResource"] {
            same(with(key, json!("a")), with(key, json!(["a"])));
        }
        same(
            json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "a"}}),
            json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["a"]}]}),
        );
    }

    #[test]
    fn the_order_of_lists_means_nothing_and_their_elements_do() {
        same(with("Action", json!(["a", "b"])), with("Action", json!(["b", "a", "b"])));
        different(with("Action", json!(["a", "b"])), with("Action", json!(["a"])));
        let (read, write) = (json!({"Effect": "Allow", "Action": "r"}), json!({"Effect": "Deny", "Action": "w"}));
        same(json!({"Statement": [read, write]}), json!({"Statement": [write, read]}));
    }

    #[test]
    fn an_account_is_its_root() {
        let root = json!({"AWS": "arn:aws:iam::123456789012:root"});
        same(with("Principal", json!({"AWS": ["123456789012"]})), with("Principal", root.clone()));
        for partition in ["aws-us-gov", "aws-cn"] {
            let root = json!({"AWS": format!("arn:{partition}:iam::123456789012:root")});
            same(with("Principal", json!({"AWS": "123456789012"})), with("Principal", root));
        }
        different(with("Principal", json!({"AWS": "123456789013"})), with("Principal", root));
        different(with("Principal", json!({"Service": "123456789012"})), with("Principal", json!({"Service": "x"})));
    }

    #[test]
    fn everyone_has_two_spellings() {
        same(with("Principal", json!("*")), with("Principal", json!({"AWS": "*"})));
        different(with("Principal", json!("*")), with("NotPrincipal", json!("*")));
    }

    #[test]
    fn condition_values_are_text_and_their_order_means_nothing() {
        same(
            with("Condition", json!({"Bool": {"aws:SecureTransport": false}})),
            with("Condition", json!({"Bool": {"aws:SecureTransport": ["false"]}})),
        );
        same(
            with("Condition", json!({"StringEquals": {"k": ["a", "b"]}})),
            with("Condition", json!({"StringEquals": {"k": ["b", "a"]}})),
        );
        different(
            with("Condition", json!({"StringEquals": {"k": "a"}})),
            with("Condition", json!({"StringLike": {"k": "a"}})),
        );
    }

    #[test]
    fn empty_parts_are_absent_ones_and_a_missing_version_is_the_first() {
        same(with("Sid", json!("")), json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}));
        same(with("Condition", json!({"StringEquals": {}})), with("Condition", json!({})));
        different(json!({"Statement": []}), json!({"Version": "2012-10-17", "Statement": []}));
        same(json!({"Statement": []}), json!({"Version": "2008-10-17", "Statement": []}));
    }

    #[test]
    fn text_is_read_as_the_document_that_it_holds() {
        let document = with("Action", json!("a"));
        same(Value::String(document.to_string()), document);
        assert_eq!(normalize(json!("not json")), json!("not json"));
    }

    #[test]
    fn normal_form_is_a_fixed_point() {
        let once = normalize(with("Principal", json!({"AWS": ["2", "123456789012"], "Service": "s"})));
        assert_eq!(normalize(once.clone()), once);
    }
}
