//! Catalog: the top of Unity Catalog's three levels. <https://docs.databricks.com/api/workspace/catalogs>
//!
//! Quirks: isolation, predictive optimisation and owner are not taken by the create and follow it; an isolated catalog
//! can't be read from a workspace that it is not bound to, so it is bound to this one; a rename takes
//! everything below along; a new catalog holds the schemas `default` and `information_schema`, which nobody declared.

use std::collections::BTreeMap;

use async_trait::async_trait;
use platform_sdk::{
    Declared, Id, Resolved, Stage,
    derive::{Outputs, Resource},
    provider::{
        Change, Content, Context, ErrorKind, Existing, Found, Made, Manage, Observed, ProviderResult, Read,
        id_in_address,
    },
};
use serde::{Deserialize, Serialize};

use super::{
    schema,
    securable::{Kind, Patch, lower, name_problems, place, set_properties, set_text},
};
use crate::{WorkspaceProvider, client::Client};

// declare

/// A catalog.
#[derive(Resource)]
#[resource(
    type = "databricks:Catalog",
    outputs = CatalogOutputs,
    provider = WorkspaceProvider,
    scope = "metastore",
    data,
    identity = key,
    validate = name_problems
)]
pub struct Catalog<S: Stage = Declared> {
    /// Its name; kept in lower case.
    #[field(required, key, renames, normalize = lower)]
    pub name: S::In<String>,
    /// Where its managed tables and volumes are kept: a place inside an external location. Unless set, the metastore's.
    #[field(computed, replace, normalize = place)]
    pub storage_root: Option<S::In<String>>,
    /// What it is for.
    #[field(nullable)]
    pub comment: Option<S::In<String>>,
    /// Key and value pairs.
    #[field(nullable)]
    pub properties: Option<S::In<BTreeMap<String, String>>>,
    /// Whether all workspaces of the metastore see it. Unless set, they do.
    #[field(computed)]
    pub isolation_mode: Option<S::In<CatalogIsolation>>,
    /// Whether the service maintains its managed tables by itself. Unless set, as the metastore says.
    #[field(computed)]
    pub predictive_optimization: Option<S::In<PredictiveOptimization>>,
    /// The user, group or service principal that owns it. Unless set, who creates it.
    #[field(computed, access = owner)]
    pub owner: Option<S::In<String>>,
}

/// Outputs of [`Catalog`].
#[derive(Outputs)]
pub struct CatalogOutputs<S: Stage = Declared> {
    /// Its name.
    #[output(is = "{name}")]
    pub id: S::Out<Id<Catalog>>,
    /// Its name.
    #[output(is = "{name}")]
    pub name: S::Out<String>,
    /// Where its managed data is kept; none for catalogs that hold none.
    pub storage_location: S::Out<Option<String>>,
}

platform_sdk::names! {
    /// Whether all workspaces of the metastore see a catalog.
    pub enum CatalogIsolation {
        /// They do.
        Open = "OPEN",
        /// Only those that it is bound to.
        Isolated = "ISOLATED",
    }
}

platform_sdk::names! {
    /// Whether the service maintains managed tables by itself.
    pub enum PredictiveOptimization {
        /// It does.
        Enable = "ENABLE",
        /// It does not.
        Disable = "DISABLE",
        /// As the level above says.
        Inherit = "INHERIT",
    }
}

// manage

const KIND: Kind = Kind { noun: "catalog", collection: "catalogs", forces: true, bound: Some("catalog") };

#[async_trait]
impl Manage for Catalog {
    type Client = Client;

    async fn read(client: &Client, existing: &Existing<Self>) -> Read<Self> {
        Ok(KIND.read::<Info>(client, &existing.id).await?.map(observed))
    }

    async fn meant(_client: &Client, asked: &str) -> ProviderResult<Vec<String>> {
        id_in_address(asked, &["explore/data/{}"], ".").map(|id| vec![id])
    }

    async fn find(client: &Client, inputs: &Catalog<Resolved>) -> ProviderResult<Vec<Found>> {
        KIND.find(client, &inputs.name.to_lowercase()).await
    }

    async fn create(client: &Client, ctx: &Context, inputs: Catalog<Resolved>) -> ProviderResult<Made<Self>> {
        let mut info: Info = KIND.create(client, &inputs.name, &new(&inputs)).await.map_err(storage_hint)?;
        let mut patch = Patch { owner: inputs.owner.as_deref(), ..Patch::default() };
        settings(&inputs, &mut patch, |_| true);
        if !patch.fields.is_empty() || patch.owner.is_some() {
            ctx.created(&info.name).await?;
            info = KIND.update(client, ctx, &info.name, patch).await?;
        }
        Ok(made(&info))
    }

    async fn update(client: &Client, ctx: &Context, change: Change<Self>) -> ProviderResult<Made<Self>> {
        let patch = changed(&change);
        Ok(made(&KIND.update(client, ctx, &change.id, patch).await?))
    }

    async fn delete(client: &Client, _ctx: &Context, existing: Existing<Self>, force: bool) -> ProviderResult<()> {
        let id = existing.id.as_str();
        match KIND.delete(client, id, force).await {
            Err(error) if error.kind == ErrorKind::Conflict && only_born_with(client, id).await? => {
                schema::KIND.delete(client, &format!("{id}.default"), false).await?;
                KIND.delete(client, id, false).await
            }
            answer => answer,
        }
    }

    async fn list(client: &Client, of: &[Existing<Self>]) -> ProviderResult<Option<Vec<Observed<Self>>>> {
        let wanted = of.iter().map(|e| e.id.as_str()).collect();
        let listed = KIND.list_wanted::<Info>(client, &[], &wanted, |info| &info.name).await?;
        Ok(listed.map(|listed| listed.into_iter().map(observed).collect()))
    }

    async fn contents(client: &Client, id: &str) -> ProviderResult<Vec<Content>> {
        let mut contents = Vec::new();
        for schema in schema::in_catalog(client, id).await? {
            contents.extend(schema::content_of(client, &schema.full_name).await?);
            if schema.name != "default" {
                contents.push(Content { type_name: "databricks:Schema", id: schema.full_name });
            }
        }
        Ok(contents)
    }
}

/// Whether a catalog holds nothing but the schemas that it was born with.
async fn only_born_with(client: &Client, id: &str) -> ProviderResult<bool> {
    Ok(schema::in_catalog(client, id).await?.iter().all(|schema| schema.name == "default"))
}

fn storage_hint(error: platform_sdk::provider::ProviderError) -> platform_sdk::provider::ProviderError {
    let missing = error.message.contains("storage root") || error.message.contains("external location");
    if !missing {
        return error;
    }
    let mut error = error.hint(
        "give `storage_root` a place inside an external location, as in `Catalog::new(\"lake\").storage_root(raw.path(\"lake\"))`",
    );
    error.kind = ErrorKind::Invalid { field: Some("storage_root".to_owned()) };
    error
}

// translate

#[derive(Deserialize)]
struct Info {
    name: String,
    comment: Option<String>,
    properties: Option<BTreeMap<String, String>>,
    storage_root: Option<String>,
    storage_location: Option<String>,
    isolation_mode: Option<CatalogIsolation>,
    enable_predictive_optimization: Option<PredictiveOptimization>,
    owner: Option<String>,
}

#[derive(Serialize)]
struct New<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_root: Option<&'a String>,
}

fn new(inputs: &Catalog<Resolved>) -> New<'_> {
    New {
        name: &inputs.name,
        comment: inputs.comment.as_ref(),
        properties: inputs.properties.as_ref(),
        storage_root: inputs.storage_root.as_ref(),
    }
}

/// What the create does not take.
fn settings(inputs: &Catalog<Resolved>, patch: &mut Patch<'_>, wanted: impl Fn(&str) -> bool) {
    if let Some(mode) = inputs.isolation_mode.as_ref().filter(|_| wanted("isolation_mode")) {
        patch.isolate(mode);
    }
    if let Some(choice) = inputs.predictive_optimization.as_ref().filter(|_| wanted("predictive_optimization")) {
        patch.set("enable_predictive_optimization", choice);
    }
}

fn changed(change: &Change<Catalog>) -> Patch<'_> {
    let after = &change.after;
    let mut patch = Patch::default();
    settings(after, &mut patch, |field| change.touches(field));
    if change.touches("comment") {
        patch.set("comment", after.comment.as_ref().unwrap_or(&String::new()));
    }
    if change.touches("properties") {
        patch.set("properties", after.properties.as_ref().unwrap_or(&BTreeMap::new()));
    }
    if change.touches("name") {
        patch.renamed = Some((&after.name, after.name.to_lowercase()));
    }
    if change.touches("owner") {
        patch.owner = after.owner.as_deref();
    }
    patch
}

fn outputs(info: &Info) -> CatalogOutputs<Resolved> {
    CatalogOutputs {
        id: Id::new(&info.name),
        name: info.name.clone(),
        storage_location: set_text(info.storage_location.clone()),
    }
}

fn made(info: &Info) -> Made<Catalog> {
    Made { id: info.name.clone(), outputs: outputs(info) }
}

fn observed(info: Info) -> Observed<Catalog> {
    Observed {
        id: info.name.clone(),
        outputs: outputs(&info),
        inputs: Catalog {
            name: info.name,
            storage_root: set_text(info.storage_root),
            comment: set_text(info.comment),
            properties: set_properties(info.properties, |_| true),
            isolation_mode: info.isolation_mode,
            predictive_optimization: info.enable_predictive_optimization,
            owner: info.owner,
        },
        tainted: None,
    }
}

// prove

#[cfg(test)]
mod tests {
    use platform_sdk::provider::{Context, ErrorKind, Existing, Manage as _};

    use super::Catalog;
    use crate::client::scripted::{Server, json};

    const NOT_EMPTY: &str =
        r#"{"error_code": "INVALID_STATE", "message": "Catalog 'lake' is not empty. The catalog has 1 schema(s)"}"#;

    fn lake() -> Existing<Catalog> {
        Existing { id: "lake".to_owned(), inputs: None, outputs: None }
    }

    fn schemas(names: &[&str]) -> String {
        let all = names.iter().map(|name| serde_json::json!({"name": name, "full_name": format!("lake.{name}")}));
        serde_json::json!({"schemas": all.collect::<Vec<_>>()}).to_string()
    }

    #[tokio::test]
    async fn the_schema_that_a_catalog_was_born_with_does_not_hold_its_delete_up() {
        let born_with = schemas(&["default", "information_schema"]);
        let script = [json(400, NOT_EMPTY), json(200, &born_with), json(200, "{}"), json(200, "{}")];
        let server = Server::playing(script).await;
        Catalog::delete(&server.client(), &Context::detached(), lake(), false).await.expect("it is deleted");
        let base = "/api/2.1/unity-catalog";
        assert_eq!(
            server.lines(),
            [
                format!("DELETE {base}/catalogs/lake"),
                format!("GET {base}/schemas?max_results=0&catalog_name=lake"),
                format!("DELETE {base}/schemas/lake.default"),
                format!("DELETE {base}/catalogs/lake"),
            ]
        );
    }

    #[tokio::test]
    async fn a_schema_that_somebody_made_is_a_conflict_that_force_overcomes() {
        let server = Server::playing([json(400, NOT_EMPTY), json(200, &schemas(&["default", "sales"]))]).await;
        let deleted = Catalog::delete(&server.client(), &Context::detached(), lake(), false).await;
        let error = deleted.expect_err("it is refused");
        assert_eq!(error.kind, ErrorKind::Conflict);
        assert!(error.message.starts_with("delete catalog `lake`: Catalog 'lake' is not empty"), "{error}");
        assert!(error.needs_force);
    }

    #[tokio::test]
    async fn a_metastore_without_a_root_asks_for_a_storage_root() {
        let answer = r#"{"error_code": "INVALID_STATE", "message": "Metastore storage root URL does not exist. Please provide one."}"#;
        let server = Server::playing([json(400, answer)]).await;
        let inputs = serde_json::from_value(serde_json::json!({"name": "lake"})).expect("inputs");
        let error = Catalog::create(&server.client(), &Context::detached(), inputs).await.expect_err("it is refused");
        assert_eq!(error.kind, ErrorKind::Invalid { field: Some("storage_root".to_owned()) });
        assert!(error.hint.is_some_and(|hint| hint.contains("external location")));
    }
}
