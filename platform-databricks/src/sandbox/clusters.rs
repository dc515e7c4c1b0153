//! Clusters: `/api/2.1/clusters`. States move with the world's time; reading one changes nothing.

use platform_sdk::sandbox::World;
use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Failure, fields, shown, text},
    call::{Call, Route, set_fields},
    cluster_specs::completed,
    ids,
    paging::{Pages, page},
    scim,
};

pub(super) const ROUTES: &[Route] = &[
    ("POST /api/2.1/clusters/create", create),
    ("POST /api/2.1/clusters/edit", edit),
    ("POST /api/2.1/clusters/update", update),
    ("POST /api/2.1/clusters/resize", resize),
    ("POST /api/2.1/clusters/start", start),
    ("POST /api/2.1/clusters/restart", restart),
    ("POST /api/2.1/clusters/delete", terminate),
    ("POST /api/2.1/clusters/permanent-delete", permanent_delete),
    ("POST /api/2.1/clusters/pin", |call, world| pin(call, world, true)),
    ("POST /api/2.1/clusters/unpin", |call, world| pin(call, world, false)),
    ("POST /api/2.1/clusters/change-owner", change_owner),
    ("POST /api/2.1/clusters/events", events),
    ("GET /api/2.1/clusters/get", get),
    ("GET /api/2.1/clusters/list", list),
    ("GET /api/2.1/clusters/list-node-types", node_types),
    ("GET /api/2.1/clusters/spark-versions", spark_versions),
    ("GET /api/2.1/clusters/list-zones", zones),
];

/// How long a change of state takes, in the world's time.
const CHANGE_MS: u64 = 300;
const PAGES: Pages = Pages { size: "page_size", default: 20, max: 100 };

/// The cluster with the state that it is in at this time.
fn settled(document: &Value, now: u64) -> Value {
    let mut document = document.clone();
    let until = document["_until"].as_u64().unwrap_or_default();
    if now >= until {
        match text(&document, "state") {
            "PENDING" | "RESTARTING" | "RESIZING" => document["state"] = "RUNNING".into(),
            "TERMINATING" => {
                document["state"] = "TERMINATED".into();
                document["terminated_time"] = until.into();
            }
            _ => {}
        }
    }
    let minutes = document["autotermination_minutes"].as_u64().unwrap_or_default();
    if text(&document, "state") == "RUNNING" && minutes > 0 && now >= until + minutes * 60_000 {
        document["state"] = "TERMINATED".into();
        document["terminated_time"] = (until + minutes * 60_000).into();
        document["termination_reason"] = json!({"code": "INACTIVITY", "type": "SUCCESS"});
    }
    document["state_message"] = match text(&document, "state") {
        "PENDING" | "RESTARTING" => "Starting Spark",
        "TERMINATED" => "Inactive or terminated by its user",
        _ => "",
    }
    .into();
    document
}

fn find(call: &Call, world: &World, id: &str) -> Result<Value, Failure> {
    let document = world.get(&call.key("clusters", id));
    document
        .map(|document| settled(document, call.now))
        .ok_or_else(|| Failure::invalid(format!("Cluster {id} does not exist")))
}

/// Whether a cluster exists, for what refers to it.
///
/// # Errors
/// 400 naming it when it does not.
pub(super) fn exists(call: &Call, world: &World, id: &str) -> Result<(), Failure> {
    find(call, world, id).map(|_| ())
}

fn in_state(cluster: &Value, allowed: &[&str]) -> Result<(), Failure> {
    let state = text(cluster, "state");
    if allowed.contains(&state) {
        return Ok(());
    }
    let id = text(cluster, "cluster_id");
    let written = format!("{}{}", &state[..1], state[1..].to_lowercase());
    Err(Failure::state(format!("Cluster {id} is in unexpected state {written}.")))
}

fn put(call: &Call, world: &mut World, mut cluster: Value, state: &str) {
    cluster["state"] = state.into();
    cluster["_until"] = (call.now + CHANGE_MS).into();
    for gone in ["terminated_time", "termination_reason"] {
        fields(&mut cluster).remove(gone);
    }
    world.put(call.key("clusters", text(&cluster, "cluster_id")), cluster);
}

/// What the service shows of a specification: as given and made whole, and what it fills in.
fn described(call: &Call, id: &str, spec: &Map<String, Value>, whole: Map<String, Value>) -> Value {
    let machines = whole.get("node_type_id").cloned();
    let mut cluster = Value::Object(whole);
    let defaults = json!({
        "cluster_name": "", "driver_node_type_id": machines, "enable_elastic_disk": true,
        "autotermination_minutes": 0, "enable_local_disk_encryption": false,
        "aws_attributes": {"availability": "SPOT_WITH_FALLBACK", "first_on_demand": 1, "zone_id": "auto", "spot_bid_price_percent": 100},
    });
    for (name, value) in set_fields(&defaults) {
        fields(&mut cluster).entry(name).or_insert(value);
    }
    if cluster["is_single_node"] == true {
        fields(&mut cluster).entry("num_workers").or_insert_with(|| 0.into());
    }
    let name = cluster["cluster_name"].clone();
    let rest = json!({
        "cluster_id": id, "cluster_source": "API", "creator_user_name": call.caller, "start_time": call.now, "spec": spec,
        "default_tags": {"Vendor": "Databricks", "Creator": call.caller, "ClusterName": name, "ClusterId": id},
    });
    fields(&mut cluster).extend(set_fields(&rest));
    cluster
}

fn spec_of(call: &Call) -> Map<String, Value> {
    let mut spec = call.given();
    for not_kept in ["clone_from", "cluster_id"] {
        spec.remove(not_kept);
    }
    spec
}

fn create(call: &Call, world: &mut World) -> Answer {
    let spec = spec_of(call);
    let whole = completed(call, world, &spec)?;
    let id = format!("0101-000000-{}", ids::hex(world, 8));
    put(call, world, described(call, &id, &spec, whole), "PENDING");
    Ok(json!({"cluster_id": id}))
}

fn edit(call: &Call, world: &mut World) -> Answer {
    let id = call.required("cluster_id")?;
    let before = find(call, world, id)?;
    in_state(&before, &["RUNNING", "TERMINATED"])?;
    respecify(call, world, &before, &spec_of(call), "RESTARTING")?;
    Ok(json!({}))
}

/// Puts a new specification; a running cluster goes through `state` on the way.
fn respecify(
    call: &Call,
    world: &mut World,
    before: &Value,
    spec: &Map<String, Value>,
    state: &str,
) -> Result<(), Failure> {
    let whole = completed(call, world, spec)?;
    let mut after = described(call, text(before, "cluster_id"), spec, whole);
    for kept in ["creator_user_name", "default_tags", "start_time", "terminated_time", "_permissions", "_pinned"] {
        if !before[kept].is_null() {
            after[kept] = before[kept].clone();
        }
    }
    if text(before, "state") == "RUNNING" {
        put(call, world, after, state);
    } else {
        after["state"] = before["state"].clone();
        world.put(call.key("clusters", text(before, "cluster_id")), after);
    }
    Ok(())
}

fn update(call: &Call, world: &mut World) -> Answer {
    let before = find(call, world, call.required("cluster_id")?)?;
    in_state(&before, &["RUNNING", "TERMINATED"])?;
    let change = call.body.get("cluster").cloned().unwrap_or_default();
    let mut spec = before["spec"].as_object().cloned().unwrap_or_default();
    let mask: Vec<&str> = call.required("update_mask")?.split(',').map(str::trim).collect();
    for path in &mask {
        match (path.split_once('.'), change.get(path.split('.').next().unwrap_or_default())) {
            (Some((field, inner)), Some(value)) => {
                let nested = spec.entry(field).or_insert_with(|| json!({}));
                nested[inner] = value.get(inner).cloned().unwrap_or_default();
            }
            (None, Some(value)) if !value.is_null() => {
                spec.insert((*path).to_owned(), value.clone());
            }
            (_, _) => {
                spec.remove(*path);
            }
        }
    }
    // A fixed size and a range exclude each other: the one that the mask names wins.
    for (new, old) in [("num_workers", "autoscale"), ("autoscale", "num_workers")] {
        if mask.contains(&new) && !mask.contains(&old) {
            spec.remove(old);
        }
    }
    let only_size = mask.iter().all(|path| matches!(*path, "num_workers" | "autoscale"));
    respecify(call, world, &before, &spec, if only_size { "RESIZING" } else { "RESTARTING" })?;
    Ok(json!({}))
}

fn resize(call: &Call, world: &mut World) -> Answer {
    let before = find(call, world, call.required("cluster_id")?)?;
    in_state(&before, &["RUNNING"])?;
    let mut spec = before["spec"].as_object().cloned().unwrap_or_default();
    spec.retain(|field, _| !matches!(field.as_str(), "num_workers" | "autoscale"));
    spec.extend(spec_of(call));
    respecify(call, world, &before, &spec, "RESIZING")?;
    Ok(json!({}))
}

fn start(call: &Call, world: &mut World) -> Answer {
    let mut cluster = find(call, world, call.required("cluster_id")?)?;
    in_state(&cluster, &["TERMINATED"])?;
    cluster["start_time"] = call.now.into();
    put(call, world, cluster, "PENDING");
    Ok(json!({}))
}

fn restart(call: &Call, world: &mut World) -> Answer {
    let cluster = find(call, world, call.required("cluster_id")?)?;
    in_state(&cluster, &["RUNNING"])?;
    put(call, world, cluster, "RESTARTING");
    Ok(json!({}))
}

fn terminate(call: &Call, world: &mut World) -> Answer {
    let cluster = find(call, world, call.required("cluster_id")?)?;
    if !matches!(text(&cluster, "state"), "TERMINATING" | "TERMINATED") {
        let id = text(&cluster, "cluster_id").to_owned();
        put(call, world, cluster, "TERMINATING");
        let mut document = world.get(&call.key("clusters", &id)).cloned().unwrap_or_default();
        document["termination_reason"] =
            json!({"code": "USER_REQUEST", "type": "SUCCESS", "parameters": {"username": call.caller}});
        world.put(call.key("clusters", &id), document);
    }
    Ok(json!({}))
}

fn permanent_delete(call: &Call, world: &mut World) -> Answer {
    let cluster = find(call, world, call.required("cluster_id")?)?;
    if cluster["_pinned"] == true {
        return Err(Failure::state("A pinned cluster can not be permanently deleted; unpin it first"));
    }
    world.remove(&call.key("clusters", text(&cluster, "cluster_id")));
    Ok(json!({}))
}

fn pin(call: &Call, world: &mut World, pinned: bool) -> Answer {
    let id = call.required("cluster_id")?;
    find(call, world, id)?;
    let mut document = world.get(&call.key("clusters", id)).cloned().unwrap_or_default();
    document["_pinned"] = pinned.into();
    world.put(call.key("clusters", id), document);
    Ok(json!({}))
}

fn change_owner(call: &Call, world: &mut World) -> Answer {
    let mut cluster = find(call, world, call.required("cluster_id")?)?;
    in_state(&cluster, &["TERMINATED"])?;
    scim::principal(world, call.required("owner_username")?)?;
    cluster["creator_user_name"] = call.required("owner_username")?.into();
    world.put(call.key("clusters", text(&cluster, "cluster_id")), cluster);
    Ok(json!({}))
}

fn events(call: &Call, world: &mut World) -> Answer {
    let cluster = find(call, world, call.required("cluster_id")?)?;
    let mut events = vec![
        json!({"cluster_id": cluster["cluster_id"], "timestamp": cluster["start_time"], "type": "CREATING", "details": {}}),
    ];
    if let kind @ ("RUNNING" | "TERMINATING") = text(&cluster, "state") {
        events.push(
            json!({"cluster_id": cluster["cluster_id"], "timestamp": cluster["_until"], "type": kind, "details": {}}),
        );
    }
    events.reverse();
    Ok(json!({"events": events, "total_count": events.len()}))
}

fn get(call: &Call, world: &mut World) -> Answer {
    find(call, world, call.query("cluster_id").unwrap_or_default()).map(|cluster| shown(&cluster))
}

fn list(call: &Call, world: &mut World) -> Answer {
    let asked = |name: &str| -> Vec<&str> {
        call.request.query.iter().filter(|(key, _)| key == name).flat_map(|(_, value)| value.split(',')).collect()
    };
    let (states, sources) = (asked("filter_by.cluster_states"), asked("filter_by.cluster_sources"));
    let all = world
        .list(&call.key("clusters", ""))
        .map(|(_, document)| settled(document, call.now))
        .filter(|cluster| states.is_empty() || states.contains(&text(cluster, "state")))
        .filter(|cluster| sources.is_empty() || sources.contains(&text(cluster, "cluster_source")))
        .filter(|cluster| !call.flag("filter_by.is_pinned") || cluster["_pinned"] == true)
        .map(|cluster| shown(&cluster))
        .collect();
    page(call, &PAGES, "clusters", all)
}

#[expect(clippy::unnecessary_wraps, reason = "handlers answer results")]
fn node_types(_: &Call, _: &mut World) -> Answer {
    let sizes = [
        ("i3.xlarge", 4.0, 31_232),
        ("i3.2xlarge", 8.0, 62_464),
        ("m5d.large", 2.0, 8_192),
        ("r5d.xlarge", 4.0, 32_768),
    ];
    let types: Vec<Value> = sizes
        .iter()
        .map(|(id, cores, memory)| {
            json!({
                "node_type_id": id, "instance_type_id": id, "num_cores": cores, "memory_mb": memory, "description": id,
                "category": "General Purpose", "is_deprecated": false, "support_port_forwarding": true, "is_io_cache_enabled": true,
            })
        })
        .collect();
    Ok(json!({"node_types": types}))
}

#[expect(clippy::unnecessary_wraps, reason = "handlers answer results")]
fn spark_versions(_: &Call, _: &mut World) -> Answer {
    let versions = [
        ("17.3.x-scala2.13", "17.3 LTS (includes Apache Spark 4.0.0, Scala 2.13)"),
        ("16.4.x-scala2.12", "16.4 LTS (includes Apache Spark 3.5.2, Scala 2.12)"),
        ("15.4.x-scala2.12", "15.4 LTS (includes Apache Spark 3.5.0, Scala 2.12)"),
    ];
    Ok(json!({"versions": versions.map(|(key, name)| json!({"key": key, "name": name}))}))
}

#[expect(clippy::unnecessary_wraps, reason = "handlers answer results")]
fn zones(_: &Call, _: &mut World) -> Answer {
    Ok(json!({"default_zone": "auto", "zones": ["eu-west-1a", "eu-west-1b", "eu-west-1c"]}))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
mod tests {
    use serde_json::{Value, json};

    use crate::sandbox::driver::Driver;

    const CLUSTERS: &str = "/api/2.1/clusters";

    fn spec() -> Value {
        json!({"cluster_name": "etl", "spark_version": "16.4.x-scala2.12", "node_type_id": "i3.xlarge", "num_workers": 1})
    }

    fn state(sandbox: &mut Driver, id: &str) -> String {
        sandbox.get(&format!("{CLUSTERS}/get?cluster_id={id}"))["state"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_cluster_starts_terminates_and_goes() {
        let mut sandbox = Driver::new();
        let id = sandbox.post(&format!("{CLUSTERS}/create"), &spec())["cluster_id"].as_str().unwrap().to_owned();
        assert_eq!(state(&mut sandbox, &id), "PENDING");
        let mut edit = spec();
        edit["cluster_id"] = id.clone().into();
        edit["num_workers"] = 2.into();
        sandbox.refuses("POST", &format!("{CLUSTERS}/edit"), &edit, 400, "INVALID_STATE");
        sandbox.until(|sandbox| state(sandbox, &id) == "RUNNING");
        sandbox.post(&format!("{CLUSTERS}/edit"), &edit);
        assert_eq!(state(&mut sandbox, &id), "RESTARTING");
        sandbox.until(|sandbox| state(sandbox, &id) == "RUNNING");
        sandbox.post(&format!("{CLUSTERS}/resize"), &json!({"cluster_id": id, "num_workers": 3}));
        assert_eq!(state(&mut sandbox, &id), "RESIZING");
        sandbox.post(&format!("{CLUSTERS}/delete"), &json!({"cluster_id": id}));
        sandbox.until(|sandbox| state(sandbox, &id) == "TERMINATED");
        let cluster = sandbox.get(&format!("{CLUSTERS}/get?cluster_id={id}"));
        assert_eq!((&cluster["num_workers"], &cluster["cluster_name"]), (&json!(3), &json!("etl")));
        sandbox.post(&format!("{CLUSTERS}/permanent-delete"), &json!({"cluster_id": id}));
        let (status, gone) = sandbox.send("GET", &format!("{CLUSTERS}/get?cluster_id={id}"), &json!(null));
        assert_eq!((status, gone["message"].as_str().unwrap().contains("does not exist")), (400, true));
    }

    #[test]
    fn an_update_changes_what_its_mask_names() {
        let mut sandbox = Driver::new();
        let id = sandbox.post(&format!("{CLUSTERS}/create"), &spec())["cluster_id"].clone();
        sandbox.until(|sandbox| state(sandbox, id.as_str().unwrap()) == "RUNNING");
        let change = json!({"autoscale": {"min_workers": 1, "max_workers": 4}, "cluster_name": "ignored"});
        let update = json!({"cluster_id": id, "cluster": change, "update_mask": "autoscale"});
        sandbox.post(&format!("{CLUSTERS}/update"), &update);
        let cluster = sandbox.get(&format!("{CLUSTERS}/get?cluster_id={}", id.as_str().unwrap()));
        assert_eq!((&cluster["cluster_name"], &cluster["state"]), (&json!("etl"), &json!("RESIZING")));
        assert!(cluster.get("num_workers").is_none());
    }

    #[test]
    fn specifications_that_can_not_be_are_refused() {
        let mut sandbox = Driver::new();
        for (field, value) in [
            ("spark_version", json!("latest")),
            ("node_type_id", json!("big")),
            ("autoscale", json!({"max_workers": 2})),
        ] {
            let mut wrong = spec();
            wrong[field] = value;
            sandbox.refuses("POST", &format!("{CLUSTERS}/create"), &wrong, 400, "INVALID_PARAMETER_VALUE");
        }
    }
}
