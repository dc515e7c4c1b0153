//! External location: a place in a bucket that Unity Catalog may keep data in, with the credential that reaches it.
//! <https://docs.databricks.com/api/workspace/externallocations>
//!
//! Quirks: the service tries the credential at once, and IAM takes a while to spread a new role and its policy: a denial
//! that is about the role is answered as "not ready yet". File events are on unless refused, and need queues that the
//! role may make: a new one is made without unless they are asked for. The URL loses its trailing slash. Isolation and
//! owner follow the create.

use std::time::Duration;

use async_trait::async_trait;
use platform_sdk::{
    Declared, Id, Output, Resolved, Stage,
    derive::{Outputs, Resource},
    interpolate,
    provider::{
        Change, Context, ErrorKind, Existing, Found, Made, Manage, Observed, ProviderError, ProviderResult, Read,
        id_in_address,
    },
};
use serde::{Deserialize, Serialize};

use super::{
    Isolation, StorageCredential,
    securable::{Kind, Patch, lower, name_problems, place, set_text},
};
use crate::{WorkspaceProvider, client::Client};

// declare

/// An external location.
#[derive(Resource)]
#[resource(
    type = "databricks:ExternalLocation",
    outputs = ExternalLocationOutputs,
    provider = WorkspaceProvider,
    scope = "metastore",
    identity = key,
    validate = name_problems
)]
pub struct ExternalLocation<S: Stage = Declared> {
    /// Its name; kept in lower case.
    #[field(required, key, renames, normalize = lower)]
    pub name: S::In<String>,
    /// The place: `s3://bucket/folder`.
    #[field(required, forcible, normalize = place)]
    pub url: S::In<String>,
    /// What it is reached with.
    #[field(required, holds, normalize = lower)]
    pub credential: S::In<Id<StorageCredential>>,
    /// What it is for.
    #[field(nullable)]
    pub comment: Option<S::In<String>>,
    /// Whether it is only read from. Default: false.
    #[field(default = false)]
    pub read_only: Option<S::In<bool>>,
    /// Whether clusters may use credentials of their own where this one does not suffice. Default: false.
    #[field(default = false)]
    pub fallback: Option<S::In<bool>>,
    /// Whether the service listens to changes of files, for which the role must be allowed to make queues. Unset, a new
    /// location does not; one that was there before stays as it is.
    #[field(computed)]
    pub enable_file_events: Option<S::In<bool>>,
    /// Whether the service is not to try the credential when the location is made or changed. Default: false.
    #[field(default = false, write_only)]
    pub skip_validation: Option<S::In<bool>>,
    /// Whether all workspaces of the metastore may use it. Unless set, they do.
    #[field(computed)]
    pub isolation_mode: Option<S::In<Isolation>>,
    /// The user, group or service principal that owns it. Unless set, who creates it.
    #[field(computed, access = owner)]
    pub owner: Option<S::In<String>>,
}

/// Outputs of [`ExternalLocation`].
#[derive(Outputs)]
pub struct ExternalLocationOutputs<S: Stage = Declared> {
    /// Its name.
    #[output(is = "{name}")]
    pub id: S::Out<Id<ExternalLocation>>,
    /// Its name.
    #[output(is = "{name}")]
    pub name: S::Out<String>,
    /// The place, without a slash at its end.
    #[output(is = "{url}")]
    pub url: S::Out<String>,
}

impl ExternalLocationOutputs {
    /// A place below it: `raw.path("lake")` is `s3://bucket/folder/lake`.
    pub fn path(&self, below: &str) -> Output<String> {
        interpolate!("{}/{}", self.url, below.trim_matches('/'))
    }
}

// manage

const KIND: Kind = Kind {
    noun: "external location",
    collection: "external-locations",
    forces: true,
    bound: Some("external_location"),
};
/// How soon a role that IAM has not spread yet is worth another try.
const SPREADING: Duration = Duration::from_secs(5);

#[async_trait]
impl Manage for ExternalLocation {
    type Client = Client;

    async fn read(client: &Client, existing: &Existing<Self>) -> Read<Self> {
        let skipped = existing.inputs.as_ref().and_then(|inputs| inputs.skip_validation);
        Ok(KIND.read::<Info>(client, &existing.id).await?.map(|info| observed(info, skipped)))
    }

    async fn meant(_client: &Client, asked: &str) -> ProviderResult<Vec<String>> {
        id_in_address(asked, &["explore/locations/{}"], ".").map(|id| vec![id])
    }

    async fn find(client: &Client, inputs: &ExternalLocation<Resolved>) -> ProviderResult<Vec<Found>> {
        KIND.find(client, &inputs.name.to_lowercase()).await
    }

    async fn create(client: &Client, ctx: &Context, inputs: ExternalLocation<Resolved>) -> ProviderResult<Made<Self>> {
        let mut info: Info = KIND.create(client, &inputs.name, &new(&inputs)).await.map_err(role_may_spread)?;
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
        Ok(made(&KIND.update(client, ctx, &change.id, patch).await.map_err(role_may_spread)?))
    }

    async fn delete(client: &Client, _ctx: &Context, existing: Existing<Self>, force: bool) -> ProviderResult<()> {
        KIND.delete(client, &existing.id, force).await
    }
}

/// Denials that are about the role, not about the caller: a role that was just made works in a minute or two.
fn role_may_spread(mut error: ProviderError) -> ProviderError {
    if finds_nothing(&error) {
        return error
            .hint("`.skip_validation(true)` makes the location though nothing is there yet that could be read");
    }
    let about_role = ["IAM role", "assume", "AssumeRole", "self-assum", "cloud storage", "AccessDenied"];
    let refused = matches!(error.kind, ErrorKind::Denied | ErrorKind::Invalid { .. });
    if refused && about_role.iter().any(|words| error.message.contains(words)) {
        error.kind = ErrorKind::NotReady { after: Some(SPREADING) };
        error.hint = Some(
            "a new IAM role and its policy take up to three minutes to spread; if this lasts, check that the role trusts \
             the credential's `unity_catalog_iam_arn` and itself with its `external_id`, and may use the bucket"
                .to_owned(),
        );
    }
    error
}

/// The role works, and the test read of the service finds no file: waiting for the role would change nothing.
fn finds_nothing(error: &ProviderError) -> bool {
    let says = |words: &[&str]| words.iter().any(|words| error.message.contains(words));
    let nothing = ["does not exist", "no file", "No file", "NoSuchKey", "FileNotFound", "not found", "PATH_NOT_FOUND"];
    let of_files = ["file", "File", "path", "PATH", "NoSuchKey", "directory"];
    says(&nothing) && says(&of_files) && !says(&["AccessDenied", "Access Denied", "Forbidden"])
}

// translate

#[derive(Deserialize)]
struct Info {
    name: String,
    url: String,
    credential_name: String,
    comment: Option<String>,
    read_only: Option<bool>,
    fallback: Option<bool>,
    enable_file_events: Option<bool>,
    isolation_mode: Option<Isolation>,
    owner: Option<String>,
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "as the API has them")]
struct New<'a> {
    name: &'a str,
    url: &'a str,
    credential_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a String>,
    read_only: bool,
    fallback: bool,
    enable_file_events: bool,
    skip_validation: bool,
}

fn new(inputs: &ExternalLocation<Resolved>) -> New<'_> {
    New {
        name: &inputs.name,
        url: &inputs.url,
        credential_name: inputs.credential.as_str(),
        comment: inputs.comment.as_ref(),
        read_only: inputs.read_only.unwrap_or(false),
        fallback: inputs.fallback.unwrap_or(false),
        enable_file_events: inputs.enable_file_events.unwrap_or(false),
        skip_validation: inputs.skip_validation.unwrap_or(false),
    }
}

fn changed(change: &Change<ExternalLocation>, force: bool) -> Patch<'_> {
    let after = &change.after;
    let mut patch = Patch::default();
    if change.touches("url") {
        patch.set("url", &after.url);
        patch.forced(force);
    }
    if change.touches("credential") {
        patch.set("credential_name", &after.credential);
    }
    if change.touches("comment") {
        patch.set("comment", after.comment.as_ref().unwrap_or(&String::new()));
    }
    for (field, value) in [("read_only", after.read_only), ("fallback", after.fallback)] {
        if change.touches(field) {
            patch.set(field, &value.unwrap_or(false));
        }
    }
    if let (true, Some(listens)) = (change.touches("enable_file_events"), after.enable_file_events) {
        patch.set("enable_file_events", &listens);
    }
    if let (true, Some(mode)) = (change.touches("isolation_mode"), &after.isolation_mode) {
        patch.isolate(mode);
    }
    if !patch.fields.is_empty() && after.skip_validation == Some(true) {
        patch.set("skip_validation", &true);
    }
    if change.touches("name") {
        patch.renamed = Some((&after.name, after.name.to_lowercase()));
    }
    if change.touches("owner") {
        patch.owner = after.owner.as_deref();
    }
    patch
}

fn outputs(info: &Info) -> ExternalLocationOutputs<Resolved> {
    let url = info.url.trim_end_matches('/').to_owned();
    ExternalLocationOutputs { id: Id::new(&info.name), name: info.name.clone(), url }
}

fn made(info: &Info) -> Made<ExternalLocation> {
    Made { id: info.name.clone(), outputs: outputs(info) }
}

fn observed(info: Info, skip_validation: Option<bool>) -> Observed<ExternalLocation> {
    Observed {
        id: info.name.clone(),
        outputs: outputs(&info),
        inputs: ExternalLocation {
            name: info.name,
            url: info.url,
            credential: Id::new(info.credential_name),
            comment: set_text(info.comment),
            read_only: info.read_only,
            fallback: info.fallback,
            enable_file_events: info.enable_file_events,
            skip_validation,
            isolation_mode: info.isolation_mode,
            owner: info.owner,
        },
        tainted: None,
    }
}

// prove

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use platform_sdk::{
        Id, Origin, Outputs as _,
        desired::{Address, describe},
        provider::{Context, ErrorKind, Manage as _},
    };
    use serde_json::json;

    use super::{ExternalLocation, ExternalLocationOutputs, StorageCredential};
    use crate::client::scripted::{Server, json as answer};

    #[tokio::test]
    async fn a_role_that_does_not_work_yet_is_waited_for_and_a_caller_without_rights_is_not() {
        let denied =
            |message: &str| answer(403, &json!({"error_code": "PERMISSION_DENIED", "message": message}).to_string());
        for (message, waits) in [
            ("AWS IAM role does not have READ permissions on url s3://landing.", true),
            ("Failed to access cloud storage: [AmazonS3Exception] AccessDenied", true),
            ("User does not have CREATE EXTERNAL LOCATION on Metastore 'm'.", false),
            ("Failed to access cloud storage: the path s3://landing does not exist, or holds no file to read", false),
        ] {
            let server = Server::playing([denied(message)]).await;
            let inputs = json!({"name": "raw", "url": "s3://landing", "credential": "cred"});
            let inputs = serde_json::from_value(inputs).expect("inputs");
            let created = ExternalLocation::create(&server.client(), &Context::detached(), inputs).await;
            let error = created.expect_err("it is refused");
            assert_eq!(matches!(error.kind, ErrorKind::NotReady { .. }), waits, "{error}");
            let sent: serde_json::Value = serde_json::from_str(&server.seen()[0].body).expect("a body");
            assert_eq!(sent["enable_file_events"], false);
        }
    }

    #[test]
    fn a_path_below_stays_readable() {
        let address = Address::new("databricks:ExternalLocation", "raw").expect("an address");
        let raw = ExternalLocationOutputs::of(&Arc::new(Origin { recording: 0, address }));
        assert_eq!(describe(raw.path("/lake/").expr()), "${raw.url}/lake");
        let _typed = ExternalLocation::new("raw", raw.path("x"), Id::<StorageCredential>::new("cred"));
    }
}
