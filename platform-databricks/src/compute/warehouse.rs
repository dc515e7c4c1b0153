//! `SqlWarehouse`: a SQL warehouse of a workspace.
//! <https://docs.databricks.com/api/workspace/warehouses>
//!
//! - A create starts it. Running, stopped or starting is no part of what it is: never a change.
//! - The service would let it run for 120 minutes after the last query; ten unless told otherwise.
//! - Its name is unique in the workspace, which is how a create whose answer was lost is recognised.
//! - Tags come and go as a list of pairs.

use std::collections::BTreeMap;

use async_trait::async_trait;
use platform_sdk::{
    Block, Declared, Id, Resolved, Stage,
    derive::{Outputs, Resource},
    names,
    provider::{
        Change, Context, Existing, Found, Made, Manage, Observed, ProviderResult, Read, Readiness, id_in_address,
    },
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{checks::least_and_most, names::ids_or_names};
use crate::{
    WorkspaceProvider,
    client::{
        Client, Outcome, path,
        wire::{pruned_fields, rename, sent, understood, with_defaults},
    },
};

// declare

names! {
    /// How large the clusters of a warehouse are.
    pub enum WarehouseSize {
        /// The smallest and cheapest.
        XXSmall = "2X-Small",
        /// Twice the one before, as are all that follow.
        XSmall = "X-Small",
        /// Small.
        Small = "Small",
        /// Medium.
        Medium = "Medium",
        /// Large.
        Large = "Large",
        /// Extra large.
        XLarge = "X-Large",
        /// Two times extra large.
        XXLarge = "2X-Large",
        /// Three times extra large.
        XXXLarge = "3X-Large",
        /// Four times extra large.
        XXXXLarge = "4X-Large",
    }
}

names! {
    /// What a warehouse can do.
    pub enum WarehouseType {
        /// The full feature set; serverless needs it.
        Pro = "PRO",
        /// The older, smaller feature set.
        Classic = "CLASSIC",
    }
}

names! {
    /// Which release of Databricks SQL a warehouse runs.
    pub enum WarehouseChannel {
        /// The current one.
        Current = "CHANNEL_NAME_CURRENT",
        /// The next one, to try it.
        Preview = "CHANNEL_NAME_PREVIEW",
        /// The one before.
        Previous = "CHANNEL_NAME_PREVIOUS",
    }
}

names! {
    /// Which machines a warehouse that is not serverless asks the cloud for.
    pub enum SpotPolicy {
        /// Spot machines where there are some.
        CostOptimized = "COST_OPTIMIZED",
        /// Machines that the cloud does not take back.
        ReliabilityOptimized = "RELIABILITY_OPTIMIZED",
    }
}

/// A SQL warehouse: serverless, the smallest size, and stopped after ten minutes without a query unless told otherwise.
#[derive(Resource)]
#[resource(
    type = "databricks:SqlWarehouse",
    outputs = SqlWarehouseOutputs,
    provider = WorkspaceProvider,
    scope = "workspace",
    identity = key,
    compute = "starts when made and with each query, and stops `auto_stop_mins` after the last one",
    validate = flaws
)]
pub struct SqlWarehouse<S: Stage = Declared> {
    /// Its name, unique in the workspace, at most 100 characters.
    #[field(required, key, renames)]
    pub name: S::In<String>,
    /// How large its clusters are. Default: `2X-Small`.
    #[field(default = "2X-Small")]
    pub size: Option<S::In<WarehouseSize>>,
    /// Minutes without a query after which it stops; 0 is never. Default: 10.
    #[field(default = 10)]
    pub auto_stop_mins: Option<S::In<u32>>,
    /// Whether it runs on machines that Databricks keeps ready. Default: true.
    #[field(default = true)]
    pub serverless: Option<S::In<bool>>,
    /// How many clusters it has at least while it runs. Default: 1.
    #[field(default = 1)]
    pub min_num_clusters: Option<S::In<u32>>,
    /// How many clusters it has at most. Default: 1.
    #[field(default = 1)]
    pub max_num_clusters: Option<S::In<u32>>,
    /// What it can do. Default: `PRO`.
    #[field(default = "PRO")]
    pub warehouse_type: Option<S::In<WarehouseType>>,
    /// Which release it runs. Default: the current one.
    #[field(default = "CHANNEL_NAME_CURRENT")]
    pub channel: Option<S::In<WarehouseChannel>>,
    /// Which machines it asks for where it is not serverless. Default: `COST_OPTIMIZED`.
    #[field(default = "COST_OPTIMIZED")]
    pub spot_instance_policy: Option<S::In<SpotPolicy>>,
    /// Whether it uses the Photon engine. Default: true.
    #[field(default = true)]
    pub enable_photon: Option<S::In<bool>>,
    /// The instance profile through which it reaches data outside of Unity Catalog.
    #[field(nullable)]
    pub instance_profile_arn: Option<S::In<String>>,
    /// Tags of its machines, for the cloud's bill.
    #[field(default = {})]
    pub tags: Option<S::In<BTreeMap<String, String>>>,
}

/// Outputs of [`SqlWarehouse`].
#[derive(Outputs)]
pub struct SqlWarehouseOutputs<S: Stage = Declared> {
    /// Its id.
    pub id: S::Out<Id<SqlWarehouse>>,
    /// Its name.
    #[output(is = "{name}")]
    pub name: S::Out<String>,
    /// Where JDBC clients connect.
    pub jdbc_url: S::Out<String>,
}

fn flaws(inputs: &Value) -> Vec<(String, String)> {
    let mut flaws = Vec::new();
    let serverless = inputs.get("serverless").is_none_or(|serverless| *serverless == true);
    if inputs["warehouse_type"] == WarehouseType::Classic.as_str() && serverless {
        let flaw = "is `CLASSIC`, which is never serverless: say `.serverless(false)` too";
        flaws.push(("warehouse_type".to_owned(), flaw.to_owned()));
    }
    flaws.extend(least_and_most(inputs, "min_num_clusters", "max_num_clusters", "", Some(1)));
    flaws
}

// manage

const WAREHOUSES: &str = "/api/2.0/sql/warehouses";

#[async_trait]
impl Manage for SqlWarehouse {
    type Client = Client;

    async fn read(client: &Client, existing: &Existing<Self>) -> Read<Self> {
        let what = format!("read SQL warehouse `{}`", existing.id);
        let Some(answer) = get(client, &existing.id).await.while_doing(what)? else { return Ok(None) };
        observed(answer).map(Some)
    }

    async fn meant(client: &Client, asked: &str) -> ProviderResult<Vec<String>> {
        let id = id_in_address(asked, &["sql/warehouses/{}"], "")?;
        let all = all(client).await.while_doing(format!("look for SQL warehouse `{asked}`"))?;
        let there: Vec<_> = all.iter().filter(|warehouse| is_there(warehouse)).collect();
        Ok(ids_or_names(&id, there.iter().map(|it| (it["id"].as_str(), it["name"].as_str()))))
    }

    async fn find(client: &Client, inputs: &SqlWarehouse<Resolved>) -> ProviderResult<Vec<Found>> {
        let all = all(client).await.while_doing(format!("find SQL warehouse `{}`", inputs.name))?;
        let same = all.into_iter().filter(|warehouse| warehouse["name"] == inputs.name && is_there(warehouse));
        let found = same.map(|warehouse| Found {
            created_by: warehouse["creator_name"].as_str().map(str::to_owned),
            ..Found::id(warehouse["id"].as_str().unwrap_or_default())
        });
        Ok(found.collect())
    }

    async fn create(client: &Client, ctx: &Context, inputs: SqlWarehouse<Resolved>) -> ProviderResult<Made<Self>> {
        let what = format!("create SQL warehouse `{}`", inputs.name);
        let created: Created = client.post(WAREHOUSES).json(&body(&inputs)).send().await.while_doing(&what)?;
        ctx.created(&created.id).await?;
        made(client, created.id).await.while_doing(&what)
    }

    async fn update(client: &Client, _ctx: &Context, change: Change<Self>) -> ProviderResult<Made<Self>> {
        let what = format!("update SQL warehouse `{}`", change.after.name);
        let edit = format!("{}/edit", path(WAREHOUSES, [&change.id]));
        let mut body = body(&change.after);
        if change.touches("instance_profile_arn") {
            // An edit leaves alone what it does not name.
            body.entry("instance_profile_arn").or_insert_with(|| "".into());
        }
        client.post(edit).json(&body).safe_to_repeat(true).done().await.while_doing(&what)?;
        made(client, change.id).await.while_doing(&what)
    }

    async fn delete(client: &Client, _ctx: &Context, existing: Existing<Self>, _force: bool) -> ProviderResult<()> {
        let name = existing.inputs.map_or(existing.id.clone(), |inputs| inputs.name);
        let deleted = client.delete(path(WAREHOUSES, [&existing.id])).done().await;
        deleted.or_absent().while_doing(format!("delete SQL warehouse `{name}`")).map(drop)
    }

    async fn list(client: &Client, of: &[Existing<Self>]) -> ProviderResult<Option<Vec<Observed<Self>>>> {
        let all = all(client).await.while_doing("list SQL warehouses")?;
        let asked = |warehouse: &Value| of.iter().any(|existing| warehouse["id"] == existing.id);
        let asked = all.into_iter().filter(|warehouse| is_there(warehouse) && asked(warehouse));
        asked.map(observed).collect::<ProviderResult<_>>().map(Some)
    }

    async fn ready(client: &Client, id: &str) -> ProviderResult<Readiness> {
        let what = format!("wait for SQL warehouse `{id}`");
        let Some(warehouse) = get(client, id).await.while_doing(what)? else {
            return Ok(Readiness::Failed("it is gone".to_owned()));
        };
        let health = warehouse["health"]["summary"].as_str().unwrap_or_default();
        let state = warehouse["state"].as_str().unwrap_or_default();
        let words = if health.is_empty() { state.to_owned() } else { format!("{state}: {health}") };
        Ok(match state {
            "RUNNING" => Readiness::Ready,
            "STARTING" => Readiness::Pending(words),
            // It would start with the next query, but what waits for it needs it now.
            _ => Readiness::Failed(words),
        })
    }
}

async fn get(client: &Client, id: &str) -> ProviderResult<Option<Value>> {
    let answer: Option<Value> = client.get(path(WAREHOUSES, [id])).send().await.or_absent()?;
    Ok(answer.filter(is_there))
}

async fn all(client: &Client) -> ProviderResult<Vec<Value>> {
    client.pages(WAREHOUSES, "warehouses").all().await
}

/// A deleted warehouse can still be asked for by its id.
fn is_there(warehouse: &Value) -> bool {
    !matches!(warehouse["state"].as_str(), Some("DELETED" | "DELETING"))
}

async fn made(client: &Client, id: String) -> ProviderResult<Made<SqlWarehouse>> {
    let answer: Value = client.get(path(WAREHOUSES, [&id])).send().await?;
    Ok(Made { id, outputs: observed(answer)?.outputs })
}

// translate

#[derive(Deserialize)]
struct Created {
    id: String,
}

/// All fields at once, as an edit wants them too.
fn body(inputs: &SqlWarehouse<Resolved>) -> Map<String, Value> {
    let mut body = with_defaults(SqlWarehouse::<Declared>::fields(), sent(inputs));
    rename(&mut body, "size", "cluster_size");
    rename(&mut body, "serverless", "enable_serverless_compute");
    if let Some(name) = body.remove("channel") {
        body.insert("channel".to_owned(), json!({ "name": name }));
    }
    let tags = body.remove("tags").and_then(|tags| tags.as_object().cloned()).unwrap_or_default();
    let pairs: Vec<Value> = tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
    body.insert("tags".to_owned(), json!({ "custom_tags": pairs }));
    body
}

fn observed(answer: Value) -> ProviderResult<Observed<SqlWarehouse>> {
    let mut fields = pruned_fields(answer);
    let id = fields.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let what = format!("SQL warehouse `{id}`");
    let mut outputs = fields.clone();
    outputs.entry("jdbc_url").or_insert_with(|| "".into());
    fields.retain(|field, value| field != "instance_profile_arn" || value != "");
    rename(&mut fields, "cluster_size", "size");
    rename(&mut fields, "enable_serverless_compute", "serverless");
    if let Some(Value::Object(mut channel)) = fields.remove("channel") {
        fields.extend(channel.remove("name").map(|name| ("channel".to_owned(), name)));
    }
    if let Some(Value::Object(mut tags)) = fields.remove("tags") {
        let pairs = tags.remove("custom_tags").and_then(|pairs| pairs.as_array().cloned()).unwrap_or_default();
        let pair = |pair: &Value| Some((pair["key"].as_str()?.to_owned(), pair["value"].clone()));
        fields.insert("tags".to_owned(), pairs.iter().filter_map(pair).collect());
    }
    Ok(Observed { inputs: understood(&what, fields)?, outputs: understood(&what, outputs)?, id, tainted: None })
}

// prove

#[cfg(test)]
#[path = "warehouse_tests.rs"]
mod tests;
