//! Volumes: `/api/2.1/unity-catalog/volumes`.

use platform_sdk::sandbox::World;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Failure, fields, shown, text},
    call::{Call, Route},
    grants, ids,
    paging::{self, page},
    schemas,
    securables::{self, SCHEMA, VOLUME, below, carry, changed, created, metastore},
    storage_paths,
};

pub(super) const ROUTES: &[Route] = &[
    ("POST /api/2.1/unity-catalog/volumes", create),
    ("GET /api/2.1/unity-catalog/volumes", list),
    ("GET /api/2.1/unity-catalog/volumes/{name}", get),
    ("PATCH /api/2.1/unity-catalog/volumes/{name}", update),
    ("DELETE /api/2.1/unity-catalog/volumes/{name}", delete),
];

fn create(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let parent = format!("{}.{}", call.required("catalog_name")?, call.required("schema_name")?).to_lowercase();
    grants::may_create(call, world, (&metastore, &parent), "CREATE_VOLUME")?;
    let name = VOLUME.new_name(world, &metastore, &parent, call.required("name")?)?;
    let id = ids::uuid(world);
    let location = match (call.required("volume_type")?, call.text("storage_location")) {
        ("MANAGED", None) => format!("{}/volumes/{id}", schemas::managed_root(world, &metastore, &parent)),
        ("MANAGED", Some(_)) => return Err(Failure::invalid("A managed volume takes no storage_location")),
        (_, None) => return Err(Failure::invalid("Missing required field: storage_location of an external volume")),
        (_, Some(location)) => {
            let location = storage_paths::cloud_url(location)?;
            storage_paths::holder(world, &metastore, location)?;
            storage_paths::free(world, &metastore, location, "")?;
            location.to_owned()
        }
    };
    let mut document = Value::Object(created(call, &metastore));
    carry(call, &mut document, &["comment", "volume_type"]);
    let (catalog_name, schema_name) = parent.split_once('.').unwrap_or_default();
    let full_name = format!("{parent}.{name}");
    let rest = json!({
        "name": name, "catalog_name": catalog_name, "schema_name": schema_name, "full_name": full_name,
        "volume_id": id, "storage_location": location,
    });
    fields(&mut document).extend(rest.as_object().cloned().unwrap_or_default());
    world.put(VOLUME.key(&metastore, &full_name), document.clone());
    Ok(shown(&document))
}

fn list(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let parent =
        format!("{}.{}", call.query("catalog_name").unwrap_or_default(), call.query("schema_name").unwrap_or_default());
    SCHEMA.get(world, &metastore, &parent)?;
    let all = below(world, &metastore, &VOLUME, &parent).iter().map(shown).collect();
    page(call, &paging::CATALOG, "volumes", all)
}

fn get(call: &Call, world: &mut World) -> Answer {
    VOLUME.get(world, &metastore(call, world)?, call.parameter("name")).map(shown)
}

fn update(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let full_name = call.parameter("name").to_lowercase();
    let mut document = VOLUME.get(world, &metastore, &full_name)?.clone();
    if call.given().is_empty() {
        return Err(Failure::invalid("Nothing to update: UpdateVolume must change a field"));
    }
    carry(call, &mut document, &["comment"]);
    changed(call, world, &mut document)?;
    let (parent, name) = full_name.rsplit_once('.').unwrap_or_default();
    let new = match call.text("new_name").map(str::to_lowercase) {
        Some(new) if new != name => format!("{parent}.{}", VOLUME.new_name(world, &metastore, parent, &new)?),
        _ => full_name.clone(),
    };
    world.remove(&VOLUME.key(&metastore, &full_name));
    document["name"] = new.rsplit('.').next().into();
    document["full_name"] = new.as_str().into();
    world.put(VOLUME.key(&metastore, &new), document.clone());
    Ok(shown(&document))
}

fn delete(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let full_name = text(VOLUME.get(world, &metastore, call.parameter("name"))?, "full_name").to_owned();
    securables::remove(world, &metastore, &VOLUME, &full_name);
    Ok(json!({}))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::sandbox::driver::Driver;

    const VOLUMES: &str = "/api/2.1/unity-catalog/volumes";

    #[test]
    fn an_external_volume_needs_a_free_place_inside_an_external_location() {
        let mut sandbox = Driver::new();
        sandbox.lake();
        let volume = |name: &str, at: &str| {
            let mut volume = json!({"catalog_name": "lake", "schema_name": "sales", "name": name});
            volume["volume_type"] = "EXTERNAL".into();
            volume["storage_location"] = at.into();
            volume
        };
        sandbox.refuses("POST", VOLUMES, &volume("dump", "s3://elsewhere/x"), 404, "EXTERNAL_LOCATION_DOES_NOT_EXIST");
        let made = sandbox.post(VOLUMES, &volume("dump", "s3://landing/dump/"));
        assert_eq!(made["storage_location"], "s3://landing/dump");
        sandbox.refuses("POST", VOLUMES, &volume("other", "s3://landing/dump/x"), 400, "INVALID_PARAMETER_VALUE");
        sandbox.refuses("POST", VOLUMES, &volume("dump", "s3://landing/y"), 400, "VOLUME_ALREADY_EXISTS");
    }

    #[test]
    fn a_managed_volume_takes_no_location_and_is_renamed() {
        let mut sandbox = Driver::new();
        let mut volume =
            json!({"catalog_name": "main", "schema_name": "default", "name": "v", "volume_type": "MANAGED"});
        sandbox.post(VOLUMES, &volume);
        volume["storage_location"] = "s3://landing/v".into();
        sandbox.refuses("POST", VOLUMES, &volume, 400, "VOLUME_ALREADY_EXISTS");
        sandbox.patch(&format!("{VOLUMES}/main.default.v"), &json!({"new_name": "w", "comment": "kept"}));
        assert_eq!(sandbox.get(&format!("{VOLUMES}/main.default.w"))["comment"], "kept");
        sandbox.delete(&format!("{VOLUMES}/main.default.w"));
        sandbox.refuses("GET", &format!("{VOLUMES}/main.default.w"), &json!(null), 404, "VOLUME_DOES_NOT_EXIST");
    }
}
