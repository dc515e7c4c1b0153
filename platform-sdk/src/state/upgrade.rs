//! Files of older versions, brought to the current one step by step, as JSON, before they are read.

use serde_json::{Value, json};

/// A snapshot file of this version, in the shape of the current one.
pub(super) fn snapshot(version: u32, mut file: Value) -> Result<Value, String> {
    if version < 2
        && let Some(keys) = file.get_mut("keys")
    {
        *keys = keys_2(keys)?;
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
    Ok(line)
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
}
