//! The two providers, one for each level of Databricks: how a program names them, and how the engine reaches them.

mod account;
mod connection;
mod credentials;
mod registry;
mod workspace;

pub use account::AccountProvider;
pub use registry::{account_drivers, workspace_drivers};
pub use workspace::WorkspaceProvider;
