//! Who calls: personal access tokens, OAuth for machines, and the documents by which clients find the token endpoint.

use base64::{Engine, prelude::BASE64_STANDARD};
use platform_sdk::sandbox::{Request, Response, World};
use serde_json::{Value, json};

use super::{
    answer::{Failure, text},
    ids, seed,
};

const LIFETIME_MS: u64 = 3_600_000;

/// Answers the requests that come before a login, if this is one of them.
pub(super) fn answer(request: &Request, world: &World) -> Option<Response> {
    let base = format!("http://{}", request.header("host").unwrap_or("127.0.0.1"));
    let (realm, rest) = match request.path.strip_prefix("/oidc") {
        Some(rest) => match rest.strip_prefix("/accounts/").and_then(|rest| rest.split_once('/')) {
            Some((account, rest)) => (format!("{base}/oidc/accounts/{account}"), format!("/{rest}")),
            None => (format!("{base}/oidc"), rest.to_owned()),
        },
        None if request.path == "/.well-known/databricks-config" => {
            return Some(Response::json(200, &host_document(&base)));
        }
        None => return None,
    };
    Some(match (request.method.as_str(), rest.as_str()) {
        ("GET", "/.well-known/oauth-authorization-server") => Response::json(200, &server_document(&realm)),
        ("POST", "/v1/token") => token(request, world),
        _ => Failure::new(404, "ENDPOINT_NOT_FOUND", format!("No endpoint is at {}", request.path)).response(),
    })
}

/// Who sent this request.
///
/// # Errors
/// 401 without a usable token, 403 for the token `denied`.
pub(super) fn caller(request: &Request, now: u64) -> Result<String, Failure> {
    let unauthenticated = |message: &str| Err(Failure::new(401, "UNAUTHENTICATED", message));
    let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).map_or("", str::trim);
    match token {
        "" => unauthenticated("Credential was not sent or was of an unsupported type for this API."),
        "revoked" => unauthenticated("The access token is revoked."),
        "denied" => Err(Failure::new(403, "PERMISSION_DENIED", "The caller may not use this API.")),
        token if token.starts_with("oauth.") => match client_of(token) {
            Some((client, expires)) if expires > now => Ok(client.to_owned()),
            Some(_) => unauthenticated("The access token has expired."),
            None => unauthenticated("The access token is not valid."),
        },
        _ => Ok(seed::ADMIN.to_owned()),
    }
}

fn host_document(base: &str) -> Value {
    json!({
        "oidc_endpoint": format!("{base}/oidc"),
        "account_id": seed::ACCOUNT_ID,
        "workspace_id": seed::WORKSPACE_ID.to_string(),
        "cloud": "AWS",
    })
}

fn server_document(realm: &str) -> Value {
    json!({
        "issuer": realm,
        "authorization_endpoint": format!("{realm}/v1/authorize"),
        "token_endpoint": format!("{realm}/v1/token"),
        "grant_types_supported": ["client_credentials"],
        "scopes_supported": ["all-apis"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
    })
}

fn token(request: &Request, world: &World) -> Response {
    let refuse = |status: u16, error: &str, why: &str| {
        Response::json(status, &json!({"error": error, "error_description": why}))
    };
    let form = String::from_utf8_lossy(&request.body);
    let field = |name: &str| {
        form.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, v)| v)
    };
    if field("grant_type") != Some("client_credentials") {
        return refuse(400, "unsupported_grant_type", "only client_credentials is served");
    }
    let Some((client, secret)) = request.header("authorization").and_then(basic) else {
        return refuse(401, "invalid_client", "client authentication was not sent");
    };
    let known = world.list("a/service-principals/").any(|(_, principal)| text(principal, "applicationId") == client);
    if !known || secret != seed::CLIENT_SECRET {
        return refuse(401, "invalid_client", "client authentication failed");
    }
    let expires = world.now_ms() + LIFETIME_MS;
    let token = format!("oauth.{client}.{expires}.{}", signature(&client, expires));
    Response::json(
        200,
        &json!({"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME_MS / 1000, "scope": field("scope")}),
    )
}

fn basic(header: &str) -> Option<(String, String)> {
    let decoded = String::from_utf8(BASE64_STANDARD.decode(header.strip_prefix("Basic ")?).ok()?).ok()?;
    decoded.split_once(':').map(|(client, secret)| (client.to_owned(), secret.to_owned()))
}

/// Tokens say all about themselves, so that giving one out changes nothing in the world.
fn client_of(token: &str) -> Option<(&str, u64)> {
    let (client, rest) = token.strip_prefix("oauth.")?.split_once('.')?;
    let (expires, signed) = rest.split_once('.')?;
    let expires = expires.parse().ok()?;
    (signed == signature(client, expires)).then_some((client, expires))
}

fn signature(client: &str, expires: u64) -> String {
    ids::hash(&format!("sandbox token of {client} until {expires}"))[..16].to_owned()
}
