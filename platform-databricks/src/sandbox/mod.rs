//! The Databricks sandbox: account and workspaces over the real wire protocol, in memory of a simulated world.
//!
//! Every request is checked against the [`facts`] first, then served with the service's rules and error codes.
//! Documents are keyed by whose they are: `a/...` the account's, `m/<metastore>/...` Unity Catalog's, and
//! `w/<workspace>/...` a workspace's. Fields that start with `_` are the sandbox's own and never shown. States that take
//! time (a cluster that starts) are computed from the document and the clock when they are read, so that reading changes
//! nothing.

pub mod facts;

mod answer;
mod call;
mod clock;
mod ids;
mod multipart;
mod paging;
mod redact;
mod router;
mod seed;

mod auth;

mod account;
mod account_parts;
mod permissions;
mod scim;

mod bindings;
mod catalogs;
mod external_locations;
mod grants;
mod metastores;
mod schemas;
mod securables;
mod statements;
mod storage_credentials;
mod storage_paths;
mod tables;
mod volumes;

mod cluster_specs;
mod clusters;
mod jobs;
mod policies;
mod pools;
mod queries;
mod runs;
mod secrets;
mod warehouses;
mod workspace_files;

#[cfg(test)]
mod driver;

use platform_sdk::sandbox::{Refusal, Request, Response, Service, World};

pub use seed::{ACCOUNT_ID, ADMIN, CLIENT_ID, CLIENT_SECRET, METASTORE_ID, REGION, TOKEN, WORKSPACE_ID};

/// Databricks on loopback: one host that serves a seeded account and all its workspaces.
///
/// A workspace is chosen by the header `X-Databricks-Org-Id` (or `X-Databricks-Workspace-Id`); without one it is
/// [`WORKSPACE_ID`]. Any personal access token logs in as [`ADMIN`], except `revoked` (401) and `denied` (403).
#[derive(Debug, Clone, Copy, Default)]
pub struct DatabricksSandbox;

impl Service for DatabricksSandbox {
    fn name(&self) -> &'static str {
        "databricks"
    }

    fn seed(&self, world: &mut World) {
        seed::fill(world);
    }

    fn handle(&self, request: &Request, world: &mut World) -> Response {
        router::handle(request, world)
    }

    fn refuse(&self, refusal: Refusal) -> Response {
        let (status, code, message) = match refusal {
            Refusal::Throttled => (429, "REQUEST_LIMIT_EXCEEDED", "Too many requests; try again later"),
            Refusal::Internal => (500, "INTERNAL_ERROR", "Internal error"),
            Refusal::Unavailable => (503, "TEMPORARILY_UNAVAILABLE", "The service is temporarily unavailable"),
        };
        let response = answer::Failure::new(status, code, message).response();
        if refusal == Refusal::Throttled { response.header("Retry-After", "1") } else { response }
    }

    fn exports(&self, base_url: &str) -> Vec<(String, String)> {
        let pairs = [("DATABRICKS_HOST", base_url), ("DATABRICKS_TOKEN", TOKEN), ("DATABRICKS_ACCOUNT_ID", ACCOUNT_ID)];
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn loggable_body(&self, request: &Request) -> Option<serde_json::Value> {
        redact::body(request)
    }

    fn is_read(&self, request: &Request) -> bool {
        let reads = ["/api/2.1/clusters/events", "/api/2.1/unity-catalog/validate-storage-credentials"];
        let token = request.path.starts_with("/oidc/") && request.path.ends_with("/v1/token");
        matches!(request.method.as_str(), "GET" | "HEAD") || token || reads.contains(&request.path.as_str())
    }
}
