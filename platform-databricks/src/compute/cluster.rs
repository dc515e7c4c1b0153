//! `Cluster`: an all-purpose cluster of a workspace.
//! <https://docs.databricks.com/api/workspace/clusters>
//!
//! - Names are not unique, so a create writes its mark into a tag, which no diff sees. A list before and after would
//!   not do: two people who make `etl` at once are told apart only by a mark.
//! - Without `autotermination_minutes` the service never ends it; 30 unless told otherwise. Being terminated is no
//!   change: whoever uses it starts it.
//! - `delete` only terminates; it is removed with `permanent-delete`. The service forgets terminated clusters after
//!   30 days; such a one is made anew.
//! - `edit` replaces all there is, so it sends what the last edit said, with what differs now. A cluster that starts or
//!   ends can't be edited: not ready. A change of size alone on a running cluster is a `resize`, which restarts nothing.
//! - On a single node the service adds settings and a tag of its own. A policy fills in what is left out, and refuses
//!   what it says otherwise: its size and its end are sent only where no policy says them.
//! - The modes `DEDICATED` and `STANDARD` are read back under their old names, and `AUTO` as the one that was chosen.

use std::collections::BTreeMap;

use async_trait::async_trait;
use platform_sdk::{
    Declared, Id, Resolved, Stage,
    derive::{Outputs, Resource},
    desired::Tree,
    provider::{
        Change, Context, Existing, Found, Made, Manage, Observed, ProviderResult, Read, Readiness, id_in_address,
    },
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Autoscale, AwsAttributes, ClusterKind, DataSecurityMode, DockerImage, InitScript, RuntimeEngine, SparkVersion,
    checks::machine_flaws,
    cluster_parts::{mode, one_size, with_mode_as_applied, without_pooled},
    names::ids_or_names,
    policy::{OF_WORKSPACE, with_needed},
};
use crate::{
    WorkspaceProvider,
    client::{
        Client, Outcome,
        marks::{self, Tagged},
        wire::{into_fields, merged, pruned_fields, rename, sent, understood},
    },
};

// declare

/// An all-purpose cluster: it has one worker and ends itself after 30 idle minutes unless told otherwise.
#[derive(Resource)]
#[resource(
    type = "databricks:Cluster",
    outputs = ClusterOutputs,
    provider = WorkspaceProvider,
    scope = "workspace",
    identity = mark(custom_tags),
    compute = "starts when made or used, and ends after `autotermination_minutes` without use",
    effect = restarts,
    validate = machine_flaws
)]
pub struct Cluster<S: Stage = Declared> {
    /// Its name; others may have the same.
    #[field(required)]
    pub name: S::In<String>,
    /// The Databricks runtime: `15.4.x-scala2.12`.
    #[field(required)]
    pub spark_version: S::In<SparkVersion>,
    /// The type of its machines: `m5d.large`. Unset: its pool's, or what its policy says.
    #[field(computed, filled_by = "policy_id")]
    pub node_type_id: Option<S::In<String>>,
    /// The pool that its machines come from.
    #[field(nullable, filled_by = "policy_id")]
    pub instance_pool_id: Option<S::In<String>>,
    /// The pool that the driver's machine comes from. Unset: the workers'.
    #[field(computed, filled_by = "policy_id")]
    pub driver_instance_pool_id: Option<S::In<String>>,
    /// How many workers beside the driver. Default: 1, where there is no `autoscale` and no policy says otherwise.
    #[field(default = 1, filled_by = "policy_id")]
    pub num_workers: Option<S::In<u32>>,
    /// A number of workers that follows the load.
    #[field(nullable, filled_by = "policy_id")]
    pub autoscale: Option<Autoscale<S>>,
    /// Minutes without use after which it ends; 0 is never. Default: 30, where no policy says otherwise.
    #[field(default = 30, filled_by = "policy_id")]
    pub autotermination_minutes: Option<S::In<u32>>,
    /// The type of the driver's machine. Unset: the workers'.
    #[field(computed, filled_by = "policy_id")]
    pub driver_node_type_id: Option<S::In<String>>,
    /// One machine without workers; needs `kind`. [`single_node`](Cluster::single_node) sets both.
    #[field(nullable, filled_by = "policy_id")]
    pub is_single_node: Option<S::In<bool>>,
    /// Its kind.
    #[field(nullable, filled_by = "policy_id")]
    pub kind: Option<S::In<ClusterKind>>,
    /// Who can use it, and which data it can reach.
    #[field(computed, normalize = mode, filled_by = "policy_id")]
    pub data_security_mode: Option<S::In<DataSecurityMode>>,
    /// The one user or group of a cluster that is not shared.
    #[field(computed, filled_by = "policy_id")]
    pub single_user_name: Option<S::In<String>>,
    /// The policy that it obeys.
    #[field(nullable)]
    pub policy_id: Option<S::In<String>>,
    /// Whether the policy's defaults are filled in where nothing is set. Default: false.
    #[field(default = false, write_only)]
    pub apply_policy_default_values: Option<S::In<bool>>,
    /// The engine that queries run on.
    #[field(computed, filled_by = "policy_id")]
    pub runtime_engine: Option<S::In<RuntimeEngine>>,
    /// Spark's settings.
    #[field(nullable, filled_by = "policy_id")]
    pub spark_conf: Option<S::In<BTreeMap<String, String>>>,
    /// Environment variables of Spark's processes.
    #[field(nullable, filled_by = "policy_id")]
    pub spark_env_vars: Option<S::In<BTreeMap<String, String>>>,
    /// Tags of its machines, for the cloud's bill.
    #[field(nullable, filled_by = "policy_id")]
    pub custom_tags: Option<S::In<BTreeMap<String, String>>>,
    /// Scripts that run on each machine before Spark does, in this order.
    #[field(filled_by = "policy_id")]
    pub init_scripts: Vec<InitScript<S>>,
    /// What is asked of AWS.
    #[field(computed, filled_by = "policy_id")]
    pub aws_attributes: Option<AwsAttributes<S>>,
    /// A container image that the machines run.
    #[field(nullable, filled_by = "policy_id")]
    pub docker_image: Option<DockerImage<S>>,
    /// Whether disks are added before they are full.
    #[field(computed, filled_by = "policy_id")]
    pub enable_elastic_disk: Option<S::In<bool>>,
    /// Whether the machines' own disks are encrypted.
    #[field(computed, filled_by = "policy_id")]
    pub enable_local_disk_encryption: Option<S::In<bool>>,
}

impl Cluster {
    /// One machine that is driver and worker.
    pub fn single_node(mut self) -> Self {
        self.autoscale = None;
        self.num_workers(0).is_single_node(true).kind(ClusterKind::ClassicPreview)
    }
}

/// Outputs of [`Cluster`].
#[derive(Outputs)]
pub struct ClusterOutputs<S: Stage = Declared> {
    /// Its id.
    pub id: S::Out<Id<Cluster>>,
    /// Its name.
    #[output(is = "{name}")]
    pub name: S::Out<String>,
}

// manage

const CLUSTERS: &str = "/api/2.1/clusters";

#[async_trait]
impl Manage for Cluster {
    type Client = Client;

    async fn read(client: &Client, existing: &Existing<Self>) -> Read<Self> {
        let answer = get(client, &existing.id).await.or_absent().while_doing(named("read", existing))?;
        answer.map(|answer| observed(answer, existing.inputs.as_ref())).transpose()
    }

    async fn meant(client: &Client, asked: &str) -> ProviderResult<Vec<String>> {
        let id = id_in_address(asked, &["compute/clusters/{}", "setting/clusters/{}"], "")?;
        let all = all(client).await.while_doing(format!("look for cluster `{asked}`"))?;
        Ok(ids_or_names(&id, all.iter().map(|it| (it["cluster_id"].as_str(), it["cluster_name"].as_str()))))
    }

    async fn find(client: &Client, inputs: &Cluster<Resolved>) -> ProviderResult<Vec<Found>> {
        let all = all(client).await.while_doing(format!("find cluster `{}`", inputs.name))?;
        let same = all.into_iter().filter(|cluster| cluster["cluster_name"] == inputs.name);
        Ok(same.map(found).collect())
    }

    async fn create(client: &Client, ctx: &Context, inputs: Cluster<Resolved>) -> ProviderResult<Made<Self>> {
        let what = format!("create cluster `{}`", inputs.name);
        let mut body = theirs(sent(&inputs));
        with_needed(client, OF_WORKSPACE, &mut body).await.while_doing(&what)?;
        Tagged::new(client, ctx.mark()).put(&mut body, "custom_tags");
        let created = client.post(format!("{CLUSTERS}/create")).json(&body).send::<Created>().await;
        let id = created.while_doing(what)?.cluster_id;
        Ok(Made { outputs: outputs(&id, &inputs), id })
    }

    async fn update(client: &Client, ctx: &Context, change: Change<Self>) -> ProviderResult<Made<Self>> {
        let what = format!("update cluster `{}`", change.after.name);
        let now = get(client, &change.id).await.while_doing(&what)?;
        let (call, mut body) = if is_resize(&change, &now) {
            resize(&change)
        } else {
            edit(&change, now, &Tagged::new(client, ctx.mark()))
        };
        if call == "edit" {
            with_needed(client, OF_WORKSPACE, &mut body).await.while_doing(&what)?;
        }
        let body = Value::Object(body);
        client.post(format!("{CLUSTERS}/{call}")).json(&body).safe_to_repeat(true).done().await.while_doing(&what)?;
        Ok(Made { outputs: outputs(&change.id, &change.after), id: change.id })
    }

    async fn delete(client: &Client, _ctx: &Context, existing: Existing<Self>, _force: bool) -> ProviderResult<()> {
        let body = json!({"cluster_id": existing.id});
        let ask = |call: &str| client.post(format!("{CLUSTERS}/{call}")).json(&body).safe_to_repeat(true);
        let mut deleted = ask("permanent-delete").done().await;
        // A pin keeps it in lists, and from being deleted.
        if deleted.as_ref().is_err_and(|error| error.message.contains("unpin")) {
            ask("unpin").done().await.or_absent().while_doing(named("unpin", &existing))?;
            deleted = ask("permanent-delete").done().await;
        }
        deleted.or_absent().while_doing(named("delete", &existing)).map(drop)
    }

    async fn list(client: &Client, of: &[Existing<Self>]) -> ProviderResult<Option<Vec<Observed<Self>>>> {
        let mut observations = Vec::new();
        for cluster in all(client).await.while_doing("list clusters")? {
            if let Some(existing) = of.iter().find(|existing| cluster["cluster_id"] == existing.id) {
                observations.push(observed(cluster, existing.inputs.as_ref())?);
            }
        }
        Ok(Some(observations))
    }

    async fn ready(client: &Client, id: &str) -> ProviderResult<Readiness> {
        let cluster = get(client, id).await.while_doing(format!("wait for cluster `{id}`"))?;
        let state = cluster["state"].as_str().unwrap_or_default();
        let message = cluster["state_message"].as_str().filter(|message| !message.is_empty());
        let words = message.map_or(state.to_owned(), |message| format!("{state}: {message}"));
        Ok(match state {
            "RUNNING" => Readiness::Ready,
            "PENDING" | "RESTARTING" | "RESIZING" => Readiness::Pending(words),
            _ => Readiness::Failed(words),
        })
    }
}

fn named(verb: &str, existing: &Existing<Cluster>) -> String {
    let name = existing.inputs.as_ref().map_or(&existing.id, |inputs| &inputs.name);
    format!("{verb} cluster `{name}`")
}

async fn get(client: &Client, id: &str) -> ProviderResult<Value> {
    client.get(format!("{CLUSTERS}/get")).query("cluster_id", id).send().await
}

async fn all(client: &Client) -> ProviderResult<Vec<Value>> {
    client.pages(format!("{CLUSTERS}/list"), "clusters").query("page_size", 100).all().await
}

// translate

#[derive(Deserialize)]
struct Created {
    cluster_id: String,
}

/// What an edit can set: of what the service shows, the rest is its own.
const EDITABLE: &[&str] = &[
    "autoscale",
    "autotermination_minutes",
    "aws_attributes",
    "azure_attributes",
    "cluster_log_conf",
    "cluster_name",
    "custom_tags",
    "data_security_mode",
    "dependency_mode",
    "docker_image",
    "driver_instance_pool_id",
    "driver_node_type_flexibility",
    "driver_node_type_id",
    "enable_elastic_disk",
    "enable_local_disk_encryption",
    "gcp_attributes",
    "init_scripts",
    "instance_pool_id",
    "is_single_node",
    "kind",
    "node_type_id",
    "num_workers",
    "policy_id",
    "remote_disk_throughput",
    "runtime_engine",
    "single_user_name",
    "spark_conf",
    "spark_env_vars",
    "spark_version",
    "ssh_public_keys",
    "total_initial_remote_disk_size",
    "use_ml_runtime",
    "worker_node_type_flexibility",
    "workload_type",
];

/// What the service adds to a single node by itself.
const OF_SINGLE_NODES: &[(&str, &[&str])] =
    &[("spark_conf", &["spark.master", "spark.databricks.cluster.profile"]), ("custom_tags", &["ResourceClass"])];

fn outputs(id: &str, inputs: &Cluster<Resolved>) -> ClusterOutputs<Resolved> {
    ClusterOutputs { id: Id::new(id), name: inputs.name.clone() }
}

fn theirs(mut spec: Map<String, Value>) -> Map<String, Value> {
    rename(&mut spec, "name", "cluster_name");
    let wanted = spec.clone();
    one_size(&mut spec, &wanted);
    spec
}

/// What a resize sets.
const SIZE: [&str; 2] = ["num_workers", "autoscale"];

/// What is running stays so only where it is resized.
fn restarts(fields: &[&str], after: &Tree) -> Option<&'static str> {
    let said = SIZE.iter().any(|size| after.get(size).is_some());
    let is_resize = said && fields.iter().all(|field| SIZE.contains(field));
    (!is_resize).then_some("restarts it if it is running, which ends what runs on it")
}

/// Only the size differs, and is said, and the cluster is in the one state in which that needs no restart.
fn is_resize(change: &Change<Cluster>, now: &Value) -> bool {
    let size = |path: &String| path == "num_workers" || path.starts_with("autoscale");
    let said = change.after.num_workers.is_some() || change.after.autoscale.is_some();
    said && now["state"] == "RUNNING" && change.paths.iter().all(size)
}

fn resize(change: &Change<Cluster>) -> (&'static str, Map<String, Value>) {
    let mut body = theirs(sent(&change.after));
    body.retain(|field, _| SIZE.contains(&field.as_str()));
    body.insert("cluster_id".to_owned(), change.id.clone().into());
    ("resize", body)
}

fn edit(change: &Change<Cluster>, now: Value, mark: &Tagged) -> (&'static str, Map<String, Value>) {
    let mut now = into_fields(now);
    // What the last edit said; without it what is shown, where the service's own choices must not become ours.
    let mut spec = into_fields(now.remove("spec").unwrap_or_default());
    if spec.is_empty() {
        now.remove("driver_node_type_id");
        spec = now;
    }
    spec.retain(|field, _| EDITABLE.contains(&field.as_str()));
    let before = marks::take(&mut spec, "custom_tags");
    rename(&mut spec, "cluster_name", "name");
    let wanted = sent(&change.after);
    let mut body = merged(change, spec, wanted.clone());
    one_size(&mut body, &wanted);
    without_pooled(&mut body, &wanted);
    rename(&mut body, "name", "cluster_name");
    if let Some(before) = before {
        mark.kept_from(before).put(&mut body, "custom_tags");
    }
    body.insert("cluster_id".to_owned(), change.id.clone().into());
    ("edit", body)
}

fn found(cluster: Value) -> Found {
    let text = |field: &str| cluster[field].as_str().map(str::to_owned);
    // `start_time` moves when the cluster is started again: no time of creation.
    let found = Found { created_by: text("creator_user_name"), ..Found::id(text("cluster_id").unwrap_or_default()) };
    Found { mark: marks::take(&mut into_fields(cluster), "custom_tags").map(Tagged::into_id), ..found }
}

fn observed(answer: Value, last: Option<&Cluster<Resolved>>) -> ProviderResult<Observed<Cluster>> {
    let mut fields = pruned_fields(answer);
    let id = fields.get("cluster_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    rename(&mut fields, "cluster_name", "name");
    marks::take(&mut fields, "custom_tags");
    if fields.contains_key("autoscale") {
        // The number of workers at this moment, not one that anybody asked for.
        fields.remove("num_workers");
    }
    let last = last.map(sent).unwrap_or_default();
    let said = fields.remove("spec");
    with_mode_as_applied(&mut fields, Some(&Value::Object(last.clone())), said.as_ref());
    without_additions(&mut fields, &last);
    with_password(&mut fields, &last);
    let inputs: Cluster<Resolved> = understood(format!("cluster `{id}`"), pruned_fields(Value::Object(fields)))?;
    Ok(Observed { outputs: outputs(&id, &inputs), id, inputs, tainted: None })
}

/// Takes out the settings and tags that the service adds to a single node.
fn without_additions(fields: &mut Map<String, Value>, last: &Map<String, Value>) {
    if fields.get("is_single_node") != Some(&Value::Bool(true)) {
        return;
    }
    for (field, added) in OF_SINGLE_NODES {
        let ours = last.get(*field).and_then(Value::as_object);
        let is_ours = |key: &String| ours.is_some_and(|ours| ours.contains_key(key));
        if let Some(Value::Object(entries)) = fields.get_mut(*field) {
            entries.retain(|key, _| is_ours(key) || !added.contains(&key.as_str()));
        }
    }
}

/// Puts the password as last applied, which is never returned; without one the login is not shown at all.
fn with_password(fields: &mut Map<String, Value>, last: &Map<String, Value>) {
    let Some(Value::Object(image)) = fields.get_mut("docker_image") else { return };
    let Some(Value::Object(login)) = image.get_mut("basic_auth") else { return };
    match last.get("docker_image").and_then(|image| image["basic_auth"].get("password")) {
        Some(password) => drop(login.insert("password".to_owned(), password.clone())),
        None => drop(image.remove("basic_auth")),
    }
}

// prove

#[cfg(test)]
#[path = "cluster_tests.rs"]
mod tests;
