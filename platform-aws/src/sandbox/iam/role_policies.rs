//! Inline policies of roles.

use platform_sdk::sandbox::World;
use serde_json::json;

use super::{Outcome, Page, Role, documents, names};
use crate::sandbox::{params::Params, problem::Problem, xml::Xml};

/// How much policy text a role may hold, white space not counted.
const QUOTA: usize = 10_240;

fn prefix(role: &Role) -> String {
    format!("iam/role-policies/{}/", role.name.to_lowercase())
}

fn key(role: &Role, policy: &str) -> String {
    format!("{}{policy}", prefix(role))
}

/// Whether a role has inline policies.
pub(super) fn any(world: &World, role: &Role) -> bool {
    world.list(&prefix(role)).next().is_some()
}

pub(super) fn put(mut params: Params, world: &mut World) -> Outcome {
    let role = params.required("RoleName")?;
    let name = params.required("PolicyName")?;
    let document = params.required("PolicyDocument")?;
    params.done()?;
    let role = Role::by_name(world, &role)?;
    names::check_policy(&name)?;
    documents::check_permissions(&document)?;
    let key = key(&role, &name);
    let prefix = prefix(&role);
    let others = world.list(&prefix).filter(|(other, _)| **other != *key);
    let held: usize = others.filter_map(|(_, document)| document.as_str()).map(documents::length).sum();
    if held + documents::length(&document) > QUOTA {
        let message = format!("Maximum policy size of {QUOTA} bytes exceeded for role {}", role.name);
        return Err(Problem::new(409, "LimitExceeded", message));
    }
    world.put(key, json!(document));
    Ok(None)
}

pub(super) fn get(mut params: Params, world: &mut World) -> Outcome {
    let role = params.required("RoleName")?;
    let name = params.required("PolicyName")?;
    params.done()?;
    let role = Role::by_name(world, &role)?;
    names::check_policy(&name)?;
    let document = world.get(&key(&role, &name)).and_then(|document| document.as_str()).ok_or_else(|| gone(&name))?;
    let mut result = Xml::default();
    result.text("RoleName", &role.name).text("PolicyName", &name).text("PolicyDocument", documents::encoded(document));
    Ok(Some(result))
}

pub(super) fn delete(mut params: Params, world: &mut World) -> Outcome {
    let role = params.required("RoleName")?;
    let name = params.required("PolicyName")?;
    params.done()?;
    let role = Role::by_name(world, &role)?;
    names::check_policy(&name)?;
    if world.remove(&key(&role, &name)) { Ok(None) } else { Err(gone(&name)) }
}

pub(super) fn list(mut params: Params, world: &mut World) -> Outcome {
    let role = params.required("RoleName")?;
    let page = Page::of(&mut params)?;
    params.done()?;
    let role = Role::by_name(world, &role)?;
    let prefix = prefix(&role);
    let names = world.list(&prefix).map(|(key, _)| (key.to_owned(), key[prefix.len()..].to_owned()));
    let mut result = Xml::default();
    page.write(&mut result, "PolicyNames", names, |list, name| {
        list.text("member", name);
    });
    Ok(Some(result))
}

fn gone(name: &str) -> Problem {
    Problem::new(404, "NoSuchEntity", format!("The role policy with name {name} cannot be found."))
}
