//! Inline policies of roles.

use platform_aws::{
    iam::{Role, RolePolicy},
    policy::{PolicyDocument, Statement, uc_access, uc_trust},
};
use platform_sdk::{Id, OnParentDelete, provider::ErrorKind};
use serde_json::{Value, json};

use crate::{
    against_servers,
    subject::{Subject, Type, inputs},
};

against_servers!(
    clause_1_a_policy_is_what_was_asked_for,
    clause_2_an_absent_policy_is_none,
    clause_4_the_document_updates,
    clause_6_a_second_create_is_refused_and_overwrites_nothing,
    clause_8_fields_that_cannot_change_are_marked,
    clause_10_changes_behind_our_back_are_seen,
    clauses_5_and_1_deleted_and_made_again,
);

async fn of(subject: &Subject) -> (String, Type) {
    let name = subject.name("lake");
    subject.driver::<Role>().create(Role::new(name.as_str(), uc_trust("hf28", name.as_str(), "123456789012"))).await;
    (name, subject.driver::<RolePolicy>())
}

fn access(role: &str, buckets: &[&str]) -> RolePolicy {
    let arn = format!("arn:aws:iam::123456789012:role/{role}");
    RolePolicy::new(Id::new(role), "access", uc_access(buckets.iter().map(|name| format!("arn:aws:s3:::{name}")), arn))
}

fn see(subject: &Subject, role: &str) -> Value {
    subject.boto.call("iam", "get_role_policy", json!({"RoleName": role, "PolicyName": "access"}))
}

async fn clause_1_a_policy_is_what_was_asked_for(subject: Subject) {
    let (role, policies) = of(&subject).await;
    let policy = policies.create(access(&role, &["raw"])).await;
    assert_eq!(policy.id, format!("{role}:access"));
    assert_eq!(see(&subject, &role)["PolicyDocument"], inputs(&access(&role, &["raw"]))["policy"]);
}

async fn clause_2_an_absent_policy_is_none(subject: Subject) {
    let (role, policies) = of(&subject).await;
    for id in [format!("{role}:absent"), "no-such-role:access".to_owned()] {
        let request = platform_sdk::provider::Request { id, inputs: None, outputs: None };
        assert!(policies.driver.read(&request).await.expect("absence is no error").is_none());
    }
}

async fn clause_4_the_document_updates(subject: Subject) {
    let (role, policies) = of(&subject).await;
    let mut policy = policies.create(access(&role, &["raw"])).await;
    policies.update(&mut policy, access(&role, &["raw", "lake"]), &["policy"]).await;
    let resources = see(&subject, &role)["PolicyDocument"]["Statement"][0]["Resource"].clone();
    assert_eq!(resources.as_array().map(Vec::len), Some(4));
}

async fn clause_6_a_second_create_is_refused_and_overwrites_nothing(subject: Subject) {
    let (role, policies) = of(&subject).await;
    policies.create(access(&role, &["raw"])).await;
    assert_eq!(policies.refusal_to_create(access(&role, &["other"])).await, ErrorKind::AlreadyExists);
    assert_eq!(see(&subject, &role)["PolicyDocument"], inputs(&access(&role, &["raw"]))["policy"]);
}

async fn clause_8_fields_that_cannot_change_are_marked(subject: Subject) {
    let schema = subject.driver::<RolePolicy>().driver.schema();
    let replaced: Vec<&str> = schema.fields().iter().filter(|field| field.replace).map(|field| field.name).collect();
    assert_eq!(replaced, ["role", "name"]);
    let role = schema.field("role").expect("role");
    assert_eq!(role.parent, Some(OnParentDelete::Refuses));
}

async fn clause_10_changes_behind_our_back_are_seen(subject: Subject) {
    let (role, policies) = of(&subject).await;
    let mut policy = policies.create(access(&role, &["raw"])).await;
    let wider = PolicyDocument::new([Statement::allow().action("*").resource("*")]);
    let wider = inputs(&RolePolicy::new(Id::new("any"), "any", wider))["policy"].clone();
    let named = json!({"RoleName": role, "PolicyName": "access"});
    let mut arguments = named.clone();
    arguments["PolicyDocument"] = wider.to_string().into();
    subject.boto.must("iam", "put_role_policy", arguments);
    assert_eq!(policies.drift(&policy).await, json!({"policy": wider}));
    policies.update(&mut policy, access(&role, &["raw"]), &["policy"]).await;
    subject.boto.must("iam", "delete_role_policy", named);
    assert!(policies.read(&policy).await.is_none());
}

async fn clauses_5_and_1_deleted_and_made_again(subject: Subject) {
    let (role, policies) = of(&subject).await;
    for _ in 0..2 {
        let policy = policies.create(access(&role, &["raw"])).await;
        policies.delete(&policy).await;
        assert_eq!(see(&subject, &role)["error"], "NoSuchEntity");
    }
}
