//! What the page of workspaces promises beyond the contract.

use super::*;
use crate::{
    account::testing::account,
    auth::{Environment, LoginConfig},
    client::{
        ClientOptions,
        scripted::{Server, json as answer},
    },
};

fn inputs(more: &Value) -> Workspace<Resolved> {
    let mut fields = json!({"name": "lake", "aws_region": "eu-central-1"});
    fields.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    serde_json::from_value(fields).expect("inputs")
}

fn status(status: &str, message: &str) -> Value {
    json!({
        "workspace_id": 7, "workspace_name": "lake", "aws_region": "eu-central-1", "deployment_name": "acme-lake",
        "workspace_status": status, "workspace_status_message": message,
    })
}

#[tokio::test]
async fn it_is_ready_when_it_runs_and_its_own_address_answers() {
    let running = status("RUNNING", "").to_string();
    let waiting = Readiness::Pending("RUNNING: its address is not known everywhere yet".to_owned());
    let page = crate::client::scripted::html(404);
    for (own, readiness) in
        [(page, waiting), (answer(403, "{}"), Readiness::Ready), (answer(200, "{}"), Readiness::Ready)]
    {
        let server = Server::playing([answer(200, &running), own]).await;
        assert_eq!(Workspace::ready(&account(&server), "7").await.expect("an answer"), readiness);
        assert_eq!(server.seen()[1].header("X-Databricks-Org-Id"), Some("7"));
    }
    let server = Server::playing([answer(200, &status("PROVISIONING", "Making it").to_string())]).await;
    let pending = Readiness::Pending("PROVISIONING: Making it".to_owned());
    assert_eq!(Workspace::ready(&account(&server), "7").await.expect("an answer"), pending);
}

#[tokio::test]
async fn a_failure_says_what_is_wrong_with_the_network() {
    let mut failed = status("FAILED", "No luck");
    failed["network_id"] = json!("n");
    let network = r#"{"error_messages": [{"error_type": "subnet", "error_message": "too small"}]}"#;
    let server = Server::playing([answer(200, &failed.to_string()), answer(200, network)]).await;
    let readiness = Workspace::ready(&account(&server), "7").await.expect("an answer");
    assert_eq!(readiness, Readiness::Failed("FAILED: No luck; network: too small".to_owned()));
    assert_eq!(server.lines()[1], "GET /api/2.0/accounts/acc/networks/n");
}

#[tokio::test(start_paused = true)]
async fn a_delete_is_over_when_it_is_gone() {
    let gone = r#"{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "gone"}"#;
    let still = || answer(200, &status("CANCELLING", "").to_string());
    let server = Server::playing([answer(200, "{}"), still(), still(), answer(404, gone)]).await;
    let existing = Existing { id: "7".to_owned(), inputs: None, outputs: None };
    Workspace::delete(&account(&server), &Context::detached(), existing, false).await.expect("deleted");
    assert_eq!(server.lines().len(), 4);
}

#[tokio::test]
async fn only_what_differs_is_patched() {
    let server = Server::playing([answer(200, &status("PROVISIONING", "").to_string())]).await;
    let after = inputs(&json!({"network_id": "n2", "credentials_id": "c"}));
    let client = account(&server);
    let outputs = made(&client, &status("RUNNING", ""), &after).outputs;
    let before = inputs(&json!({"network_id": "n1", "credentials_id": "c", "custom_tags": {"a": "b"}}));
    let paths = vec!["network_id".to_owned(), "custom_tags".to_owned()];
    let change = Change { id: "7".to_owned(), before, after, outputs, paths };
    Workspace::update(&client, &Context::detached(), change).await.expect("updated");
    let seen = server.seen();
    assert_eq!(seen[0].line, "PATCH /api/2.0/accounts/acc/workspaces/7?update_mask=custom_tags%2Cnetwork_id");
    assert_eq!(seen[0].body, r#"{"custom_tags":{},"network_id":"n2"}"#);
}

#[tokio::test]
async fn a_prefix_of_the_deployment_name_is_no_change() {
    let server = Server::playing([]).await;
    let name = |asked: &str| {
        let last = inputs(&json!({"deployment_name": asked}));
        let seen = observed(&account(&server), &status("RUNNING", ""), Some(&last)).expect("understood");
        seen.inputs.deployment_name.expect("a name")
    };
    assert_eq!((name("lake"), name("pond")), ("lake".to_owned(), "acme-lake".to_owned()));
}

#[test]
fn the_address_is_the_consoles_with_the_deployments_name() {
    let at = |address: &str| {
        let env = Environment::empty().with("DATABRICKS_HOST", address).with("DATABRICKS_TOKEN", "t");
        let env = env.with("DATABRICKS_ACCOUNT_ID", "acc");
        let login = LoginConfig::resolve(LoginConfig::default(), &env).expect("a login");
        host(&Client::new(login, ClientOptions::default()).expect("a client"), &status("RUNNING", ""))
    };
    assert_eq!(at("https://accounts.cloud.databricks.com"), "https://acme-lake.cloud.databricks.com");
    assert_eq!(at("http://127.0.0.1:8080"), "http://127.0.0.1:8080");
}

#[tokio::test]
async fn one_that_failed_is_ours_only_in_part() {
    let server = Server::playing([]).await;
    let seen = observed(&account(&server), &status("FAILED", "No luck"), None).expect("understood");
    assert_eq!(seen.tainted.as_deref(), Some("FAILED: No luck"));
}
