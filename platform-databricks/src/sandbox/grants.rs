//! Grants on Unity Catalog's objects: `/api/2.1/unity-catalog/permissions` and `.../effective-permissions`.

use std::collections::{BTreeMap, BTreeSet};

use platform_sdk::sandbox::World;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Failure, text},
    call::{Call, Route},
    scim,
    securables::{CATALOG, EXTERNAL_LOCATION, Kind, SCHEMA, STORAGE_CREDENTIAL, TABLE, VOLUME, metastore},
};

pub(super) const ROUTES: &[Route] = &[
    ("GET /api/2.1/unity-catalog/permissions/{securable_type}/{full_name}", get),
    ("PATCH /api/2.1/unity-catalog/permissions/{securable_type}/{full_name}", update),
    ("GET /api/2.1/unity-catalog/effective-permissions/{securable_type}/{full_name}", effective),
];

type Held = BTreeMap<String, BTreeSet<String>>;

/// What is granted on: a key of the world, its type, and the objects above it that pass privileges on.
struct Securable {
    key: String,
    code: &'static str,
    label: &'static str,
    above: Vec<(&'static str, String, String)>,
}

fn securable(call: &Call, world: &World) -> Result<Securable, Failure> {
    let metastore = metastore(call, world)?;
    let name = call.parameter("full_name").to_lowercase();
    let kind: &Kind = match call.parameter("securable_type").to_lowercase().replace('-', "_").as_str() {
        "metastore" if name == metastore => {
            let key = format!("a/metastores/{metastore}");
            return Ok(Securable { key, code: "METASTORE", label: "Metastore", above: Vec::new() });
        }
        "metastore" => {
            return Err(Failure::new(404, "METASTORE_DOES_NOT_EXIST", format!("Metastore '{name}' does not exist.")));
        }
        "catalog" => &CATALOG,
        "schema" => &SCHEMA,
        "table" => &TABLE,
        "volume" => &VOLUME,
        "storage_credential" => &STORAGE_CREDENTIAL,
        "external_location" => &EXTERNAL_LOCATION,
        other => return Err(Failure::invalid(format!("'{other}' is not a securable type that is served"))),
    };
    kind.get(world, &metastore, &name)?;
    let parts: Vec<&str> = name.split('.').collect();
    let above = [&CATALOG, &SCHEMA].into_iter().enumerate().take(kind.levels - 1).map(|(level, parent)| {
        let parent_name = parts[..=level].join(".");
        (parent.code, parent_name.clone(), parent.key(&metastore, &parent_name))
    });
    Ok(Securable { key: kind.key(&metastore, &name), code: kind.code, label: kind.label, above: above.collect() })
}

/// The privileges that each type takes, by the type's code. On a parent, those of what it may hold are taken too, and
/// are passed down.
const PRIVILEGES: [(&str, &str); 7] = [
    (
        "CATALOG",
        "ALL_PRIVILEGES APPLY_TAG BROWSE CREATE_FUNCTION CREATE_MATERIALIZED_VIEW CREATE_MODEL CREATE_SCHEMA CREATE_TABLE \
         CREATE_VIEW CREATE_VOLUME EXECUTE EXTERNAL_USE_SCHEMA MANAGE MODIFY READ_VOLUME REFRESH SELECT USE_CATALOG \
         USE_SCHEMA WRITE_VOLUME",
    ),
    (
        "SCHEMA",
        "ALL_PRIVILEGES APPLY_TAG CREATE_FUNCTION CREATE_MATERIALIZED_VIEW CREATE_MODEL CREATE_TABLE CREATE_VIEW \
         CREATE_VOLUME EXECUTE EXTERNAL_USE_SCHEMA MANAGE MODIFY READ_VOLUME REFRESH SELECT USE_SCHEMA WRITE_VOLUME",
    ),
    ("TABLE", "ALL_PRIVILEGES APPLY_TAG MANAGE MODIFY REFRESH SELECT"),
    ("VOLUME", "ALL_PRIVILEGES APPLY_TAG MANAGE READ_VOLUME WRITE_VOLUME"),
    (
        "STORAGE_CREDENTIAL",
        "ALL_PRIVILEGES CREATE_EXTERNAL_LOCATION CREATE_EXTERNAL_TABLE MANAGE READ_FILES WRITE_FILES",
    ),
    (
        "EXTERNAL_LOCATION",
        "ALL_PRIVILEGES BROWSE CREATE_EXTERNAL_TABLE CREATE_EXTERNAL_VOLUME CREATE_FOREIGN_SECURABLE \
         CREATE_MANAGED_STORAGE EXTERNAL_USE_LOCATION MANAGE READ_FILES WRITE_FILES",
    ),
    (
        "METASTORE",
        "CREATE_CATALOG CREATE_CLEAN_ROOM CREATE_CONNECTION CREATE_EXTERNAL_LOCATION CREATE_PROVIDER CREATE_RECIPIENT \
         CREATE_SERVICE_CREDENTIAL CREATE_SHARE CREATE_STORAGE_CREDENTIAL MANAGE_ALLOWLIST SET_SHARE_PERMISSION \
         USE_CONNECTION USE_MARKETPLACE_ASSETS USE_PROVIDER USE_RECIPIENT USE_SHARE",
    ),
];

fn takes(code: &str, privilege: &str) -> bool {
    PRIVILEGES.iter().any(|(kind, names)| *kind == code && names.split_whitespace().any(|name| name == privilege))
}

fn get(call: &Call, world: &mut World) -> Answer {
    let securable = securable(call, world)?;
    Ok(assignments(&held(world, &securable.key), call.query("principal")))
}

fn update(call: &Call, world: &mut World) -> Answer {
    let securable = securable(call, world)?;
    let mut held = held(world, &securable.key);
    for change in call.body.get("changes").and_then(Value::as_array).into_iter().flatten() {
        let principal = text(change, "principal");
        let (add, remove) = (named(change, "add"), named(change, "remove"));
        if let Some(both) = add.intersection(&remove).next() {
            return Err(Failure::invalid(format!(
                "Duplicate privileges to add and delete for principal {principal}: {both}"
            )));
        }
        if let Some(wrong) = add.iter().find(|privilege| !takes(securable.code, privilege)) {
            let what = securable.label.to_uppercase();
            return Err(Failure::invalid(format!(
                "Privilege {} is not applicable to this entity [{what}]",
                wrong.replace('_', " ")
            )));
        }
        if !held.contains_key(principal) || !add.is_empty() {
            scim::principal(world, principal)?;
        }
        let has = held.entry(principal.to_owned()).or_default();
        has.extend(add);
        has.retain(|privilege| !remove.contains(privilege));
        if has.is_empty() {
            held.remove(principal);
        }
    }
    let mut document = world.get(&securable.key).cloned().unwrap_or_default();
    document["_grants"] = json!(held);
    world.put(securable.key, document);
    Ok(if call.is("omit_permissions_in_response") { json!({}) } else { assignments(&held, None) })
}

fn effective(call: &Call, world: &mut World) -> Answer {
    let securable = securable(call, world)?;
    let only = call.query("principal");
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (principal, privileges) in held(world, &securable.key) {
        found.entry(principal).or_default().extend(privileges.iter().map(|privilege| json!({"privilege": privilege})));
    }
    for (code, name, key) in &securable.above {
        for (principal, held) in held(world, key) {
            let passed = held.iter().filter(|privilege| takes(securable.code, privilege));
            let from =
                |privilege| json!({"privilege": privilege, "inherited_from_type": code, "inherited_from_name": name});
            found.entry(principal).or_default().extend(passed.map(from));
        }
    }
    let list: Vec<Value> = found
        .into_iter()
        .filter(|(principal, privileges)| !privileges.is_empty() && only.is_none_or(|only| only == principal))
        .map(|(principal, privileges)| json!({"principal": principal, "privileges": privileges}))
        .collect();
    Ok(if list.is_empty() { json!({}) } else { json!({"privilege_assignments": list}) })
}

/// Whether the caller may make something in a schema: who owns it, or was given that there or on its catalog.
///
/// # Errors
/// 403 where it may not.
pub(super) fn may_create(
    call: &Call,
    world: &World,
    (metastore, schema): (&str, &str),
    privilege: &str,
) -> Result<(), Failure> {
    let catalog = schema.split('.').next().unwrap_or_default();
    let document = SCHEMA.get(world, metastore, schema)?;
    let is_caller = |principal: &str| scim::is_of(world, &call.caller, principal);
    let keys = [SCHEMA.key(metastore, schema), CATALOG.key(metastore, catalog)];
    let given = keys.iter().flat_map(|key| held(world, key)).any(|(principal, held)| {
        let gives = |wanted: &str| held.contains(wanted);
        (gives(privilege) || gives("ALL_PRIVILEGES")) && is_caller(&principal)
    });
    if given || is_caller(text(document, "owner")) {
        return Ok(());
    }
    let what = privilege.replace('_', " ");
    Err(Failure::new(403, "PERMISSION_DENIED", format!("User does not have {what} on Schema '{schema}'.")))
}

fn held(world: &World, key: &str) -> Held {
    let grants = world.get(key).and_then(|document| document.get("_grants"));
    grants.and_then(|grants| serde_json::from_value(grants.clone()).ok()).unwrap_or_default()
}

fn named(change: &Value, field: &str) -> BTreeSet<String> {
    change
        .get(field)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn assignments(held: &Held, only: Option<&str>) -> Value {
    let list: Vec<Value> = held
        .iter()
        .filter(|(principal, _)| only.is_none_or(|only| only == *principal))
        .map(|(principal, privileges)| json!({"principal": principal, "privileges": privileges}))
        .collect();
    if list.is_empty() { json!({}) } else { json!({"privilege_assignments": list}) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::sandbox::driver::Driver;

    const LAKE: &str = "/api/2.1/unity-catalog/permissions/catalog/lake";

    fn change(principal: &str, add: &Value, remove: &Value) -> Value {
        json!({"changes": [{"principal": principal, "add": add, "remove": remove}]})
    }

    #[test]
    fn privileges_are_added_and_taken_one_by_one() {
        let mut sandbox = Driver::new();
        sandbox.lake();
        sandbox.patch(LAKE, &change("analysts", &json!(["USE_CATALOG", "SELECT"]), &json!([])));
        let left = sandbox.patch(LAKE, &change("analysts", &json!([]), &json!(["SELECT"])));
        assert_eq!(left, json!({"privilege_assignments": [{"principal": "analysts", "privileges": ["USE_CATALOG"]}]}));
        assert_eq!(sandbox.patch(LAKE, &change("analysts", &json!([]), &json!(["USE_CATALOG"]))), json!({}));
    }

    #[test]
    fn unknown_principals_wrong_privileges_and_contradictions_are_refused() {
        let mut sandbox = Driver::new();
        sandbox.lake();
        let unknown = change("nobody", &json!(["SELECT"]), &json!([]));
        sandbox.refuses("PATCH", LAKE, &unknown, 404, "PRINCIPAL_DOES_NOT_EXIST");
        let wrong = change("analysts", &json!(["READ_FILES"]), &json!([]));
        sandbox.refuses("PATCH", LAKE, &wrong, 400, "INVALID_PARAMETER_VALUE");
        let both = change("analysts", &json!(["SELECT"]), &json!(["SELECT"]));
        sandbox.refuses("PATCH", LAKE, &both, 400, "INVALID_PARAMETER_VALUE");
        sandbox.refuses(
            "GET",
            "/api/2.1/unity-catalog/permissions/catalog/no",
            &json!(null),
            404,
            "CATALOG_DOES_NOT_EXIST",
        );
    }

    #[test]
    fn a_schema_inherits_from_its_catalog() {
        let mut sandbox = Driver::new();
        sandbox.lake();
        sandbox.patch(LAKE, &change("analysts", &json!(["USE_CATALOG", "SELECT"]), &json!([])));
        let found = sandbox.get("/api/2.1/unity-catalog/effective-permissions/schema/lake.sales?principal=analysts");
        let expected =
            json!([{"privilege": "SELECT", "inherited_from_type": "CATALOG", "inherited_from_name": "lake"}]);
        assert_eq!(found["privilege_assignments"][0]["privileges"], expected);
        assert_eq!(sandbox.get("/api/2.1/unity-catalog/permissions/schema/lake.sales"), json!({}));
    }

    #[test]
    fn who_does_not_own_a_schema_makes_nothing_in_it_unless_that_was_given() {
        let mut sandbox = Driver::new();
        sandbox.lake();
        let volumes = "/api/2.1/unity-catalog/volumes";
        let volume = |name: &str| json!({"catalog_name": "lake", "schema_name": "sales", "name": name, "volume_type": "MANAGED"});
        sandbox.post(volumes, &volume("before"));
        sandbox.patch("/api/2.1/unity-catalog/schemas/lake.sales", &json!({"owner": "analysts"}));
        sandbox.refuses("POST", volumes, &volume("after"), 403, "PERMISSION_DENIED");
        let refused = sandbox.sql("CREATE TABLE lake.sales.orders (id INT)");
        assert!(refused["error"]["message"].as_str().is_some_and(|text| text.contains("CREATE TABLE")), "{refused}");
        sandbox.patch(LAKE, &change("admins", &json!(["CREATE_VOLUME"]), &json!([])));
        sandbox.post(volumes, &volume("given"));
        sandbox.patch("/api/2.1/unity-catalog/schemas/lake.sales", &json!({"owner": "admins"}));
        sandbox.table("CREATE TABLE lake.sales.orders (id INT)");
    }

    #[test]
    fn grants_die_with_the_object() {
        let mut sandbox = Driver::new();
        sandbox.lake();
        sandbox.patch(LAKE, &change("analysts", &json!(["SELECT"]), &json!([])));
        sandbox.delete("/api/2.1/unity-catalog/catalogs/lake?force=true");
        sandbox.post("/api/2.1/unity-catalog/catalogs", &json!({"name": "lake", "storage_root": "s3://landing/lake"}));
        assert_eq!(sandbox.get(LAKE), json!({}));
    }
}
