//! Users, groups and service principals: `/api/2.0/preview/scim/v2` in a workspace, `.../scim/v2` in the account.
//!
//! Identities are the account's, and a workspace sees them all; groups made through a workspace stay its own, and can't
//! receive grants in Unity Catalog.

use platform_sdk::sandbox::World;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Failure, fields, shown, text},
    call::{Call, Route},
    ids,
};

pub(super) const ROUTES: &[Route] = &[
    ("GET /api/2.0/preview/scim/v2/Me", me),
    ("GET /api/2.0/preview/scim/v2/Users", |call, world| list(call, world, &USERS)),
    ("POST /api/2.0/preview/scim/v2/Users", |call, world| create(call, world, &USERS)),
    ("GET /api/2.0/preview/scim/v2/Users/{id}", |call, world| get(call, world, &USERS)),
    ("PUT /api/2.0/preview/scim/v2/Users/{id}", |call, world| replace(call, world, &USERS)),
    ("PATCH /api/2.0/preview/scim/v2/Users/{id}", |call, world| patch(call, world, &USERS)),
    ("DELETE /api/2.0/preview/scim/v2/Users/{id}", |call, world| delete(call, world, &USERS)),
    ("GET /api/2.0/preview/scim/v2/Groups", |call, world| list(call, world, &GROUPS)),
    ("POST /api/2.0/preview/scim/v2/Groups", |call, world| create(call, world, &GROUPS)),
    ("GET /api/2.0/preview/scim/v2/Groups/{id}", |call, world| get(call, world, &GROUPS)),
    ("PUT /api/2.0/preview/scim/v2/Groups/{id}", |call, world| replace(call, world, &GROUPS)),
    ("PATCH /api/2.0/preview/scim/v2/Groups/{id}", |call, world| patch(call, world, &GROUPS)),
    ("DELETE /api/2.0/preview/scim/v2/Groups/{id}", |call, world| delete(call, world, &GROUPS)),
    ("GET /api/2.0/preview/scim/v2/ServicePrincipals", |call, world| list(call, world, &PRINCIPALS)),
    ("POST /api/2.0/preview/scim/v2/ServicePrincipals", |call, world| create(call, world, &PRINCIPALS)),
    ("GET /api/2.0/preview/scim/v2/ServicePrincipals/{id}", |call, world| get(call, world, &PRINCIPALS)),
    ("PUT /api/2.0/preview/scim/v2/ServicePrincipals/{id}", |call, world| replace(call, world, &PRINCIPALS)),
    ("PATCH /api/2.0/preview/scim/v2/ServicePrincipals/{id}", |call, world| patch(call, world, &PRINCIPALS)),
    ("DELETE /api/2.0/preview/scim/v2/ServicePrincipals/{id}", |call, world| delete(call, world, &PRINCIPALS)),
    ("GET /api/2.0/accounts/{account_id}/scim/v2/Users", |call, world| list(call, world, &USERS)),
    ("POST /api/2.0/accounts/{account_id}/scim/v2/Users", |call, world| create(call, world, &USERS)),
    ("GET /api/2.0/accounts/{account_id}/scim/v2/Users/{id}", |call, world| get(call, world, &USERS)),
    ("PUT /api/2.0/accounts/{account_id}/scim/v2/Users/{id}", |call, world| replace(call, world, &USERS)),
    ("PATCH /api/2.0/accounts/{account_id}/scim/v2/Users/{id}", |call, world| patch(call, world, &USERS)),
    ("DELETE /api/2.0/accounts/{account_id}/scim/v2/Users/{id}", |call, world| delete(call, world, &USERS)),
    ("GET /api/2.0/accounts/{account_id}/scim/v2/Groups", |call, world| list(call, world, &GROUPS)),
    ("POST /api/2.0/accounts/{account_id}/scim/v2/Groups", |call, world| create(call, world, &GROUPS)),
    ("GET /api/2.0/accounts/{account_id}/scim/v2/Groups/{id}", |call, world| get(call, world, &GROUPS)),
    ("PUT /api/2.0/accounts/{account_id}/scim/v2/Groups/{id}", |call, world| replace(call, world, &GROUPS)),
    ("PATCH /api/2.0/accounts/{account_id}/scim/v2/Groups/{id}", |call, world| patch(call, world, &GROUPS)),
    ("DELETE /api/2.0/accounts/{account_id}/scim/v2/Groups/{id}", |call, world| delete(call, world, &GROUPS)),
    ("GET /api/2.0/accounts/{account_id}/scim/v2/ServicePrincipals", |call, world| list(call, world, &PRINCIPALS)),
    ("POST /api/2.0/accounts/{account_id}/scim/v2/ServicePrincipals", |call, world| create(call, world, &PRINCIPALS)),
    ("GET /api/2.0/accounts/{account_id}/scim/v2/ServicePrincipals/{id}", |call, world| get(call, world, &PRINCIPALS)),
    ("PUT /api/2.0/accounts/{account_id}/scim/v2/ServicePrincipals/{id}", |call, world| {
        replace(call, world, &PRINCIPALS)
    }),
    ("PATCH /api/2.0/accounts/{account_id}/scim/v2/ServicePrincipals/{id}", |call, world| {
        patch(call, world, &PRINCIPALS)
    }),
    ("DELETE /api/2.0/accounts/{account_id}/scim/v2/ServicePrincipals/{id}", |call, world| {
        delete(call, world, &PRINCIPALS)
    }),
];

const PAGE: usize = 100;

struct Kind {
    folder: &'static str,
    /// The field that is unique.
    name: &'static str,
    schema: &'static str,
}

const USERS: Kind = Kind { folder: "users", name: "userName", schema: "urn:ietf:params:scim:schemas:core:2.0:User" };
const GROUPS: Kind =
    Kind { folder: "groups", name: "displayName", schema: "urn:ietf:params:scim:schemas:core:2.0:Group" };
const PRINCIPALS: Kind = Kind {
    folder: "service-principals",
    name: "applicationId",
    schema: "urn:ietf:params:scim:schemas:core:2.0:ServicePrincipal",
};

/// Refuses a name that no user, account group or service principal has.
///
/// # Errors
/// 404 `PRINCIPAL_DOES_NOT_EXIST`.
pub(super) fn principal(world: &World, name: &str) -> Result<(), Failure> {
    let known = [&USERS, &GROUPS, &PRINCIPALS].iter().any(|kind| {
        world
            .list(&format!("a/{}/", kind.folder))
            .any(|(_, identity)| text(identity, kind.name).eq_ignore_ascii_case(name))
    });
    if known {
        return Ok(());
    }
    Err(Failure::new(404, "PRINCIPAL_DOES_NOT_EXIST", format!("Could not find principal with name {name}")))
}

/// Whether a principal is this caller, or a group of the account that the caller is in. Everybody is an account user.
pub(super) fn is_of(world: &World, caller: &str, principal: &str) -> bool {
    let named = |name: &str| name.eq_ignore_ascii_case(caller);
    let is_member = |member: &Value| {
        let id = text(member, "value");
        [&USERS, &PRINCIPALS].iter().any(|kind| {
            world.get(&format!("a/{}/{id}", kind.folder)).is_some_and(|identity| named(text(identity, kind.name)))
        })
    };
    let of_group = |group: &Value| {
        let members = group.get("members").and_then(Value::as_array);
        text(group, GROUPS.name).eq_ignore_ascii_case(principal) && members.into_iter().flatten().any(is_member)
    };
    named(principal)
        || principal == "account users"
        || world.list(&format!("a/{}/", GROUPS.folder)).any(|(_, group)| of_group(group))
}

/// Whether a name is a group of the account or of this workspace, a user or a service principal.
pub(super) fn known_in(world: &World, workspace: &str, name: &str) -> bool {
    let local = world.list(&format!("w/{workspace}/groups/")).any(|(_, group)| text(group, "displayName") == name);
    local || principal(world, name).is_ok()
}

/// The account's identity with this id.
///
/// # Errors
/// 404 when there is none.
pub(super) fn by_id(world: &World, id: &str) -> Result<Value, Failure> {
    [&USERS, &GROUPS, &PRINCIPALS]
        .iter()
        .find_map(|kind| world.get(&format!("a/{}/{id}", kind.folder)))
        .cloned()
        .ok_or_else(|| Failure::missing(format!("Principal {id} does not exist")))
}

fn me(call: &Call, world: &mut World) -> Answer {
    let user =
        world.list("a/users/").find(|(_, user)| text(user, "userName") == call.caller).map(|(_, user)| user.clone());
    let mut answer = if let Some(user) = user {
        shown(&user)
    } else {
        let mut found = world.list("a/service-principals/").map(|(_, principal)| principal);
        let principal = found.find(|principal| text(principal, "applicationId") == call.caller);
        let principal = principal.ok_or_else(|| Failure::scim(404, format!("{} does not exist", call.caller)))?;
        json!({"id": principal["id"], "userName": call.caller, "displayName": principal["displayName"], "active": true})
    };
    let groups = all(call, world, &GROUPS).into_iter().filter(|group| {
        group["members"].as_array().into_iter().flatten().any(|member| member["value"] == answer["id"])
    });
    answer["groups"] = groups.map(|group| json!({"value": group["id"], "display": group["displayName"]})).collect();
    Ok(answer)
}

/// The documents of a kind that this call may see: a workspace's own before the account's of the same name.
fn all(call: &Call, world: &World, kind: &Kind) -> Vec<Value> {
    let own: Vec<Value> = if call.workspace.is_empty() {
        Vec::new()
    } else {
        world.list(&call.key(kind.folder, "")).map(|(_, document)| document.clone()).collect()
    };
    let taken = |name: &str| own.iter().any(|document| text(document, kind.name) == name);
    let shared: Vec<Value> = world
        .list(&format!("a/{}/", kind.folder))
        .filter(|(_, document)| !taken(text(document, kind.name)))
        .map(|(_, document)| document.clone())
        .collect();
    own.into_iter().chain(shared).collect()
}

fn list(call: &Call, world: &mut World, kind: &Kind) -> Answer {
    let mut found: Vec<Value> = all(call, world, kind).iter().map(shown).collect();
    if let Some(filter) = call.query("filter") {
        let (field, wanted) = parse_filter(filter)?;
        found.retain(|document| text(document, &field).eq_ignore_ascii_case(&wanted));
    }
    let number = |name: &str, default: usize| match call.query(name).map(str::parse::<usize>) {
        None => Ok(default),
        Some(Ok(number)) => Ok(number),
        Some(Err(_)) => Err(Failure::scim(400, format!("{name} must be a whole number"))),
    };
    let (start, count) = (number("startIndex", 1)?.max(1), number("count", PAGE)?.min(PAGE));
    let total = found.len();
    let page: Vec<Value> = found.into_iter().skip(start - 1).take(count).collect();
    Ok(json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": total, "startIndex": start, "itemsPerPage": page.len(), "Resources": page,
    }))
}

/// `displayName eq "analysts"`: the one form of filter that is served.
fn parse_filter(filter: &str) -> Result<(String, String), Failure> {
    let mut words = filter.splitn(3, ' ');
    match (words.next(), words.next().map(str::to_lowercase).as_deref(), words.next()) {
        (Some(field), Some("eq"), Some(value)) => Ok((field.to_owned(), value.trim_matches(['"', '\'']).to_owned())),
        _ => Err(Failure::scim(400, format!("the filter `{filter}` is not served: use `field eq \"value\"`"))),
    }
}

/// Where a document of this id is, for this call.
fn place(call: &Call, world: &World, kind: &Kind) -> Result<String, Failure> {
    let id = call.parameter("id");
    let own = call.key(kind.folder, id);
    let shared = format!("a/{}/{id}", kind.folder);
    [own, shared].into_iter().find(|key| world.get(key).is_some()).ok_or_else(|| {
        Failure::scim(404, format!("{} with id {id} not found.", kind.schema.rsplit(':').next().unwrap_or_default()))
    })
}

fn create(call: &Call, world: &mut World, kind: &Kind) -> Answer {
    let id = ids::number(world).to_string();
    let mut document = Value::Object(call.given());
    fields(&mut document).insert("id".into(), id.clone().into());
    fields(&mut document).entry("schemas").or_insert_with(|| json!([kind.schema]));
    let mut key = format!("a/{}/{id}", kind.folder);
    if kind.folder == GROUPS.folder {
        let own = !call.workspace.is_empty();
        document["meta"] = json!({"resourceType": if own { "WorkspaceGroup" } else { "Group" }});
        if own {
            key = call.key(kind.folder, &id);
        }
    } else {
        fields(&mut document).entry("active").or_insert_with(|| true.into());
    }
    if kind.folder == PRINCIPALS.folder && call.text("applicationId").is_none() {
        document["applicationId"] = ids::uuid(world).into();
    }
    let name = text(&document, kind.name).to_owned();
    if name.is_empty() {
        return Err(Failure::scim(400, format!("{} must be given", kind.name)));
    }
    if all(call, world, kind).iter().any(|other| text(other, kind.name).eq_ignore_ascii_case(&name)) {
        let what = kind.schema.rsplit(':').next().unwrap_or_default();
        return Err(Failure::scim(409, format!("{what} with name {name} already exists.")));
    }
    world.put(key, document.clone());
    Ok(shown(&document))
}

fn get(call: &Call, world: &mut World, kind: &Kind) -> Answer {
    let key = place(call, world, kind)?;
    Ok(world.get(&key).map(shown).unwrap_or_default())
}

fn replace(call: &Call, world: &mut World, kind: &Kind) -> Answer {
    let key = place(call, world, kind)?;
    let before = world.get(&key).cloned().unwrap_or_default();
    let mut document = Value::Object(call.given());
    for field in ["id", "meta", "applicationId"] {
        if !before[field].is_null() {
            document[field] = before[field].clone();
        }
    }
    world.put(key, document.clone());
    Ok(shown(&document))
}

fn patch(call: &Call, world: &mut World, kind: &Kind) -> Answer {
    let key = place(call, world, kind)?;
    let mut document = world.get(&key).cloned().unwrap_or_default();
    for operation in call.body.get("Operations").and_then(Value::as_array).into_iter().flatten() {
        apply(&mut document, operation)?;
    }
    world.put(key, document.clone());
    Ok(shown(&document))
}

/// One operation of a SCIM patch: add, replace or remove a field, or members of a list.
fn apply(document: &mut Value, operation: &Value) -> Result<(), Failure> {
    let (path, value) = (text(operation, "path"), &operation["value"]);
    let (field, filter) = path.split_once('[').map_or((path, None), |(field, filter)| (field, Some(filter)));
    match text(operation, "op").to_lowercase().as_str() {
        "remove" => match filter {
            Some(filter) => {
                let gone = filter.split('"').nth(1).unwrap_or_default().to_owned();
                if let Some(list) = document.get_mut(field).and_then(Value::as_array_mut) {
                    list.retain(|item| text(item, "value") != gone);
                }
            }
            None => {
                fields(document).remove(field);
            }
        },
        "add" if value.is_array() && !field.is_empty() => {
            let list = fields(document).entry(field).or_insert_with(|| json!([]));
            let new = value.as_array().into_iter().flatten().cloned();
            if let Some(list) = list.as_array_mut() {
                for item in new {
                    if !list.iter().any(|known| known["value"] == item["value"]) {
                        list.push(item);
                    }
                }
            }
        }
        "add" | "replace" if field.is_empty() => {
            for (name, value) in value.as_object().into_iter().flatten() {
                document[name] = value.clone();
            }
        }
        "add" | "replace" => document[field] = value.clone(),
        other => return Err(Failure::scim(400, format!("the operation `{other}` is not known"))),
    }
    Ok(())
}

fn delete(call: &Call, world: &mut World, kind: &Kind) -> Answer {
    let key = place(call, world, kind)?;
    world.remove(&key);
    Ok(json!({}))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
mod tests {
    use serde_json::json;

    use crate::sandbox::{ADMIN, driver::Driver, seed::ACCOUNT_ID};

    const SCIM: &str = "/api/2.0/preview/scim/v2";

    #[test]
    fn the_caller_is_the_admin() {
        let me = Driver::new().get(&format!("{SCIM}/Me"));
        assert_eq!(me["userName"], ADMIN);
        assert!(me["groups"].as_array().unwrap().iter().any(|group| group["display"] == "admins"));
    }

    #[test]
    fn lists_are_cut_by_start_and_count_and_filtered() {
        let mut sandbox = Driver::new();
        let account = format!("/api/2.0/accounts/{ACCOUNT_ID}/scim/v2");
        let page = sandbox.get(&format!("{account}/Groups?startIndex=2&count=2"));
        assert_eq!(
            (&page["totalResults"], &page["itemsPerPage"], &page["startIndex"]),
            (&json!(5), &json!(2), &json!(2))
        );
        let one = sandbox.get(&format!("{account}/Groups?filter=displayName%20eq%20%22analysts%22"));
        assert_eq!(one["Resources"][0]["displayName"], "analysts");
    }

    #[test]
    fn a_workspaces_own_group_receives_no_grants() {
        let mut sandbox = Driver::new();
        sandbox.post(&format!("{SCIM}/Groups"), &json!({"displayName": "local"}));
        let (status, refused) = sandbox.send("POST", &format!("{SCIM}/Groups"), &json!({"displayName": "local"}));
        assert_eq!((status, &refused["scimType"]), (409, &json!("uniqueness")));
        let grant = json!({"changes": [{"principal": "local", "add": ["USE_CATALOG"]}]});
        let path = "/api/2.1/unity-catalog/permissions/catalog/main";
        sandbox.refuses("PATCH", path, &grant, 404, "PRINCIPAL_DOES_NOT_EXIST");
    }

    #[test]
    fn members_come_and_go_by_patch() {
        let mut sandbox = Driver::new();
        let group = sandbox.post(&format!("{SCIM}/Groups"), &json!({"displayName": "team"}));
        let path = format!("{SCIM}/Groups/{}", group["id"].as_str().unwrap());
        let schemas = json!(["urn:ietf:params:scim:api:messages:2.0:PatchOp"]);
        let add = json!([{"op": "add", "path": "members", "value": [{"value": "1"}, {"value": "2"}]}]);
        sandbox.patch(&path, &json!({"schemas": schemas, "Operations": add}));
        let remove = json!([{"op": "remove", "path": "members[value eq \"1\"]"}]);
        sandbox.patch(&path, &json!({"schemas": schemas, "Operations": remove}));
        assert_eq!(sandbox.get(&path)["members"], json!([{"value": "2"}]));
        sandbox.delete(&path);
        assert_eq!(sandbox.send("GET", &path, &json!(null)).0, 404);
    }
}
