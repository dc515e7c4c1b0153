//! The Databricks provider: resources of a workspace and of an account, over the public REST API.

pub mod account;
pub mod auth;
pub mod client;
pub mod compute;
pub mod jobs;
pub mod provider;
pub mod sandbox;
pub mod workspace;

pub use account::{
    ComputeMode, Metastore, MetastoreAssignment, MetastoreAssignmentOutputs, MetastoreOutputs, PricingTier, Workspace,
    WorkspaceOutputs,
};
pub use compute::{
    Autoscale, AwsAttributes, AwsAvailability, BasicAuth, Cluster, ClusterKind, ClusterOutputs, DataSecurityMode,
    DockerImage, InitScript, NewCluster, RuntimeEngine, SparkVersion, SpotPolicy, SqlWarehouse, SqlWarehouseOutputs,
    WarehouseChannel, WarehouseSize, WarehouseType,
};
pub use jobs::{
    EmailNotifications, Environment, Job, JobCluster, JobEditMode, JobOutputs, JobParameter, PauseStatus,
    PerformanceTarget, Queue, RunAs, RunIf, Schedule, Task, Webhook, WebhookNotifications,
};
pub use provider::{AccountProvider, WorkspaceProvider};
pub use workspace::{
    CurrentUser, CurrentUserOutputs, Language, Notebook, NotebookFormat, NotebookOutputs, NotebookPath,
};
