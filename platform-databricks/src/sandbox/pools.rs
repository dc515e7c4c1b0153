//! Instance pools: `/api/2.0/instance-pools`. A cluster of one has the pool's machines.

use platform_sdk::sandbox::World;
use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Failure, shown, text},
    call::{Call, Route},
    ids,
};

pub(super) const ROUTES: &[Route] = &[
    ("POST /api/2.0/instance-pools/create", create),
    ("POST /api/2.0/instance-pools/delete", delete),
    ("GET /api/2.0/instance-pools/get", get),
];

fn find<'w>(call: &Call, world: &'w World, id: &str) -> Result<&'w Value, Failure> {
    let pool = world.get(&call.key("pools", id));
    pool.ok_or_else(|| Failure::missing(format!("Can't find an instance pool with the given instance pool id: {id}.")))
}

fn create(call: &Call, world: &mut World) -> Answer {
    call.required("node_type_id")?;
    let id = format!("0101-000000-pool-{}", ids::hex(world, 8));
    let mut pool = call.given();
    pool.insert("instance_pool_id".to_owned(), id.as_str().into());
    pool.insert("state".to_owned(), "ACTIVE".into());
    world.put(call.key("pools", &id), pool.into());
    Ok(json!({ "instance_pool_id": id }))
}

fn delete(call: &Call, world: &mut World) -> Answer {
    let id = call.required("instance_pool_id")?;
    find(call, world, id)?;
    world.remove(&call.key("pools", id));
    Ok(json!({}))
}

fn get(call: &Call, world: &mut World) -> Answer {
    find(call, world, call.query("instance_pool_id").unwrap_or_default()).map(shown)
}

/// Gives a cluster its pools' machines.
///
/// # Errors
/// 400 where it names machines beside a pool.
pub(super) fn furnish(call: &Call, world: &World, spec: &mut Map<String, Value>) -> Result<(), Failure> {
    let named = |spec: &Map<String, Value>, field: &str| spec.get(field).and_then(Value::as_str).map(str::to_owned);
    let Some(workers) = named(spec, "instance_pool_id") else { return Ok(()) };
    let driver = named(spec, "driver_instance_pool_id").unwrap_or_else(|| workers.clone());
    for (field, pool) in [("node_type_id", &workers), ("driver_node_type_id", &driver)] {
        // One that nobody made here is taken to be there.
        let made = world.get(&call.key("pools", pool)).map(|pool| text(pool, "node_type_id"));
        let machines = made.unwrap_or("m5d.large").to_owned();
        if spec.get(field).is_some_and(|said| *said != machines) {
            return Err(Failure::invalid(format!(
                "The field '{field}' cannot be supplied when an instance pool ID is provided."
            )));
        }
        spec.insert(field.to_owned(), machines.into());
    }
    spec.insert("driver_instance_pool_id".to_owned(), driver.into());
    Ok(())
}
