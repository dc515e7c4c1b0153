//! What an account has above its workspaces, and the workspaces.

mod metastore;
mod metastore_assignment;
#[cfg(test)]
mod testing;
mod workspace;

pub use metastore::{Metastore, MetastoreOutputs};
pub use metastore_assignment::{MetastoreAssignment, MetastoreAssignmentOutputs};
pub use workspace::{ComputeMode, PricingTier, Workspace, WorkspaceOutputs};
