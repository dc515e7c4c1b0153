//! Runs of jobs, as far as starting and watching one: `/api/2.2/jobs/run-now` and `/api/2.2/jobs/runs`.

use platform_sdk::sandbox::World;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Failure, text},
    call::{Call, Route},
    ids, jobs,
    paging::{Pages, page},
    workspace_files,
};

pub(super) const ROUTES: &[Route] = &[
    ("POST /api/2.2/jobs/run-now", run_now),
    ("GET /api/2.2/jobs/runs/get", get),
    ("GET /api/2.2/jobs/runs/list", list),
    ("POST /api/2.2/jobs/runs/cancel", cancel),
    ("POST /api/2.2/jobs/runs/delete", delete),
];

/// When a run begins to run, and when it ends, in the world's time after it was asked for.
const BEGINS_MS: u64 = 100;
const ENDS_MS: u64 = 300;
const PAGES: Pages = Pages { size: "limit", default: 20, max: 25 };

fn run_now(call: &Call, world: &mut World) -> Answer {
    let job_id = call.whole("job_id").unwrap_or_default();
    let job = jobs::find(call, world, job_id)?;
    if let Some(token) = call.text("idempotency_token") {
        let same = world
            .list(&call.key("runs", ""))
            .find(|(_, run)| text(run, "_token") == token)
            .map(|(_, run)| run["run_id"].clone());
        if let Some(run_id) = same {
            return Ok(json!({"run_id": run_id, "number_in_job": run_id}));
        }
    }
    let run_id = ids::number(world);
    let tasks = job["settings"]["tasks"].as_array().cloned().unwrap_or_default();
    let lost = tasks.iter().map(|task| &task["notebook_task"]).find(|notebook| {
        text(notebook, "source") == "WORKSPACE"
            && workspace_files::find(call, world, text(notebook, "notebook_path")).is_err()
    });
    let mut run = json!({
        "run_id": run_id, "number_in_job": run_id, "job_id": job_id, "run_name": job["settings"]["name"], "start_time": call.now,
        "creator_user_name": call.caller, "run_type": "JOB_RUN", "trigger": "ONE_TIME", "original_attempt_run_id": run_id,
        "run_page_url": format!("https://sandbox/jobs/{job_id}/runs/{run_id}"), "_token": call.text("idempotency_token"),
    });
    if let Some(notebook) = lost {
        run["_failure"] = format!("Unable to access the notebook \"{}\"", text(notebook, "notebook_path")).into();
    }
    world.put(call.key("runs", &run_id.to_string()), run);
    Ok(json!({"run_id": run_id, "number_in_job": run_id}))
}

/// The run in the state that it is in at this time.
fn settled(run: &Value, now: u64) -> Value {
    let mut answer = super::answer::shown(run);
    let start = run["start_time"].as_u64().unwrap_or_default();
    let cancelled = run["_cancelled_at"].as_u64();
    let ended = cancelled.unwrap_or(start + ENDS_MS);
    let (state, result) = match (cancelled, run["_failure"].as_str()) {
        (Some(_), _) => ("TERMINATED", Some(("CANCELED", "Run cancelled.", "CANCELED"))),
        _ if now < start + BEGINS_MS => ("PENDING", None),
        _ if now < ended => ("RUNNING", None),
        (None, Some(why)) => ("TERMINATED", Some(("FAILED", why, "RUN_EXECUTION_ERROR"))),
        (None, None) => ("TERMINATED", Some(("SUCCESS", "", "SUCCESS"))),
    };
    answer["state"] = json!({"life_cycle_state": state, "state_message": ""});
    answer["status"] = json!({"state": state});
    if let Some((result, message, code)) = result {
        let kind = if result == "SUCCESS" { "SUCCESS" } else { "CLIENT_ERROR" };
        answer["state"] = json!({"life_cycle_state": state, "result_state": result, "state_message": message});
        answer["status"] =
            json!({"state": state, "termination_details": {"code": code, "type": kind, "message": message}});
        answer["end_time"] = ended.into();
        answer["execution_duration"] = (ended - start).into();
    }
    answer
}

fn find(call: &Call, world: &World, id: Option<i64>) -> Result<Value, Failure> {
    let id = id.unwrap_or_default();
    world
        .get(&call.key("runs", &id.to_string()))
        .cloned()
        .ok_or_else(|| Failure::invalid(format!("Run {id} does not exist.")))
}

fn get(call: &Call, world: &mut World) -> Answer {
    find(call, world, call.query("run_id").and_then(|id| id.parse().ok())).map(|run| settled(&run, call.now))
}

fn list(call: &Call, world: &mut World) -> Answer {
    let job = call.query("job_id").and_then(|id| id.parse::<i64>().ok());
    let over = |run: &Value| run["status"]["state"] == "TERMINATED";
    let mut all: Vec<Value> = world
        .list(&call.key("runs", ""))
        .map(|(_, run)| settled(run, call.now))
        .filter(|run| job.is_none_or(|job| run["job_id"] == job))
        .filter(|run| (!call.flag("active_only") || !over(run)) && (!call.flag("completed_only") || over(run)))
        .collect();
    all.sort_by_key(|run| std::cmp::Reverse(run["start_time"].as_u64()));
    page(call, &PAGES, "runs", all)
}

fn cancel(call: &Call, world: &mut World) -> Answer {
    let mut run = find(call, world, call.whole("run_id"))?;
    if settled(&run, call.now)["status"]["state"] != "TERMINATED" {
        run["_cancelled_at"] = call.now.into();
        world.put(call.key("runs", &run["run_id"].to_string()), run);
    }
    Ok(json!({}))
}

fn delete(call: &Call, world: &mut World) -> Answer {
    let run = find(call, world, call.whole("run_id"))?;
    if settled(&run, call.now)["status"]["state"] != "TERMINATED" {
        return Err(Failure::state(format!("Run {} is active and can not be deleted", run["run_id"])));
    }
    world.remove(&call.key("runs", &run["run_id"].to_string()));
    Ok(json!({}))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::sandbox::driver::Driver;

    #[test]
    fn a_run_ends_well_when_its_notebook_is_there_and_badly_when_not() {
        let mut sandbox = Driver::new();
        sandbox.post(
            "/api/2.0/workspace/import",
            &json!({"path": "/Shared/load", "language": "PYTHON", "content": "MQ=="}),
        );
        for (path, result) in [("/Shared/load", "SUCCESS"), ("/Shared/lost", "FAILED")] {
            let tasks = json!([{"task_key": "load", "notebook_task": {"notebook_path": path}}]);
            let job = sandbox.post("/api/2.2/jobs/create", &json!({"tasks": tasks}))["job_id"].clone();
            let run =
                sandbox.post("/api/2.2/jobs/run-now", &json!({"job_id": job, "idempotency_token": path}))["run_id"]
                    .clone();
            let again = sandbox.post("/api/2.2/jobs/run-now", &json!({"job_id": job, "idempotency_token": path}));
            assert_eq!(again["run_id"], run);
            let get = format!("/api/2.2/jobs/runs/get?run_id={run}");
            assert_eq!(sandbox.get(&get)["state"]["life_cycle_state"], "PENDING");
            sandbox.until(|sandbox| sandbox.get(&get)["state"]["life_cycle_state"] == "TERMINATED");
            assert_eq!(sandbox.get(&get)["state"]["result_state"], result);
        }
    }
}
