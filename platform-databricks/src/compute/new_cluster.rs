//! `NewCluster`: a cluster that a job makes for its tasks and that ends with them.

use std::collections::BTreeMap;

use platform_sdk::{Declared, Stage, derive::Block};

use super::{
    Autoscale, AwsAttributes, ClusterKind, DataSecurityMode, DockerImage, InitScript, RuntimeEngine, SparkVersion,
};

/// What a job's cluster is made of: it has one worker unless told otherwise.
#[derive(Block)]
pub struct NewCluster<S: Stage = Declared> {
    /// The Databricks runtime: `15.4.x-scala2.12`.
    #[field(required)]
    pub spark_version: S::In<SparkVersion>,
    /// The type of its machines: `m5d.large`.
    #[field(required)]
    pub node_type_id: S::In<String>,
    /// How many workers beside the driver. Default: 1, where there is no `autoscale`.
    #[field(default = 1)]
    pub num_workers: Option<S::In<u32>>,
    /// A number of workers that follows the load.
    #[field(nullable)]
    pub autoscale: Option<Autoscale<S>>,
    /// The type of the driver's machine. Unset: the workers'.
    #[field(computed)]
    pub driver_node_type_id: Option<S::In<String>>,
    /// One machine without workers; needs `kind`. [`single_node`](NewCluster::single_node) sets both.
    #[field(nullable)]
    pub is_single_node: Option<S::In<bool>>,
    /// Its kind.
    #[field(nullable)]
    pub kind: Option<S::In<ClusterKind>>,
    /// Who can use it, and which data it can reach.
    #[field(computed)]
    pub data_security_mode: Option<S::In<DataSecurityMode>>,
    /// The one user or group of a cluster that is not shared.
    #[field(computed)]
    pub single_user_name: Option<S::In<String>>,
    /// The policy that it obeys.
    #[field(nullable)]
    pub policy_id: Option<S::In<String>>,
    /// The engine that queries run on.
    #[field(computed)]
    pub runtime_engine: Option<S::In<RuntimeEngine>>,
    /// Spark's settings.
    #[field(nullable)]
    pub spark_conf: Option<S::In<BTreeMap<String, String>>>,
    /// Environment variables of Spark's processes.
    #[field(nullable)]
    pub spark_env_vars: Option<S::In<BTreeMap<String, String>>>,
    /// Tags of its machines, for the cloud's bill.
    #[field(nullable)]
    pub custom_tags: Option<S::In<BTreeMap<String, String>>>,
    /// Scripts that run on each machine before Spark does, in this order.
    pub init_scripts: Vec<InitScript<S>>,
    /// What is asked of AWS.
    #[field(computed)]
    pub aws_attributes: Option<AwsAttributes<S>>,
    /// A container image that the machines run.
    #[field(nullable)]
    pub docker_image: Option<DockerImage<S>>,
    /// Whether disks are added before they are full.
    #[field(computed)]
    pub enable_elastic_disk: Option<S::In<bool>>,
}

impl NewCluster {
    /// One machine that is driver and worker.
    pub fn single_node(mut self) -> Self {
        self.autoscale = None;
        self.num_workers(0).is_single_node(true).kind(ClusterKind::ClassicPreview)
    }
}
