//! The registry: every page of each level, one alphabetical line a page.

use platform_sdk::provider::Drivers;

use crate::{
    Cluster, CurrentUser, Job, Metastore, MetastoreAssignment, Notebook, SqlWarehouse, Workspace, client::Client,
};

/// What a workspace's provider manages.
pub fn workspace_drivers() -> Drivers<Client> {
    Drivers::default()
        .with::<Cluster>()
        .with_lookup::<CurrentUser>()
        .with::<Job>()
        .with::<Notebook>()
        .with::<SqlWarehouse>()
}

/// What an account's provider manages.
pub fn account_drivers() -> Drivers<Client> {
    Drivers::default().with_lookup::<Metastore>().with::<MetastoreAssignment>().with::<Workspace>()
}
