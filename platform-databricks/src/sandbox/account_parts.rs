//! What a workspace in one's own cloud is made of: credentials, storage configurations, networks.

use platform_sdk::sandbox::World;
use serde_json::{Value, json};

use super::{
    account,
    answer::{Answer, Failure, fields, shown, text},
    call::{Call, Route, set_fields},
    ids, seed,
};

pub(super) const ROUTES: &[Route] = &[
    ("POST /api/2.0/accounts/{account_id}/credentials", |call, world| create(call, world, &CREDENTIALS)),
    ("GET /api/2.0/accounts/{account_id}/credentials", |_, world| list(world, &CREDENTIALS)),
    ("GET /api/2.0/accounts/{account_id}/credentials/{credentials_id}", |call, world| get(call, world, &CREDENTIALS)),
    ("DELETE /api/2.0/accounts/{account_id}/credentials/{credentials_id}", |call, world| {
        delete(call, world, &CREDENTIALS)
    }),
    ("POST /api/2.0/accounts/{account_id}/storage-configurations", |call, world| create(call, world, &STORAGE)),
    ("GET /api/2.0/accounts/{account_id}/storage-configurations", |_, world| list(world, &STORAGE)),
    ("GET /api/2.0/accounts/{account_id}/storage-configurations/{storage_configuration_id}", |call, world| {
        get(call, world, &STORAGE)
    }),
    ("DELETE /api/2.0/accounts/{account_id}/storage-configurations/{storage_configuration_id}", |call, world| {
        delete(call, world, &STORAGE)
    }),
    ("POST /api/2.0/accounts/{account_id}/networks", |call, world| create(call, world, &NETWORKS)),
    ("GET /api/2.0/accounts/{account_id}/networks", |_, world| list(world, &NETWORKS)),
    ("GET /api/2.0/accounts/{account_id}/networks/{network_id}", |call, world| get(call, world, &NETWORKS)),
    ("DELETE /api/2.0/accounts/{account_id}/networks/{network_id}", |call, world| delete(call, world, &NETWORKS)),
];

/// A kind of part: it is made, read and deleted, never changed.
pub(super) struct Part {
    folder: &'static str,
    /// The field of its id, here and in a workspace.
    pub(super) id: &'static str,
    name: &'static str,
}

pub(super) const CREDENTIALS: Part = Part { folder: "credentials", id: "credentials_id", name: "credentials_name" };
pub(super) const STORAGE: Part =
    Part { folder: "storage-configurations", id: "storage_configuration_id", name: "storage_configuration_name" };
pub(super) const NETWORKS: Part = Part { folder: "networks", id: "network_id", name: "network_name" };

impl Part {
    fn key(&self, id: &str) -> String {
        format!("a/{}/{id}", self.folder)
    }

    /// The part of this id.
    ///
    /// # Errors
    /// 404 when the account has none.
    pub(super) fn find<'w>(&self, world: &'w World, id: &str) -> Result<&'w Value, Failure> {
        world
            .get(&self.key(id))
            .ok_or_else(|| Failure::missing(format!("{} {id} does not exist in this account", self.folder)))
    }
}

fn create(call: &Call, world: &mut World, part: &Part) -> Answer {
    let name = call.required(part.name)?;
    if world.list(&part.key("")).any(|(_, other)| text(other, part.name) == name) {
        return Err(Failure::new(409, "RESOURCE_ALREADY_EXISTS", format!("{} {name} exists already", part.name)));
    }
    let id = ids::uuid(world);
    let mut document = Value::Object(call.given());
    let rest = json!({"account_id": seed::ACCOUNT_ID, part.id: id, "creation_time": call.now});
    fields(&mut document).extend(set_fields(&rest));
    if part.id == NETWORKS.id {
        document["vpc_status"] = "UNATTACHED".into();
    }
    world.put(part.key(&id), document.clone());
    Ok(shown(&document))
}

#[expect(clippy::unnecessary_wraps, reason = "handlers answer results")]
fn list(world: &World, part: &Part) -> Answer {
    Ok(world.list(&part.key("")).map(|(_, document)| shown(document)).collect())
}

fn get(call: &Call, world: &World, part: &Part) -> Answer {
    part.find(world, call.parameter(part.id)).map(shown)
}

fn delete(call: &Call, world: &mut World, part: &Part) -> Answer {
    let id = call.parameter(part.id);
    let answer = shown(part.find(world, id)?);
    if account::uses(world, part, id) {
        return Err(Failure::conflict(format!("{} {id} is in use by a workspace", part.folder)));
    }
    world.remove(&part.key(id));
    Ok(answer)
}
