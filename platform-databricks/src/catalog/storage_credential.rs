//! Storage credential: the IAM role that Unity Catalog takes on to reach a bucket.
//! <https://docs.databricks.com/api/workspace/storagecredentials>
//!
//! Quirks: the answer to the create says whom the role must trust, and the role can't trust what does not exist yet.
//! The credential is therefore made first and without validation, then the role; the external location that uses both is
//! where the service looks whether they fit. Isolation and owner follow the create.

use async_trait::async_trait;
use platform_sdk::{
    Declared, Id, IntoInput, Resolved, Stage,
    derive::{Block, Outputs, Resource},
    provider::{Change, Context, Existing, Found, Made, Manage, Observed, ProviderResult, Read, id_in_address},
};
use serde::{Deserialize, Serialize};

use super::securable::{Kind, Patch, lower, name_problems, set_text};
use crate::{WorkspaceProvider, client::Client};

// declare

/// A storage credential.
#[derive(Resource)]
#[resource(
    type = "databricks:StorageCredential",
    outputs = StorageCredentialOutputs,
    provider = WorkspaceProvider,
    scope = "metastore",
    identity = key,
    validate = name_problems
)]
pub struct StorageCredential<S: Stage = Declared> {
    /// Its name; kept in lower case.
    #[field(required, key, renames, normalize = lower)]
    pub name: S::In<String>,
    /// The IAM role that it stands for.
    #[field(required, forcible)]
    pub aws_iam_role: AwsIamRole<S>,
    /// What it is for.
    #[field(nullable)]
    pub comment: Option<S::In<String>>,
    /// Whether it only reads. Default: false.
    #[field(default = false, forcible)]
    pub read_only: Option<S::In<bool>>,
    /// Whether all workspaces of the metastore may use it. Unless set, they do.
    #[field(computed)]
    pub isolation_mode: Option<S::In<Isolation>>,
    /// The user, group or service principal that owns it. Unless set, who creates it.
    #[field(computed, access = owner)]
    pub owner: Option<S::In<String>>,
}

/// An IAM role.
#[derive(Block)]
pub struct AwsIamRole<S: Stage = Declared> {
    /// Its ARN: `arn:aws:iam::123456789012:role/lake`. The role need not exist yet.
    #[field(required)]
    pub role_arn: S::In<String>,
}

/// Outputs of [`StorageCredential`].
#[derive(Outputs)]
pub struct StorageCredentialOutputs<S: Stage = Declared> {
    /// Its name.
    #[output(is = "{name}")]
    pub id: S::Out<Id<StorageCredential>>,
    /// Its name.
    #[output(is = "{name}")]
    pub name: S::Out<String>,
    /// The external id that the role's trust policy must ask for.
    #[output(from = "aws_iam_role")]
    pub external_id: S::Out<String>,
    /// The role of Databricks that the role's trust policy must name.
    #[output(from = "aws_iam_role")]
    pub unity_catalog_iam_arn: S::Out<String>,
}

platform_sdk::names! {
    /// Whether all workspaces of the metastore may use an object.
    pub enum Isolation {
        /// They may.
        Open = "ISOLATION_MODE_OPEN",
        /// Only those that it is bound to.
        Isolated = "ISOLATION_MODE_ISOLATED",
    }
}

impl StorageCredential {
    /// A credential for the IAM role with this ARN, which need not exist yet.
    pub fn aws_role(name: impl IntoInput<String>, role_arn: impl IntoInput<String>) -> Self {
        Self::new(name, AwsIamRole::new(role_arn))
    }
}

// manage

const KIND: Kind = Kind {
    noun: "storage credential",
    collection: "storage-credentials",
    forces: true,
    bound: Some("storage_credential"),
};

#[async_trait]
impl Manage for StorageCredential {
    type Client = Client;

    async fn read(client: &Client, existing: &Existing<Self>) -> Read<Self> {
        Ok(KIND.read::<Info>(client, &existing.id).await?.map(observed))
    }

    async fn meant(_client: &Client, asked: &str) -> ProviderResult<Vec<String>> {
        id_in_address(asked, &["explore/storage-credentials/{}", "explore/credentials/{}"], ".").map(|id| vec![id])
    }

    async fn find(client: &Client, inputs: &StorageCredential<Resolved>) -> ProviderResult<Vec<Found>> {
        KIND.find(client, &inputs.name.to_lowercase()).await
    }

    async fn create(client: &Client, ctx: &Context, inputs: StorageCredential<Resolved>) -> ProviderResult<Made<Self>> {
        let mut info: Info = KIND.create(client, &inputs.name, &new(&inputs)).await?;
        let mut patch = Patch { owner: inputs.owner.as_deref(), ..Patch::default() };
        if let Some(mode) = &inputs.isolation_mode {
            patch.isolate(mode);
        }
        if !patch.fields.is_empty() || patch.owner.is_some() {
            ctx.created(&info.name).await?;
            info = KIND.update(client, ctx, &info.name, patch).await?;
        }
        Ok(made(&info))
    }

    async fn update(client: &Client, ctx: &Context, change: Change<Self>) -> ProviderResult<Made<Self>> {
        let patch = changed(&change, ctx.force());
        Ok(made(&KIND.update(client, ctx, &change.id, patch).await?))
    }

    async fn delete(client: &Client, _ctx: &Context, existing: Existing<Self>, force: bool) -> ProviderResult<()> {
        KIND.delete(client, &existing.id, force).await
    }
}

// translate

#[derive(Deserialize)]
struct Info {
    name: String,
    aws_iam_role: Option<RoleInfo>,
    comment: Option<String>,
    read_only: Option<bool>,
    isolation_mode: Option<Isolation>,
    owner: Option<String>,
}

#[derive(Deserialize, Default)]
struct RoleInfo {
    role_arn: String,
    external_id: Option<String>,
    unity_catalog_iam_arn: Option<String>,
}

#[derive(Serialize)]
struct New<'a> {
    name: &'a str,
    aws_iam_role: Named<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a String>,
    read_only: bool,
    skip_validation: bool,
}

#[derive(Serialize)]
struct Named<'a> {
    role_arn: &'a str,
}

fn role(inputs: &StorageCredential<Resolved>) -> Named<'_> {
    Named { role_arn: &inputs.aws_iam_role.role_arn }
}

fn new(inputs: &StorageCredential<Resolved>) -> New<'_> {
    New {
        name: &inputs.name,
        aws_iam_role: role(inputs),
        comment: inputs.comment.as_ref(),
        read_only: inputs.read_only.unwrap_or(false),
        skip_validation: true,
    }
}

fn changed(change: &Change<StorageCredential>, force: bool) -> Patch<'_> {
    let after = &change.after;
    let mut patch = Patch::default();
    if change.touches("aws_iam_role") {
        patch.set("aws_iam_role", &role(after));
        patch.set("skip_validation", &true);
    }
    if change.touches("comment") {
        patch.set("comment", after.comment.as_ref().unwrap_or(&String::new()));
    }
    if change.touches("read_only") {
        patch.set("read_only", &after.read_only.unwrap_or(false));
    }
    if change.touches("aws_iam_role") || change.touches("read_only") {
        patch.forced(force);
    }
    if let (true, Some(mode)) = (change.touches("isolation_mode"), &after.isolation_mode) {
        patch.isolate(mode);
    }
    if change.touches("name") {
        patch.renamed = Some((&after.name, after.name.to_lowercase()));
    }
    if change.touches("owner") {
        patch.owner = after.owner.as_deref();
    }
    patch
}

fn outputs(info: &Info) -> StorageCredentialOutputs<Resolved> {
    let role = info.aws_iam_role.as_ref();
    StorageCredentialOutputs {
        id: Id::new(&info.name),
        name: info.name.clone(),
        external_id: role.and_then(|role| role.external_id.clone()).unwrap_or_default(),
        unity_catalog_iam_arn: role.and_then(|role| role.unity_catalog_iam_arn.clone()).unwrap_or_default(),
    }
}

fn made(info: &Info) -> Made<StorageCredential> {
    Made { id: info.name.clone(), outputs: outputs(info) }
}

fn observed(info: Info) -> Observed<StorageCredential> {
    Observed {
        id: info.name.clone(),
        outputs: outputs(&info),
        inputs: StorageCredential {
            name: info.name,
            aws_iam_role: AwsIamRole { role_arn: info.aws_iam_role.unwrap_or_default().role_arn },
            comment: set_text(info.comment),
            read_only: info.read_only,
            isolation_mode: info.isolation_mode,
            owner: info.owner,
        },
        tainted: None,
    }
}

// prove

#[cfg(test)]
mod tests {
    use platform_sdk::{
        Id,
        provider::{Change, Context, Manage as _},
    };
    use serde_json::{Value, json};

    use super::{StorageCredential, StorageCredentialOutputs};
    use crate::client::scripted::{Server, json as answer};

    #[tokio::test]
    async fn another_role_is_taken_unseen_and_where_locations_use_it_only_by_force() {
        let lake = |arn: &str| json!({"name": "lake", "aws_iam_role": {"role_arn": arn}});
        let unseen = json!({"aws_iam_role": {"role_arn": "arn:2"}, "skip_validation": true});
        let forced = json!({"aws_iam_role": {"role_arn": "arn:2"}, "skip_validation": true, "force": true});
        for (force, wanted) in [(false, unseen), (true, forced)] {
            let server = Server::playing([answer(200, &lake("arn:2").to_string())]).await;
            let outputs = StorageCredentialOutputs {
                id: Id::new("lake"),
                name: "lake".to_owned(),
                external_id: String::new(),
                unity_catalog_iam_arn: String::new(),
            };
            let change: Change<StorageCredential> = Change {
                id: "lake".to_owned(),
                before: serde_json::from_value(lake("arn:1")).expect("inputs"),
                after: serde_json::from_value(lake("arn:2")).expect("inputs"),
                outputs,
                paths: vec!["aws_iam_role.role_arn".to_owned()],
            };
            let ctx = Context::detached().forced(force);
            StorageCredential::update(&server.client(), &ctx, change).await.expect("it is changed");
            let sent: Value = serde_json::from_str(&server.seen()[0].body).expect("a body");
            assert_eq!(sent, wanted);
        }
    }
}
