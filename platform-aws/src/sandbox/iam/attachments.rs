//! Managed policies that are attached to roles.

use platform_sdk::sandbox::World;
use serde_json::json;

use super::{Outcome, Page, Role, names};
use crate::sandbox::{params::Params, problem::Problem, xml::Xml};

/// How many policies a role may have attached.
const QUOTA: usize = 10;

fn prefix(role: &Role) -> String {
    format!("iam/role-attachments/{}/", role.name.to_lowercase())
}

/// Whether a role has policies attached.
pub(super) fn any(world: &World, role: &Role) -> bool {
    world.list(&prefix(role)).next().is_some()
}

pub(super) fn attach(params: Params, world: &mut World) -> Outcome {
    let (role, arn) = subject(params, world)?;
    names::check_policy_arn(&arn)?;
    let key = prefix(&role) + &arn;
    if !world.contains(&key) && world.list(&prefix(&role)).count() >= QUOTA {
        let message = format!("Cannot exceed quota for PoliciesPerRole: {QUOTA}");
        return Err(Problem::new(409, "LimitExceeded", message));
    }
    world.put(key, json!({}));
    Ok(None)
}

pub(super) fn detach(params: Params, world: &mut World) -> Outcome {
    let (role, arn) = subject(params, world)?;
    if world.remove(&(prefix(&role) + &arn)) {
        return Ok(None);
    }
    Err(Problem::new(404, "NoSuchEntity", format!("Policy {arn} was not found.")))
}

pub(super) fn list(mut params: Params, world: &mut World) -> Outcome {
    let role = params.required("RoleName")?;
    let path = params.optional("PathPrefix").unwrap_or_else(|| "/".into());
    let page = Page::of(&mut params)?;
    params.done()?;
    let role = Role::by_name(world, &role)?;
    let prefix = prefix(&role);
    let arns = world.list(&prefix).map(|(key, _)| (key.to_owned(), key[prefix.len()..].to_owned()));
    let within = |arn: &str| arn.split_once(":policy").is_some_and(|(_, rest)| rest.starts_with(&path));
    let mut result = Xml::default();
    page.write(&mut result, "AttachedPolicies", arns.filter(|(_, arn)| within(arn)), |list, arn| {
        list.element("member", |policy| {
            policy.text("PolicyName", arn.rsplit('/').next().unwrap_or_default()).text("PolicyArn", &arn);
        });
    });
    Ok(Some(result))
}

fn subject(mut params: Params, world: &World) -> Result<(Role, String), Problem> {
    let role = params.required("RoleName")?;
    let arn = params.required("PolicyArn")?;
    params.done()?;
    Ok((Role::by_name(world, &role)?, arn))
}
