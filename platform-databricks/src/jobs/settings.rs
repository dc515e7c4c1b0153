//! A job's settings as the API writes them, and as the page does.

use platform_sdk::{
    Resolved,
    provider::{Change, Observed, ProviderResult},
};
use serde_json::{Map, Value, json};

use super::job::{Job, outputs};
use crate::{
    client::{
        Client,
        marks::{self, Tagged},
        wire::{into_fields, merged, pruned_fields, rename, sent, understood},
    },
    compute::{OF_JOB, one_size, with_mode_as_applied, with_needed, without_pooled},
};

/// The version of environments that say none.
const ENVIRONMENT_VERSION: &str = "4";

/// The settings of a job that is to be made.
pub(super) fn created(inputs: &Job<Resolved>, mark: &Tagged) -> Map<String, Value> {
    let mut settings = theirs(sent(inputs));
    mark.put(&mut settings, "tags");
    settings
}

/// The settings that a reset puts in place of those that were observed.
pub(super) fn reset(change: &Change<Job>, observed: Value, mark: &Tagged) -> Map<String, Value> {
    let mut before = ours(into_fields(observed));
    let marked = marks::take(&mut before, "tags");
    let wanted = sent(&change.after);
    let mut after = merged(change, before, wanted.clone());
    for (task, wanted) in elements(&mut after, "tasks").iter_mut().zip(elements(&mut wanted.clone(), "tasks")) {
        keep_one_kind(task, wanted);
    }
    for (cluster, wanted) in
        elements(&mut after, "job_clusters").iter_mut().zip(elements(&mut wanted.clone(), "job_clusters"))
    {
        if let (Some(spec), Some(wanted)) = (cluster["new_cluster"].as_object_mut(), wanted["new_cluster"].as_object())
        {
            one_size(spec, wanted);
            without_pooled(spec, wanted);
        }
    }
    let mut settings = theirs(after);
    if let Some(marked) = marked {
        mark.kept_from(marked).put(&mut settings, "tags");
    }
    settings
}

/// A task that was changed behind our back to do something else, or elsewhere, would do both.
fn keep_one_kind(task: &mut Value, wanted: &Value) {
    let compute = ["existing_cluster_id", "job_cluster_key", "new_cluster", "environment_key"];
    if let Some(task) = task.as_object_mut() {
        task.retain(|field, _| {
            let excludes = field.ends_with("_task") || compute.contains(&field.as_str());
            !excludes || wanted.get(field).is_some()
        });
    }
}

fn elements<'v>(settings: &'v mut Map<String, Value>, list: &str) -> &'v mut [Value] {
    match settings.get_mut(list) {
        Some(Value::Array(items)) => items,
        _ => &mut [],
    }
}

/// Puts what each cluster must be told, where its policy does not say it.
pub(super) async fn with_needed_sizes(client: &Client, settings: &mut Map<String, Value>) -> ProviderResult<()> {
    for cluster in elements(settings, "job_clusters") {
        if let Some(spec) = cluster["new_cluster"].as_object_mut() {
            with_needed(client, OF_JOB, spec).await?;
        }
    }
    Ok(())
}

/// As the API writes them: an environment's content is its `spec`, and a cluster has one size.
fn theirs(mut settings: Map<String, Value>) -> Map<String, Value> {
    for environment in elements(&mut settings, "environments") {
        let mut spec = into_fields(environment.take());
        let key = spec.remove("environment_key");
        spec.entry("environment_version").or_insert_with(|| ENVIRONMENT_VERSION.into());
        *environment = json!({"environment_key": key, "spec": spec});
    }
    settings.get_mut("health").into_iter().for_each(with_comparison);
    for task in elements(&mut settings, "tasks") {
        task.get_mut("health").into_iter().for_each(with_comparison);
    }
    for cluster in elements(&mut settings, "job_clusters") {
        if let Some(spec) = cluster["new_cluster"].as_object_mut() {
            let wanted = spec.clone();
            one_size(spec, &wanted);
        }
    }
    settings
}

/// A rule says how it compares, and there is one way so far.
fn with_comparison(health: &mut Value) {
    for rule in health["rules"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        rule.entry("op").or_insert_with(|| "GREATER_THAN".into());
    }
}

/// As the page writes them.
fn ours(mut settings: Map<String, Value>) -> Map<String, Value> {
    for environment in elements(&mut settings, "environments") {
        let mut fields = into_fields(environment.take());
        let mut spec = into_fields(fields.remove("spec").unwrap_or_default());
        if spec.contains_key("environment_version") {
            spec.remove("client");
        } else {
            rename(&mut spec, "client", "environment_version");
        }
        fields.extend(spec);
        *environment = Value::Object(fields);
    }
    settings
}

/// A job as the service shows it; `last` is what was last applied.
pub(super) fn observed(job: &Value, last: Option<&Job<Resolved>>) -> ProviderResult<Observed<Job>> {
    let id = job["job_id"].to_string();
    let last = last.map(sent).unwrap_or_default();
    let mut fields = ours(pruned_fields(job["settings"].clone()));
    marks::take(&mut fields, "tags");
    if let Some(run_as) = run_as(job, &last) {
        fields.insert("run_as".to_owned(), run_as);
    }
    for cluster in elements(&mut fields, "job_clusters") {
        with_unshown(cluster, last.get("job_clusters"));
    }
    let inputs: Job<Resolved> = understood(format!("job `{id}`"), pruned_fields(Value::Object(fields)))?;
    Ok(Observed { outputs: outputs(&id, &inputs), id, inputs, tainted: None })
}

/// Whom the job runs as. A get shows a name without its kind; a list shows nothing.
fn run_as(job: &Value, last: &Map<String, Value>) -> Option<Value> {
    let Some(name) = job["run_as_user_name"].as_str().filter(|name| !name.is_empty()) else {
        return last.get("run_as").cloned();
    };
    let field = if name.contains('@') { "user_name" } else { "service_principal_name" };
    Some(json!({ field: name }))
}

/// Puts what is never returned as last applied: the password of a cluster's image, and the name that its mode was given by.
fn with_unshown(cluster: &mut Value, last: Option<&Value>) {
    let same = |other: &&Value| other["job_cluster_key"] == cluster["job_cluster_key"];
    let last = last.and_then(Value::as_array).and_then(|clusters| clusters.iter().find(same));
    let last = last.map(|last| &last["new_cluster"]);
    if let Some(spec) = cluster["new_cluster"].as_object_mut() {
        with_mode_as_applied(spec, last, None);
    }
    let password = last.map(|last| last["docker_image"]["basic_auth"]["password"].clone());
    let Some(Value::Object(image)) = cluster["new_cluster"].get_mut("docker_image") else { return };
    match (image.get_mut("basic_auth"), password.filter(Value::is_string)) {
        (Some(Value::Object(login)), Some(password)) => drop(login.insert("password".to_owned(), password)),
        _ => drop(image.remove("basic_auth")),
    }
}

/// Whether a bulk list, which may leave parts out, shows all that was last applied.
pub(super) fn shows(observed: &Value, applied: &Value) -> bool {
    match (observed, applied) {
        (Value::Object(observed), Value::Object(applied)) => {
            applied.iter().all(|(key, applied)| observed.get(key).is_some_and(|observed| shows(observed, applied)))
        }
        (Value::Array(observed), Value::Array(applied)) => {
            observed.len() == applied.len() && applied.iter().all(|a| observed.iter().any(|o| shows(o, a)))
        }
        (observed, applied) => observed == applied,
    }
}
