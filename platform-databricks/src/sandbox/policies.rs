//! Cluster policies: `/api/2.0/policies/clusters`. What a policy fixes is filled in and can be nothing else; its defaults
//! are filled in where that is asked for.

use platform_sdk::sandbox::World;
use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Failure, fields, text},
    call::{Call, Route, whole},
    ids,
};

pub(super) const ROUTES: &[Route] = &[
    ("POST /api/2.0/policies/clusters/create", create),
    ("POST /api/2.0/policies/clusters/edit", edit),
    ("POST /api/2.0/policies/clusters/delete", delete),
    ("GET /api/2.0/policies/clusters/get", get),
    ("GET /api/2.0/policies/clusters/list", list),
];

/// Maps of a cluster: their keys may hold full stops.
const MAPS: [&str; 3] = ["custom_tags", "spark_conf", "spark_env_vars"];

fn find<'w>(call: &Call, world: &'w World, id: &str) -> Result<&'w Value, Failure> {
    let policy = world.get(&call.key("policies", id));
    policy.ok_or_else(|| Failure::invalid(format!("'{id}' is not a valid cluster policy ID")))
}

fn written(call: &Call, world: &World, id: &str) -> Result<Map<String, Value>, Failure> {
    let name = call.required("name")?;
    let folder = call.key("policies", "");
    let mut all = world.list(&folder).map(|(_, policy)| policy);
    if all.any(|policy| text(policy, "name") == name && text(policy, "policy_id") != id) {
        return Err(Failure::invalid(format!("Cluster Policy with name `{name}` already exists")));
    }
    rules(call.required("definition")?)?;
    let mut policy = call.given();
    policy.insert("policy_id".to_owned(), id.into());
    Ok(policy)
}

fn rules(definition: &str) -> Result<Map<String, Value>, Failure> {
    serde_json::from_str(definition).map_err(|error| Failure::invalid(format!("definition is not valid JSON: {error}")))
}

fn create(call: &Call, world: &mut World) -> Answer {
    let id = ids::hex(world, 16).to_uppercase();
    let mut policy = written(call, world, &id)?;
    policy.insert("creator_user_name".to_owned(), call.caller.clone().into());
    policy.insert("created_at_timestamp".to_owned(), call.now.into());
    world.put(call.key("policies", &id), policy.into());
    Ok(json!({ "policy_id": id }))
}

fn edit(call: &Call, world: &mut World) -> Answer {
    let id = call.required("policy_id")?;
    let mut policy = find(call, world, id)?.clone();
    fields(&mut policy).extend(written(call, world, id)?);
    world.put(call.key("policies", id), policy);
    Ok(json!({}))
}

fn delete(call: &Call, world: &mut World) -> Answer {
    let id = call.required("policy_id")?;
    find(call, world, id)?;
    world.remove(&call.key("policies", id));
    Ok(json!({}))
}

fn get(call: &Call, world: &mut World) -> Answer {
    find(call, world, call.query("policy_id").unwrap_or_default()).cloned()
}

#[expect(clippy::unnecessary_wraps, reason = "handlers answer results")]
fn list(call: &Call, world: &mut World) -> Answer {
    let all: Vec<Value> = world.list(&call.key("policies", "")).map(|(_, policy)| policy.clone()).collect();
    Ok(json!({ "total_count": all.len(), "policies": all }))
}

/// Holds a cluster to its policy, and fills in what that says.
///
/// # Errors
/// 400 naming the attribute that breaks it.
pub(super) fn obeyed(call: &Call, world: &World, spec: &mut Map<String, Value>) -> Result<(), Failure> {
    let Some(id) = spec.get("policy_id").and_then(Value::as_str) else { return Ok(()) };
    // One that nobody made here is taken to be there, and to say nothing.
    let Some(policy) = world.get(&call.key("policies", id)) else { return Ok(()) };
    let rules = rules(text(policy, "definition"))?;
    let defaults = spec.get("apply_policy_default_values") == Some(&Value::Bool(true));
    for (attribute, rule) in rules {
        let path = parts(&attribute);
        let said = at(spec, &path);
        let filled = match text(&rule, "type") {
            "fixed" => Some(&rule["value"]),
            _ if defaults => Some(&rule["defaultValue"]).filter(|value| !value.is_null()),
            _ => None,
        };
        match (said, filled) {
            (None, Some(value)) => put(spec, &path, value.clone()),
            (said, _) => obeys(&attribute, &rule, said)?,
        }
    }
    Ok(())
}

fn obeys(attribute: &str, rule: &Value, said: Option<&Value>) -> Result<(), Failure> {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let broken = |what: String| Err(Failure::invalid(format!("Validation failed for {attribute}, {what}")));
    let Some(said) = said else {
        let optional = text(rule, "type") == "forbidden" || rule["isOptional"] == true;
        return if optional { Ok(()) } else { broken("the value must be present".to_owned()) };
    };
    let (is, number) = (plain(said), whole(said).unwrap_or_default());
    match text(rule, "type") {
        "fixed" if plain(&rule["value"]) != is => broken(format!("the value must be {} (is \"{is}\")", rule["value"])),
        "forbidden" => broken(format!("the value must not be present (is \"{is}\")")),
        "range" if whole(&rule["minValue"]).is_some_and(|min| number < min) => {
            broken(format!("the value must be at least {} (is \"{is}\")", rule["minValue"]))
        }
        "range" if whole(&rule["maxValue"]).is_some_and(|max| number > max) => {
            broken(format!("the value must be at most {} (is \"{is}\")", rule["maxValue"]))
        }
        "allowlist" if !rule["values"].as_array().is_some_and(|values| values.iter().any(|v| plain(v) == is)) => {
            broken(format!("the value must be one of {} (is \"{is}\")", rule["values"]))
        }
        _ => Ok(()),
    }
}

fn parts(attribute: &str) -> Vec<&str> {
    match attribute.split_once('.') {
        Some((map, key)) if MAPS.contains(&map) => vec![map, key],
        _ => attribute.split('.').collect(),
    }
}

fn at<'v>(spec: &'v Map<String, Value>, path: &[&str]) -> Option<&'v Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(spec.get(*first)?, |value, part| match part.parse::<usize>() {
        Ok(index) => value.get(index),
        Err(_) => value.get(*part),
    })
}

fn put(spec: &mut Map<String, Value>, path: &[&str], new: Value) {
    let Some((first, rest)) = path.split_first() else { return };
    let mut place = spec.entry(*first).or_insert(Value::Null);
    for part in rest {
        if let Ok(index) = part.parse::<usize>() {
            if place.is_null() {
                *place = json!([]);
            }
            let Value::Array(items) = place else { return };
            items.resize(items.len().max(index + 1), Value::Null);
            place = &mut items[index];
        } else {
            if place.is_null() {
                *place = json!({});
            }
            place = fields(place).entry(*part).or_insert(Value::Null);
        }
    }
    *place = new;
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
mod tests {
    use serde_json::{Value, json};

    use crate::sandbox::driver::Driver;

    const CLUSTERS: &str = "/api/2.1/clusters";

    fn policy(sandbox: &mut Driver, definition: &Value) -> Value {
        let body = json!({"name": "small", "definition": definition.to_string()});
        sandbox.post("/api/2.0/policies/clusters/create", &body)["policy_id"].clone()
    }

    #[test]
    fn what_a_policy_fixes_is_filled_in_and_nothing_else_is_taken() {
        let mut sandbox = Driver::new();
        let id = policy(
            &mut sandbox,
            &json!({
                "autotermination_minutes": {"type": "fixed", "value": 20}, "num_workers": {"type": "range", "maxValue": 3},
                "node_type_id": {"type": "allowlist", "values": ["i3.xlarge"], "defaultValue": "i3.xlarge"},
                "custom_tags.cost": {"type": "fixed", "value": "7"},
                "init_scripts.0.volumes.destination": {"type": "fixed", "value": "/Volumes/a"},
            }),
        );
        let mut spec = json!({
            "policy_id": id, "spark_version": "16.4.x-scala2.12", "num_workers": 1, "apply_policy_default_values": true,
            "custom_tags": {"team": "etl"},
        });
        let made = sandbox.post(&format!("{CLUSTERS}/create"), &spec)["cluster_id"].clone();
        let shown = sandbox.get(&format!("{CLUSTERS}/get?cluster_id={}", made.as_str().unwrap()));
        assert_eq!((&shown["autotermination_minutes"], &shown["node_type_id"]), (&json!(20), &json!("i3.xlarge")));
        assert_eq!(shown["custom_tags"], json!({"team": "etl", "cost": "7"}));
        assert_eq!(shown["init_scripts"], json!([{"volumes": {"destination": "/Volumes/a"}}]));
        for (field, value) in [("autotermination_minutes", json!(30)), ("num_workers", json!(4))] {
            let before = spec[field].clone();
            spec[field] = value;
            sandbox.refuses("POST", &format!("{CLUSTERS}/create"), &spec, 400, "INVALID_PARAMETER_VALUE");
            spec[field] = before;
        }
        spec["apply_policy_default_values"] = false.into();
        sandbox.refuses("POST", &format!("{CLUSTERS}/create"), &spec, 400, "INVALID_PARAMETER_VALUE");
    }
}
