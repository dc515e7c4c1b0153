//! SQL warehouses: `/api/2.0/sql/warehouses`. States move with the world's time; reading one changes nothing.

use platform_sdk::sandbox::World;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Failure, fields, shown, text},
    call::{Call, Route, set_fields, whole},
    ids,
    paging::{Pages, page},
};

pub(super) const ROUTES: &[Route] = &[
    ("POST /api/2.0/sql/warehouses", create),
    ("GET /api/2.0/sql/warehouses", list),
    ("GET /api/2.0/sql/warehouses/{id}", get),
    ("POST /api/2.0/sql/warehouses/{id}/edit", edit),
    ("POST /api/2.0/sql/warehouses/{id}/start", start),
    ("POST /api/2.0/sql/warehouses/{id}/stop", stop),
    ("DELETE /api/2.0/sql/warehouses/{id}", delete),
];

/// How long a change of state takes, in the world's time.
const CHANGE_MS: u64 = 300;
const PAGES: Pages = Pages { size: "page_size", default: 100, max: 1000 };
const SIZES: [&str; 10] =
    ["2X-Small", "X-Small", "Small", "Medium", "Large", "X-Large", "2X-Large", "3X-Large", "4X-Large", "5X-Large"];

/// The warehouse with the state that it is in at this time.
fn settled(document: &Value, now: u64) -> Value {
    let mut warehouse = document.clone();
    let until = warehouse["_until"].as_u64().unwrap_or_default();
    if now >= until {
        match text(&warehouse, "state") {
            "STARTING" => warehouse["state"] = "RUNNING".into(),
            "STOPPING" => warehouse["state"] = "STOPPED".into(),
            _ => {}
        }
    }
    let minutes = warehouse["auto_stop_mins"].as_u64().unwrap_or_default();
    let used = warehouse["_used_at"].as_u64().unwrap_or_default().max(until);
    if text(&warehouse, "state") == "RUNNING" && minutes > 0 && now >= used + minutes * 60_000 {
        warehouse["state"] = "STOPPED".into();
    }
    let running = text(&warehouse, "state") == "RUNNING";
    warehouse["num_clusters"] = i32::from(running).into();
    warehouse["num_active_sessions"] = 0.into();
    warehouse["health"] = if running { json!({"status": "HEALTHY"}) } else { json!({}) };
    warehouse
}

fn find(call: &Call, world: &World, id: &str) -> Result<Value, Failure> {
    let document = world.get(&call.key("warehouses", id));
    document
        .map(|document| settled(document, call.now))
        .ok_or_else(|| Failure::missing(format!("SQL warehouse {id} does not exist.")))
}

/// Uses a warehouse, which starts a stopped one: when it will be running.
///
/// # Errors
/// 404 when it does not exist.
pub(super) fn wake(call: &Call, world: &mut World, id: &str) -> Result<u64, Failure> {
    let mut warehouse = find(call, world, id)?;
    warehouse["_used_at"] = call.now.into();
    let stopped = matches!(text(&warehouse, "state"), "STOPPED" | "STOPPING");
    let ready = if stopped { call.now + CHANGE_MS } else { warehouse["_until"].as_u64().unwrap_or_default() };
    if stopped {
        warehouse["state"] = "STARTING".into();
        warehouse["_until"] = ready.into();
    }
    world.put(call.key("warehouses", id), warehouse);
    Ok(ready)
}

fn check(call: &Call, world: &World, warehouse: &Value) -> Result<(), Failure> {
    let (name, size) = (text(warehouse, "name"), text(warehouse, "cluster_size"));
    if name.is_empty() {
        return Err(Failure::invalid("Endpoint name is a required field."));
    }
    let taken = |other: &Value| text(other, "name") == name && other["id"] != warehouse["id"];
    if world.list(&call.key("warehouses", "")).any(|(_, other)| taken(other)) {
        return Err(Failure::new(
            400,
            "RESOURCE_ALREADY_EXISTS",
            format!("SQL warehouse with name `{name}` already exists"),
        ));
    }
    if !SIZES.contains(&size) {
        return Err(Failure::invalid(format!(
            "'{size}' is not a supported cluster size. Choose one of {}",
            SIZES.join(", ")
        )));
    }
    let serverless = warehouse["enable_serverless_compute"] == true;
    if serverless && text(warehouse, "warehouse_type") != "PRO" {
        return Err(Failure::invalid("Serverless compute needs warehouse_type PRO"));
    }
    let number = |field: &str| whole(&warehouse[field]).unwrap_or_default();
    let least = if serverless { 1 } else { 10 };
    if number("auto_stop_mins") != 0 && number("auto_stop_mins") < least {
        return Err(Failure::invalid(format!("auto_stop_mins must be 0 or at least {least}")));
    }
    if number("min_num_clusters") < 1 || number("max_num_clusters") < number("min_num_clusters") {
        return Err(Failure::invalid("max_num_clusters must be at least min_num_clusters, which must be at least 1"));
    }
    Ok(())
}

fn create(call: &Call, world: &mut World) -> Answer {
    let id = ids::hex(world, 16);
    let mut warehouse = json!({
        "auto_stop_mins": 120, "min_num_clusters": 1, "max_num_clusters": 1, "enable_photon": true, "warehouse_type": "CLASSIC",
        "enable_serverless_compute": false, "spot_instance_policy": "COST_OPTIMIZED", "channel": {"name": "CHANNEL_NAME_CURRENT"},
        "tags": {},
    });
    fields(&mut warehouse).extend(call.given());
    let host = call.request.header("host").unwrap_or("sandbox");
    let path = format!("/sql/1.0/warehouses/{id}");
    let rest = json!({
        "id": id, "creator_name": call.caller, "state": "STARTING", "_until": call.now + CHANGE_MS,
        "jdbc_url": format!("jdbc:spark://{host}/default;transportMode=http;ssl=1;AuthMech=3;httpPath={path};"),
        "odbc_params": {"hostname": host, "path": path, "port": 443, "protocol": "https"},
    });
    fields(&mut warehouse).extend(set_fields(&rest));
    check(call, world, &warehouse)?;
    world.put(call.key("warehouses", &id), warehouse);
    Ok(json!({"id": id}))
}

fn edit(call: &Call, world: &mut World) -> Answer {
    let id = call.parameter("id");
    let mut warehouse = find(call, world, id)?;
    fields(&mut warehouse).extend(call.given());
    check(call, world, &warehouse)?;
    world.put(call.key("warehouses", id), warehouse);
    Ok(json!({}))
}

fn start(call: &Call, world: &mut World) -> Answer {
    wake(call, world, call.parameter("id"))?;
    Ok(json!({}))
}

fn stop(call: &Call, world: &mut World) -> Answer {
    let id = call.parameter("id");
    let mut warehouse = find(call, world, id)?;
    if matches!(text(&warehouse, "state"), "RUNNING" | "STARTING") {
        warehouse["state"] = "STOPPING".into();
        warehouse["_until"] = (call.now + CHANGE_MS).into();
        world.put(call.key("warehouses", id), warehouse);
    }
    Ok(json!({}))
}

fn delete(call: &Call, world: &mut World) -> Answer {
    find(call, world, call.parameter("id"))?;
    world.remove(&call.key("warehouses", call.parameter("id")));
    Ok(json!({}))
}

fn get(call: &Call, world: &mut World) -> Answer {
    find(call, world, call.parameter("id")).map(|warehouse| shown(&warehouse))
}

fn list(call: &Call, world: &mut World) -> Answer {
    let all =
        world.list(&call.key("warehouses", "")).map(|(_, document)| shown(&settled(document, call.now))).collect();
    page(call, &PAGES, "warehouses", all)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
mod tests {
    use serde_json::json;

    use crate::sandbox::driver::Driver;

    const WAREHOUSES: &str = "/api/2.0/sql/warehouses";

    #[test]
    fn a_warehouse_has_the_services_defaults_and_starts_by_itself() {
        let mut sandbox = Driver::new();
        let id = sandbox.post(WAREHOUSES, &json!({"name": "sql", "cluster_size": "2X-Small"}))["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let path = format!("{WAREHOUSES}/{id}");
        let made = sandbox.get(&path);
        assert_eq!(
            (&made["auto_stop_mins"], &made["state"], &made["enable_photon"]),
            (&json!(120), &json!("STARTING"), &json!(true))
        );
        sandbox.until(|sandbox| sandbox.get(&path)["state"] == "RUNNING");
        sandbox.post(&format!("{path}/edit"), &json!({"auto_stop_mins": 10}));
        let edited = sandbox.get(&path);
        assert_eq!((&edited["auto_stop_mins"], &edited["cluster_size"]), (&json!(10), &json!("2X-Small")));
        sandbox.post(&format!("{path}/stop"), &json!({}));
        sandbox.until(|sandbox| sandbox.get(&path)["state"] == "STOPPED");
        sandbox.delete(&path);
        sandbox.refuses("GET", &path, &json!(null), 404, "RESOURCE_DOES_NOT_EXIST");
    }

    #[test]
    fn wrong_warehouses_are_refused() {
        let mut sandbox = Driver::new();
        sandbox.post(WAREHOUSES, &json!({"name": "sql", "cluster_size": "Small"}));
        sandbox.refuses(
            "POST",
            WAREHOUSES,
            &json!({"name": "sql", "cluster_size": "Small"}),
            400,
            "RESOURCE_ALREADY_EXISTS",
        );
        for wrong in [
            json!({"cluster_size": "Small"}),
            json!({"name": "x", "cluster_size": "Huge"}),
            json!({"name": "x", "cluster_size": "Small", "auto_stop_mins": 3}),
            json!({"name": "x", "cluster_size": "Small", "enable_serverless_compute": true}),
            json!({"name": "x", "cluster_size": "Small", "min_num_clusters": 3}),
        ] {
            sandbox.refuses("POST", WAREHOUSES, &wrong, 400, "INVALID_PARAMETER_VALUE");
        }
    }
}
