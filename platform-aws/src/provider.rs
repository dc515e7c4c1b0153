//! `Aws`: the provider as programs name it, how it connects, and the registry of its pages.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use async_trait::async_trait;
use platform_sdk::{
    Expr, Input, IntoInput, Provider, Schema, ToExpr,
    provider::{
        Connect, Connection, Connector, Driver, Drivers, ErrorKind, Login, LookUpDriver, ProviderError, ProviderResult,
        S3Login,
    },
    sandbox::Service,
};
use serde_json::Value;

#[cfg(feature = "iam")]
use crate::iam::{Role, RolePolicy};
#[cfg(feature = "s3")]
use crate::s3::Bucket;
use crate::{
    client::Client,
    login::{self, Settings},
    s3_login::StateLogin,
    sandbox::AwsSandbox,
    sts::CallerIdentity,
};

/// An AWS account, as reached by one login.
///
/// ```
/// use platform_aws::Aws;
///
/// let here = Aws::from_env();
/// let there = Aws::from_env().profile("audit").region("eu-central-1");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Aws {
    region: Option<Input<String>>,
    profile: Option<Input<String>>,
    endpoint: Option<Input<String>>,
}

impl Aws {
    /// Logs in as every AWS tool does: keys in the environment, the profile that `AWS_PROFILE` names or `default`, a web
    /// identity, the role of the container or instance. Endpoints come from `AWS_ENDPOINT_URL` and
    /// `AWS_ENDPOINT_URL_{S3,IAM,STS}`, if they are set.
    pub fn from_env() -> Self {
        Self::default()
    }

    /// The region of what names none itself; otherwise `AWS_REGION`, or the profile's.
    pub fn region(mut self, region: impl IntoInput<String>) -> Self {
        self.region = Some(region.into_input());
        self
    }

    /// A profile of `~/.aws/config`; wins over keys in the environment.
    pub fn profile(mut self, profile: impl IntoInput<String>) -> Self {
        self.profile = Some(profile.into_input());
        self
    }

    /// Another endpoint for all services: `http://127.0.0.1:4566`.
    pub fn endpoint(mut self, url: impl IntoInput<String>) -> Self {
        self.endpoint = Some(url.into_input());
        self
    }
}

impl Provider for Aws {
    const KIND: &'static str = "aws";

    fn config(&self) -> Expr {
        let fields = [("endpoint", &self.endpoint), ("profile", &self.profile), ("region", &self.region)];
        Expr::map(fields.into_iter().filter_map(|(name, value)| Some((name.into(), value.as_ref()?.to_expr()))))
    }

    fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(AwsConnector)
    }
}

/// One line a page, in the order of their names.
fn drivers() -> Drivers<Client> {
    let drivers = Drivers::default();
    #[cfg(feature = "s3")]
    let drivers = drivers.with::<Bucket>();
    let drivers = drivers.with_lookup::<CallerIdentity>();
    #[cfg(feature = "iam")]
    let drivers = drivers.with::<Role>();
    #[cfg(feature = "iam")]
    let drivers = drivers.with::<RolePolicy>();
    drivers
}

#[derive(Debug, Clone, Copy)]
struct AwsConnector;

#[async_trait]
impl Connector for AwsConnector {
    fn kind(&self) -> &'static str {
        Aws::KIND
    }

    fn schemas(&self) -> Vec<&'static Schema> {
        drivers().schemas()
    }

    async fn connect(&self, config: &Value, connect: &Connect) -> ProviderResult<Arc<dyn Connection>> {
        let settings = settings(config)?;
        let (client, shown) = if let Some(url) = &connect.sandbox {
            let client = Client::sandbox(url, settings.region);
            (client, vec![("credentials".to_owned(), "sandbox".to_owned()), ("endpoint".to_owned(), url.clone())])
        } else {
            let login = login::discover(&settings, &connect.environment, &read_file)?;
            (Client::connect(&login, connect).await, login.shown())
        };
        Ok(Arc::new(AwsConnection { drivers: drivers(), client: Arc::new(client), shown }))
    }

    fn check_credentials(&self, config: &Value, connect: &Connect) -> ProviderResult<()> {
        let settings = settings(config)?;
        if connect.sandbox.is_some() {
            return Ok(());
        }
        login::discover(&settings, &connect.environment, &read_file).map(drop)
    }

    fn sandbox(&self) -> Option<Arc<dyn Service>> {
        Some(Arc::new(AwsSandbox))
    }

    fn s3_login(&self, environment: &BTreeMap<String, String>) -> ProviderResult<Option<Arc<dyn S3Login>>> {
        let login = login::discover(&Settings::default(), environment, &read_file)?;
        let connect = Connect { environment: environment.clone(), sandbox: None };
        Ok(Some(Arc::new(StateLogin::new(login, connect))))
    }
}

fn settings(config: &Value) -> ProviderResult<Settings> {
    serde_json::from_value(config.clone()).map_err(|error| {
        let message = "the configuration of the AWS provider can't be read";
        ProviderError::new(ErrorKind::Invalid { field: None }, message).caused_by(error)
    })
}

pub(crate) fn read_file(path: &Path) -> Option<String> {
    platform_sdk::files::text(path).ok()
}

struct AwsConnection {
    drivers: Drivers<Client>,
    client: Arc<Client>,
    shown: Vec<(String, String)>,
}

#[async_trait]
impl Connection for AwsConnection {
    async fn answers(&self) -> ProviderResult<()> {
        self.client.ask_caller().await.map(drop)
    }

    async fn identity(&self) -> ProviderResult<BTreeMap<String, String>> {
        Ok(BTreeMap::from([("account".to_owned(), self.client.account().await?)]))
    }

    fn driver(&self, type_name: &str) -> Option<Arc<dyn Driver>> {
        self.drivers.driver(type_name, &self.client)
    }

    fn look_up(&self, type_name: &str) -> Option<Arc<dyn LookUpDriver>> {
        self.drivers.look_up(type_name, &self.client)
    }

    async fn login(&self) -> ProviderResult<Login> {
        let user = self.client.caller().await?.arn().map(str::to_owned);
        Ok(Login { settings: self.shown.clone(), user, roles: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn connect(pairs: &[(&str, &str)]) -> Connect {
        let environment = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Connect { environment, sandbox: None }
    }

    #[test]
    fn the_configuration_holds_what_the_program_said_and_no_credentials() {
        let aws = Aws::from_env().region("eu-central-1").profile("audit");
        let config = platform_sdk::desired::Tree::of_known(&aws.config()).plain();
        assert_eq!(config, Some(json!({"profile": "audit", "region": "eu-central-1"})));
        assert_eq!(platform_sdk::desired::Tree::of_known(&Aws::from_env().config()).plain(), Some(json!({})));
    }

    #[test]
    fn the_sandbox_needs_no_credentials_and_the_real_service_does() {
        let connector = Aws::from_env().connector();
        let nowhere = connect(&[("HOME", "/nowhere"), ("AWS_EC2_METADATA_DISABLED", "true")]);
        let error = connector.check_credentials(&json!({}), &nowhere).expect_err("no credentials");
        assert_eq!(error.kind, ErrorKind::Denied);
        let sandbox = Connect { sandbox: Some("http://127.0.0.1:1".into()), ..nowhere };
        connector.check_credentials(&json!({}), &sandbox).expect("nothing is needed");
    }

    #[tokio::test]
    async fn clause_9_no_secret_is_in_an_error_or_a_debug_print() {
        let keys = connect(&[
            ("AWS_ACCESS_KEY_ID", "AKIACANARY"),
            ("AWS_SECRET_ACCESS_KEY", "canary-secret"),
            ("AWS_SESSION_TOKEN", "canary-token"),
            ("AWS_REGION", "eu-west-1"),
        ]);
        let config = json!({"endpoint": "http://127.0.0.1:1"});
        let login = login::discover(&settings(&config).expect("settings"), &keys.environment, &read_file);
        let client = Client::connect(&login.expect("a login"), &keys).await;
        let error = client.caller().await.expect_err("nobody listens on port 1");
        assert_eq!(error.kind, ErrorKind::Unavailable, "{error:?}");
        let seen = format!("{client:?} {error} {error:?}");
        for canary in ["canary-secret", "canary-token"] {
            assert!(!seen.contains(canary), "{canary} in {seen}");
        }
    }
}
