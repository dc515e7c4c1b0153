//! What the page of clusters promises beyond the contract.

use serde_json::json;

use super::*;
use crate::client::scripted::{Server, json as answer};

fn inputs(more: &Value) -> Cluster<Resolved> {
    let mut fields = json!({"name": "etl", "spark_version": "15.4.x-scala2.12", "node_type_id": "m5d.large"});
    fields.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    serde_json::from_value(fields).expect("inputs")
}

fn and(one: &Value, more: Value) -> Value {
    let mut both = one.clone();
    both.as_object_mut().expect("an object").extend(into_fields(more));
    both
}

fn change(before: &Value, after: &Value, paths: &[&str]) -> Change<Cluster> {
    let (before, after) = (inputs(before), inputs(after));
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    Change { id: "c".to_owned(), outputs: outputs("c", &after), before, after, paths }
}

#[tokio::test]
async fn only_a_change_of_size_alone_of_a_running_cluster_is_a_resize() {
    let wider = || change(&json!({}), &json!({"num_workers": 5}), &["num_workers"]);
    let both = || {
        change(
            &json!({}),
            &json!({"num_workers": 5, "autotermination_minutes": 9}),
            &["num_workers", "autotermination_minutes"],
        )
    };
    for (state, change, call) in
        [("RUNNING", wider(), "resize"), ("TERMINATED", wider(), "edit"), ("RUNNING", both(), "edit")]
    {
        let now = json!({"state": state, "spec": {"cluster_name": "etl", "num_workers": 1}}).to_string();
        let server = Server::playing([answer(200, &now), answer(200, "{}")]).await;
        Cluster::update(&server.client(), &Context::detached(), change).await.expect("an update");
        assert_eq!(server.lines()[1], format!("POST /api/2.1/clusters/{call}"));
    }
}

#[tokio::test]
async fn one_that_is_starting_is_not_ready_for_an_edit() {
    let refusal = r#"{"error_code": "INVALID_STATE", "message": "Cluster c is in unexpected state Pending."}"#;
    let server = Server::playing([answer(200, r#"{"state": "PENDING"}"#), answer(400, refusal)]).await;
    let change = change(&json!({}), &json!({"num_workers": 5}), &["num_workers"]);
    let error = Cluster::update(&server.client(), &Context::detached(), change).await.expect_err("not now");
    assert_eq!(error.kind, platform_sdk::provider::ErrorKind::NotReady { after: None });
    assert_eq!(error.message, "update cluster `etl`: Cluster c is in unexpected state Pending");
}

/// The mark of the run that edits.
fn mark() -> Tagged {
    let mut tags = Map::new();
    tags.insert("t".to_owned(), json!({"platform-sdk-mark": "a_c", "platform-sdk-resource": "p/s/a"}));
    marks::take(&mut tags, "t").expect("a mark")
}

#[test]
fn an_edit_keeps_what_nobody_asked_about_and_the_mark() {
    let spec = json!({
        "cluster_name": "etl", "spark_version": "15.4.x-scala2.12", "node_type_id": "m5d.large", "num_workers": 1,
        "custom_tags": {"platform-sdk-mark": "a_b", "old": "1"}, "ssh_public_keys": ["k"], "spark_conf": {"x": "y"},
    });
    let change = change(
        &json!({"custom_tags": {"old": "1"}}),
        &json!({"custom_tags": {"new": "2"}}),
        &["custom_tags.old", "custom_tags.new"],
    );
    let (_, body) = edit(&change, json!({"state": "TERMINATED", "spec": spec, "cluster_cores": 4}), &mark());
    let expected = json!({
        "cluster_id": "c", "cluster_name": "etl", "spark_version": "15.4.x-scala2.12", "node_type_id": "m5d.large",
        "num_workers": 1, "ssh_public_keys": ["k"], "spark_conf": {"x": "y"},
        "custom_tags": {"platform-sdk-mark": "a_b", "platform-sdk-resource": "p/s/a", "new": "2"},
    });
    assert_eq!(Value::Object(body), expected);
}

#[test]
fn without_a_spec_the_services_own_choices_do_not_become_ours() {
    let shown = json!({"cluster_name": "etl", "node_type_id": "a", "driver_node_type_id": "a", "num_workers": 1, "cluster_cores": 4.0});
    let change = change(&json!({"node_type_id": "a"}), &json!({"node_type_id": "b"}), &["node_type_id"]);
    let (_, body) = edit(&change, shown, &mark());
    assert_eq!(
        (&body["node_type_id"], body.get("driver_node_type_id"), body.get("cluster_cores")),
        (&json!("b"), None, None)
    );
}

#[test]
fn what_the_service_adds_to_a_single_node_is_not_shown() {
    let shown = json!({
        "cluster_id": "c", "cluster_name": "etl", "spark_version": "v", "node_type_id": "n", "num_workers": 0,
        "is_single_node": true, "kind": "CLASSIC_PREVIEW",
        "spark_conf": {"spark.master": "local[*]", "spark.databricks.cluster.profile": "singleNode", "mine": "1"},
        "custom_tags": {"ResourceClass": "SingleNode", "platform-sdk-mark": "a_b"},
    });
    let inputs = observed(shown, None).expect("understood").inputs;
    assert_eq!(inputs.spark_conf, Some([("mine".to_owned(), "1".to_owned())].into()));
    assert_eq!((inputs.custom_tags, inputs.num_workers), (None, Some(0)));
}

#[test]
fn a_password_is_as_last_applied_and_never_shown() {
    let shown = json!({
        "cluster_id": "c", "cluster_name": "etl", "spark_version": "v", "node_type_id": "n",
        "docker_image": {"url": "u", "basic_auth": {"username": "other"}},
    });
    let login = json!({"docker_image": {"url": "u", "basic_auth": {"username": "robot", "password": "canary"}}});
    let with = observed(shown.clone(), Some(&inputs(&login))).expect("understood");
    let login = with.inputs.docker_image.clone().and_then(|image| image.basic_auth).expect("a login");
    assert_eq!((login.username.as_str(), login.password.expose().as_str()), ("other", "canary"));
    assert!(!format!("{with:?}").contains("canary"));
    let without = observed(shown, None).expect("understood").inputs.docker_image.expect("an image");
    assert!(without.basic_auth.is_none());
}

#[tokio::test]
async fn a_cluster_is_found_by_name_with_the_mark_that_its_create_wrote() {
    let list = r#"{"clusters": [
        {"cluster_id": "c1", "cluster_name": "etl", "custom_tags": {"platform-sdk-mark": "abc_1"}},
        {"cluster_id": "c2", "cluster_name": "etl", "creator_user_name": "ada"},
        {"cluster_id": "c3", "cluster_name": "other"}
    ]}"#;
    let server = Server::playing([answer(200, list)]).await;
    let found = Cluster::find(&server.client(), &inputs(&json!({}))).await.expect("a list");
    assert_eq!(found[0], Found { mark: Some("abc/1".to_owned()), ..Found::id("c1") });
    assert_eq!(found[1], Found { created_by: Some("ada".to_owned()), ..Found::id("c2") });
    assert_eq!(found.len(), 2);
}

#[tokio::test]
async fn a_terminated_cluster_is_there_and_not_ready() {
    let shown = r#"{"cluster_id": "c", "cluster_name": "etl", "spark_version": "v", "node_type_id": "n", "state": "TERMINATED"}"#;
    let server = Server::playing([answer(200, shown), answer(200, shown)]).await;
    let existing = Existing { id: "c".to_owned(), inputs: None, outputs: None };
    assert!(Cluster::read(&server.client(), &existing).await.expect("an answer").is_some());
    assert_eq!(
        Cluster::ready(&server.client(), "c").await.expect("an answer"),
        Readiness::Failed("TERMINATED".to_owned())
    );
}

#[test]
fn a_fixed_size_and_a_range_exclude_each_other() {
    let machine = json!({"node_type_id": "m5d.large"});
    let said =
        machine_flaws(&and(&machine, json!({"num_workers": 2, "autoscale": {"min_workers": 4, "max_workers": 1}})));
    assert_eq!(
        said.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(),
        ["num_workers", "autoscale.min_workers"]
    );
    assert_eq!(machine_flaws(&and(&machine, json!({"autoscale": {"min_workers": 1}}))), []);
}

#[test]
fn machines_are_said_or_come_from_a_pool_or_a_policy() {
    let paths = |cluster: Value| machine_flaws(&cluster).into_iter().map(|(path, _)| path).collect::<Vec<_>>();
    assert_eq!(paths(json!({})), ["node_type_id"]);
    for given in [json!({"policy_id": null}), json!({"instance_pool_id": "p"}), json!({"node_type_id": null})] {
        assert_eq!(paths(given), [""; 0], "what is not known yet is no flaw");
    }
    let beside = json!({"node_type_id": "a", "driver_node_type_id": "a", "instance_pool_id": "p"});
    assert_eq!(paths(beside), ["node_type_id", "driver_node_type_id"]);
}

#[test]
fn what_a_pool_has_is_not_sent_back_beside_it() {
    let shown = json!({
        "cluster_name": "etl", "instance_pool_id": "p", "driver_instance_pool_id": "p", "node_type_id": "a",
        "driver_node_type_id": "a", "enable_elastic_disk": true, "num_workers": 1,
    });
    let change = change(
        &json!({"node_type_id": null, "instance_pool_id": "p"}),
        &json!({"node_type_id": null, "instance_pool_id": "p", "spark_conf": {"a": "1"}}),
        &["spark_conf"],
    );
    let (_, body) = edit(&change, shown, &mark());
    let pooled: Vec<&String> = body.keys().filter(|field| field.contains("node") || field.contains("pool")).collect();
    assert_eq!(pooled, ["instance_pool_id"]);
}

#[test]
fn an_access_mode_is_shown_by_the_name_that_it_was_given_by() {
    let shown = |last: Value, now: &str, said: Value| {
        let mut fields = into_fields(json!({"data_security_mode": now}));
        with_mode_as_applied(&mut fields, Some(&last), Some(&said));
        fields["data_security_mode"].as_str().expect("a mode").to_owned()
    };
    let mode = |mode: &str| json!({"data_security_mode": mode});
    let none = json!({});
    assert_eq!(
        shown(mode("DATA_SECURITY_MODE_DEDICATED"), "SINGLE_USER", none.clone()),
        "DATA_SECURITY_MODE_DEDICATED"
    );
    assert_eq!(shown(mode("DATA_SECURITY_MODE_DEDICATED"), "USER_ISOLATION", none.clone()), "USER_ISOLATION");
    assert_eq!(shown(mode("DATA_SECURITY_MODE_AUTO"), "SINGLE_USER", none.clone()), "DATA_SECURITY_MODE_AUTO");
    assert_eq!(shown(mode("DATA_SECURITY_MODE_AUTO"), "NONE", none.clone()), "NONE");
    assert_eq!(shown(none.clone(), "SINGLE_USER", mode("DATA_SECURITY_MODE_AUTO")), "DATA_SECURITY_MODE_AUTO");
    assert_eq!(shown(none.clone(), "SINGLE_USER", none), "SINGLE_USER");
}

#[test]
fn a_change_of_size_alone_restarts_nothing() {
    let restarts = |fields: &[&str], after: Value| super::restarts(fields, &after.into()).is_some();
    assert!(!restarts(&["num_workers"], json!({"num_workers": 2})));
    assert!(!restarts(&["autoscale", "num_workers"], json!({"autoscale": {"max_workers": 4, "min_workers": 1}})));
    assert!(restarts(&["autoscale"], json!({})), "a size that is not said can't be resized to");
    assert!(restarts(&["num_workers", "spark_conf"], json!({"num_workers": 2})));
    assert!(restarts(&["custom_tags"], json!({"num_workers": 2})));
}
