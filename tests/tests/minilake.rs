//! The Databricks pages against minilake, a server that others wrote, for what it serves truthfully: each from its
//! create to its delete through the engine. Every request on the way is held against the API's facts.

use platform_databricks::{
    Autoscale, Catalog, Cluster, Column, CurrentUser, Grant, Job, JobCluster, JobParameter, Language, NewCluster,
    Notebook,
    Privilege::{self, Modify, Select, UseCatalog, UseSchema},
    Queue, Schedule, Schema, SqlWarehouse, Table, Task, Volume, WorkspaceProvider,
};
use platform_sdk::{
    plan::{ChangeKind, Plan},
    prelude::*,
    testing::{Harness, Run},
};
use platform_tests::{Gate, Server};
use serde_json::{Value, json};

const UNITY: &str = "/api/2.1/unity-catalog";

/// An empty lake of one test's own, and a state that knows how to reach it.
struct Trial {
    harness: Harness,
    gate: Gate,
    server: Server,
}

impl Trial {
    fn new(suite: &str) -> Option<Self> {
        let server = Server::minilake(suite)?;
        let gate = Gate::before(&server.url());
        let harness =
            Harness::new().with_variable("DATABRICKS_HOST", &gate.url()).with_variable("DATABRICKS_TOKEN", "dapi-test");
        Some(Self { harness, gate, server })
    }

    /// Applies, does it again without a request for a change, and holds both kinds of plan to being empty.
    #[track_caller]
    fn up(&self, program: &Program) -> Run {
        let run = self.up_with_lookups(program);
        let offline = self.harness.plan_offline(program).expect("it is planned");
        assert!(offline.is_empty(), "{:#?}", offline.steps);
        run
    }

    /// The same for programs that look something up, which is unknown while nobody is asked.
    #[track_caller]
    fn up_with_lookups(&self, program: &Program) -> Run {
        let run = self.harness.up(program).expect("it is planned");
        assert!(run.failures.is_empty(), "{:#?}", run.failures);
        let before = self.gate.changes();
        let again = self.harness.up(program).expect("it is planned");
        assert_eq!(again.steps(), [""; 0], "{:#?}", again.plan.steps);
        assert_eq!(self.gate.changes(), before, "a second run asks for no change");
        run
    }

    /// What differs from what the program wants, as `address path`, all of it because of others.
    #[track_caller]
    fn drift(&self, program: &Program) -> Vec<String> {
        let plan: Plan = self.harness.plan(program).expect("it is planned");
        let of = |step: &platform_sdk::plan::Step| {
            assert!(step.changes.iter().all(|change| change.kind == ChangeKind::Drift), "{:#?}", step.changes);
            let changes = step.changes.iter().map(|change| change.path.clone());
            changes.map(|path| format!("{} {path}", step.address)).collect::<Vec<_>>()
        };
        plan.changes().flat_map(of).collect()
    }

    #[track_caller]
    fn destroy(&self, program: &Program) {
        let run = self.harness.destroy(program).expect("it is planned");
        assert!(run.failures.is_empty(), "{:#?}", run.failures);
        assert!(self.harness.snapshot().resources.is_empty());
    }

    fn id(&self, address: &str) -> String {
        self.harness.snapshot().resources[&address.parse().expect("an address")].id.clone()
    }

    /// Somebody else's request, which goes past the gate: the status and the answer.
    fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}{path}", self.server.url());
        let send = async {
            let request = reqwest::Client::new().request(method.parse().expect("a method"), url);
            let request = if body.is_null() { request } else { request.json(body) };
            let answer = request.send().await.expect("an answer");
            (answer.status().as_u16(), answer.json().await.expect("the answer is JSON"))
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(send)
    }

    #[track_caller]
    fn get(&self, path: &str) -> Value {
        let (status, answer) = self.call("GET", path, &Value::Null);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    #[track_caller]
    fn change(&self, method: &str, path: &str, body: &Value) {
        let (status, answer) = self.call(method, path, body);
        assert_eq!(status, 200, "{method} {path}: {answer}");
    }

    #[track_caller]
    fn is_gone(&self, path: &str) {
        assert_eq!(self.call("GET", path, &Value::Null).0, 404, "{path}");
    }
}

fn program(declare: impl Fn(&Stack) -> Result<()> + Send + Sync + 'static) -> Program {
    Program::new("trial", declare).provider(WorkspaceProvider::from_env())
}

#[test]
fn a_lake_and_its_grants_come_up_drift_heal_and_go() {
    let Some(trial) = Trial::new("minilake: catalogs, schemas, volumes, grants") else { return };
    let lake = |privileges: fn() -> Option<Vec<Privilege>>| {
        program(move |stack| {
            let lake = stack.add("lake", Catalog::new("lake").comment("all of it").properties([("team", "sales")]));
            let sales = stack.add("sales", Schema::new(&lake, "sales").comment("orders").properties([("a", "1")]));
            stack.add("files", Volume::managed(&sales, "files").comment("dumps"));
            stack.add("enter", Grant::on(&lake).to("analysts").can([UseCatalog]));
            if let Some(privileges) = privileges() {
                stack.add("read", Grant::on(&sales).to("analysts").can(privileges));
            }
            Ok(())
        })
    };
    let first = lake(|| Some(vec![UseSchema, Select]));
    trial.up(&first);
    let catalog = trial.get(&format!("{UNITY}/catalogs/lake"));
    assert_eq!((&catalog["comment"], &catalog["properties"]["team"]), (&json!("all of it"), &json!("sales")));
    assert_eq!(trial.get(&format!("{UNITY}/schemas/lake.sales"))["comment"], "orders");
    assert_eq!(trial.get(&format!("{UNITY}/volumes/lake.sales.files"))["volume_type"], "MANAGED");

    // Others grant to others, and to the same principal: neither is this program's business.
    let grants = format!("{UNITY}/permissions/SCHEMA/lake.sales");
    let theirs = |change: &str, principal: &str, privilege: &str| {
        let changes = json!({"changes": [{"principal": principal, change: [privilege]}]});
        trial.change("PATCH", &grants, &changes);
    };
    theirs("add", "scientists", "MODIFY");
    theirs("add", "analysts", "EXECUTE");
    assert_eq!(trial.drift(&first), [""; 0]);

    theirs("remove", "analysts", "SELECT");
    assert_eq!(trial.drift(&first), ["databricks:Grant::read privileges"]);
    trial.up(&first);
    let second = lake(|| Some(vec![UseSchema, Modify]));
    assert_eq!(trial.up(&second).steps(), ["update databricks:Grant::read"]);
    let held = trial.get(&grants)["privilege_assignments"].clone();
    assert_eq!(
        held,
        json!([
            {"principal": "analysts", "privileges": ["EXECUTE", "MODIFY", "USE_SCHEMA"]},
            {"principal": "scientists", "privileges": ["MODIFY"]},
        ])
    );

    let third = lake(|| None);
    assert_eq!(trial.up(&third).steps(), ["delete databricks:Grant::read"]);
    assert_eq!(trial.get(&grants)["privilege_assignments"][0]["privileges"], json!(["EXECUTE"]), "theirs is left");

    trial.change("DELETE", &format!("{UNITY}/volumes/lake.sales.files"), &Value::Null);
    assert_eq!(trial.up(&third).steps(), ["create databricks:Volume::files"]);

    trial.destroy(&third);
    for path in ["catalogs/lake", "schemas/lake.sales", "volumes/lake.sales.files"] {
        trial.is_gone(&format!("{UNITY}/{path}"));
    }
}

#[test]
fn a_cluster_is_resized_edited_healed_and_removed() {
    let Some(trial) = Trial::new("minilake: clusters") else { return };
    let of = |cluster: fn() -> Cluster| {
        program(move |stack| {
            stack.add("etl", cluster()).wait(true);
            Ok(())
        })
    };
    let small = of(|| Cluster::new("etl", "15.4.x-scala2.12").node_type_id("m5d.large"));
    trial.up(&small);
    let id = trial.id("databricks:Cluster::etl");
    let path = format!("/api/2.1/clusters/get?cluster_id={id}");
    let cluster = trial.get(&path);
    let shown = ["cluster_name", "num_workers", "autotermination_minutes", "state"].map(|field| cluster[field].clone());
    assert_eq!(shown, [json!("etl"), json!(1), json!(30), json!("RUNNING")]);

    let sent = || trial.gate.changes().last().cloned().unwrap_or_default();
    let wider = of(|| Cluster::new("etl", "15.4.x-scala2.12").node_type_id("m5d.large").num_workers(3));
    assert_eq!(trial.up(&wider).steps(), ["update databricks:Cluster::etl"]);
    assert_eq!((sent().as_str(), &trial.get(&path)["num_workers"]), ("POST /api/2.1/clusters/resize", &json!(3)));

    let whole = of(|| {
        Cluster::new("load", "16.4.x-scala2.12")
            .node_type_id("r5d.xlarge")
            .driver_node_type_id("r5d.2xlarge")
            .autoscale(Autoscale::new(1, 4))
            .autotermination_minutes(60)
            .spark_conf([("spark.sql.shuffle.partitions", "8")])
            .spark_env_vars([("STAGE", "prod")])
            .custom_tags([("team", "sales")])
    });
    assert_eq!(trial.up(&whole).steps(), ["update databricks:Cluster::etl"]);
    let cluster = trial.get(&path);
    assert_eq!((sent().as_str(), &cluster["autoscale"]["max_workers"]), ("POST /api/2.1/clusters/edit", &json!(4)));
    assert_eq!((&cluster["custom_tags"]["team"], trial.id("databricks:Cluster::etl")), (&json!("sales"), id.clone()));

    for (field, value, path) in [
        ("cluster_name", json!("x"), "name"),
        ("spark_version", json!("17.3.x-scala2.13"), "spark_version"),
        ("node_type_id", json!("m5d.large"), "node_type_id"),
        ("driver_node_type_id", json!("m5d.large"), "driver_node_type_id"),
        ("autotermination_minutes", json!(0), "autotermination_minutes"),
        ("spark_conf", json!({"spark.sql.shuffle.partitions": "9"}), "spark_conf.spark.sql.shuffle.partitions"),
        ("spark_env_vars", json!({"STAGE": "test"}), "spark_env_vars.STAGE"),
        ("custom_tags", json!({"team": "x"}), "custom_tags.team"),
        ("autoscale", json!({"min_workers": 1, "max_workers": 9}), "autoscale.max_workers"),
    ] {
        let body = json!({"cluster_id": id, "update_mask": field, "cluster": {field: value}});
        trial.change("POST", "/api/2.1/clusters/update", &body);
        assert_eq!(trial.drift(&whole), [format!("databricks:Cluster::etl {path}")]);
        trial.up(&whole);
    }

    trial.change("POST", "/api/2.1/clusters/delete", &json!({"cluster_id": id}));
    assert_eq!(trial.drift(&whole), [""; 0], "being terminated is no change");
    trial.change("POST", "/api/2.1/clusters/permanent-delete", &json!({"cluster_id": id}));
    assert_eq!(trial.up(&whole).steps(), ["create databricks:Cluster::etl"]);
    trial.destroy(&whole);
    assert_eq!(trial.get("/api/2.1/clusters/list")["clusters"], json!([]));
}

#[test]
fn a_job_over_a_notebook_runs_its_whole_life() {
    let Some(trial) = Trial::new("minilake: jobs, notebooks, current user") else { return };
    let of = |source: &'static str, job: fn() -> Job| {
        program(move |stack| {
            let me = stack.lookup::<CurrentUser>("me");
            let notebook = stack.add("load", Notebook::from_source("/Shared/acme/load", Language::Python, source));
            stack.add("nightly", job().task(Task::notebook("load", &notebook)));
            stack.export("who", &me.user_name);
            Ok(())
        })
    };
    let plain = of("print(1)", || Job::new("nightly"));
    trial.up_with_lookups(&plain);
    let id = trial.id("databricks:Job::nightly");
    let number: i64 = id.parse().expect("a number");
    let get = || trial.get(&format!("/api/2.2/jobs/get?job_id={id}"))["settings"].clone();
    assert_eq!(get()["tasks"][0]["notebook_task"]["notebook_path"], "/Shared/acme/load");
    let status = trial.get("/api/2.0/workspace/get-status?path=/Shared/acme/load");
    assert_eq!((&status["object_type"], &status["language"]), (&json!("NOTEBOOK"), &json!("PYTHON")));

    let whole: fn() -> Job = || {
        Job::new("hourly")
            .description("d")
            .task(Task::python("check", "/Shared/c.py").parameters(["-x"]).depends_on(["load"]).max_retries(2))
            .task(Task::notebook("big", "/Shared/b").on_job_cluster("main").timeout_seconds(60))
            .job_cluster(JobCluster::new(
                "main",
                NewCluster::new("15.4.x-scala2.12").node_type_id("m5d.large").num_workers(2),
            ))
            .parameter(JobParameter::new("region", "eu"))
            .schedule(Schedule::new("0 0 2 * * ?", "UTC").paused())
            .max_concurrent_runs(3)
            .timeout_seconds(600)
            .queue(Queue::new(true))
            .tags([("team", "sales")])
    };
    let changed = of("print(2)", whole);
    assert_eq!(
        trial.up_with_lookups(&changed).steps(),
        ["update databricks:Notebook::load", "update databricks:Job::nightly"]
    );
    assert_eq!((&get()["name"], get()["tasks"].as_array().map(Vec::len)), (&json!("hourly"), Some(3)));
    assert_eq!(get()["environments"][0]["environment_key"], "default");
    let exported = trial.get("/api/2.0/workspace/export?path=/Shared/acme/load");
    assert_eq!(exported["content"], "cHJpbnQoMik=", "base64 of `print(2)`");

    let schedule = json!({"quartz_cron_expression": "0 0 3 * * ?", "timezone_id": "UTC", "pause_status": "PAUSED"});
    for (field, value, path) in [
        ("name", json!("x"), "name"),
        ("description", json!("x"), "description"),
        ("schedule", schedule, "schedule.quartz_cron_expression"),
        ("max_concurrent_runs", json!(1), "max_concurrent_runs"),
        ("timeout_seconds", json!(5), "timeout_seconds"),
        ("queue", json!({"enabled": false}), "queue.enabled"),
        ("parameters", json!([{"name": "region", "default": "us"}]), "parameters[region].default"),
        ("tags", json!({"team": "x"}), "tags.team"),
    ] {
        // An update that does not say the name takes it away here.
        let mut new_settings = json!({"name": "hourly"});
        new_settings[field] = value;
        trial.change("POST", "/api/2.2/jobs/update", &json!({"job_id": number, "new_settings": new_settings}));
        assert_eq!(trial.drift(&changed), [format!("databricks:Job::nightly {path}")]);
        trial.up_with_lookups(&changed);
    }
    let edited = json!({"path": "/Shared/acme/load", "content": "cHJpbnQoMyk=", "format": "SOURCE", "language": "PYTHON", "overwrite": true});
    trial.change("POST", "/api/2.0/workspace/import", &edited);
    assert_eq!(trial.drift(&changed), ["databricks:Notebook::load content_hash"]);
    trial.up_with_lookups(&changed);

    trial.change("POST", "/api/2.0/workspace/delete", &json!({"path": "/Shared/acme/load"}));
    trial.change("POST", "/api/2.2/jobs/delete", &json!({"job_id": number}));
    assert_eq!(
        trial.up_with_lookups(&changed).steps(),
        ["create databricks:Notebook::load", "create databricks:Job::nightly"]
    );
    trial.destroy(&changed);
    assert_eq!(trial.get("/api/2.2/jobs/list")["jobs"], json!([]));
    trial.is_gone("/api/2.0/workspace/get-status?path=/Shared/acme/load");
}

#[test]
fn a_warehouse_is_made_as_declared_and_removed() {
    let Some(trial) = Trial::new("minilake: warehouses") else { return };
    let sql = program(|stack| {
        stack.add("sql", SqlWarehouse::new("sql"));
        Ok(())
    });
    trial.up(&sql);
    let path = format!("/api/2.0/sql/warehouses/{}", trial.id("databricks:SqlWarehouse::sql"));
    let warehouse = trial.get(&path);
    let shown = ["cluster_size", "auto_stop_mins", "enable_serverless_compute"].map(|field| warehouse[field].clone());
    assert_eq!(shown, [json!("2X-Small"), json!(10), json!(true)]);
    trial.change("POST", &format!("{path}/stop"), &Value::Null);
    assert_eq!(trial.drift(&sql), [""; 0], "being stopped is no change");
    trial.change("DELETE", &path, &Value::Null);
    assert_eq!(trial.up(&sql).steps(), ["create databricks:SqlWarehouse::sql"]);
    let path = format!("/api/2.0/sql/warehouses/{}", trial.id("databricks:SqlWarehouse::sql"));
    trial.destroy(&sql);
    trial.is_gone(&path);
}

/// It speaks another SQL, which knows no comments on columns, no properties and no `ALTER` of several columns.
#[test]
fn a_table_is_made_by_sql_and_read_and_dropped_by_rest() {
    let Some(trial) = Trial::new("minilake: tables") else { return };
    let path = format!("{UNITY}/tables/lake.sales.orders");
    let tables = |declared: bool| {
        program(move |stack| {
            let lake = stack.add("lake", Catalog::new("lake"));
            let sales = stack.add("sales", Schema::new(&lake, "sales"));
            let sql = stack.add("sql", SqlWarehouse::new("sql"));
            let columns = [
                Column::bigint("id").not_null(),
                Column::decimal("amount", 18, 2),
                Column::timestamp("at"),
                Column::date("day"),
                Column::string("buyer"),
                Column::boolean("paid"),
                Column::double("weight"),
            ];
            if declared {
                stack.add("orders", Table::new(&sales, "orders").via(&sql).columns(columns));
            }
            Ok(())
        })
    };
    trial.up(&tables(true));
    let table = trial.get(&path);
    let names = table["columns"].as_array().expect("columns").iter().map(|column| column["name"].clone());
    assert_eq!(names.collect::<Vec<_>>(), ["id", "amount", "at", "day", "buyer", "paid", "weight"]);
    let sent = trial.gate.changes().len();
    assert_eq!(trial.up(&tables(false)).steps(), ["delete databricks:Table::orders"]);
    assert_eq!(trial.gate.changes()[sent..], [format!("DELETE {path}")], "a drop starts no compute");
    trial.is_gone(&path);
    trial.destroy(&tables(false));
}

#[test]
fn an_external_table_of_others_is_taken_over_and_its_registration_dropped() {
    let Some(trial) = Trial::new("minilake: external tables") else { return };
    let files = tempfile::tempdir().expect("a folder");
    let location = files.path().join("orders").display().to_string();
    let at = location.clone();
    let lake = program(|stack| {
        let lake = stack.add("lake", Catalog::new("lake"));
        stack.add("sales", Schema::new(&lake, "sales"));
        stack.add("sql", SqlWarehouse::new("sql"));
        Ok(())
    });
    let taken = program(move |stack| {
        let lake = stack.add("lake", Catalog::new("lake"));
        let sales = stack.add("sales", Schema::new(&lake, "sales"));
        let sql = stack.add("sql", SqlWarehouse::new("sql"));
        let orders = Table::new(&sales, "orders").via(&sql).columns([Column::bigint("id"), Column::string("buyer")]);
        let orders = orders.location(at.as_str()).comment("theirs");
        stack.add("orders", orders).import("lake.sales.orders");
        Ok(())
    });
    trial.up(&lake);
    let column = |name: &str, kind: &str, position: u8| json!({"name": name, "type_text": kind, "position": position, "nullable": true});
    let table = json!({
        "catalog_name": "lake", "schema_name": "sales", "name": "orders", "table_type": "EXTERNAL",
        "data_source_format": "DELTA", "storage_location": location, "comment": "theirs",
        "columns": [column("id", "bigint", 0), column("buyer", "string", 1)],
    });
    trial.change("POST", &format!("{UNITY}/tables"), &table);
    assert_eq!(trial.up(&taken).steps(), ["adopt databricks:Table::orders"]);
    trial.change("PATCH", &format!("{UNITY}/tables/lake.sales.orders"), &json!({"comment": "other"}));
    assert_eq!(trial.drift(&taken), ["databricks:Table::orders comment"]);
    trial.destroy(&taken);
    trial.is_gone(&format!("{UNITY}/tables/lake.sales.orders"));
    assert!(files.path().join("orders").exists(), "the files of an external table stay");
}
