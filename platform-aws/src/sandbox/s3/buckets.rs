//! Buckets: create, find, list, delete.

use platform_sdk::sandbox::{Response, World};
use serde::{Deserialize, Serialize};

use super::{
    Outcome,
    call::{Call, malformed_xml},
    encryption::{self, Encryption},
    names,
    settings::PublicAccessBlock,
    tagging, xml,
};
use crate::{
    arn,
    sandbox::{ACCOUNT, clock, problem::Problem, xml::Xml},
};

const BUCKETS: &str = "s3/buckets/";

/// A bucket with its settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Bucket {
    pub(super) name: String,
    pub(super) region: String,
    pub(super) created_ms: u64,
    /// `Enabled` or `Suspended`; never set: nothing.
    pub(super) versioning: Option<String>,
    #[serde(deserialize_with = "encryption::or_default")]
    pub(super) encryption: Encryption,
    pub(super) public_access_block: Option<PublicAccessBlock>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) policy: Option<String>,
    pub(super) ownership: Option<String>,
}

impl Bucket {
    pub(super) fn by_name(world: &World, name: &str) -> Option<Self> {
        world.get(&format!("{BUCKETS}{name}")).map(Self::of)
    }

    fn of(document: &serde_json::Value) -> Self {
        Self::deserialize(document).expect("the sandbox wrote this bucket itself")
    }

    pub(super) fn save(&self, world: &mut World) {
        let document = serde_json::to_value(self).expect("a bucket is plain data");
        world.put(format!("{BUCKETS}{}", self.name), document);
    }

    /// What the keys of this bucket's objects start with.
    pub(super) fn objects(&self) -> String {
        format!("s3/objects/{}/", self.name)
    }
}

pub(super) fn create(call: &Call<'_>, world: &mut World) -> Outcome {
    let wanted = Wanted::of(call)?;
    names::check(&call.bucket)?;
    if names::is_foreign(&call.bucket) {
        let message = "The requested bucket name is not available. The bucket namespace is shared by all users of the \
                       system. Please select a different name and try again.";
        return Err(Problem::new(409, "BucketAlreadyExists", message).detail("BucketName", &call.bucket));
    }
    match Bucket::by_name(world, &call.bucket) {
        // As S3 documents it: creating one's own bucket again succeeds in us-east-1 and nowhere else.
        Some(there) if there.region == "us-east-1" && call.region == "us-east-1" => {}
        Some(_) => {
            let message = "Your previous request to create the named bucket succeeded and you already own it.";
            return Err(Problem::new(409, "BucketAlreadyOwnedByYou", message).detail("BucketName", &call.bucket));
        }
        None => new_bucket(call, wanted, world.now_ms()).save(world),
    }
    Ok(Response::empty(200).header("location", format!("/{}", call.bucket)))
}

/// A new bucket as S3 makes them since April 2023: no ACLs, nothing public.
fn new_bucket(call: &Call<'_>, wanted: Wanted, created_ms: u64) -> Bucket {
    Bucket {
        name: call.bucket.clone(),
        region: wanted.region,
        created_ms,
        versioning: None,
        encryption: Encryption::default(),
        public_access_block: Some(PublicAccessBlock::ALL),
        tags: wanted.tags,
        policy: None,
        ownership: Some(wanted.ownership),
    }
}

/// What a request to create a bucket asks for.
struct Wanted {
    region: String,
    tags: Vec<(String, String)>,
    ownership: String,
}

impl Wanted {
    fn of(call: &Call<'_>) -> Result<Self, Problem> {
        if call.request.header("x-amz-bucket-object-lock-enabled").is_some_and(|value| value != "false") {
            return Err(Problem::new(501, "NotImplemented", "Object Lock is not implemented by the sandbox"));
        }
        if call.request.header("x-amz-acl").is_some_and(|acl| acl != "private") {
            let message = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
            return Err(Problem::new(400, "InvalidBucketAclWithObjectOwnership", message));
        }
        let ownership = call.request.header("x-amz-object-ownership").unwrap_or("BucketOwnerEnforced").to_owned();
        super::settings::check_ownership(&ownership)?;
        if call.request.body.is_empty() {
            return Ok(Self { region: region(call.region, None)?, tags: Vec::new(), ownership });
        }
        let body = call.xml("CreateBucketConfiguration")?;
        body.allows(&["LocationConstraint", "Tags"], &[]).map_err(|_| malformed_xml())?;
        let tags = body.child("Tags").map_or(Ok(Vec::new()), tagging::tags)?;
        let constraint = body.child_text("LocationConstraint").filter(|constraint| !constraint.is_empty());
        Ok(Self { region: region(call.region, constraint)?, tags, ownership })
    }
}

/// The region of a new bucket: what is asked for must be where it is asked.
fn region(endpoint: &str, constraint: Option<&str>) -> Result<String, Problem> {
    let constraint = constraint.map(|constraint| if constraint == "EU" { "eu-west-1" } else { constraint });
    match constraint {
        None if endpoint == "us-east-1" => Ok("us-east-1".into()),
        Some(wanted) if wanted == "us-east-1" || !names::is_region(wanted) => {
            let message = "The specified location-constraint is not valid";
            Err(Problem::new(400, "InvalidLocationConstraint", message).detail("LocationConstraint", wanted))
        }
        Some(wanted) if wanted == endpoint || endpoint == "us-east-1" => Ok(wanted.to_owned()),
        other => {
            let message = format!(
                "The {} location constraint is incompatible for the region specific endpoint this request was sent to.",
                other.unwrap_or("unspecified")
            );
            Err(Problem::new(400, "IllegalLocationConstraintException", message))
        }
    }
}

pub(super) fn head(call: &Call<'_>, world: &mut World) -> Outcome {
    let bucket = call.bucket(world)?;
    Ok(Response::empty(200)
        .header("x-amz-bucket-region", bucket.region)
        .header("x-amz-access-point-alias", "false")
        .header("content-type", "application/xml"))
}

pub(super) fn location(call: &Call<'_>, world: &mut World) -> Outcome {
    // The global endpoint tells the location of any bucket: that is how clients find where to go.
    let bucket = if call.region == "us-east-1" { call.bucket_anywhere(world)? } else { call.bucket(world)? };
    let constraint = if bucket.region == "us-east-1" { "" } else { bucket.region.as_str() };
    let mut answer = Xml::default();
    answer.element_of("LocationConstraint", super::NAMESPACE, |into| {
        into.content(constraint);
    });
    Ok(Response::xml(200, answer.into_document()))
}

pub(super) fn delete(call: &Call<'_>, world: &mut World) -> Outcome {
    let bucket = call.bucket(world)?;
    if world.list(&bucket.objects()).next().is_some() {
        let message = match bucket.versioning {
            Some(_) => "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
            None => "The bucket you tried to delete is not empty",
        };
        return Err(Problem::new(409, "BucketNotEmpty", message).detail("BucketName", &bucket.name));
    }
    world.remove(&format!("{BUCKETS}{}", bucket.name));
    Ok(Response::empty(204))
}

pub(super) fn list(call: &Call<'_>, world: &mut World) -> Outcome {
    let query = |name| call.request.query(name);
    let most = match query("max-buckets").map(str::parse::<usize>) {
        None => 10_000,
        Some(Ok(most)) if (1..=10_000).contains(&most) => most,
        Some(_) => return Err(Problem::new(400, "InvalidArgument", "max-buckets must be from 1 to 10000")),
    };
    let prefix = query("prefix").unwrap_or_default();
    let after = query("continuation-token");
    let mut buckets = world
        .list(BUCKETS)
        .map(|(_, document)| Bucket::of(document))
        .filter(|bucket| bucket.name.starts_with(prefix))
        .filter(|bucket| query("bucket-region").is_none_or(|region| bucket.region == region))
        .filter(|bucket| after.is_none_or(|after| bucket.name.as_str() > after))
        .peekable();
    Ok(xml("ListAllMyBucketsResult", |answer| {
        answer.element("Owner", owner);
        let mut last = String::new();
        answer.element("Buckets", |list| {
            for bucket in buckets.by_ref().take(most) {
                list.element("Bucket", |into| {
                    into.text("Name", &bucket.name).text("CreationDate", clock::milliseconds(bucket.created_ms));
                    into.text("BucketRegion", &bucket.region)
                        .text("BucketArn", format!("arn:{}:s3:::{}", arn::of_region(&bucket.region), bucket.name));
                });
                last = bucket.name;
            }
        });
        answer.maybe("ContinuationToken", buckets.peek().map(|_| last)).maybe("Prefix", query("prefix"));
    }))
}

/// The content of an `Owner` element: the account's canonical id.
pub(super) fn owner(into: &mut Xml) {
    into.text("ID", format!("{ACCOUNT:0>64}"));
}
