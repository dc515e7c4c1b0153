//! Credentials that a program gives by itself, and the way from them, the configuration and the environment to a client.

use std::time::Duration;

use platform_sdk::{
    Secret,
    provider::{Connect, ErrorKind, ProviderError, ProviderResult},
};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    auth::{Environment, Login, LoginConfig, LoginError, Redacted},
    client::{Client, ClientOptions, Patience},
    sandbox,
};

/// How long a workspace that this run makes may take until its name resolves everywhere.
const SETTLING: Duration = Duration::from_mins(5);
/// The address of the account console on AWS.
const ACCOUNT_CONSOLE: &str = "https://accounts.cloud.databricks.com";

/// Credentials given in the program. They stay in this process: never in state, never shown.
#[derive(Debug, Clone, Default)]
pub(super) enum Credentials {
    /// None: the environment and the profile give them.
    #[default]
    Found,
    /// A personal access token.
    Token(Secret<String>),
    /// A service principal's id and OAuth secret.
    Client(String, Secret<String>),
}

impl Credentials {
    /// Tells these credentials from others without holding them; `None` where the surroundings give them.
    pub(super) fn digest(&self) -> Option<[u8; 32]> {
        let parts = match self {
            Self::Found => return None,
            Self::Token(token) => ["pat", "", told(token)],
            Self::Client(id, secret) => ["oauth-m2m", id, told(secret)],
        };
        Some(Sha256::digest(parts.join("\0")).into())
    }
}

/// What state keeps of a provider's configuration: [`Provider::config`](platform_sdk::Provider::config) as it comes back.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Config {
    host: Option<String>,
    workspace_id: Option<String>,
    account_id: Option<String>,
    profile: Option<String>,
    /// The host is an output: the workspace may be so new that it does not answer yet.
    settles: bool,
}

impl Config {
    pub(super) fn read(config: &Value) -> ProviderResult<Self> {
        Self::deserialize(config).map_err(|error| {
            let message = "the configuration of a Databricks provider is not understood";
            ProviderError::new(ErrorKind::Invalid { field: None }, message).caused_by(error)
        })
    }

    /// Options of a client for this configuration.
    pub(super) fn options(&self) -> ClientOptions {
        let mut options = ClientOptions::default();
        if self.settles {
            options.patience = Patience { unreachable: SETTLING, ..options.patience };
        }
        options
    }

    /// # Errors
    /// `Denied`, where the program gives a secret that it has no key to.
    fn explicit(&self, credentials: &Credentials) -> ProviderResult<LoginConfig> {
        let mut explicit = LoginConfig {
            host: self.host.clone(),
            account_id: self.account_id.clone(),
            workspace_id: self.workspace_id.clone(),
            profile: self.profile.clone(),
            ..LoginConfig::default()
        };
        match credentials {
            Credentials::Found => {}
            Credentials::Token(token) => {
                explicit.token = Some(opened(token)?);
                explicit.auth_type = Some("pat".to_owned());
            }
            Credentials::Client(id, secret) => {
                explicit.client_id = Some(id.clone());
                explicit.client_secret = Some(opened(secret)?);
                explicit.auth_type = Some("oauth-m2m".to_owned());
            }
        }
        Ok(explicit)
    }
}

fn told(secret: &Secret<String>) -> &str {
    secret.opened().map_or("sealed", String::as_str)
}

fn opened(secret: &Secret<String>) -> ProviderResult<Redacted> {
    let without = || {
        let message = "the login is a secret of the configuration, and there is no key to it";
        ProviderError::new(ErrorKind::Denied, message).hint("give the key, or another login in the environment")
    };
    secret.opened().cloned().map(Redacted::new).ok_or_else(without)
}

/// The login on workspace level.
pub(super) fn workspace_login(config: &Config, credentials: &Credentials, connect: &Connect) -> ProviderResult<Login> {
    if let Some(url) = &connect.sandbox {
        return sandbox_login(url, config.workspace_id.clone());
    }
    // A workspace id of the environment belongs to the host of the environment.
    let unset: &[&str] = if config.host.is_some() { &["DATABRICKS_WORKSPACE_ID"] } else { &[] };
    Ok(LoginConfig::resolve(config.explicit(credentials)?, &environment(connect, unset))?)
}

/// The login on account level: the account console unless something else is said; a workspace's host is not meant.
pub(super) fn account_login(config: &Config, credentials: &Credentials, connect: &Connect) -> ProviderResult<Login> {
    if let Some(url) = &connect.sandbox {
        return sandbox_login(url, None);
    }
    let explicit = config.explicit(credentials)?;
    let env = environment(connect, &["DATABRICKS_WORKSPACE_ID"]);
    let found = LoginConfig::resolve(explicit.clone(), &env);
    let login = match found {
        Ok(login) if explicit.host.is_some() || login.host.is_account_console() => login,
        Ok(_) | Err(LoginError::NoHost { .. }) => {
            LoginConfig::resolve(LoginConfig { host: Some(ACCOUNT_CONSOLE.to_owned()), ..explicit }, &env)?
        }
        Err(error) => return Err(error.into()),
    };
    match &login.account_id {
        Some(_) => Ok(login),
        None => Err(ProviderError::new(ErrorKind::Denied, "no Databricks account id: it says which account is meant")
            .hint(
                "set `DATABRICKS_ACCOUNT_ID`, or `account_id` in the profile; the account console shows it in its menu",
            )),
    }
}

/// A sandbox takes any token, and nothing that belongs to a real service is read.
fn sandbox_login(url: &str, workspace_id: Option<String>) -> ProviderResult<Login> {
    let explicit = LoginConfig {
        host: Some(url.to_owned()),
        token: Some(Redacted::new(sandbox::TOKEN)),
        account_id: Some(sandbox::ACCOUNT_ID.to_owned()),
        workspace_id,
        ..LoginConfig::default()
    };
    Ok(LoginConfig::resolve(explicit, &Environment::empty())?)
}

fn environment(connect: &Connect, unset: &[&str]) -> Environment {
    let mut env = Environment::empty();
    for (name, value) in &connect.environment {
        if !unset.contains(&name.as_str()) {
            env = env.with(name, value);
        }
    }
    match ["HOME", "USERPROFILE"].iter().find_map(|name| env.get(name)).map(str::to_owned) {
        Some(home) => env.with_home(home),
        None => env,
    }
}

/// A client for a login.
pub(super) fn client(login: Login, config: &Config) -> ProviderResult<Client> {
    Client::new(login, config.options())
}
