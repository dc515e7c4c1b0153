//! `NewCluster`: a cluster that a job makes for its tasks and that ends with them.

use std::collections::BTreeMap;

use platform_sdk::{Declared, Stage, derive::Block};

use super::{
    Autoscale, AwsAttributes, ClusterKind, DataSecurityMode, DockerImage, InitScript, RuntimeEngine, SparkVersion,
    cluster_parts::mode,
};

/// What a job's cluster is made of: it has one worker unless told otherwise.
#[derive(Block)]
pub struct NewCluster<S: Stage = Declared> {
    /// The Databricks runtime: `15.4.x-scala2.12`.
    #[field(required)]
    pub spark_version: S::In<SparkVersion>,
    /// The type of its machines: `m5d.large`. Unset: its pool's, or what its policy says.
    #[field(computed, filled_by = "policy_id")]
    pub node_type_id: Option<S::In<String>>,
    /// The pool that its machines come from.
    #[field(nullable, filled_by = "policy_id")]
    pub instance_pool_id: Option<S::In<String>>,
    /// The pool that the driver's machine comes from. Unset: the workers'.
    #[field(computed, filled_by = "policy_id")]
    pub driver_instance_pool_id: Option<S::In<String>>,
    /// How many workers beside the driver. Default: 1, where there is no `autoscale` and no policy says otherwise.
    #[field(default = 1, filled_by = "policy_id")]
    pub num_workers: Option<S::In<u32>>,
    /// A number of workers that follows the load.
    #[field(nullable, filled_by = "policy_id")]
    pub autoscale: Option<Autoscale<S>>,
    /// The type of the driver's machine. Unset: the workers'.
    #[field(computed, filled_by = "policy_id")]
    pub driver_node_type_id: Option<S::In<String>>,
    /// One machine without workers; needs `kind`. [`single_node`](NewCluster::single_node) sets both.
    #[field(nullable, filled_by = "policy_id")]
    pub is_single_node: Option<S::In<bool>>,
    /// Its kind.
    #[field(nullable, filled_by = "policy_id")]
    pub kind: Option<S::In<ClusterKind>>,
    /// Who can use it, and which data it can reach.
    #[field(computed, normalize = mode, filled_by = "policy_id")]
    pub data_security_mode: Option<S::In<DataSecurityMode>>,
    /// The one user or group of a cluster that is not shared.
    #[field(computed, filled_by = "policy_id")]
    pub single_user_name: Option<S::In<String>>,
    /// The policy that it obeys.
    #[field(nullable)]
    pub policy_id: Option<S::In<String>>,
    /// Whether the policy's defaults are filled in where nothing is set. Default: false.
    #[field(default = false, write_only)]
    pub apply_policy_default_values: Option<S::In<bool>>,
    /// The engine that queries run on.
    #[field(computed, filled_by = "policy_id")]
    pub runtime_engine: Option<S::In<RuntimeEngine>>,
    /// Spark's settings.
    #[field(nullable, filled_by = "policy_id")]
    pub spark_conf: Option<S::In<BTreeMap<String, String>>>,
    /// Environment variables of Spark's processes.
    #[field(nullable, filled_by = "policy_id")]
    pub spark_env_vars: Option<S::In<BTreeMap<String, String>>>,
    /// Tags of its machines, for the cloud's bill.
    #[field(nullable, filled_by = "policy_id")]
    pub custom_tags: Option<S::In<BTreeMap<String, String>>>,
    /// Scripts that run on each machine before Spark does, in this order.
    #[field(filled_by = "policy_id")]
    pub init_scripts: Vec<InitScript<S>>,
    /// What is asked of AWS.
    #[field(computed, filled_by = "policy_id")]
    pub aws_attributes: Option<AwsAttributes<S>>,
    /// A container image that the machines run.
    #[field(nullable, filled_by = "policy_id")]
    pub docker_image: Option<DockerImage<S>>,
    /// Whether disks are added before they are full.
    #[field(computed, filled_by = "policy_id")]
    pub enable_elastic_disk: Option<S::In<bool>>,
}

impl NewCluster {
    /// One machine that is driver and worker.
    pub fn single_node(mut self) -> Self {
        self.autoscale = None;
        self.num_workers(0).is_single_node(true).kind(ClusterKind::ClassicPreview)
    }
}
