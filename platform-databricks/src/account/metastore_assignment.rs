//! `MetastoreAssignment`: which metastore a workspace uses.
//! <https://docs.databricks.com/api/account/accountmetastoreassignments>
//!
//! - A workspace has one at most; giving it the one that it has is no change, so an equal assignment is not refused.
//! - It goes with its workspace.

use async_trait::async_trait;
use platform_sdk::{
    Declared, Id, Resolved, Stage,
    derive::{Outputs, Resource},
    provider::{
        Change, Context, ErrorKind, Existing, Found, Made, Manage, Observed, ProviderError, ProviderResult, Read,
    },
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Metastore, Workspace};
use crate::{
    AccountProvider,
    client::{Client, Outcome, path},
};

// declare

/// A metastore's assignment to a workspace of the same region.
#[derive(Resource)]
#[resource(
    type = "databricks:MetastoreAssignment",
    outputs = MetastoreAssignmentOutputs,
    provider = AccountProvider,
    scope = "account",
    identity = key
)]
pub struct MetastoreAssignment<S: Stage = Declared> {
    /// The workspace.
    #[field(required, key, replace, parent = cascades)]
    pub workspace_id: S::In<Id<Workspace>>,
    /// The metastore.
    #[field(required, replace)]
    pub metastore_id: S::In<Id<Metastore>>,
    /// The catalog that queries mean where they name none.
    #[field(computed)]
    pub default_catalog_name: Option<S::In<String>>,
}

/// Outputs of [`MetastoreAssignment`].
#[derive(Outputs)]
pub struct MetastoreAssignmentOutputs<S: Stage = Declared> {
    /// `<workspace id>/<metastore id>`.
    pub id: S::Out<Id<MetastoreAssignment>>,
    /// The metastore.
    #[output(is = "{metastore_id}")]
    pub metastore_id: S::Out<Id<Metastore>>,
}

// manage

#[async_trait]
impl Manage for MetastoreAssignment {
    type Client = Client;

    async fn read(client: &Client, existing: &Existing<Self>) -> Read<Self> {
        let what = format!("read metastore assignment `{}`", existing.id);
        let (workspace, _) = parts(&existing.id).while_doing(&what)?;
        let assignment = get(client, workspace).await.while_doing(&what)?;
        Ok(assignment.map(|assignment| observed(workspace, assignment)))
    }

    async fn find(client: &Client, inputs: &MetastoreAssignment<Resolved>) -> ProviderResult<Vec<Found>> {
        let workspace = inputs.workspace_id.as_str();
        let assignment = get(client, workspace)
            .await
            .while_doing(format!("find metastore assignment of workspace `{workspace}`"))?;
        Ok(assignment.into_iter().map(|assignment| Found::id(id(workspace, &assignment.metastore_id))).collect())
    }

    async fn create(
        client: &Client,
        _ctx: &Context,
        inputs: MetastoreAssignment<Resolved>,
    ) -> ProviderResult<Made<Self>> {
        let id = id(inputs.workspace_id.as_str(), inputs.metastore_id.as_str());
        let what = format!("create metastore assignment `{id}`");
        let create = client.post(place(client, &id).while_doing(&what)?).json(&body(&inputs)?);
        match create.safe_to_repeat(true).done().await {
            Ok(()) => {}
            Err(error) if error.kind == ErrorKind::AlreadyExists => {
                let there = get(client, inputs.workspace_id.as_str()).await.while_doing(&what)?;
                if there.is_none_or(|there| there.metastore_id != inputs.metastore_id.as_str()) {
                    return Err(error.while_doing(what));
                }
            }
            Err(error) => return Err(error.while_doing(what)),
        }
        Ok(made(inputs.workspace_id.as_str(), inputs.metastore_id.as_str()))
    }

    async fn update(client: &Client, _ctx: &Context, change: Change<Self>) -> ProviderResult<Made<Self>> {
        let what = format!("update metastore assignment `{}`", change.id);
        let place = place(client, &change.id).while_doing(&what)?;
        client.put(place).json(&body(&change.after)?).done().await.while_doing(&what)?;
        Ok(made(change.after.workspace_id.as_str(), change.after.metastore_id.as_str()))
    }

    async fn delete(client: &Client, _ctx: &Context, existing: Existing<Self>, _force: bool) -> ProviderResult<()> {
        let what = format!("delete metastore assignment `{}`", existing.id);
        let place = place(client, &existing.id).while_doing(&what)?;
        client.delete(place).done().await.or_absent().while_doing(what).map(drop)
    }
}

async fn get(client: &Client, workspace: &str) -> ProviderResult<Option<Assignment>> {
    let place = format!("{}/metastore", path(&client.account_path("workspaces")?, [workspace]));
    let answer: Option<Answer> = client.get(place).send().await.or_absent()?;
    Ok(answer.and_then(|answer| answer.metastore_assignment))
}

// translate

#[derive(Deserialize)]
struct Answer {
    metastore_assignment: Option<Assignment>,
}

#[derive(Deserialize)]
struct Assignment {
    metastore_id: String,
    default_catalog_name: Option<String>,
}

fn id(workspace: &str, metastore: &str) -> String {
    format!("{workspace}/{metastore}")
}

fn parts(id: &str) -> ProviderResult<(&str, &str)> {
    id.split_once('/').ok_or_else(|| {
        ProviderError::new(ErrorKind::Invalid { field: None }, "it is no id of a metastore assignment")
            .hint("the id is `<workspace id>/<metastore id>`")
    })
}

fn place(client: &Client, id: &str) -> ProviderResult<String> {
    let (workspace, metastore) = parts(id)?;
    let workspace = path(&client.account_path("workspaces")?, [workspace]);
    Ok(path(&format!("{workspace}/metastores"), [metastore]))
}

fn body(inputs: &MetastoreAssignment<Resolved>) -> ProviderResult<Value> {
    let workspace: i64 = inputs.workspace_id.as_str().parse().map_err(|_| {
        let message = format!("`{}` is no workspace's id: it is a number", inputs.workspace_id);
        ProviderError::new(ErrorKind::Invalid { field: Some("workspace_id".to_owned()) }, message)
    })?;
    // The field must be there; empty, it leaves the choice to the service.
    let catalog = inputs.default_catalog_name.as_deref().unwrap_or_default();
    let metastore = &inputs.metastore_id;
    let assignment = json!({"workspace_id": workspace, "metastore_id": metastore, "default_catalog_name": catalog});
    Ok(json!({ "metastore_assignment": assignment }))
}

fn made(workspace: &str, metastore: &str) -> Made<MetastoreAssignment> {
    let id = id(workspace, metastore);
    Made { outputs: MetastoreAssignmentOutputs { id: Id::new(&id), metastore_id: Id::new(metastore) }, id }
}

fn observed(workspace: &str, there: Assignment) -> Observed<MetastoreAssignment> {
    let Made { id, outputs } = made(workspace, &there.metastore_id);
    let inputs = MetastoreAssignment {
        workspace_id: Id::new(workspace),
        metastore_id: Id::new(there.metastore_id),
        default_catalog_name: there.default_catalog_name.filter(|name| !name.is_empty()),
    };
    Observed { id, inputs, outputs, tainted: None }
}

// prove

#[cfg(test)]
#[path = "metastore_assignment_tests.rs"]
mod tests;
