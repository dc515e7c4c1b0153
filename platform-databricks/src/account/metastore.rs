//! `Metastore`: a metastore of the account. A lookup, by region, name or id.
//! <https://docs.databricks.com/api/account/accountmetastores>
//!
//! - There is one per region and account, often made automatically: it is looked up, not made.

use async_trait::async_trait;
use platform_sdk::{
    Declared, Id, LookUp, Resolved, Stage,
    derive::Outputs,
    provider::{ErrorKind, Find, ProviderError, ProviderResult},
};
use serde::Deserialize;

use crate::{
    AccountProvider,
    client::{Client, Outcome},
};

// declare

/// A metastore: `stack.lookup::<Metastore>("eu-central-1")`.
#[derive(Debug)]
pub enum Metastore {}

/// Outputs of [`Metastore`].
#[derive(Outputs)]
pub struct MetastoreOutputs<S: Stage = Declared> {
    /// Its id.
    pub id: S::Out<Id<Metastore>>,
    /// Its name.
    pub name: S::Out<String>,
    /// The cloud's region that it is in.
    pub region: S::Out<String>,
    /// Where catalogs without a place of their own keep their data; empty where it has none.
    pub storage_root: S::Out<String>,
}

impl LookUp for Metastore {
    type Found = MetastoreOutputs;
    type Provider = AccountProvider;
    const TYPE: &'static str = "databricks:Metastore";
}

// manage

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    metastores: Vec<Info>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Info {
    metastore_id: String,
    name: String,
    region: String,
    storage_root: Option<String>,
}

#[async_trait]
impl Find for Metastore {
    type Client = Client;

    async fn look_up(client: &Client, key: &str) -> ProviderResult<Option<MetastoreOutputs<Resolved>>> {
        let what = format!("look up metastore `{key}`");
        let list: List = client.get(client.account_path("metastores")?).send().await.while_doing(&what)?;
        let is_meant = |info: &Info| [&info.metastore_id, &info.name, &info.region].into_iter().any(|text| text == key);
        let mut meant: Vec<Info> = list.metastores.into_iter().filter(is_meant).collect();
        if meant.len() > 1 {
            let names = meant.iter().map(|info| format!("`{}`", info.name)).collect::<Vec<_>>().join(", ");
            let message = format!("{what}: there are several: {names}");
            return Err(ProviderError::new(ErrorKind::Invalid { field: None }, message).hint("look it up by its id"));
        }
        Ok(meant.pop().map(|info| MetastoreOutputs {
            id: Id::new(info.metastore_id),
            name: info.name,
            region: info.region,
            storage_root: info.storage_root.unwrap_or_default(),
        }))
    }
}

// prove

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::testing::account;
    use crate::client::scripted::{Server, json};

    const TWO: &str = r#"{"metastores": [
        {"metastore_id": "m1", "name": "eu", "region": "eu-central-1"},
        {"metastore_id": "m2", "name": "us", "region": "us-east-1"}
    ]}"#;

    #[tokio::test]
    async fn it_is_found_by_region_name_or_id() {
        for key in ["us-east-1", "us", "m2"] {
            let server = Server::playing([json(200, TWO)]).await;
            let found = Metastore::look_up(&account(&server), key).await.expect("an answer").expect("a metastore");
            assert_eq!((found.id.as_str(), found.storage_root.as_str()), ("m2", ""));
        }
        let server = Server::playing([json(200, TWO)]).await;
        assert!(Metastore::look_up(&account(&server), "eu").await.expect("an answer").is_some());
        let server = Server::playing([json(200, "{}")]).await;
        assert!(Metastore::look_up(&account(&server), "eu").await.expect("an answer").is_none());
    }

    #[tokio::test]
    async fn two_in_one_region_are_not_chosen_between() {
        let server = Server::playing([json(200, &TWO.replace("us-east-1", "eu-central-1"))]).await;
        let error = Metastore::look_up(&account(&server), "eu-central-1").await.expect_err("several");
        assert_eq!(error.message, "look up metastore `eu-central-1`: there are several: `eu`, `us`");
    }
}
