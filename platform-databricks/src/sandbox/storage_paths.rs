//! Cloud paths: what lies inside what, and who uses a place.

use platform_sdk::sandbox::World;
use serde_json::Value;

use super::{
    answer::{Failure, text},
    securables::{CATALOG, EXTERNAL_LOCATION, Kind, SCHEMA, TABLE, VOLUME, below},
};

/// A path without its trailing slashes; the bucket alone keeps none either.
pub(super) fn normal(url: &str) -> &str {
    url.trim_end_matches('/')
}

/// Whether a path is the other one or lies below it.
pub(super) fn inside(path: &str, place: &str) -> bool {
    let (path, place) = (normal(path), normal(place));
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether one of the two paths lies inside the other.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    inside(one, other) || inside(other, one)
}

/// A URL that names a place in a cloud.
///
/// # Errors
/// 400 for anything else.
pub(super) fn cloud_url(url: &str) -> Result<&str, Failure> {
    let known = ["s3://", "s3a://", "abfss://", "gs://", "r2://"];
    let bucket = known.iter().find_map(|scheme| url.strip_prefix(scheme)).unwrap_or_default();
    if bucket.trim_start_matches('/').is_empty() || bucket.starts_with('/') {
        return Err(Failure::invalid(format!("'{url}' is not a valid URL of a cloud storage location")));
    }
    Ok(normal(url))
}

/// The external location that holds this path.
///
/// # Errors
/// 404 when none does.
pub(super) fn holder(world: &World, metastore: &str, path: &str) -> Result<Value, Failure> {
    let mut locations = below(world, metastore, &EXTERNAL_LOCATION, "").into_iter();
    locations.find(|location| inside(path, text(location, "url"))).ok_or_else(|| {
        Failure::new(
            404,
            "EXTERNAL_LOCATION_DOES_NOT_EXIST",
            format!(
                "No parent external location was found for path '{path}'. Please create an external location on one of \
                 the parent paths"
            ),
        )
    })
}

/// Refuses a path that overlaps the storage of a table or volume other than `except`.
///
/// # Errors
/// 400 naming them.
pub(super) fn free(world: &World, metastore: &str, path: &str, except: &str) -> Result<(), Failure> {
    let taken: Vec<String> = [&TABLE, &VOLUME]
        .iter()
        .flat_map(|kind| below(world, metastore, kind, ""))
        .filter(|document| text(document, "full_name") != except && overlap(path, text(document, "storage_location")))
        .map(|document| text(&document, "full_name").to_owned())
        .collect();
    if taken.is_empty() {
        return Ok(());
    }
    let names = taken.join(", ");
    Err(Failure::invalid(format!(
        "Input path url '{path}' overlaps with other external tables or volumes. Conflicting tables/volumes: {names}."
    )))
}

/// Who uses storage inside a place: how many of each kind.
pub(super) fn users(world: &World, metastore: &str, place: &str) -> Vec<(&'static Kind, usize)> {
    let uses = |document: &Value| {
        ["storage_root", "storage_location"].iter().any(|field| {
            let path = text(document, field);
            !path.is_empty() && inside(path, place)
        })
    };
    [&CATALOG, &SCHEMA, &TABLE, &VOLUME]
        .into_iter()
        .map(|kind| (kind, below(world, metastore, kind, "").iter().filter(|document| uses(document)).count()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_lies_inside_itself_and_what_is_above_but_not_beside() {
        assert!(inside("s3://b/lake/", "s3://b/lake"));
        assert!(inside("s3://b/lake/x", "s3://b/"));
        assert!(!inside("s3://b/lake2", "s3://b/lake"));
        assert!(overlap("s3://b", "s3://b/x"));
    }
}
