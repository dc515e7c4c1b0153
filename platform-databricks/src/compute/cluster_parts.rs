//! The parts that clusters of a workspace and clusters of jobs have in common.

use platform_sdk::{Declared, Input, IntoInput, Secret, Stage, derive::Block, names};
use serde_json::{Map, Value};

names! {
    /// A release of the Databricks runtime; give others as text.
    pub open enum SparkVersion {
        /// 15.4 with long-term support: Spark 3.5.
        Lts15_4 = "15.4.x-scala2.12",
        /// 16.4 with long-term support: Spark 3.5.
        Lts16_4 = "16.4.x-scala2.12",
        /// 17.3 with long-term support: Spark 4.0.
        Lts17_3 = "17.3.x-scala2.13",
    }
}

impl IntoInput<SparkVersion> for &str {
    fn into_input(self) -> Input<SparkVersion> {
        Input::Value(self.into())
    }
}

impl IntoInput<SparkVersion> for String {
    fn into_input(self) -> Input<SparkVersion> {
        Input::Value(self.as_str().into())
    }
}

names! {
    /// Who can use a cluster, and which data it can reach.
    pub open enum DataSecurityMode {
        /// The service chooses between the next two.
        Auto = "DATA_SECURITY_MODE_AUTO",
        /// Many users, kept apart; Unity Catalog. New name of `UserIsolation`.
        Standard = "DATA_SECURITY_MODE_STANDARD",
        /// One user or group; Unity Catalog. New name of `SingleUser`.
        Dedicated = "DATA_SECURITY_MODE_DEDICATED",
        /// One user; Unity Catalog.
        SingleUser = "SINGLE_USER",
        /// Many users, kept apart; Unity Catalog.
        UserIsolation = "USER_ISOLATION",
        /// Many users, not kept apart; no Unity Catalog.
        NoIsolation = "NONE",
    }
}

names! {
    /// The engine that queries run on.
    pub enum RuntimeEngine {
        /// Spark's own.
        Standard = "STANDARD",
        /// Photon: faster, and dearer by the hour.
        Photon = "PHOTON",
    }
}

names! {
    /// The kind of a cluster.
    pub enum ClusterKind {
        /// The only one so far; `is_single_node` needs it.
        ClassicPreview = "CLASSIC_PREVIEW",
    }
}

names! {
    /// Which machines AWS is asked for.
    pub enum AwsAvailability {
        /// Spot machines only.
        Spot = "SPOT",
        /// Machines that AWS does not take back.
        OnDemand = "ON_DEMAND",
        /// Spot machines while there are some.
        SpotWithFallback = "SPOT_WITH_FALLBACK",
    }
}

/// A number of workers that follows the load.
#[derive(Block)]
pub struct Autoscale<S: Stage = Declared> {
    /// The fewest.
    #[field(required)]
    pub min_workers: S::In<u32>,
    /// The most.
    #[field(required)]
    pub max_workers: S::In<u32>,
}

/// What is asked of AWS.
#[derive(Block)]
pub struct AwsAttributes<S: Stage = Declared> {
    /// Spot or not.
    #[field(computed)]
    pub availability: Option<S::In<AwsAvailability>>,
    /// The first so many machines are never spot machines; the first is the driver's.
    #[field(computed)]
    pub first_on_demand: Option<S::In<u32>>,
    /// The most that is paid for a spot machine, in percent of its ordinary price.
    #[field(computed)]
    pub spot_bid_price_percent: Option<S::In<u32>>,
    /// The availability zone, or `auto`.
    #[field(computed, volatile)]
    pub zone_id: Option<S::In<String>>,
    /// The instance profile that the machines carry.
    #[field(nullable)]
    pub instance_profile_arn: Option<S::In<String>>,
    /// The type of extra disks: `GENERAL_PURPOSE_SSD` or `THROUGHPUT_OPTIMIZED_HDD`.
    #[field(computed)]
    pub ebs_volume_type: Option<S::In<String>>,
    /// How many extra disks each machine has.
    #[field(computed)]
    pub ebs_volume_count: Option<S::In<u32>>,
    /// The size of each, in GiB.
    #[field(computed)]
    pub ebs_volume_size: Option<S::In<u32>>,
    /// Operations of each, per second.
    #[field(computed)]
    pub ebs_volume_iops: Option<S::In<u32>>,
    /// Throughput of each, in MiB per second.
    #[field(computed)]
    pub ebs_volume_throughput: Option<S::In<u32>>,
}

/// A container image that the machines run.
#[derive(Block)]
pub struct DockerImage<S: Stage = Declared> {
    /// Where it is: `ghcr.io/acme/etl:3`.
    #[field(required)]
    pub url: S::In<String>,
    /// How to log in there.
    #[field(nullable)]
    pub basic_auth: Option<BasicAuth<S>>,
}

/// A login with a password.
#[derive(Block)]
pub struct BasicAuth<S: Stage = Declared> {
    /// The user.
    #[field(required)]
    pub username: S::In<String>,
    /// The password.
    #[field(required, secret, write_only)]
    pub password: S::In<Secret<String>>,
}

/// A script that runs on each machine before Spark does.
#[derive(Block)]
pub struct InitScript<S: Stage = Declared> {
    /// It is in a volume.
    #[field(nullable)]
    pub volumes: Option<StoredScript<S>>,
    /// It is a file of the workspace.
    #[field(nullable)]
    pub workspace: Option<StoredScript<S>>,
    /// It is in S3.
    #[field(nullable)]
    pub s3: Option<S3Script<S>>,
}

impl InitScript {
    /// A script in a volume: `/Volumes/lake/ops/scripts/setup.sh`.
    pub fn in_volume(path: impl IntoInput<String>) -> Self {
        Self { volumes: Some(StoredScript::new(path)), ..Self::new() }
    }

    /// A script that is a file of the workspace: `/Shared/setup.sh`.
    pub fn in_workspace(path: impl IntoInput<String>) -> Self {
        Self { workspace: Some(StoredScript::new(path)), ..Self::new() }
    }

    /// A script in S3, which the instance profile must be able to read: `s3://acme/setup.sh`, `eu-central-1`.
    pub fn in_s3(url: impl IntoInput<String>, region: impl IntoInput<String>) -> Self {
        Self { s3: Some(S3Script::new(url).region(region)), ..Self::new() }
    }
}

/// Where a script is.
#[derive(Block)]
pub struct StoredScript<S: Stage = Declared> {
    /// Its path.
    #[field(required)]
    pub destination: S::In<String>,
}

/// Where in S3 a script is.
#[derive(Block)]
pub struct S3Script<S: Stage = Declared> {
    /// Its URL.
    #[field(required)]
    pub destination: S::In<String>,
    /// The bucket's region.
    #[field(nullable)]
    pub region: Option<S::In<String>>,
}

/// The new names of modes mean the old ones, which are what is read back.
pub(super) fn mode(value: Value) -> Value {
    match value.as_str() {
        Some("DATA_SECURITY_MODE_DEDICATED") => "SINGLE_USER".into(),
        Some("DATA_SECURITY_MODE_STANDARD") => "USER_ISOLATION".into(),
        _ => value,
    }
}

/// The mode as it was last applied, where the one that is shown is what the service makes of it. `said` is what the
/// service knows of what was asked for.
pub(crate) fn with_mode_as_applied(shown: &mut Map<String, Value>, last: Option<&Value>, said: Option<&Value>) {
    const FIELD: &str = "data_security_mode";
    let Some(now) = shown.get(FIELD) else { return };
    let chosen = matches!(now.as_str(), Some("SINGLE_USER" | "USER_ISOLATION"));
    let asked = [last, said].into_iter().flatten().find_map(|asked| asked.get(FIELD));
    let automatic = asked.is_some_and(|asked| asked == DataSecurityMode::Auto.as_str());
    if let Some(asked) = asked.filter(|asked| automatic && chosen || mode((*asked).clone()) == *now) {
        shown.insert(FIELD.to_owned(), asked.clone());
    }
}

/// A fixed number of workers and a range exclude each other: what is wanted wins.
pub(crate) fn one_size(spec: &mut Map<String, Value>, wanted: &Map<String, Value>) {
    if wanted.contains_key("autoscale") {
        spec.remove("num_workers");
    } else if wanted.contains_key("num_workers") {
        spec.remove("autoscale");
    }
}

/// A pool has the machines: what was seen of them is not to be sent back beside it.
pub(crate) fn without_pooled(spec: &mut Map<String, Value>, wanted: &Map<String, Value>) {
    if spec.get("instance_pool_id").is_some_and(Value::is_string) {
        let of_pools =
            ["node_type_id", "driver_node_type_id", "driver_instance_pool_id", "enable_elastic_disk", "aws_attributes"];
        spec.retain(|field, _| wanted.contains_key(field) || !of_pools.contains(&field.as_str()));
    }
}
