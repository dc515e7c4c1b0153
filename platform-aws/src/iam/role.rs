//! IAM role: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>.
//!
//! - A new role is not usable everywhere at once: what refers to it may be told that it is not ready.
//! - `UpdateRole` takes an unset session duration for an hour: both of its fields are always sent.
//! - A principal that was deleted stands in the trust policy by its unique id from then on: that is seen as a change.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_iam::{
    error::{BuildError, SdkError},
    operation::get_role::GetRoleError,
    types,
};
use platform_sdk::{
    Declared, Id, IntoInput, Output, Resolved, Stage,
    derive::{Outputs, Resource},
    interpolate,
    provider::{
        Change, Content, Context, ErrorKind, Existing, Found, Made, Manage, Observed, ProviderError, ProviderResult,
        Read, Values, id_in_address,
    },
};
use serde_json::{Value, json};

use super::decoded;
use crate::{
    Aws,
    arn::COMMERCIAL,
    client::{Client, once},
    endless::Walk,
    error::Answer,
    merge::{is_system_tag, tag_changes, wanted},
    policy::{PolicyDocument, normalize},
};

const NO_DESCRIPTION: &str = "";
const ONE_HOUR: i32 = 3600;
const ROOT_PATH: &str = "/";

/// An IAM role: whom it trusts. What it may do is said by [`RolePolicy`](super::RolePolicy)s.
#[derive(Resource)]
#[resource(
    type = "aws:Role",
    outputs = RoleOutputs,
    provider = Aws,
    scope = "account",
    identity = key,
    consistency_ms = 10_000, // https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html: eventually consistent
    validate = problems
)]
pub struct Role<S: Stage = Declared> {
    /// Its name, unique in the account whatever its path; up to 64 characters.
    #[field(required, key, replace)]
    pub name: S::In<String>,
    /// Who may assume it.
    #[field(required, normalize = normalize)]
    pub trust_policy: S::In<PolicyDocument>,
    /// A prefix of its ARN, with slashes around it. Default: `/`.
    #[field(default = ROOT_PATH, replace)]
    pub path: Option<S::In<String>>,
    /// What it is for. Default: nothing.
    #[field(default = NO_DESCRIPTION)]
    pub description: Option<S::In<String>>,
    /// How long a session may last, in seconds: 3600 to 43200. Default: 3600.
    #[field(default = ONE_HOUR)]
    pub max_session_duration: Option<S::In<i32>>,
    /// Its tags. Default: none.
    #[field(default = json!({}))]
    pub tags: Option<S::In<BTreeMap<String, String>>>,
}

/// Outputs of [`Role`].
#[derive(Outputs)]
pub struct RoleOutputs<S: Stage = Declared> {
    /// Its name.
    #[output(is = "{name}")]
    pub id: S::Out<Id<Role>>,
    /// Its name, as text.
    #[output(is = "{name}")]
    pub name: S::Out<String>,
    /// `arn:aws:iam::123456789012:role/acme-lake`.
    pub arn: S::Out<String>,
    /// What tells it from an earlier role of the same name: `AROA…`.
    #[output(unique)]
    pub unique_id: S::Out<String>,
}

impl Role {
    /// The ARN that a role of this name on the default path has or will have, for policies that must name it first. In
    /// GovCloud and China it is [`arn_in`](Self::arn_in) the partition that [`CallerIdentity`](crate::sts::CallerIdentity)
    /// names.
    pub fn arn_of(account_id: impl IntoInput<String>, name: impl IntoInput<String>) -> Output<String> {
        Self::arn_in(COMMERCIAL, account_id, name)
    }

    /// The same in any partition: `Role::arn_in(&me.partition, &me.account_id, "lake")`.
    pub fn arn_in(
        partition: impl IntoInput<String>,
        account_id: impl IntoInput<String>,
        name: impl IntoInput<String>,
    ) -> Output<String> {
        interpolate!("arn:{}:iam::{}:role/{}", partition.into_input(), account_id.into_input(), name.into_input())
    }
}

fn problems(inputs: &Value) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    let mut report = |field: &str, problem: Option<String>| problems.extend(problem.map(|p| (field.to_owned(), p)));
    report("name", inputs["name"].as_str().and_then(|name| super::name_problem(name, 64)));
    let path = inputs["path"].as_str().filter(|path| !(path.starts_with('/') && path.ends_with('/')));
    report("path", path.map(|path| format!("is `{path}`; it begins and ends with a slash")));
    let seconds = inputs["max_session_duration"].as_i64().filter(|seconds| !(3600..=43200).contains(seconds));
    report("max_session_duration", seconds.map(|seconds| format!("is {seconds}; it is 3600 to 43200 seconds")));
    problems
}

#[async_trait]
impl Manage for Role {
    type Client = Client;

    async fn read(client: &Client, existing: &Existing<Self>) -> Read<Self> {
        let answer = get(client, &existing.id).await.unless_absent(format!("read role `{}`", existing.id))?;
        answer.map(|role| observed(&role)).transpose()
    }

    async fn meant(_client: &Client, asked: &str) -> ProviderResult<Vec<String>> {
        let name = asked.split_once(":role/").map_or(asked, |(_, path)| path.rsplit('/').next().unwrap_or(path));
        id_in_address(name, &["roles/details/{}", "roles/{}"], "").map(|id| vec![id])
    }

    async fn find(client: &Client, inputs: &Role<Resolved>) -> ProviderResult<Vec<Found>> {
        let answer = get(client, &inputs.name).await.unless_absent(format!("look for role `{}`", inputs.name))?;
        let found = |role: types::Role| Found {
            created_at_ms: role.create_date.to_millis().ok().and_then(|ms| u64::try_from(ms).ok()),
            ..Found::id(role.role_name)
        };
        Ok(answer.map(found).into_iter().collect())
    }

    async fn create(client: &Client, _ctx: &Context, inputs: Role<Resolved>) -> ProviderResult<Made<Self>> {
        let what = format!("create role `{}`", inputs.name);
        let given = inputs.tags.as_ref().filter(|tags| !tags.is_empty());
        let answer = client
            .iam()
            .create_role()
            .role_name(&inputs.name)
            .assume_role_policy_document(inputs.trust_policy.to_json())
            .set_path(inputs.path.clone())
            .set_description(inputs.description.clone().filter(|text| !text.is_empty()))
            .set_max_session_duration(inputs.max_session_duration)
            // An empty list would be sent as an empty parameter, which IAM does not know.
            .set_tags(given.map(tags).transpose().map_err(|error| invalid(&what, error))?)
            .customize()
            .config_override(aws_sdk_iam::config::Builder::new().retry_config(once()))
            .send()
            .await
            .doing(&what)?;
        let role = answer.role.ok_or_else(|| ProviderError::new(ErrorKind::Ambiguous, format!("{what}: no answer")))?;
        Ok(Made { id: role.role_name.clone(), outputs: outputs(&role) })
    }

    async fn update(client: &Client, _ctx: &Context, change: Change<Self>) -> ProviderResult<Made<Self>> {
        let what = format!("update role `{}`", change.id);
        if change.touches("trust_policy") {
            let document = change.after.trust_policy.to_json();
            let call = client.iam().update_assume_role_policy().role_name(&change.id).policy_document(document);
            call.send().await.doing(&what)?;
        }
        if change.touches("description") || change.touches("max_session_duration") {
            update_settings(client, &change, &what).await?;
        }
        if change.touches("tags") {
            update_tags(client, &change, &what).await?;
        }
        Ok(Made { id: change.id, outputs: change.outputs })
    }

    async fn delete(client: &Client, _ctx: &Context, existing: Existing<Self>, force: bool) -> ProviderResult<()> {
        let what = format!("delete role `{}`", existing.id);
        if force {
            strip(client, &existing.id, &what).await?;
        }
        client.iam().delete_role().role_name(&existing.id).send().await.unless_absent(&what)?;
        Ok(())
    }

    /// Everything that keeps IAM from deleting it. What is attached is taken off it, and stays.
    async fn contents(client: &Client, id: &str) -> ProviderResult<Vec<Content>> {
        let what = format!("list what role `{id}` has");
        let inline = inline_policies(client, id, &what).await?;
        let inline = inline.iter().map(|name| Content { type_name: "aws:RolePolicy", id: format!("{id}:{name}") });
        let attached = attached_policies(client, id, &what).await?;
        let attached = attached.into_iter().map(|id| Content { type_name: "aws:ManagedPolicy", id });
        let profiles = instance_profiles(client, id, &what).await?;
        let profiles = profiles.into_iter().map(|id| Content { type_name: "aws:InstanceProfile", id });
        Ok(inline.chain(attached).chain(profiles).collect())
    }
}

async fn get(client: &Client, name: &str) -> Result<types::Role, SdkError<GetRoleError>> {
    let answer = client.iam().get_role().role_name(name).send().await?;
    answer.role.ok_or_else(|| SdkError::construction_failure("GetRole answered without a role"))
}

async fn update_settings(client: &Client, change: &Change<Role>, what: &str) -> ProviderResult<()> {
    let (before, after) = (&change.before, &change.after);
    let description = wanted(
        change.touches("description"),
        after.description.clone(),
        before.description.clone(),
        NO_DESCRIPTION.to_owned(),
    );
    let seconds = wanted(
        change.touches("max_session_duration"),
        after.max_session_duration,
        before.max_session_duration,
        ONE_HOUR,
    );
    let call = client.iam().update_role().role_name(&change.id).description(description).max_session_duration(seconds);
    call.send().await.doing(what).map(drop)
}

async fn update_tags(client: &Client, change: &Change<Role>, what: &str) -> ProviderResult<()> {
    let before = change.before.tags.clone().unwrap_or_default();
    let (set, removed) = tag_changes(&before, &change.after.tags.clone().unwrap_or_default());
    if !removed.is_empty() {
        let call = client.iam().untag_role().role_name(&change.id).set_tag_keys(Some(removed));
        call.send().await.doing(what)?;
    }
    if !set.is_empty() {
        let set = tags(&set).map_err(|error| invalid(what, error))?;
        client.iam().tag_role().role_name(&change.id).set_tags(Some(set)).send().await.doing(what)?;
    }
    Ok(())
}

/// Takes away everything that keeps IAM from deleting the role.
async fn strip(client: &Client, name: &str, what: &str) -> ProviderResult<()> {
    let iam = client.iam();
    for policy in inline_policies(client, name, what).await? {
        iam.delete_role_policy().role_name(name).policy_name(policy).send().await.unless_absent(what)?;
    }
    for arn in attached_policies(client, name, what).await? {
        iam.detach_role_policy().role_name(name).policy_arn(arn).send().await.unless_absent(what)?;
    }
    for profile in instance_profiles(client, name, what).await? {
        let call = iam.remove_role_from_instance_profile().role_name(name).instance_profile_name(profile);
        call.send().await.unless_absent(what)?;
    }
    Ok(())
}

/// The ARNs of the policies that are attached.
async fn attached_policies(client: &Client, name: &str, what: &str) -> ProviderResult<Vec<String>> {
    let mut arns = Vec::new();
    let mut pages = client.iam().list_attached_role_policies().role_name(name).into_paginator().send();
    let mut walk = Walk::default();
    while let Some(page) = pages.next().await {
        walk.page(what)?;
        let Some(page) = page.unless_absent(what)? else { break };
        arns.extend(page.attached_policies.unwrap_or_default().into_iter().filter_map(|policy| policy.policy_arn));
    }
    Ok(arns)
}

async fn instance_profiles(client: &Client, name: &str, what: &str) -> ProviderResult<Vec<String>> {
    let mut names = Vec::new();
    let mut pages = client.iam().list_instance_profiles_for_role().role_name(name).into_paginator().send();
    let mut walk = Walk::default();
    while let Some(page) = pages.next().await {
        walk.page(what)?;
        let Some(page) = page.unless_absent(what)? else { break };
        names.extend(page.instance_profiles.into_iter().map(|profile| profile.instance_profile_name));
    }
    Ok(names)
}

async fn inline_policies(client: &Client, name: &str, what: &str) -> ProviderResult<Vec<String>> {
    let mut names = Vec::new();
    let mut pages = client.iam().list_role_policies().role_name(name).into_paginator().send();
    let mut walk = Walk::default();
    while let Some(page) = pages.next().await {
        walk.page(what)?;
        match page.unless_absent(what)? {
            Some(page) => names.extend(page.policy_names),
            None => break,
        }
    }
    Ok(names)
}

fn observed(role: &types::Role) -> ProviderResult<Observed<Role>> {
    let tags = role.tags().iter().filter(|tag| !is_system_tag(tag.key()));
    let inputs = Role {
        name: role.role_name.clone(),
        trust_policy: decoded(role.assume_role_policy_document().unwrap_or_default())?,
        path: Some(role.path.clone()),
        description: Some(role.description().unwrap_or(NO_DESCRIPTION).to_owned()),
        max_session_duration: Some(role.max_session_duration().unwrap_or(ONE_HOUR)),
        tags: Some(tags.map(|tag| (tag.key.clone(), tag.value.clone())).collect()),
    };
    Ok(Observed { id: role.role_name.clone(), inputs, outputs: outputs(role), tainted: None })
}

fn outputs(role: &types::Role) -> Values<Role> {
    RoleOutputs {
        id: Id::new(&role.role_name),
        name: role.role_name.clone(),
        arn: role.arn.clone(),
        unique_id: role.role_id.clone(),
    }
}

fn tags(tags: &BTreeMap<String, String>) -> Result<Vec<types::Tag>, BuildError> {
    tags.iter().map(|(key, value)| types::Tag::builder().key(key).value(value).build()).collect()
}

fn invalid(what: &str, error: BuildError) -> ProviderError {
    ProviderError::new(ErrorKind::Invalid { field: Some("tags".to_owned()) }, what).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_iam_would_refuse_is_refused_before_a_plan() {
        let of = |inputs: Value| problems(&inputs).into_iter().map(|(field, _)| field).collect::<Vec<_>>();
        assert_eq!(of(json!({"name": "acme-lake", "path": "/lake/", "max_session_duration": 43200})), [""; 0]);
        assert_eq!(
            of(json!({"name": "acme lake", "path": "lake", "max_session_duration": 60})),
            ["name", "path", "max_session_duration"]
        );
    }

    #[test]
    fn the_arn_of_a_role_is_known_before_the_role_is() {
        let arn = platform_sdk::desired::Tree::of_known(&platform_sdk::ToExpr::to_expr(&Role::arn_of("1", "lake")));
        assert_eq!(arn.as_str(), Some("arn:aws:iam::1:role/lake"));
        let arn = Role::arn_in("aws-us-gov", "1", "lake");
        let arn = platform_sdk::desired::Tree::of_known(&platform_sdk::ToExpr::to_expr(&arn));
        assert_eq!(arn.as_str(), Some("arn:aws-us-gov:iam::1:role/lake"));
    }
}
