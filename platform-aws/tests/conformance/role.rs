//! IAM roles.

use platform_aws::{
    iam::{Role, RolePolicy},
    policy::{PolicyDocument, Principal, Statement, uc_access, uc_trust},
};
use platform_sdk::{Id, provider::ErrorKind};
use serde_json::{Value, json};

use crate::{
    against_servers,
    subject::{Subject, Type, inputs},
};

against_servers!(
    clause_1_a_role_is_what_was_asked_for,
    clause_2_an_absent_role_is_none,
    clause_4_each_field_updates_alone,
    clause_4_what_was_dropped_goes_back_to_its_default,
    clause_5_a_role_with_policies_is_only_deleted_by_force,
    clause_6_a_second_create_is_refused,
    clause_8_a_policy_written_differently_is_no_change,
    clause_8_fields_that_cannot_change_are_marked,
    clause_10_changes_behind_our_back_are_seen,
    clauses_5_and_1_deleted_and_made_again,
);

const ACCOUNT: &str = "123456789012";

fn of(subject: &Subject, suffix: &str) -> (String, Type) {
    (subject.name(suffix), subject.driver::<Role>())
}

fn full(name: &str) -> Role {
    Role::new(name, uc_trust("hf28", name, ACCOUNT))
        .path("/lake/")
        .description("Reads the lake")
        .max_session_duration(7200)
        .tags([("team", "data"), ("stage", "raw")])
}

fn see(subject: &Subject, name: &str) -> Value {
    subject.boto.must("iam", "get_role", json!({"RoleName": name}))["Role"].clone()
}

fn tags(subject: &Subject, name: &str) -> Value {
    let answer = subject.boto.must("iam", "list_role_tags", json!({"RoleName": name}));
    let set = answer["Tags"].as_array().cloned().unwrap_or_default();
    set.into_iter().map(|tag| (tag["Key"].as_str().unwrap_or_default().to_owned(), tag["Value"].clone())).collect()
}

async fn clause_1_a_role_is_what_was_asked_for(subject: Subject) {
    let (name, roles) = of(&subject, "lake");
    let role = roles.create(full(&name)).await;
    let seen = see(&subject, &name);
    assert_eq!(role.id, name);
    assert_eq!(role.outputs["arn"], seen["Arn"]);
    assert_eq!(role.outputs["unique_id"], seen["RoleId"]);
    assert_eq!(seen["Arn"], format!("arn:aws:iam::{ACCOUNT}:role/lake/{name}"));
    assert_eq!(seen["Description"], "Reads the lake");
    assert_eq!(seen["MaxSessionDuration"], 7200);
    assert_eq!(seen["AssumeRolePolicyDocument"], inputs(&full(&name))["trust_policy"]);
    assert_eq!(tags(&subject, &name), json!({"team": "data", "stage": "raw"}));
}

async fn clause_2_an_absent_role_is_none(subject: Subject) {
    let (name, roles) = of(&subject, "absent");
    let request = platform_sdk::provider::Request { id: name, inputs: None, outputs: None };
    assert!(roles.driver.read(&request).await.expect("absence is no error").is_none());
}

async fn clause_4_each_field_updates_alone(subject: Subject) {
    let (name, roles) = of(&subject, "lake");
    let mut role = roles.create(full(&name)).await;

    let trusting = Role { trust_policy: uc_trust("other", name.as_str(), ACCOUNT).into(), ..full(&name) };
    roles.update(&mut role, trusting, &["trust_policy"]).await;
    let condition = see(&subject, &name)["AssumeRolePolicyDocument"]["Statement"][0]["Condition"].clone();
    assert_eq!(condition, json!({"StringEquals": {"sts:ExternalId": "other"}}));

    roles.update(&mut role, full(&name), &["trust_policy"]).await;
    roles.update(&mut role, full(&name).description("Writes it"), &["description"]).await;
    assert_eq!(see(&subject, &name)["Description"], "Writes it");
    assert_eq!(see(&subject, &name)["MaxSessionDuration"], 7200, "the other setting of the same call stays");

    let longer = full(&name).description("Writes it").max_session_duration(43200);
    roles.update(&mut role, longer, &["max_session_duration"]).await;
    assert_eq!(see(&subject, &name)["MaxSessionDuration"], 43200);
    assert_eq!(see(&subject, &name)["Description"], "Writes it");

    let tagged = full(&name).description("Writes it").max_session_duration(43200).tags([("team", "x"), ("cost", "7")]);
    roles.update(&mut role, tagged, &["tags.team", "tags.cost", "tags.stage"]).await;
    assert_eq!(tags(&subject, &name), json!({"team": "x", "cost": "7"}));
}

async fn clause_4_what_was_dropped_goes_back_to_its_default(subject: Subject) {
    let (name, roles) = of(&subject, "lake");
    let mut role = roles.create(full(&name)).await;
    let bare = Role::new(name.as_str(), uc_trust("hf28", name.as_str(), ACCOUNT)).path("/lake/");
    roles.update(&mut role, bare, &["description", "max_session_duration", "tags"]).await;
    let seen = roles.read(&role).await.expect("it is there").inputs.plain().expect("known");
    assert_eq!((&seen["description"], &seen["max_session_duration"]), (&json!(""), &json!(3600)));
    assert_eq!(seen["tags"], json!({}));
}

async fn clause_5_a_role_with_policies_is_only_deleted_by_force(subject: Subject) {
    let (name, roles) = of(&subject, "lake");
    let role = roles.create(full(&name)).await;
    let policies = subject.driver::<RolePolicy>();
    let access = uc_access(["arn:aws:s3:::raw"], role.outputs["arn"].as_str().expect("an ARN"));
    policies.create(RolePolicy::new(Id::new(name.as_str()), "access", access)).await;
    let document = inputs_of(uc_access(["arn:aws:s3:::x"], "*"));
    let arguments = json!({"PolicyName": subject.name("managed"), "PolicyDocument": document});
    let managed = subject.boto.call("iam", "create_policy", arguments);
    // The sandbox keeps no managed policies; those of AWS are always there.
    let arn = managed["Policy"]["Arn"].as_str().unwrap_or("arn:aws:iam::aws:policy/ReadOnlyAccess");
    subject.boto.must("iam", "attach_role_policy", json!({"RoleName": name, "PolicyArn": arn}));
    let contents = roles.driver.contents(&name).await.expect("contents");
    let contents: Vec<_> = contents.iter().map(|content| (content.type_name, content.id.as_str())).collect();
    assert_eq!(contents, [("aws:RolePolicy", format!("{name}:access").as_str()), ("aws:ManagedPolicy", arn)]);
    assert_eq!(roles.refusal_to_delete(&role).await, ErrorKind::Conflict);
    roles.force_delete(&role).await;
    assert_eq!(subject.boto.call("iam", "get_role", json!({"RoleName": name}))["error"], "NoSuchEntity");
    if managed.get("error").is_none() {
        let kept = subject.boto.must("iam", "get_policy", json!({"PolicyArn": arn}));
        assert_eq!(kept["Policy"]["AttachmentCount"], 0, "the attached policy is only detached");
    }
    roles.force_delete(&role).await;
}

fn inputs_of(document: PolicyDocument) -> String {
    inputs(&RolePolicy::new(Id::new("any"), "any", document))["policy"].to_string()
}

async fn clause_6_a_second_create_is_refused(subject: Subject) {
    let (name, roles) = of(&subject, "lake");
    roles.create(full(&name)).await;
    assert_eq!(roles.refusal_to_create(full(&name)).await, ErrorKind::AlreadyExists);
}

async fn clause_8_a_policy_written_differently_is_no_change(subject: Subject) {
    let (name, roles) = of(&subject, "lake");
    let trust = PolicyDocument::new([Statement::allow()
        .principal(Principal::aws(ACCOUNT))
        .actions(["sts:TagSession", "sts:AssumeRole"])]);
    let role = roles.create(Role::new(name.as_str(), trust)).await;
    let same = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"AWS": [format!("arn:aws:iam::{ACCOUNT}:root")]},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }]});
    let change = |document: &Value| {
        let arguments = json!({"RoleName": name, "PolicyDocument": document.to_string()});
        subject.boto.must("iam", "update_assume_role_policy", arguments);
    };
    change(&same);
    assert_eq!(roles.drift(&role).await, json!({}));
    let mut other = same;
    other["Statement"][0]["Action"] = json!("sts:AssumeRole");
    change(&other);
    assert_eq!(roles.drift(&role).await, json!({"trust_policy": other}));
}

async fn clause_8_fields_that_cannot_change_are_marked(subject: Subject) {
    let schema = subject.driver::<Role>().driver.schema();
    let replaced: Vec<&str> = schema.fields().iter().filter(|field| field.replace).map(|field| field.name).collect();
    assert_eq!(replaced, ["name", "path"]);
}

async fn clause_10_changes_behind_our_back_are_seen(subject: Subject) {
    let (name, roles) = of(&subject, "lake");
    let mut role = roles.create(full(&name)).await;
    let change = |operation: &str, mut arguments: Value| {
        arguments["RoleName"] = name.clone().into();
        subject.boto.must("iam", operation, arguments);
    };
    change("update_role", json!({"Description": "changed", "MaxSessionDuration": 3600}));
    assert_eq!(roles.drift(&role).await, json!({"description": "changed", "max_session_duration": 3600}));
    roles.update(&mut role, full(&name), &["description", "max_session_duration"]).await;

    change("untag_role", json!({"TagKeys": ["team"]}));
    assert_eq!(roles.drift(&role).await, json!({"tags": {"stage": "raw"}}));
    roles.update(&mut role, full(&name), &["tags.team"]).await;

    change("delete_role", json!({}));
    assert!(roles.read(&role).await.is_none());
}

async fn clauses_5_and_1_deleted_and_made_again(subject: Subject) {
    let (name, roles) = of(&subject, "lake");
    let first = roles.create(full(&name)).await;
    roles.delete(&first).await;
    let second = roles.create(full(&name)).await;
    assert_ne!(first.outputs["unique_id"], second.outputs["unique_id"]);
    roles.delete(&second).await;
}
