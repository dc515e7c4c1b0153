//! Deleting objects, one or many: for good, or with a marker where the bucket keeps versions.

use platform_sdk::sandbox::{Response, World};

use super::{
    Outcome,
    buckets::Bucket,
    call::{Call, malformed_xml},
    versions::{self, Content, Object, Version},
    xml,
};
use crate::sandbox::{problem::Problem, xml::Element};

/// What a deletion did.
#[derive(Debug, Default)]
struct Deleted {
    /// The version that is gone, or the marker that was made.
    version: Option<String>,
    /// Whether that is a delete marker.
    marker: bool,
}

pub(super) fn one(call: &Call<'_>, world: &mut World) -> Outcome {
    let bucket = call.bucket(world)?;
    let deleted = delete(world, &bucket, &call.key, call.request.query("versionId"));
    let mut response = Response::empty(204);
    if deleted.marker {
        response = response.header("x-amz-delete-marker", "true");
    }
    match deleted.version {
        Some(id) if bucket.versioning.is_some() => Ok(response.header("x-amz-version-id", id)),
        _ => Ok(response),
    }
}

pub(super) fn many(call: &Call<'_>, world: &mut World) -> Outcome {
    let bucket = call.bucket(world)?;
    let checksum = |name: &str| name == "content-md5" || name.starts_with("x-amz-checksum-") || name == "x-amz-trailer";
    if !call.request.headers.keys().any(|name| checksum(name)) {
        let message = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
        return Err(Problem::new(400, "InvalidRequest", message));
    }
    let body = call.xml("Delete")?;
    body.allows(&["Quiet"], &["Object"]).map_err(|_| malformed_xml())?;
    let objects = body.children("Object").map(named).collect::<Result<Vec<_>, _>>()?;
    if !(1..=1_000).contains(&objects.len()) {
        return Err(malformed_xml());
    }
    let quiet = body.child_text("Quiet") == Some("true");
    let deleted: Vec<_> =
        objects.iter().map(|(key, version)| (key, version, delete(world, &bucket, key, *version))).collect();
    Ok(xml("DeleteResult", |answer| {
        for (key, asked, deleted) in deleted.iter().filter(|_| !quiet) {
            answer.element("Deleted", |into| {
                into.text("Key", key).maybe("VersionId", asked.as_ref());
                if deleted.marker {
                    into.text("DeleteMarker", true).maybe("DeleteMarkerVersionId", deleted.version.as_ref());
                }
            });
        }
    }))
}

fn named(object: &Element) -> Result<(&str, Option<&str>), Problem> {
    object.allows(&["Key", "VersionId"], &[]).map_err(|_| malformed_xml())?;
    let key = object.child("Key").map(|key| key.text.as_str()).filter(|key| !key.is_empty());
    Ok((key.ok_or_else(malformed_xml)?, object.child_text("VersionId")))
}

fn delete(world: &mut World, bucket: &Bucket, key: &str, version: Option<&str>) -> Deleted {
    let mut object = Object::get_or_new(world, bucket, key);
    if let Some(id) = version {
        let gone = object.versions.iter().position(|version| version.id == id).map(|at| object.versions.remove(at));
        object.save(world, bucket);
        let marker = gone.is_some_and(|version| version.delete_marker);
        return Deleted { version: Some(id.to_owned()), marker };
    }
    if bucket.versioning.is_none() {
        object.versions.clear();
        object.save(world, bucket);
        return Deleted::default();
    }
    let id = versions::next_id(world, bucket);
    object.add(Version {
        id: id.clone(),
        at_ms: world.now_ms(),
        delete_marker: true,
        etag: String::new(),
        size: 0,
        content: Content::Text(String::new()),
        headers: std::collections::BTreeMap::default(),
    });
    object.save(world, bucket);
    Deleted { version: Some(id), marker: true }
}
