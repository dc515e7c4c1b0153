//! Schema: the middle of Unity Catalog's three levels. <https://docs.databricks.com/api/workspace/schemas>
//!
//! Quirks: names are kept in lower case; the service adds properties of its own
//! (`unity.catalog.managed.*`), which are hidden here; a PATCH that changes nothing is refused; owner and predictive
//! optimisation follow the create.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use platform_sdk::{
    Declared, Id, Resolved, Stage,
    derive::{Outputs, Resource},
    provider::{
        Change, Content, Context, Existing, Found, Made, Manage, Observed, ProviderResult, Read, id_in_address,
    },
};
use serde::{Deserialize, Serialize};

use super::{
    Catalog, PredictiveOptimization,
    securable::{Kind, Patch, lower, name_problems, place, set_properties, set_text},
    table, volume,
};
use crate::{WorkspaceProvider, client::Client};

// declare

/// A schema of a catalog.
#[derive(Resource)]
#[resource(
    type = "databricks:Schema",
    outputs = SchemaOutputs,
    provider = WorkspaceProvider,
    scope = "metastore",
    data,
    identity = key,
    validate = name_problems
)]
pub struct Schema<S: Stage = Declared> {
    /// The catalog that it is in.
    #[field(required, key, replace, parent = refuses, normalize = lower)]
    pub catalog: S::In<Id<Catalog>>,
    /// Its name in the catalog; kept in lower case.
    #[field(required, key, renames, normalize = lower)]
    pub name: S::In<String>,
    /// Where its managed tables and volumes are kept: a place inside an external location. Unless set, the catalog's.
    #[field(replace, normalize = place)]
    pub storage_root: Option<S::In<String>>,
    /// What it is for.
    #[field(nullable)]
    pub comment: Option<S::In<String>>,
    /// Key and value pairs.
    #[field(nullable)]
    pub properties: Option<S::In<BTreeMap<String, String>>>,
    /// Whether the service maintains its managed tables by itself. Unless set, as the catalog says.
    #[field(computed)]
    pub predictive_optimization: Option<S::In<PredictiveOptimization>>,
    /// The user, group or service principal that owns it. Unless set, who creates it.
    #[field(computed, access = owner)]
    pub owner: Option<S::In<String>>,
}

/// Outputs of [`Schema`].
#[derive(Outputs)]
pub struct SchemaOutputs<S: Stage = Declared> {
    /// Its full name.
    #[output(is = "{catalog}.{name}")]
    pub id: S::Out<Id<Schema>>,
    /// Its name in the catalog.
    #[output(is = "{name}")]
    pub name: S::Out<String>,
    /// `catalog.schema`.
    #[output(is = "{catalog}.{name}")]
    pub full_name: S::Out<String>,
}

// manage

pub(super) const KIND: Kind = Kind { noun: "schema", collection: "schemas", forces: true, bound: None };

#[async_trait]
impl Manage for Schema {
    type Client = Client;

    async fn read(client: &Client, existing: &Existing<Self>) -> Read<Self> {
        Ok(KIND.read::<Info>(client, &existing.id).await?.map(observed))
    }

    async fn meant(_client: &Client, asked: &str) -> ProviderResult<Vec<String>> {
        id_in_address(asked, &["explore/data/{}/{}"], ".").map(|id| vec![id])
    }

    async fn find(client: &Client, inputs: &Schema<Resolved>) -> ProviderResult<Vec<Found>> {
        KIND.find(client, &full_name(inputs)).await
    }

    async fn create(client: &Client, ctx: &Context, inputs: Schema<Resolved>) -> ProviderResult<Made<Self>> {
        let mut info: Info = KIND.create(client, &full_name(&inputs), &new(&inputs)).await?;
        let mut patch = Patch { owner: inputs.owner.as_deref(), ..Patch::default() };
        if let Some(choice) = &inputs.predictive_optimization {
            patch.set("enable_predictive_optimization", choice);
        }
        if !patch.fields.is_empty() || patch.owner.is_some() {
            ctx.created(&info.full_name).await?;
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
        let mut by_catalog: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for id in of.iter().map(|e| e.id.as_str()) {
            let Some((catalog, _)) = id.split_once('.') else { continue };
            by_catalog.entry(catalog).or_default().insert(id);
        }
        let mut found = Vec::new();
        for (catalog, wanted) in by_catalog {
            let query = [("catalog_name", catalog)];
            let listed = KIND.list_wanted::<Info>(client, &query, &wanted, |info| &info.full_name).await?;
            let Some(listed) = listed else { return Ok(None) };
            found.extend(listed.into_iter().map(observed));
        }
        Ok(Some(found))
    }

    async fn contents(client: &Client, id: &str) -> ProviderResult<Vec<Content>> {
        content_of(client, id).await
    }
}

/// The name of a schema.
#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) full_name: String,
}

/// The schemas of a catalog, without the one that describes it.
pub(super) async fn in_catalog(client: &Client, catalog: &str) -> ProviderResult<Vec<Named>> {
    let all: Vec<Named> = KIND.list(client, &[("catalog_name", catalog)]).await?.unwrap_or_default();
    Ok(all.into_iter().filter(|schema| schema.name != "information_schema").collect())
}

/// The tables and volumes of a schema.
pub(super) async fn content_of(client: &Client, full_name: &str) -> ProviderResult<Vec<Content>> {
    let Some((catalog, schema)) = full_name.split_once('.') else { return Ok(Vec::new()) };
    let query = [("catalog_name", catalog), ("schema_name", schema)];
    let mut contents = Vec::new();
    for (kind, type_name) in [(table::KIND, "databricks:Table"), (volume::KIND, "databricks:Volume")] {
        let all: Vec<Named> = kind.list(client, &query).await?.unwrap_or_default();
        contents.extend(all.into_iter().map(|named| Content { type_name, id: named.full_name }));
    }
    Ok(contents)
}

// translate

#[derive(Deserialize)]
struct Info {
    name: String,
    catalog_name: String,
    full_name: String,
    comment: Option<String>,
    properties: Option<BTreeMap<String, String>>,
    storage_root: Option<String>,
    enable_predictive_optimization: Option<PredictiveOptimization>,
    owner: Option<String>,
}

#[derive(Serialize)]
struct New<'a> {
    name: &'a str,
    catalog_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_root: Option<&'a String>,
}

fn new(inputs: &Schema<Resolved>) -> New<'_> {
    New {
        name: &inputs.name,
        catalog_name: inputs.catalog.as_str(),
        comment: inputs.comment.as_ref(),
        properties: inputs.properties.as_ref(),
        storage_root: inputs.storage_root.as_ref(),
    }
}

fn full_name(inputs: &Schema<Resolved>) -> String {
    format!("{}.{}", inputs.catalog, inputs.name).to_lowercase()
}

/// The id before this change, below a catalog that may have been renamed since.
fn moved(change: &Change<Schema>) -> String {
    format!("{}.{}", change.after.catalog, change.before.name).to_lowercase()
}

fn changed(change: &Change<Schema>) -> Patch<'_> {
    let after = &change.after;
    let mut patch = Patch::default();
    if change.touches("comment") {
        patch.set("comment", after.comment.as_ref().unwrap_or(&String::new()));
    }
    if change.touches("properties") {
        patch.set("properties", after.properties.as_ref().unwrap_or(&BTreeMap::new()));
    }
    if let (true, Some(choice)) = (change.touches("predictive_optimization"), &after.predictive_optimization) {
        patch.set("enable_predictive_optimization", choice);
    }
    if change.touches("name") {
        patch.renamed = Some((&after.name, full_name(after)));
    }
    if change.touches("owner") {
        patch.owner = after.owner.as_deref();
    }
    patch
}

fn outputs(info: &Info) -> SchemaOutputs<Resolved> {
    SchemaOutputs { id: Id::new(&info.full_name), name: info.name.clone(), full_name: info.full_name.clone() }
}

fn made(info: &Info) -> Made<Schema> {
    Made { id: info.full_name.clone(), outputs: outputs(info) }
}

/// Whether the program can have set this property.
fn is_ours(property: &str) -> bool {
    !property.starts_with("unity.catalog.managed.")
}

fn observed(info: Info) -> Observed<Schema> {
    Observed {
        id: info.full_name.clone(),
        outputs: outputs(&info),
        inputs: Schema {
            catalog: Id::new(info.catalog_name),
            name: info.name,
            storage_root: set_text(info.storage_root),
            comment: set_text(info.comment),
            properties: set_properties(info.properties, is_ours),
            predictive_optimization: info.enable_predictive_optimization,
            owner: info.owner,
        },
        tainted: None,
    }
}

// prove

#[cfg(test)]
mod tests {
    use platform_sdk::provider::{Existing, Manage as _};

    use super::Schema;
    use crate::client::scripted::{Server, json};

    fn sales(properties: &str) -> String {
        format!(
            r#"{{"name": "sales", "catalog_name": "lake", "full_name": "lake.sales", "comment": "", "properties": {properties}}}"#
        )
    }

    #[tokio::test]
    async fn what_the_service_adds_is_not_seen() {
        let own = r#"{"unity.catalog.managed.delta.defaults.x": "1"}"#;
        let both = r#"{"unity.catalog.managed.delta.defaults.x": "1", "a": "b"}"#;
        let server = Server::playing([json(200, &sales(own)), json(200, &sales(both))]).await;
        let existing = Existing::<Schema> { id: "lake.sales".to_owned(), inputs: None, outputs: None };
        let read = Schema::read(&server.client(), &existing).await.expect("it is read").expect("it is there");
        assert_eq!((read.inputs.properties, read.inputs.comment), (None, None));
        let read = Schema::read(&server.client(), &existing).await.expect("it is read").expect("it is there");
        assert_eq!(read.inputs.properties.map(|all| all.into_keys().collect::<Vec<_>>()), Some(vec!["a".to_owned()]));
    }

    #[tokio::test]
    async fn many_schemas_of_a_catalog_are_one_list_and_a_catalog_that_is_gone_lists_none() {
        let list = format!(r#"{{"schemas": [{}]}}"#, sales("{}"));
        let gone = json(404, r#"{"error_code": "CATALOG_DOES_NOT_EXIST", "message": "Catalog 'sea' does not exist."}"#);
        let server = Server::playing([json(200, &list), gone]).await;
        let of = ["lake.sales", "lake.shop", "sea.a", "sea.b"];
        let of = of.map(|id| Existing::<Schema> { id: id.to_owned(), inputs: None, outputs: None });
        let found = Schema::list(&server.client(), &of).await.expect("it is listed").expect("a list is worth it");
        assert_eq!(found.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["lake.sales"]);
        let alone = Schema::list(&server.client(), &of[..1]).await.expect("no request");
        assert_eq!(alone.map(|found| found.len()), Some(0), "one alone is left to a read");
    }
}
