//! External locations: `/api/2.1/unity-catalog/external-locations`.

use platform_sdk::sandbox::World;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Failure, fields, shown, text},
    bindings::is_visible,
    call::{Call, Route},
    ids,
    paging::{self, page},
    securables::{EXTERNAL_LOCATION, STORAGE_CREDENTIAL, below, carry, changed, created, metastore},
    storage_paths,
};

pub(super) const ROUTES: &[Route] = &[
    ("POST /api/2.1/unity-catalog/external-locations", create),
    ("GET /api/2.1/unity-catalog/external-locations", list),
    ("GET /api/2.1/unity-catalog/external-locations/{name}", get),
    ("PATCH /api/2.1/unity-catalog/external-locations/{name}", update),
    ("DELETE /api/2.1/unity-catalog/external-locations/{name}", delete),
];

const CARRIED: [&str; 6] =
    ["comment", "read_only", "fallback", "enable_file_events", "file_event_queue", "encryption_details"];

fn create(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let name = EXTERNAL_LOCATION.new_name(world, &metastore, "", call.required("name")?)?;
    let url = storage_paths::cloud_url(call.required("url")?)?.to_owned();
    apart(world, &metastore, &name, &url)?;
    let credential = STORAGE_CREDENTIAL.get(world, &metastore, call.required("credential_name")?)?.clone();
    let mut document = Value::Object(created(call, &metastore));
    let defaults = json!({"read_only": false, "fallback": false, "enable_file_events": true, "isolation_mode": "ISOLATION_MODE_OPEN"});
    fields(&mut document).extend(defaults.as_object().cloned().unwrap_or_default());
    carry(call, &mut document, &CARRIED);
    let rest = json!({
        "name": name, "url": url, "credential_name": credential["name"], "credential_id": credential["id"],
        "effective_enable_file_events": document["enable_file_events"], "_id": ids::uuid(world),
    });
    fields(&mut document).extend(rest.as_object().cloned().unwrap_or_default());
    world.put(EXTERNAL_LOCATION.key(&metastore, &name), document.clone());
    Ok(shown(&document))
}

/// Refuses a place that overlaps another location's.
fn apart(world: &World, metastore: &str, name: &str, url: &str) -> Result<(), Failure> {
    let others = below(world, metastore, &EXTERNAL_LOCATION, "");
    let overlapping =
        others.iter().find(|other| text(other, "name") != name && storage_paths::overlap(url, text(other, "url")));
    overlapping.map_or(Ok(()), |other| {
        Err(Failure::invalid(format!(
            "Input path url '{url}' overlaps with an existing external location. Conflicting location: {}.",
            text(other, "name")
        )))
    })
}

fn list(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let all = below(world, &metastore, &EXTERNAL_LOCATION, "")
        .iter()
        .filter(|document| is_visible(call, document))
        .map(shown)
        .collect();
    page(call, &paging::CATALOG, "external_locations", all)
}

fn get(call: &Call, world: &mut World) -> Answer {
    EXTERNAL_LOCATION.get(world, &metastore(call, world)?, call.parameter("name")).map(shown)
}

fn update(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let name = call.parameter("name").to_lowercase();
    let mut document = EXTERNAL_LOCATION.get(world, &metastore, &name)?.clone();
    if let Some(url) = call.text("url") {
        let url = storage_paths::cloud_url(url)?;
        apart(world, &metastore, &name, url)?;
        let old = text(&document, "url").to_owned();
        if url != old && in_use(world, &metastore, &old) && !call.is("force") {
            return Err(Failure::state(
                "External Location has dependent catalogs, schemas, managed or external tables/volumes; use force option to update url anyway",
            ));
        }
        document["url"] = url.into();
    }
    if let Some(credential) = call.text("credential_name") {
        let credential = STORAGE_CREDENTIAL.get(world, &metastore, credential)?;
        document["credential_name"] = credential["name"].clone();
        document["credential_id"] = credential["id"].clone();
    }
    carry(call, &mut document, &CARRIED);
    carry(call, &mut document, &["isolation_mode"]);
    document["effective_enable_file_events"] = document["enable_file_events"].clone();
    changed(call, world, &mut document)?;
    let new = match call.text("new_name").map(str::to_lowercase) {
        Some(new) if new != name => EXTERNAL_LOCATION.new_name(world, &metastore, "", &new)?,
        _ => name.clone(),
    };
    document["name"] = new.as_str().into();
    world.remove(&EXTERNAL_LOCATION.key(&metastore, &name));
    world.put(EXTERNAL_LOCATION.key(&metastore, &new), document.clone());
    Ok(shown(&document))
}

fn delete(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let name = call.parameter("name").to_lowercase();
    let url = text(EXTERNAL_LOCATION.get(world, &metastore, &name)?, "url").to_owned();
    if in_use(world, &metastore, &url) && !call.flag("force") {
        let users: Vec<String> = storage_paths::users(world, &metastore, &url)
            .iter()
            .map(|(kind, count)| format!("{count} dependent {}s", kind.label.to_lowercase()))
            .collect();
        return Err(Failure::state(format!(
            "Cannot delete external location (name = {name}) because the location has {}. You may use force option to delete it \
             but the managed storage data under this location cannot be purged by Unity Catalog anymore.",
            users.join(", ")
        )));
    }
    world.remove(&EXTERNAL_LOCATION.key(&metastore, &name));
    Ok(json!({}))
}

fn in_use(world: &World, metastore: &str, url: &str) -> bool {
    storage_paths::users(world, metastore, url).iter().any(|(_, count)| *count > 0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::sandbox::driver::Driver;

    const LOCATIONS: &str = "/api/2.1/unity-catalog/external-locations";

    #[test]
    fn the_url_is_normalised_and_may_not_overlap_another() {
        let mut sandbox = Driver::new();
        sandbox.location("raw", "s3://landing/raw/");
        assert_eq!(sandbox.get(&format!("{LOCATIONS}/raw"))["url"], "s3://landing/raw");
        let location = |url: &str| json!({"name": "other", "url": url, "credential_name": "cred"});
        for url in ["s3://landing", "s3://landing/raw/x", "s3://landing/raw"] {
            sandbox.refuses("POST", LOCATIONS, &location(url), 400, "INVALID_PARAMETER_VALUE");
        }
        sandbox.post(LOCATIONS, &location("s3://landing/raw2"));
    }

    #[test]
    fn the_credential_must_exist() {
        let mut sandbox = Driver::new();
        let location = json!({"name": "raw", "url": "s3://landing", "credential_name": "none"});
        sandbox.refuses("POST", LOCATIONS, &location, 404, "STORAGE_CREDENTIAL_DOES_NOT_EXIST");
    }

    #[test]
    fn a_location_in_use_is_kept_unless_forced() {
        let mut sandbox = Driver::new();
        sandbox.lake();
        sandbox.refuses("DELETE", &format!("{LOCATIONS}/raw"), &json!(null), 400, "INVALID_STATE");
        sandbox.refuses("PATCH", &format!("{LOCATIONS}/raw"), &json!({"url": "s3://landing2"}), 400, "INVALID_STATE");
        sandbox.delete(&format!("{LOCATIONS}/raw?force=true"));
    }
}
