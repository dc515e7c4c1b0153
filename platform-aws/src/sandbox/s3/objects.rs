//! Objects: put, get, head.

use std::{collections::BTreeMap, ops::Range};

use platform_sdk::sandbox::{Request, Response, World};

use super::{
    Outcome,
    buckets::Bucket,
    call::Call,
    content, digest,
    versions::{self, Content, Object, Version},
};
use crate::sandbox::{clock, problem::Problem};

/// Headers that an object keeps and a read gives back, besides `x-amz-meta-*`.
const KEPT: &[&str] =
    &["cache-control", "content-disposition", "content-language", "content-type", "expires", "x-amz-storage-class"];

pub(super) fn put(call: &Call<'_>, world: &mut World) -> Outcome {
    if call.request.header("x-amz-copy-source").is_some() {
        let message = "A header you provided implies functionality that is not implemented";
        return Err(Problem::new(501, "NotImplemented", message).detail("Header", "x-amz-copy-source"));
    }
    if call.key.len() > 1_024 {
        return Err(Problem::new(400, "KeyTooLongError", "Your key is too long"));
    }
    let bucket = call.bucket(world)?;
    let bytes = content::body(call.request)?;
    let mut object = Object::get_or_new(world, &bucket, &call.key);
    check_write(call, object.current())?;
    let version = Version {
        id: versions::next_id(world, &bucket),
        at_ms: world.now_ms(),
        delete_marker: false,
        etag: format!("\"{}\"", digest::hex(&digest::md5(&bytes))),
        size: bytes.len(),
        content: Content::of(bytes),
        headers: kept_headers(call.request),
    };
    let mut response = encrypted(Response::empty(200), &bucket).header("etag", &version.etag);
    if let Some((name, id)) = versions::header(&bucket, &version.id) {
        response = response.header(name, id);
    }
    object.add(version);
    object.save(world, &bucket);
    Ok(response)
}

pub(super) fn get(call: &Call<'_>, world: &mut World) -> Outcome {
    let bucket = call.bucket(world)?;
    let object = Object::get(world, &bucket, &call.key).ok_or_else(|| gone(call))?;
    let version = match call.request.query("versionId") {
        Some(id) => object.versions.iter().find(|version| version.id == id).ok_or_else(|| {
            let message = "The specified version does not exist.";
            Problem::new(404, "NoSuchVersion", message).detail("Key", &call.key).detail("VersionId", id)
        })?,
        None => object.versions.first().ok_or_else(|| gone(call))?,
    };
    if version.delete_marker {
        return Err(marked(call, version));
    }
    check_read(call, version)?;
    let mut response = encrypted(Response::empty(200), &bucket)
        .header("etag", &version.etag)
        .header("last-modified", clock::header(version.at_ms))
        .header("accept-ranges", "bytes");
    for (name, value) in &version.headers {
        response = response.header(name, value);
    }
    if let Some((name, id)) = versions::header(&bucket, &version.id) {
        response = response.header(name, id);
    }
    let bytes = version.content.clone().into_bytes();
    let bytes = match range(call.request, bytes.len())? {
        Some(range) => {
            response.status = 206;
            let last = range.end - 1;
            response = response.header("content-range", format!("bytes {}-{last}/{}", range.start, bytes.len()));
            bytes[range].to_vec()
        }
        None => bytes,
    };
    if call.request.method == "HEAD" {
        return Ok(response.header("content-length", bytes.len().to_string()));
    }
    Ok(Response { body: bytes, ..response })
}

fn kept_headers(request: &Request) -> BTreeMap<String, String> {
    let kept = |name: &str| KEPT.contains(&name) || name.starts_with("x-amz-meta-");
    let mut headers: BTreeMap<String, String> =
        request.headers.iter().filter(|(name, _)| kept(name)).map(|(n, v)| (n.clone(), v.clone())).collect();
    headers.entry("content-type".into()).or_insert_with(|| "binary/octet-stream".into());
    if let Some(encoding) = request.header("content-encoding").and_then(content::kept_encoding) {
        headers.insert("content-encoding".into(), encoding.into_owned());
    }
    headers
}

fn encrypted(response: Response, bucket: &Bucket) -> Response {
    let rule = bucket.encryption.clone();
    let response = response.header("x-amz-server-side-encryption", rule.algorithm);
    match rule.key {
        Some(key) => response.header("x-amz-server-side-encryption-aws-kms-key-id", key),
        None => response,
    }
}

/// `If-None-Match: *` writes only what is not there, `If-Match` only over what the client has seen.
fn check_write(call: &Call<'_>, current: Option<&Version>) -> Result<(), Problem> {
    let failed = |condition: &str| {
        let message = "At least one of the pre-conditions you specified did not hold";
        Err(Problem::new(412, "PreconditionFailed", message).detail("Condition", condition))
    };
    match (call.request.header("if-none-match"), current) {
        (Some("*"), Some(_)) => return failed("If-None-Match"),
        (Some(other), _) if other != "*" => {
            let message = "A header you provided implies functionality that is not implemented";
            return Err(Problem::new(501, "NotImplemented", message).detail("Header", "If-None-Match"));
        }
        _ => {}
    }
    match (call.request.header("if-match"), current) {
        (Some(_), None) => Err(gone(call)),
        (Some(etag), Some(current)) if !same_etag(etag, &current.etag) => failed("If-Match"),
        _ => Ok(()),
    }
}

fn check_read(call: &Call<'_>, version: &Version) -> Result<(), Problem> {
    let matches = |etag: &str| etag == "*" || same_etag(etag, &version.etag);
    if call.request.header("if-match").is_some_and(|etag| !matches(etag)) {
        let message = "At least one of the pre-conditions you specified did not hold";
        return Err(Problem::new(412, "PreconditionFailed", message).detail("Condition", "If-Match"));
    }
    if call.request.header("if-none-match").is_some_and(matches) {
        return Err(Problem::new(304, "NotModified", "Not Modified").header("etag", &version.etag));
    }
    Ok(())
}

fn same_etag(a: &str, b: &str) -> bool {
    a.trim_matches('"') == b.trim_matches('"')
}

/// The bytes that a `Range` header asks for. One that can't be read is ignored, as HTTP says.
fn range(request: &Request, length: usize) -> Result<Option<Range<usize>>, Problem> {
    let asked = request.header("range").and_then(|range| range.strip_prefix("bytes="));
    let Some((first, last)) = asked.and_then(|range| range.split_once('-')) else { return Ok(None) };
    let range = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) if first <= last => first..length.min(last + 1),
        (Ok(first), Err(_)) if last.is_empty() => first..length,
        (Err(_), Ok(count)) if first.is_empty() => length.saturating_sub(count)..length,
        _ => return Ok(None),
    };
    if range.is_empty() {
        let problem = Problem::new(416, "InvalidRange", "The requested range is not satisfiable");
        return Err(problem.detail("ActualObjectSize", length.to_string()));
    }
    Ok(Some(range))
}

fn gone(call: &Call<'_>) -> Problem {
    Problem::new(404, "NoSuchKey", "The specified key does not exist.").detail("Key", &call.key)
}

/// A delete marker is "not found" for who asks for the object, and "not allowed" for who asks for the marker itself.
fn marked(call: &Call<'_>, marker: &Version) -> Problem {
    let problem = match call.request.query("versionId") {
        Some(_) => {
            let message = "The specified method is not allowed against this resource.";
            Problem::new(405, "MethodNotAllowed", message)
                .detail("ResourceType", "DeleteMarker")
                .header("allow", "DELETE")
        }
        None => gone(call),
    };
    problem.header("x-amz-delete-marker", "true").header("x-amz-version-id", &marker.id)
}
