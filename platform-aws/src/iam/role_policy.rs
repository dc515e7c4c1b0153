//! Inline policy of an IAM role: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html>.
//!
//! - One call creates and overwrites: a create looks first, so that it never overwrites what is not ours.
//! - IAM refuses to delete a role that still has one.

use async_trait::async_trait;
use platform_sdk::{
    Declared, Id, Resolved, Stage,
    derive::{Outputs, Resource},
    provider::{
        Change, Context, ErrorKind, Existing, Found, Made, Manage, Observed, ProviderError, ProviderResult, Read,
        Values, id_in_address,
    },
};
use serde_json::Value;

use super::{Role, decoded};
use crate::{
    Aws,
    client::Client,
    error::Answer,
    policy::{PolicyDocument, normalize},
};

/// What a role may do, as a policy that lives in the role.
#[derive(Resource)]
#[resource(
    type = "aws:RolePolicy",
    outputs = RolePolicyOutputs,
    provider = Aws,
    scope = "account",
    identity = key,
    consistency_ms = 10_000, // https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html: eventually consistent
    validate = problems
)]
pub struct RolePolicy<S: Stage = Declared> {
    /// The role that it lives in.
    #[field(required, key, replace, parent = refuses)]
    pub role: S::In<Id<Role>>,
    /// Its name, unique in the role; up to 128 characters.
    #[field(required, key, replace)]
    pub name: S::In<String>,
    /// What is allowed and denied; without principals.
    #[field(required, normalize = normalize)]
    pub policy: S::In<PolicyDocument>,
}

/// Outputs of [`RolePolicy`].
#[derive(Outputs)]
pub struct RolePolicyOutputs<S: Stage = Declared> {
    /// The role's name and the policy's: `acme-lake:access`.
    #[output(is = "{role}:{name}")]
    pub id: S::Out<Id<RolePolicy>>,
}

fn problems(inputs: &Value) -> Vec<(String, String)> {
    let problem = inputs["name"].as_str().and_then(|name| super::name_problem(name, 128));
    problem.map(|problem| ("name".to_owned(), problem)).into_iter().collect()
}

#[async_trait]
impl Manage for RolePolicy {
    type Client = Client;

    async fn read(client: &Client, existing: &Existing<Self>) -> Read<Self> {
        let (role, name) = parts(&existing.id)?;
        let Some(policy) = get(client, role, name, &format!("read policy `{}`", existing.id)).await? else {
            return Ok(None);
        };
        let inputs = RolePolicy { role: Id::new(role), name: name.to_owned(), policy };
        Ok(Some(Observed { id: existing.id.clone(), inputs, outputs: outputs(&existing.id), tainted: None }))
    }

    async fn meant(_client: &Client, asked: &str) -> ProviderResult<Vec<String>> {
        id_in_address(asked, &["roles/details/{}/editPolicy/{}"], ":").map(|id| vec![id])
    }

    async fn find(client: &Client, inputs: &RolePolicy<Resolved>) -> ProviderResult<Vec<Found>> {
        let id = id_of(inputs);
        let there = get(client, inputs.role.as_str(), &inputs.name, &format!("look for policy `{id}`")).await?;
        Ok(there.map(|_| Found::id(id)).into_iter().collect())
    }

    async fn create(client: &Client, _ctx: &Context, inputs: RolePolicy<Resolved>) -> ProviderResult<Made<Self>> {
        let id = id_of(&inputs);
        let what = format!("create policy `{id}`");
        if get(client, inputs.role.as_str(), &inputs.name, &what).await?.is_some() {
            let message = format!("{what}: the role has a policy of this name");
            return Err(ProviderError::new(ErrorKind::AlreadyExists, message));
        }
        put(client, &inputs, &what).await?;
        Ok(Made { outputs: outputs(&id), id })
    }

    async fn update(client: &Client, _ctx: &Context, change: Change<Self>) -> ProviderResult<Made<Self>> {
        put(client, &change.after, &format!("update policy `{}`", change.id)).await?;
        Ok(Made { id: change.id, outputs: change.outputs })
    }

    async fn delete(client: &Client, _ctx: &Context, existing: Existing<Self>, _force: bool) -> ProviderResult<()> {
        let (role, name) = parts(&existing.id)?;
        let call = client.iam().delete_role_policy().role_name(role).policy_name(name);
        call.send().await.unless_absent(format!("delete policy `{}`", existing.id))?;
        Ok(())
    }
}

async fn get(client: &Client, role: &str, name: &str, what: &str) -> ProviderResult<Option<PolicyDocument>> {
    let call = client.iam().get_role_policy().role_name(role).policy_name(name);
    let answer = call.send().await.unless_absent(what)?;
    answer.map(|answer| decoded(&answer.policy_document).map_err(|error| error.while_doing(what))).transpose()
}

async fn put(client: &Client, inputs: &RolePolicy<Resolved>, what: &str) -> ProviderResult<()> {
    let call = client.iam().put_role_policy().role_name(inputs.role.as_str()).policy_name(&inputs.name);
    call.policy_document(inputs.policy.to_json()).send().await.doing(what).map(drop)
}

fn id_of(inputs: &RolePolicy<Resolved>) -> String {
    format!("{}:{}", inputs.role, inputs.name)
}

/// Neither name can have a colon.
fn parts(id: &str) -> ProviderResult<(&str, &str)> {
    id.split_once(':').ok_or_else(|| {
        ProviderError::new(ErrorKind::Invalid { field: None }, format!("`{id}` is not the id of a role's policy"))
            .hint("ids are written `role:policy`")
    })
}

fn outputs(id: &str) -> Values<RolePolicy> {
    RolePolicyOutputs { id: Id::new(id) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_role_and_the_policy() {
        assert_eq!(parts("acme-lake:access").expect("an id"), ("acme-lake", "access"));
        let error = parts("access").expect_err("no role");
        assert_eq!(error.hint.as_deref(), Some("ids are written `role:policy`"));
    }
}
