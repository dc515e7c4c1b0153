//! An open connection: which object of which level answers, who is logged in, and the drivers over it.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use platform_sdk::provider::{
    Connection, Driver, Drivers, ErrorKind, Login, LookUpDriver, ProviderError, ProviderResult,
};
use serde::Deserialize;
use serde_json::Value;

use crate::client::Client;

/// What a connection leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// A workspace, and the metastore that it is assigned to.
    Workspace,
    /// An account.
    Account,
}

/// A client with its drivers.
pub(super) struct Open {
    client: Arc<Client>,
    level: Level,
    drivers: Drivers<Client>,
}

#[derive(Deserialize)]
struct Assignment {
    metastore_id: String,
}

impl Open {
    pub(super) fn new(client: Client, level: Level, drivers: Drivers<Client>) -> Self {
        Self { client: Arc::new(client), level, drivers }
    }

    async fn workspace_identity(&self) -> ProviderResult<BTreeMap<String, String>> {
        let mut identity = BTreeMap::new();
        if let Some(answered) = self.client.whoami().await?.workspace_id {
            self.is_asked_for(&answered)?;
            identity.insert("workspace".to_owned(), answered);
        }
        let assignment = self.client.get("/api/2.1/unity-catalog/current-metastore-assignment").send::<Assignment>();
        match assignment.await {
            Ok(assignment) => drop(identity.insert("metastore".to_owned(), assignment.metastore_id)),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.while_doing("read the workspace's metastore")),
        }
        Ok(identity)
    }

    fn is_asked_for(&self, answered: &str) -> ProviderResult<()> {
        match &self.client.login().workspace_id {
            Some(asked) if asked != answered => {
                let host = &self.client.login().host;
                let message = format!("{host} is workspace {answered}, and workspace {asked} is asked for");
                Err(ProviderError::new(ErrorKind::Denied, message)
                    .hint("check `DATABRICKS_HOST` against `DATABRICKS_WORKSPACE_ID`"))
            }
            _ => Ok(()),
        }
    }

    /// The account's id, proved by a small list that only this account's members may read.
    async fn account_identity(&self) -> ProviderResult<BTreeMap<String, String>> {
        self.client.get(self.client.account_path("storage-configurations")?).send::<Value>().await?;
        let id = self.client.login().account_id.clone();
        Ok(id.map(|id| ("account".to_owned(), id)).into_iter().collect())
    }
}

#[async_trait]
impl Connection for Open {
    async fn identity(&self) -> ProviderResult<BTreeMap<String, String>> {
        match self.level {
            Level::Workspace => self.workspace_identity().await,
            Level::Account => self.account_identity().await,
        }
    }

    async fn principal(&self) -> ProviderResult<Option<String>> {
        match self.level {
            Level::Workspace => Ok(Some(self.client.whoami().await?.user_name)),
            Level::Account => Ok(None),
        }
    }

    fn driver(&self, type_name: &str) -> Option<Arc<dyn Driver>> {
        self.drivers.driver(type_name, &self.client)
    }

    fn look_up(&self, type_name: &str) -> Option<Arc<dyn LookUpDriver>> {
        self.drivers.look_up(type_name, &self.client)
    }

    async fn login(&self) -> ProviderResult<Login> {
        let login = self.client.login();
        let mut settings = vec![("login".to_owned(), login.describe()), ("host".to_owned(), login.host.to_string())];
        settings.extend(login.origins.iter().map(|origin| (format!("{} from", origin.attribute), origin.to_string())));
        match self.level {
            Level::Workspace => {
                let me = self.client.whoami().await?;
                Ok(Login { settings, user: Some(me.user_name), roles: me.groups })
            }
            Level::Account => {
                settings.extend(login.account_id.iter().map(|id| ("account".to_owned(), id.clone())));
                self.account_identity().await?;
                Ok(Login { settings, user: None, roles: Vec::new() })
            }
        }
    }
}
