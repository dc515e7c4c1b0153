//! Which workspaces may use an isolated object: `/api/2.1/unity-catalog/bindings`.

use platform_sdk::sandbox::World;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Failure, text},
    call::{Call, Route, whole},
    paging::{self, page},
    securables::{CATALOG, EXTERNAL_LOCATION, Kind, STORAGE_CREDENTIAL, metastore},
};

pub(super) const ROUTES: &[Route] = &[
    ("GET /api/2.1/unity-catalog/bindings/{securable_type}/{securable_name}", get),
    ("PATCH /api/2.1/unity-catalog/bindings/{securable_type}/{securable_name}", update),
];

fn key(call: &Call, world: &World) -> Result<String, Failure> {
    let kind: &Kind = match call.parameter("securable_type").to_lowercase().replace('-', "_").as_str() {
        "catalog" => &CATALOG,
        "external_location" => &EXTERNAL_LOCATION,
        "storage_credential" => &STORAGE_CREDENTIAL,
        other => return Err(Failure::invalid(format!("'{other}' can not be bound to workspaces"))),
    };
    let (metastore, name) = (metastore(call, world)?, call.parameter("securable_name"));
    kind.get(world, &metastore, name)?;
    Ok(kind.key(&metastore, name))
}

fn bound(world: &World, key: &str) -> Vec<Value> {
    world.get(key).and_then(|document| document.get("_bindings")).and_then(Value::as_array).cloned().unwrap_or_default()
}

/// Whether an object can be seen from the call's workspace: an isolated one only where it is bound.
pub(super) fn is_visible(call: &Call, document: &Value) -> bool {
    let isolated = text(document, "isolation_mode").ends_with("ISOLATED");
    let mut bindings = document.get("_bindings").and_then(Value::as_array).into_iter().flatten();
    let here: Option<i64> = call.workspace.parse().ok();
    !isolated || bindings.any(|binding| whole(&binding["workspace_id"]) == here)
}

/// Refuses what reaches for an isolated object, or for what is in an isolated catalog, from a workspace that it is not
/// bound to.
///
/// # Errors
/// 403 naming it. Bindings themselves can be read and changed from everywhere.
pub(super) fn visible(call: &Call, world: &World) -> Result<(), Failure> {
    let collection = call.request.path.strip_prefix("/api/2.1/unity-catalog/").unwrap_or_default();
    let kind = match collection.split('/').next().unwrap_or_default() {
        "catalogs" | "schemas" | "tables" | "volumes" => &CATALOG,
        "external-locations" => &EXTERNAL_LOCATION,
        "storage-credentials" => &STORAGE_CREDENTIAL,
        _ => return Ok(()),
    };
    let named = ["full_name", "name"].map(|name| call.parameter(name)).into_iter().find(|name| !name.is_empty());
    let Some(name) = named.or_else(|| call.text("catalog_name")) else { return Ok(()) };
    let name = if kind.code == CATALOG.code { name.split('.').next().unwrap_or_default() } else { name };
    let document = world.get(&kind.key(&metastore(call, world)?, name));
    if document.is_none_or(|document| is_visible(call, document)) {
        return Ok(());
    }
    let message = format!("{} '{name}' is not accessible in current workspace", kind.label);
    Err(Failure::new(403, "PERMISSION_DENIED", message))
}

fn get(call: &Call, world: &mut World) -> Answer {
    let key = key(call, world)?;
    page(call, &paging::CATALOG, "bindings", bound(world, &key))
}

fn update(call: &Call, world: &mut World) -> Answer {
    let key = key(call, world)?;
    let mut bindings = bound(world, &key);
    let asked = |field: &str| call.body.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    let same = |one: &Value, other: &Value| whole(&one["workspace_id"]) == whole(&other["workspace_id"]);
    for gone in asked("remove") {
        bindings.retain(|binding| !same(binding, &gone));
    }
    for new in asked("add") {
        let id = whole(&new["workspace_id"]).unwrap_or_default();
        if world.get(&format!("a/workspaces/{id}")).is_none() {
            return Err(Failure::missing(format!("Workspace {id} does not exist")));
        }
        let kind = new.get("binding_type").and_then(Value::as_str).unwrap_or("BINDING_TYPE_READ_WRITE");
        bindings.retain(|binding| !same(binding, &new));
        bindings.push(json!({"workspace_id": id, "binding_type": kind}));
    }
    let mut document = world.get(&key).cloned().unwrap_or_default();
    document["_bindings"] = json!(bindings);
    world.put(key, document);
    Ok(json!({"bindings": bindings}))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::sandbox::{driver::Driver, seed::WORKSPACE_ID};

    #[test]
    fn an_isolated_object_is_seen_only_from_where_it_is_bound() {
        let mut sandbox = Driver::new();
        sandbox.lake();
        let (catalog, schema) = ("/api/2.1/unity-catalog/catalogs/lake", "/api/2.1/unity-catalog/schemas/lake.sales");
        sandbox.patch(catalog, &json!({"isolation_mode": "ISOLATED"}));
        for (method, path) in [("GET", catalog), ("GET", schema), ("DELETE", catalog)] {
            sandbox.refuses(method, path, &json!(null), 403, "PERMISSION_DENIED");
        }
        sandbox
            .patch("/api/2.1/unity-catalog/bindings/catalog/lake", &json!({"add": [{"workspace_id": WORKSPACE_ID}]}));
        sandbox.get(catalog);
        sandbox.get(schema);
    }

    #[test]
    fn bindings_are_added_and_removed_by_workspace() {
        let mut sandbox = Driver::new();
        let path = "/api/2.1/unity-catalog/bindings/catalog/main";
        sandbox.refuses("PATCH", path, &json!({"add": [{"workspace_id": 7}]}), 404, "RESOURCE_DOES_NOT_EXIST");
        sandbox.patch(path, &json!({"add": [{"workspace_id": WORKSPACE_ID}]}));
        let bound = json!({"bindings": [{"workspace_id": WORKSPACE_ID, "binding_type": "BINDING_TYPE_READ_WRITE"}]});
        assert_eq!(sandbox.get(path), bound);
        sandbox.patch(path, &json!({"remove": [{"workspace_id": WORKSPACE_ID}]}));
        assert_eq!(sandbox.get(path), json!({}));
    }
}
