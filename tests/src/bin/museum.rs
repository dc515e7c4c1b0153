//! A program that declares every type with every field, for the museum: what it made once is kept in the repository, and
//! every later version has to find nothing to do about it, to change it, and to take it down.
//!
//! Its configuration names the parts of an account that no type of ours makes yet; `changed` in it changes something of
//! every type.

use std::process::ExitCode;

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
use serde_json::json;

/// Who owns everything in the sandbox that is given away.
const OWNER: &str = "admin@sandbox.example";

fn main() -> ExitCode {
    Program::new("museum", platform)
        .stack("room")
        .config_file(std::env::var("MUSEUM_CONFIG").unwrap_or_default())
        .provider(AccountProvider::from_env())
        .provider(WorkspaceProvider::from_env())
        .provider(Aws::from_env())
        .main()
}

fn platform(stack: &Stack) -> Result<()> {
    let changed: bool = stack.config_or("changed", false)?;
    let words = if changed { "new words" } else { "words" };
    let raw = storage(stack, words);
    let sql = warehouse(stack, words);
    catalog(stack, words, &raw, &sql);
    let cluster = clusters(stack, words);
    jobs(stack, words, &sql, &cluster);
    account(stack, words)?;
    stack.add("data", Data::new(json!({"words": words})).trigger(&sql.id));
    Ok(())
}

fn storage(stack: &Stack, words: &str) -> Handle<ExternalLocation> {
    let account = stack.lookup::<CallerIdentity>("me");
    let shut = PublicAccessBlock::none()
        .block_public_acls(true)
        .ignore_public_acls(true)
        .block_public_policy(false)
        .restrict_public_buckets(true);
    let bucket = stack.add(
        "bucket",
        Bucket::new("museum-lake")
            .region("eu-west-1")
            .versioning(true)
            .encryption(Encryption::kms("alias/lake").bucket_key(true))
            .public_access_block(shut)
            .tags([("words", words)]),
    );
    let credential = stack.add(
        "credential",
        StorageCredential::aws_role("lake", Role::arn_of(&account.account_id, "museum-lake"))
            .comment(words)
            .read_only(false)
            .isolation_mode(Isolation::Open)
            .owner(OWNER),
    );
    let trust =
        uc_trust_of(&credential.unity_catalog_iam_arn, &credential.external_id, "museum-lake", &account.account_id);
    let role = stack.add(
        "role",
        Role::new("museum-lake", trust)
            .path("/")
            .description(words)
            .max_session_duration(7200)
            .tags([("words", words)]),
    );
    let more = Statement::allow().sid("More").action("s3:GetObject").resource(format!("arn:aws:s3:::{}", words.len()));
    let policy = uc_access([&bucket.arn], &role.arn).statement(more);
    let access = stack.add("access", RolePolicy::new(&role, "lake", policy));
    stack
        .add(
            "raw",
            ExternalLocation::new("raw", bucket.url(""), &credential)
                .comment(words)
                .read_only(false)
                .fallback(true)
                .enable_file_events(true)
                .skip_validation(true)
                .isolation_mode(Isolation::Open)
                .owner(OWNER),
        )
        .depends_on(&access)
}

fn warehouse(stack: &Stack, words: &str) -> Handle<SqlWarehouse> {
    stack.add(
        "sql",
        SqlWarehouse::new("sql")
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
            .tags([("words", words)]),
    )
}

fn catalog(stack: &Stack, words: &str, raw: &Handle<ExternalLocation>, sql: &Handle<SqlWarehouse>) {
    let lake = stack.add(
        "lake",
        Catalog::new("museum")
            .storage_root(raw.path("lake"))
            .comment(words)
            .properties([("words", words)])
            .isolation_mode(CatalogIsolation::Open)
            .predictive_optimization(PredictiveOptimization::Enable)
            .owner(OWNER),
    );
    let sales = stack.add(
        "sales",
        Schema::new(&lake, "sales")
            .storage_root(raw.path("sales"))
            .comment(words)
            .properties([("words", words)])
            .predictive_optimization(PredictiveOptimization::Disable)
            .owner(OWNER),
    );
    stack.add("managed", Volume::managed(&sales, "managed").comment(words).owner(OWNER));
    stack.add("dump", Volume::external(&sales, "dump", raw.path("dump")).comment(words));
    let columns = || {
        [
            Column::bigint("id").not_null().comment("The number"),
            Column::structure("at", [("day", DataType::parse("date")), ("hours", DataType::array("int"))]),
        ]
    };
    stack.add(
        "orders",
        Table::new(&sales, "orders")
            .via(sql)
            .columns(columns())
            .comment(words)
            .properties([("words", words)])
            .cluster_by(["id"])
            .owner(OWNER),
    );
    stack.add(
        "files",
        Table::new(&sales, "files").via(sql).columns(columns()).partitioned_by(["id"]).external(raw.path("files")),
    );
    let privileges = if words == "words" { vec![UseSchema, Select] } else { vec![UseSchema, Select, Modify] };
    stack.add("readers", Grant::on(&sales).to("analysts").can(privileges));
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

fn clusters(stack: &Stack, words: &str) -> Handle<Cluster> {
    stack.add(
        "alone",
        Cluster::new("alone", SparkVersion::Lts15_4)
            .node_type_id("m5d.large")
            .num_workers(0u32)
            .is_single_node(true)
            .kind(ClusterKind::ClassicPreview)
            .custom_tags([("words", words)]),
    );
    stack.add(
        "pooled",
        Cluster::new("pooled", SparkVersion::Lts15_4)
            .instance_pool_id("pool-1")
            .driver_instance_pool_id("pool-2")
            .custom_tags([("words", words)]),
    );
    stack.add(
        "cluster",
        Cluster::new("museum", "15.4.x-scala2.12")
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
            .enable_local_disk_encryption(true),
    )
}

fn jobs(stack: &Stack, words: &str, sql: &Handle<SqlWarehouse>, cluster: &Handle<Cluster>) {
    let source = format!("# {words}");
    let notebook = stack.add(
        "notebook",
        Notebook::from_source("/Shared/museum", Language::Python, source).format(NotebookFormat::Source),
    );
    let emails = || {
        EmailNotifications::new()
            .on_start(["start@acme.example"])
            .on_success(["success@acme.example"])
            .on_failure(["failure@acme.example"])
            .on_duration_warning_threshold_exceeded(["slow@acme.example"])
            .no_alert_for_skipped_runs(true)
    };
    let hooks = || {
        let hook = |name: &str| [Webhook::new(name)];
        WebhookNotifications::new().on_start(hook("1")).on_success(hook("2")).on_failure(hook("3"))
    };
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
    let load = Task::notebook("load", &notebook)
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
    let show = Task::notebook("show", &notebook).warehouse(sql).run_if(RunIf::AllDone).depends_on(["load"]);
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
    stack.add(
        "job",
        Job::new("museum")
            .description(words)
            .task(load)
            .task(show)
            .task(clean)
            .task(count)
            .task(report)
            .job_clusters([
                JobCluster::new("own", own),
                JobCluster::new("alone", alone),
                JobCluster::new("pooled", pooled),
            ])
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
            .tags([("words", words)]),
    );
    let principal = RunAs::service_principal(platform_databricks::sandbox::CLIENT_ID);
    stack.add("by-a-principal", Job::new("principal").run_as(principal).description(words));
}

fn account(stack: &Stack, words: &str) -> Result<()> {
    let metastore = stack.lookup::<Metastore>("eu-west-1");
    let workspace = stack.add(
        "workspace",
        Workspace::new("museum", "eu-west-1")
            .compute_mode(ComputeMode::Hybrid)
            .credentials_id(stack.config::<String>("credentials")?)
            .storage_configuration_id(stack.config::<String>("storage_configuration")?)
            .network_id(stack.config::<String>("network")?)
            .managed_services_customer_managed_key_id("k1")
            .storage_customer_managed_key_id("k2")
            .private_access_settings_id("p1")
            .network_connectivity_config_id("ncc1")
            .custom_tags([("words", words)])
            .pricing_tier(PricingTier::Enterprise)
            .deployment_name("museum"),
    );
    let catalog = if words == "words" { "main" } else { "samples" };
    stack.add("assignment", MetastoreAssignment::new(&workspace, &metastore.id).default_catalog_name(catalog));
    Ok(())
}
