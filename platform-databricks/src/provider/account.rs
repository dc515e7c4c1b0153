//! The provider of an account: workspaces, metastores, and what else stands above a single workspace.

use std::sync::Arc;

use async_trait::async_trait;
use platform_sdk::{
    Expr, Input, IntoInput, Provider, Schema, Secret, ToExpr,
    provider::{Connect, Connection, Connector, ProviderResult},
    sandbox::Service,
};
use serde_json::Value;

use super::{
    connection::{Level, Open},
    credentials::{Config, Credentials, account_login, client},
    registry::account_drivers,
};
use crate::sandbox::DatabricksSandbox;

/// An account as a program names it.
///
/// What is not given here comes from the environment (`DATABRICKS_ACCOUNT_ID`, `DATABRICKS_CLIENT_ID`, ...), then from
/// the config file's profile. The host is the account console of AWS unless another one is named; a workspace's host in
/// the environment is not meant.
///
/// ```
/// use platform_databricks::AccountProvider;
///
/// let account = AccountProvider::from_env().account_id("11111111-2222-3333-4444-555555555555");
/// ```
#[derive(Debug, Clone, Default)]
pub struct AccountProvider {
    account_id: Option<Input<String>>,
    host: Option<Input<String>>,
    profile: Option<String>,
    credentials: Credentials,
}

impl AccountProvider {
    /// The account that the environment or the config file names.
    pub fn from_env() -> Self {
        Self::default()
    }

    /// The account with this id.
    pub fn new(account_id: impl IntoInput<String>) -> Self {
        Self::default().account_id(account_id)
    }

    /// Its id, as the account console shows it in its menu.
    pub fn account_id(mut self, id: impl IntoInput<String>) -> Self {
        self.account_id = Some(id.into_input());
        self
    }

    /// The account console's address. Default: `https://accounts.cloud.databricks.com`.
    pub fn host(mut self, host: impl IntoInput<String>) -> Self {
        self.host = Some(host.into_input());
        self
    }

    /// The profile of the config file that gives what is not given here.
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// Log in as this service principal, with its OAuth secret.
    pub fn client_credentials(mut self, client_id: impl Into<String>, secret: impl Into<Secret<String>>) -> Self {
        self.credentials = Credentials::Client(client_id.into(), secret.into());
        self
    }
}

impl Provider for AccountProvider {
    const KIND: &'static str = "databricks.account";

    fn config(&self) -> Expr {
        let parts = [
            ("account_id", self.account_id.as_ref().map(ToExpr::to_expr)),
            ("host", self.host.as_ref().map(ToExpr::to_expr)),
            ("profile", self.profile.as_ref().map(ToExpr::to_expr)),
        ];
        Expr::map(parts.into_iter().filter_map(|(name, part)| Some((name.into(), part?))))
    }

    fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(AccountConnector { credentials: self.credentials.clone() })
    }
}

/// Opens connections to accounts.
struct AccountConnector {
    credentials: Credentials,
}

#[async_trait]
impl Connector for AccountConnector {
    fn kind(&self) -> &'static str {
        AccountProvider::KIND
    }

    fn schemas(&self) -> Vec<&'static Schema> {
        account_drivers().schemas()
    }

    async fn connect(&self, config: &Value, connect: &Connect) -> ProviderResult<Arc<dyn Connection>> {
        let config = Config::read(config)?;
        let login = account_login(&config, &self.credentials, connect)?;
        Ok(Arc::new(Open::new(client(login, &config)?, Level::Account, account_drivers())))
    }

    fn check_credentials(&self, config: &Value, connect: &Connect) -> ProviderResult<()> {
        account_login(&Config::read(config)?, &self.credentials, connect).map(drop)
    }

    fn sandbox(&self) -> Option<Arc<dyn Service>> {
        Some(Arc::new(DatabricksSandbox))
    }

    fn given_credentials(&self) -> Option<[u8; 32]> {
        self.credentials.digest()
    }
}
