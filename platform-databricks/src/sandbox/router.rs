//! From a request to the handler of its operation: checks against the facts, the login, the workspace.

use std::{collections::BTreeMap, sync::OnceLock};

use platform_sdk::sandbox::{Request, Response, World};
use serde_json::{Value, json};

use super::{
    account, account_parts,
    answer::Failure,
    auth, bindings,
    call::{Call, Handler, Route},
    catalogs, clusters, external_locations, facts, grants, jobs, metastores, multipart, permissions, policies, pools,
    queries, runs, schemas, scim, secrets, seed, statements, storage_credentials, tables, volumes, warehouses,
    workspace_files,
};

/// Every area's operations.
const AREAS: &[&[Route]] = &[
    account::ROUTES,
    account_parts::ROUTES,
    bindings::ROUTES,
    catalogs::ROUTES,
    clusters::ROUTES,
    external_locations::ROUTES,
    grants::ROUTES,
    jobs::ROUTES,
    metastores::ROUTES,
    permissions::ROUTES,
    policies::ROUTES,
    pools::ROUTES,
    queries::ROUTES,
    runs::ROUTES,
    schemas::ROUTES,
    scim::ROUTES,
    secrets::ROUTES,
    statements::ROUTES,
    storage_credentials::ROUTES,
    tables::ROUTES,
    volumes::ROUTES,
    warehouses::ROUTES,
    workspace_files::ROUTES,
];

/// Answers one request.
pub(super) fn handle(request: &Request, world: &mut World) -> Response {
    if let Some(response) = auth::answer(request, world) {
        return response;
    }
    match dispatch(request, world) {
        Ok((workspace, answer)) if workspace.is_empty() => Response::json(200, &answer),
        Ok((workspace, answer)) => Response::json(200, &answer).header("X-Databricks-Org-Id", workspace),
        Err(failure) => failure.response(),
    }
}

fn dispatch(request: &Request, world: &mut World) -> Result<(String, Value), Failure> {
    let form = multipart::as_json(request);
    let body = form.as_deref().unwrap_or(&request.body);
    let operation = facts::check(&request.method, &request.path, &request.query, body)
        .map_err(|violations| violated(&violations))?;
    let now = world.now_ms();
    let caller = auth::caller(request, now)?;
    let parameters = operation.parameters(&request.path);
    let workspace = match parameters.get("account_id") {
        Some(account) => {
            account_exists(account)?;
            String::new()
        }
        None => workspace(request, world, now)?,
    };
    let handler = routes().get(&(operation.verb, operation.path)).ok_or_else(|| {
        Failure::new(
            501,
            "NOT_IMPLEMENTED",
            format!("the sandbox does not serve {} {}", operation.verb, operation.path),
        )
    })?;
    let body = serde_json::from_slice(body).unwrap_or_else(|_| json!({}));
    let call = Call { request, parameters, body, caller, workspace, now };
    bindings::visible(&call, world)?;
    let answer = handler(&call, world)?;
    Ok((call.workspace, answer))
}

fn violated(violations: &[facts::Violation]) -> Failure {
    match violations.first().map(|violation| &violation.problem) {
        Some(facts::Problem::UnknownOperation(operation)) => {
            Failure::new(404, "ENDPOINT_NOT_FOUND", format!("No API found for '{operation}'"))
        }
        Some(facts::Problem::MalformedBody(error)) => {
            Failure::new(400, "MALFORMED_REQUEST", format!("Could not parse request object: {error}"))
        }
        _ => Failure::invalid(violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
    }
}

fn account_exists(account: &str) -> Result<(), Failure> {
    if account == seed::ACCOUNT_ID {
        Ok(())
    } else {
        Err(Failure::missing(format!("Account {account} does not exist")))
    }
}

/// The workspace that the request is for: by header, else the default one. One that is not up yet answers as a host
/// whose name does not resolve everywhere yet.
fn workspace(request: &Request, world: &World, now: u64) -> Result<String, Failure> {
    let asked = request.header("x-databricks-org-id").or_else(|| request.header("x-databricks-workspace-id"));
    let id = asked.map_or_else(|| seed::WORKSPACE_ID.to_string(), str::to_owned);
    let document = world
        .get(&format!("a/workspaces/{id}"))
        .ok_or_else(|| Failure::new(404, "ENDPOINT_NOT_FOUND", format!("Workspace {id} does not exist")))?;
    if account::reachable(document, now) {
        Ok(id)
    } else {
        Err(Failure::new(503, "TEMPORARILY_UNAVAILABLE", format!("Workspace {id} is not reachable yet")))
    }
}

fn routes() -> &'static BTreeMap<(&'static str, &'static str), Handler> {
    static ROUTES: OnceLock<BTreeMap<(&'static str, &'static str), Handler>> = OnceLock::new();
    ROUTES.get_or_init(|| {
        let routes = AREAS.iter().flat_map(|area| area.iter());
        routes.map(|(key, handler)| (key.split_once(' ').expect("a route is a verb and a path"), *handler)).collect()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::sandbox::driver::Driver;

    #[test]
    fn what_the_facts_do_not_know_is_refused_by_name() {
        let mut sandbox = Driver::new();
        let wrong = json!({"name": "x", "cluster_sise": "Small"});
        let (status, answer) = sandbox.send("POST", "/api/2.0/sql/warehouses", &wrong);
        let expected = json!({
            "error_code": "INVALID_PARAMETER_VALUE", "message": "`cluster_sise` is not a known field", "details": [],
        });
        assert_eq!((status, answer), (400, expected));
        sandbox.refuses("GET", "/api/2.0/none", &Value::Null, 404, "ENDPOINT_NOT_FOUND");
        sandbox.refuses("GET", "/api/2.0/token/list", &Value::Null, 501, "NOT_IMPLEMENTED");
    }

    #[test]
    fn every_route_is_an_operation_of_the_facts_and_served_once() {
        let known: Vec<_> = facts::operations().map(|operation| (operation.verb, operation.path)).collect();
        let unknown: Vec<_> = routes().keys().filter(|key| !known.contains(key)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert_eq!(routes().len(), AREAS.iter().map(|area| area.len()).sum::<usize>());
    }
}
