//! Roles.

use platform_sdk::sandbox::World;
use serde::{Deserialize, Serialize};

use super::{Outcome, Page, documents, names, tags};
use crate::sandbox::{
    ACCOUNT, clock,
    params::{Params, invalid},
    problem::Problem,
    xml::Xml,
};

const ROLES: &str = "iam/roles/";

/// A role as the world keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::sandbox) struct Role {
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) id: String,
    pub(super) path: String,
    pub(super) created_ms: u64,
    /// The trust policy, byte for byte as it was sent.
    pub(in crate::sandbox) trust: String,
    pub(super) description: Option<String>,
    pub(in crate::sandbox) max_session_seconds: u64,
    pub(super) permissions_boundary: Option<String>,
    pub(super) tags: Vec<(String, String)>,
}

impl Role {
    /// The role of this name. Names that differ only in case are the same name.
    pub(super) fn by_name(world: &World, name: &str) -> Result<Self, Problem> {
        names::check_role(name)?;
        let document = world
            .get(&key(name))
            .ok_or_else(|| Problem::new(404, "NoSuchEntity", format!("The role with name {name} cannot be found.")))?;
        Ok(Self::of(document))
    }

    /// The role with this ARN.
    pub(in crate::sandbox) fn by_arn(world: &World, arn: &str) -> Option<Self> {
        let name = arn.rsplit('/').next()?;
        Self::by_name(world, name).ok().filter(|role| role.arn() == arn)
    }

    fn of(document: &serde_json::Value) -> Self {
        Self::deserialize(document).expect("the sandbox wrote this role itself")
    }

    pub(super) fn arn(&self) -> String {
        format!("arn:aws:iam::{ACCOUNT}:role{}{}", self.path, self.name)
    }

    pub(super) fn save(&self, world: &mut World) {
        let document = serde_json::to_value(self).expect("a role is plain data");
        world.put(key(&self.name), document);
    }

    /// What every answer says of a role.
    fn write(&self, into: &mut Xml) {
        into.text("Path", &self.path).text("RoleName", &self.name).text("RoleId", &self.id);
        into.text("Arn", self.arn()).text("CreateDate", clock::seconds(self.created_ms));
        into.text("AssumeRolePolicyDocument", documents::encoded(&self.trust));
    }

    /// What lists and reads say more.
    fn write_settings(&self, into: &mut Xml) {
        into.maybe("Description", self.description.as_ref()).text("MaxSessionDuration", self.max_session_seconds);
    }

    /// What only reads say.
    fn write_rest(&self, into: &mut Xml) {
        if let Some(arn) = &self.permissions_boundary {
            into.element("PermissionsBoundary", |boundary| {
                boundary.text("PermissionsBoundaryType", "Policy").text("PermissionsBoundaryArn", arn);
            });
        }
        if !self.tags.is_empty() {
            tags::write(into, &self.tags);
        }
    }
}

fn key(name: &str) -> String {
    format!("{ROLES}{}", name.to_lowercase())
}

pub(super) fn create(mut params: Params, world: &mut World) -> Outcome {
    let name = params.required("RoleName")?;
    let trust = params.required("AssumeRolePolicyDocument")?;
    let path = params.optional("Path").unwrap_or_else(|| "/".into());
    let description = checked_description(&mut params)?;
    let max_session_seconds = params.number("MaxSessionDuration", 3_600, 43_200)?.unwrap_or(3_600);
    let permissions_boundary = params.optional("PermissionsBoundary");
    let tags = params.tags()?;
    params.done()?;
    names::check_role(&name)?;
    names::check_path(&path)?;
    tags::check(&tags)?;
    permissions_boundary.as_deref().map_or(Ok(()), names::check_policy_arn)?;
    if world.contains(&key(&name)) {
        let message = format!("Role with name {name} already exists.");
        return Err(Problem::new(409, "EntityAlreadyExists", message));
    }
    documents::check_trust(&trust, world)?;
    let id = format!("AROASANDBOX{:010}", world.next_id());
    let created_ms = world.now_ms();
    let role = Role { name, id, path, created_ms, trust, description, max_session_seconds, permissions_boundary, tags };
    role.save(world);
    let mut result = Xml::default();
    result.element("Role", |into| {
        role.write(into);
        role.write_rest(into);
    });
    Ok(Some(result))
}

pub(super) fn get(mut params: Params, world: &mut World) -> Outcome {
    let name = params.required("RoleName")?;
    params.done()?;
    let role = Role::by_name(world, &name)?;
    let mut result = Xml::default();
    result.element("Role", |into| {
        role.write(into);
        role.write_settings(into);
        role.write_rest(into);
        into.element("RoleLastUsed", |_| {});
    });
    Ok(Some(result))
}

pub(super) fn list(mut params: Params, world: &mut World) -> Outcome {
    let prefix = params.optional("PathPrefix").unwrap_or_else(|| "/".into());
    let page = Page::of(&mut params)?;
    params.done()?;
    let roles = world.list(ROLES).map(|(key, document)| (key.to_owned(), Role::of(document)));
    let mut result = Xml::default();
    page.write(&mut result, "Roles", roles.filter(|(_, role)| role.path.starts_with(&prefix)), |list, role| {
        list.element("member", |into| {
            role.write(into);
            role.write_settings(into);
        });
    });
    Ok(Some(result))
}

pub(super) fn update(mut params: Params, world: &mut World) -> Outcome {
    let name = params.required("RoleName")?;
    let description = checked_description(&mut params)?;
    let max_session = params.number("MaxSessionDuration", 3_600, 43_200)?;
    params.done()?;
    let mut role = Role::by_name(world, &name)?;
    if let Some(description) = description {
        role.description = Some(description).filter(|text| !text.is_empty());
    }
    role.max_session_seconds = max_session.unwrap_or(role.max_session_seconds);
    role.save(world);
    Ok(Some(Xml::default()))
}

pub(super) fn update_trust(mut params: Params, world: &mut World) -> Outcome {
    let name = params.required("RoleName")?;
    let trust = params.required("PolicyDocument")?;
    params.done()?;
    let role = Role::by_name(world, &name)?;
    documents::check_trust(&trust, world)?;
    Role { trust, ..role }.save(world);
    Ok(None)
}

pub(super) fn delete(mut params: Params, world: &mut World) -> Outcome {
    let name = params.required("RoleName")?;
    params.done()?;
    let role = Role::by_name(world, &name)?;
    let conflict = |message| Err(Problem::new(409, "DeleteConflict", message));
    if super::role_policies::any(world, &role) {
        return conflict("Cannot delete entity, must delete policies first.");
    }
    if super::attachments::any(world, &role) {
        return conflict("Cannot delete entity, must detach all policies first.");
    }
    world.remove(&key(&name));
    Ok(None)
}

/// The sandbox has no instance profiles; that a role is in none is what a client wants to know before it deletes one.
pub(super) fn list_instance_profiles(mut params: Params, world: &mut World) -> Outcome {
    let name = params.required("RoleName")?;
    let page = Page::of(&mut params)?;
    params.done()?;
    Role::by_name(world, &name)?;
    let mut result = Xml::default();
    page.write(&mut result, "InstanceProfiles", std::iter::empty::<(String, ())>(), |_, ()| {});
    Ok(Some(result))
}

fn checked_description(params: &mut Params) -> Result<Option<String>, Problem> {
    let description = params.optional("Description");
    match &description {
        Some(text) if text.chars().count() > 1_000 => {
            Err(invalid("Description", text, "Member must have length less than or equal to 1000"))
        }
        _ => Ok(description),
    }
}
