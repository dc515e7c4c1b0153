//! A bucket's versioning, public access block, ownership and policy.

use platform_sdk::sandbox::{Response, World};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Outcome,
    buckets::Bucket,
    call::{Call, malformed_xml},
    xml,
};
use crate::{
    arn::of_region,
    sandbox::{iam::one_or_many, problem::Problem},
};

/// What a bucket keeps from becoming public.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "these are S3's four switches")]
pub(super) struct PublicAccessBlock {
    block_public_acls: bool,
    ignore_public_acls: bool,
    block_public_policy: bool,
    restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    /// What new buckets have.
    pub(super) const ALL: Self = Self {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };
}

pub(super) fn versioning(call: &Call<'_>, world: &mut World) -> Outcome {
    let bucket = call.bucket(world)?;
    Ok(xml("VersioningConfiguration", |answer| {
        answer.maybe("Status", bucket.versioning);
    }))
}

pub(super) fn put_versioning(call: &Call<'_>, world: &mut World) -> Outcome {
    let mut bucket = call.bucket(world)?;
    let body = call.xml("VersioningConfiguration")?;
    body.allows(&["Status", "MfaDelete"], &[]).map_err(|_| malformed_xml())?;
    if body.child_text("MfaDelete").is_some_and(|mfa| mfa != "Disabled") {
        return Err(Problem::new(501, "NotImplemented", "MFA delete is not implemented by the sandbox"));
    }
    match body.child_text("Status") {
        Some(status @ ("Enabled" | "Suspended")) => bucket.versioning = Some(status.to_owned()),
        Some(_) => return Err(malformed_xml()),
        None => {
            let message = "The Versioning element must be specified";
            return Err(Problem::new(400, "IllegalVersioningConfigurationException", message));
        }
    }
    bucket.save(world);
    Ok(Response::empty(200))
}

pub(super) fn public_access_block(call: &Call<'_>, world: &mut World) -> Outcome {
    let block = call.bucket(world)?.public_access_block.ok_or_else(|| {
        let message = "The public access block configuration was not found";
        Problem::new(404, "NoSuchPublicAccessBlockConfiguration", message).detail("BucketName", &call.bucket)
    })?;
    Ok(xml("PublicAccessBlockConfiguration", |answer| {
        answer.text("BlockPublicAcls", block.block_public_acls).text("IgnorePublicAcls", block.ignore_public_acls);
        answer.text("BlockPublicPolicy", block.block_public_policy);
        answer.text("RestrictPublicBuckets", block.restrict_public_buckets);
    }))
}

pub(super) fn put_public_access_block(call: &Call<'_>, world: &mut World) -> Outcome {
    let bucket = call.bucket(world)?;
    let body = call.xml("PublicAccessBlockConfiguration")?;
    body.allows(&["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"], &[])
        .map_err(|_| malformed_xml())?;
    let switch = |name| match body.child_text(name).map(str::to_ascii_lowercase).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(malformed_xml()),
    };
    let block = PublicAccessBlock {
        block_public_acls: switch("BlockPublicAcls")?,
        ignore_public_acls: switch("IgnorePublicAcls")?,
        block_public_policy: switch("BlockPublicPolicy")?,
        restrict_public_buckets: switch("RestrictPublicBuckets")?,
    };
    Bucket { public_access_block: Some(block), ..bucket }.save(world);
    Ok(Response::empty(200))
}

pub(super) fn delete_public_access_block(call: &Call<'_>, world: &mut World) -> Outcome {
    Bucket { public_access_block: None, ..call.bucket(world)? }.save(world);
    Ok(Response::empty(204))
}

pub(super) fn ownership(call: &Call<'_>, world: &mut World) -> Outcome {
    let ownership = call.bucket(world)?.ownership.ok_or_else(|| {
        let message = "The bucket ownership controls were not found";
        Problem::new(404, "OwnershipControlsNotFoundError", message).detail("BucketName", &call.bucket)
    })?;
    Ok(xml("OwnershipControls", |answer| {
        answer.element("Rule", |rule| {
            rule.text("ObjectOwnership", ownership);
        });
    }))
}

pub(super) fn put_ownership(call: &Call<'_>, world: &mut World) -> Outcome {
    let bucket = call.bucket(world)?;
    let body = call.xml("OwnershipControls")?;
    body.allows(&["Rule"], &[]).map_err(|_| malformed_xml())?;
    let rule = body.child("Rule").ok_or_else(malformed_xml)?;
    rule.allows(&["ObjectOwnership"], &[]).map_err(|_| malformed_xml())?;
    let ownership = rule.child_text("ObjectOwnership").unwrap_or_default();
    check_ownership(ownership)?;
    Bucket { ownership: Some(ownership.to_owned()), ..bucket }.save(world);
    Ok(Response::empty(200))
}

pub(super) fn check_ownership(ownership: &str) -> Result<(), Problem> {
    match ownership {
        "BucketOwnerEnforced" | "BucketOwnerPreferred" | "ObjectWriter" => Ok(()),
        _ => Err(malformed_xml()),
    }
}

pub(super) fn delete_ownership(call: &Call<'_>, world: &mut World) -> Outcome {
    Bucket { ownership: None, ..call.bucket(world)? }.save(world);
    Ok(Response::empty(204))
}

pub(super) fn policy(call: &Call<'_>, world: &mut World) -> Outcome {
    let policy = call.bucket(world)?.policy.ok_or_else(|| {
        let message = "The bucket policy does not exist";
        Problem::new(404, "NoSuchBucketPolicy", message).detail("BucketName", &call.bucket)
    })?;
    Ok(Response { body: policy.into_bytes(), ..Response::empty(200) }.header("content-type", "application/json"))
}

pub(super) fn put_policy(call: &Call<'_>, world: &mut World) -> Outcome {
    let bucket = call.bucket(world)?;
    let body = super::content::body(call.request)?;
    let malformed = |message: &str| Problem::new(400, "MalformedPolicy", message);
    let text = String::from_utf8(body).map_err(|_| malformed("Policies must be valid JSON"))?;
    let policy: Value = serde_json::from_str(&text)
        .map_err(|_| malformed("Policies must be valid JSON and the first byte must be '{'"))?;
    let statements = one_or_many(&policy["Statement"]);
    if statements.is_empty() {
        return Err(malformed("Missing required field Statement"));
    }
    for statement in &statements {
        check_statement(statement, &bucket).map_err(malformed)?;
    }
    let blocks = bucket.public_access_block.is_some_and(|block| block.block_public_policy);
    if blocks && statements.iter().any(|statement| is_public(statement)) {
        let message = "public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access";
        return Err(Problem::new(403, "AccessDenied", message));
    }
    Bucket { policy: Some(text), ..bucket }.save(world);
    Ok(Response::empty(204))
}

pub(super) fn delete_policy(call: &Call<'_>, world: &mut World) -> Outcome {
    Bucket { policy: None, ..call.bucket(world)? }.save(world);
    Ok(Response::empty(204))
}

fn check_statement(statement: &Value, bucket: &Bucket) -> Result<(), &'static str> {
    let arn = format!("arn:{}:s3:::{}", of_region(&bucket.region), bucket.name);
    let inside = |resource: &Value| {
        resource
            .as_str()
            .and_then(|text| text.strip_prefix(&arn))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if statement["Effect"] != "Allow" && statement["Effect"] != "Deny" {
        return Err("Missing required field Effect");
    }
    if statement.get("Principal").or(statement.get("NotPrincipal")).is_none() {
        return Err("Missing required field Principal");
    }
    if statement.get("Action").or(statement.get("NotAction")).is_none() {
        return Err("Missing required field Action");
    }
    match statement.get("Resource").or(statement.get("NotResource")) {
        None => Err("Missing required field Resource"),
        Some(resource) if one_or_many(resource).into_iter().all(inside) => Ok(()),
        Some(_) => Err("Policy has invalid resource"),
    }
}

/// Whether a statement lets everybody in. Any condition counts as narrowing, which is milder than S3.
fn is_public(statement: &Value) -> bool {
    let principal = &statement["Principal"];
    let everybody = principal == "*" || one_or_many(&principal["AWS"]).into_iter().any(|who| who == "*");
    statement["Effect"] == "Allow" && everybody && statement.get("Condition").is_none()
}
