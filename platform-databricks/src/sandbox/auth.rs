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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
mod tests {
    use std::collections::BTreeMap;

    use platform_sdk::sandbox::Service;

    use super::*;
    use crate::sandbox::{DatabricksSandbox, driver::Driver};

    fn send(sandbox: &mut Driver, method: &str, path: &str, authorization: &str, body: &str) -> (u16, Value) {
        let headers = [("authorization", authorization), ("host", "127.0.0.1:8080")];
        let request = Request {
            method: method.into(),
            path: path.into(),
            query: Vec::new(),
            headers: headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>(),
            body: body.into(),
        };
        let response = DatabricksSandbox.handle(&request, &mut sandbox.world);
        (response.status, serde_json::from_slice(&response.body).unwrap())
    }

    const ME: &str = "/api/2.0/preview/scim/v2/Me";
    const GRANT: &str = "grant_type=client_credentials&scope=all-apis";

    fn basic(secret: &str) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{secret}", seed::CLIENT_ID)))
    }

    #[test]
    fn a_call_needs_a_token_that_is_not_revoked_or_denied() {
        let mut sandbox = Driver::new();
        for (header, status) in [
            ("", 401),
            ("Bearer ", 401),
            ("Basic eDp5", 401),
            ("Bearer revoked", 401),
            ("Bearer denied", 403),
            ("Bearer any", 200),
            ("Bearer oauth.someone.9999999999999.forged", 401),
        ] {
            assert_eq!(send(&mut sandbox, "GET", ME, header, "").0, status, "{header}");
        }
    }

    #[test]
    fn a_machine_finds_the_token_endpoint_and_its_token_expires() {
        let mut sandbox = Driver::new();
        let (_, host) = send(&mut sandbox, "GET", "/.well-known/databricks-config", "", "");
        let base = "http://127.0.0.1:8080";
        assert_eq!(host["oidc_endpoint"], format!("{base}/oidc"));
        for realm in ["/oidc".to_owned(), format!("/oidc/accounts/{}", seed::ACCOUNT_ID)] {
            let (_, server) =
                send(&mut sandbox, "GET", &format!("{realm}/.well-known/oauth-authorization-server"), "", "");
            assert_eq!(server["token_endpoint"], format!("{base}{realm}/v1/token"));
            let (_, token) =
                send(&mut sandbox, "POST", &format!("{realm}/v1/token"), &basic(seed::CLIENT_SECRET), GRANT);
            let header = format!("Bearer {}", token["access_token"].as_str().unwrap());
            assert_eq!(send(&mut sandbox, "GET", ME, &header, "").1["userName"], seed::CLIENT_ID);
            sandbox.pass(token["expires_in"].as_u64().unwrap() * 1000);
            assert_eq!(send(&mut sandbox, "GET", ME, &header, "").0, 401);
        }
    }

    #[test]
    fn a_wrong_secret_is_an_invalid_client() {
        let (status, refused) = send(&mut Driver::new(), "POST", "/oidc/v1/token", &basic("wrong"), GRANT);
        assert_eq!((status, &refused["error"]), (401, &json!("invalid_client")));
    }
}
