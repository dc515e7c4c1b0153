//! The Databricks provider: resources of a workspace and of an account, over the public REST API.
//!
//! ```
//! use platform_databricks::prelude::*;
//! use platform_sdk::prelude::*;
//!
//! fn platform(stack: &Stack) -> Result<()> {
//!     let main = stack.lookup::<Catalog>("main");
//!     let sales = stack.add("sales", Schema::new(&main, "sales").comment("Orders and customers"));
//!     let sql = stack.add("sql", SqlWarehouse::new("sql"));
//!     let orders = stack.add(
//!         "orders",
//!         Table::new(&sales, "orders")
//!             .via(&sql)
//!             .columns([Column::bigint("id").not_null(), Column::decimal("amount", 18, 2).comment("EUR")])
//!             .cluster_by(["id"]),
//!     );
//!     stack.add("readers", Grant::on(&sales).to("analysts").can([UseSchema, Select]));
//!     stack.export("orders", &orders.full_name);
//!     Ok(())
//! }
//!
//! let program = Program::new("shop", platform).provider(WorkspaceProvider::from_env());
//! ```
//!
//! | folder | holds |
//! |---|---|
//! | [`provider`] | [`WorkspaceProvider`] and [`AccountProvider`]: the two levels, and the registry of their pages |
//! | [`catalog`], [`compute`], [`jobs`], [`workspace`], [`account`] | the pages, one file a resource |
//! | [`auth`], [`client`] | who calls, and how |
//! | [`sandbox`] | a server that speaks the same protocol, for `--sandbox` and tests |

pub mod account;
pub mod auth;
pub mod catalog;
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
pub use catalog::{
    AwsIamRole, Catalog, CatalogIsolation, CatalogOutputs, Column, DataType, ExternalLocation, ExternalLocationOutputs,
    Grant, GrantOutputs, Isolation, PredictiveOptimization, Privilege, Schema, SchemaOutputs, Securable, SecurableKind,
    StorageCredential, StorageCredentialOutputs, Table, TableOutputs, Volume, VolumeOutputs,
};
pub use compute::{
    Autoscale, AwsAttributes, AwsAvailability, BasicAuth, Cluster, ClusterKind, ClusterOutputs, DataSecurityMode,
    DockerImage, InitScript, NewCluster, RuntimeEngine, S3Script, SparkVersion, SpotPolicy, SqlWarehouse,
    SqlWarehouseOutputs, StoredScript, WarehouseChannel, WarehouseSize, WarehouseType,
};
pub use jobs::{
    EmailNotifications, Environment, FileSource, GitProvider, GitSource, Health, HealthMetric, HealthRule, Job,
    JobCluster, JobEditMode, JobOutputs, JobParameter, NotebookTask, PauseStatus, PerformanceTarget, PythonTask, Queue,
    RunAs, RunIf, Schedule, SqlFile, SqlTask, Task, TaskDependency, Webhook, WebhookNotifications,
};
pub use provider::{AccountProvider, WorkspaceProvider};
pub use workspace::{
    CurrentUser, CurrentUserOutputs, Language, Notebook, NotebookFormat, NotebookOutputs, NotebookPath,
};

/// What a program names: resources with their parts, providers, and privileges by their bare names.
pub mod prelude {
    pub use crate::{
        AccountProvider, Autoscale, AwsAttributes, AwsAvailability, AwsIamRole, BasicAuth, Catalog, CatalogIsolation,
        Cluster, ClusterKind, Column, ComputeMode, CurrentUser, DataSecurityMode, DataType, DockerImage,
        EmailNotifications, Environment, ExternalLocation, FileSource, GitProvider, GitSource, Grant, Health,
        HealthMetric, HealthRule, InitScript, Isolation, Job, JobCluster, JobEditMode, JobParameter, Language,
        Metastore, MetastoreAssignment, NewCluster, Notebook, NotebookFormat, NotebookPath, NotebookTask, PauseStatus,
        PerformanceTarget, PredictiveOptimization, PricingTier, Privilege, PythonTask, Queue, RunAs, RunIf,
        RuntimeEngine, S3Script, Schedule, Schema, SecurableKind, SparkVersion, SpotPolicy, SqlFile, SqlTask,
        SqlWarehouse, StorageCredential, StoredScript, Table, Task, TaskDependency, Volume, WarehouseChannel,
        WarehouseSize, WarehouseType, Webhook, WebhookNotifications, Workspace, WorkspaceProvider,
        catalog::Privilege::{
            AllPrivileges, ApplyTag, Browse, CreateExternalLocation, CreateExternalTable, CreateExternalVolume,
            CreateFunction, CreateManagedStorage, CreateMaterializedView, CreateModel, CreateSchema, CreateTable,
            CreateVolume, Execute, ExternalUseSchema, Modify, ReadFiles, ReadVolume, Refresh, Select, UseCatalog,
            UseSchema, WriteFiles, WriteVolume,
        },
    };
}
