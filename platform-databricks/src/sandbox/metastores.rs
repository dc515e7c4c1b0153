//! Metastores and their assignment to workspaces, through the workspace's and through the account's API.

use platform_sdk::sandbox::World;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Failure, fields, shown, text},
    call::{Call, Route},
    catalogs, ids,
    paging::{self, page},
    scim,
    securables::{self, CATALOG, EXTERNAL_LOCATION, STORAGE_CREDENTIAL, below},
    storage_paths,
};

pub(super) const ROUTES: &[Route] = &[
    ("GET /api/2.1/unity-catalog/metastore_summary", summary),
    ("GET /api/2.1/unity-catalog/current-metastore-assignment", current),
    ("GET /api/2.1/unity-catalog/metastores", list),
    ("GET /api/2.1/unity-catalog/metastores/{id}", get),
    ("PUT /api/2.1/unity-catalog/workspaces/{workspace_id}/metastore", assign),
    ("PATCH /api/2.1/unity-catalog/workspaces/{workspace_id}/metastore", assign),
    ("DELETE /api/2.1/unity-catalog/workspaces/{workspace_id}/metastore", unassign),
    ("POST /api/2.0/accounts/{account_id}/metastores", account_create),
    ("GET /api/2.0/accounts/{account_id}/metastores", account_list),
    ("GET /api/2.0/accounts/{account_id}/metastores/{metastore_id}", account_get),
    ("PUT /api/2.0/accounts/{account_id}/metastores/{metastore_id}", account_update),
    ("DELETE /api/2.0/accounts/{account_id}/metastores/{metastore_id}", account_delete),
    ("GET /api/2.0/accounts/{account_id}/metastores/{metastore_id}/workspaces", account_workspaces),
    ("GET /api/2.0/accounts/{account_id}/workspaces/{workspace_id}/metastore", account_assignment),
    ("POST /api/2.0/accounts/{account_id}/workspaces/{workspace_id}/metastores/{metastore_id}", account_assign),
    ("PUT /api/2.0/accounts/{account_id}/workspaces/{workspace_id}/metastores/{metastore_id}", account_assign),
    ("DELETE /api/2.0/accounts/{account_id}/workspaces/{workspace_id}/metastores/{metastore_id}", account_unassign),
];

fn find<'w>(world: &'w World, id: &str) -> Result<&'w Value, Failure> {
    world
        .get(&format!("a/metastores/{id}"))
        .ok_or_else(|| Failure::new(404, "METASTORE_DOES_NOT_EXIST", format!("Metastore '{id}' does not exist.")))
}

fn summary(call: &Call, world: &mut World) -> Answer {
    find(world, &securables::metastore(call, world)?).map(shown)
}

fn current(call: &Call, world: &mut World) -> Answer {
    securables::metastore(call, world)?;
    Ok(world.get(&format!("a/assignments/{}", call.workspace)).map(shown).unwrap_or_default())
}

fn list(call: &Call, world: &mut World) -> Answer {
    let all = world.list("a/metastores/").map(|(_, document)| shown(document)).collect();
    page(call, &paging::CATALOG, "metastores", all)
}

fn get(call: &Call, world: &mut World) -> Answer {
    find(world, call.parameter("id")).map(shown)
}

fn assign(call: &Call, world: &mut World) -> Answer {
    let workspace = call.parameter("workspace_id").to_owned();
    let now =
        world.get(&format!("a/assignments/{workspace}")).map(|assignment| text(assignment, "metastore_id").to_owned());
    let metastore = call.text("metastore_id").map(str::to_owned).or(now).unwrap_or_default();
    put_assignment(world, &workspace, &metastore, call.text("default_catalog_name"))?;
    Ok(json!({}))
}

/// Assigns; the same assignment again is no change.
fn put_assignment(
    world: &mut World,
    workspace: &str,
    metastore: &str,
    default_catalog: Option<&str>,
) -> Result<(), Failure> {
    let home = world
        .get(&format!("a/workspaces/{workspace}"))
        .ok_or_else(|| Failure::missing(format!("Workspace {workspace} does not exist")))?;
    let (region, home) = (text(find(world, metastore)?, "region"), text(home, "aws_region"));
    if region != home {
        return Err(Failure::invalid(format!(
            "Metastore '{metastore}' is in {region}, the workspace {workspace} in {home}"
        )));
    }
    let key = format!("a/assignments/{workspace}");
    let before = world.get(&key).map(|assignment| text(assignment, "default_catalog_name").to_owned());
    let default_catalog = default_catalog.map(str::to_owned).or(before).unwrap_or_else(|| "main".to_owned());
    let id: i64 = workspace.parse().map_err(|_| Failure::invalid(format!("'{workspace}' is not a workspace's id")))?;
    world.put(key, json!({"workspace_id": id, "metastore_id": metastore, "default_catalog_name": default_catalog}));
    Ok(())
}

fn unassign(call: &Call, world: &mut World) -> Answer {
    remove_assignment(world, call.parameter("workspace_id"), call.query("metastore_id").unwrap_or_default())
}

fn remove_assignment(world: &mut World, workspace: &str, metastore: &str) -> Answer {
    let key = format!("a/assignments/{workspace}");
    if world.get(&key).is_none_or(|assignment| text(assignment, "metastore_id") != metastore) {
        return Err(Failure::missing(format!("Metastore '{metastore}' is not assigned to workspace {workspace}")));
    }
    world.remove(&key);
    Ok(json!({}))
}

fn account_create(call: &Call, world: &mut World) -> Answer {
    let asked = call.body.get("metastore_info").cloned().unwrap_or_default();
    let (name, region) = (text(&asked, "name"), text(&asked, "region"));
    if name.is_empty() || region.is_empty() {
        return Err(Failure::invalid("CreateMetastore needs a name and a region"));
    }
    for (_, other) in world.list("a/metastores/") {
        if text(other, "name") == name {
            return Err(Failure::new(400, "METASTORE_ALREADY_EXISTS", format!("Metastore '{name}' already exists")));
        }
        if text(other, "region") == region {
            return Err(Failure::state(format!(
                "This account has reached the limit of 1 metastore in region {region}"
            )));
        }
    }
    let id = ids::uuid(world);
    let mut document = json!({
        "metastore_id": id, "name": name, "region": region, "cloud": "aws", "global_metastore_id": format!("aws:{region}:{id}"),
        "owner": call.caller, "privilege_model_version": "1.0", "delta_sharing_scope": "INTERNAL",
        "external_access_enabled": asked["external_access_enabled"].as_bool().unwrap_or(false),
        "created_at": call.now, "created_by": call.caller, "updated_at": call.now, "updated_by": call.caller,
    });
    if !text(&asked, "storage_root").is_empty() {
        document["storage_root"] = format!("{}/{id}", storage_paths::cloud_url(text(&asked, "storage_root"))?).into();
    }
    for (name, kind) in [("samples", "DELTASHARING_CATALOG"), ("system", "SYSTEM_CATALOG")] {
        let owner = call.caller.as_str();
        catalogs::seed(world, &id, &catalogs::Seed { name, kind, root: None, owner, now: call.now });
    }
    world.put(format!("a/metastores/{id}"), document.clone());
    Ok(json!({"metastore_info": shown(&document)}))
}

#[expect(clippy::unnecessary_wraps, reason = "handlers answer results")]
fn account_list(_: &Call, world: &mut World) -> Answer {
    let all: Vec<Value> = world.list("a/metastores/").map(|(_, document)| shown(document)).collect();
    Ok(json!({"metastores": all}))
}

fn account_get(call: &Call, world: &mut World) -> Answer {
    Ok(json!({"metastore_info": shown(find(world, call.parameter("metastore_id"))?)}))
}

fn account_update(call: &Call, world: &mut World) -> Answer {
    let mut document = find(world, call.parameter("metastore_id"))?.clone();
    let asked = call.body.get("metastore_info").cloned().unwrap_or_default();
    if let Some(owner) = asked.get("owner").and_then(Value::as_str) {
        scim::principal(world, owner)?;
    }
    fields(&mut document).extend(super::call::set_fields(&asked));
    document["updated_at"] = call.now.into();
    document["updated_by"] = call.caller.clone().into();
    world.put(format!("a/metastores/{}", call.parameter("metastore_id")), document.clone());
    Ok(json!({"metastore_info": shown(&document)}))
}

fn account_delete(call: &Call, world: &mut World) -> Answer {
    let id = call.parameter("metastore_id");
    find(world, id)?;
    let own = |document: &&Value| !matches!(text(document, "catalog_type"), "SYSTEM_CATALOG" | "DELTASHARING_CATALOG");
    let catalogs = below(world, id, &CATALOG, "").iter().filter(own).count();
    let credentials = below(world, id, &STORAGE_CREDENTIAL, "").len() + below(world, id, &EXTERNAL_LOCATION, "").len();
    let assigned =
        world.list("a/assignments/").filter(|(_, assignment)| text(assignment, "metastore_id") == id).count();
    if catalogs + credentials + assigned > 0 && !call.flag("force") {
        return Err(Failure::state(format!(
            "Metastore '{id}' is not empty. The metastore has {catalogs} catalog(s), {credentials} storage credential(s), \
             0 share(s) and 0 recipient(s)"
        )));
    }
    let lost: Vec<String> = world
        .list(&format!("m/{id}/"))
        .map(|(key, _)| key.to_owned())
        .chain(
            world.list("a/assignments/").filter(|(_, a)| text(a, "metastore_id") == id).map(|(key, _)| key.to_owned()),
        )
        .chain([format!("a/metastores/{id}")])
        .collect();
    for key in lost {
        world.remove(&key);
    }
    Ok(json!({}))
}

fn account_workspaces(call: &Call, world: &mut World) -> Answer {
    let id = call.parameter("metastore_id");
    find(world, id)?;
    let all = world.list("a/assignments/").filter(|(_, assignment)| text(assignment, "metastore_id") == id);
    let workspaces: Vec<Value> = all.map(|(_, assignment)| assignment["workspace_id"].clone()).collect();
    Ok(json!({"workspace_ids": workspaces}))
}

fn account_assignment(call: &Call, world: &mut World) -> Answer {
    let workspace = call.parameter("workspace_id");
    let assignment = world.get(&format!("a/assignments/{workspace}"));
    let none =
        || Failure::new(404, "METASTORE_DOES_NOT_EXIST", format!("No metastore assigned for workspace {workspace}."));
    Ok(json!({"metastore_assignment": assignment.map(shown).ok_or_else(none)?}))
}

fn account_assign(call: &Call, world: &mut World) -> Answer {
    let asked = call.body.get("metastore_assignment").cloned().unwrap_or_default();
    let default_catalog = Some(text(&asked, "default_catalog_name")).filter(|name| !name.is_empty());
    put_assignment(world, call.parameter("workspace_id"), call.parameter("metastore_id"), default_catalog)?;
    Ok(json!({}))
}

fn account_unassign(call: &Call, world: &mut World) -> Answer {
    remove_assignment(world, call.parameter("workspace_id"), call.parameter("metastore_id"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
mod tests {
    use serde_json::json;

    use crate::sandbox::driver::Driver;
    use crate::sandbox::seed;

    #[test]
    fn the_default_workspace_has_the_regions_metastore() {
        let mut sandbox = Driver::new();
        assert_eq!(sandbox.get("/api/2.1/unity-catalog/metastore_summary")["metastore_id"], seed::METASTORE_ID);
        let current = sandbox.get("/api/2.1/unity-catalog/current-metastore-assignment");
        assert_eq!(current["workspace_id"], seed::WORKSPACE_ID);
    }

    #[test]
    fn a_metastore_is_assigned_within_its_region_and_only_once_per_region() {
        let mut sandbox = Driver::new();
        let account = format!("/api/2.0/accounts/{}", seed::ACCOUNT_ID);
        let second = json!({"metastore_info": {"name": "second", "region": seed::REGION}});
        sandbox.refuses("POST", &format!("{account}/metastores"), &second, 400, "INVALID_STATE");
        let other = json!({"metastore_info": {"name": "other", "region": "us-east-1"}});
        let made = sandbox.post(&format!("{account}/metastores"), &other);
        let id = made["metastore_info"]["metastore_id"].as_str().unwrap().to_owned();
        let assign = format!("{account}/workspaces/{}/metastores/{id}", seed::WORKSPACE_ID);
        sandbox.refuses("POST", &assign, &json!({}), 400, "INVALID_PARAMETER_VALUE");
        sandbox.delete(&format!("{account}/metastores/{id}"));
        sandbox.refuses(
            "DELETE",
            &format!("{account}/metastores/{}", seed::METASTORE_ID),
            &json!(null),
            400,
            "INVALID_STATE",
        );
    }

    #[test]
    fn an_unassigned_workspace_has_no_unity_catalog() {
        let mut sandbox = Driver::new();
        let path = format!(
            "/api/2.0/accounts/{}/workspaces/{}/metastores/{}",
            seed::ACCOUNT_ID,
            seed::WORKSPACE_ID,
            seed::METASTORE_ID
        );
        sandbox.delete(&path);
        sandbox.refuses("GET", "/api/2.1/unity-catalog/catalogs", &json!(null), 404, "METASTORE_DOES_NOT_EXIST");
        sandbox.refuses("DELETE", &path, &json!(null), 404, "RESOURCE_DOES_NOT_EXIST");
        sandbox.post(&path, &json!({}));
        sandbox.get("/api/2.1/unity-catalog/catalogs");
    }
}
