//! The kit's own requests under `/_sandbox/`: log, faults, reset, world.

use serde_json::{Value, json};

use super::{Faults, Request, Response, exchange::Exchange};

/// What every control request's path starts with.
const PREFIX: &str = "/_sandbox/";

/// Whether a request is the kit's own.
pub(super) fn is_control(request: &Request) -> bool {
    request.path.starts_with(PREFIX)
}

/// Answers a control request; `None` when the request is for the service.
pub(super) fn answer(exchange: &Exchange, request: &Request) -> Option<Response> {
    let what = request.path.strip_prefix(PREFIX)?;
    Some(match (request.method.as_str(), what) {
        ("GET", "health") => {
            Response::json(200, &json!({"service": exchange.service().name(), "pid": std::process::id()}))
        }
        ("GET", "log") => log(exchange, request.query("since")),
        ("GET", "faults") => written(&exchange.faults()),
        ("PUT", "faults") => match serde_json::from_slice::<Faults>(&request.body) {
            Ok(faults) => {
                exchange.set_faults(faults);
                written(&exchange.faults())
            }
            Err(error) => refused(400, &format!("these are no faults: {error}")),
        },
        ("POST", "reset") => match exchange.reset() {
            Ok(()) => Response::json(200, &json!({})),
            Err(error) => refused(500, &format!("the world can't be written: {error}")),
        },
        ("GET", "world") => written(exchange.world().documents()),
        _ => refused(404, &format!("the sandbox has no {} {}", request.method, request.path)),
    })
}

fn log(exchange: &Exchange, since: Option<&str>) -> Response {
    let Ok(since) = since.unwrap_or("0").parse() else {
        return refused(400, "since is not a number");
    };
    match exchange.log_since(since) {
        Ok(entries) => written(&entries),
        Err(error) => refused(500, &format!("the log can't be read: {error}")),
    }
}

fn written(what: &impl serde::Serialize) -> Response {
    match serde_json::to_vec(what) {
        Ok(body) => Response { body, ..Response::json(200, &Value::Null) },
        Err(error) => refused(500, &error.to_string()),
    }
}

fn refused(status: u16, why: &str) -> Response {
    Response::json(status, &json!({"error": why}))
}
