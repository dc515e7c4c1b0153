//! Secret scopes: `/api/2.0/secrets`. Values are taken and dropped: nothing here can give one back.

use platform_sdk::sandbox::World;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Failure, fields},
    call::{Call, Route},
    scim,
};

pub(super) const ROUTES: &[Route] = &[
    ("POST /api/2.0/secrets/scopes/create", create_scope),
    ("POST /api/2.0/secrets/scopes/delete", delete_scope),
    ("GET /api/2.0/secrets/scopes/list", list_scopes),
    ("POST /api/2.0/secrets/put", put),
    ("POST /api/2.0/secrets/delete", delete),
    ("GET /api/2.0/secrets/list", list),
    ("POST /api/2.0/secrets/acls/put", put_acl),
    ("POST /api/2.0/secrets/acls/delete", delete_acl),
    ("GET /api/2.0/secrets/acls/list", list_acls),
];

fn find(call: &Call, world: &World, scope: &str) -> Result<Value, Failure> {
    let found = world.get(&call.key("secret-scopes", scope)).cloned();
    found.ok_or_else(|| Failure::missing(format!("Scope {scope} does not exist!")))
}

fn create_scope(call: &Call, world: &mut World) -> Answer {
    let name = call.required("scope")?;
    if world.get(&call.key("secret-scopes", name)).is_some() {
        return Err(Failure::new(400, "RESOURCE_ALREADY_EXISTS", format!("Scope {name} already exists!")));
    }
    let manager = call.text("initial_manage_principal").unwrap_or(&call.caller);
    let scope = json!({"name": name, "backend_type": "DATABRICKS", "_secrets": {}, "_acls": {manager: "MANAGE"}});
    world.put(call.key("secret-scopes", name), scope);
    Ok(json!({}))
}

fn delete_scope(call: &Call, world: &mut World) -> Answer {
    let name = call.required("scope")?;
    find(call, world, name)?;
    world.remove(&call.key("secret-scopes", name));
    Ok(json!({}))
}

#[expect(clippy::unnecessary_wraps, reason = "handlers answer results")]
fn list_scopes(call: &Call, world: &mut World) -> Answer {
    let scopes: Vec<Value> =
        world.list(&call.key("secret-scopes", "")).map(|(_, scope)| super::answer::shown(scope)).collect();
    Ok(if scopes.is_empty() { json!({}) } else { json!({"scopes": scopes}) })
}

fn put(call: &Call, world: &mut World) -> Answer {
    let (name, key) = (call.required("scope")?, call.required("key")?);
    let mut scope = find(call, world, name)?;
    if call.text("string_value").is_some() == call.text("bytes_value").is_some() {
        return Err(Failure::invalid("Exactly one of string_value and bytes_value must be given"));
    }
    scope["_secrets"][key] = json!({"key": key, "last_updated_timestamp": call.now});
    world.put(call.key("secret-scopes", name), scope);
    Ok(json!({}))
}

fn delete(call: &Call, world: &mut World) -> Answer {
    let (name, key) = (call.required("scope")?, call.required("key")?);
    let mut scope = find(call, world, name)?;
    if fields(&mut scope["_secrets"]).remove(key).is_none() {
        return Err(Failure::missing(format!("Secret {key} does not exist in scope {name}")));
    }
    world.put(call.key("secret-scopes", name), scope);
    Ok(json!({}))
}

fn list(call: &Call, world: &mut World) -> Answer {
    let scope = find(call, world, call.query("scope").unwrap_or_default())?;
    let secrets: Vec<&Value> = scope["_secrets"].as_object().into_iter().flatten().map(|(_, secret)| secret).collect();
    Ok(if secrets.is_empty() { json!({}) } else { json!({"secrets": secrets}) })
}

fn put_acl(call: &Call, world: &mut World) -> Answer {
    let (name, principal) = (call.required("scope")?, call.required("principal")?);
    let mut scope = find(call, world, name)?;
    if !scim::known_in(world, &call.workspace, principal) {
        return Err(Failure::missing(format!("Principal {principal} does not exist")));
    }
    scope["_acls"][principal] = call.required("permission")?.into();
    world.put(call.key("secret-scopes", name), scope);
    Ok(json!({}))
}

fn delete_acl(call: &Call, world: &mut World) -> Answer {
    let (name, principal) = (call.required("scope")?, call.required("principal")?);
    let mut scope = find(call, world, name)?;
    if fields(&mut scope["_acls"]).remove(principal).is_none() {
        return Err(Failure::missing(format!("{principal} has no ACL on scope {name}")));
    }
    world.put(call.key("secret-scopes", name), scope);
    Ok(json!({}))
}

fn list_acls(call: &Call, world: &mut World) -> Answer {
    let scope = find(call, world, call.query("scope").unwrap_or_default())?;
    let acls = scope["_acls"].as_object().into_iter().flatten();
    let items: Vec<Value> =
        acls.map(|(principal, permission)| json!({"principal": principal, "permission": permission})).collect();
    Ok(json!({"items": items}))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::sandbox::driver::Driver;

    #[test]
    fn secrets_are_listed_without_their_values_and_values_are_not_kept() {
        let mut sandbox = Driver::new();
        sandbox.post("/api/2.0/secrets/scopes/create", &json!({"scope": "s"}));
        sandbox.refuses(
            "POST",
            "/api/2.0/secrets/scopes/create",
            &json!({"scope": "s"}),
            400,
            "RESOURCE_ALREADY_EXISTS",
        );
        sandbox.post("/api/2.0/secrets/put", &json!({"scope": "s", "key": "k", "string_value": "canary-7"}));
        let list = sandbox.get("/api/2.0/secrets/list?scope=s");
        assert_eq!(list["secrets"][0]["key"], "k");
        assert!(!sandbox.world.list("").any(|(_, document)| document.to_string().contains("canary-7")));
        sandbox.post("/api/2.0/secrets/delete", &json!({"scope": "s", "key": "k"}));
        sandbox.refuses(
            "POST",
            "/api/2.0/secrets/delete",
            &json!({"scope": "s", "key": "k"}),
            404,
            "RESOURCE_DOES_NOT_EXIST",
        );
    }
}
