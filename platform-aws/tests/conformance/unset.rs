//! What a plan says of a field that the program takes away happens: it goes back to its default by a call, or there is none.

use std::sync::Arc;

use platform_aws::{
    iam::Role,
    policy::uc_trust,
    s3::{Bucket, Encryption, PublicAccessBlock},
};
use platform_sdk::{
    Resource,
    apply::with_defaults,
    desired::Tree,
    plan::{Difference, Sides, Verdict, diff},
    provider::{Context, Driver, Request},
    testing::taken_away,
};

use crate::{
    against_servers,
    subject::{REGION, Subject, inputs},
};

against_servers!(what_is_said_of_a_field_that_is_taken_away_happens);

async fn what_is_said_of_a_field_that_is_taken_away_happens(subject: Subject) {
    let shut = PublicAccessBlock::new().block_public_acls(false).restrict_public_buckets(false);
    let key = Encryption::kms("arn:aws:kms:eu-west-1:123456789012:key/1").bucket_key(true);
    let bucket = Bucket::new(subject.name("raw")).region(REGION).versioning(true).tags([("team", "data")]);
    on(&subject, &bucket.encryption(key).public_access_block(shut)).await;
    let role = Role::new(subject.name("role"), uc_trust("1", subject.name("role"), "123456789012"));
    on(&subject, &role.path("/lake/").description("Reads").max_session_duration(7200).tags([("team", "data")])).await;
}

async fn on<R: Resource>(subject: &Subject, resource: &R) {
    let (driver, fields, whole) = (subject.driver::<R>().driver, R::schema().fields(), inputs(resource));
    let applied = Tree::from(whole.clone());
    let mut called = 0;
    for without in taken_away(fields, &whole) {
        let (id, outputs) = driver.create(&Context::detached(), &whole).await.expect("it is created");
        let made = Request { id, inputs: Some(whole.clone()), outputs: outputs.plain() };
        let wanted = Tree::from(without);
        let differences = async |driver: &Arc<dyn Driver>| -> Vec<Difference> {
            let seen = driver.read(&made).await.expect("it can be read").expect("it is there").inputs;
            let mut all = diff(fields, Sides { last: Some(&applied), observed: Some(&seen), desired: &wanted });
            all.retain(|difference| difference.verdict > Verdict::Released);
            all
        };
        let planned = differences(&driver).await;
        let replaced = planned.iter().any(|difference| difference.verdict > Verdict::LosesData);
        if !replaced && !planned.is_empty() {
            let paths: Vec<String> = planned.iter().map(|difference| difference.path.to_string()).collect();
            let after = with_defaults(&wanted, fields).plain().expect("all of it is known");
            driver.update(&Context::detached(), &made, &after, &paths).await.expect("it is updated");
            let left = differences(&driver).await;
            assert!(left.is_empty(), "it was said that these go: {left:#?}");
            called += 1;
        }
        driver.delete(&Context::detached(), &made, false).await.expect("it is deleted");
    }
    assert!(called >= 3, "{called}");
}
