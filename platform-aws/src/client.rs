//! The connection that pages speak over: the official clients, made of one shared configuration.

use std::time::Duration;

use aws_config::{
    BehaviorVersion, Region, SdkConfig, default_provider::credentials::DefaultCredentialsChain,
    identity::IdentityCache, profile::ProfileFileCredentialsProvider, provider_config::ProviderConfig,
    retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_sdk_sts::{
    config::{Credentials, SharedCredentialsProvider, SharedHttpClient},
    operation::get_caller_identity::GetCallerIdentityOutput,
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use platform_sdk::provider::{Connect, ErrorKind, ProviderError, ProviderResult};
use tokio::sync::OnceCell;

use crate::{
    bounded::Bounded,
    error::Answer,
    log::Requests,
    login::{Endpoints, Login, Source},
};

/// Where IAM and STS are asked when no region is set: they answer for all of them there.
const ANYWHERE: &str = "us-east-1";
/// Where the sandbox is, unless the program says otherwise.
const SANDBOX_REGION: &str = "eu-central-1";

/// The official clients of one login.
#[derive(Debug)]
pub struct Client {
    shared: SdkConfig,
    #[cfg_attr(not(feature = "s3"), expect(dead_code, reason = "only S3 asks where"))]
    region: Option<String>,
    endpoints: Endpoints,
    caller: OnceCell<GetCallerIdentityOutput>,
}

impl Client {
    /// Speaks to a sandbox on loopback, with nothing from this machine's AWS configuration.
    pub(crate) fn sandbox(url: &str, region: Option<String>) -> Self {
        let region = region.unwrap_or_else(|| SANDBOX_REGION.to_owned());
        let credentials = Credentials::new("sandbox", "sandbox", None, None, "sandbox");
        let shared = shared(&region, SharedCredentialsProvider::new(credentials), http_client());
        Self { shared, region: Some(region), endpoints: Endpoints::all(url), caller: OnceCell::new() }
    }

    /// Speaks to AWS, or to what the endpoints say, with the login that was found. Credentials are loaded when the first
    /// request needs them.
    pub(crate) async fn connect(login: &Login, connect: &Connect) -> Self {
        let http = http_client();
        let credentials = credentials(login, connect, http.clone()).await;
        let shared = shared(login.region.as_deref().unwrap_or(ANYWHERE), credentials, http);
        Self { shared, region: login.region.clone(), endpoints: login.endpoints.clone(), caller: OnceCell::new() }
    }

    /// The region that the login chose, if it chose one.
    #[cfg(feature = "s3")]
    pub(crate) fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// S3 as it answers in a region.
    #[cfg(feature = "s3")]
    pub(crate) fn s3(&self, region: &str) -> aws_sdk_s3::Client {
        let mut config = aws_sdk_s3::config::Builder::from(&self.shared)
            .region(aws_sdk_s3::config::Region::new(region.to_owned()))
            .interceptor(Requests);
        if let Some(url) = &self.endpoints.s3 {
            config = config.endpoint_url(url).force_path_style(crate::login::wants_path_style(url));
        }
        aws_sdk_s3::Client::from_conf(config.build())
    }

    /// IAM, which is the same in every region.
    #[cfg(feature = "iam")]
    pub(crate) fn iam(&self) -> aws_sdk_iam::Client {
        let mut config = aws_sdk_iam::config::Builder::from(&self.shared).interceptor(Requests);
        config.set_endpoint_url(self.endpoints.iam.clone());
        aws_sdk_iam::Client::from_conf(config.build())
    }

    /// KMS, in the region of the login.
    #[cfg(feature = "kms")]
    pub(crate) fn kms(&self) -> aws_sdk_kms::Client {
        let mut config = aws_sdk_kms::config::Builder::from(&self.shared).interceptor(Requests);
        config.set_endpoint_url(self.endpoints.kms.clone());
        aws_sdk_kms::Client::from_conf(config.build())
    }

    /// Who we are, asked once.
    pub(crate) async fn caller(&self) -> ProviderResult<&GetCallerIdentityOutput> {
        self.caller.get_or_try_init(|| self.ask_caller()).await
    }

    /// Who we are, asked anew.
    pub(crate) async fn ask_caller(&self) -> ProviderResult<GetCallerIdentityOutput> {
        let mut config = aws_sdk_sts::config::Builder::from(&self.shared).interceptor(Requests);
        config.set_endpoint_url(self.endpoints.sts.clone());
        let sts = aws_sdk_sts::Client::from_conf(config.build());
        sts.get_caller_identity().send().await.doing("ask AWS who we are")
    }

    /// The account that answers.
    pub(crate) async fn account(&self) -> ProviderResult<String> {
        let account = self.caller().await?.account();
        account
            .map(str::to_owned)
            .ok_or_else(|| ProviderError::new(ErrorKind::Ambiguous, "ask AWS who we are: the answer names no account"))
    }
}

/// One attempt only: a create whose answer was lost must not be repeated before the engine has looked.
#[cfg(any(feature = "iam", feature = "s3"))]
pub(crate) fn once() -> RetryConfig {
    RetryConfig::disabled()
}

fn shared(region: &str, credentials: SharedCredentialsProvider, http: SharedHttpClient) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_mins(1))
        .build();
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(credentials)
        .identity_cache(IdentityCache::lazy().build())
        .http_client(http)
        .retry_config(RetryConfig::standard())
        .timeout_config(timeouts)
        .build()
}

/// What gives credentials, whenever it is asked, by the login that was found.
pub(crate) async fn credentials(login: &Login, connect: &Connect, http: SharedHttpClient) -> SharedCredentialsProvider {
    let region = login.region.as_deref().unwrap_or(ANYWHERE);
    let given =
        ProviderConfig::without_region().with_region(Some(Region::new(region.to_owned()))).with_http_client(http);
    match &login.source {
        Source::Environment => SharedCredentialsProvider::new(from_environment(connect)),
        Source::Profile { name, named: true } => SharedCredentialsProvider::new(
            ProfileFileCredentialsProvider::builder().configure(&given).profile_name(name).build(),
        ),
        Source::Profile { .. } | Source::WebIdentity | Source::Container | Source::Instance => {
            SharedCredentialsProvider::new(DefaultCredentialsChain::builder().configure(given).build().await)
        }
    }
}

/// rustls with ring, as everything else here; without naming one the first call would panic.
pub(crate) fn http_client() -> SharedHttpClient {
    let client = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    SharedHttpClient::new(Bounded(client))
}

fn from_environment(connect: &Connect) -> Credentials {
    let get = |name: &str| connect.environment.get(name).filter(|value| !value.is_empty()).cloned();
    Credentials::new(
        get("AWS_ACCESS_KEY_ID").unwrap_or_default(),
        get("AWS_SECRET_ACCESS_KEY").unwrap_or_default(),
        get("AWS_SESSION_TOKEN"),
        None,
        "environment",
    )
}
