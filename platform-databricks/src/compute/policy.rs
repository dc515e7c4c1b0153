//! What a cluster's policy fills in, and what is therefore not to be said.

use platform_sdk::provider::{ErrorKind, ProviderResult};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::client::{Client, Outcome};

/// What a cluster of a workspace must be told: without a size it is refused, without an end it never ends.
pub(super) const OF_WORKSPACE: &[(&str, u32)] = &[("num_workers", 1), ("autotermination_minutes", 30)];
/// What a job's cluster must be told.
pub(crate) const OF_JOB: &[(&str, u32)] = &[("num_workers", 1)];

#[derive(Deserialize)]
struct Policy {
    #[serde(default)]
    definition: String,
}

/// Puts what a cluster must be told and is not, except for what its policy says: that may want another value.
///
/// # Errors
/// When the policy can't be asked for. One that the caller may not read says everything.
pub(crate) async fn with_needed(
    client: &Client,
    needed: &[(&str, u32)],
    spec: &mut Map<String, Value>,
) -> ProviderResult<()> {
    let is_said = |spec: &Map<String, Value>, field: &str| {
        spec.contains_key(field) || field == "num_workers" && spec.contains_key("autoscale")
    };
    let missing: Vec<_> = needed.iter().filter(|(field, _)| !is_said(spec, field)).collect();
    let Some(policy) = spec.get("policy_id").and_then(Value::as_str).filter(|_| !missing.is_empty()) else {
        spec.extend(missing.into_iter().map(|(field, value)| ((*field).to_owned(), (*value).into())));
        return Ok(());
    };
    let Some(rules) = rules(client, policy).await? else { return Ok(()) };
    let defaults = spec.get("apply_policy_default_values") == Some(&Value::Bool(true));
    for (field, value) in missing {
        let size = *field == "num_workers";
        let about = |attribute: &str| attribute == *field || size && attribute.starts_with("autoscale.");
        if !rules.iter().any(|(attribute, rule)| about(attribute) && fills(rule, defaults)) {
            spec.insert((*field).to_owned(), (*value).into());
        }
    }
    Ok(())
}

/// Whether a rule leaves nothing to say.
fn fills(rule: &Value, defaults: bool) -> bool {
    let kind = rule["type"].as_str().unwrap_or_default();
    matches!(kind, "fixed" | "forbidden") || defaults && !rule["defaultValue"].is_null()
}

/// A policy's rules by attribute; `None` for one that the caller may not read.
async fn rules(client: &Client, policy: &str) -> ProviderResult<Option<Map<String, Value>>> {
    let asked = client.get("/api/2.0/policies/clusters/get").query("policy_id", policy).send::<Policy>().await;
    match asked {
        Ok(policy) => Ok(Some(serde_json::from_str(&policy.definition).unwrap_or_default())),
        // The cluster's own call says what is wrong with it.
        Err(error) if matches!(error.kind, ErrorKind::Denied | ErrorKind::NotFound | ErrorKind::Invalid { .. }) => {
            Ok(None)
        }
        Err(error) => Err(error).while_doing(format!("read cluster policy `{policy}`")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::client::scripted::{Server, json as answer};

    async fn told(definition: &Value, spec: Value) -> Value {
        let policy = json!({"policy_id": "p", "definition": definition.to_string()}).to_string();
        let server = Server::playing([answer(200, &policy)]).await;
        let Value::Object(mut spec) = spec else { panic!("an object") };
        with_needed(&server.client(), OF_WORKSPACE, &mut spec).await.expect("a policy");
        Value::Object(spec)
    }

    #[tokio::test]
    async fn only_what_a_policy_fills_in_is_left_to_it() {
        let fixed = json!({"autotermination_minutes": {"type": "fixed", "value": 20}, "autoscale.max_workers": {"type": "fixed", "value": 2}});
        assert_eq!(told(&fixed, json!({"policy_id": "p"})).await, json!({"policy_id": "p"}));
        let silent = json!({"autotermination_minutes": {"type": "range", "maxValue": 60, "defaultValue": 10}});
        let both = json!({"policy_id": "p", "num_workers": 1, "autotermination_minutes": 30});
        assert_eq!(told(&silent, json!({"policy_id": "p"})).await, both);
        let with_defaults = json!({"policy_id": "p", "apply_policy_default_values": true});
        let one = json!({"policy_id": "p", "apply_policy_default_values": true, "num_workers": 1});
        assert_eq!(told(&silent, with_defaults).await, one);
    }

    #[tokio::test]
    async fn nobody_is_asked_where_nothing_is_missing_or_there_is_no_policy() {
        let server = Server::playing([]).await;
        let mut whole = json!({"policy_id": "p", "autoscale": {}, "autotermination_minutes": 9});
        let before = whole.clone();
        with_needed(&server.client(), OF_WORKSPACE, whole.as_object_mut().expect("an object")).await.expect("no call");
        assert_eq!(whole, before);
        let mut bare = Map::new();
        with_needed(&server.client(), OF_JOB, &mut bare).await.expect("no call");
        assert_eq!(Value::Object(bare), json!({"num_workers": 1}));
    }

    #[tokio::test]
    async fn a_policy_that_the_caller_may_not_read_says_everything() {
        let refusal = r#"{"error_code": "PERMISSION_DENIED", "message": "no"}"#;
        let server = Server::playing([answer(403, refusal)]).await;
        let mut spec = json!({"policy_id": "p"});
        with_needed(&server.client(), OF_JOB, spec.as_object_mut().expect("an object")).await.expect("no failure");
        assert_eq!(spec, json!({"policy_id": "p"}));
    }
}
