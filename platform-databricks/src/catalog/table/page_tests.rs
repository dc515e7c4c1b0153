//! What is seen of a table, what a program may write, and how statements end.

use platform_sdk::{
    Id, Resource as _, ToExpr as _,
    desired::Tree,
    provider::{Context, ErrorKind, Existing, Manage as _},
};
use serde_json::{Value, json};

use super::{Column, Table, TableOutputs, problems};
use crate::{
    catalog::Schema,
    client::scripted::{Server, json as answer},
    compute::SqlWarehouse,
};

#[test]
fn rows_are_lost_with_a_managed_table_and_stay_behind_an_external_one() {
    let holds_data = |table: Table| Table::schema().holds_data(&Tree::of_known(&table.to_expr()));
    let table = || Table::new(Id::<Schema>::new("c.s"), "t").columns([Column::int("a")]);
    assert!(holds_data(table()));
    assert!(!holds_data(table().external("s3://b/t")));
}

fn shown() -> String {
    let table = json!({
        "name": "t", "catalog_name": "c", "schema_name": "s", "full_name": "c.s.t", "table_type": "MANAGED",
        "storage_location": "s3://b/t",
        "columns": [
            {"name": "b", "type_text": "int", "nullable": true, "partition_index": 1},
            {"name": "a", "type_text": "int", "nullable": true, "partition_index": 0},
        ],
        "properties": {
            "delta.minReaderVersion": "2", "delta.enableChangeDataFeed": "true", "quality": "gold",
            "clusteringColumns": "[[\"a\"],[\"b\",\"x\"]]",
        },
    });
    table.to_string()
}

fn inputs(extra: &Value) -> Value {
    let mut inputs = json!({"schema": "c.s", "name": "t", "via": "w", "columns": [{"name": "id", "data_type": "int"}]});
    for (field, value) in extra.as_object().expect("fields") {
        inputs[field] = value.clone();
    }
    inputs
}

#[tokio::test]
async fn only_properties_that_the_program_set_are_seen() {
    let server = Server::playing([answer(200, &shown()), answer(200, &shown())]).await;
    let applied = inputs(&json!({"properties": {"delta.enableChangeDataFeed": "true", "gone": "x"}}));
    let mut existing = Existing::<Table> {
        id: "c.s.t".to_owned(),
        inputs: Some(serde_json::from_value(applied).expect("inputs")),
        outputs: None,
    };
    let keys = |table: &Table<platform_sdk::Resolved>| {
        table.properties.iter().flatten().map(|(key, _)| key.clone()).collect::<Vec<_>>()
    };
    let read = Table::read(&server.client(), &existing).await.expect("it is read").expect("it is there");
    assert_eq!(keys(&read.inputs), ["delta.enableChangeDataFeed"]);
    existing.inputs = None;
    let read = Table::read(&server.client(), &existing).await.expect("it is read").expect("it is there");
    assert_eq!(keys(&read.inputs), ["quality"]);
    assert_eq!(read.inputs.cluster_by, Some(vec!["a".to_owned(), "b.x".to_owned()]));
    assert_eq!(read.inputs.partitioned_by, Some(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(read.inputs.location, None);
}

#[test]
fn a_table_is_written_as_people_say_it() {
    let warehouse = Id::<SqlWarehouse>::new("w");
    let table = Table::new(Id::<Schema>::new("lake.sales"), "orders")
        .via(&warehouse)
        .columns([
            Column::bigint("id").not_null(),
            Column::decimal("amount", 18, 2).comment("EUR"),
            Column::array("tags", "STRING"),
            Column::structure("buyer", [("name", "string"), ("born", "date")]),
            Column::new("any", "Map<String, Long>"),
        ])
        .cluster_by(["id"]);
    let plain = Tree::of_known(&table.to_expr()).plain().expect("all of it is known");
    let types: Vec<_> = plain["columns"].as_array().expect("columns").iter().map(|c| c["data_type"].clone()).collect();
    let written = ["bigint", "decimal(18,2)", "array<string>", "struct<name:string,born:date>", "map<string,bigint>"];
    assert_eq!(types, written);
    assert_eq!((&plain["columns"][0]["nullable"], &plain["columns"][1]["comment"]), (&json!(false), &json!("EUR")));
}

#[test]
fn what_can_not_be_is_said_before_any_plan() {
    let said = |extra: Value| problems(&inputs(&extra)).into_iter().map(|(path, _)| path).collect::<Vec<_>>();
    assert_eq!(said(json!({})), Vec::<String>::new());
    assert_eq!(said(json!({"via": null})), Vec::<String>::new(), "a warehouse that is not known yet is one");
    let mut without = inputs(&json!({}));
    without.as_object_mut().expect("fields").remove("via");
    assert_eq!(problems(&without)[0].0, "via");
    assert_eq!(said(json!({"columns": [{"name": "a"}, {"name": "A"}]})), ["columns"]);
    assert_eq!(said(json!({"cluster_by": ["id"], "partitioned_by": ["id"]})), ["partitioned_by"]);
    assert_eq!(said(json!({"name": "a.b"})), ["name"]);
}

#[tokio::test]
async fn a_statement_is_polled_and_its_failure_names_the_table() {
    let state = |state: &str| json!({"statement_id": "1", "status": {"state": state}}).to_string();
    let failed = json!({"statement_id": "1", "status": {"state": "FAILED", "error": {
        "error_code": "BAD_REQUEST", "message": "[SCHEMA_NOT_FOUND] The schema `c`.`s` cannot be found.\n== SQL ==\nCREATE"
    }}});
    let script = [answer(200, &state("PENDING")), answer(200, &state("RUNNING")), answer(200, &failed.to_string())];
    let server = Server::playing(script).await;
    let wanted = serde_json::from_value(inputs(&json!({}))).expect("inputs");
    let error = Table::create(&server.client(), &Context::detached(), wanted).await.expect_err("it fails");
    assert_eq!(error.kind, ErrorKind::Invalid { field: None });
    assert_eq!(error.message, "create table `c.s.t`: [SCHEMA_NOT_FOUND] The schema `c`.`s` cannot be found");
    let statements = "/api/2.0/sql/statements";
    let expected = [format!("POST {statements}"), format!("GET {statements}/1"), format!("GET {statements}/1")];
    assert_eq!(server.lines(), expected);
}

#[tokio::test]
async fn a_change_of_owner_needs_no_warehouse() {
    let server = Server::playing([answer(200, "{}"), answer(200, &shown())]).await;
    let read = |extra: &Value| serde_json::from_value(inputs(extra)).expect("inputs");
    let change = platform_sdk::provider::Change::<Table> {
        id: "c.s.t".to_owned(),
        before: read(&json!({"owner": "a"})),
        after: read(&json!({"owner": "b", "via": null})),
        outputs: TableOutputs { id: Id::new("c.s.t"), name: "t".to_owned(), full_name: "c.s.t".to_owned() },
        paths: vec!["owner".to_owned()],
    };
    Table::update(&server.client(), &Context::detached(), change).await.expect("it is changed");
    assert_eq!(server.lines()[0], "PATCH /api/2.1/unity-catalog/tables/c.s.t");
}

#[test]
fn a_type_that_is_nested_too_deep_is_refused_at_plan_with_its_place() {
    let nested = |depth: usize| json!({"columns": [{"name": "id", "data_type": "array<".repeat(depth) + "int" + &">".repeat(depth)}]});
    assert_eq!(problems(&inputs(&nested(100))), []);
    for depth in [101, 5_000, 1_000_000] {
        let place = "the type of `id` is nested deeper than 100 levels, at character 606".to_owned();
        assert_eq!(problems(&inputs(&nested(depth))), [("columns".to_owned(), place)]);
    }
}

#[tokio::test]
async fn a_service_s_type_that_is_nested_too_deep_is_an_error_that_names_the_column() {
    for depth in [101, 100_000] {
        let text = "array<".repeat(depth) + "int" + &">".repeat(depth);
        let server = Server::playing([answer(200, &shown().replacen("\"int\"", &format!("\"{text}\""), 1))]).await;
        let existing = Existing::<Table> { id: "c.s.t".to_owned(), inputs: None, outputs: None };
        let error = Table::read(&server.client(), &existing).await.map(|_| ()).expect_err("too deep");
        assert_eq!(error.kind, ErrorKind::Failed { replace: false });
        let place = "column `b` is nested deeper than 100 levels, at character 606";
        assert_eq!(error.message, format!("read table `c.s.t`: the type of {place}"));
    }
}
