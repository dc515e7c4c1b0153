//! `Workspace`: a workspace of the account, on AWS.
//! <https://docs.databricks.com/api/account/workspaces>
//!
//! - It is provisioned for minutes after a create or an update, and then its name must get known: both are waited for.
//! - What a PATCH can change is changed in place; the rest makes another workspace, and what is in it is lost.
//! - `deployment_name` may come back with the account's prefix in front.
//! - A delete is over when a get says 404.
//! - The list is not paged.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use platform_sdk::{
    Declared, Id, IntoInput, Resolved, Stage,
    derive::{Outputs, Resource},
    names,
    provider::{
        Change, Context, ErrorKind, Existing, Found, Made, Manage, Observed, ProviderError, ProviderResult, Read,
        Readiness,
    },
};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    AccountProvider, WorkspaceProvider,
    client::{
        Client, Outcome, path,
        wire::{pruned_fields, rename, sent, understood},
    },
};

// declare

names! {
    /// Where a workspace's compute runs.
    pub enum ComputeMode {
        /// With Databricks alone.
        Serverless = "SERVERLESS",
        /// With Databricks and in an account of the cloud.
        Hybrid = "HYBRID",
    }
}

names! {
    /// What a workspace's features are paid for.
    pub enum PricingTier {
        /// Without access control.
        Standard = "STANDARD",
        /// With access control.
        Premium = "PREMIUM",
        /// With compliance.
        Enterprise = "ENTERPRISE",
    }
}

/// A workspace: [serverless](Workspace::serverless), or on the credentials and storage of an AWS account.
#[derive(Resource)]
#[resource(
    type = "databricks:Workspace",
    outputs = WorkspaceOutputs,
    provider = AccountProvider,
    scope = "account",
    data,
    waits,
    provides,
    identity = key
)]
pub struct Workspace<S: Stage = Declared> {
    /// Its name, unique in the account.
    #[field(required, key, replace)]
    pub name: S::In<String>,
    /// The region of AWS that it is in.
    #[field(required, replace)]
    pub aws_region: S::In<String>,
    /// Where its compute runs. Unset: also in the AWS account of its credentials.
    #[field(replace)]
    pub compute_mode: Option<S::In<ComputeMode>>,
    /// The id of the credentials through which it makes machines.
    #[field(computed)]
    pub credentials_id: Option<S::In<String>>,
    /// The id of the storage configuration of its root bucket.
    #[field(replace)]
    pub storage_configuration_id: Option<S::In<String>>,
    /// The id of the network that its machines are in. Unset: one that Databricks makes.
    #[field(computed)]
    pub network_id: Option<S::In<String>>,
    /// The id of the key that notebooks, secrets and queries are encrypted with.
    #[field(computed)]
    pub managed_services_customer_managed_key_id: Option<S::In<String>>,
    /// The id of the key that its root bucket and disks are encrypted with.
    #[field(computed)]
    pub storage_customer_managed_key_id: Option<S::In<String>>,
    /// The id of its private access settings.
    #[field(computed)]
    pub private_access_settings_id: Option<S::In<String>>,
    /// The id of the network connectivity configuration that its serverless compute uses.
    #[field(computed)]
    pub network_connectivity_config_id: Option<S::In<String>>,
    /// Tags of its machines, for the cloud's bill.
    #[field(nullable)]
    pub custom_tags: Option<S::In<BTreeMap<String, String>>>,
    /// What its features are paid for. Unset: as the account.
    #[field(computed, replace)]
    pub pricing_tier: Option<S::In<PricingTier>>,
    /// The first part of its address. Unset: one that Databricks makes up.
    #[field(computed, replace)]
    pub deployment_name: Option<S::In<String>>,
}

impl Workspace {
    /// A workspace whose compute runs with Databricks alone: it needs no cloud account of its own.
    pub fn serverless(name: impl IntoInput<String>, aws_region: impl IntoInput<String>) -> Self {
        Self::new(name, aws_region).compute_mode(ComputeMode::Serverless)
    }
}

/// Outputs of [`Workspace`].
#[derive(Outputs)]
pub struct WorkspaceOutputs<S: Stage = Declared> {
    /// Its id, a number.
    pub id: S::Out<Id<Workspace>>,
    /// The same as text.
    pub workspace_id: S::Out<String>,
    /// Its name.
    #[output(is = "{name}")]
    pub name: S::Out<String>,
    /// Its address: `https://dbc-a1b2c3d4-e5f6.cloud.databricks.com`.
    pub host: S::Out<String>,
    /// The first part of its address.
    pub deployment_name: S::Out<String>,
    /// The region of AWS that it is in.
    pub aws_region: S::Out<String>,
}

impl WorkspaceOutputs {
    /// The provider of what lives in this workspace, for `stack.within(&workspace.provider())`: with the login of the
    /// account.
    pub fn provider(&self) -> WorkspaceProvider {
        WorkspaceProvider::new(&self.host).workspace_id(&self.workspace_id)
    }
}

// manage

/// How long a workspace may take to go.
const DELETE_TAKES: Duration = Duration::from_mins(20);

#[async_trait]
impl Manage for Workspace {
    type Client = Client;

    async fn read(client: &Client, existing: &Existing<Self>) -> Read<Self> {
        let answer = get(client, &existing.id).await.while_doing(named("read", existing))?;
        answer.map(|answer| observed(client, &answer, existing.inputs.as_ref())).transpose()
    }

    async fn find(client: &Client, inputs: &Workspace<Resolved>) -> ProviderResult<Vec<Found>> {
        let all = all(client).await.while_doing(format!("find workspace `{}`", inputs.name))?;
        let same = all.iter().filter(|workspace| workspace["workspace_name"] == inputs.name);
        let found = same.map(|workspace| Found {
            created_at_ms: workspace["creation_time"].as_u64(),
            ..Found::id(workspace["workspace_id"].to_string())
        });
        Ok(found.collect())
    }

    async fn create(client: &Client, ctx: &Context, inputs: Workspace<Resolved>) -> ProviderResult<Made<Self>> {
        let what = format!("create workspace `{}`", inputs.name);
        let mut body = sent(&inputs);
        rename(&mut body, "name", "workspace_name");
        let collection = client.account_path("workspaces").while_doing(&what)?;
        let answer: Value = client.post(collection).json(&body).send().await.while_doing(&what)?;
        let made = made(client, &answer, &inputs);
        ctx.created(&made.id).await?;
        ctx.progress(&progress(&answer));
        Ok(made)
    }

    async fn update(client: &Client, ctx: &Context, change: Change<Self>) -> ProviderResult<Made<Self>> {
        let what = format!("update workspace `{}`", change.after.name);
        let body = patch(&change);
        let mask = body.keys().map(String::as_str).collect::<Vec<_>>().join(",");
        let place = place(client, &change.id).while_doing(&what)?;
        let answer: Value =
            client.patch(place).query("update_mask", mask).json(&body).send().await.while_doing(&what)?;
        ctx.progress(&progress(&answer));
        Ok(Made { id: change.id, outputs: change.outputs })
    }

    async fn delete(client: &Client, ctx: &Context, existing: Existing<Self>, _force: bool) -> ProviderResult<()> {
        let what = named("delete", &existing);
        let place = place(client, &existing.id).while_doing(&what)?;
        client.delete(place).done().await.or_absent().while_doing(&what)?;
        let (start, mut pause) = (Instant::now(), Duration::from_millis(500));
        while let Some(answer) = get(client, &existing.id).await.while_doing(&what)? {
            if start.elapsed() > DELETE_TAKES {
                return Err(ProviderError::new(ErrorKind::TimedOut, format!("{what}: it is still there"))
                    .hint("run it again: a delete that is under way is waited for"));
            }
            ctx.progress(&progress(&answer));
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(15));
        }
        Ok(())
    }

    async fn list(client: &Client, of: &[Existing<Self>]) -> ProviderResult<Option<Vec<Observed<Self>>>> {
        let mut observations = Vec::new();
        for workspace in all(client).await.while_doing("list workspaces")? {
            let id = workspace["workspace_id"].to_string();
            if let Some(existing) = of.iter().find(|existing| existing.id == id) {
                observations.push(observed(client, &workspace, existing.inputs.as_ref())?);
            }
        }
        Ok(Some(observations))
    }

    async fn ready(client: &Client, id: &str) -> ProviderResult<Readiness> {
        let what = format!("wait for workspace `{id}`");
        let Some(workspace) = get(client, id).await.while_doing(&what)? else {
            return Ok(Readiness::Failed("it is gone".to_owned()));
        };
        match workspace["workspace_status"].as_str().unwrap_or_default() {
            "RUNNING" if answers(client, &workspace).await? => Ok(Readiness::Ready),
            "RUNNING" => Ok(Readiness::Pending("RUNNING: its address is not known everywhere yet".to_owned())),
            "PROVISIONING" | "NOT_PROVISIONED" => Ok(Readiness::Pending(progress(&workspace))),
            _ => {
                let network = network_errors(client, &workspace).await.unwrap_or_default();
                Ok(Readiness::Failed(format!("{}{network}", progress(&workspace))))
            }
        }
    }
}

fn named(verb: &str, existing: &Existing<Workspace>) -> String {
    let name = existing.inputs.as_ref().map_or(&existing.id, |inputs| &inputs.name);
    format!("{verb} workspace `{name}`")
}

fn place(client: &Client, id: &str) -> ProviderResult<String> {
    Ok(path(&client.account_path("workspaces")?, [id]))
}

async fn get(client: &Client, id: &str) -> ProviderResult<Option<Value>> {
    client.get(place(client, id)?).send().await.or_absent()
}

async fn all(client: &Client) -> ProviderResult<Vec<Value>> {
    client.get(client.account_path("workspaces")?).send().await
}

/// Whether the workspace's own address answers, whatever it says: a new name takes a while to get known.
async fn answers(client: &Client, workspace: &Value) -> ProviderResult<bool> {
    let own = client.for_workspace(&host(client, workspace), workspace["workspace_id"].to_string())?;
    let asked = own.get("/api/2.0/preview/scim/v2/Me").send::<Value>().await;
    let silent = |kind: &ErrorKind| matches!(kind, ErrorKind::Unavailable | ErrorKind::Throttled { .. });
    Ok(!asked.is_err_and(|error| silent(&error.kind)))
}

/// What is wrong with the network of a workspace that failed, which its status does not say.
async fn network_errors(client: &Client, workspace: &Value) -> Option<String> {
    let network = workspace["network_id"].as_str().filter(|id| !id.is_empty())?;
    let place = path(&client.account_path("networks").ok()?, [network]);
    let network: Value = client.get(place).send().await.ok()?;
    let messages = network["error_messages"].as_array()?.iter().filter_map(|error| error["error_message"].as_str());
    Some(messages.fold(String::new(), |all, message| all + "; network: " + message))
}

// translate

/// What differs. Of what is set no more, only tags can be taken away.
fn patch(change: &Change<Workspace>) -> Map<String, Value> {
    let mut body = sent(&change.after);
    body.retain(|field, _| change.touches(field));
    if change.touches("custom_tags") {
        body.entry("custom_tags").or_insert_with(|| json!({}));
    }
    body
}

fn progress(workspace: &Value) -> String {
    let status = workspace["workspace_status"].as_str().unwrap_or("PROVISIONING");
    match workspace["workspace_status_message"].as_str().filter(|message| !message.is_empty()) {
        Some(message) => format!("{status}: {message}"),
        None => status.to_owned(),
    }
}

/// The address: the account console's, with the deployment's name where it says `accounts`. A console that is called
/// otherwise, such as one on this machine, serves its workspaces itself.
fn host(client: &Client, workspace: &Value) -> String {
    let console = client.login().host.to_string();
    let name = workspace["deployment_name"].as_str().unwrap_or_default();
    match console.split_once("://accounts.") {
        Some((scheme, domain)) => format!("{scheme}://{name}.{domain}"),
        None => console,
    }
}

fn made(client: &Client, answer: &Value, inputs: &Workspace<Resolved>) -> Made<Workspace> {
    let id = answer["workspace_id"].to_string();
    let outputs = WorkspaceOutputs {
        id: Id::new(&id),
        workspace_id: id.clone(),
        name: inputs.name.clone(),
        host: host(client, answer),
        deployment_name: answer["deployment_name"].as_str().unwrap_or_default().to_owned(),
        aws_region: inputs.aws_region.clone(),
    };
    Made { id, outputs }
}

fn observed(
    client: &Client,
    answer: &Value,
    last: Option<&Workspace<Resolved>>,
) -> ProviderResult<Observed<Workspace>> {
    let mut fields = pruned_fields(answer.clone());
    rename(&mut fields, "workspace_name", "name");
    if let Some(asked) = last.and_then(|last| last.deployment_name.as_ref())
        && answer["deployment_name"].as_str().is_some_and(|name| name.ends_with(&format!("-{asked}")))
    {
        fields.insert("deployment_name".to_owned(), json!(asked));
    }
    let inputs = understood(format!("workspace `{}`", answer["workspace_id"]), fields)?;
    let Made { id, outputs } = made(client, answer, &inputs);
    let failed = matches!(answer["workspace_status"].as_str(), Some("FAILED" | "BANNED" | "CANCELLING"));
    Ok(Observed { id, inputs, outputs, tainted: failed.then(|| progress(answer)) })
}

// prove

#[cfg(test)]
#[path = "workspace_tests.rs"]
mod tests;
