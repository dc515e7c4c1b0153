//! A value of every type that the providers have, with every field set: what the museum keeps, and what the walks break off.
//! `words` is the text that a change of all of them changes.

use platform_aws::prelude::*;
use platform_databricks::{
    compute::{
        AwsAttributes, AwsAvailability, BasicAuth, DockerImage, InitScript, RuntimeEngine, SpotPolicy,
        WarehouseChannel, WarehouseType,
    },
    jobs::{
        EmailNotifications, Environment, FileSource, GitProvider, GitSource, Health, JobEditMode, JobParameter,
        NotebookTask, PauseStatus, PerformanceTarget, PythonTask, Queue, RunAs, RunIf, Schedule, SqlFile, SqlTask,
        Webhook, WebhookNotifications,
    },
    prelude::*,
};
use platform_sdk::prelude::*;

/// Who owns everything in the sandbox that is given away.
pub const OWNER: &str = "admin@sandbox.example";

/// A bucket.
pub fn bucket(name: &str, words: &str) -> Bucket {
    let shut = PublicAccessBlock::none()
        .block_public_acls(true)
        .ignore_public_acls(true)
        .block_public_policy(false)
        .restrict_public_buckets(true);
    Bucket::new(name)
        .region("eu-west-1")
        .versioning(true)
        .encryption(Encryption::kms("alias/lake").bucket_key(true))
        .public_access_block(shut)
        .tags([("words", words)])
}

/// A role that is trusted so.
pub fn role(name: &str, trust: PolicyDocument, words: &str) -> Role {
    Role::new(name, trust).path("/").description(words).max_session_duration(7200).tags([("words", words)])
}

/// What a policy says beyond what it has to.
pub fn more(words: &str) -> Statement {
    Statement::allow().sid("More").action("s3:GetObject").resource(format!("arn:aws:s3:::{}", words.len()))
}

/// A storage credential of a role.
pub fn credential(name: &str, role: impl IntoInput<String>, words: &str) -> StorageCredential {
    StorageCredential::aws_role(name, role).comment(words).read_only(false).isolation_mode(Isolation::Open).owner(OWNER)
}

/// A location at a URL.
pub fn location(
    name: &str,
    url: impl IntoInput<String>,
    credential: &Handle<StorageCredential>,
    words: &str,
) -> ExternalLocation {
    ExternalLocation::new(name, url, credential)
        .comment(words)
        .read_only(false)
        .fallback(true)
        .enable_file_events(true)
        .skip_validation(true)
        .isolation_mode(Isolation::Open)
        .owner(OWNER)
}

/// A warehouse.
pub fn warehouse(name: &str, words: &str) -> SqlWarehouse {
    SqlWarehouse::new(name)
        .size(WarehouseSize::Small)
        .auto_stop_mins(20u32)
        .serverless(false)
        .min_num_clusters(1u32)
        .max_num_clusters(2u32)
        .warehouse_type(WarehouseType::Pro)
        .channel(WarehouseChannel::Preview)
        .spot_instance_policy(SpotPolicy::ReliabilityOptimized)
        .enable_photon(true)
        .instance_profile_arn("arn:aws:iam::123456789012:instance-profile/sql")
        .tags([("words", words)])
}

/// A catalog, without its place.
pub fn catalog(name: &str, words: &str) -> Catalog {
    Catalog::new(name)
        .comment(words)
        .properties([("words", words)])
        .isolation_mode(CatalogIsolation::Open)
        .predictive_optimization(PredictiveOptimization::Enable)
        .owner(OWNER)
}

/// A schema, without its place.
pub fn schema(catalog: impl IntoInput<Id<Catalog>>, name: &str, words: &str) -> Schema {
    Schema::new(catalog, name)
        .comment(words)
        .properties([("words", words)])
        .predictive_optimization(PredictiveOptimization::Disable)
        .owner(OWNER)
}

/// A volume in a place that is managed for it.
pub fn volume(schema: &Handle<Schema>, name: &str, words: &str) -> Volume {
    Volume::managed(schema, name).comment(words).owner(OWNER)
}

/// The columns of a table.
pub fn columns() -> [Column; 2] {
    [
        Column::bigint("id").not_null().comment("The number"),
        Column::structure("at", [("day", DataType::parse("date")), ("hours", DataType::array("int"))]),
    ]
}

/// A table that is made with this warehouse.
pub fn table(schema: &Handle<Schema>, name: &str, sql: &Handle<SqlWarehouse>, words: &str) -> Table {
    Table::new(schema, name)
        .via(sql)
        .columns(columns())
        .comment(words)
        .properties([("words", words)])
        .cluster_by(["id"])
        .owner(OWNER)
}

/// A grant on a schema.
pub fn grant(schema: &Handle<Schema>, words: &str) -> Grant {
    let privileges = if words == "words" { vec![UseSchema, Select] } else { vec![UseSchema, Select, Modify] };
    Grant::on(schema).to("analysts").can(privileges)
}

fn aws_attributes() -> AwsAttributes {
    AwsAttributes::new()
        .availability(AwsAvailability::SpotWithFallback)
        .first_on_demand(1u32)
        .spot_bid_price_percent(80u32)
        .zone_id("auto")
        .instance_profile_arn("arn:aws:iam::123456789012:instance-profile/etl")
        .ebs_volume_type("GENERAL_PURPOSE_SSD")
        .ebs_volume_count(1u32)
        .ebs_volume_size(100u32)
        .ebs_volume_iops(3000u32)
        .ebs_volume_throughput(200u32)
}

fn init_scripts() -> [InitScript; 3] {
    [
        InitScript::in_volume("/Volumes/museum/sales/managed/setup.sh"),
        InitScript::in_workspace("/Shared/setup.sh"),
        InitScript::in_s3("s3://museum-lake/setup.sh", "eu-west-1"),
    ]
}

fn image(words: &str) -> DockerImage {
    DockerImage::new("ghcr.io/acme/etl:1").basic_auth(BasicAuth::new("robot", format!("the {words} of a museum")))
}

/// A cluster of one machine.
pub fn single_node(name: &str, words: &str) -> Cluster {
    Cluster::new(name, SparkVersion::Lts15_4)
        .node_type_id("m5d.large")
        .num_workers(0u32)
        .is_single_node(true)
        .kind(ClusterKind::ClassicPreview)
        .custom_tags([("words", words)])
}

/// A cluster of machines from pools.
pub fn pooled(name: &str, words: &str) -> Cluster {
    Cluster::new(name, SparkVersion::Lts15_4)
        .instance_pool_id("pool-1")
        .driver_instance_pool_id("pool-2")
        .custom_tags([("words", words)])
}

/// A cluster that grows.
pub fn cluster(name: &str, words: &str) -> Cluster {
    Cluster::new(name, "15.4.x-scala2.12")
        .node_type_id("m5d.large")
        .autoscale(Autoscale::new(1u32, 3u32))
        .autotermination_minutes(20u32)
        .driver_node_type_id("m5d.large")
        .data_security_mode(DataSecurityMode::SingleUser)
        .single_user_name(OWNER)
        .policy_id("P1")
        .apply_policy_default_values(false)
        .runtime_engine(RuntimeEngine::Standard)
        .spark_conf([("words", words)])
        .spark_env_vars([("WORDS", words)])
        .custom_tags([("words", words)])
        .init_scripts(init_scripts())
        .aws_attributes(aws_attributes())
        .docker_image(image(words))
        .enable_elastic_disk(true)
        .enable_local_disk_encryption(true)
}

/// A notebook at a path.
pub fn notebook(path: &str, words: &str) -> Notebook {
    Notebook::from_source(path, Language::Python, format!("# {words}")).format(NotebookFormat::Source)
}

/// What a job runs on.
#[derive(Clone, Copy)]
pub struct Means<'m> {
    /// Its notebook.
    pub notebook: &'m Handle<Notebook>,
    /// Its warehouse.
    pub sql: &'m Handle<SqlWarehouse>,
    /// Its cluster.
    pub cluster: &'m Handle<Cluster>,
}

fn emails() -> EmailNotifications {
    EmailNotifications::new()
        .on_start(["start@acme.example"])
        .on_success(["success@acme.example"])
        .on_failure(["failure@acme.example"])
        .on_duration_warning_threshold_exceeded(["slow@acme.example"])
        .no_alert_for_skipped_runs(true)
}

fn hooks() -> WebhookNotifications {
    let hook = |name: &str| [Webhook::new(name)];
    WebhookNotifications::new().on_start(hook("1")).on_success(hook("2")).on_failure(hook("3"))
}

fn job_clusters(words: &str) -> [JobCluster; 3] {
    let own = NewCluster::new("15.4.x-scala2.12")
        .node_type_id("m5d.large")
        .autoscale(Autoscale::new(1u32, 2u32))
        .driver_node_type_id("m5d.large")
        .data_security_mode(DataSecurityMode::SingleUser)
        .single_user_name(OWNER)
        .policy_id("P1")
        .apply_policy_default_values(false)
        .runtime_engine(RuntimeEngine::Standard)
        .spark_conf([("words", words)])
        .spark_env_vars([("WORDS", words)])
        .custom_tags([("words", words)])
        .init_scripts(init_scripts())
        .aws_attributes(aws_attributes())
        .docker_image(image(words))
        .enable_elastic_disk(true);
    let alone = NewCluster::new("15.4.x-scala2.12")
        .node_type_id("m5d.large")
        .num_workers(0u32)
        .is_single_node(true)
        .kind(ClusterKind::ClassicPreview);
    let pooled = NewCluster::new("15.4.x-scala2.12")
        .instance_pool_id("pool-1")
        .driver_instance_pool_id("pool-2")
        .num_workers(1u32);
    [JobCluster::new("own", own), JobCluster::new("alone", alone), JobCluster::new("pooled", pooled)]
}

fn tasks(means: Means<'_>, words: &str) -> [Task; 5] {
    let Means { notebook, sql, cluster } = means;
    let load = Task::notebook("load", notebook)
        .on_cluster(cluster)
        .health(Health::longer_than(30u64))
        .description(words)
        .named_parameters([("words", words)])
        .timeout_seconds(60u32)
        .max_retries(2)
        .min_retry_interval_millis(1000u32)
        .retry_on_timeout(true)
        .email_notifications(emails())
        .webhook_notifications(hooks());
    let show = Task::notebook("show", notebook).warehouse(sql).run_if(RunIf::AllDone).depends_on(["load"]);
    // What the shorter constructors leave to its default is said here.
    let here = FileSource::Workspace;
    let said = NotebookTask::new("/Shared/museum").source(here.clone()).warehouse_id(sql);
    let show = Task { notebook_task: Some(said), ..show };
    let clean = Task::new("clean")
        .spark_python_task(PythonTask::new("/Shared/clean.py").source(here.clone()).parameters(["--all"]))
        .environment_key("default");
    let count = Task::python("count", "/Shared/count.py").on_job_cluster("own");
    let query = SqlTask::new(SqlFile::new("/Shared/report.sql").source(here));
    let report = Task::new("report").sql_task(query).warehouse(sql).named_parameters([("words", words)]);
    [load, show, clean, count, report]
}

/// A job.
pub fn job(name: &str, means: Means<'_>, words: &str) -> Job {
    let [load, show, clean, count, report] = tasks(means, words);
    Job::new(name)
        .description(words)
        .task(load)
        .task(show)
        .task(clean)
        .task(count)
        .task(report)
        .job_clusters(job_clusters(words))
        .git_source(
            GitSource::new("https://github.com/acme/museum", GitProvider::GitHub)
                .git_branch("main")
                .git_tag("v1")
                .git_commit("c0ffee"),
        )
        .health(Health::longer_than(3000u64))
        .environments([Environment::new("default").environment_version("4").dependencies(["pandas"])])
        .parameters([JobParameter::new("words", words)])
        .schedule(Schedule::new("0 0 2 * * ?", "Europe/Berlin").pause_status(PauseStatus::Paused))
        .max_concurrent_runs(2u32)
        .timeout_seconds(3600u32)
        .queue(Queue::new(true))
        .run_as(RunAs::user(OWNER))
        .edit_mode(JobEditMode::UiLocked)
        .performance_target(PerformanceTarget::Standard)
        .email_notifications(emails())
        .webhook_notifications(hooks())
        .tags([("words", words)])
}

/// A workspace of an account, with the ids of its credentials, its storage configuration and its network.
pub fn workspace(name: &str, [credentials, storage, network]: [String; 3], words: &str) -> Workspace {
    Workspace::new(name, "eu-west-1")
        .compute_mode(ComputeMode::Hybrid)
        .credentials_id(credentials)
        .storage_configuration_id(storage)
        .network_id(network)
        .managed_services_customer_managed_key_id("k1")
        .storage_customer_managed_key_id("k2")
        .private_access_settings_id("p1")
        .network_connectivity_config_id("ncc1")
        .custom_tags([("words", words)])
        .pricing_tier(PricingTier::Enterprise)
        .deployment_name(name)
}

/// The metastore of a workspace.
pub fn assignment(
    workspace: &Handle<Workspace>,
    metastore: &Output<Id<Metastore>>,
    words: &str,
) -> MetastoreAssignment {
    let catalog = if words == "words" { "main" } else { "samples" };
    MetastoreAssignment::new(workspace, metastore).default_catalog_name(catalog)
}
