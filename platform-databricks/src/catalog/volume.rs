//! Volume: files in a schema. <https://docs.databricks.com/api/workspace/volumes>
//!
//! Quirks: a managed volume shows a storage location that it does not take; an external one needs a place inside an
//! external location that no table or volume uses. Deleting a managed volume deletes its files; deleting an external one
//! leaves them where they are.

use async_trait::async_trait;
use platform_sdk::{
    Declared, Id, IntoInput, Resolved, Stage,
    derive::{Outputs, Resource},
    provider::{Change, Context, Existing, Found, Made, Manage, Observed, ProviderResult, Read, id_in_address},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Schema,
    securable::{Kind, Patch, by_parent, lower, name_problems, place, set_text},
};
use crate::{WorkspaceProvider, client::Client};

// declare

/// A volume: files below `/Volumes/catalog/schema/volume`.
#[derive(Resource)]
#[resource(
    type = "databricks:Volume",
    outputs = VolumeOutputs,
    provider = WorkspaceProvider,
    scope = "metastore",
    data = managed,
    identity = key,
    validate = name_problems
)]
pub struct Volume<S: Stage = Declared> {
    /// The schema that it is in.
    #[field(required, key, replace, parent = refuses, normalize = lower)]
    pub schema: S::In<Id<Schema>>,
    /// Its name in the schema; kept in lower case.
    #[field(required, key, renames, normalize = lower)]
    pub name: S::In<String>,
    /// Where the files of an external volume are. Unless set, the volume is managed: its files are kept with the
    /// schema's tables.
    #[field(replace, normalize = place)]
    pub storage_location: Option<S::In<String>>,
    /// What it is for.
    #[field(nullable)]
    pub comment: Option<S::In<String>>,
    /// The user, group or service principal that owns it. Unless set, who creates it.
    #[field(computed, access = owner)]
    pub owner: Option<S::In<String>>,
}

/// Outputs of [`Volume`].
#[derive(Outputs)]
pub struct VolumeOutputs<S: Stage = Declared> {
    /// Its full name.
    #[output(is = "{schema}.{name}")]
    pub id: S::Out<Id<Volume>>,
    /// Its name in the schema.
    #[output(is = "{name}")]
    pub name: S::Out<String>,
    /// `catalog.schema.volume`.
    #[output(is = "{schema}.{name}")]
    pub full_name: S::Out<String>,
    /// `/Volumes/catalog/schema/volume`.
    #[output(from = "name", from = "schema")]
    pub path: S::Out<String>,
}

/// Whether its files go with it.
fn managed(inputs: &Value) -> bool {
    inputs.get("storage_location").is_none()
}

impl Volume {
    /// A volume whose files the service keeps, and deletes with it.
    pub fn managed(schema: impl IntoInput<Id<Schema>>, name: impl IntoInput<String>) -> Self {
        Self::new(schema, name)
    }

    /// A volume over files that lie at `location`, and stay there when it is deleted.
    pub fn external(
        schema: impl IntoInput<Id<Schema>>,
        name: impl IntoInput<String>,
        location: impl IntoInput<String>,
    ) -> Self {
        Self::new(schema, name).storage_location(location)
    }
}

// manage

pub(super) const KIND: Kind = Kind { noun: "volume", collection: "volumes", forces: false, bound: None };

#[async_trait]
impl Manage for Volume {
    type Client = Client;

    async fn read(client: &Client, existing: &Existing<Self>) -> Read<Self> {
        Ok(KIND.read::<Info>(client, &existing.id).await?.map(observed))
    }

    async fn meant(_client: &Client, asked: &str) -> ProviderResult<Vec<String>> {
        id_in_address(asked, &["explore/data/volumes/{}/{}/{}"], ".").map(|id| vec![id])
    }

    async fn find(client: &Client, inputs: &Volume<Resolved>) -> ProviderResult<Vec<Found>> {
        KIND.find(client, &full_name(inputs)).await
    }

    async fn create(client: &Client, ctx: &Context, inputs: Volume<Resolved>) -> ProviderResult<Made<Self>> {
        let mut info: Info = KIND.create(client, &full_name(&inputs), &new(&inputs)).await?;
        if inputs.owner.is_some() {
            ctx.created(&info.full_name).await?;
            let patch = Patch { owner: inputs.owner.as_deref(), ..Patch::default() };
            info = KIND.update(client, ctx, &info.full_name, patch).await?;
        }
        Ok(made(&info))
    }

    async fn update(client: &Client, ctx: &Context, change: Change<Self>) -> ProviderResult<Made<Self>> {
        Ok(made(&KIND.update(client, ctx, &moved(&change), changed(&change)).await?))
    }

    async fn delete(client: &Client, _ctx: &Context, existing: Existing<Self>, force: bool) -> ProviderResult<()> {
        KIND.delete(client, &existing.id, force).await
    }

    async fn list(client: &Client, of: &[Existing<Self>]) -> ProviderResult<Option<Vec<Observed<Self>>>> {
        let mut found = Vec::new();
        for ((catalog, schema), wanted) in by_parent(of.iter().map(|e| e.id.as_str())) {
            let query = [("catalog_name", catalog), ("schema_name", schema)];
            let listed = KIND.list_wanted::<Info>(client, &query, &wanted, |info| &info.full_name).await?;
            let Some(listed) = listed else { return Ok(None) };
            found.extend(listed.into_iter().map(observed));
        }
        Ok(Some(found))
    }
}

// translate

#[derive(Deserialize)]
struct Info {
    name: String,
    catalog_name: String,
    schema_name: String,
    full_name: String,
    volume_type: String,
    storage_location: Option<String>,
    comment: Option<String>,
    owner: Option<String>,
}

#[derive(Serialize)]
struct New<'a> {
    catalog_name: &'a str,
    schema_name: &'a str,
    name: &'a str,
    volume_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_location: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a String>,
}

fn new(inputs: &Volume<Resolved>) -> New<'_> {
    let (catalog_name, schema_name) = inputs.schema.as_str().split_once('.').unwrap_or_default();
    New {
        catalog_name,
        schema_name,
        name: &inputs.name,
        volume_type: if inputs.storage_location.is_some() { "EXTERNAL" } else { "MANAGED" },
        storage_location: inputs.storage_location.as_ref(),
        comment: inputs.comment.as_ref(),
    }
}

fn full_name(inputs: &Volume<Resolved>) -> String {
    format!("{}.{}", inputs.schema, inputs.name).to_lowercase()
}

/// The id before this change, below a schema that may have been renamed since.
fn moved(change: &Change<Volume>) -> String {
    format!("{}.{}", change.after.schema, change.before.name).to_lowercase()
}

fn changed(change: &Change<Volume>) -> Patch<'_> {
    let after = &change.after;
    let mut patch = Patch::default();
    if change.touches("comment") {
        patch.set("comment", after.comment.as_ref().unwrap_or(&String::new()));
    }
    if change.touches("name") {
        patch.renamed = Some((&after.name, full_name(after)));
    }
    if change.touches("owner") {
        patch.owner = after.owner.as_deref();
    }
    patch
}

fn outputs(info: &Info) -> VolumeOutputs<Resolved> {
    VolumeOutputs {
        id: Id::new(&info.full_name),
        name: info.name.clone(),
        full_name: info.full_name.clone(),
        path: format!("/Volumes/{}/{}/{}", info.catalog_name, info.schema_name, info.name),
    }
}

fn made(info: &Info) -> Made<Volume> {
    Made { id: info.full_name.clone(), outputs: outputs(info) }
}

fn observed(info: Info) -> Observed<Volume> {
    let outputs = outputs(&info);
    let external = info.volume_type == "EXTERNAL";
    Observed {
        id: info.full_name,
        outputs,
        inputs: Volume {
            schema: Id::new(format!("{}.{}", info.catalog_name, info.schema_name)),
            name: info.name,
            storage_location: info.storage_location.filter(|_| external),
            comment: set_text(info.comment),
            owner: info.owner,
        },
        tainted: None,
    }
}

// prove

#[cfg(test)]
mod tests {
    use platform_sdk::{
        Id, Resource as _, ToExpr as _,
        desired::Tree,
        provider::{Existing, Manage as _},
    };

    use super::Volume;
    use crate::client::scripted::{Server, json};

    #[test]
    fn files_are_lost_with_a_managed_volume_and_stay_behind_an_external_one() {
        let holds_data = |volume: Volume| Volume::schema().holds_data(&Tree::of_known(&volume.to_expr()));
        assert!(holds_data(Volume::managed(Id::new("c.s"), "v")));
        assert!(!holds_data(Volume::external(Id::new("c.s"), "v", "s3://b/v")));
    }

    #[tokio::test]
    async fn the_place_that_the_service_chose_is_not_the_programs() {
        let shown = |kind: &str| {
            let volume = serde_json::json!({
                "name": "v", "catalog_name": "c", "schema_name": "s", "full_name": "c.s.v", "volume_type": kind,
                "storage_location": "s3://b/v",
            });
            json(200, &volume.to_string())
        };
        let server = Server::playing([shown("MANAGED"), shown("EXTERNAL")]).await;
        let existing = Existing::<Volume> { id: "c.s.v".to_owned(), inputs: None, outputs: None };
        let managed = Volume::read(&server.client(), &existing).await.expect("it is read").expect("it is there");
        assert_eq!((managed.inputs.storage_location, managed.outputs.path.as_str()), (None, "/Volumes/c/s/v"));
        let external = Volume::read(&server.client(), &existing).await.expect("it is read").expect("it is there");
        assert_eq!(external.inputs.storage_location.as_deref(), Some("s3://b/v"));
    }
}
