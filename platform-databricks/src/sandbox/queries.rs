//! Saved queries: `/api/2.0/sql/queries`. Deleting one moves it to the trash, where it can still be read.

use platform_sdk::sandbox::World;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Failure, fields, shown, text},
    call::{Call, Route, set_fields},
    clock, ids,
    paging::{Pages, page},
    scim, workspace_files,
};

pub(super) const ROUTES: &[Route] = &[
    ("POST /api/2.0/sql/queries", create),
    ("GET /api/2.0/sql/queries", list),
    ("GET /api/2.0/sql/queries/{id}", get),
    ("PATCH /api/2.0/sql/queries/{id}", update),
    ("DELETE /api/2.0/sql/queries/{id}", delete),
];

const PAGES: Pages = Pages { size: "page_size", default: 20, max: 100 };

fn create(call: &Call, world: &mut World) -> Answer {
    let asked = set_fields(&call.body["query"]);
    let mut query = Value::Object(asked);
    let mut parent = text(&query, "parent_path").to_owned();
    if parent.is_empty() {
        parent = format!("/Workspace/Users/{}", call.caller);
    } else {
        workspace_files::find(call, world, &parent)?;
    }
    let name = text(&query, "display_name").to_owned();
    let same = |other: &Value| text(other, "display_name") == name && text(other, "parent_path") == parent;
    let taken = world
        .list(&call.key("queries", ""))
        .any(|(_, other)| same(other) && text(other, "lifecycle_state") == "ACTIVE");
    if taken && !call.is("auto_resolve_display_name") {
        return Err(Failure::new(
            400,
            "RESOURCE_ALREADY_EXISTS",
            format!("Node named '{name}' already exists in {parent}"),
        ));
    }
    let (id, now) = (ids::uuid(world), clock::rfc3339(call.now));
    let defaults =
        json!({"run_as_mode": "OWNER", "apply_auto_limit": false, "query_text": "", "display_name": "New query"});
    for (field, value) in set_fields(&defaults) {
        fields(&mut query).entry(field).or_insert(value);
    }
    let rest = json!({
        "id": id, "parent_path": parent, "owner_user_name": call.caller, "last_modifier_user_name": call.caller,
        "lifecycle_state": "ACTIVE", "create_time": now, "update_time": now,
    });
    fields(&mut query).extend(set_fields(&rest));
    world.put(call.key("queries", &id), query.clone());
    Ok(shown(&query))
}

fn find(call: &Call, world: &World) -> Result<Value, Failure> {
    let id = call.parameter("id");
    world.get(&call.key("queries", id)).cloned().ok_or_else(|| Failure::missing(format!("Query {id} does not exist")))
}

fn list(call: &Call, world: &mut World) -> Answer {
    let prefix = call.key("queries", "");
    let active = world.list(&prefix).filter(|(_, query)| text(query, "lifecycle_state") == "ACTIVE");
    let shown = |query: &Value| {
        let mut shown = shown(query);
        fields(&mut shown).remove("parent_path");
        shown
    };
    page(call, &PAGES, "results", active.map(|(_, query)| shown(query)).collect())
}

fn get(call: &Call, world: &mut World) -> Answer {
    find(call, world).map(|query| shown(&query))
}

fn update(call: &Call, world: &mut World) -> Answer {
    let mut query = find(call, world)?;
    if text(&query, "lifecycle_state") != "ACTIVE" {
        return Err(Failure::state("A query in the trash can not be updated"));
    }
    let change = &call.body["query"];
    let mask = call.required("update_mask")?;
    let names: Vec<String> = match mask {
        "*" => set_fields(change).into_iter().map(|(name, _)| name).collect(),
        mask => mask.split(',').map(|name| name.trim().to_owned()).collect(),
    };
    for name in names {
        match change.get(&name).filter(|value| !value.is_null()) {
            Some(value) if name == "owner_user_name" => {
                scim::principal(world, value.as_str().unwrap_or_default())?;
                query[&name] = value.clone();
            }
            Some(value) => query[&name] = value.clone(),
            None => {
                fields(&mut query).remove(&name);
            }
        }
    }
    query["update_time"] = clock::rfc3339(call.now).into();
    query["last_modifier_user_name"] = call.caller.clone().into();
    world.put(call.key("queries", call.parameter("id")), query.clone());
    Ok(shown(&query))
}

fn delete(call: &Call, world: &mut World) -> Answer {
    let mut query = find(call, world)?;
    query["lifecycle_state"] = "TRASHED".into();
    world.put(call.key("queries", call.parameter("id")), query);
    Ok(json!({}))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
mod tests {
    use serde_json::json;

    use crate::sandbox::driver::Driver;

    const QUERIES: &str = "/api/2.0/sql/queries";

    #[test]
    fn a_query_is_changed_by_mask_and_ends_in_the_trash() {
        let mut sandbox = Driver::new();
        let id = sandbox.post(QUERIES, &json!({"query": {"display_name": "daily", "query_text": "SELECT 1"}}))["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let path = format!("{QUERIES}/{id}");
        let change =
            json!({"query": {"query_text": "SELECT 2", "display_name": "ignored"}, "update_mask": "query_text"});
        let changed = sandbox.patch(&path, &change);
        assert_eq!((&changed["query_text"], &changed["display_name"]), (&json!("SELECT 2"), &json!("daily")));
        sandbox.delete(&path);
        assert_eq!(sandbox.get(&path)["lifecycle_state"], "TRASHED");
        assert_eq!(sandbox.get(QUERIES), json!({}));
        sandbox.refuses("PATCH", &path, &change, 400, "INVALID_STATE");
    }

    #[test]
    fn the_parent_folder_must_exist() {
        let query = json!({"query": {"display_name": "daily", "parent_path": "/Workspace/Shared/none"}});
        Driver::new().refuses("POST", QUERIES, &query, 404, "RESOURCE_DOES_NOT_EXIST");
    }
}
