//! Connectors and connections: how the engine reaches a service and proves which one answers.

use std::{collections::BTreeMap, fmt, sync::Arc};

use async_trait::async_trait;
use serde_json::Value;

use super::{Driver, LookUpDriver, ProviderResult, S3Login};
use crate::{program::Schema, sandbox::Service};

/// What a connector is given beside its configuration.
#[derive(Debug, Clone, Default)]
pub struct Connect {
    /// The process's environment, so that nothing reads it behind the engine's back.
    pub environment: BTreeMap<String, String>,
    /// The loopback address of this provider's sandbox; `None` is the real service.
    pub sandbox: Option<String>,
}

/// How a connection logged in, for `doctor`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Login {
    /// What was chosen and where it came from: `("token", "DATABRICKS_TOKEN")`.
    pub settings: Vec<(String, String)>,
    /// Who the service says we are.
    pub user: Option<String>,
    /// Roles and entitlements that the service names.
    pub roles: Vec<String>,
}

/// One thing that `doctor` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was looked at.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// One kind of provider of a program: knows its types, and connects.
#[async_trait]
pub trait Connector: Send + Sync {
    /// The kind that schemas name: `databricks.workspace`.
    fn kind(&self) -> &'static str;

    /// The types it manages, ordered by name.
    fn schemas(&self) -> Vec<&'static Schema>;

    /// Opens a connection. Makes no request that a lazy one would not need.
    ///
    /// # Errors
    /// When no or contradictory credentials are there; each names the setting and the next step.
    async fn connect(&self, config: &Value, connect: &Connect) -> ProviderResult<Arc<dyn Connection>>;

    /// Whether `connect` would find credentials, without any request.
    ///
    /// # Errors
    /// What `connect` would answer: `Denied` where nothing is set that could be a login, another kind where what is set
    /// makes none. Without any login a plan goes offline; a mistake in one is said.
    fn check_credentials(&self, config: &Value, connect: &Connect) -> ProviderResult<()>;

    /// The service that `--sandbox` serves for it; providers that share one give the same name.
    fn sandbox(&self) -> Option<Arc<dyn Service>>;

    /// A SHA-256 of the credentials that the program itself gives: two providers that are configured alike are one and the
    /// same only if they log in alike. `None` where the surroundings give the credentials.
    fn given_credentials(&self) -> Option<[u8; 32]> {
        None
    }

    /// The surroundings' login to S3, for state that is kept there. Makes no request. `None` where this is no provider of
    /// AWS.
    ///
    /// # Errors
    /// When no or contradictory credentials are there; each names the setting and the next step.
    fn s3_login(&self, _environment: &BTreeMap<String, String>) -> ProviderResult<Option<Arc<dyn S3Login>>> {
        Ok(None)
    }
}

impl fmt::Debug for dyn Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connector").field(&self.kind()).finish()
    }
}

/// An open connection of a provider.
#[async_trait]
pub trait Connection: Send + Sync {
    /// What answers, by scope: `{"workspace": "123", "metastore": "…", "account": "…"}`. Only keys that were proved.
    async fn identity(&self) -> ProviderResult<BTreeMap<String, String>>;

    /// Whether it still answers to its login, asked anew: of a service that has stopped to, nothing more is asked. By
    /// default, what its [`identity`](Self::identity) says.
    async fn answers(&self) -> ProviderResult<()> {
        self.identity().await.map(drop)
    }

    /// Who makes objects over it, as [`Found::created_by`](super::Found::created_by) would name them. `None` where the
    /// service does not say.
    async fn principal(&self) -> ProviderResult<Option<String>> {
        Ok(None)
    }

    /// The driver of a type.
    fn driver(&self, type_name: &str) -> Option<Arc<dyn Driver>>;

    /// The driver of a type's lookup.
    fn look_up(&self, type_name: &str) -> Option<Arc<dyn LookUpDriver>>;

    /// How it logged in.
    async fn login(&self) -> ProviderResult<Login>;

    /// What `doctor` should say beyond the login.
    async fn findings(&self) -> Vec<Finding> {
        Vec::new()
    }
}
