//! Workspaces as the account sees them: `/api/2.0/accounts/{account_id}/workspaces`, and who may use them.

use platform_sdk::sandbox::World;
use serde_json::{Value, json};

use super::{
    account_parts::{CREDENTIALS, NETWORKS, Part, STORAGE},
    answer::{Answer, Failure, fields, shown, text},
    call::{Call, Route, set_fields},
    ids, scim, seed,
};

pub(super) const ROUTES: &[Route] = &[
    ("POST /api/2.0/accounts/{account_id}/workspaces", create),
    ("GET /api/2.0/accounts/{account_id}/workspaces", list),
    ("GET /api/2.0/accounts/{account_id}/workspaces/{workspace_id}", get),
    ("PATCH /api/2.0/accounts/{account_id}/workspaces/{workspace_id}", update),
    ("DELETE /api/2.0/accounts/{account_id}/workspaces/{workspace_id}", delete),
    ("GET /api/2.0/accounts/{account_id}/workspaces/{workspace_id}/permissionassignments", assignments),
    (
        "PUT /api/2.0/accounts/{account_id}/workspaces/{workspace_id}/permissionassignments/principals/{principal_id}",
        assign,
    ),
    (
        "DELETE /api/2.0/accounts/{account_id}/workspaces/{workspace_id}/permissionassignments/principals/{principal_id}",
        unassign,
    ),
];

/// How long a workspace takes to run, in the world's time.
const PROVISIONING_MS: u64 = 300;
/// How much longer until its name resolves everywhere.
const DNS_MS: u64 = 100;
/// What a PATCH may change.
const UPDATABLE: [&str; 9] = [
    "credentials_id",
    "custom_tags",
    "managed_services_customer_managed_key_id",
    "network_connectivity_config_id",
    "network_id",
    "private_access_settings_id",
    "storage_configuration_id",
    "storage_customer_managed_key_id",
    "workspace_name",
];

/// Whether the workspace answers on its own API.
pub(super) fn reachable(document: &Value, now: u64) -> bool {
    let running = document["_running_at"].as_u64().unwrap_or_default();
    running == 0 || now >= running + DNS_MS
}

fn status(document: &Value, now: u64) -> Value {
    let mut answer = shown(document);
    let (status, message) = if now >= document["_running_at"].as_u64().unwrap_or_default() {
        ("RUNNING", "Workspace is running.")
    } else {
        ("PROVISIONING", "Workspace is being created.")
    };
    answer["workspace_status"] = status.into();
    answer["workspace_status_message"] = message.into();
    answer
}

fn create(call: &Call, world: &mut World) -> Answer {
    let name = call.required("workspace_name")?;
    if world.list("a/workspaces/").any(|(_, other)| text(other, "workspace_name") == name) {
        return Err(Failure::new(
            409,
            "RESOURCE_ALREADY_EXISTS",
            format!("Workspace name {name} is already used in this account"),
        ));
    }
    call.required("aws_region")?;
    let mut document = Value::Object(call.given());
    if call.text("compute_mode") == Some("SERVERLESS") {
        for field in ["credentials_id", "storage_configuration_id", "network_id"] {
            if call.text(field).is_some() {
                return Err(Failure::invalid(format!("{field} can not be set when compute_mode is SERVERLESS")));
            }
        }
        document["storage_mode"] = "DEFAULT_STORAGE".into();
    } else {
        for part in [&CREDENTIALS, &STORAGE] {
            part.find(world, call.required(part.id)?)?;
        }
        if let Some(network) = call.text("network_id") {
            NETWORKS.find(world, network)?;
        }
        document["compute_mode"] = "HYBRID".into();
        document["storage_mode"] = "CUSTOMER_HOSTED".into();
    }
    let id = ids::number(world);
    let rest = json!({
        "account_id": seed::ACCOUNT_ID, "workspace_id": id, "cloud": "aws", "creation_time": call.now,
        "deployment_name": call.text("deployment_name").map_or_else(|| format!("dbc-{}", ids::hex(world, 12)), str::to_owned),
        "pricing_tier": call.text("pricing_tier").unwrap_or("PREMIUM"), "_running_at": call.now + PROVISIONING_MS,
    });
    fields(&mut document).extend(set_fields(&rest));
    seed::furnish(world, &id.to_string(), call.now);
    world.put(format!("a/workspaces/{id}"), document.clone());
    Ok(status(&document, call.now))
}

fn find<'w>(call: &Call, world: &'w World) -> Result<&'w Value, Failure> {
    let id = call.parameter("workspace_id");
    world.get(&format!("a/workspaces/{id}")).ok_or_else(|| Failure::missing(format!("Workspace {id} does not exist")))
}

#[expect(clippy::unnecessary_wraps, reason = "handlers answer results")]
fn list(call: &Call, world: &mut World) -> Answer {
    Ok(world.list("a/workspaces/").map(|(_, document)| status(document, call.now)).collect())
}

fn get(call: &Call, world: &mut World) -> Answer {
    Ok(status(find(call, world)?, call.now))
}

fn update(call: &Call, world: &mut World) -> Answer {
    let mut document = find(call, world)?.clone();
    if status(&document, call.now)["workspace_status"] != "RUNNING" {
        return Err(Failure::state("A workspace that is not running can not be updated"));
    }
    let mut change = call.given();
    if let Some(mask) = call.query("update_mask") {
        change.retain(|field, _| mask.split(',').any(|path| path.split('.').next() == Some(field)));
    }
    for (field, value) in change {
        if !UPDATABLE.contains(&field.as_str()) {
            return Err(Failure::invalid(format!("{field} of a workspace can not be changed")));
        }
        for part in [&CREDENTIALS, &STORAGE, &NETWORKS] {
            if part.id == field {
                part.find(world, value.as_str().unwrap_or_default())?;
            }
        }
        fields(&mut document).insert(field, value);
    }
    world.put(format!("a/workspaces/{}", call.parameter("workspace_id")), document.clone());
    Ok(status(&document, call.now))
}

fn delete(call: &Call, world: &mut World) -> Answer {
    let answer = status(find(call, world)?, call.now);
    let id = call.parameter("workspace_id");
    let lost: Vec<String> = [format!("w/{id}/"), format!("a/permission-assignments/{id}/")]
        .iter()
        .flat_map(|prefix| world.list(prefix).map(|(key, _)| key.to_owned()).collect::<Vec<_>>())
        .chain([format!("a/workspaces/{id}"), format!("a/assignments/{id}")])
        .collect();
    for key in lost {
        world.remove(&key);
    }
    Ok(answer)
}

/// Whether a workspace is made with this part.
pub(super) fn uses(world: &World, part: &Part, id: &str) -> bool {
    world.list("a/workspaces/").any(|(_, workspace)| text(workspace, part.id) == id)
}

fn assignments(call: &Call, world: &mut World) -> Answer {
    find(call, world)?;
    let prefix = format!("a/permission-assignments/{}/", call.parameter("workspace_id"));
    let all: Vec<Value> = world.list(&prefix).map(|(_, document)| shown(document)).collect();
    Ok(if all.is_empty() { json!({}) } else { json!({"permission_assignments": all}) })
}

fn assign(call: &Call, world: &mut World) -> Answer {
    find(call, world)?;
    let id = call.parameter("principal_id");
    let principal = scim::by_id(world, id)?;
    let number: i64 = id.parse().map_err(|_| Failure::invalid(format!("'{id}' is not a principal's id")))?;
    let named = if !text(&principal, "userName").is_empty() {
        json!({"principal_id": number, "user_name": principal["userName"], "display_name": principal["displayName"]})
    } else if !text(&principal, "applicationId").is_empty() {
        json!({"principal_id": number, "service_principal_name": principal["applicationId"], "display_name": principal["displayName"]})
    } else {
        json!({"principal_id": number, "group_name": principal["displayName"], "display_name": principal["displayName"]})
    };
    let document =
        json!({"principal": named, "permissions": call.body.get("permissions").cloned().unwrap_or_default()});
    world.put(format!("a/permission-assignments/{}/{id}", call.parameter("workspace_id")), document.clone());
    Ok(document)
}

fn unassign(call: &Call, world: &mut World) -> Answer {
    find(call, world)?;
    let key = format!("a/permission-assignments/{}/{}", call.parameter("workspace_id"), call.parameter("principal_id"));
    if world.remove(&key) {
        Ok(json!({}))
    } else {
        Err(Failure::missing("The principal is not assigned to the workspace"))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
mod tests {
    use serde_json::json;

    use crate::sandbox::{driver::Driver, seed::ACCOUNT_ID};

    fn workspaces() -> String {
        format!("/api/2.0/accounts/{ACCOUNT_ID}/workspaces")
    }

    fn serverless(name: &str) -> serde_json::Value {
        json!({"workspace_name": name, "aws_region": "eu-west-1", "compute_mode": "SERVERLESS"})
    }

    #[test]
    fn a_workspace_takes_time_and_answers_only_when_it_runs() {
        let mut sandbox = Driver::new();
        let made = sandbox.post(&workspaces(), &serverless("lake"));
        assert_eq!(made["workspace_status"], "PROVISIONING");
        let id = made["workspace_id"].as_i64().unwrap();
        sandbox.workspace = Some(id);
        sandbox.refuses("GET", "/api/2.0/preview/scim/v2/Me", &json!(null), 503, "TEMPORARILY_UNAVAILABLE");
        let path = format!("{}/{id}", workspaces());
        sandbox.until(|sandbox| sandbox.get(&path)["workspace_status"] == "RUNNING");
        sandbox.until(|sandbox| sandbox.send("GET", "/api/2.0/preview/scim/v2/Me", &json!(null)).0 == 200);
        sandbox.refuses("GET", "/api/2.1/unity-catalog/catalogs", &json!(null), 404, "METASTORE_DOES_NOT_EXIST");
        sandbox.delete(&path);
        sandbox.refuses("GET", &path, &json!(null), 404, "RESOURCE_DOES_NOT_EXIST");
        sandbox.refuses("GET", "/api/2.0/preview/scim/v2/Me", &json!(null), 404, "ENDPOINT_NOT_FOUND");
    }

    #[test]
    fn a_workspace_in_ones_own_cloud_needs_its_parts() {
        let mut sandbox = Driver::new();
        let mut asked = json!({"workspace_name": "own", "aws_region": "eu-west-1", "credentials_id": "no", "storage_configuration_id": "no"});
        sandbox.refuses("POST", &workspaces(), &asked, 404, "RESOURCE_DOES_NOT_EXIST");
        let account = format!("/api/2.0/accounts/{ACCOUNT_ID}");
        let role = json!({"sts_role": {"role_arn": "arn:aws:iam::1:role/x"}});
        let credentials =
            sandbox.post(&format!("{account}/credentials"), &json!({"credentials_name": "c", "aws_credentials": role}));
        let bucket = json!({"storage_configuration_name": "s", "root_bucket_info": {"bucket_name": "b"}});
        let storage = sandbox.post(&format!("{account}/storage-configurations"), &bucket);
        asked["credentials_id"] = credentials["credentials_id"].clone();
        asked["storage_configuration_id"] = storage["storage_configuration_id"].clone();
        sandbox.post(&workspaces(), &asked);
        let used = format!("{account}/credentials/{}", credentials["credentials_id"].as_str().unwrap());
        sandbox.refuses("DELETE", &used, &json!(null), 409, "RESOURCE_CONFLICT");
    }

    #[test]
    fn only_some_fields_are_updated_and_only_those_of_the_mask() {
        let mut sandbox = Driver::new();
        let made = sandbox.post(&workspaces(), &serverless("lake"));
        let path = format!("{}/{}", workspaces(), made["workspace_id"]);
        let change = json!({"custom_tags": {"a": "b"}, "workspace_name": "sea"});
        sandbox.refuses("PATCH", &path, &change, 400, "INVALID_STATE");
        sandbox.until(|sandbox| sandbox.get(&path)["workspace_status"] == "RUNNING");
        let changed = sandbox.patch(&format!("{path}?update_mask=custom_tags"), &change);
        assert_eq!((&changed["custom_tags"], &changed["workspace_name"]), (&json!({"a": "b"}), &json!("lake")));
        sandbox.refuses("PATCH", &path, &json!({"aws_region": "us-east-1"}), 400, "INVALID_PARAMETER_VALUE");
    }

    #[test]
    fn another_account_is_not_found() {
        Driver::new().refuses(
            "GET",
            "/api/2.0/accounts/other/workspaces",
            &json!(null),
            404,
            "RESOURCE_DOES_NOT_EXIST",
        );
    }
}
