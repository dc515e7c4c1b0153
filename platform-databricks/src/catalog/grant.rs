//! Grant: privileges of one principal on one object. <https://docs.databricks.com/api/workspace/grants>
//!
//! Quirks: it only ever adds and takes away its own privileges; what others gave the same principal is neither seen nor
//! touched. The same privilege in `add` and `remove` is refused. The principal is a user's e-mail address, a service
//! principal's application id, or the name of a group of the account (not of the workspace).

use std::collections::BTreeSet;

use async_trait::async_trait;
use platform_sdk::{
    Declared, Handle, HasId as _, Id, Input, IntoInput, Lookup, Output, Resolved, Stage, ToExpr as _,
    derive::{Outputs, Resource},
    provider::{
        Change, Context, ErrorKind, Existing, Found, Made, Manage, Observed, ProviderError, ProviderResult, Read,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Catalog, ExternalLocation, Schema, StorageCredential, Table, Volume, privileges::misfits};
use crate::{
    WorkspaceProvider,
    client::{Client, path},
};

// declare

/// Privileges of one principal on one object: `Grant::on(&lake).to("analysts").can([UseCatalog, Select])`.
#[derive(Resource)]
#[resource(
    type = "databricks:Grant",
    outputs = GrantOutputs,
    provider = WorkspaceProvider,
    scope = "metastore",
    identity = key,
    validate = problems
)]
pub struct Grant<S: Stage = Declared> {
    /// The kind of object.
    #[field(required, key)]
    pub securable_kind: S::In<SecurableKind>,
    /// The full name of the object.
    #[field(required, key, parent = cascades, normalize = super::securable::lower)]
    pub securable: S::In<String>,
    /// Who gets them: a user, a group of the account, or a service principal's application id.
    #[field(required, key, access = grantee)]
    pub principal: S::In<String>,
    /// What they may do.
    #[field(required, set)]
    pub privileges: S::In<Vec<Privilege>>,
}

/// Outputs of [`Grant`].
#[derive(Outputs)]
pub struct GrantOutputs<S: Stage = Declared> {
    /// `catalog/lake/analysts`.
    #[output(from = "securable")]
    pub id: S::Out<Id<Grant>>,
}

platform_sdk::names! {
    /// The kinds of objects that privileges are granted on.
    pub open enum SecurableKind {
        /// A catalog.
        Catalog = "catalog",
        /// An external location.
        ExternalLocation = "external_location",
        /// A schema.
        Schema = "schema",
        /// A storage credential.
        StorageCredential = "storage_credential",
        /// A table or view.
        Table = "table",
        /// A volume.
        Volume = "volume",
    }
}

platform_sdk::names! {
    /// What a principal may do. On a catalog or schema it holds for everything in it.
    pub open enum Privilege {
        /// Everything that can be granted on the object.
        AllPrivileges = "ALL_PRIVILEGES",
        /// Set tags.
        ApplyTag = "APPLY_TAG",
        /// See that it exists.
        Browse = "BROWSE",
        /// Make external tables in the location.
        CreateExternalTable = "CREATE_EXTERNAL_TABLE",
        /// Make external volumes in the location.
        CreateExternalVolume = "CREATE_EXTERNAL_VOLUME",
        /// Make external locations with the credential.
        CreateExternalLocation = "CREATE_EXTERNAL_LOCATION",
        /// Make functions.
        CreateFunction = "CREATE_FUNCTION",
        /// Keep managed data in the location.
        CreateManagedStorage = "CREATE_MANAGED_STORAGE",
        /// Make materialized views.
        CreateMaterializedView = "CREATE_MATERIALIZED_VIEW",
        /// Make models.
        CreateModel = "CREATE_MODEL",
        /// Make schemas.
        CreateSchema = "CREATE_SCHEMA",
        /// Make tables.
        CreateTable = "CREATE_TABLE",
        /// Make volumes.
        CreateVolume = "CREATE_VOLUME",
        /// Run functions and models.
        Execute = "EXECUTE",
        /// Let engines outside of Databricks reach tables of the schema.
        ExternalUseSchema = "EXTERNAL_USE_SCHEMA",
        /// Change, grant and delete, as the owner can.
        Manage = "MANAGE",
        /// Write tables.
        Modify = "MODIFY",
        /// Read files of the location.
        ReadFiles = "READ_FILES",
        /// Read files of volumes.
        ReadVolume = "READ_VOLUME",
        /// Refresh materialized views and streaming tables.
        Refresh = "REFRESH",
        /// Read tables.
        Select = "SELECT",
        /// Reach into the catalog.
        UseCatalog = "USE_CATALOG",
        /// Reach into the schema.
        UseSchema = "USE_SCHEMA",
        /// Write files of the location.
        WriteFiles = "WRITE_FILES",
        /// Write files of volumes.
        WriteVolume = "WRITE_VOLUME",
    }
}

/// A grant without a principal: `.to(..)` comes next.
#[must_use = "a grant needs a principal: `.to(..)`"]
pub struct GrantOn(SecurableKind, Input<String>);

/// A grant without privileges: `.can(..)` comes next.
#[must_use = "a grant needs privileges: `.can(..)`"]
pub struct GrantTo(GrantOn, Input<String>);

impl Grant {
    /// On this object: a handle, a lookup, or an id.
    pub fn on(object: &impl Securable) -> GrantOn {
        let (kind, name) = object.securable();
        GrantOn(kind, name)
    }
}

impl GrantOn {
    /// To this user, group of the account, or service principal (its application id).
    pub fn to(self, principal: impl IntoInput<String>) -> GrantTo {
        GrantTo(self, principal.into_input())
    }
}

impl GrantTo {
    /// These privileges.
    pub fn can(self, privileges: impl IntoInput<Vec<Privilege>>) -> Grant {
        let Self(GrantOn(kind, name), principal) = self;
        Grant::new(kind, name, principal, privileges)
    }
}

/// An object that privileges can be granted on.
#[diagnostic::on_unimplemented(
    message = "nothing can be granted on `{Self}`",
    label = "a handle, lookup or id of a catalog, schema, table, volume, storage credential or external location is wanted"
)]
pub trait Securable {
    /// Its kind and full name.
    fn securable(&self) -> (SecurableKind, Input<String>);
}

macro_rules! securable {
    ($($resource:ident),+) => {$(
        impl Securable for Handle<$resource> {
            fn securable(&self) -> (SecurableKind, Input<String>) {
                (SecurableKind::$resource, text($resource::id_of(self)))
            }
        }

        impl Securable for Lookup<$resource> {
            fn securable(&self) -> (SecurableKind, Input<String>) {
                (SecurableKind::$resource, text($resource::id_of(self)))
            }
        }

        impl Securable for Id<$resource> {
            fn securable(&self) -> (SecurableKind, Input<String>) {
                (SecurableKind::$resource, Input::Value(self.as_str().to_owned()))
            }
        }
    )+};
}

securable!(Catalog, ExternalLocation, Schema, StorageCredential, Table, Volume);

fn text<R>(id: &Output<Id<R>>) -> Input<String> {
    Input::Output(Output::from_expr(id.to_expr()))
}

fn problems(inputs: &Value) -> Vec<(String, String)> {
    let none = inputs["privileges"].as_array().is_some_and(Vec::is_empty);
    let empty = none.then(|| ("privileges".to_owned(), "is empty: a grant of nothing is no grant".to_owned()));
    empty.into_iter().chain(misfits(inputs)).collect()
}

// manage

#[async_trait]
impl Manage for Grant {
    type Client = Client;

    async fn read(client: &Client, existing: &Existing<Self>) -> Read<Self> {
        let (kind, securable, principal) = parts(&existing.id)?;
        let mut held = held(client, &kind, &securable, &principal).await?;
        if let Some(inputs) = &existing.inputs {
            held.retain(|privilege| inputs.privileges.contains(privilege));
        }
        if held.is_empty() {
            return Ok(None);
        }
        let inputs = Grant { securable_kind: kind, securable, principal, privileges: held.into_iter().collect() };
        let Made { id, outputs } = made(&inputs);
        Ok(Some(Observed { id, inputs, outputs, tainted: None }))
    }

    /// Only what holds all of the privileges is this grant: the principal may have others from elsewhere.
    async fn find(client: &Client, inputs: &Grant<Resolved>) -> ProviderResult<Vec<Found>> {
        let held = held(client, &inputs.securable_kind, &inputs.securable, &inputs.principal).await?;
        let all = inputs.privileges.iter().all(|privilege| held.contains(privilege));
        Ok(all.then(|| Found::id(id(inputs))).into_iter().collect())
    }

    async fn create(client: &Client, _ctx: &Context, inputs: Grant<Resolved>) -> ProviderResult<Made<Self>> {
        let granted = change(client, &inputs, &inputs.privileges, &[]).await;
        granted.map_err(|mut error| {
            // What is missing is the object or the principal.
            if error.is_not_found() {
                error.kind = ErrorKind::Invalid { field: None };
            }
            principal_hint(error).while_doing(format!("grant on {}", described(&inputs)))
        })?;
        Ok(made(&inputs))
    }

    async fn update(client: &Client, _ctx: &Context, update: Change<Self>) -> ProviderResult<Made<Self>> {
        let (before, after) = (&update.before.privileges, &update.after.privileges);
        let add: Vec<_> = after.iter().filter(|privilege| !before.contains(privilege)).cloned().collect();
        let remove: Vec<_> = before.iter().filter(|privilege| !after.contains(privilege)).cloned().collect();
        if !add.is_empty() || !remove.is_empty() {
            let changed = change(client, &update.after, &add, &remove).await;
            changed.map_err(|error| error.while_doing(format!("change the grant on {}", described(&update.after))))?;
        }
        Ok(made(&update.after))
    }

    async fn delete(client: &Client, _ctx: &Context, existing: Existing<Self>, _force: bool) -> ProviderResult<()> {
        let Some(inputs) = existing.inputs else {
            let message = format!("revoke grant `{}`: state does not say which privileges are its own", existing.id);
            return Err(ProviderError::new(ErrorKind::Invalid { field: None }, message));
        };
        match change(client, &inputs, &[], &inputs.privileges).await {
            // Who is gone holds nothing any more.
            Err(error) if !error.is_not_found() && !matches!(error.kind, ErrorKind::Missing { .. }) => {
                Err(error.while_doing(format!("revoke the grant on {}", described(&inputs))))
            }
            _ => Ok(()),
        }
    }
}

/// What the principal holds on the object itself, from whomever.
async fn held(
    client: &Client,
    kind: &SecurableKind,
    securable: &str,
    principal: &str,
) -> ProviderResult<BTreeSet<Privilege>> {
    let path = path("api/2.1/unity-catalog/permissions", [kind.as_str(), securable]);
    let pages = client.pages(path, "privilege_assignments").query("principal", principal);
    match pages.all::<Assignment>().await {
        Ok(all) => {
            let theirs = all.into_iter().filter(|assignment| assignment.principal == principal);
            Ok(theirs.flat_map(|assignment| assignment.privileges).collect())
        }
        Err(error) if error.is_not_found() => Ok(BTreeSet::new()),
        Err(error) => Err(error.while_doing(format!("read the grants on {kind} `{securable}`"))),
    }
}

async fn change(
    client: &Client,
    grant: &Grant<Resolved>,
    add: &[Privilege],
    remove: &[Privilege],
) -> ProviderResult<()> {
    let path = path("api/2.1/unity-catalog/permissions", [grant.securable_kind.as_str(), &grant.securable]);
    let changes = Changes { changes: [PrivilegeChange { principal: &grant.principal, add, remove }] };
    client.patch(path).json(&changes).done().await
}

fn principal_hint(error: ProviderError) -> ProviderError {
    if error.message.contains("principal") || error.message.contains("Principal") {
        return error.hint("name a user, a group of the account, or a service principal's application id; groups of the workspace can't hold grants");
    }
    error
}

fn described(grant: &Grant<Resolved>) -> String {
    format!("{} `{}` to `{}`", grant.securable_kind, grant.securable, grant.principal)
}

// translate

#[derive(Deserialize)]
struct Assignment {
    #[serde(default)]
    principal: String,
    #[serde(default)]
    privileges: Vec<Privilege>,
}

#[derive(Serialize)]
struct Changes<'a> {
    changes: [PrivilegeChange<'a>; 1],
}

#[derive(Serialize)]
struct PrivilegeChange<'a> {
    principal: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    add: &'a [Privilege],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    remove: &'a [Privilege],
}

fn id(inputs: &Grant<Resolved>) -> String {
    format!("{}/{}/{}", inputs.securable_kind, inputs.securable.to_lowercase(), inputs.principal)
}

/// The parts of an id; a principal may hold slashes.
fn parts(id: &str) -> ProviderResult<(SecurableKind, String, String)> {
    let mut parts = id.splitn(3, '/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(kind), Some(securable), Some(principal)) => {
            Ok((SecurableKind::from(kind), securable.to_owned(), principal.to_owned()))
        }
        _ => Err(ProviderError::new(ErrorKind::Invalid { field: None }, format!("`{id}` is no grant's id"))
            .hint("write it as kind, name and principal: `catalog/lake/analysts`")),
    }
}

fn made(inputs: &Grant<Resolved>) -> Made<Grant> {
    let id = id(inputs);
    Made { outputs: GrantOutputs { id: Id::new(&id) }, id }
}

// prove

#[cfg(test)]
#[path = "grant_tests.rs"]
mod tests;
