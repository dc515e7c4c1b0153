//! What the page of metastore assignments promises beyond the contract.

use super::*;
use crate::{
    account::testing::account,
    client::scripted::{Server, json as answer},
};

fn inputs() -> MetastoreAssignment<Resolved> {
    serde_json::from_value(json!({"workspace_id": "7", "metastore_id": "m"})).expect("inputs")
}

const TAKEN: &str = r#"{"error_code": "METASTORE_ALREADY_EXISTS", "message": "assigned already"}"#;

fn assigned(metastore: &str) -> String {
    json!({"metastore_assignment": {"workspace_id": 7, "metastore_id": metastore}}).to_string()
}

#[tokio::test]
async fn an_equal_assignment_that_exists_is_no_change() {
    let server = Server::playing([answer(400, TAKEN), answer(200, &assigned("m"))]).await;
    let made = MetastoreAssignment::create(&account(&server), &Context::detached(), inputs()).await.expect("the same");
    assert_eq!(made.id, "7/m");
    let server = Server::playing([answer(400, TAKEN), answer(200, &assigned("other"))]).await;
    let error =
        MetastoreAssignment::create(&account(&server), &Context::detached(), inputs()).await.expect_err("another");
    assert_eq!(error.message, "create metastore assignment `7/m`: assigned already");
}

#[tokio::test]
async fn another_metastore_than_ours_is_seen() {
    let server = Server::playing([answer(200, &assigned("other"))]).await;
    let existing = Existing { id: "7/m".to_owned(), inputs: Some(inputs()), outputs: None };
    let seen = MetastoreAssignment::read(&account(&server), &existing).await.expect("an answer").expect("one");
    assert_eq!((seen.inputs.metastore_id.as_str(), seen.id.as_str()), ("other", "7/other"));
}

#[tokio::test]
async fn an_id_without_its_two_parts_is_refused() {
    let server = Server::playing([]).await;
    let existing = Existing { id: "7".to_owned(), inputs: None, outputs: None };
    let error = MetastoreAssignment::read(&account(&server), &existing).await.expect_err("refused");
    assert_eq!(error.message, "read metastore assignment `7`: it is no id of a metastore assignment");
}
