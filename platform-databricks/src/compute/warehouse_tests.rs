//! What the page of warehouses promises beyond the contract.

use serde_json::json;

use super::*;
use crate::client::scripted::{Server, json as answer};

fn inputs(more: &Value) -> SqlWarehouse<Resolved> {
    let mut fields = json!({"name": "sql"});
    fields.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    serde_json::from_value(fields).expect("inputs")
}

#[test]
fn what_is_not_set_is_sent_as_safe_and_cheap() {
    let expected = json!({
        "name": "sql", "cluster_size": "2X-Small", "auto_stop_mins": 10, "enable_serverless_compute": true,
        "min_num_clusters": 1, "max_num_clusters": 1, "warehouse_type": "PRO", "enable_photon": true,
        "channel": {"name": "CHANNEL_NAME_CURRENT"}, "spot_instance_policy": "COST_OPTIMIZED", "tags": {"custom_tags": []},
    });
    assert_eq!(Value::Object(body(&inputs(&json!({})))), expected);
    let set = body(&inputs(&json!({"size": "Large", "auto_stop_mins": 0, "serverless": false, "tags": {"k": "v"}})));
    assert_eq!((&set["cluster_size"], &set["auto_stop_mins"]), (&json!("Large"), &json!(0)));
    assert_eq!(set["tags"], json!({"custom_tags": [{"key": "k", "value": "v"}]}));
}

#[tokio::test]
async fn a_deleted_warehouse_that_still_answers_is_gone() {
    let server = Server::playing([answer(200, r#"{"id": "w", "name": "sql", "state": "DELETED"}"#)]).await;
    let existing = Existing { id: "w".to_owned(), inputs: None, outputs: None };
    assert!(SqlWarehouse::read(&server.client(), &existing).await.expect("an answer").is_none());
}

#[tokio::test]
async fn one_that_stops_while_it_is_waited_for_has_failed() {
    let states = [
        (r#"{"state": "STARTING"}"#, Readiness::Pending("STARTING".to_owned())),
        (
            r#"{"state": "STARTING", "health": {"summary": "no machines yet"}}"#,
            Readiness::Pending("STARTING: no machines yet".to_owned()),
        ),
        (r#"{"state": "RUNNING"}"#, Readiness::Ready),
        (r#"{"state": "STOPPED"}"#, Readiness::Failed("STOPPED".to_owned())),
        (
            r#"{"state": "STOPPED", "health": {"summary": "no machines"}}"#,
            Readiness::Failed("STOPPED: no machines".to_owned()),
        ),
    ];
    for (state, readiness) in states {
        let server = Server::playing([answer(200, state)]).await;
        assert_eq!(SqlWarehouse::ready(&server.client(), "w").await.expect("an answer"), readiness);
    }
}

#[tokio::test]
async fn an_error_names_the_warehouse() {
    let refusal = r#"{"error_code": "INVALID_PARAMETER_VALUE", "message": "too large."}"#;
    let server = Server::playing([answer(400, refusal)]).await;
    let error =
        SqlWarehouse::create(&server.client(), &Context::detached(), inputs(&json!({}))).await.expect_err("refused");
    assert_eq!(error.message, "create SQL warehouse `sql`: too large");
}

#[test]
fn what_can_not_be_is_seen_before_a_plan() {
    let paths = |more: Value| {
        flaws(&serde_json::to_value(more).expect("JSON")).into_iter().map(|(path, _)| path).collect::<Vec<_>>()
    };
    for serverless in [json!({}), json!({"serverless": true})] {
        let mut classic = serverless;
        classic["warehouse_type"] = "CLASSIC".into();
        assert_eq!(paths(classic), ["warehouse_type"]);
    }
    for right in [
        json!({"warehouse_type": "CLASSIC", "serverless": false}),
        json!({"warehouse_type": "CLASSIC", "serverless": null}),
        json!({"warehouse_type": null}),
        json!({"warehouse_type": "PRO"}),
        json!({"min_num_clusters": 2, "max_num_clusters": 2}),
        json!({"min_num_clusters": 2, "max_num_clusters": null}),
    ] {
        assert_eq!(paths(right.clone()), [""; 0], "{right}");
    }
    assert_eq!(paths(json!({"min_num_clusters": 3, "max_num_clusters": 2})), ["min_num_clusters"]);
    assert_eq!(paths(json!({"min_num_clusters": 3})), ["min_num_clusters"], "there is one unless more are asked for");
}
