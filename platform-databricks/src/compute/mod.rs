//! Compute: SQL warehouses and clusters.

mod checks;
mod cluster;
mod cluster_parts;
mod names;
mod new_cluster;
mod policy;
mod warehouse;

pub use cluster::{Cluster, ClusterOutputs};
pub use cluster_parts::{
    Autoscale, AwsAttributes, AwsAvailability, BasicAuth, ClusterKind, DataSecurityMode, DockerImage, InitScript,
    RuntimeEngine, S3Script, SparkVersion, StoredScript,
};
pub use new_cluster::NewCluster;
pub use warehouse::{SpotPolicy, SqlWarehouse, SqlWarehouseOutputs, WarehouseChannel, WarehouseSize, WarehouseType};

pub(crate) use checks::machine_flaws;
pub(crate) use cluster_parts::{one_size, with_mode_as_applied, without_pooled};
pub(crate) use policy::{OF_JOB, with_needed};
