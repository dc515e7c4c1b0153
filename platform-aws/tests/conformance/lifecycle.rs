//! A bucket, a role and its policy through their life with the SDK's engine: up, up again, changed, replaced, drifted, gone
//! and back. What there is then is asked of boto3.

use platform_aws::{
    Aws,
    iam::{Role, RolePolicy},
    policy::{uc_access, uc_trust},
    s3::{Bucket, Encryption, PublicAccessBlock},
    sts::CallerIdentity,
};
use platform_sdk::{
    plan::ChangeKind,
    prelude::*,
    testing::{Harness, Run},
};
use serde_json::{Value, json};

use crate::{
    against_servers,
    subject::{REGION, Subject},
};

against_servers!(a_raw_zone_comes_up_stays_changes_heals_goes_and_comes_back);

/// What is declared in each part of the life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    Young,
    /// All is changed that can be changed in place.
    Changed,
    /// And so is what can't.
    Replaced,
}

fn zone(name: &str, age: Age) -> Program {
    let name = name.to_owned();
    Program::new("zone", move |stack| {
        let changed = age >= Age::Changed;
        let (region, path, policy_name) = match age {
            Age::Replaced => ("eu-central-1", "/lake/", "full-access"),
            Age::Young | Age::Changed => (REGION, "/", "access"),
        };
        let landing = Bucket::new(name.as_str()).region(region).tags([("team", if changed { "lake" } else { "data" })]);
        let landing = if changed {
            let key = Encryption::kms("arn:aws:kms:eu-west-1:123456789012:key/1").bucket_key(true);
            landing
                .versioning(true)
                .encryption(key)
                .public_access_block(PublicAccessBlock::new().block_public_acls(false))
        } else {
            landing
        };
        let landing = stack.add("landing", landing);
        let me = stack.lookup::<CallerIdentity>("me");
        let trust = uc_trust(if changed { "second" } else { "first" }, name.as_str(), "123456789012");
        let role = Role::new(name.as_str(), trust).path(path).tags([("team", if changed { "lake" } else { "data" })]);
        let role = if changed { role.description("Reads the lake").max_session_duration(7200) } else { role };
        let role = stack.add("role", role);
        let buckets = if changed {
            vec![landing.arn.clone(), landing.arn.map(|arn| format!("{arn}-2"))]
        } else {
            vec![landing.arn.clone()]
        };
        stack.add("access", RolePolicy::new(&role, policy_name, uc_access(buckets, &role.arn)));
        stack.export("account", &me.account_id);
        Ok(())
    })
    .provider(Aws::from_env())
}

/// Applies; right after, nothing is left to do.
fn up(harness: &Harness, program: &Program) -> Vec<String> {
    let run: Run = harness.up(program).expect("it is planned");
    assert!(run.failures.is_empty(), "{:#?}", run.failures);
    let again = harness.up(program).expect("it is planned");
    assert!(again.steps().is_empty(), "a second run does nothing: {:#?}", again.plan.steps);
    run.steps()
}

/// What others changed, as `address path`.
fn drift(harness: &Harness, program: &Program) -> Vec<String> {
    let plan = harness.plan(program).expect("it is planned");
    let of = |step: &platform_sdk::plan::Step| {
        assert!(step.changes.iter().all(|change| change.kind == ChangeKind::Drift), "{:#?}", step.changes);
        step.changes.iter().map(|change| format!("{} {}", step.address, change.path)).collect::<Vec<_>>()
    };
    plan.changes().flat_map(of).collect()
}

async fn a_raw_zone_comes_up_stays_changes_heals_goes_and_comes_back(subject: Subject) {
    // The harness brings a runtime of its own.
    tokio::task::spawn_blocking(move || life(&subject)).await.expect("it is lived");
}

fn life(subject: &Subject) {
    let (name, harness) = (subject.name("zone"), subject.harness());
    let s3 = |operation: &str| subject.boto.call("s3", operation, json!({"Bucket": name}));
    let role = || subject.boto.call("iam", "get_role", json!({"RoleName": name}));
    let policy =
        |policy: &str| subject.boto.call("iam", "get_role_policy", json!({"RoleName": name, "PolicyName": policy}));
    let [young, changed, replaced] = [Age::Young, Age::Changed, Age::Replaced].map(|age| zone(&name, age));

    let made = up(&harness, &young);
    assert_eq!(made, ["create aws:Bucket::landing", "create aws:Role::role", "create aws:RolePolicy::access"]);
    assert_eq!(s3("get_bucket_location")["LocationConstraint"], REGION);
    assert_eq!(policy("access")["PolicyDocument"]["Statement"][0]["Effect"], "Allow");

    let updated = up(&harness, &changed);
    assert_eq!(updated, ["update aws:Bucket::landing", "update aws:Role::role", "update aws:RolePolicy::access"]);
    assert_eq!(s3("get_bucket_versioning")["Status"], "Enabled");
    let encrypted = &s3("get_bucket_encryption")["ServerSideEncryptionConfiguration"]["Rules"][0];
    assert_eq!(
        (&encrypted["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], &encrypted["BucketKeyEnabled"]),
        (&json!("aws:kms"), &json!(true))
    );
    assert_eq!(s3("get_public_access_block")["PublicAccessBlockConfiguration"]["BlockPublicAcls"], false);
    assert_eq!(s3("get_bucket_tagging")["TagSet"], json!([{"Key": "team", "Value": "lake"}]));
    let seen = role()["Role"].clone();
    assert_eq!((&seen["Description"], &seen["MaxSessionDuration"]), (&json!("Reads the lake"), &json!(7200)));
    let external_id = json!({"StringEquals": {"sts:ExternalId": "second"}});
    assert_eq!(seen["AssumeRolePolicyDocument"]["Statement"][0]["Condition"], external_id);
    assert_eq!(policy("access")["PolicyDocument"]["Statement"][0]["Resource"].as_array().map(Vec::len), Some(4));

    let before = role()["Role"]["RoleId"].clone();
    let steps = up(&harness, &replaced);
    assert_eq!(steps, ["replace aws:RolePolicy::access", "replace aws:Bucket::landing", "replace aws:Role::role"]);
    assert_eq!(s3("get_bucket_location")["LocationConstraint"], "eu-central-1");
    assert_eq!(role()["Role"]["Arn"], format!("arn:aws:iam::123456789012:role/lake/{name}"));
    assert_ne!(role()["Role"]["RoleId"], before, "it is another role of the same name");
    assert_eq!((&policy("access")["error"], policy("full-access").get("error")), (&json!("NoSuchEntity"), None));

    let change =
        |service: &str, operation: &str, arguments: Value| drop(subject.boto.must(service, operation, arguments));
    change("s3", "put_bucket_versioning", json!({"Bucket": name, "VersioningConfiguration": {"Status": "Suspended"}}));
    change("iam", "update_role", json!({"RoleName": name, "Description": "x", "MaxSessionDuration": 7200}));
    assert_eq!(drift(&harness, &replaced), ["aws:Bucket::landing versioning", "aws:Role::role description"]);
    assert_eq!(up(&harness, &replaced), ["update aws:Bucket::landing", "update aws:Role::role"]);
    assert_eq!(
        (&s3("get_bucket_versioning")["Status"], &role()["Role"]["Description"]),
        (&json!("Enabled"), &json!("Reads the lake"))
    );
    change("iam", "delete_role_policy", json!({"RoleName": name, "PolicyName": "full-access"}));
    assert_eq!(up(&harness, &replaced), ["create aws:RolePolicy::access"]);

    let run = harness.destroy(&replaced).expect("it is planned");
    assert!(run.failures.is_empty(), "{:#?}", run.failures);
    assert_eq!((&s3("head_bucket")["error"], &role()["error"]), (&json!("404"), &json!("NoSuchEntity")));
    assert_eq!(up(&harness, &young), made);
    let run = harness.destroy(&young).expect("it is planned");
    assert!(run.failures.is_empty(), "{:#?}", run.failures);
}
