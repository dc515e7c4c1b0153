//! Schemas: `/api/2.1/unity-catalog/schemas`.

use platform_sdk::sandbox::World;
use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Failure, fields, shown, text},
    call::{Call, Route},
    ids,
    paging::{self, page},
    securables::{self, CATALOG, Kind, SCHEMA, TABLE, VOLUME, below, carry, changed, created, metastore},
    storage_paths,
};

pub(super) const ROUTES: &[Route] = &[
    ("POST /api/2.1/unity-catalog/schemas", create),
    ("GET /api/2.1/unity-catalog/schemas", list),
    ("GET /api/2.1/unity-catalog/schemas/{full_name}", get),
    ("PATCH /api/2.1/unity-catalog/schemas/{full_name}", update),
    ("DELETE /api/2.1/unity-catalog/schemas/{full_name}", delete),
];

/// What the service adds to every schema's properties by itself.
const INJECTED: (&str, &str) = ("unity.catalog.managed.delta.defaults.delta.feature.catalogManaged", "supported");

/// Puts the schemas that every catalog is born with.
pub(super) fn first_ones(world: &mut World, catalog: &Value) {
    let (metastore, catalog_name) = (text(catalog, "metastore_id"), text(catalog, "full_name"));
    for name in ["default", "information_schema"] {
        let full_name = format!("{catalog_name}.{name}");
        let mut document = json!({
            "name": name, "catalog_name": catalog_name, "full_name": full_name, "metastore_id": metastore,
            "catalog_type": catalog["catalog_type"], "schema_id": ids::uuid_of(&full_name),
            "owner": if name == "default" { text(catalog, "owner") } else { "System user" },
            "enable_predictive_optimization": "INHERIT", "effective_predictive_optimization_flag": {"value": "DISABLE"},
            "_grants": {},
        });
        for field in ["created_at", "created_by", "updated_at", "updated_by"] {
            document[field] = catalog[field].clone();
        }
        world.put(SCHEMA.key(metastore, &full_name), document);
    }
}

/// Whether a schema is one that its catalog was born with.
pub(super) fn is_first(schema: &Value) -> bool {
    matches!(text(schema, "name"), "default" | "information_schema")
}

/// How much of each kind a schema holds.
pub(super) fn content(world: &World, metastore: &str, full_name: &str) -> [(&'static Kind, usize); 2] {
    [&TABLE, &VOLUME].map(|kind| (kind, below(world, metastore, kind, full_name).len()))
}

/// Where managed data of this schema goes, without what tells one object from the other.
pub(super) fn managed_root(world: &World, metastore: &str, full_name: &str) -> String {
    let catalog = full_name.split('.').next().unwrap_or_default();
    let own = world.get(&SCHEMA.key(metastore, full_name)).map_or("", |schema| text(schema, "storage_location"));
    let catalogs =
        || world.get(&CATALOG.key(metastore, catalog)).map_or("", |catalog| text(catalog, "storage_location"));
    if own.is_empty() { catalogs().to_owned() } else { own.to_owned() }
}

fn create(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let catalog = CATALOG.get(world, &metastore, call.required("catalog_name")?)?.clone();
    let catalog_name = text(&catalog, "name");
    if text(&catalog, "catalog_type") != "MANAGED_CATALOG" {
        return Err(Failure::new(403, "PERMISSION_DENIED", format!("Catalog '{catalog_name}' does not take schemas")));
    }
    let name = SCHEMA.new_name(world, &metastore, catalog_name, call.required("name")?)?;
    let full_name = format!("{catalog_name}.{name}");
    let mut document = Value::Object(created(call, &metastore));
    carry(call, &mut document, &["comment", "properties", "custom_max_retention_hours"]);
    if let Some(root) = call.text("storage_root") {
        let root = storage_paths::cloud_url(root)?;
        storage_paths::holder(world, &metastore, root)?;
        document["storage_root"] = root.into();
        document["storage_location"] = format!("{root}/__unitystorage/schemas/{}", ids::uuid(world)).into();
    }
    let rest = json!({
        "name": name, "catalog_name": catalog_name, "full_name": full_name, "catalog_type": "MANAGED_CATALOG",
        "schema_id": ids::uuid(world), "enable_predictive_optimization": "INHERIT",
        "effective_predictive_optimization_flag": catalog["effective_predictive_optimization_flag"],
    });
    fields(&mut document).extend(rest.as_object().cloned().unwrap_or_default());
    inject(&mut document);
    world.put(SCHEMA.key(&metastore, &full_name), document.clone());
    Ok(shown(&document))
}

fn inject(document: &mut Value) {
    let properties = fields(document).entry("properties").or_insert_with(|| Value::Object(Map::new()));
    properties[INJECTED.0] = INJECTED.1.into();
}

fn list(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let catalog = call.query("catalog_name").unwrap_or_default();
    CATALOG.get(world, &metastore, catalog)?;
    let all = below(world, &metastore, &SCHEMA, catalog).iter().map(shown).collect();
    page(call, &paging::CATALOG, "schemas", all)
}

fn get(call: &Call, world: &mut World) -> Answer {
    SCHEMA.get(world, &metastore(call, world)?, call.parameter("full_name")).map(shown)
}

fn update(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let full_name = call.parameter("full_name").to_lowercase();
    let before = SCHEMA.get(world, &metastore, &full_name)?.clone();
    let mut document = before.clone();
    carry(call, &mut document, &["comment", "properties", "custom_max_retention_hours"]);
    inject(&mut document);
    if let Some(choice) = call.text("enable_predictive_optimization") {
        document["enable_predictive_optimization"] = choice.into();
        document["effective_predictive_optimization_flag"] =
            json!({"value": if choice == "INHERIT" { "DISABLE" } else { choice }});
    }
    let (catalog, name) = full_name.split_once('.').unwrap_or_default();
    let new = call.text("new_name").map(str::to_lowercase).filter(|new| new != name);
    let same_owner = call.text("owner").is_none_or(|owner| owner == text(&before, "owner"));
    if document == before && new.is_none() && same_owner {
        return Err(Failure::invalid(format!("Nothing to update: schema '{full_name}' is as asked for")));
    }
    changed(call, world, &mut document)?;
    let new = match new {
        Some(new) => format!("{catalog}.{}", SCHEMA.new_name(world, &metastore, catalog, &new)?),
        None => full_name.clone(),
    };
    world.put(SCHEMA.key(&metastore, &full_name), document);
    if new != full_name {
        securables::rename(world, &metastore, &full_name, &new);
    }
    SCHEMA.get(world, &metastore, &new).map(shown)
}

fn delete(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let full_name = call.parameter("full_name").to_lowercase();
    let schema = SCHEMA.get(world, &metastore, &full_name)?;
    if text(schema, "name") == "information_schema" {
        return Err(Failure::new(403, "PERMISSION_DENIED", format!("Schema '{full_name}' can not be deleted")));
    }
    let [(_, tables), (_, volumes)] = content(world, &metastore, &full_name);
    if tables + volumes > 0 && !call.flag("force") {
        return Err(Failure::state(format!(
            "Schema '{full_name}' is not empty. The schema has {tables} tables(s), 0 functions(s), {volumes} volumes(s), 0 models(s)"
        )));
    }
    securables::remove(world, &metastore, &SCHEMA, &full_name);
    Ok(json!({}))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
mod tests {
    use serde_json::json;

    use crate::sandbox::driver::Driver;

    const SCHEMAS: &str = "/api/2.1/unity-catalog/schemas";

    #[test]
    fn names_are_lower_cased_and_the_service_adds_properties() {
        let mut sandbox = Driver::new();
        let made = sandbox.post(SCHEMAS, &json!({"catalog_name": "main", "name": "Sales", "properties": {"a": "b"}}));
        assert_eq!(made["full_name"], "main.sales");
        assert_eq!(made["properties"].as_object().unwrap().len(), 2);
        sandbox.refuses(
            "POST",
            SCHEMAS,
            &json!({"catalog_name": "main", "name": "SALES"}),
            400,
            "SCHEMA_ALREADY_EXISTS",
        );
        sandbox.refuses("POST", SCHEMAS, &json!({"catalog_name": "nope", "name": "x"}), 404, "CATALOG_DOES_NOT_EXIST");
    }

    #[test]
    fn a_patch_that_changes_nothing_is_refused() {
        let mut sandbox = Driver::new();
        sandbox.post(SCHEMAS, &json!({"catalog_name": "main", "name": "sales", "comment": "c"}));
        let path = format!("{SCHEMAS}/main.sales");
        sandbox.refuses("PATCH", &path, &json!({"comment": "c"}), 400, "INVALID_PARAMETER_VALUE");
        assert_eq!(sandbox.patch(&path, &json!({"comment": "d"}))["comment"], "d");
    }

    #[test]
    fn only_an_empty_schema_is_deleted_without_force() {
        let mut sandbox = Driver::new();
        sandbox.post(SCHEMAS, &json!({"catalog_name": "main", "name": "sales"}));
        sandbox.table("CREATE TABLE main.sales.orders (id BIGINT)");
        let path = format!("{SCHEMAS}/main.sales");
        sandbox.refuses("DELETE", &path, &json!(null), 400, "INVALID_STATE");
        sandbox.delete(&format!("{path}?force=true"));
        sandbox.refuses(
            "GET",
            "/api/2.1/unity-catalog/tables/main.sales.orders",
            &json!(null),
            404,
            "SCHEMA_DOES_NOT_EXIST",
        );
    }

    #[test]
    fn lists_come_in_pages() {
        let mut sandbox = Driver::new();
        for n in 0..60 {
            sandbox.post(SCHEMAS, &json!({"catalog_name": "main", "name": format!("s{n:02}")}));
        }
        let path = format!("{SCHEMAS}?catalog_name=main&max_results=0");
        let first = sandbox.get(&path);
        assert_eq!(first["schemas"].as_array().unwrap().len(), 50);
        let token = first["next_page_token"].as_str().unwrap();
        let second = sandbox.get(&format!("{path}&page_token={token}"));
        assert_eq!(second["schemas"].as_array().unwrap().len(), 12);
        assert!(second.get("next_page_token").is_none());
        sandbox.refuses("GET", &format!("{path}&page_token=zzz"), &json!(null), 400, "INVALID_PARAMETER_VALUE");
    }
}
