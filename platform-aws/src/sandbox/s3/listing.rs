//! Lists of objects and of versions: prefix, delimiter, pages.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use platform_sdk::sandbox::World;

use super::{
    Outcome,
    buckets::{Bucket, owner},
    call::Call,
    digest,
    versions::{Object, Version},
    xml,
};
use crate::sandbox::{clock, problem::Problem, xml::Xml};

/// What `encoding-type=url` leaves as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// What all lists are asked with.
struct Asked {
    prefix: String,
    delimiter: Option<String>,
    most: usize,
    encode: bool,
}

impl Asked {
    fn of(call: &Call<'_>) -> Result<Self, Problem> {
        let query = |name| call.request.query(name);
        let invalid = |name: &'static str, value: &str| {
            Problem::new(400, "InvalidArgument", format!("Provided {name} not an integer or within integer range"))
                .detail("ArgumentName", name)
                .detail("ArgumentValue", value)
        };
        let most = query("max-keys").map_or(Ok(1_000), |text| text.parse().map_err(|_| invalid("max-keys", text)))?;
        let encode = match query("encoding-type") {
            None => false,
            Some("url") => true,
            Some(other) => {
                return Err(Problem::new(400, "InvalidArgument", "Invalid Encoding Method specified in Request")
                    .detail("ArgumentName", "encoding-type")
                    .detail("ArgumentValue", other));
            }
        };
        let prefix = query("prefix").unwrap_or_default().to_owned();
        let delimiter = query("delimiter").filter(|delimiter| !delimiter.is_empty()).map(str::to_owned);
        Ok(Self { prefix, delimiter, most: most.min(1_000), encode })
    }

    /// A key as the answer has it.
    fn written(&self, key: &str) -> String {
        if self.encode { utf8_percent_encode(key, ENCODED).to_string() } else { key.to_owned() }
    }

    /// The common prefix that stands for a key, if one does.
    fn common<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter.as_deref()?;
        let at = key[self.prefix.len()..].find(delimiter)?;
        Some(&key[..self.prefix.len() + at + delimiter.len()])
    }

    /// One page of what comes after `start`: keys' items and common prefixes.
    fn page<T>(&self, items: impl IntoIterator<Item = (String, T)>, start: &str) -> Page<T> {
        let mut page = Page { items: Vec::new(), prefixes: Vec::new(), last: None, truncated: false };
        for (key, item) in items {
            let common = self.common(&key);
            // A page that ended with a common prefix is done with all that it stands for.
            if common == Some(start) || common.is_some() && common == page.prefixes.last().map(String::as_str) {
                continue;
            }
            if page.items.len() + page.prefixes.len() == self.most {
                page.truncated = true;
                break;
            }
            page.last = Some(common.unwrap_or(&key).to_owned());
            match common {
                Some(common) => page.prefixes.push(common.to_owned()),
                None => page.items.push(item),
            }
        }
        page
    }

    fn write_prefixes(&self, into: &mut Xml, prefixes: &[String]) {
        for prefix in prefixes {
            into.element("CommonPrefixes", |common| {
                common.text("Prefix", self.written(prefix));
            });
        }
    }

    fn write_question(&self, into: &mut Xml, bucket: &Bucket) {
        into.text("Name", &bucket.name).text("Prefix", self.written(&self.prefix)).text("MaxKeys", self.most);
        into.maybe("Delimiter", self.delimiter.as_deref().map(|delimiter| self.written(delimiter)));
        into.maybe("EncodingType", self.encode.then_some("url"));
    }
}

struct Page<T> {
    items: Vec<T>,
    prefixes: Vec<String>,
    /// The last key or common prefix on the page.
    last: Option<String>,
    truncated: bool,
}

/// ListObjectsV2.
pub(super) fn objects(call: &Call<'_>, world: &mut World) -> Outcome {
    let query = |name| call.request.query(name);
    if query("list-type") != Some("2") {
        return Err(Problem::new(400, "InvalidArgument", "Invalid List Type").detail("ArgumentName", "list-type"));
    }
    let bucket = call.bucket(world)?;
    let asked = Asked::of(call)?;
    let start = match query("continuation-token") {
        Some(token) => digest::unhex(token).and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
            let message = "The continuation token provided is incorrect";
            Problem::new(400, "InvalidArgument", message).detail("ArgumentName", "continuation-token")
        })?,
        None => query("start-after").unwrap_or_default().to_owned(),
    };
    let page = asked.page(live(world, &bucket, &asked.prefix, &start), &start);
    let with_owner = query("fetch-owner") == Some("true");
    Ok(xml("ListBucketResult", |answer| {
        asked.write_question(answer, &bucket);
        answer.maybe("StartAfter", query("start-after").map(|start| asked.written(start)));
        answer.maybe("ContinuationToken", query("continuation-token"));
        answer.text("KeyCount", page.items.len() + page.prefixes.len()).text("IsTruncated", page.truncated);
        let next = page.last.as_ref().filter(|_| page.truncated).map(|last| digest::hex(last.as_bytes()));
        answer.maybe("NextContinuationToken", next);
        page.items.iter().for_each(|object| write_object(answer, &asked, object, with_owner));
        asked.write_prefixes(answer, &page.prefixes);
    }))
}

/// ListObjects, the first version, which boto3's collections still use.
pub(super) fn objects_by_marker(call: &Call<'_>, world: &mut World) -> Outcome {
    let bucket = call.bucket(world)?;
    let asked = Asked::of(call)?;
    let marker = call.request.query("marker").unwrap_or_default();
    let page = asked.page(live(world, &bucket, &asked.prefix, marker), marker);
    Ok(xml("ListBucketResult", |answer| {
        asked.write_question(answer, &bucket);
        answer.text("Marker", asked.written(marker)).text("IsTruncated", page.truncated);
        let next = page.last.as_ref().filter(|_| page.truncated && asked.delimiter.is_some());
        answer.maybe("NextMarker", next.map(|last| asked.written(last)));
        page.items.iter().for_each(|object| write_object(answer, &asked, object, true));
        asked.write_prefixes(answer, &page.prefixes);
    }))
}

/// Objects after `start` whose newest version is no delete marker.
fn live(world: &World, bucket: &Bucket, prefix: &str, start: &str) -> Vec<(String, (String, Version))> {
    let place = bucket.objects() + prefix;
    let objects =
        world.list(&place).map(|(_, document)| Object::of(document)).filter(|object| object.key.as_str() > start);
    let current = objects.filter_map(|object| Some((object.current()?.clone(), object.key)));
    current.map(|(version, key)| (key.clone(), (key, version))).collect()
}

fn write_object(answer: &mut Xml, asked: &Asked, (key, version): &(String, Version), with_owner: bool) {
    answer.element("Contents", |into| {
        into.text("Key", asked.written(key)).text("LastModified", clock::milliseconds(version.at_ms));
        into.text("ETag", &version.etag).text("Size", version.size).text("StorageClass", storage_class(version));
        if with_owner {
            into.element("Owner", owner);
        }
    });
}

/// ListObjectVersions.
pub(super) fn versions(call: &Call<'_>, world: &mut World) -> Outcome {
    let bucket = call.bucket(world)?;
    let asked = Asked::of(call)?;
    let query = |name| call.request.query(name);
    let (key_marker, id_marker) = (query("key-marker").unwrap_or_default(), query("version-id-marker"));
    if id_marker.is_some() && key_marker.is_empty() {
        let message = "A version-id marker cannot be specified without a key marker.";
        return Err(Problem::new(400, "InvalidArgument", message).detail("ArgumentName", "version-id-marker"));
    }
    let page = asked.page(all_versions(world, &bucket, &asked.prefix, (key_marker, id_marker)), key_marker);
    let last_id = page.items.last().filter(|(key, _, _)| Some(key) == page.last.as_ref()).map(|(_, _, v)| &v.id);
    Ok(xml("ListVersionsResult", |answer| {
        asked.write_question(answer, &bucket);
        answer.text("KeyMarker", asked.written(key_marker)).text("VersionIdMarker", id_marker.unwrap_or_default());
        answer.text("IsTruncated", page.truncated);
        if page.truncated {
            answer.maybe("NextKeyMarker", page.last.as_ref().map(|last| asked.written(last)));
            answer.maybe("NextVersionIdMarker", last_id);
        }
        for (key, latest, version) in &page.items {
            answer.element(if version.delete_marker { "DeleteMarker" } else { "Version" }, |into| {
                into.text("Key", asked.written(key)).text("VersionId", &version.id).text("IsLatest", latest);
                into.text("LastModified", clock::milliseconds(version.at_ms));
                if !version.delete_marker {
                    into.text("ETag", &version.etag).text("Size", version.size);
                    into.text("StorageClass", storage_class(version));
                }
                into.element("Owner", owner);
            });
        }
        asked.write_prefixes(answer, &page.prefixes);
    }))
}

/// Every version after the markers, with whether it is its key's newest.
fn all_versions(
    world: &World,
    bucket: &Bucket,
    prefix: &str,
    (key_marker, id_marker): (&str, Option<&str>),
) -> Vec<(String, (String, bool, Version))> {
    let place = bucket.objects() + prefix;
    let mut all = Vec::new();
    for object in world.list(&place).map(|(_, document)| Object::of(document)) {
        let skipped = match id_marker {
            _ if object.key.as_str() > key_marker => 0,
            Some(id) if object.key == key_marker => {
                object.versions.iter().position(|v| v.id == id).map_or(0, |at| at + 1)
            }
            _ => continue,
        };
        for (n, version) in object.versions.into_iter().enumerate().skip(skipped) {
            all.push((object.key.clone(), (object.key.clone(), n == 0, version)));
        }
    }
    all
}

fn storage_class(version: &Version) -> &str {
    version.headers.get("x-amz-storage-class").map_or("STANDARD", String::as_str)
}
