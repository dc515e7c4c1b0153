//! Tables by REST: read, list, drop, owner; they are made by SQL, or registered here when external.
//! `/api/2.1/unity-catalog/tables`.

use platform_sdk::sandbox::World;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Failure, fields, shown, text},
    call::{Call, Route},
    grants, ids,
    paging::{self, page},
    securables::{self, SCHEMA, TABLE, below, carry, changed, created, metastore},
    storage_paths,
};

pub(super) const ROUTES: &[Route] = &[
    ("POST /api/2.1/unity-catalog/tables", create),
    ("GET /api/2.1/unity-catalog/tables", list),
    ("GET /api/2.1/unity-catalog/tables/{full_name}", get),
    ("GET /api/2.1/unity-catalog/tables/{full_name}/exists", exists),
    ("PATCH /api/2.1/unity-catalog/tables/{full_name}", update),
    ("DELETE /api/2.1/unity-catalog/tables/{full_name}", delete),
    ("GET /api/2.1/unity-catalog/table-summaries", summaries),
];

fn create(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    if (call.text("table_type"), call.text("data_source_format")) != (Some("EXTERNAL"), Some("DELTA")) {
        return Err(Failure::invalid("Only EXTERNAL tables in DELTA format can be created through this API"));
    }
    let parent = format!("{}.{}", call.required("catalog_name")?, call.required("schema_name")?).to_lowercase();
    grants::may_create(call, world, (&metastore, &parent), "CREATE_TABLE")?;
    let name = TABLE.new_name(world, &metastore, &parent, call.required("name")?)?;
    let location = storage_paths::cloud_url(call.required("storage_location")?)?.to_owned();
    storage_paths::holder(world, &metastore, &location)?;
    storage_paths::free(world, &metastore, &location, "")?;
    let mut document = Value::Object(created(call, &metastore));
    carry(call, &mut document, &["columns", "properties", "table_type", "data_source_format"]);
    let (catalog_name, schema_name) = parent.split_once('.').unwrap_or_default();
    let full_name = format!("{parent}.{name}");
    let rest = json!({
        "name": name, "catalog_name": catalog_name, "schema_name": schema_name, "full_name": full_name,
        "table_id": ids::uuid(world), "storage_location": location,
    });
    fields(&mut document).extend(rest.as_object().cloned().unwrap_or_default());
    world.put(TABLE.key(&metastore, &full_name), document.clone());
    Ok(shown(&document))
}

fn list(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let parent =
        format!("{}.{}", call.query("catalog_name").unwrap_or_default(), call.query("schema_name").unwrap_or_default());
    SCHEMA.get(world, &metastore, &parent)?;
    let mut all: Vec<Value> = below(world, &metastore, &TABLE, &parent).iter().map(shown).collect();
    for table in &mut all {
        for (flag, field) in [("omit_columns", "columns"), ("omit_properties", "properties")] {
            if call.flag(flag) {
                fields(table).remove(field);
            }
        }
    }
    page(call, &paging::CATALOG, "tables", all)
}

fn summaries(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let catalog = call.query("catalog_name").unwrap_or_default();
    securables::CATALOG.get(world, &metastore, catalog)?;
    let fits = |pattern: Option<&str>, name: &str| pattern.is_none_or(|pattern| like(pattern, name));
    let all = below(world, &metastore, &TABLE, catalog)
        .iter()
        .filter(|table| fits(call.query("schema_name_pattern"), text(table, "schema_name")))
        .filter(|table| fits(call.query("table_name_pattern"), text(table, "name")))
        .map(|table| json!({"full_name": table["full_name"], "table_type": table["table_type"]}))
        .collect();
    page(call, &paging::CATALOG, "tables", all)
}

/// SQL's LIKE with `%`, case-insensitive.
fn like(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_lowercase(), name.to_lowercase());
    let parts: Vec<&str> = pattern.split('%').collect();
    let [first, middle @ .., last] = parts.as_slice() else { return pattern == name };
    let Some(mut rest) = name.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else { return false };
    middle.iter().all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

fn get(call: &Call, world: &mut World) -> Answer {
    TABLE.get(world, &metastore(call, world)?, call.parameter("full_name")).map(shown)
}

fn exists(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let full_name = call.parameter("full_name");
    let parent = full_name.rsplit_once('.').map_or("", |(parent, _)| parent);
    SCHEMA.get(world, &metastore, parent)?;
    Ok(json!({"table_exists": world.get(&TABLE.key(&metastore, full_name)).is_some()}))
}

fn update(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let mut document = TABLE.get(world, &metastore, call.parameter("full_name"))?.clone();
    changed(call, world, &mut document)?;
    world.put(TABLE.key(&metastore, call.parameter("full_name")), document);
    Ok(json!({}))
}

fn delete(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let full_name = text(TABLE.get(world, &metastore, call.parameter("full_name"))?, "full_name").to_owned();
    securables::remove(world, &metastore, &TABLE, &full_name);
    Ok(json!({}))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
mod tests {
    use serde_json::json;

    use super::like;
    use crate::sandbox::driver::Driver;

    const TABLES: &str = "/api/2.1/unity-catalog/tables";

    #[test]
    fn tables_are_listed_dropped_and_given_away_by_rest() {
        let mut sandbox = Driver::new();
        sandbox.table("CREATE TABLE main.default.a (id BIGINT)");
        sandbox.table("CREATE TABLE main.default.b (id BIGINT)");
        let list = sandbox.get(&format!("{TABLES}?catalog_name=main&schema_name=default&omit_columns=true"));
        assert_eq!(list["tables"].as_array().unwrap().len(), 2);
        assert!(list["tables"][0].get("columns").is_none());
        sandbox.patch(&format!("{TABLES}/main.default.a"), &json!({"owner": "pipeline"}));
        assert_eq!(sandbox.get(&format!("{TABLES}/main.default.a"))["owner"], "pipeline");
        sandbox.delete(&format!("{TABLES}/main.default.a"));
        assert_eq!(sandbox.get(&format!("{TABLES}/main.default.a/exists"))["table_exists"], false);
        sandbox.refuses("GET", &format!("{TABLES}/main.default.a"), &json!(null), 404, "TABLE_DOES_NOT_EXIST");
    }

    #[test]
    fn patterns_are_those_of_like() {
        assert!(like("%", "orders") && like("ord%", "orders") && like("%d%s", "orders") && like("Orders", "orders"));
        assert!(!like("ord", "orders") && !like("%x%", "orders"));
    }
}
