//! S3 buckets.

use platform_aws::s3::{Bucket, Encryption, PublicAccessBlock};
use platform_sdk::provider::ErrorKind;
use serde_json::{Value, json};

use crate::{
    against_servers,
    subject::{REGION, Subject, Type},
};

against_servers!(
    clause_1_a_bucket_is_what_was_asked_for,
    clause_1_a_plain_bucket_is_private_and_encrypted,
    clause_1_a_bucket_can_be_in_another_region,
    clause_2_an_absent_bucket_is_none,
    clause_4_each_field_updates_alone,
    clause_4_what_was_dropped_goes_back_to_its_default,
    clause_5_a_bucket_with_objects_is_only_deleted_by_force,
    clause_6_a_second_create_is_refused,
    clause_8_fields_that_cannot_change_are_marked,
    clause_10_changes_behind_our_back_are_seen,
    clauses_5_and_1_deleted_and_made_again,
);

fn of(subject: &Subject, suffix: &str) -> (String, Type) {
    (subject.name(suffix), subject.driver::<Bucket>())
}

fn full(name: &str) -> Bucket {
    Bucket::new(name)
        .region(REGION)
        .versioning(true)
        .encryption(Encryption::kms("arn:aws:kms:eu-west-1:123456789012:key/1").bucket_key(true))
        .public_access_block(PublicAccessBlock::new().block_public_acls(true).block_public_policy(false))
        .tags([("team", "data"), ("stage", "raw")])
}

async fn clause_1_a_bucket_is_what_was_asked_for(subject: Subject) {
    let (name, buckets) = of(&subject, "raw");
    let bucket = buckets.create(full(&name)).await;
    assert_eq!(
        bucket.outputs,
        json!({"id": name, "bucket": name, "arn": format!("arn:aws:s3:::{name}"), "region": REGION})
    );
    let see = |operation: &str| subject.boto.must("s3", operation, json!({"Bucket": name}));
    assert_eq!(see("get_bucket_location")["LocationConstraint"], REGION);
    assert_eq!(see("get_bucket_versioning")["Status"], "Enabled");
    let rule = &see("get_bucket_encryption")["ServerSideEncryptionConfiguration"]["Rules"][0];
    assert_eq!(rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], "aws:kms");
    assert_eq!(rule["BucketKeyEnabled"], true);
    assert_eq!(
        see("get_public_access_block")["PublicAccessBlockConfiguration"],
        json!({
            "BlockPublicAcls": true,
            "IgnorePublicAcls": true,
            "BlockPublicPolicy": false,
            "RestrictPublicBuckets": true
        })
    );
    assert_eq!(tags(&subject, &name), json!({"stage": "raw", "team": "data"}));
}

fn tags(subject: &Subject, name: &str) -> Value {
    let answer = subject.boto.call("s3", "get_bucket_tagging", json!({"Bucket": name}));
    let set = answer["TagSet"].as_array().cloned().unwrap_or_default();
    set.into_iter().map(|tag| (tag["Key"].as_str().unwrap_or_default().to_owned(), tag["Value"].clone())).collect()
}

async fn clause_1_a_plain_bucket_is_private_and_encrypted(subject: Subject) {
    let (name, buckets) = of(&subject, "plain");
    let bucket = buckets.create(Bucket::new(name.as_str())).await;
    assert_eq!(bucket.outputs["region"], REGION, "the provider's region");
    let seen = buckets.read(&bucket).await.expect("it is there").inputs.plain().expect("known");
    let schema = buckets.driver.schema();
    for field in ["versioning", "encryption", "public_access_block", "tags"] {
        let platform_sdk::Unset::Default(default) = schema.field(field).expect("a field").unset else {
            panic!("`{field}` has a default");
        };
        assert_eq!(seen[field], default(), "unset `{field}` is its default");
    }
}

async fn clause_1_a_bucket_can_be_in_another_region(subject: Subject) {
    let (name, buckets) = of(&subject, "far");
    let bucket = buckets.create(Bucket::new(name.as_str()).region("ap-southeast-2")).await;
    assert_eq!(bucket.outputs["region"], "ap-southeast-2");
    let there = subject.boto.must("s3", "get_bucket_location", json!({"Bucket": name}));
    assert_eq!(there["LocationConstraint"], "ap-southeast-2");
    buckets.delete(&bucket).await;
}

async fn clause_2_an_absent_bucket_is_none(subject: Subject) {
    let (name, buckets) = of(&subject, "absent");
    let request = platform_sdk::provider::Request { id: name, inputs: None, outputs: None };
    assert!(buckets.driver.read(&request).await.expect("absence is no error").is_none());
}

async fn clause_4_each_field_updates_alone(subject: Subject) {
    let (name, buckets) = of(&subject, "raw");
    let mut bucket = buckets.create(full(&name)).await;
    let see = |operation: &str| subject.boto.call("s3", operation, json!({"Bucket": name}));

    buckets.update(&mut bucket, full(&name).versioning(false), &["versioning"]).await;
    assert_eq!(see("get_bucket_versioning")["Status"], "Suspended", "on once, it can only be suspended");
    buckets.update(&mut bucket, full(&name).versioning(true), &["versioning"]).await;
    assert_eq!(see("get_bucket_versioning")["Status"], "Enabled");

    let plain = full(&name).encryption(Encryption::sse_s3());
    buckets.update(&mut bucket, plain, &["encryption.algorithm", "encryption.kms_key", "encryption.bucket_key"]).await;
    let rule = &see("get_bucket_encryption")["ServerSideEncryptionConfiguration"]["Rules"][0];
    assert_eq!(rule["ApplyServerSideEncryptionByDefault"], json!({"SSEAlgorithm": "AES256"}));
    assert_eq!(rule["BucketKeyEnabled"], false);

    let open = full(&name).encryption(Encryption::sse_s3()).public_access_block(PublicAccessBlock::none());
    let path = ["public_access_block.block_public_acls", "public_access_block.ignore_public_acls"];
    buckets.update(&mut bucket, open, &path).await;
    let shut = see("get_public_access_block")["PublicAccessBlockConfiguration"].clone();
    assert!(shut.as_object().expect("an object").values().all(|value| value == false), "{shut}");

    let tagged = full(&name).encryption(Encryption::sse_s3()).public_access_block(PublicAccessBlock::none());
    let tagged = tagged.tags([("team", "lake"), ("cost", "7")]);
    buckets.update(&mut bucket, tagged, &["tags.team", "tags.cost", "tags.stage"]).await;
    assert_eq!(tags(&subject, &name), json!({"team": "lake", "cost": "7"}));
}

async fn clause_4_what_was_dropped_goes_back_to_its_default(subject: Subject) {
    let (name, buckets) = of(&subject, "raw");
    let mut bucket = buckets.create(full(&name)).await;
    let paths = ["versioning", "encryption", "public_access_block", "tags"];
    buckets.update(&mut bucket, Bucket::new(name.as_str()), &paths).await;
    let seen = buckets.read(&bucket).await.expect("it is there").inputs.plain().expect("known");
    assert_eq!(seen["versioning"], false);
    assert_eq!(seen["encryption"], json!({"algorithm": "AES256", "bucket_key": false}));
    assert_eq!(seen["public_access_block"]["block_public_policy"], true);
    assert_eq!(seen["tags"], json!({}));
}

async fn clause_5_a_bucket_with_objects_is_only_deleted_by_force(subject: Subject) {
    let (name, buckets) = of(&subject, "raw");
    let bucket = buckets.create(full(&name).encryption(Encryption::sse_s3())).await;
    for body in ["1", "2"] {
        subject.boto.must("s3", "put_object", json!({"Bucket": name, "Key": "orders/a b.csv", "Body": body}));
    }
    subject.boto.must("s3", "put_object", json!({"Bucket": name, "Key": "customers.csv", "Body": "3"}));
    subject.boto.must("s3", "delete_object", json!({"Bucket": name, "Key": "customers.csv"}));
    let contents = buckets.driver.contents(&bucket.id).await.expect("contents");
    let ids: Vec<&str> = contents.iter().map(|content| content.id.as_str()).collect();
    assert_eq!(ids, [format!("s3://{name}/customers.csv"), format!("s3://{name}/orders/a b.csv")]);
    assert_eq!(buckets.refusal_to_delete(&bucket).await, ErrorKind::Conflict);
    buckets.force_delete(&bucket).await;
    assert_eq!(subject.boto.call("s3", "head_bucket", json!({"Bucket": name}))["error"], "404");
    buckets.force_delete(&bucket).await;
}

async fn clause_6_a_second_create_is_refused(subject: Subject) {
    let (name, buckets) = of(&subject, "raw");
    buckets.create(Bucket::new(name.as_str())).await;
    assert_eq!(buckets.refusal_to_create(Bucket::new(name.as_str())).await, ErrorKind::AlreadyExists);
    let (first, _) = of(&subject, "first");
    buckets.create(Bucket::new(first.as_str()).region("us-east-1")).await;
    let again = Bucket::new(first.as_str()).region("us-east-1");
    assert_eq!(buckets.refusal_to_create(again).await, ErrorKind::AlreadyExists, "S3 itself would say yes there");
}

async fn clause_8_fields_that_cannot_change_are_marked(subject: Subject) {
    let schema = subject.driver::<Bucket>().driver.schema();
    let replaced: Vec<&str> = schema.fields().iter().filter(|field| field.replace).map(|field| field.name).collect();
    assert_eq!(replaced, ["name", "region"]);
    assert!(schema.data.is_some());
}

async fn clause_10_changes_behind_our_back_are_seen(subject: Subject) {
    let (name, buckets) = of(&subject, "raw");
    let mut bucket = buckets.create(full(&name)).await;
    let change = |operation: &str, mut arguments: Value| {
        arguments["Bucket"] = name.clone().into();
        subject.boto.must("s3", operation, arguments);
    };
    change("put_bucket_versioning", json!({"VersioningConfiguration": {"Status": "Suspended"}}));
    assert_eq!(buckets.drift(&bucket).await, json!({"versioning": false}));
    buckets.update(&mut bucket, full(&name), &["versioning"]).await;

    change("put_bucket_tagging", json!({"Tagging": {"TagSet": [{"Key": "team", "Value": "else"}]}}));
    assert_eq!(buckets.drift(&bucket).await, json!({"tags": {"team": "else"}}));
    buckets.update(&mut bucket, full(&name), &["tags.team", "tags.stage"]).await;

    change("delete_public_access_block", json!({}));
    assert_eq!(buckets.drift(&bucket).await["public_access_block"]["block_public_acls"], false);
    buckets.update(&mut bucket, full(&name), &["public_access_block"]).await;

    let rule = json!({"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}});
    change("put_bucket_encryption", json!({"ServerSideEncryptionConfiguration": {"Rules": [rule]}}));
    assert_eq!(buckets.drift(&bucket).await["encryption"]["algorithm"], "AES256");
    let paths = ["encryption.algorithm", "encryption.kms_key", "encryption.bucket_key"];
    buckets.update(&mut bucket, full(&name), &paths).await;

    change("delete_bucket", json!({}));
    assert!(buckets.read(&bucket).await.is_none());
}

async fn clauses_5_and_1_deleted_and_made_again(subject: Subject) {
    let (name, buckets) = of(&subject, "raw");
    let bucket = buckets.create(full(&name)).await;
    buckets.delete(&bucket).await;
    let bucket = buckets.create(full(&name)).await;
    buckets.delete(&bucket).await;
}
