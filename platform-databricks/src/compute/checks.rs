//! What can be seen to be wrong with compute before anything is asked of the service.

use serde_json::Value;

/// Flaws of a cluster, or of one of a job, as far as it is known: the field, and what is wrong with it.
pub(crate) fn machine_flaws(cluster: &Value) -> Vec<(String, String)> {
    let mut flaws = Vec::new();
    let mut flaw = |field: &str, what: &str| flaws.push((field.to_owned(), what.to_owned()));
    let is_set = |field: &str| cluster.get(field).is_some();
    if is_set("num_workers") && is_set("autoscale") {
        flaw("num_workers", "and `autoscale` exclude each other: set one of them");
    }
    if !["node_type_id", "instance_pool_id", "policy_id"].into_iter().any(is_set) {
        flaw("node_type_id", "is not set: say it, or an `instance_pool_id` or a `policy_id` that gives the machines");
    }
    for field in ["node_type_id", "driver_node_type_id"] {
        if is_set(field) && is_set("instance_pool_id") {
            flaw(field, "and `instance_pool_id` exclude each other: the pool has the machines");
        }
    }
    flaws.extend(least_and_most(&cluster["autoscale"], "min_workers", "max_workers", "autoscale.", None));
    flaws
}

/// A least that is more than the most; `unset` is what each is that is not set.
pub(crate) fn least_and_most(
    range: &Value,
    least: &str,
    most: &str,
    prefix: &str,
    unset: Option<u64>,
) -> Option<(String, String)> {
    let number = |field: &str| range.get(field).map_or(unset, Value::as_u64);
    let (min, max) = (number(least)?, number(most)?);
    (min > max).then(|| (format!("{prefix}{least}"), format!("is {min}, more than `{most}`, which is {max}")))
}
