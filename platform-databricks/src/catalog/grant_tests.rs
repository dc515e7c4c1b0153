//! What a grant is made of, and which privileges count as its own.

use platform_sdk::{
    Id, ToExpr as _,
    desired::Tree,
    provider::{Change, Context, ErrorKind, Existing, Manage as _},
};
use serde_json::{Value, json};

use super::{
    Grant, GrantOutputs,
    Privilege::{Other, Select, UseCatalog},
};
use crate::{
    catalog::{Catalog, Schema},
    client::scripted::{Server, json as answer},
};

fn inputs<T: serde::de::DeserializeOwned>(privileges: &Value) -> T {
    let inputs = json!({
        "securable_kind": "catalog", "securable": "lake", "principal": "analysts", "privileges": privileges,
    });
    serde_json::from_value(inputs).expect("inputs")
}

fn existing(privileges: &Value) -> Existing<Grant> {
    Existing { id: "catalog/lake/analysts".to_owned(), inputs: Some(inputs(privileges)), outputs: None }
}

fn held(privileges: &Value) -> String {
    json!({"privilege_assignments": [{"principal": "analysts", "privileges": privileges}]}).to_string()
}

#[test]
fn a_grant_reads_as_a_sentence() {
    let grant = Grant::on(&Id::<Catalog>::new("lake")).to("analysts").can([UseCatalog, Select]);
    let expected = json!({
        "securable_kind": "catalog", "securable": "lake", "principal": "analysts", "privileges": ["USE_CATALOG", "SELECT"],
    });
    assert_eq!(Tree::of_known(&grant.to_expr()).plain(), Some(expected));
    let grant = Grant::on(&Id::<Schema>::new("lake.sales")).to("me@x.example").can([Other("NEW".into())]);
    let plain = Tree::of_known(&grant.to_expr()).plain().expect("all of it is known");
    assert_eq!((&plain["securable_kind"], &plain["privileges"]), (&json!("schema"), &json!(["NEW"])));
}

#[tokio::test]
async fn what_others_granted_is_not_seen() {
    let shown = held(&json!(["USE_CATALOG", "MODIFY", "SELECT"]));
    let server = Server::playing([answer(200, &shown), answer(200, &shown), answer(200, &shown)]).await;
    let read = Grant::read(&server.client(), &existing(&json!(["SELECT", "USE_CATALOG", "BROWSE"]))).await;
    let mut privileges = read.expect("it is read").expect("it is there").inputs.privileges;
    privileges.sort();
    assert_eq!(privileges, [Select, UseCatalog]);
    let read = Grant::read(&server.client(), &existing(&json!(["BROWSE"]))).await.expect("it is read");
    assert!(read.is_none(), "none of its own is left");
    let imported = Existing { inputs: None, ..existing(&json!([])) };
    let read = Grant::read(&server.client(), &imported).await.expect("it is read").expect("it is there");
    assert_eq!(read.inputs.privileges.len(), 3, "an import takes all of them");
}

#[tokio::test]
async fn what_others_granted_is_not_taken_away() {
    let server = Server::playing([answer(200, "{}"), answer(200, "{}")]).await;
    let change = Change::<Grant> {
        id: "catalog/lake/analysts".to_owned(),
        before: inputs(&json!(["USE_CATALOG", "SELECT"])),
        after: inputs(&json!(["SELECT", "MODIFY"])),
        outputs: GrantOutputs { id: Id::new("catalog/lake/analysts") },
        paths: vec!["privileges".to_owned()],
    };
    Grant::update(&server.client(), &Context::detached(), change).await.expect("it is changed");
    let own = existing(&json!(["SELECT", "MODIFY"]));
    Grant::delete(&server.client(), &Context::detached(), own, false).await.expect("it is revoked");
    let sent: Vec<Value> = server.seen().iter().map(|seen| serde_json::from_str(&seen.body).expect("a body")).collect();
    let change = |change: Value| json!({"changes": [change]});
    assert_eq!(
        sent,
        [
            change(json!({"principal": "analysts", "add": ["MODIFY"], "remove": ["USE_CATALOG"]})),
            change(json!({"principal": "analysts", "remove": ["SELECT", "MODIFY"]})),
        ]
    );
}

#[tokio::test]
async fn a_principal_that_the_account_does_not_know_is_named() {
    let unknown =
        r#"{"error_code": "PRINCIPAL_DOES_NOT_EXIST", "message": "Could not find principal with name analysts."}"#;
    let server = Server::playing([answer(404, unknown)]).await;
    let granted = Grant::create(&server.client(), &Context::detached(), inputs(&json!(["SELECT"]))).await;
    let error = granted.expect_err("it is refused");
    assert_eq!(error.kind, ErrorKind::Missing { what: "analysts".to_owned() });
    assert!(error.message.starts_with("grant on catalog `lake` to `analysts`: "), "{error}");
    assert!(error.hint.is_some_and(|hint| hint.contains("group of the account")));
}

#[tokio::test]
async fn what_a_principal_held_that_is_gone_is_revoked() {
    let unknown =
        r#"{"error_code": "PRINCIPAL_DOES_NOT_EXIST", "message": "Could not find principal with name analysts."}"#;
    let server = Server::playing([answer(404, unknown), answer(404, unknown)]).await;
    let inputs = inputs(&json!(["SELECT"]));
    let existing = Existing::<Grant> { id: "catalog/lake/analysts".to_owned(), inputs: Some(inputs), outputs: None };
    assert!(Grant::read(&server.client(), &existing).await.expect("an answer").is_none());
    Grant::delete(&server.client(), &Context::detached(), existing, false).await.expect("nothing is left of it");
}
