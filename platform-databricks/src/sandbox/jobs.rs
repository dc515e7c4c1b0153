//! Jobs: `/api/2.2/jobs`.

use std::collections::BTreeSet;

use platform_sdk::sandbox::World;
use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Failure, fields, text},
    call::{Call, Route, set_fields, whole},
    cluster_specs::completed,
    clusters, ids,
    paging::{Pages, page},
    scim,
};

pub(super) const ROUTES: &[Route] = &[
    ("POST /api/2.2/jobs/create", create),
    ("POST /api/2.2/jobs/reset", reset),
    ("POST /api/2.2/jobs/update", update),
    ("POST /api/2.2/jobs/delete", delete),
    ("GET /api/2.2/jobs/get", get),
    ("GET /api/2.2/jobs/list", list),
];

const PAGES: Pages = Pages { size: "limit", default: 20, max: 100 };
/// How many tasks one page of a job shows.
const TASKS: usize = 100;
/// Lists whose elements an update merges by key.
const KEYED: [(&str, &str); 4] = [
    ("tasks", "task_key"),
    ("job_clusters", "job_cluster_key"),
    ("environments", "environment_key"),
    ("parameters", "name"),
];

/// The job with this id.
///
/// # Errors
/// 400 when there is none, as the service answers.
pub(super) fn find(call: &Call, world: &World, id: i64) -> Result<Value, Failure> {
    let document = world.get(&call.key("jobs", &id.to_string()));
    document.cloned().ok_or_else(|| Failure::invalid(format!("Job {id} does not exist.")))
}

fn create(call: &Call, world: &mut World) -> Answer {
    let mut given = call.given();
    let permissions = given.remove("access_control_list");
    let (settings, run_as) = settings(call, world, given)?;
    let id = ids::number(world);
    let mut document = json!({
        "job_id": id, "created_time": call.now, "creator_user_name": call.caller, "settings": settings,
        "run_as_user_name": run_as.unwrap_or_else(|| call.caller.clone()),
    });
    if let Some(Value::Array(mut entries)) = permissions {
        if !entries.iter().any(|entry| text(entry, "permission_level") == "IS_OWNER") {
            entries.push(json!({"user_name": call.caller, "permission_level": "IS_OWNER"}));
        }
        document["_permissions"] = entries.into();
    }
    world.put(call.key("jobs", &id.to_string()), document);
    Ok(json!({"job_id": id}))
}

/// Settings as the service keeps them, and whom the job is to run as.
fn settings(call: &Call, world: &World, mut given: Map<String, Value>) -> Result<(Value, Option<String>), Failure> {
    let run_as = match given.remove("run_as") {
        Some(run_as) => {
            let name = ["user_name", "service_principal_name"]
                .iter()
                .map(|field| text(&run_as, field))
                .find(|name| !name.is_empty());
            let name = name.ok_or_else(|| Failure::invalid("run_as must name a user or a service principal"))?;
            scim::principal(world, name)?;
            Some(name.to_owned())
        }
        None => None,
    };
    let mut settings = Value::Object(given);
    check(call, world, &settings)?;
    furnish(call, world, &mut settings)?;
    fill(&mut settings);
    Ok((settings, run_as))
}

/// What policies and pools make of clusters.
fn furnish(call: &Call, world: &World, settings: &mut Value) -> Result<(), Failure> {
    for list in ["job_clusters", "tasks"] {
        for item in settings.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(Value::Object(spec)) = item.get_mut("new_cluster") {
                *spec = completed(call, world, spec)?;
            }
        }
    }
    Ok(())
}

/// What the service adds by itself, and the order it keeps tasks in.
fn fill(settings: &mut Value) {
    let defaults = json!({
        "name": "Untitled", "email_notifications": {}, "webhook_notifications": {}, "timeout_seconds": 0,
        "max_concurrent_runs": 1, "format": "MULTI_TASK",
    });
    add_missing(settings, &defaults);
    if let Some(schedule) = settings.get_mut("schedule") {
        add_missing(schedule, &json!({"pause_status": "UNPAUSED"}));
    }
    let source = if settings.get("git_source").is_some() { "GIT" } else { "WORKSPACE" };
    if let Some(tasks) = settings.get_mut("tasks").and_then(Value::as_array_mut) {
        for task in tasks.iter_mut() {
            add_missing(
                task,
                &json!({"run_if": "ALL_SUCCESS", "timeout_seconds": 0, "email_notifications": {}, "webhook_notifications": {}}),
            );
            for kind in ["notebook_task", "spark_python_task"] {
                if let Some(kind) = task.get_mut(kind).filter(|kind| kind.is_object()) {
                    add_missing(kind, &json!({"source": source}));
                }
            }
        }
        tasks.sort_by(|a, b| text(a, "task_key").cmp(text(b, "task_key")));
    }
}

fn add_missing(to: &mut Value, defaults: &Value) {
    for (name, value) in set_fields(defaults) {
        fields(to).entry(name).or_insert(value);
    }
}

fn check(call: &Call, world: &World, settings: &Value) -> Result<(), Failure> {
    let mut keys: [BTreeSet<&str>; 3] = Default::default();
    for ((list, key), seen) in KEYED.iter().zip(&mut keys) {
        for item in items(settings, list) {
            if !seen.insert(text(item, key)) {
                return Err(Failure::invalid(format!("{key} '{}' is not unique", text(item, key))));
            }
        }
    }
    let [tasks, job_clusters, environments] = &keys;
    for task in items(settings, "tasks") {
        let name = text(task, "task_key");
        let known = |field: &str, among: &BTreeSet<&str>| match text(task, field) {
            "" => Ok(()),
            wanted if among.contains(wanted) => Ok(()),
            wanted => {
                Err(Failure::invalid(format!("Task '{name}' refers to {field} '{wanted}', which is not defined")))
            }
        };
        known("job_cluster_key", job_clusters)?;
        known("environment_key", environments)?;
        for dependency in items(task, "depends_on") {
            let on = text(dependency, "task_key");
            if !tasks.contains(on) {
                return Err(Failure::invalid(format!("Task '{name}' depends on '{on}', which is not defined")));
            }
        }
        check_task(call, world, task)?;
    }
    let schedule = settings.get("schedule").filter(|schedule| schedule.is_object());
    if let Some(schedule) = schedule {
        let expression = text(schedule, "quartz_cron_expression");
        if !(6..=7).contains(&expression.split_whitespace().count()) {
            return Err(Failure::invalid(format!("Invalid quartz cron expression: {expression}")));
        }
    }
    Ok(())
}

/// One task: it does one thing, on compute that exists.
fn check_task(call: &Call, world: &World, task: &Value) -> Result<(), Failure> {
    let name = text(task, "task_key");
    let kinds: Vec<&String> = set_fields_ending(task, "_task");
    if kinds.len() != 1 {
        return Err(Failure::invalid(format!(
            "Task '{name}' must have exactly one kind of task, it has {}",
            kinds.len()
        )));
    }
    let compute: Vec<&str> = ["existing_cluster_id", "job_cluster_key", "new_cluster"]
        .into_iter()
        .filter(|field| !task[*field].is_null())
        .collect();
    if compute.len() > 1 {
        return Err(Failure::invalid(format!(
            "Task '{name}' has more than one kind of compute: {}",
            compute.join(", ")
        )));
    }
    if !text(task, "existing_cluster_id").is_empty() {
        clusters::exists(call, world, text(task, "existing_cluster_id"))?;
    }
    let scripted = ["spark_python_task", "python_wheel_task"].contains(&kinds[0].as_str());
    if scripted && compute.is_empty() && text(task, "environment_key").is_empty() {
        return Err(Failure::invalid(format!("Task '{name}' runs serverless and must have an environment_key")));
    }
    if let Some(sql) = task.get("sql_task").filter(|sql| sql.is_object()) {
        let warehouse = text(sql, "warehouse_id");
        if world.get(&call.key("warehouses", warehouse)).is_none() {
            return Err(Failure::invalid(format!(
                "Task '{name}' refers to SQL warehouse '{warehouse}', which does not exist"
            )));
        }
        let query = text(&sql["query"], "query_id");
        if !query.is_empty() && world.get(&call.key("queries", query)).is_none() {
            return Err(Failure::invalid(format!("Task '{name}' refers to query '{query}', which does not exist")));
        }
    }
    Ok(())
}

fn set_fields_ending<'v>(object: &'v Value, ending: &str) -> Vec<&'v String> {
    let all = object.as_object().into_iter().flatten();
    all.filter(|(name, value)| name.ends_with(ending) && !value.is_null()).map(|(name, _)| name).collect()
}

fn items<'v>(object: &'v Value, field: &str) -> impl Iterator<Item = &'v Value> {
    object.get(field).and_then(Value::as_array).into_iter().flatten()
}

fn reset(call: &Call, world: &mut World) -> Answer {
    let mut job = find(call, world, call.whole("job_id").unwrap_or_default())?;
    let (settings, run_as) = settings(call, world, set_fields(&call.body["new_settings"]))?;
    job["settings"] = settings;
    put(call, world, job, run_as)
}

#[expect(clippy::unnecessary_wraps, reason = "handlers answer results")]
fn put(call: &Call, world: &mut World, mut job: Value, run_as: Option<String>) -> Answer {
    if let Some(run_as) = run_as {
        job["run_as_user_name"] = run_as.into();
    }
    world.put(call.key("jobs", &job["job_id"].to_string()), job);
    Ok(json!({}))
}

fn update(call: &Call, world: &mut World) -> Answer {
    let mut job = find(call, world, call.whole("job_id").unwrap_or_default())?;
    let mut merged = set_fields(&job["settings"]);
    for path in items(&call.body, "fields_to_remove").filter_map(Value::as_str) {
        match path.split_once('/') {
            Some((list, key)) => {
                let name = KEYED.iter().find(|(known, _)| *known == list).map(|(_, name)| *name);
                let name =
                    name.ok_or_else(|| Failure::invalid(format!("fields_to_remove: '{path}' is not a field")))?;
                if let Some(list) = merged.get_mut(list).and_then(Value::as_array_mut) {
                    list.retain(|item| text(item, name) != key);
                }
            }
            None => {
                merged.remove(path);
            }
        }
    }
    for (field, value) in set_fields(&call.body["new_settings"]) {
        let key = KEYED.iter().find(|(list, _)| *list == field).map(|(_, key)| *key);
        match (key, merged.get_mut(&field).and_then(Value::as_array_mut)) {
            (Some(key), Some(list)) => {
                for item in value.as_array().into_iter().flatten() {
                    list.retain(|old| text(old, key) != text(item, key));
                    list.push(item.clone());
                }
            }
            _ => {
                merged.insert(field, value);
            }
        }
    }
    let (settings, run_as) = settings(call, world, merged)?;
    job["settings"] = settings;
    put(call, world, job, run_as)
}

fn delete(call: &Call, world: &mut World) -> Answer {
    let id = call.whole("job_id").unwrap_or_default();
    find(call, world, id)?;
    world.remove(&call.key("jobs", &id.to_string()));
    Ok(json!({}))
}

fn get(call: &Call, world: &mut World) -> Answer {
    let id = call.query("job_id").and_then(|id| id.parse().ok()).unwrap_or_default();
    let job = find(call, world, id)?;
    let mut answer = super::answer::shown(&job);
    let tasks: Vec<Value> = items(&job["settings"], "tasks").cloned().collect();
    if tasks.len() > TASKS {
        let start = call.query("page_token").map_or(Ok(0), str::parse::<usize>);
        let start = start.map_err(|_| Failure::invalid("page_token is not valid for this job"))?;
        answer["settings"]["tasks"] = tasks.iter().skip(start).take(TASKS).cloned().collect();
        if start + TASKS < tasks.len() {
            answer["has_more"] = true.into();
            answer["next_page_token"] = (start + TASKS).to_string().into();
        }
    }
    Ok(answer)
}

fn list(call: &Call, world: &mut World) -> Answer {
    let name = call.query("name").map(str::to_lowercase);
    let mut all: Vec<Value> = world
        .list(&call.key("jobs", ""))
        .map(|(_, job)| whole_job(job, call.flag("expand_tasks")))
        .filter(|job| name.as_ref().is_none_or(|name| text(&job["settings"], "name").to_lowercase() == *name))
        .collect();
    all.sort_by_key(|job| std::cmp::Reverse((job["created_time"].as_u64(), whole(&job["job_id"]))));
    let mut answer = page(call, &PAGES, "jobs", all)?;
    answer["has_more"] = answer.get("next_page_token").is_some().into();
    Ok(answer)
}

/// A job as lists show it: without its tasks and clusters, unless asked for.
fn whole_job(job: &Value, expanded: bool) -> Value {
    let mut shown = super::answer::shown(job);
    fields(&mut shown).remove("run_as_user_name");
    if !expanded && let Some(settings) = shown.get_mut("settings").and_then(Value::as_object_mut) {
        settings.retain(|field, _| !matches!(field.as_str(), "tasks" | "job_clusters" | "environments"));
    }
    shown
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
mod tests {
    use serde_json::{Value, json};

    use crate::sandbox::{ADMIN, driver::Driver};

    const JOBS: &str = "/api/2.2/jobs";

    fn notebook(key: &str) -> Value {
        json!({"task_key": key, "notebook_task": {"notebook_path": "/Shared/load"}})
    }

    fn get(sandbox: &mut Driver, id: &Value) -> Value {
        sandbox.get(&format!("{JOBS}/get?job_id={id}"))
    }

    #[test]
    fn the_service_fills_in_what_was_left_out_and_sorts_tasks() {
        let mut sandbox = Driver::new();
        let asked = json!({"name": "nightly", "tasks": [notebook("b"), notebook("a")]});
        let id = sandbox.post(&format!("{JOBS}/create"), &asked)["job_id"].clone();
        let job = get(&mut sandbox, &id);
        let settings = &job["settings"];
        assert_eq!((&settings["timeout_seconds"], &settings["email_notifications"]), (&json!(0), &json!({})));
        assert_eq!((&settings["format"], &settings["max_concurrent_runs"]), (&json!("MULTI_TASK"), &json!(1)));
        assert_eq!(
            (&settings["tasks"][0]["task_key"], &settings["tasks"][0]["notebook_task"]["source"]),
            (&json!("a"), &json!("WORKSPACE"))
        );
        assert_eq!(job["run_as_user_name"], ADMIN);
    }

    #[test]
    fn references_inside_a_job_must_lead_somewhere() {
        let mut sandbox = Driver::new();
        let with = |field: &str, value: Value| {
            let mut task = notebook("load");
            task[field] = value;
            json!({"tasks": [task]})
        };
        let wrong = [
            json!({"tasks": [notebook("a"), notebook("a")]}),
            with("job_cluster_key", json!("none")),
            with("environment_key", json!("none")),
            with("existing_cluster_id", json!("none")),
            with("depends_on", json!([{"task_key": "none"}])),
            with("sql_task", json!({"warehouse_id": "w"})),
            json!({"tasks": [{"task_key": "empty"}]}),
            json!({"schedule": {"quartz_cron_expression": "* * *", "timezone_id": "UTC"}}),
        ];
        for job in wrong {
            sandbox.refuses("POST", &format!("{JOBS}/create"), &job, 400, "INVALID_PARAMETER_VALUE");
        }
    }

    #[test]
    fn reset_replaces_and_update_merges() {
        let mut sandbox = Driver::new();
        let id = sandbox.post(&format!("{JOBS}/create"), &json!({"name": "n", "description": "d", "tasks": [notebook("a")]}))["job_id"].clone();
        sandbox.post(
            &format!("{JOBS}/update"),
            &json!({"job_id": id, "new_settings": {"tasks": [notebook("b")]}, "fields_to_remove": ["description"]}),
        );
        let settings = get(&mut sandbox, &id)["settings"].clone();
        assert_eq!((settings["tasks"].as_array().unwrap().len(), settings.get("description")), (2, None));
        sandbox.post(&format!("{JOBS}/update"), &json!({"job_id": id, "fields_to_remove": ["tasks/a"]}));
        assert_eq!(get(&mut sandbox, &id)["settings"]["tasks"][0]["task_key"], "b");
        sandbox.post(&format!("{JOBS}/reset"), &json!({"job_id": id, "new_settings": {"name": "m"}}));
        let settings = get(&mut sandbox, &id)["settings"].clone();
        assert_eq!((&settings["name"], settings.get("tasks")), (&json!("m"), None));
        sandbox.post(&format!("{JOBS}/delete"), &json!({"job_id": id}));
        sandbox.refuses("GET", &format!("{JOBS}/get?job_id={id}"), &json!(null), 400, "INVALID_PARAMETER_VALUE");
    }

    #[test]
    fn many_tasks_and_many_jobs_come_in_pages() {
        let mut sandbox = Driver::new();
        let tasks: Vec<Value> = (0..130).map(|n| notebook(&format!("t{n:03}"))).collect();
        let id = sandbox.post(&format!("{JOBS}/create"), &json!({"name": "wide", "tasks": tasks}))["job_id"].clone();
        let first = get(&mut sandbox, &id);
        assert_eq!(first["settings"]["tasks"].as_array().unwrap().len(), 100);
        let token = first["next_page_token"].as_str().unwrap();
        let second = sandbox.get(&format!("{JOBS}/get?job_id={id}&page_token={token}"));
        assert_eq!(second["settings"]["tasks"].as_array().unwrap().len(), 30);
        for n in 0..25 {
            sandbox.post(&format!("{JOBS}/create"), &json!({"name": format!("j{n}")}));
        }
        let page = sandbox.get(&format!("{JOBS}/list"));
        assert_eq!((page["jobs"].as_array().unwrap().len(), &page["has_more"]), (20, &json!(true)));
        assert_eq!(sandbox.get(&format!("{JOBS}/list?name=J7"))["jobs"].as_array().unwrap().len(), 1);
    }
}
