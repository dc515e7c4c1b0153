//! The registry: every page of each level, one alphabetical line a page.

use platform_sdk::provider::Drivers;

use crate::client::Client;

/// What a workspace's provider manages.
pub fn workspace_drivers() -> Drivers<Client> {
    Drivers::default()
}

/// What an account's provider manages.
pub fn account_drivers() -> Drivers<Client> {
    Drivers::default()
}
