//! Compute, jobs, notebooks and workspaces from a program to the sandbox and back: created once, then left alone, changed
//! in place, healed after a change behind the program's back, and gone without a trace.
#![expect(clippy::unwrap_used, reason = "a test that can't go on says where")]

use std::{path::Path, sync::Arc};

use platform_databricks::{
    AccountProvider, Autoscale, BasicAuth, Cluster, CurrentUser, DataSecurityMode, DockerImage, EmailNotifications,
    Environment, InitScript, Job, JobCluster, JobParameter, Metastore, MetastoreAssignment, NewCluster, Notebook,
    Queue, RunAs, Schedule, SparkVersion, SqlWarehouse, Task, WarehouseSize, Workspace, WorkspaceProvider,
    sandbox::{ACCOUNT_ID, ADMIN, DatabricksSandbox, REGION, TOKEN},
};
use platform_sdk::{
    plan::ChangeKind,
    prelude::*,
    sandbox::{Endpoint, Options, attach_or_start, read_log},
    testing::{Harness, Run},
};
use serde_json::{Value, json};

/// A sandbox, and a state that knows how to reach it.
struct Trial {
    dir: tempfile::TempDir,
    endpoint: Endpoint,
    harness: Harness,
}

impl Trial {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let endpoint = attach_or_start(dir.path(), Arc::new(DatabricksSandbox), Options::default()).unwrap();
        let harness = Harness::new()
            .with_variable("DATABRICKS_HOST", &endpoint.url)
            .with_variable("DATABRICKS_TOKEN", TOKEN)
            .with_variable("DATABRICKS_ACCOUNT_ID", ACCOUNT_ID);
        Self { dir, endpoint, harness }
    }

    fn program(&self, declare: impl Fn(&Stack) -> Result<()> + Send + Sync + 'static) -> Program {
        Program::new("trial", declare)
            .provider(WorkspaceProvider::from_env())
            .provider(AccountProvider::from_env().host(self.endpoint.url.as_str()))
    }

    /// Applies, and holds the plan right after to being empty, with and without reading reality (contract clause 8).
    #[track_caller]
    fn up(&self, program: &Program) -> Run {
        let run = self.up_with_lookups(program);
        let plan = self.harness.plan_offline(program).unwrap();
        assert!(plan.is_empty(), "{}", changes(&plan).join("\n"));
        run
    }

    /// The same for programs that look something up, which is unknown while nobody is asked.
    #[track_caller]
    fn up_with_lookups(&self, program: &Program) -> Run {
        let run = self.harness.up(program).unwrap();
        assert!(run.failures.is_empty(), "{:#?}", run.failures);
        let plan = self.harness.plan(program).unwrap();
        assert!(plan.is_empty(), "{}", changes(&plan).join("\n"));
        run
    }

    #[track_caller]
    fn destroy(&self, program: &Program) {
        let run = self.harness.destroy(program).unwrap();
        assert!(run.failures.is_empty(), "{:#?}", run.failures);
    }

    /// Sends a request as somebody else would.
    #[track_caller]
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        // Only the first installation is taken; they are all the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let send = async {
            let request =
                reqwest::Client::new().request(method.parse().unwrap(), format!("{}{path}", self.endpoint.url));
            let request = request.bearer_auth(TOKEN).header("X-Platform-Sandbox", "1");
            let request = if body.is_null() { request } else { request.json(body) };
            let response = request.send().await.unwrap();
            let status = response.status();
            let answer: Value = response.json().await.unwrap();
            assert!(status.is_success(), "{method} {path}: {answer}");
            answer
        };
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(send)
    }

    fn get(&self, path: &str) -> Value {
        self.call("GET", path, &Value::Null)
    }

    fn id(&self, address: &str) -> String {
        self.harness.snapshot().resources[&address.parse().unwrap()].id.clone()
    }

    /// The requests of a run that may have changed something, without their bodies.
    fn mutations(&self, run: impl FnOnce()) -> Vec<String> {
        let log = || read_log(&self.dir.path().join("databricks/requests.jsonl")).unwrap();
        let before = log().len();
        run();
        let changes = log().into_iter().skip(before).filter(|entry| entry.method != "GET");
        changes.map(|entry| format!("{} {}", entry.method, entry.path)).collect()
    }

    /// Every document of the sandbox.
    fn world(&self) -> Value {
        self.get("/_sandbox/world")
    }
}

fn changes(plan: &platform_sdk::plan::Plan) -> Vec<String> {
    let of = |step: &platform_sdk::plan::Step| {
        let address = step.address.clone();
        let op = step.op.name();
        let changes: Vec<String> = step
            .changes
            .iter()
            .map(|change| {
                format!("{op} {address} {} {:?} {:?} {:?}", change.path, change.kind, change.before, change.after)
            })
            .collect();
        if changes.is_empty() { vec![format!("{op} {address} {:?}", step.reasons)] } else { changes }
    };
    plan.changes().flat_map(of).collect()
}

/// The differences as `path before -> after`.
fn differences(plan: &platform_sdk::plan::Plan, address: &str) -> Vec<(String, ChangeKind)> {
    let step = plan.changes().find(|step| step.address.as_str() == address);
    step.map(|step| step.changes.iter().map(|change| (change.path.to_string(), change.kind)).collect())
        .unwrap_or_default()
}

fn notebook_file() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/nightly.py"))
}

#[test]
fn a_warehouse_is_safe_and_cheap_unless_told_otherwise() {
    let trial = Trial::new();
    let fresh = trial.world();
    let small = trial.program(|stack| {
        stack.add("sql", SqlWarehouse::new("sql"));
        Ok(())
    });
    trial.up(&small);
    let id = trial.id("databricks:SqlWarehouse::sql");
    let warehouse = trial.get(&format!("/api/2.0/sql/warehouses/{id}"));
    let shown = ["cluster_size", "auto_stop_mins", "enable_serverless_compute", "max_num_clusters", "warehouse_type"];
    assert_eq!(
        shown.map(|field| warehouse[field].clone()),
        [json!("2X-Small"), json!(10), json!(true), json!(1), json!("PRO")]
    );

    let large = trial.program(|stack| {
        let tags = [("team", "sales")];
        stack.add(
            "sql",
            SqlWarehouse::new("queries").size(WarehouseSize::Large).auto_stop_mins(0).max_num_clusters(3).tags(tags),
        );
        Ok(())
    });
    let run = trial.up(&large);
    assert_eq!(run.steps(), ["update databricks:SqlWarehouse::sql"]);
    assert_eq!(trial.id("databricks:SqlWarehouse::sql"), id);
    let warehouse = trial.get(&format!("/api/2.0/sql/warehouses/{id}"));
    assert_eq!(
        (&warehouse["name"], &warehouse["tags"]["custom_tags"][0]["value"]),
        (&json!("queries"), &json!("sales"))
    );

    trial.call("POST", &format!("/api/2.0/sql/warehouses/{id}/stop"), &json!({}));
    assert!(trial.harness.plan(&large).unwrap().is_empty(), "being stopped is no change");
    trial.call("POST", &format!("/api/2.0/sql/warehouses/{id}/edit"), &json!({"auto_stop_mins": 60}));
    let plan = trial.harness.plan(&large).unwrap();
    assert_eq!(differences(&plan, "databricks:SqlWarehouse::sql"), [("auto_stop_mins".to_owned(), ChangeKind::Drift)]);

    let run = trial.up(&small);
    assert_eq!(run.steps(), ["update databricks:SqlWarehouse::sql"]);
    let warehouse = trial.get(&format!("/api/2.0/sql/warehouses/{id}"));
    assert_eq!((&warehouse["auto_stop_mins"], &warehouse["tags"]["custom_tags"]), (&json!(10), &json!([])));
    trial.destroy(&small);
    assert_eq!(trial.world(), fresh);
}

fn wait_for_cluster(trial: &Trial, id: &str, state: &str) {
    for _ in 0..100 {
        if trial.get(&format!("/api/2.1/clusters/get?cluster_id={id}"))["state"] == state {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("cluster {id} does not get {state}");
}

#[test]
fn a_cluster_ends_itself_is_resized_while_it_runs_and_edited_in_place() {
    let trial = Trial::new();
    let fresh = trial.world();
    let program = |cluster: fn() -> Cluster| {
        trial.program(move |stack| {
            stack.add("etl", cluster());
            Ok(())
        })
    };
    let get = || trial.get(&format!("/api/2.1/clusters/get?cluster_id={}", trial.id("databricks:Cluster::etl")));
    trial.up(&program(|| Cluster::new("etl", "15.4.x-scala2.12", "m5d.large")));
    let id = trial.id("databricks:Cluster::etl");
    assert_eq!((&get()["autotermination_minutes"], &get()["num_workers"]), (&json!(30), &json!(1)));
    let mark = get()["custom_tags"]["platform-sdk-mark"].clone();
    assert!(mark.is_string());
    let owner = get()["custom_tags"]["platform-sdk-resource"].clone();
    assert_eq!(owner, "trial/dev/databricks:Cluster::etl", "whose it is can be told without any state");

    wait_for_cluster(&trial, &id, "RUNNING");
    let wider: fn() -> Cluster = || Cluster::new("etl", SparkVersion::Lts15_4, "m5d.large").num_workers(3);
    let sent = trial.mutations(|| assert_eq!(trial.up(&program(wider)).steps(), ["update databricks:Cluster::etl"]));
    assert_eq!(sent, ["POST /api/2.1/clusters/resize"]);

    wait_for_cluster(&trial, &id, "RUNNING");
    let whole: fn() -> Cluster = || {
        let login = BasicAuth::new("robot", "canary-password");
        Cluster::new("etl-2", "16.4.x-scala2.12", "r5d.xlarge")
            .autoscale(Autoscale::new(1, 4))
            .autotermination_minutes(60)
            .data_security_mode(DataSecurityMode::UserIsolation)
            .spark_conf([("spark.sql.shuffle.partitions", "8")])
            .spark_env_vars([("STAGE", "prod")])
            .custom_tags([("team", "sales")])
            .init_scripts([InitScript::in_volume("/Volumes/lake/ops/setup.sh")])
            .docker_image(DockerImage::new("ghcr.io/acme/etl:3").basic_auth(login))
    };
    let sent = trial.mutations(|| drop(trial.up(&program(whole))));
    assert_eq!(sent, ["POST /api/2.1/clusters/edit"]);
    assert_eq!(
        (trial.id("databricks:Cluster::etl"), get()["custom_tags"]["platform-sdk-mark"].clone()),
        (id.clone(), mark.clone())
    );
    assert_eq!((get()["autoscale"]["max_workers"].clone(), get()["num_workers"].clone()), (json!(4), Value::Null));

    wait_for_cluster(&trial, &id, "RUNNING");
    trial.call("POST", "/api/2.1/clusters/delete", &json!({"cluster_id": id}));
    wait_for_cluster(&trial, &id, "TERMINATED");
    assert!(trial.harness.plan(&program(whole)).unwrap().is_empty(), "being terminated is no change");
    let change = json!({"cluster_id": id, "cluster": {"spark_conf": {"a": "b"}}, "update_mask": "spark_conf"});
    trial.call("POST", "/api/2.1/clusters/update", &change);
    let drift = differences(&trial.harness.plan(&program(whole)).unwrap(), "databricks:Cluster::etl");
    let paths: Vec<&str> = drift.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["spark_conf.a", "spark_conf.spark.sql.shuffle.partitions"]);

    let single: fn() -> Cluster = || Cluster::new("etl", "15.4.x-scala2.12", "m5d.large").single_node();
    trial.up(&program(single));
    let left =
        ["autoscale", "spark_conf", "spark_env_vars", "init_scripts", "docker_image"].map(|field| get()[field].clone());
    assert!(left.iter().all(Value::is_null), "what is set no more is taken away: {left:?}");
    assert_eq!(get()["custom_tags"], json!({"platform-sdk-mark": mark, "platform-sdk-resource": owner}));
    trial.destroy(&program(single));
    assert_eq!(trial.world(), fresh);
}

fn nightly(stack: &Stack) -> Result<()> {
    let notebook = stack.add("nightly", Notebook::from_file(notebook_file(), "/Shared/acme/etl/nightly")?);
    let sql = stack.add("sql", SqlWarehouse::new("sql"));
    let cluster = stack.add("etl", Cluster::new("etl", "15.4.x-scala2.12", "m5d.large"));
    let job = Job::new("nightly")
        .task(Task::notebook("load", &notebook).named_parameters([("day", "today")]).timeout_seconds(3600))
        .task(
            Task::python("check", "/Shared/acme/check.py").parameters(["--strict"]).depends_on(["load"]).max_retries(2),
        )
        .task(Task::sql_file("report", "/Shared/acme/report.sql").warehouse(&sql).depends_on(["load", "check"]))
        .task(Task::notebook("tidy", "/Shared/tidy").on_cluster(&cluster))
        .task(Task::notebook("big", &notebook.path).on_job_cluster("main"))
        .job_cluster(JobCluster::new(
            "main",
            NewCluster::new("15.4.x-scala2.12", "m5d.large").autoscale(Autoscale::new(1, 2)),
        ))
        .parameter(JobParameter::new("region", "eu"))
        .schedule("0 0 2 * * ?", "UTC")
        .email_notifications(EmailNotifications::of_failures([ADMIN]))
        .run_as(RunAs::user(ADMIN))
        .queue(Queue::new(true))
        .tags([("team", "sales")]);
    stack.add("nightly", job);
    Ok(())
}

#[test]
fn a_job_is_made_once_and_what_the_service_adds_is_no_change() {
    let trial = Trial::new();
    let fresh = trial.world();
    let program = trial.program(nightly);
    trial.up(&program);
    let again = trial.mutations(|| assert_eq!(trial.up(&program).steps(), <[String; 0]>::default()));
    assert_eq!(again, <[String; 0]>::default());
    let job = trial.get(&format!("/api/2.2/jobs/get?job_id={}", trial.id("databricks:Job::nightly")));
    let environments = &job["settings"]["environments"];
    assert_eq!(environments, &json!([{"environment_key": "default", "spec": {"environment_version": "4"}}]));
    let load = job["settings"]["tasks"].as_array().unwrap().iter().find(|task| task["task_key"] == "load").unwrap();
    assert_eq!(load["notebook_task"]["notebook_path"], "/Shared/acme/etl/nightly");
    assert_eq!(job["run_as_user_name"], ADMIN);
    trial.destroy(&program);
    assert_eq!(trial.world(), fresh, "folders that were made for the notebook are gone too");
}

#[test]
fn what_others_did_to_a_job_is_seen_and_undone_and_what_they_added_stays() {
    let trial = Trial::new();
    let program = trial.program(nightly);
    trial.up(&program);
    let id: i64 = trial.id("databricks:Job::nightly").parse().unwrap();
    let load = json!({"task_key": "load", "sql_task": {"file": {"path": "/x.sql"}, "warehouse_id": trial.id("databricks:SqlWarehouse::sql")}});
    let settings = json!({"schedule": {"quartz_cron_expression": "0 0 3 * * ?", "timezone_id": "UTC"}, "tasks": [load],
        "health": {"rules": [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 60}]}});
    trial.call("POST", "/api/2.2/jobs/update", &json!({"job_id": id, "new_settings": settings}));
    let drift = differences(&trial.harness.plan(&program).unwrap(), "databricks:Job::nightly");
    let paths: Vec<&str> = drift.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["tasks[load].notebook_task", "tasks[load].timeout_seconds", "schedule.quartz_cron_expression"]);
    assert!(drift.iter().all(|(_, kind)| *kind == ChangeKind::Drift), "{drift:?}");
    let sent = trial.mutations(|| assert_eq!(trial.up(&program).steps(), ["update databricks:Job::nightly"]));
    assert_eq!(sent, ["POST /api/2.2/jobs/reset"]);
    let settings = &trial.get(&format!("/api/2.2/jobs/get?job_id={id}"))["settings"];
    let load = settings["tasks"].as_array().unwrap().iter().find(|task| task["task_key"] == "load").unwrap();
    assert_eq!((&load["sql_task"], &load["timeout_seconds"]), (&Value::Null, &json!(3600)));
    assert_eq!(settings["health"]["rules"][0]["value"], 60, "the program never said anything about health");
    assert!(settings["tags"]["platform-sdk-mark"].is_string());
    assert_eq!(settings["tags"]["platform-sdk-resource"], "trial/dev/databricks:Job::nightly");

    trial.call(
        "POST",
        "/api/2.2/jobs/update",
        &json!({"job_id": id, "new_settings": {"tags": {"x": "y"}, "timeout_seconds": 5}}),
    );
    let drift = differences(&trial.harness.plan(&program).unwrap(), "databricks:Job::nightly");
    let paths: Vec<&str> = drift.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["timeout_seconds", "tags.team", "tags.x"]);
}

#[test]
fn a_job_can_run_as_whoever_is_logged_in() {
    let trial = Trial::new();
    let program = trial.program(|stack| {
        let me = stack.lookup::<CurrentUser>("me");
        let task = Task::notebook("load", interpolate!("{}/load", me.home));
        stack.add("mine", Job::new("mine").task(task).run_as(RunAs::user(&me.user_name)));
        Ok(())
    });
    trial.up_with_lookups(&program);
    let job = trial.get(&format!("/api/2.2/jobs/get?job_id={}", trial.id("databricks:Job::mine")));
    assert_eq!(job["settings"]["tasks"][0]["notebook_task"]["notebook_path"], format!("/Users/{ADMIN}/load"));
    trial.destroy(&program);
}

#[test]
fn parts_of_a_job_come_change_and_go() {
    let trial = Trial::new();
    let base: fn() -> Job =
        || Job::new("j").task(Task::notebook("a", "/Shared/a")).task(Task::notebook("b", "/Shared/b"));
    let program = |job: fn() -> Job| {
        trial.program(move |stack| {
            stack.add("j", job());
            Ok(())
        })
    };
    let get = || trial.get(&format!("/api/2.2/jobs/get?job_id={}", trial.id("databricks:Job::j")))["settings"].clone();
    let full: fn() -> Job = || {
        Job::new("j2")
            .description("d")
            .task(Task::notebook("b", "/Shared/b2").on_job_cluster("main"))
            .task(Task::python("c", "/Shared/c.py").depends_on(["b"]))
            .environments([Environment::new("default").dependencies(["pandas"])])
            .job_cluster(JobCluster::new("main", NewCluster::new("15.4.x-scala2.12", "m5d.large")))
            .scheduled(Schedule::new("0 0 2 * * ?", "UTC").paused())
            .timeout_seconds(60)
            .max_concurrent_runs(3)
            .parameter(JobParameter::new("p", "v"))
            .tags([("k", "v")])
            .email_notifications(EmailNotifications::of_failures(["ada@example.com"]))
    };
    trial.up(&program(base));
    let (id, before) = (trial.id("databricks:Job::j"), get());
    trial.up(&program(full));
    assert_eq!(get()["job_clusters"][0]["new_cluster"]["num_workers"], 1);
    assert_eq!((&get()["schedule"]["pause_status"], &get()["max_concurrent_runs"]), (&json!("PAUSED"), &json!(3)));
    trial.up(&program(base));
    assert_eq!((trial.id("databricks:Job::j"), get()), (id, before));
    let swapped: fn() -> Job =
        || Job::new("j").task(Task::notebook("b", "/Shared/b")).task(Task::notebook("a", "/Shared/a"));
    assert!(trial.harness.plan(&program(swapped)).unwrap().is_empty(), "order is no change");
}

#[test]
fn a_job_of_more_than_a_hundred_tasks_is_read_whole() {
    let trial = Trial::new();
    let program = trial.program(|stack| {
        stack.add("wide", Job::new("wide").tasks((0..130).map(|n| Task::notebook(format!("t{n:03}"), "/Shared/a"))));
        Ok(())
    });
    trial.up(&program);
    let changed = trial.program(|stack| {
        let task = |n| Task::notebook(format!("t{n:03}"), "/Shared/a").timeout_seconds(if n == 120 { 60 } else { 0 });
        stack.add("wide", Job::new("wide").tasks((0..130).map(task)));
        Ok(())
    });
    let plan = trial.harness.plan(&changed).unwrap();
    assert_eq!(
        differences(&plan, "databricks:Job::wide"),
        [("tasks[t120].timeout_seconds".to_owned(), ChangeKind::Change)]
    );
    trial.up(&changed);
}

#[test]
fn a_notebook_differs_by_what_it_says() {
    let trial = Trial::new();
    let program = |source: &'static str, path: &'static str| {
        trial.program(move |stack| {
            stack.add("n", Notebook::from_source(path, platform_databricks::Language::Python, source));
            Ok(())
        })
    };
    let one = program("print(1)\r\n", "/Shared/n");
    trial.up(&one);
    assert!(trial.harness.plan(&program("print(1)", "/Shared/n")).unwrap().is_empty(), "looks are no change");
    let import = |text: &str| json!({"path": "/Shared/n", "format": "SOURCE", "language": "PYTHON", "overwrite": true, "content": text});
    trial.call("POST", "/api/2.0/workspace/import", &import("cHJpbnQoMSkK"));
    assert!(trial.harness.plan(&one).unwrap().is_empty(), "the same source, imported again");
    trial.call("POST", "/api/2.0/workspace/import", &import("cHJpbnQoMyk="));
    let plan = trial.harness.plan(&one).unwrap();
    assert_eq!(differences(&plan, "databricks:Notebook::n"), [("content_hash".to_owned(), ChangeKind::Drift)]);
    trial.up(&one);
    let run = trial.up(&program("print(2)", "/Shared/n"));
    assert_eq!(run.steps(), ["update databricks:Notebook::n"]);
    let text = run.plan.changes().flat_map(|step| &step.changes).map(|change| change.path.clone()).collect::<Vec<_>>();
    assert_eq!(text, ["content_hash"], "the content is in no plan");
    let moved = program("print(2)", "/Shared/below/n");
    let run = trial.up(&moved);
    assert_eq!(run.steps(), ["replace databricks:Notebook::n"]);
    trial.call("POST", "/api/2.0/workspace/delete", &json!({"path": "/Shared/below", "recursive": true}));
    assert_eq!(trial.up(&moved).steps(), ["create databricks:Notebook::n"]);
}

fn lake(stack: &Stack, credentials: Option<&str>) {
    let metastore = stack.lookup::<Metastore>(REGION);
    let workspace = match credentials {
        None => Workspace::serverless("lake", REGION).custom_tags([("team", "sales")]),
        Some(id) => Workspace::serverless("lake", REGION).network_connectivity_config_id(id),
    };
    let workspace = stack.add("lake", workspace);
    let assignment = stack.add("lake", MetastoreAssignment::new(&workspace, &metastore.id));
    let within = stack.within(&workspace.provider());
    within.add("sql", SqlWarehouse::new("sql")).depends_on(&assignment);
    within.add("hello", Notebook::from_source("/Shared/hello", platform_databricks::Language::Sql, "select 1"));
}

#[test]
fn a_workspace_is_made_and_filled_in_one_run() {
    let trial = Trial::new();
    let fresh = trial.world();
    let program = trial.program(|stack| {
        lake(stack, None);
        Ok(())
    });
    trial.up_with_lookups(&program);
    let id = trial.id("databricks:Workspace::lake");
    let workspaces = format!("/api/2.0/accounts/{ACCOUNT_ID}/workspaces");
    assert_eq!(
        trial.get(&format!("{workspaces}/{id}/metastore"))["metastore_assignment"]["workspace_id"].to_string(),
        id
    );
    let warehouses = trial.get("/api/2.0/sql/warehouses");
    assert_eq!(
        warehouses["warehouses"].as_array().map(Vec::len).unwrap_or_default(),
        0,
        "not in the default workspace"
    );

    let changed = trial.program(|stack| {
        lake(stack, Some("ncc-1"));
        Ok(())
    });
    let sent =
        trial.mutations(|| assert_eq!(trial.up_with_lookups(&changed).steps(), ["update databricks:Workspace::lake"]));
    assert_eq!(sent, [format!("PATCH {workspaces}/{id}")]);
    let workspace = trial.get(&format!("{workspaces}/{id}"));
    assert_eq!(
        (&workspace["network_connectivity_config_id"], &workspace["custom_tags"]),
        (&json!("ncc-1"), &json!({}))
    );
    trial.call(
        "PATCH",
        &format!("{workspaces}/{id}?update_mask=network_connectivity_config_id"),
        &json!({"network_connectivity_config_id": "ncc-2"}),
    );
    let plan = trial.harness.plan(&changed).unwrap();
    let drift = [("network_connectivity_config_id".to_owned(), ChangeKind::Drift)];
    assert_eq!(differences(&plan, "databricks:Workspace::lake"), drift);
    trial.destroy(&changed);
    assert_eq!(trial.world(), fresh);
}
