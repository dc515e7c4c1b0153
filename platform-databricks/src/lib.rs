//! The Databricks provider: resources of a workspace and of an account, over the public REST API.

pub mod auth;
pub mod client;
pub mod provider;
pub mod sandbox;

pub use provider::{AccountProvider, WorkspaceProvider};
