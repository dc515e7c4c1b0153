//! Who may do what with jobs, clusters and warehouses: `/api/2.0/permissions`.

use platform_sdk::sandbox::World;
use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Failure, text},
    call::{Call, Route},
    scim,
};

pub(super) const ROUTES: &[Route] = &[
    ("GET /api/2.0/permissions/clusters/{cluster_id}", |call, world| get(call, world, &CLUSTERS)),
    ("PUT /api/2.0/permissions/clusters/{cluster_id}", |call, world| set(call, world, &CLUSTERS)),
    ("PATCH /api/2.0/permissions/clusters/{cluster_id}", |call, world| merge(call, world, &CLUSTERS)),
    ("GET /api/2.0/permissions/jobs/{job_id}", |call, world| get(call, world, &JOBS)),
    ("PUT /api/2.0/permissions/jobs/{job_id}", |call, world| set(call, world, &JOBS)),
    ("PATCH /api/2.0/permissions/jobs/{job_id}", |call, world| merge(call, world, &JOBS)),
    ("GET /api/2.0/permissions/warehouses/{warehouse_id}", |call, world| get(call, world, &WAREHOUSES)),
    ("PUT /api/2.0/permissions/warehouses/{warehouse_id}", |call, world| set(call, world, &WAREHOUSES)),
    ("PATCH /api/2.0/permissions/warehouses/{warehouse_id}", |call, world| merge(call, world, &WAREHOUSES)),
];

struct Kind {
    folder: &'static str,
    parameter: &'static str,
    object_type: &'static str,
    /// Jobs and warehouses have exactly one owner; clusters have none.
    owned: bool,
}

const CLUSTERS: Kind = Kind { folder: "clusters", parameter: "cluster_id", object_type: "cluster", owned: false };
const JOBS: Kind = Kind { folder: "jobs", parameter: "job_id", object_type: "job", owned: true };
const WAREHOUSES: Kind =
    Kind { folder: "warehouses", parameter: "warehouse_id", object_type: "warehouses", owned: true };

const PRINCIPALS: [&str; 3] = ["group_name", "service_principal_name", "user_name"];

fn find<'w>(call: &Call, world: &'w World, kind: &Kind) -> Result<&'w Value, Failure> {
    let id = call.parameter(kind.parameter);
    world
        .get(&call.key(kind.folder, id))
        .ok_or_else(|| Failure::missing(format!("{} {id} does not exist.", kind.object_type)))
}

/// The object's own entries; before any were set, its creator's.
fn own(document: &Value, kind: &Kind) -> Vec<Value> {
    let creator =
        ["creator_user_name", "creator_name"].iter().map(|field| text(document, field)).find(|name| !name.is_empty());
    let level = if kind.owned { "IS_OWNER" } else { "CAN_MANAGE" };
    let first = || json!([{"user_name": creator.unwrap_or_default(), "permission_level": level}]);
    document.get("_permissions").cloned().unwrap_or_else(first).as_array().cloned().unwrap_or_default()
}

fn answer(call: &Call, kind: &Kind, own: &[Value]) -> Value {
    let id = call.parameter(kind.parameter);
    let mut list: Vec<Value> = own
        .iter()
        .map(|entry| {
            let mut shown: Map<String, Value> = principal_of(entry);
            shown.insert(
                "all_permissions".into(),
                json!([{"permission_level": entry["permission_level"], "inherited": false}]),
            );
            Value::Object(shown)
        })
        .collect();
    let inherited = json!([{"permission_level": "CAN_MANAGE", "inherited": true, "inherited_from_object": [format!("/{}/", kind.folder)]}]);
    list.push(json!({"group_name": "admins", "all_permissions": inherited}));
    json!({"object_id": format!("/{}/{id}", kind.folder), "object_type": kind.object_type, "access_control_list": list})
}

fn principal_of(entry: &Value) -> Map<String, Value> {
    let given = PRINCIPALS.into_iter().filter(|field| !text(entry, field).is_empty());
    given.map(|field| (field.to_owned(), entry[field].clone())).collect()
}

fn get(call: &Call, world: &mut World, kind: &Kind) -> Answer {
    Ok(answer(call, kind, &own(find(call, world, kind)?, kind)))
}

fn set(call: &Call, world: &mut World, kind: &Kind) -> Answer {
    put(call, world, kind, Vec::new())
}

fn merge(call: &Call, world: &mut World, kind: &Kind) -> Answer {
    let before = own(find(call, world, kind)?, kind);
    put(call, world, kind, before)
}

fn put(call: &Call, world: &mut World, kind: &Kind, mut entries: Vec<Value>) -> Answer {
    let mut document = find(call, world, kind)?.clone();
    for entry in call.body.get("access_control_list").and_then(Value::as_array).into_iter().flatten() {
        let principal = principal_of(entry);
        let [(_, name)] = principal.iter().collect::<Vec<_>>()[..] else {
            return Err(Failure::invalid("An access control entry names exactly one user, group or service principal"));
        };
        let name = name.as_str().unwrap_or_default();
        if !scim::known_in(world, &call.workspace, name) {
            return Err(Failure::missing(format!("Principal: {name} does not exist")));
        }
        if text(entry, "permission_level").is_empty() {
            return Err(Failure::invalid(format!("permission_level for {name} must be given")));
        }
        let takes_over = |other: &Value| {
            text(entry, "permission_level") == "IS_OWNER" && text(other, "permission_level") == "IS_OWNER"
        };
        entries.retain(|other| principal_of(other) != principal && !takes_over(other));
        entries.push(entry.clone());
    }
    let owners = entries.iter().filter(|entry| text(entry, "permission_level") == "IS_OWNER").count();
    if kind.owned && owners != 1 {
        return Err(Failure::invalid(format!("The {} must have exactly one owner.", kind.object_type)));
    }
    document["_permissions"] = json!(entries);
    world.put(call.key(kind.folder, call.parameter(kind.parameter)), document);
    Ok(answer(call, kind, &entries))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
mod tests {
    use serde_json::json;

    use crate::sandbox::{ADMIN, driver::Driver};

    #[test]
    fn a_put_replaces_and_a_patch_merges_but_one_owner_stays() {
        let mut sandbox = Driver::new();
        let job = sandbox.post("/api/2.2/jobs/create", &json!({"name": "nightly"}))["job_id"].as_i64().unwrap();
        let path = format!("/api/2.0/permissions/jobs/{job}");
        let entry = |name: &str, level: &str| json!({"group_name": name, "permission_level": level});
        let run = json!({"access_control_list": [entry("analysts", "CAN_MANAGE_RUN")]});
        assert_eq!(sandbox.patch(&path, &run)["access_control_list"].as_array().unwrap().len(), 3);
        sandbox.refuses("PUT", &path, &run, 400, "INVALID_PARAMETER_VALUE");
        let owned = json!({"access_control_list": [{"user_name": ADMIN, "permission_level": "IS_OWNER"}]});
        assert_eq!(sandbox.send("PUT", &path, &owned).1["access_control_list"].as_array().unwrap().len(), 2);
        let unknown = json!({"access_control_list": [entry("nobody", "CAN_VIEW")]});
        sandbox.refuses("PATCH", &path, &unknown, 404, "RESOURCE_DOES_NOT_EXIST");
        sandbox.refuses("GET", "/api/2.0/permissions/jobs/7", &json!(null), 404, "RESOURCE_DOES_NOT_EXIST");
    }
}
