//! What can be seen to be wrong with a job before anything is asked of the service.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{FileSource, HealthMetric, quartz::quartz_flaw, zones::zone_flaw};
use crate::compute::machine_flaws;

/// Flaws of a job's inputs, as far as they are known: the field, and what is wrong with it.
pub(super) fn flaws(inputs: &Value) -> Vec<(String, String)> {
    let mut flaws = Vec::new();
    let parts: [(&str, fn(&str) -> Option<String>); 2] =
        [("quartz_cron_expression", quartz_flaw), ("timezone_id", zone_flaw)];
    for (field, check) in parts {
        let flaw = inputs["schedule"][field].as_str().and_then(check);
        flaws.extend(flaw.map(|flaw| (format!("schedule.{field}"), flaw)));
    }
    flaws.extend(warning_flaw(inputs).map(|flaw| (DURATION_WARNING.to_owned(), flaw)));
    let (tasks, clusters) = (keys(inputs, "tasks", "task_key"), keys(inputs, "job_clusters", "job_cluster_key"));
    let environments = keys(inputs, "environments", "environment_key");
    for cluster in items(inputs, "job_clusters").filter(|cluster| cluster["new_cluster"].is_object()) {
        let path = format!("job_clusters[{}].new_cluster", cluster["job_cluster_key"].as_str().unwrap_or_default());
        let of_cluster = machine_flaws(&cluster["new_cluster"]).into_iter();
        flaws.extend(of_cluster.map(|(field, flaw)| (format!("{path}.{field}"), flaw)));
    }
    for task in items(inputs, "tasks") {
        let path = format!("tasks[{}]", task["task_key"].as_str().unwrap_or_default());
        flaws.extend(kind_flaw(task).map(|flaw| (path.clone(), flaw)));
        flaws.extend(git_flaws(inputs, task).map(|(field, flaw)| (format!("{path}.{field}"), flaw)));
        flaws.extend(warning_flaw(task).map(|flaw| (format!("{path}.{DURATION_WARNING}"), flaw)));
        for dependency in items(task, "depends_on") {
            let Some(key) = dependency["task_key"].as_str() else { continue };
            if let Some(known) = unknown(tasks.as_ref(), key) {
                let flaw = format!("names task `{key}`, which the job does not have; it has {known}");
                flaws.push((format!("{path}.depends_on"), flaw));
            } else if dependency.get("outcome").is_some() && !is_condition(inputs, key) {
                let flaw = format!("asks for an outcome of task `{key}`, which is no condition: only those have one");
                flaws.push((format!("{path}.depends_on[{key}].outcome"), flaw));
            }
        }
        if let Some(key) = task["job_cluster_key"].as_str()
            && unknown(clusters.as_ref(), key).is_some()
        {
            let flaw = format!("names `{key}`: add it to the job with `.job_cluster(JobCluster::new(\"{key}\", ..))`");
            flaws.push((format!("{path}.job_cluster_key"), flaw));
        }
        if let Some(key) = task["environment_key"].as_str()
            && unknown(environments.as_ref(), key).is_some()
        {
            let flaw = format!("names `{key}`: add it to the job with `.environment(Environment::new(\"{key}\"))`");
            flaws.push((format!("{path}.environment_key"), flaw));
        }
    }
    flaws
}

fn items<'v>(object: &'v Value, field: &str) -> impl Iterator<Item = &'v Value> {
    object[field].as_array().into_iter().flatten()
}

/// The names of a list's elements; `None` while one is not known.
fn keys<'v>(inputs: &'v Value, list: &str, key: &str) -> Option<BTreeSet<&'v str>> {
    items(inputs, list).map(|item| item[key].as_str()).collect()
}

/// The names there are, if this is none of them.
fn unknown(keys: Option<&BTreeSet<&str>>, key: &str) -> Option<String> {
    let keys = keys.filter(|keys| !keys.contains(key))?;
    Some(keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", "))
}

/// Whether the task of this key is a condition; one whose key is not known yet may be it.
fn is_condition(inputs: &Value, key: &str) -> bool {
    let mut meant = items(inputs, "tasks").filter(|task| task["task_key"].as_str().is_none_or(|known| known == key));
    meant.any(|task| task["task_key"].is_null() || task.get("condition_task").is_some())
}

const DURATION_WARNING: &str = "email_notifications.on_duration_warning_threshold_exceeded";

/// Nobody is warned of a long run where no rule says what is long.
fn warning_flaw(of: &Value) -> Option<String> {
    let asked = of["email_notifications"].get("on_duration_warning_threshold_exceeded")?;
    let may_be = |metric: &Value| metric.is_null() || metric == HealthMetric::RunDurationSeconds.as_str();
    let unknown = of.get("health").is_some_and(Value::is_null) || asked.as_array().is_some_and(Vec::is_empty);
    let ruled = unknown || items(&of["health"], "rules").any(|rule| may_be(&rule["metric"]));
    (!ruled)
        .then(|| "needs the rule that says what is long: `.health(Health::longer_than(seconds))` beside it".to_owned())
}

/// Files of a repository that the job does not have.
fn git_flaws<'v>(inputs: &'v Value, task: &'v Value) -> impl Iterator<Item = (String, String)> + 'v {
    let files = [
        ("notebook_task", &task["notebook_task"]),
        ("spark_python_task", &task["spark_python_task"]),
        ("sql_task.file", &task["sql_task"]["file"]),
    ];
    let without = inputs.get("git_source").is_none();
    files.into_iter().filter(move |(_, file)| without && file["source"] == FileSource::Git.as_str()).map(|(kind, _)| {
        let flaw = "is `GIT`, and the job has no repository: give it one with `.git_source(..)`";
        (format!("{kind}.source"), flaw.to_owned())
    })
}

fn kind_flaw(task: &Value) -> Option<String> {
    let kinds: Vec<&str> =
        ["notebook_task", "spark_python_task", "sql_task"].into_iter().filter(|kind| task[kind].is_object()).collect();
    match kinds.as_slice() {
        [_] => None,
        [] => Some("does nothing: make it with `Task::notebook`, `Task::python` or `Task::sql_file`".to_owned()),
        several => Some(format!("does more than one thing: {}", several.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_that_the_job_does_not_have_are_flaws() {
        let notebook = json!({"notebook_path": "/x"});
        let inputs = json!({
            "tasks": [
                {"task_key": "a", "notebook_task": notebook, "depends_on": [{"task_key": "z"}]},
                {"task_key": "b", "notebook_task": notebook, "job_cluster_key": "main"},
                {"task_key": "c", "spark_python_task": {}, "environment_key": "default"},
                {"task_key": "d"},
                {"task_key": "e", "notebook_task": notebook, "sql_task": {}},
            ],
        });
        let flaws = flaws(&inputs).into_iter().map(|(path, flaw)| format!("`{path}` {flaw}")).collect::<Vec<_>>();
        insta::assert_snapshot!(flaws.join("\n"), @r#"
        `tasks[a].depends_on` names task `z`, which the job does not have; it has `a`, `b`, `c`, `d`, `e`
        `tasks[b].job_cluster_key` names `main`: add it to the job with `.job_cluster(JobCluster::new("main", ..))`
        `tasks[c].environment_key` names `default`: add it to the job with `.environment(Environment::new("default"))`
        `tasks[d]` does nothing: make it with `Task::notebook`, `Task::python` or `Task::sql_file`
        `tasks[e]` does more than one thing: notebook_task, sql_task
        "#);
    }

    #[test]
    fn what_hangs_on_something_that_is_not_there_is_a_flaw() {
        let warned = json!({"on_duration_warning_threshold_exceeded": ["a@example.com"]});
        let other = json!({"rules": [{"metric": "STREAMING_BACKLOG_BYTES", "op": "GREATER_THAN", "value": 1}]});
        let inputs = json!({
            "email_notifications": warned, "schedule": {"quartz_cron_expression": "0 0 25 * * ?", "timezone_id": "Europe/Berln"},
            "job_clusters": [{"job_cluster_key": "main", "new_cluster": {"autoscale": {"min_workers": 3, "max_workers": 2}}}],
            "tasks": [
                {"task_key": "a", "notebook_task": {"notebook_path": "x", "source": "GIT"}},
                {"task_key": "b", "sql_task": {"file": {"path": "x", "source": "GIT"}}, "email_notifications": warned, "health": other},
                {"task_key": "c", "notebook_task": {}, "depends_on": [{"task_key": "a", "outcome": "true"}]},
            ],
        });
        let flaws = flaws(&inputs).into_iter().map(|(path, flaw)| format!("`{path}` {flaw}")).collect::<Vec<_>>();
        insta::assert_snapshot!(flaws.join("\n"), @r"
        `schedule.quartz_cron_expression` is `0 0 25 * * ?`: `25` is not for field 3 (hours, 0 to 23)
        `schedule.timezone_id` is `Europe/Berln`, which is no time zone; did you mean `Europe/Berlin`?
        `email_notifications.on_duration_warning_threshold_exceeded` needs the rule that says what is long: `.health(Health::longer_than(seconds))` beside it
        `job_clusters[main].new_cluster.node_type_id` is not set: say it, or an `instance_pool_id` or a `policy_id` that gives the machines
        `job_clusters[main].new_cluster.autoscale.min_workers` is 3, more than `max_workers`, which is 2
        `tasks[a].notebook_task.source` is `GIT`, and the job has no repository: give it one with `.git_source(..)`
        `tasks[b].sql_task.file.source` is `GIT`, and the job has no repository: give it one with `.git_source(..)`
        `tasks[b].email_notifications.on_duration_warning_threshold_exceeded` needs the rule that says what is long: `.health(Health::longer_than(seconds))` beside it
        `tasks[c].depends_on[a].outcome` asks for an outcome of task `a`, which is no condition: only those have one
        ");
    }

    #[test]
    fn what_is_there_or_not_known_yet_is_no_flaw() {
        let warned = json!({"on_duration_warning_threshold_exceeded": ["a@example.com"]});
        let rule = json!({"rules": [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 1}]});
        let inputs = json!({
            "git_source": null, "email_notifications": warned, "health": null,
            "schedule": {"quartz_cron_expression": null, "timezone_id": null},
            "tasks": [
                {"task_key": null, "notebook_task": {"source": "GIT"}},
                {"task_key": "b", "notebook_task": {}, "depends_on": [{"task_key": "later", "outcome": "true"}]},
                {"task_key": "c", "notebook_task": {}, "email_notifications": warned, "health": rule},
                {"task_key": "d", "notebook_task": {}, "email_notifications": {"on_duration_warning_threshold_exceeded": []}},
            ],
        });
        assert_eq!(flaws(&inputs), []);
        let condition = json!({"task_key": "a", "condition_task": {}});
        let after = json!({"task_key": "b", "notebook_task": {}, "depends_on": [{"task_key": "a", "outcome": "true"}]});
        let paths: Vec<_> =
            super::flaws(&json!({"tasks": [condition, after]})).into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["tasks[a]"], "a condition is no kind of task that the page has");
    }
}
