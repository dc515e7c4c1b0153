//! Compute, jobs, notebooks, workspaces and what is isolated in Unity Catalog from a program to the sandbox and back: created once, then left alone, changed
//! in place, healed after a change behind the program's back, and gone without a trace.
#![expect(clippy::unwrap_used, reason = "a test that can't go on says where")]

use std::{path::Path, sync::Arc};

use platform_databricks::{
    AccountProvider, Autoscale, BasicAuth, Catalog, CatalogIsolation, Cluster, CurrentUser, DataSecurityMode,
    DockerImage, EmailNotifications, Environment, ExternalLocation, FileSource, GitProvider, GitSource, Grant, Health,
    InitScript, Isolation, Job, JobCluster, JobParameter, Metastore, MetastoreAssignment, NewCluster, Notebook,
    Privilege, Queue, RunAs, Schedule, Schema, SparkVersion, SqlWarehouse, StorageCredential, Task, TaskDependency,
    WarehouseSize, WarehouseType, Workspace, WorkspaceProvider,
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
    trial.up(&program(|| Cluster::new("etl", "15.4.x-scala2.12").node_type_id("m5d.large")));
    let id = trial.id("databricks:Cluster::etl");
    assert_eq!((&get()["autotermination_minutes"], &get()["num_workers"]), (&json!(30), &json!(1)));
    let mark = get()["custom_tags"]["platform-sdk-mark"].clone();
    assert!(mark.is_string());
    let owner = get()["custom_tags"]["platform-sdk-resource"].clone();
    assert_eq!(owner, "trial/dev/databricks:Cluster::etl", "whose it is can be told without any state");

    wait_for_cluster(&trial, &id, "RUNNING");
    let wider: fn() -> Cluster = || Cluster::new("etl", SparkVersion::Lts15_4).node_type_id("m5d.large").num_workers(3);
    let sent = trial.mutations(|| assert_eq!(trial.up(&program(wider)).steps(), ["update databricks:Cluster::etl"]));
    assert_eq!(sent, ["POST /api/2.1/clusters/resize"]);

    wait_for_cluster(&trial, &id, "RUNNING");
    let whole: fn() -> Cluster = || {
        let login = BasicAuth::new("robot", "canary-password");
        Cluster::new("etl-2", "16.4.x-scala2.12")
            .node_type_id("r5d.xlarge")
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

    let single: fn() -> Cluster = || Cluster::new("etl", "15.4.x-scala2.12").node_type_id("m5d.large").single_node();
    trial.up(&program(single));
    let left =
        ["autoscale", "spark_conf", "spark_env_vars", "init_scripts", "docker_image"].map(|field| get()[field].clone());
    assert!(left.iter().all(Value::is_null), "what is set no more is taken away: {left:?}");
    assert_eq!(get()["custom_tags"], json!({"platform-sdk-mark": mark, "platform-sdk-resource": owner}));
    trial.destroy(&program(single));
    assert_eq!(trial.world(), fresh);
}

#[test]
fn an_access_mode_by_any_of_its_names_is_no_change() {
    use DataSecurityMode::{Auto, Dedicated, SingleUser, Standard, UserIsolation};
    for mode in [Dedicated, Standard, Auto] {
        let trial = Trial::new();
        let (one, other) = (mode.clone(), mode.clone());
        let program = trial.program(move |stack| {
            let machine = Cluster::new("etl", "15.4.x-scala2.12").node_type_id("m5d.large");
            stack.add("etl", machine.data_security_mode(&one));
            let own = NewCluster::new("15.4.x-scala2.12").node_type_id("m5d.large").data_security_mode(&other);
            let job = Job::new("load").job_cluster(JobCluster::new("own", own));
            stack.add("load", job.task(Task::notebook("a", "/a").on_job_cluster("own")));
            Ok(())
        });
        trial.up(&program);
        let again = trial.mutations(|| assert_eq!(trial.up(&program).steps(), [""; 0], "{mode}"));
        assert_eq!(again, [""; 0], "{mode}");
    }
    let trial = Trial::new();
    let called = |mode: DataSecurityMode| {
        trial.program(move |stack| {
            let machine = Cluster::new("etl", "15.4.x-scala2.12").node_type_id("m5d.large");
            stack.add("etl", machine.data_security_mode(&mode));
            Ok(())
        })
    };
    trial.up(&called(Dedicated));
    assert_eq!(trial.mutations(|| drop(trial.up(&called(SingleUser)))), [""; 0], "the same mode by its other name");
    wait_for_cluster(&trial, &trial.id("databricks:Cluster::etl"), "RUNNING");
    assert_eq!(trial.mutations(|| drop(trial.up(&called(UserIsolation)))), ["POST /api/2.1/clusters/edit"]);
}

#[test]
fn what_a_policy_fixes_is_left_to_it_and_is_no_change() {
    let trial = Trial::new();
    let definition = json!({
        "autotermination_minutes": {"type": "fixed", "value": 20}, "num_workers": {"type": "fixed", "value": 2},
        "node_type_id": {"type": "fixed", "value": "m5d.large"}, "custom_tags.cost": {"type": "fixed", "value": "7"},
        "spark_conf.spark.speculation": {"type": "fixed", "value": "true"},
        "init_scripts.0.volumes.destination": {"type": "fixed", "value": "/Volumes/ops/setup.sh"},
    });
    let body = json!({"name": "small", "definition": definition.to_string()});
    let policy =
        trial.call("POST", "/api/2.0/policies/clusters/create", &body)["policy_id"].as_str().unwrap().to_owned();
    let program = |conf: &'static [(&'static str, &'static str)]| {
        let policy = policy.clone();
        trial.program(move |stack| {
            let (conf, tags) = (
                || {
                    conf.iter()
                        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                        .collect::<std::collections::BTreeMap<_, _>>()
                },
                [("team", "etl")],
            );
            let machine = Cluster::new("etl", "15.4.x-scala2.12").policy_id(&policy);
            stack.add("etl", machine.custom_tags(tags).spark_conf(conf()));
            let own = NewCluster::new("15.4.x-scala2.12").policy_id(&policy).custom_tags(tags).spark_conf(conf());
            let job = Job::new("load").job_cluster(JobCluster::new("own", own));
            stack.add("load", job.task(Task::notebook("a", "/a").on_job_cluster("own")));
            Ok(())
        })
    };
    let one = program(&[("a", "1")]);
    trial.up(&one);
    assert_eq!(trial.mutations(|| assert_eq!(trial.up(&one).steps(), [""; 0])), [""; 0]);
    let id = trial.id("databricks:Cluster::etl");
    let cluster = trial.get(&format!("/api/2.1/clusters/get?cluster_id={id}"));
    let filled = ["autotermination_minutes", "num_workers", "node_type_id"].map(|field| cluster[field].clone());
    assert_eq!(filled, [json!(20), json!(2), json!("m5d.large")]);

    wait_for_cluster(&trial, &id, "RUNNING");
    trial.up(&program(&[("a", "2")]));
    let of_job = &trial.get(&format!("/api/2.2/jobs/get?job_id={}", trial.id("databricks:Job::load")));
    let of_job = &of_job["settings"]["job_clusters"][0]["new_cluster"];
    for spec in [&trial.get(&format!("/api/2.1/clusters/get?cluster_id={id}")), of_job] {
        assert_eq!((&spec["spark_conf"]["a"], &spec["spark_conf"]["spark.speculation"]), (&json!("2"), &json!("true")));
        assert_eq!((&spec["custom_tags"]["team"], &spec["custom_tags"]["cost"]), (&json!("etl"), &json!("7")));
    }

    let mut edit = body;
    edit["policy_id"] = policy.clone().into();
    let looser =
        json!({"num_workers": {"type": "fixed", "value": 3}, "node_type_id": {"type": "fixed", "value": "r5d.xlarge"}});
    edit["definition"] = looser.to_string().into();
    trial.call("POST", "/api/2.0/policies/clusters/edit", &edit);
    wait_for_cluster(&trial, &id, "RUNNING");
    trial.up(&program(&[("a", "3")]));
    let cluster = trial.get(&format!("/api/2.1/clusters/get?cluster_id={id}"));
    let filled = ["autotermination_minutes", "num_workers", "node_type_id"].map(|field| cluster[field].clone());
    assert_eq!(filled, [json!(30), json!(3), json!("r5d.xlarge")], "what a policy says no more is told again");
}

#[test]
fn what_is_isolated_stays_readable_from_the_workspace_that_isolated_it() {
    let trial = Trial::new();
    let fresh = trial.world();
    let program = |open: bool, comment: &'static str| {
        trial.program(move |stack| {
            let (mode, of_catalog) = if open {
                (Isolation::Open, CatalogIsolation::Open)
            } else {
                (Isolation::Isolated, CatalogIsolation::Isolated)
            };
            let key = StorageCredential::aws_role("key", "arn:aws:iam::123456789012:role/lake");
            let key = stack.add("key", key.isolation_mode(&mode).comment(comment));
            let raw = ExternalLocation::new("raw", "s3://raw", &key).isolation_mode(&mode).comment(comment);
            let raw = stack.add("raw", raw);
            let lake = Catalog::new("lake").storage_root(raw.path("lake"));
            let lake = stack.add("lake", lake.isolation_mode(&of_catalog).comment(comment).owner("pipeline"));
            stack.add("sales", Schema::new(&lake, "sales").comment(comment));
            Ok(())
        })
    };
    let bound = || {
        ["storage_credential/key", "external_location/raw", "catalog/lake"].map(|of| {
            trial.get(&format!("/api/2.1/unity-catalog/bindings/{of}"))["bindings"][0]["workspace_id"].clone()
        })
    };
    trial.up(&program(false, "one"));
    assert!(bound().iter().all(Value::is_number), "{:?}", bound());
    trial.up(&program(false, "two"));
    trial.up(&program(true, "two"));
    assert!(bound().iter().all(Value::is_null), "unbound when it is open again");
    trial.up(&program(false, "two"));
    trial.destroy(&program(false, "two"));
    assert_eq!(trial.world(), fresh);
}

#[test]
fn a_location_that_is_adopted_keeps_the_file_events_that_the_program_is_silent_about() {
    let trial = Trial::new();
    let unity = "/api/2.1/unity-catalog";
    let role = json!({"role_arn": "arn:aws:iam::123456789012:role/lake"});
    trial.call("POST", &format!("{unity}/storage-credentials"), &json!({"name": "key", "aws_iam_role": role}));
    let location = json!({"name": "raw", "url": "s3://raw", "credential_name": "key", "enable_file_events": true});
    trial.call("POST", &format!("{unity}/external-locations"), &location);
    let program = |listens: Option<bool>| {
        trial.program(move |stack| {
            let mut raw = ExternalLocation::new("raw", "s3://raw", Id::new("key")).comment("ours");
            raw.enable_file_events = listens.map(Into::into);
            stack.add("raw", raw).adopt_existing();
            Ok(())
        })
    };
    let listens = || trial.get(&format!("{unity}/external-locations/raw"))["enable_file_events"].clone();
    trial.up(&program(None));
    assert_eq!(listens(), json!(true));
    trial.up(&program(Some(false)));
    assert_eq!(listens(), json!(false), "what it says is held to");
    trial.destroy(&program(None));
    let quiet = trial.program(|stack| {
        let key = stack.add("new", StorageCredential::aws_role("new", "arn:aws:iam::123456789012:role/lake"));
        stack.add("raw", ExternalLocation::new("raw", "s3://raw", &key));
        Ok(())
    });
    trial.up(&quiet);
    assert_eq!(listens(), json!(false), "a new one listens only when it is asked to");
}

#[test]
fn a_privilege_that_is_given_twice_is_given() {
    let trial = Trial::new();
    let program = trial.program(|stack| {
        let all = [Privilege::Select, Privilege::Select, Privilege::UseCatalog];
        stack.add("readers", Grant::on(&Id::<Catalog>::new("main")).to("analysts").can(all));
        let nobody = EmailNotifications::of_failures(["a@example.com", "b@example.com", "a@example.com"]);
        let task = Task::notebook("a", "/a").email_notifications(nobody);
        stack.add("load", Job::new("load").task(task));
        Ok(())
    });
    trial.up(&program);
    assert_eq!(trial.mutations(|| assert_eq!(trial.up(&program).steps(), [""; 0])), [""; 0]);
}

#[test]
fn mistakes_of_pages_are_said_before_a_plan_all_at_once_with_their_lines() {
    let trial = Trial::new();
    let program = trial.program(|stack| {
        let range = Autoscale::new(5, 2);
        stack.add("etl", Cluster::new("etl", "15.4.x-scala2.12").autoscale(range));
        stack.add("sql", SqlWarehouse::new("sql").warehouse_type(WarehouseType::Classic).min_num_clusters(3));
        let can = [Privilege::Select, Privilege::ReadVolume];
        stack.add("readers", Grant::on(&Id::<Catalog>::new("main")).to("analysts").can(can.clone()));
        stack.add("keys", Grant::on(&Id::<StorageCredential>::new("key")).to("analysts").can(can));
        let mut load = Task::notebook("load", "/a");
        load.notebook_task = load.notebook_task.map(|notebook| notebook.source(FileSource::Git));
        let mut after = Task::notebook("after", "/b")
            .email_notifications(EmailNotifications::new().on_duration_warning_threshold_exceeded(["a@example.com"]));
        after.depends_on = vec![TaskDependency::new("load").outcome("true")];
        let job = Job::new("nightly").task(load).task(after).task(Task::notebook("load", "/c"));
        let job = job.parameters([JobParameter::new("day", "1"), JobParameter::new("day", "2")]);
        stack.add("nightly", job.schedule(("0 61 2 * * ?", "Europe/Berln")));
        Ok(())
    });
    let said = trial.harness.plan(&program).expect_err("a refusal").to_string();
    let said: Vec<&str> =
        said.lines().filter(|line| line.contains("error") || line.contains("compute_pages.rs")).collect();
    let at = |line: &&str| line.contains("compute_pages.rs");
    assert_eq!((said.iter().filter(|line| at(line)).count(), said.len()), (13, 26), "{said:#?}");
    for place in [
        "field `node_type_id` of `databricks:Cluster::etl` is not set",
        "field `autoscale.min_workers` of `databricks:Cluster::etl` is 5, more than `max_workers`, which is 2",
        "field `warehouse_type` of `databricks:SqlWarehouse::sql`",
        "field `min_num_clusters` of `databricks:SqlWarehouse::sql` is 3, more than",
        "field `privileges` of `databricks:Grant::keys` holds `SELECT`, which no storage credential has",
        "field `privileges` of `databricks:Grant::keys` holds `READ_VOLUME`",
        "field `tasks` of `databricks:Job::nightly` has 2 elements whose `task_key` is `load`",
        "field `parameters` of `databricks:Job::nightly` has 2 elements whose `name` is `day`",
        "field `schedule.quartz_cron_expression` of `databricks:Job::nightly` is `0 61 2 * * ?`: `61` is not for field 2",
        "field `schedule.timezone_id` of `databricks:Job::nightly` is `Europe/Berln`, which is no time zone; did you mean",
        "field `tasks[load].notebook_task.source` of `databricks:Job::nightly` is `GIT`",
        "field `tasks[after].depends_on[load].outcome` of",
        "field `tasks[after].email_notifications.on_duration_warning_threshold_exceeded` of",
    ] {
        assert!(said.iter().any(|line| line.contains(place)), "{place}: {said:#?}");
    }
}

#[test]
fn an_environment_is_the_same_before_and_after_the_task_that_names_it() {
    let trial = Trial::new();
    let own = || Environment::new("default").dependencies(["pandas"]);
    let task = || Task::python("check", "/Shared/check.py");
    let jobs: [fn(Environment, Task) -> Job; 4] = [
        |own, task| Job::new("j").environment(own).task(task),
        |own, task| Job::new("j").task(task).environment(own),
        |own, task| Job::new("j").tasks([task]).environments([own]),
        |own, task| Job::new("j").environments([own]).tasks([task]),
    ];
    for job in jobs {
        let program = trial.program(move |stack| {
            stack.add("j", job(own(), task()));
            Ok(())
        });
        trial.up(&program);
        let job = trial.get(&format!("/api/2.2/jobs/get?job_id={}", trial.id("databricks:Job::j")));
        assert_eq!(job["settings"]["environments"].as_array().map(Vec::len), Some(1));
        assert_eq!(job["settings"]["environments"][0]["spec"]["dependencies"], json!(["pandas"]));
    }
    for job in [Job::new("j").tasks([task()]).environments([]), Job::new("j").task(task())] {
        assert_eq!(job.environments.len(), 1, "a task brings what it names");
    }
    let twice = trial.program(move |stack| {
        stack.add("j", Job::new("j").environment(own()).task(task()).environment(own()));
        Ok(())
    });
    let said = trial.harness.plan(&twice).expect_err("a refusal").to_string();
    assert!(said.contains("field `environments` of `databricks:Job::j` has 2 elements"), "{said}");
}

#[test]
fn files_of_a_repository_and_a_warning_with_its_rule_are_kept() {
    let trial = Trial::new();
    let program = trial.program(|stack| {
        let mut load = Task::notebook("load", "etl/load").health(Health::longer_than(60_u64));
        load.notebook_task = load.notebook_task.map(|notebook| notebook.source(FileSource::Git));
        let warned = EmailNotifications::new().on_duration_warning_threshold_exceeded([ADMIN]);
        let source = GitSource::new("https://github.com/acme/etl", GitProvider::GitHub).git_branch("main");
        let job = Job::new("nightly").git_source(source).health(Health::longer_than(3600_u64));
        stack.add("nightly", job.task(load.email_notifications(warned.clone())).email_notifications(warned));
        Ok(())
    });
    trial.up(&program);
    let job = trial.get(&format!("/api/2.2/jobs/get?job_id={}", trial.id("databricks:Job::nightly")));
    let rule = json!({"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 3600});
    assert_eq!(job["settings"]["health"]["rules"], json!([rule]));
}

#[test]
fn machines_may_come_from_a_pool() {
    let trial = Trial::new();
    let pool = json!({"instance_pool_name": "warm", "node_type_id": "m5d.large"});
    let pool =
        trial.call("POST", "/api/2.0/instance-pools/create", &pool)["instance_pool_id"].as_str().unwrap().to_owned();
    let program = |minutes: u32| {
        let pool = pool.clone();
        trial.program(move |stack| {
            let machine = Cluster::new("etl", "15.4.x-scala2.12").instance_pool_id(&pool);
            stack.add("etl", machine.autotermination_minutes(minutes));
            let own = JobCluster::new("own", NewCluster::new("15.4.x-scala2.12").instance_pool_id(&pool));
            stack.add("load", Job::new("load").job_cluster(own).task(Task::notebook("a", "/a").on_job_cluster("own")));
            Ok(())
        })
    };
    trial.up(&program(20));
    let id = trial.id("databricks:Cluster::etl");
    wait_for_cluster(&trial, &id, "RUNNING");
    trial.up(&program(40));
    let cluster = trial.get(&format!("/api/2.1/clusters/get?cluster_id={id}"));
    assert_eq!((&cluster["node_type_id"], &cluster["num_workers"]), (&json!("m5d.large"), &json!(1)));
}

fn nightly(stack: &Stack) -> Result<()> {
    let notebook = stack.add("nightly", Notebook::from_file(notebook_file(), "/Shared/acme/etl/nightly")?);
    let sql = stack.add("sql", SqlWarehouse::new("sql"));
    let cluster = stack.add("etl", Cluster::new("etl", "15.4.x-scala2.12").node_type_id("m5d.large"));
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
            NewCluster::new("15.4.x-scala2.12").node_type_id("m5d.large").autoscale(Autoscale::new(1, 2)),
        ))
        .parameter(JobParameter::new("region", "eu"))
        .schedule(("0 0 2 * * ?", "UTC"))
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
            .job_cluster(JobCluster::new("main", NewCluster::new("15.4.x-scala2.12").node_type_id("m5d.large")))
            .schedule(Schedule::new("0 0 2 * * ?", "UTC").paused())
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
