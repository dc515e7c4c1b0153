//! What can be seen to be wrong with a job before anything is asked of the service.

use std::collections::BTreeSet;

use serde_json::Value;

/// Flaws of a job's inputs, as far as they are known: the field, and what is wrong with it.
pub(super) fn flaws(inputs: &Value) -> Vec<(String, String)> {
    let mut flaws = Vec::new();
    if let Some(expression) = inputs["schedule"]["quartz_cron_expression"].as_str()
        && let Some(flaw) = quartz_flaw(expression)
    {
        flaws.push(("schedule.quartz_cron_expression".to_owned(), flaw));
    }
    let (tasks, clusters) = (keys(inputs, "tasks", "task_key"), keys(inputs, "job_clusters", "job_cluster_key"));
    let environments = keys(inputs, "environments", "environment_key");
    for task in items(inputs, "tasks") {
        let path = format!("tasks[{}]", task["task_key"].as_str().unwrap_or_default());
        flaws.extend(kind_flaw(task).map(|flaw| (path.clone(), flaw)));
        for dependency in items(task, "depends_on").filter_map(|on| on["task_key"].as_str()) {
            if let Some(known) = unknown(tasks.as_ref(), dependency) {
                let flaw = format!("names task `{dependency}`, which the job does not have; it has {known}");
                flaws.push((format!("{path}.depends_on"), flaw));
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

fn kind_flaw(task: &Value) -> Option<String> {
    let kinds: Vec<&str> =
        ["notebook_task", "spark_python_task", "sql_task"].into_iter().filter(|kind| task[kind].is_object()).collect();
    match kinds.as_slice() {
        [_] => None,
        [] => Some("does nothing: make it with `Task::notebook`, `Task::python` or `Task::sql_file`".to_owned()),
        several => Some(format!("does more than one thing: {}", several.join(", "))),
    }
}

/// Quartz: seconds, minutes, hours, day of the month, month, day of the week and perhaps a year; one of the two days is
/// `?`.
fn quartz_flaw(expression: &str) -> Option<String> {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    if !(6..=7).contains(&fields.len()) {
        let count = fields.len();
        return Some(format!(
            "is `{expression}`: a Quartz expression has 6 or 7 fields, seconds first, this one {count}"
        ));
    }
    let days = (fields[3] == "?", fields[5] == "?");
    (!matches!(days, (true, false) | (false, true)))
        .then(|| format!("is `{expression}`: one of its two days (fields 4 and 6) must be `?`, and not both"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schedule_has_the_shape_of_quartz() {
        for right in ["0 0 2 * * ?", "0 0/15 8-18 ? * MON-FRI", "0 0 2 1 * ? 2030"] {
            assert_eq!(quartz_flaw(right), None, "{right}");
        }
        let said = quartz_flaw("0 2 * * *").expect("five fields");
        assert_eq!(said, "is `0 2 * * *`: a Quartz expression has 6 or 7 fields, seconds first, this one 5");
        for wrong in ["0 0 2 * * *", "0 0 2 ? * ?"] {
            assert!(quartz_flaw(wrong).is_some_and(|flaw| flaw.contains("must be `?`")), "{wrong}");
        }
    }

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
    fn what_is_not_known_yet_is_no_flaw() {
        let inputs = json!({"tasks": [
            {"notebook_task": {}},
            {"task_key": "b", "notebook_task": {}, "depends_on": [{"task_key": "later"}]},
        ]});
        assert_eq!(flaws(&inputs), []);
    }
}
