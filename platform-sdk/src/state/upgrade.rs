//! Files of older versions, brought to the current one step by step, as JSON, before they are read.

use serde_json::{Value, json};

/// Where a snapshot has resources: the list, and the place in each of its items.
const RESOURCES: [(&str, &str); 4] =
    [("/resources", ""), ("/pending_deletes", "/state"), ("/replacing", "/state"), ("/open", "/intent/target/state")];

/// A snapshot file of this version, in the shape of the current one.
pub(super) fn snapshot(version: u32, mut file: Value) -> Result<Value, String> {
    if version < 2
        && let Some(keys) = file.get_mut("keys")
    {
        *keys = keys_2(keys)?;
    }
    if version < 3 {
        for (list, resource) in RESOURCES {
            each(&mut file, list, |item| id_3(item, resource));
        }
    }
    if version < 5 {
        for (list, resource) in RESOURCES {
            each(&mut file, list, |item| hash_5(item, resource));
        }
    }
    Ok(file)
}

/// A journal's record of this version, in the shape of the current one.
pub(super) fn record(version: u32, mut line: Value) -> Result<Value, String> {
    if version < 2
        && let Some(keys) = line.get_mut("keys")
    {
        *keys = keys_2(keys)?;
    }
    if version < 3 {
        id_3(&mut line, "/intent/target/state");
        each(&mut line, "/outcome/effects", |effect| id_3(effect, "/put/state"));
    }
    if version < 5 {
        hash_5(&mut line, "/intent/target/state");
        each(&mut line, "/outcome/effects", |effect| {
            hash_5(effect, "/put/state");
            hash_5(effect, "/end/state");
        });
    }
    Ok(line)
}

/// Changes everything in a list or a map, where there is one.
fn each(file: &mut Value, list: &str, change: impl FnMut(&mut Value)) {
    match file.pointer_mut(list) {
        Some(Value::Array(items)) => items.iter_mut().for_each(change),
        Some(Value::Object(entries)) => entries.values_mut().for_each(change),
        _ => {}
    }
}

/// Up to version 2 a resource whose id was left out had none, whatever its outputs named.
fn id_3(file: &mut Value, resource: &str) {
    if let Some(Value::Object(resource)) = file.pointer_mut(resource) {
        resource.entry("id").or_insert_with(|| json!(""));
    }
}

/// Up to version 4 the hash of inputs was written where it was not theirs.
fn hash_5(file: &mut Value, resource: &str) {
    if let Some(Value::Object(resource)) = file.pointer_mut(resource) {
        resource.remove("hash");
    }
}

/// Version 1 wrote the wrapped key among what it was wrapped with.
fn keys_2(keys: &Value) -> Result<Value, String> {
    let no_keys = || "its keys are none of version 1".to_owned();
    let (kind, wrap) = keys["wrap"].as_object().and_then(|wrap| wrap.iter().next()).ok_or_else(no_keys)?;
    let mut wrap = wrap.as_object().cloned().ok_or_else(no_keys)?;
    let sealed = wrap.remove("sealed").ok_or_else(no_keys)?;
    let by = match kind.as_str() {
        "key_file" => json!("key_file"),
        "passphrase" => json!({"passphrase": wrap}),
        _ => return Err(no_keys()),
    };
    Ok(json!({"hmac": keys["hmac"], "wrapped": {"by": by, "sealed": sealed}}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_version_1_are_wrapped_apart_in_version_2() {
        let line = json!({"keys": {"hmac": "h", "wrap": {"key_file": {"sealed": "s"}}}});
        let wanted = json!({"keys": {"hmac": "h", "wrapped": {"by": "key_file", "sealed": "s"}}});
        assert_eq!(record(1, line.clone()), Ok(wanted.clone()));
        assert_eq!(record(2, wanted.clone()), Ok(wanted));
        let file = json!({"keys": {"hmac": "h", "wrap": {"passphrase": {"salt": "x", "passes": 2, "sealed": "s"}}}});
        assert_eq!(snapshot(1, file).unwrap_or_default()["keys"]["wrapped"]["by"]["passphrase"]["salt"], "x");
        assert!(snapshot(1, json!({"keys": {"wrap": {"riddle": {"sealed": "s"}}}})).is_err());
    }

    #[test]
    fn what_had_no_id_in_version_2_has_none_in_version_3() {
        let without = json!({"in": {}, "out": {"id": "x"}});
        let with = json!({"id": "", "in": {}, "out": {"id": "x"}});
        let file = |state: &Value| {
            json!({
                "resources": {"a": state},
                "pending_deletes": [{"state": state}],
                "open": [{"intent": {"target": {"state": state}}}],
            })
        };
        assert_eq!(snapshot(2, file(&without)), Ok(file(&with)));
        assert_eq!(snapshot(3, file(&without)), Ok(file(&without)));
        let intent = |state: &Value| json!({"intent": {"target": {"state": state}}});
        assert_eq!(record(2, intent(&without)), Ok(intent(&with)));
        let outcome = |state: &Value| json!({"outcome": {"effects": ["nothing", {"put": {"state": state}}]}});
        assert_eq!(record(2, outcome(&without)), Ok(outcome(&with)));
        assert_eq!(record(3, outcome(&without)), Ok(outcome(&without)));
        for other in [json!(null), json!([]), json!({"resources": 7}), json!({"seal": {}})] {
            assert_eq!((snapshot(2, other.clone()), record(2, other.clone())), (Ok(other.clone()), Ok(other)));
        }
    }
}
