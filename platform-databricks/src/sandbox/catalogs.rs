//! Catalogs: `/api/2.1/unity-catalog/catalogs`.

use platform_sdk::sandbox::World;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Failure, fields, shown, text},
    bindings::is_visible,
    call::{Call, Route},
    ids,
    paging::{self, page},
    schemas,
    securables::{self, CATALOG, SCHEMA, below, carry, changed, created, metastore},
    storage_paths,
};

pub(super) const ROUTES: &[Route] = &[
    ("POST /api/2.1/unity-catalog/catalogs", create),
    ("GET /api/2.1/unity-catalog/catalogs", list),
    ("GET /api/2.1/unity-catalog/catalogs/{name}", get),
    ("PATCH /api/2.1/unity-catalog/catalogs/{name}", update),
    ("DELETE /api/2.1/unity-catalog/catalogs/{name}", delete),
];

/// A catalog that a fresh metastore has.
pub(super) struct Seed<'s> {
    pub(super) name: &'s str,
    pub(super) kind: &'s str,
    pub(super) root: Option<&'s str>,
    pub(super) owner: &'s str,
    pub(super) now: u64,
}

/// Puts a catalog of a fresh metastore, with its first schemas.
pub(super) fn seed(world: &mut World, metastore: &str, seed: &Seed) {
    let mut document = json!({
        "name": seed.name, "full_name": seed.name, "catalog_type": seed.kind, "securable_type": "CATALOG",
        "metastore_id": metastore, "owner": seed.owner, "isolation_mode": "OPEN",
        "enable_predictive_optimization": "INHERIT", "effective_predictive_optimization_flag": {"value": "DISABLE"},
        "created_at": seed.now, "created_by": seed.owner, "updated_at": seed.now, "updated_by": seed.owner,
        "_grants": {"account users": ["USE_CATALOG"]},
    });
    if let Some(root) = seed.root {
        document["storage_root"] = root.into();
        document["storage_location"] = located(root, &ids::uuid_of(seed.name)).into();
    }
    schemas::first_ones(world, &document);
    world.put(CATALOG.key(metastore, seed.name), document);
}

fn create(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let name = CATALOG.new_name(world, &metastore, "", call.required("name")?)?;
    let mut document = Value::Object(created(call, &metastore));
    carry(call, &mut document, &["comment", "properties", "options", "connection_name", "provider_name", "share_name"]);
    carry(call, &mut document, &["custom_max_retention_hours", "managed_encryption_settings"]);
    let kind = match (call.text("share_name"), call.text("connection_name")) {
        (Some(_), _) => "DELTASHARING_CATALOG",
        (None, Some(_)) => "FOREIGN_CATALOG",
        (None, None) => "MANAGED_CATALOG",
    };
    if kind == "MANAGED_CATALOG" {
        let root = root(call, world, &metastore)?;
        document["storage_location"] = located(&root, &ids::uuid(world)).into();
        document["storage_root"] = root.into();
    }
    let rest = json!({
        "name": name, "full_name": name, "catalog_type": kind, "securable_type": "CATALOG", "isolation_mode": "OPEN",
        "enable_predictive_optimization": "INHERIT", "effective_predictive_optimization_flag": {"value": "DISABLE"},
    });
    fields(&mut document).extend(rest.as_object().cloned().unwrap_or_default());
    schemas::first_ones(world, &document);
    world.put(CATALOG.key(&metastore, &name), document.clone());
    Ok(shown(&document))
}

/// Where the catalog's managed data goes: a place inside an external location, or the metastore's own root.
fn root(call: &Call, world: &World, metastore: &str) -> Result<String, Failure> {
    if let Some(root) = call.text("storage_root") {
        let root = storage_paths::cloud_url(root)?;
        storage_paths::holder(world, metastore, root)?;
        return Ok(root.to_owned());
    }
    let own = world.get(&format!("a/metastores/{metastore}")).map_or("", |document| text(document, "storage_root"));
    if own.is_empty() {
        return Err(Failure::state(
            "Metastore storage root URL does not exist. Please provide a storage location for the catalog \
             (for example 'CREATE CATALOG myCatalog MANAGED LOCATION '<location-path>').",
        ));
    }
    Ok(own.to_owned())
}

fn located(root: &str, id: &str) -> String {
    format!("{root}/__unitystorage/catalogs/{id}")
}

fn list(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let all = below(world, &metastore, &CATALOG, "")
        .iter()
        .filter(|document| is_visible(call, document))
        .map(shown)
        .collect();
    page(call, &paging::CATALOG, "catalogs", all)
}

fn get(call: &Call, world: &mut World) -> Answer {
    CATALOG.get(world, &metastore(call, world)?, call.parameter("name")).map(shown)
}

fn update(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let name = call.parameter("name").to_lowercase();
    let mut document = CATALOG.get(world, &metastore, &name)?.clone();
    if call.given().is_empty() {
        return Err(Failure::invalid("Nothing to update: UpdateCatalog must change a field"));
    }
    if text(&document, "catalog_type") == "SYSTEM_CATALOG" {
        return Err(Failure::new(403, "PERMISSION_DENIED", format!("Catalog '{name}' can not be changed")));
    }
    let names = [
        "comment",
        "properties",
        "options",
        "isolation_mode",
        "custom_max_retention_hours",
        "managed_encryption_settings",
    ];
    carry(call, &mut document, &names);
    if let Some(choice) = call.text("enable_predictive_optimization") {
        document["enable_predictive_optimization"] = choice.into();
        document["effective_predictive_optimization_flag"] =
            json!({"value": if choice == "INHERIT" { "DISABLE" } else { choice }});
    }
    changed(call, world, &mut document)?;
    let new = match call.text("new_name").map(str::to_lowercase) {
        Some(new) if new != name => CATALOG.new_name(world, &metastore, "", &new)?,
        _ => name.clone(),
    };
    world.put(CATALOG.key(&metastore, &name), document);
    if new != name {
        securables::rename(world, &metastore, &name, &new);
    }
    CATALOG.get(world, &metastore, &new).map(shown)
}

fn delete(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let name = call.parameter("name").to_lowercase();
    let document = CATALOG.get(world, &metastore, &name)?;
    if text(document, "catalog_type") == "SYSTEM_CATALOG" {
        return Err(Failure::new(403, "PERMISSION_DENIED", format!("Catalog '{name}' can not be deleted")));
    }
    if !call.flag("force") {
        let own = below(world, &metastore, &SCHEMA, &name).iter().filter(|schema| !schemas::is_first(schema)).count();
        let held = schemas::content(world, &metastore, &format!("{name}.default"));
        if own > 0 || held.iter().any(|(_, count)| *count > 0) {
            let count = own + usize::from(own == 0);
            return Err(Failure::state(format!(
                "Catalog '{name}' is not empty. The catalog has {count} schema(s), 0 model(s), 0 function(s)"
            )));
        }
    }
    securables::remove(world, &metastore, &CATALOG, &name);
    Ok(json!({}))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
mod tests {
    use serde_json::json;

    use crate::sandbox::driver::Driver;

    const CATALOGS: &str = "/api/2.1/unity-catalog/catalogs";

    #[test]
    fn a_catalog_needs_storage_inside_an_external_location() {
        let mut sandbox = Driver::new();
        sandbox.refuses("POST", CATALOGS, &json!({"name": "lake"}), 400, "INVALID_STATE");
        let lake = json!({"name": "lake", "storage_root": "s3://landing/lake/"});
        sandbox.refuses("POST", CATALOGS, &lake, 404, "EXTERNAL_LOCATION_DOES_NOT_EXIST");
        sandbox.location("raw", "s3://landing");
        let made = sandbox.post(CATALOGS, &lake);
        assert_eq!(made["storage_root"], "s3://landing/lake");
        let schemas = sandbox.get("/api/2.1/unity-catalog/schemas?catalog_name=lake");
        assert_eq!(schemas["schemas"].as_array().unwrap().len(), 2);
        sandbox.refuses("POST", CATALOGS, &lake, 400, "CATALOG_ALREADY_EXISTS");
    }

    #[test]
    fn renaming_takes_everything_below_along() {
        let mut sandbox = Driver::new();
        sandbox.lake();
        sandbox.table("CREATE TABLE lake.sales.orders (id BIGINT)");
        sandbox.patch(&format!("{CATALOGS}/lake"), &json!({"new_name": "Sea"}));
        let table = sandbox.get("/api/2.1/unity-catalog/tables/sea.sales.orders");
        assert_eq!((&table["catalog_name"], &table["full_name"]), (&json!("sea"), &json!("sea.sales.orders")));
        sandbox.refuses("GET", &format!("{CATALOGS}/lake"), &json!(null), 404, "CATALOG_DOES_NOT_EXIST");
        sandbox.refuses(
            "GET",
            "/api/2.1/unity-catalog/schemas/lake.sales",
            &json!(null),
            404,
            "CATALOG_DOES_NOT_EXIST",
        );
    }

    #[test]
    fn only_an_empty_catalog_is_deleted_without_force() {
        let mut sandbox = Driver::new();
        sandbox.lake();
        sandbox.refuses("DELETE", &format!("{CATALOGS}/lake"), &json!(null), 400, "INVALID_STATE");
        sandbox.delete(&format!("{CATALOGS}/lake?force=true"));
        sandbox.post(CATALOGS, &json!({"name": "lake", "storage_root": "s3://landing/lake"}));
        sandbox.delete(&format!("{CATALOGS}/lake"));
    }

    #[test]
    fn owner_must_be_known_and_isolation_is_an_update() {
        let mut sandbox = Driver::new();
        sandbox.lake();
        let path = format!("{CATALOGS}/lake");
        sandbox.refuses("PATCH", &path, &json!({"owner": "nobody"}), 404, "PRINCIPAL_DOES_NOT_EXIST");
        let changed = sandbox.patch(&path, &json!({"owner": "pipeline", "isolation_mode": "ISOLATED"}));
        assert_eq!((&changed["owner"], &changed["isolation_mode"]), (&json!("pipeline"), &json!("ISOLATED")));
    }
}
