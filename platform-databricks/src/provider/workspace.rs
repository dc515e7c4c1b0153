//! The provider of a workspace: what lives in it, and in the metastore that it is assigned to.

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
    credentials::{Config, Credentials, client, workspace_login},
    registry::workspace_drivers,
};
use crate::sandbox::DatabricksSandbox;

/// A workspace as a program names it.
///
/// What is not given here comes from the environment (`DATABRICKS_HOST`, `DATABRICKS_TOKEN`, ...), then from the config
/// file's profile, as in every Databricks tool.
///
/// ```
/// use platform_databricks::WorkspaceProvider;
///
/// let dev = WorkspaceProvider::from_env().profile("dev");
/// ```
#[derive(Debug, Clone, Default)]
pub struct WorkspaceProvider {
    host: Option<Input<String>>,
    workspace_id: Option<Input<String>>,
    profile: Option<String>,
    credentials: Credentials,
}

impl WorkspaceProvider {
    /// The workspace that the environment or the config file names.
    pub fn from_env() -> Self {
        Self::default()
    }

    /// The workspace at this address, which may be an output of the workspace that this very stack makes.
    pub fn new(host: impl IntoInput<String>) -> Self {
        Self::default().host(host)
    }

    /// Its address: `https://dbc-a1b2c3d4-e5f6.cloud.databricks.com`.
    pub fn host(mut self, host: impl IntoInput<String>) -> Self {
        self.host = Some(host.into_input());
        self
    }

    /// Its id, where one host serves several workspaces.
    pub fn workspace_id(mut self, id: impl IntoInput<String>) -> Self {
        self.workspace_id = Some(id.into_input());
        self
    }

    /// The profile of the config file that gives what is not given here.
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// Log in with this personal access token.
    pub fn token(mut self, token: impl Into<Secret<String>>) -> Self {
        self.credentials = Credentials::Token(token.into());
        self
    }

    /// Log in as this service principal, with its OAuth secret.
    pub fn client_credentials(mut self, client_id: impl Into<String>, secret: impl Into<Secret<String>>) -> Self {
        self.credentials = Credentials::Client(client_id.into(), secret.into());
        self
    }
}

impl Provider for WorkspaceProvider {
    const KIND: &'static str = "databricks.workspace";

    fn config(&self) -> Expr {
        let settles = matches!(self.host, Some(Input::Output(_))).then_some(Expr::Value(Value::Bool(true)));
        let parts = [
            ("host", self.host.as_ref().map(ToExpr::to_expr)),
            ("workspace_id", self.workspace_id.as_ref().map(ToExpr::to_expr)),
            ("profile", self.profile.as_ref().map(ToExpr::to_expr)),
            ("settles", settles),
        ];
        Expr::map(parts.into_iter().filter_map(|(name, part)| Some((name.into(), part?))))
    }

    fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(WorkspaceConnector { credentials: self.credentials.clone() })
    }
}

/// Opens connections to workspaces.
struct WorkspaceConnector {
    credentials: Credentials,
}

#[async_trait]
impl Connector for WorkspaceConnector {
    fn kind(&self) -> &'static str {
        WorkspaceProvider::KIND
    }

    fn schemas(&self) -> Vec<&'static Schema> {
        workspace_drivers().schemas()
    }

    async fn connect(&self, config: &Value, connect: &Connect) -> ProviderResult<Arc<dyn Connection>> {
        let config = Config::read(config)?;
        let login = workspace_login(&config, &self.credentials, connect)?;
        Ok(Arc::new(Open::new(client(login, &config)?, Level::Workspace, workspace_drivers())))
    }

    fn check_credentials(&self, config: &Value, connect: &Connect) -> ProviderResult<()> {
        workspace_login(&Config::read(config)?, &self.credentials, connect).map(drop)
    }

    fn sandbox(&self) -> Option<Arc<dyn Service>> {
        Some(Arc::new(DatabricksSandbox))
    }

    fn given_credentials(&self) -> Option<[u8; 32]> {
        self.credentials.digest()
    }
}

#[cfg(test)]
#[path = "workspace_tests.rs"]
mod tests;
