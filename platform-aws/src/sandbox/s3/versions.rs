//! An object as the world keeps it: its versions, newest first.

use std::collections::BTreeMap;

use platform_sdk::sandbox::World;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{buckets::Bucket, digest};

/// The id of the version that unversioned and suspended buckets write.
pub(super) const NULL: &str = "null";

/// A key with at least one version.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Object {
    pub(super) key: String,
    pub(super) versions: Vec<Version>,
}

/// One version, or one delete marker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) id: String,
    pub(super) at_ms: u64,
    pub(super) delete_marker: bool,
    /// With its quotes.
    pub(super) etag: String,
    pub(super) size: usize,
    pub(super) content: Content,
    /// The headers that a read gives back, such as `content-type` and `x-amz-meta-*`.
    pub(super) headers: BTreeMap<String, String>,
}

/// Bytes in a JSON document.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Content {
    Text(String),
    Hex(String),
}

impl Content {
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Self::Hex(digest::hex(error.as_bytes())), Self::Text)
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Hex(hex) => digest::unhex(&hex).expect("the sandbox wrote this itself"),
        }
    }
}

impl Object {
    pub(super) fn get(world: &World, bucket: &Bucket, key: &str) -> Option<Self> {
        world.get(&(bucket.objects() + key)).map(Self::of)
    }

    pub(super) fn of(document: &Value) -> Self {
        Self::deserialize(document).expect("the sandbox wrote this object itself")
    }

    /// The object, or one without versions yet.
    pub(super) fn get_or_new(world: &World, bucket: &Bucket, key: &str) -> Self {
        Self::get(world, bucket, key).unwrap_or_else(|| Self { key: key.to_owned(), versions: Vec::new() })
    }

    /// Keeps the object, which is gone with its last version.
    pub(super) fn save(&self, world: &mut World, bucket: &Bucket) {
        let place = bucket.objects() + &self.key;
        if self.versions.is_empty() {
            world.remove(&place);
        } else {
            world.put(place, serde_json::to_value(self).expect("an object is plain data"));
        }
    }

    /// The newest version, unless that is a delete marker.
    pub(super) fn current(&self) -> Option<&Version> {
        self.versions.first().filter(|version| !version.delete_marker)
    }

    /// Adds a version as the bucket's versioning wants it: beside the others, or in the place of the null version.
    pub(super) fn add(&mut self, version: Version) {
        if version.id == NULL {
            self.versions.retain(|other| other.id != NULL);
        }
        self.versions.insert(0, version);
    }
}

/// The id of a version that is about to be written.
pub(super) fn next_id(world: &mut World, bucket: &Bucket) -> String {
    match bucket.versioning.as_deref() {
        Some("Enabled") => digest::hex(&digest::md5(format!("version {}", world.next_id()).as_bytes())),
        _ => NULL.into(),
    }
}

/// The header that names a version, in buckets that have or had versioning.
pub(super) fn header(bucket: &Bucket, id: &str) -> Option<(&'static str, String)> {
    bucket.versioning.as_ref().map(|_| ("x-amz-version-id", id.to_owned()))
}
