//! Buckets from URLs: endpoint, region and login come from the variables that each service's own tools read.

use std::{collections::BTreeMap, str::FromStr, sync::Arc, time::Duration};

use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

#[cfg(feature = "state-s3")]
use super::Logins;
use super::{Store, bucket::Bucket, url::Place};
#[cfg(feature = "state-s3")]
use crate::provider::{ErrorKind, S3Login};
use crate::{report::Diagnostic, scrub::without_logins};

/// A request takes this long at most: a beat that takes longer keeps no hold.
const REQUEST: Duration = Duration::from_secs(10);

/// What is repeated inside of one request of ours. More would hide a store that is gone.
fn retries() -> RetryConfig {
    RetryConfig { max_retries: 2, retry_timeout: REQUEST, backoff: BackoffConfig::default() }
}

/// Plain HTTP is for servers on this machine or in this network, which an endpoint names.
fn client(endpoint: Option<&String>) -> ClientOptions {
    // Fails when a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let plain = endpoint.is_some_and(|url| url.starts_with("http://"));
    ClientOptions::new().with_timeout(REQUEST).with_connect_timeout(REQUEST / 2).with_allow_http(plain)
}

fn opened<S: ObjectStore>(place: &Place<'_>, built: object_store::Result<S>) -> Result<Arc<dyn Store>, Diagnostic> {
    let objects = built.map_err(|error| {
        let why = without_logins(&error.to_string());
        Diagnostic::error(format!("the login for `{}` is not complete", place.url)).detail(why)
    })?;
    Ok(Arc::new(Bucket::new(Arc::new(objects), place.url, place.folder)))
}

/// The variables with this prefix that a service's builder knows, as its keys.
fn settings<K: FromStr>(environment: &BTreeMap<String, String>, prefix: &str) -> Vec<(K, String)> {
    let of_service = environment.iter().filter(|(name, value)| name.starts_with(prefix) && !value.is_empty());
    of_service.filter_map(|(name, value)| Some((name.to_ascii_lowercase().parse().ok()?, value.clone()))).collect()
}

/// Variables that hold a login, or lead to one, without any file.
#[cfg(feature = "state-s3")]
const LOGINS: [&str; 4] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

/// `s3://`: the login of the program's AWS provider. In a program without one, `AWS_ACCESS_KEY_ID` and its like, a web
/// identity, a container's or an instance's role; `AWS_REGION`, `AWS_ENDPOINT_URL`.
#[cfg(feature = "state-s3")]
pub(super) fn s3(place: &Place<'_>) -> Result<Arc<dyn Store>, Diagnostic> {
    let environment = &place.logins.environment;
    let login = s3_login(place)?;
    let endpoint = match &login {
        Some(login) => login.endpoint(),
        None => environment.get("AWS_ENDPOINT_URL_S3").or(environment.get("AWS_ENDPOINT_URL")).cloned(),
    };
    let mut builder = object_store::aws::AmazonS3Builder::new().with_retry(retries());
    builder = builder.with_client_options(client(endpoint.as_ref()));
    for (key, value) in settings(environment, "AWS_") {
        builder = builder.with_config(key, value);
    }
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    if let Some(login) = login {
        if let Some(region) = login.region() {
            builder = builder.with_region(region);
        }
        builder = builder.with_credentials(Arc::new(LoggedIn(login)));
    }
    opened(place, builder.with_bucket_name(place.bucket).build())
}

/// The login of the program's AWS provider; `None` in a program without one, where the environment holds a login.
#[cfg(feature = "state-s3")]
fn s3_login(place: &Place<'_>) -> Result<Option<Arc<dyn S3Login>>, Diagnostic> {
    let Logins { environment, listed, s3 } = place.logins;
    if let Some(asked) = s3.get() {
        return Ok(asked.clone());
    }
    for connector in listed.values() {
        let login = connector
            .s3_login(environment)
            .map_err(|error| Diagnostic::of_provider(format!("there is no login for `{}`", place.url), &error))?;
        if login.is_some() {
            return Ok(s3.get_or_init(|| login).clone());
        }
    }
    let is_set = |name: &str| environment.get(name).is_some_and(|value| !value.is_empty());
    if !LOGINS.iter().any(|name| is_set(name)) && has_profiles(environment) {
        return Err(Diagnostic::error(format!("`{}` needs AWS keys in the environment", place.url))
            .detail("profiles and single sign-on are read by AWS's provider, and this program lists none")
            .hint(
                "add `.provider(Aws::from_env())` to it, or run \
                 `eval \"$(aws configure export-credentials --format env)\"` first",
            ));
    }
    Ok(None)
}

/// The keys of a provider's login, as `object_store` asks for them.
#[cfg(feature = "state-s3")]
#[derive(Debug)]
struct LoggedIn(Arc<dyn S3Login>);

#[cfg(feature = "state-s3")]
#[async_trait::async_trait]
impl object_store::CredentialProvider for LoggedIn {
    type Credential = object_store::aws::AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<Self::Credential>> {
        let keys = self.0.keys().await.map_err(|error| match error.kind {
            ErrorKind::Denied | ErrorKind::Invalid { .. } => {
                object_store::Error::Unauthenticated { path: String::new(), source: error.into() }
            }
            _ => object_store::Error::Generic { store: "S3", source: error.into() },
        })?;
        Ok(Arc::new(object_store::aws::AwsCredential {
            key_id: keys.id,
            secret_key: (*keys.secret).clone(),
            token: keys.token.map(|token| (*token).clone()),
        }))
    }
}

/// Whether the AWS tools would find a profile here.
#[cfg(feature = "state-s3")]
fn has_profiles(environment: &BTreeMap<String, String>) -> bool {
    let named = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].iter().any(|name| environment.contains_key(*name));
    let home = environment.get("HOME").or(environment.get("USERPROFILE"));
    let files = |home: &String| {
        let folder = std::path::Path::new(home).join(".aws");
        folder.join("config").exists() || folder.join("credentials").exists()
    };
    named || home.is_some_and(files)
}

/// `az://CONTAINER/FOLDER`: `AZURE_STORAGE_ACCOUNT_NAME` with a key, a SAS token, a service principal, the `az` command
/// line's login or a managed identity; `AZURE_STORAGE_ENDPOINT`.
#[cfg(feature = "state-azure")]
pub(super) fn azure(place: &Place<'_>) -> Result<Arc<dyn Store>, Diagnostic> {
    use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};

    let environment = &place.logins.environment;
    let set = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    let mut builder = MicrosoftAzureBuilder::new().with_retry(retries());
    builder = builder.with_client_options(client(set("AZURE_STORAGE_ENDPOINT").or(set("AZURE_ENDPOINT"))));
    // As the `az` command line calls them.
    let of_az =
        [("AZURE_STORAGE_ACCOUNT", AzureConfigKey::AccountName), ("AZURE_STORAGE_KEY", AzureConfigKey::AccessKey)];
    let of_az = of_az.into_iter().filter_map(|(name, key)| Some((key, set(name)?.clone())));
    let given: Vec<_> = of_az.chain(settings(environment, "AZURE_")).collect();
    let is_login = |key: &AzureConfigKey| {
        use AzureConfigKey as Key;
        matches!(
            key,
            Key::AccessKey
                | Key::SasKey
                | Key::Token
                | Key::ClientId
                | Key::MsiEndpoint
                | Key::UseAzureCli
                | Key::UseEmulator
                | Key::SkipSignature
                | Key::CredentialType
        )
    };
    if !given.iter().any(|(key, _)| is_login(key)) && has_logged_in_with_az(environment) {
        builder = builder.with_use_azure_cli(true);
    }
    for (key, value) in given {
        builder = builder.with_config(key, value);
    }
    opened(place, builder.with_container_name(place.bucket).build())
        .map_err(|said| said.hint("set AZURE_STORAGE_ACCOUNT_NAME, and AZURE_STORAGE_ACCOUNT_KEY or another login"))
}

/// Whether somebody has logged in with the `az` command line on this machine.
#[cfg(feature = "state-azure")]
fn has_logged_in_with_az(environment: &BTreeMap<String, String>) -> bool {
    let home = environment.get("HOME").or(environment.get("USERPROFILE"));
    let of_home = home.map(|home| std::path::Path::new(home).join(".azure"));
    let folder = environment.get("AZURE_CONFIG_DIR").map(Into::into).or(of_home);
    folder.is_some_and(|folder| folder.join("azureProfile.json").exists())
}

/// `gs://`: `GOOGLE_APPLICATION_CREDENTIALS`, the `gcloud` command line's login, or an instance's account;
/// `STORAGE_EMULATOR_HOST`, which needs none of them.
#[cfg(feature = "state-gcs")]
pub(super) fn google(place: &Place<'_>) -> Result<Arc<dyn Store>, Diagnostic> {
    let environment = &place.logins.environment;
    let emulator = environment.get("STORAGE_EMULATOR_HOST").filter(|host| !host.is_empty());
    let emulator = emulator.map(|host| if host.contains("://") { host.clone() } else { format!("http://{host}") });
    let endpoint = emulator.as_ref().or(environment.get("GOOGLE_BASE_URL"));
    let mut builder = object_store::gcp::GoogleCloudStorageBuilder::new().with_retry(retries());
    builder = builder.with_client_options(client(endpoint));
    for (key, value) in settings(environment, "GOOGLE_") {
        builder = builder.with_config(key, value);
    }
    if let Some(emulator) = emulator {
        // As Google's own clients do: whoever has a login does not show it to an emulator.
        builder = builder.with_base_url(&emulator).with_bearer_token("");
    }
    opened(place, builder.with_bucket_name(place.bucket).build()).map_err(|said| {
        said.hint("let GOOGLE_APPLICATION_CREDENTIALS name a key file, or run `gcloud auth application-default login`")
    })
}
