//! S3: buckets, their settings, and objects with versions; REST with XML bodies, path style and virtual-host style.

mod buckets;
mod call;
mod content;
mod deletions;
mod digest;
mod encryption;
mod listing;
mod names;
mod objects;
mod settings;
mod tagging;
mod versions;

use platform_sdk::sandbox::{Request, Response, World};

use self::call::Call;
use super::{auth::Caller, problem::Problem, xml::Xml};

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

type Outcome = Result<Response, Problem>;

/// One operation: when it is meant, which query parameters it knows, and what it does.
struct Operation {
    method: &'static str,
    /// The query parameter that makes it this operation, or none.
    resource: Option<&'static str>,
    params: &'static [&'static str],
    run: fn(&Call<'_>, &mut World) -> Outcome,
}

const fn operation(
    method: &'static str,
    resource: Option<&'static str>,
    params: &'static [&'static str],
    run: fn(&Call<'_>, &mut World) -> Outcome,
) -> Operation {
    Operation { method, resource, params, run }
}

const OF_SERVICE: &[Operation] =
    &[operation("GET", None, &["bucket-region", "continuation-token", "max-buckets", "prefix"], buckets::list)];

const OF_BUCKET: &[Operation] = &[
    operation("DELETE", Some("encryption"), &[], encryption::delete),
    operation("DELETE", Some("ownershipControls"), &[], settings::delete_ownership),
    operation("DELETE", Some("policy"), &[], settings::delete_policy),
    operation("DELETE", Some("publicAccessBlock"), &[], settings::delete_public_access_block),
    operation("DELETE", Some("tagging"), &[], tagging::delete),
    operation("GET", Some("encryption"), &[], encryption::get),
    operation("GET", Some("list-type"), LIST_PARAMS, listing::objects),
    operation("GET", Some("location"), &[], buckets::location),
    operation("GET", Some("ownershipControls"), &[], settings::ownership),
    operation("GET", Some("policy"), &[], settings::policy),
    operation("GET", Some("publicAccessBlock"), &[], settings::public_access_block),
    operation("GET", Some("tagging"), &[], tagging::get),
    operation("GET", Some("versioning"), &[], settings::versioning),
    operation("GET", Some("versions"), VERSIONS_PARAMS, listing::versions),
    operation("POST", Some("delete"), &[], deletions::many),
    operation("PUT", Some("encryption"), &[], encryption::put),
    operation("PUT", Some("ownershipControls"), &[], settings::put_ownership),
    operation("PUT", Some("policy"), &[], settings::put_policy),
    operation("PUT", Some("publicAccessBlock"), &[], settings::put_public_access_block),
    operation("PUT", Some("tagging"), &[], tagging::put),
    operation("PUT", Some("versioning"), &[], settings::put_versioning),
    operation("DELETE", None, &[], buckets::delete),
    operation("GET", None, &["delimiter", "encoding-type", "marker", "max-keys", "prefix"], listing::objects_by_marker),
    operation("HEAD", None, &[], buckets::head),
    operation("PUT", None, &[], buckets::create),
];

const LIST_PARAMS: &[&str] =
    &["continuation-token", "delimiter", "encoding-type", "fetch-owner", "max-keys", "prefix", "start-after"];
const VERSIONS_PARAMS: &[&str] =
    &["delimiter", "encoding-type", "key-marker", "max-keys", "prefix", "version-id-marker"];

const OF_OBJECT: &[Operation] = &[
    operation("DELETE", None, &["versionId"], deletions::one),
    operation("GET", None, &["partNumber", "versionId"], objects::get),
    operation("HEAD", None, &["partNumber", "versionId"], objects::get),
    operation("PUT", None, &[], objects::put),
];

/// Sub-resources that S3 has, served or not: naming one selects an operation.
const RESOURCES: &[&str] = &[
    "abac",
    "accelerate",
    "acl",
    "analytics",
    "attributes",
    "cors",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "list-type",
    "location",
    "logging",
    "metadataConfiguration",
    "metadataTable",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "renameObject",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "session",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versioning",
    "versions",
    "website",
];

pub(super) fn handle(request: &Request, caller: &Caller, world: &mut World) -> Outcome {
    let call = Call::of(request, caller)?;
    let operations = match (call.bucket.is_empty(), call.key.is_empty()) {
        (true, _) => OF_SERVICE,
        (false, true) => OF_BUCKET,
        (false, false) => OF_OBJECT,
    };
    let resource = call.query().map(|(name, _)| name).find(|name| RESOURCES.contains(name));
    let Some(operation) = operations.iter().find(|op| op.method == request.method && op.resource == resource) else {
        return Err(not_served(&request.method, resource));
    };
    let known = |name: &str| operation.params.contains(&name) || Some(name) == operation.resource;
    if let Some((unknown, value)) = call.query().find(|(name, _)| !known(name)) {
        return Err(Problem::new(400, "InvalidArgument", format!("Query parameter {unknown} is not known here"))
            .detail("ArgumentName", unknown)
            .detail("ArgumentValue", value));
    }
    (operation.run)(&call, world)
}

fn not_served(method: &str, resource: Option<&str>) -> Problem {
    if let Some(resource) = resource {
        let message = "A header or query you provided requested a function that is not implemented.";
        return Problem::new(501, "NotImplemented", message).detail("ResourceType", resource);
    }
    let message = "The specified method is not allowed against this resource.";
    Problem::new(405, "MethodNotAllowed", message).detail("Method", method)
}

/// Whether a request's body is data rather than a setting.
pub(super) fn is_about_content(request: &Request) -> bool {
    Call::address(request).is_ok_and(|(_, key)| !key.is_empty())
}

/// An XML answer whose root is in S3's namespace.
fn xml(root: &str, fill: impl FnOnce(&mut Xml)) -> Response {
    let mut answer = Xml::default();
    answer.element_of(root, NAMESPACE, fill);
    Response::xml(200, answer.into_document())
}
