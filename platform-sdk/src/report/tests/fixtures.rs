//! Plans, states and programs that the snapshots are of.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    desired::{Address, Addresses, Entries, Hash, Tree},
    plan::{Change, ChangeKind, Cost, Op, Plan, Shown, Step, Summary},
    program::Options,
    report::Diagnostic,
    state::{ProviderState, ResourceState, Snapshot, Status},
};

pub(super) fn address(text: &str) -> Address {
    text.parse().unwrap()
}

pub(super) fn change(path: &str, before: Option<Value>, after: Option<Value>) -> Change {
    let kind = match (&before, &after) {
        (None, _) => ChangeKind::Add,
        (_, None) => ChangeKind::Remove,
        _ => ChangeKind::Change,
    };
    let (before, after) = (before.map(Shown::from), after.map(Shown::from));
    Change { path: path.into(), before, after, kind, replaces: false, unknown: false }
}

pub(super) fn set(path: &str, after: Value) -> Change {
    let unknown = after.to_string().contains("${");
    Change { unknown, ..change(path, None, Some(after)) }
}

pub(super) fn step(op: Op, at: &str, changes: Vec<Change>) -> Step {
    Step {
        address: address(at),
        op,
        reasons: Vec::new(),
        destroys: Vec::new(),
        changes,
        effect: None,
        follows: false,
        condition: None,
        takes_along: Vec::new(),
    }
}

pub(super) fn plan(steps: Vec<Step>) -> Plan {
    let mut summary = BTreeMap::new();
    for step in &steps {
        *summary.entry(step.counted().to_owned()).or_insert(0) += 1;
    }
    Plan {
        plan_id: Hash::of(b"plan"),
        project: "acme-data".to_owned(),
        stack: "prod".to_owned(),
        base: None,
        desired: Hash::of(b"desired"),
        steps,
        summary: Summary(summary),
        costs: Vec::new(),
        exports: Vec::new(),
        warnings: Vec::new(),
        offline: None,
        keyless: None,
        sealed: Vec::new(),
    }
}

/// A fresh lake: everything is made, much is unknown.
pub(super) fn lake() -> Plan {
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::414351767826:role/unity-catalog-prod"]}, "Action": "sts:AssumeRole"},
            {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole", "Condition": {"ArnEquals": {"aws:PrincipalArn": "${lake_role.arn}"}}},
        ],
    });
    let column = |name: &str, kind: &str| json!({"name": name, "type": kind});
    let orders = json!([
        {"name": "id", "type": "BIGINT", "nullable": false},
        column("customer", "BIGINT"),
        column("at", "TIMESTAMP"),
    ]);
    let mut steps = vec![
        step(Op::Read, "aws:CallerIdentity::?self", vec![]),
        step(
            Op::Create,
            "aws:Bucket::landing",
            vec![
                set("name", json!("acme-landing")),
                set("region", json!("eu-west-1")),
                set("tags", json!({"env": "prod", "team": "data"})),
                set("versioning", json!(true)),
            ],
        ),
        step(Op::Create, "aws:Role::lake", vec![set("name", json!("acme-lake")), set("trust_policy", trust)]),
        step(
            Op::Create,
            "databricks:StorageCredential::lake",
            vec![set("name", json!("lake")), set("role_arn", json!("${lake.arn}"))],
        ),
        step(
            Op::Create,
            "databricks:ExternalLocation::raw",
            vec![
                set("credential", json!("${lake.name}")),
                set("name", json!("raw")),
                set("url", json!("s3://${landing.bucket}/raw")),
            ],
        ),
        step(
            Op::Create,
            "databricks:Catalog::lake",
            vec![set("name", json!("lake")), set("storage_root", json!("${raw.url}/lake"))],
        ),
        step(
            Op::Create,
            "databricks:SqlWarehouse::sql",
            vec![
                set("auto_stop_mins", json!(10)),
                set("name", json!("sql")),
                set("serverless", json!(true)),
                set("size", json!("2X-Small")),
            ],
        ),
    ];
    for layer in ["bronze", "silver", "gold"] {
        let name = vec![set("catalog", json!("${lake.id}")), set("name", json!(layer))];
        steps.push(step(Op::Create, &format!("databricks:Schema::{layer}"), name));
        for table in ["orders", "customers", "events"] {
            let fields = vec![
                set("columns", orders.clone()),
                set("name", json!(table)),
                set("schema", json!(format!("${{{layer}.id}}"))),
            ];
            steps.push(step(Op::Create, &format!("databricks:Table::{layer}/{table}"), fields));
        }
    }
    let script = "from pyspark.sql import functions as f\n\ndf = spark.read.table(\"bronze.orders\")\ndf.write.saveAsTable(\"x\")\n";
    steps.push(step(
        Op::Create,
        "databricks:Notebook::load",
        vec![set("content", json!(script)), set("path", json!("/Shared/acme/load"))],
    ));
    steps.push(step(
        Op::Create,
        "databricks:Job::nightly",
        vec![
            set("name", json!("nightly")),
            set("schedule", json!({"cron": "0 0 2 * * ?", "timezone": "UTC"})),
            set(
                "tasks",
                json!([{"task_key": "load", "notebook": "${load.path}", "retries": 2, "parameters": {"day": "{{job.start_time.iso_date}}", "source": "landing"}}]),
            ),
        ],
    ));
    let mut plan = plan(steps);
    plan.costs = vec![
        Cost {
            address: address("databricks:SqlWarehouse::sql"),
            what: "stops after 10 minutes without a query".into(),
        },
        Cost { address: address("databricks:Job::nightly"), what: "serverless while it runs".into() },
    ];
    plan.exports = vec![set("orders_table", json!("${lake.name}.bronze.orders")), set("warehouse", json!("${sql.id}"))];
    plan
}

/// One of each operation, with all that can be said about one.
pub(super) fn every_operation() -> Plan {
    let mut replace = step(
        Op::Replace { create_first: false },
        "databricks:Catalog::lake",
        vec![
            Change { replaces: true, ..change("storage_root", Some(json!("s3://a/lake")), Some(json!("s3://b/lake"))) },
            change("comment", Some(json!("old")), None),
        ],
    );
    replace.destroys = vec!["catalog lake with everything in it".into()];
    replace.takes_along = (1..=22).map(|n| format!("table lake.default.job_output_{n}")).collect();
    let mut child = step(Op::Replace { create_first: false }, "databricks:Schema::sales", vec![]);
    child.reasons = vec!["lives in databricks:Catalog::lake, which is replaced".into()];
    let mut gone = step(Op::Delete, "databricks:Table::orders", vec![]);
    gone.reasons = vec!["not in the program any more".into()];
    gone.destroys = vec!["table lake.sales.orders with its data".into()];
    let mut maybe = step(
        Op::Update,
        "databricks:Job::nightly",
        vec![Change { unknown: true, ..change("run_as", Some(json!("a")), Some(json!("${robot.name}"))) }],
    );
    maybe.condition = Some("${robot.name} is another than before".into());
    maybe.reasons = vec!["the first of two reasons".into(), "the second of two reasons".into()];
    let mut follower = step(
        Op::Update,
        "databricks:Grant::readers",
        vec![Change { unknown: true, ..change("securable", Some(json!("lake")), Some(json!("${hub.id}"))) }],
    );
    follower.follows = true;
    follower.reasons = vec!["follows databricks:Catalog::hub".into()];
    let mut plan = plan(vec![
        step(Op::Read, "databricks:CurrentUser::?me", vec![]),
        follower,
        step(Op::Adopt, "databricks:Volume::dump", vec![change("comment", None, Some(json!("The dump")))]),
        step(
            Op::Update,
            "databricks:Cluster::etl",
            vec![
                Change {
                    kind: ChangeKind::Drift,
                    ..change("autotermination_minutes", Some(json!(0)), Some(json!(30)))
                },
                Change { kind: ChangeKind::Remove, ..change("runtime", Some(json!("15.4")), Some(json!("16.4"))) },
                change(
                    "tags",
                    Some(json!({"env": "dev", "team": "data"})),
                    Some(json!({"env": "prod", "team": "data", "cost": "7"})),
                ),
                change("token", Some(json!("[secret]")), Some(json!("[secret]"))),
            ],
        ),
        replace,
        child,
        step(
            Op::Replace { create_first: true },
            "aws:Role::lake",
            vec![Change { replaces: true, ..change("path", Some(json!("/")), Some(json!("/lake/"))) }],
        ),
        gone,
        step(Op::Delete, "databricks:Notebook::old", vec![]),
        step(Op::Forget, "databricks:Schema::kept", vec![]),
        step(Op::Move { from: address("databricks:Table::customers") }, "databricks:Table::sales/customers", vec![]),
        step(Op::Options, "databricks:Schema::gold", vec![change("protect", Some(json!(false)), Some(json!(true)))]),
        maybe,
        step(Op::Keep, "databricks:Schema::bronze", vec![]),
    ]);
    let cluster = plan.steps.iter_mut().find(|step| step.address.as_str() == "databricks:Cluster::etl");
    cluster.expect("a cluster").effect = Some("restarts it if it is running, which ends what runs on it".to_owned());
    plan.exports = vec![
        set("added", json!(1)),
        change("changed", Some(json!("a")), Some(json!("b"))),
        change("removed", Some(json!("a")), None),
    ];
    plan.warnings = vec![
        Diagnostic::warning("you may lose access to databricks:Catalog::lake")
            .detail("its owner becomes `admins`, which you are not in")
            .hint("add yourself to `admins` first"),
    ];
    plan
}

/// A state with a secret in each place that can hold one.
pub(super) fn snapshot() -> Snapshot {
    let secret = |text: &str| Tree::Secret(Box::new(Tree::Leaf(json!(text))));
    let map =
        |entries: Vec<(&str, Tree)>| Tree::Map(entries.into_iter().map(|(key, tree)| (key.to_owned(), tree)).collect());
    let lake = ResourceState {
        address: address("databricks:Catalog::lake"),
        id: "lake".into(),
        provider: ProviderState {
            kind: "databricks.workspace".into(),
            config: json!({"host": "https://acme.cloud.databricks.com"}),
            of: Addresses::new(),
        }
        .into(),
        scope: Some(("metastore".into(), "0b1c".into())),
        schema_version: 1,
        inputs: map(vec![
            ("name", Tree::Leaf(json!("lake"))),
            ("tags", map(vec![("team", Tree::Leaf(json!("data")))])),
            ("token", secret("canary-in-inputs")),
        ]),
        references: Entries::new(),
        outputs: map(vec![("id", Tree::Leaf(json!("lake"))), ("key", secret("canary-in-outputs"))]),
        dependencies: [address("databricks:ExternalLocation::raw")].into(),
        parents: Addresses::new(),
        options: Options { protect: true, ..Options::default() }.into(),
        status: Status::Whole,
        unset: None,
    };
    let raw = ResourceState {
        address: address("databricks:ExternalLocation::raw"),
        id: "raw".into(),
        dependencies: Addresses::new(),
        options: Options::default().into(),
        status: Status::Partial("its create was interrupted".into()),
        ..lake.clone()
    };
    let old = ResourceState { id: "old-raw".into(), status: Status::Whole, ..raw.clone() };
    let gone = address("databricks:Schema::ended");
    let gone = ResourceState { address: gone, id: "lake.ended".into(), ..old.clone() };
    Snapshot {
        uuid: "6f1c".into(),
        resources: [lake, raw].into_iter().map(|state| (state.address.clone(), state.into())).collect(),
        pending_deletes: vec![old.into()],
        replacing: [(gone.address.clone(), gone.into())].into(),
        lookups: BTreeMap::new(),
        exports: [
            ("columns".to_owned(), Tree::from(json!([{"name": "id"}, {"name": "at"}]))),
            ("orders_table".to_owned(), Tree::Leaf(json!("lake.sales.orders"))),
            ("token".to_owned(), secret("canary-in-exports")),
        ]
        .into(),
        identities: BTreeMap::new(),
    }
}
