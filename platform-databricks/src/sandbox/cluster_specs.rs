//! What clusters are made of, those of workspaces and those of jobs: held to what the service takes, and made whole.

use platform_sdk::sandbox::World;
use serde_json::{Map, Value};

use super::{
    answer::{Failure, text},
    call::{Call, whole},
    policies, pools,
};

/// Names that are read back as others.
const MODES: [(&str, &str); 3] = [
    ("DATA_SECURITY_MODE_DEDICATED", "SINGLE_USER"),
    ("DATA_SECURITY_MODE_STANDARD", "USER_ISOLATION"),
    ("DATA_SECURITY_MODE_AUTO", "USER_ISOLATION"),
];

/// A specification with what its policy, its pool and the service make of it.
///
/// # Errors
/// 400 naming the field that the service would refuse.
pub(super) fn completed(call: &Call, world: &World, given: &Map<String, Value>) -> Result<Map<String, Value>, Failure> {
    let mut spec = given.clone();
    policies::obeyed(call, world, &mut spec)?;
    spec.remove("apply_policy_default_values");
    pools::furnish(call, world, &mut spec)?;
    check(&Value::Object(spec.clone()))?;
    let read = MODES.iter().find(|(written, _)| spec.get("data_security_mode").is_some_and(|mode| mode == written));
    if let Some((_, read)) = read {
        spec.insert("data_security_mode".to_owned(), (*read).into());
    }
    Ok(spec)
}

fn check(spec: &Value) -> Result<(), Failure> {
    let version = text(spec, "spark_version");
    if !version.starts_with(|c: char| c.is_ascii_digit()) || !version.contains(".x-") {
        return Err(Failure::invalid(format!("Invalid spark version {version}.")));
    }
    let node = text(spec, "node_type_id");
    if node.is_empty() {
        return Err(Failure::invalid("Missing required field: node_type_id or instance_pool_id"));
    }
    if !node.is_empty() && !node.contains('.') {
        return Err(Failure::invalid(format!("Node type {node} is not supported.")));
    }
    let workers = spec.get("num_workers").and_then(whole);
    let single = spec["is_single_node"] == true;
    match (workers, spec.get("autoscale").filter(|range| range.is_object())) {
        (Some(_), Some(_)) => Err(Failure::invalid("num_workers and autoscale can not both be set")),
        (None, None) if !single => Err(Failure::invalid("Missing required field: num_workers or autoscale")),
        (Some(workers), None) if workers < 0 => Err(Failure::invalid("num_workers must not be negative")),
        (None, Some(range)) => {
            let (min, max) = (whole(&range["min_workers"]).unwrap_or(1), whole(&range["max_workers"]).unwrap_or(0));
            if min > max {
                Err(Failure::invalid("autoscale.min_workers must not exceed autoscale.max_workers"))
            } else {
                Ok(())
            }
        }
        _ => Ok(()),
    }
}
