//! The statement API: take a statement, show how it went.
//!
//! A statement has its effect when it is taken. How it went shows only later, as on a warehouse that is busy or has to
//! start, unless the client waits.

use platform_sdk::sandbox::World;
use serde_json::{Value, json};

use super::{
    SqlError,
    execute::{self, Session},
};
use crate::sandbox::{
    answer::{Answer, Failure, text},
    call::{Call, Route},
    ids, securables, warehouses,
};

pub(in crate::sandbox) const ROUTES: &[Route] = &[
    ("POST /api/2.0/sql/statements", submit),
    ("GET /api/2.0/sql/statements/{statement_id}", get),
    ("POST /api/2.0/sql/statements/{statement_id}/cancel", cancel),
];

/// How long a statement takes on a running warehouse, in the world's time.
const RUN_MS: u64 = 30;

fn submit(call: &Call, world: &mut World) -> Answer {
    let wait = wait(call.text("wait_timeout").unwrap_or("10s"))?;
    let ready = warehouses::wake(call, world, call.required("warehouse_id")?)?;
    let metastore = securables::metastore(call, world)?;
    let assignment = world.get(&format!("a/assignments/{}", call.workspace));
    let default_catalog = assignment.map_or("main", |assignment| text(assignment, "default_catalog_name")).to_owned();
    let session = Session {
        call,
        metastore,
        catalog: call.text("catalog").map_or(default_catalog, str::to_lowercase),
        schema: call.text("schema").unwrap_or("default").to_lowercase(),
    };
    let id = ids::uuid(world);
    let outcome = execute::run(&session, world, call.required("statement")?);
    let done = ready.max(call.now) + RUN_MS;
    let document = json!({"statement_id": id, "_done_at": done, "_answer": ended(&id, outcome)});
    world.put(call.key("statements", &id), document.clone());
    let seen_at = if wait > 0 { call.now + wait } else { call.now };
    Ok(state(&document, seen_at))
}

/// Milliseconds to wait: `0s`, or between 5 and 50 seconds.
fn wait(text: &str) -> Result<u64, Failure> {
    match text.strip_suffix('s').and_then(|seconds| seconds.parse::<u64>().ok()) {
        Some(seconds) if seconds == 0 || (5..=50).contains(&seconds) => Ok(seconds * 1000),
        _ => Err(Failure::invalid(format!("wait_timeout '{text}' must be 0s, or between 5s and 50s"))),
    }
}

fn ended(id: &str, outcome: Result<Option<String>, SqlError>) -> Value {
    match outcome {
        Err(error) => json!({
            "statement_id": id,
            "status": {"state": "FAILED", "sql_state": error.state, "error": {"error_code": "BAD_REQUEST", "message": error.text()}},
        }),
        Ok(selected) => {
            let columns: Vec<Value> = selected
                .iter()
                .map(|name| json!({"name": name, "type_name": "INT", "type_text": "INT", "position": 0}))
                .collect();
            let rows: Vec<[&String; 1]> = selected.iter().map(|value| [value]).collect();
            json!({
                "statement_id": id, "status": {"state": "SUCCEEDED"},
                "manifest": {
                    "format": "JSON_ARRAY", "schema": {"column_count": columns.len(), "columns": columns},
                    "total_chunk_count": rows.len(), "total_row_count": rows.len(), "truncated": false,
                },
                "result": {"chunk_index": 0, "row_offset": 0, "row_count": rows.len(), "data_array": rows},
            })
        }
    }
}

fn state(document: &Value, now: u64) -> Value {
    let done = document["_done_at"].as_u64().unwrap_or_default();
    if document["_canceled"] == true {
        return json!({"statement_id": document["statement_id"], "status": {"state": "CANCELED"}});
    }
    if now >= done {
        return document["_answer"].clone();
    }
    let state = if now + RUN_MS >= done { "RUNNING" } else { "PENDING" };
    json!({"statement_id": document["statement_id"], "status": {"state": state}})
}

fn find(call: &Call, world: &World) -> Result<Value, Failure> {
    let id = call.parameter("statement_id");
    world
        .get(&call.key("statements", id))
        .cloned()
        .ok_or_else(|| Failure::missing(format!("The statement {id} was not found.")))
}

fn get(call: &Call, world: &mut World) -> Answer {
    find(call, world).map(|document| state(&document, call.now))
}

fn cancel(call: &Call, world: &mut World) -> Answer {
    let mut document = find(call, world)?;
    if call.now < document["_done_at"].as_u64().unwrap_or_default() {
        document["_canceled"] = true.into();
        world.put(call.key("statements", call.parameter("statement_id")), document);
    }
    Ok(json!({}))
}
