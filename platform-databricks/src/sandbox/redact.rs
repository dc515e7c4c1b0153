//! What of a request's body the log may show.

use platform_sdk::sandbox::Request;
use serde_json::{Value, json};

/// A JSON body without its secrets; any other body is left out.
pub(super) fn body(request: &Request) -> Option<Value> {
    if request.body.is_empty() || request.path.starts_with("/oidc/") {
        return None;
    }
    let mut body = request.json().ok()?;
    clean(&mut body, false);
    Some(body)
}

/// Replaces secret leaves. `secret` says that all below belongs to a secret.
fn clean(value: &mut Value, secret: bool) {
    match value {
        Value::Object(entries) => {
            for (name, value) in entries {
                if name == "content" && value.is_string() {
                    *value = json!(format!("<{} characters>", value.as_str().unwrap_or_default().len()));
                } else {
                    clean(value, secret || is_secret(name));
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| clean(item, secret)),
        Value::String(text) if secret && !is_reference(text) => *value = "<redacted>".into(),
        Value::Number(_) if secret => *value = "<redacted>".into(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whether a field of this name holds a secret. Names of things are none.
fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase().replace(['-', '.'], "_");
    if matches!(name.as_str(), "page_token" | "idempotency_token" | "secret_scope" | "secret_key_name") {
        return false;
    }
    let telling = ["secret", "password", "passwd", "token", "private_key", "access_key", "api_key", "apikey"];
    matches!(name.as_str(), "string_value" | "bytes_value" | "spark_env_vars" | "basic_auth")
        || telling.iter().any(|word| name.contains(word))
}

/// A reference into a secret scope says where a secret is, not what it is.
fn is_reference(text: &str) -> bool {
    text.starts_with("{{secrets/") && text.ends_with("}}")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
mod tests {
    use std::collections::BTreeMap;

    use platform_sdk::sandbox::Request;
    use serde_json::{Value, json};

    fn logged(body: &Value) -> String {
        let request = Request {
            method: "POST".into(),
            path: "/api/2.1/clusters/create".into(),
            query: Vec::new(),
            headers: BTreeMap::new(),
            body: body.to_string().into_bytes(),
        };
        super::body(&request).unwrap().to_string()
    }

    #[test]
    fn secrets_are_cut_out_wherever_they_are() {
        let logged = logged(&json!({
            "string_value": "canary", "client_secret": "canary", "docker_image": {"basic_auth": {"password": "canary"}},
            "spark_env_vars": {"ANY": "canary"}, "spark_conf": {"fs.s3a.secret.key": "canary"}, "options": {"password": "canary"},
            "cloudflare_api_token": {"access_key_id": "canary"}, "list": [{"token": "canary"}],
        }));
        assert!(!logged.contains("canary"), "{logged}");
    }

    #[test]
    fn names_and_references_stay() {
        let logged =
            logged(&json!({"credential_name": "lake", "spark_env_vars": {"K": "{{secrets/a/b}}"}, "page_token": "p"}));
        assert!(logged.contains("lake") && logged.contains("{{secrets/a/b}}") && logged.contains("\"p\""), "{logged}");
    }
}
