//! The registry: every page of each level, one alphabetical line a page.

use platform_sdk::provider::Drivers;

use crate::{
    Catalog, Cluster, CurrentUser, ExternalLocation, Grant, Job, Metastore, MetastoreAssignment, Notebook, Schema,
    SqlWarehouse, StorageCredential, Table, Volume, Workspace, client::Client,
};

/// What a workspace's provider manages.
pub fn workspace_drivers() -> Drivers<Client> {
    Drivers::default()
        .with::<Catalog>()
        .with::<Cluster>()
        .with_lookup::<CurrentUser>()
        .with::<ExternalLocation>()
        .with::<Grant>()
        .with::<Job>()
        .with::<Notebook>()
        .with::<Schema>()
        .with::<SqlWarehouse>()
        .with::<StorageCredential>()
        .with::<Table>()
        .with::<Volume>()
}

/// What an account's provider manages.
pub fn account_drivers() -> Drivers<Client> {
    Drivers::default().with_lookup::<Metastore>().with::<MetastoreAssignment>().with::<Workspace>()
}
