//! The snapshot file, version 4: canonical JSON, whose SHA-256 is its name. It names its parent, so history is a chain.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};

use super::{
    Exports, Keys, OpenIntent, ResourceState, Snapshot, World,
    branch::{Branch, Stored, to_bytes},
    damage,
    head::{FORMAT_VERSION, newer, numbered},
    record_format::{OpenV4, exports, lookups, opened_exports, opened_lookups},
    resource_format::{LooseV3, OriginV1, ResourceV3, Unopened},
    secrets::KeysV2,
    upgrade,
};
use crate::{
    desired::{Address, Hash, Tree},
    report::Diagnostic,
    sealing::KeySource,
};

/// What a snapshot file says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was written, RFC 3339.
    pub at: String,
    /// Who wrote it.
    pub by: String,
    /// The commit of the program's repository, where it is known.
    pub commit: Option<String>,
    /// The run that wrote it.
    pub fence: u64,
    /// The snapshot before.
    pub parent: Option<Hash>,
    /// The last part of that run's journal that is in it.
    pub part: u64,
    /// Its project.
    pub project: String,
    /// Its number in the stack's history.
    pub serial: u64,
    /// Its stack.
    pub stack: String,
    /// The format's version.
    pub version: u32,
    /// The world it speaks of.
    pub world: World,
}

/// A snapshot; `T` is how its trees go, and `R` how its resources do.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SnapshotV4<'a, T, R> {
    entry: Cow<'a, Entry>,
    exports: BTreeMap<Cow<'a, str>, T>,
    identities: Cow<'a, BTreeMap<String, BTreeMap<String, String>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keys: Option<Cow<'a, KeysV2>>,
    #[serde(default = "BTreeMap::new", skip_serializing_if = "BTreeMap::is_empty")]
    lookups: BTreeMap<Cow<'a, Address>, T>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    open: Vec<OpenV4<'a, T>>,
    origins: Vec<OriginV1<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pending_deletes: Vec<LooseV3<'a, T>>,
    /// Since version 4.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    replacing: Vec<LooseV3<'a, T>>,
    resources: R,
    uuid: Cow<'a, str>,
}

/// Resources on their way out, one after the other.
struct Outgoing<'a> {
    resources: &'a BTreeMap<Address, Arc<ResourceState>>,
    origins: HashMap<OriginV1<'a>, usize>,
    keys: &'a Keys,
}

impl Serialize for Outgoing<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            self.resources.iter().map(|(address, state)| {
                (address, ResourceV3::of(state, self.origins[&OriginV1::of(state)], self.keys))
            }),
        )
    }
}

/// Resources on their way in: each becomes what it is in memory as it is read, for as wire types they are larger.
#[derive(Debug)]
struct Incoming(Vec<Unopened>);

impl<'de> Deserialize<'de> for Incoming {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Resources;

        impl<'de> Visitor<'de> for Resources {
            type Value = Incoming;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("resources by address")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Incoming, A::Error> {
                let mut resources = Vec::new();
                while let Some(address) = map.next_key()? {
                    resources.push(Unopened::new(address, map.next_value()?));
                }
                Ok(Incoming(resources))
            }
        }

        deserializer.deserialize_map(Resources)
    }
}

/// A snapshot file in memory.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) entry: Entry,
    pub(super) snapshot: Snapshot,
    pub(super) open: Vec<OpenIntent>,
    pub(super) keys: Keys,
}

/// Writes a snapshot. The keys must be there if anything in it is secret.
pub(super) fn encode(
    snapshot: &Snapshot,
    open: &[OpenIntent],
    entry: &Entry,
    keys: &Keys,
) -> Result<Vec<u8>, Diagnostic> {
    let mut origins = Vec::new();
    let mut places = HashMap::new();
    for state in snapshot.resources.values() {
        places.entry(OriginV1::of(state)).or_insert_with_key(|origin| {
            origins.push(OriginV1::clone(origin));
            origins.len() - 1
        });
    }
    let resources = Outgoing { resources: &snapshot.resources, origins: places, keys };
    let file: SnapshotV4<'_, Branch<'_>, _> = SnapshotV4 {
        entry: Cow::Borrowed(entry),
        exports: exports(&snapshot.exports, keys),
        identities: Cow::Borrowed(&snapshot.identities),
        keys: keys.wire().map(Cow::Borrowed),
        lookups: lookups(&snapshot.lookups, keys),
        open: open.iter().map(|open| OpenV4::of(open, keys)).collect(),
        origins,
        pending_deletes: snapshot.pending_deletes.iter().map(|old| LooseV3::of(old, keys)).collect(),
        replacing: snapshot.replacing.values().map(|old| LooseV3::of(old, keys)).collect(),
        resources,
        uuid: (&snapshot.uuid).into(),
    };
    to_bytes(&file)
}

/// Reads a snapshot of this stack, and opens its secrets.
pub(super) async fn decode(
    bytes: &[u8],
    place: &str,
    stack: (&str, &str),
    source: KeySource,
    known: Option<&Keys>,
) -> Result<Loaded, Diagnostic> {
    let file = parsed(bytes, place, stack)?;
    let entry = file.entry.into_owned();
    let stack = format!("{}/{}", stack.0, stack.1);
    let keys = match file.keys {
        Some(wire) => Keys::open(&stack, source, wire.into_owned(), known).await?,
        None => Keys::none_yet(&stack, source),
    };
    let origins: Vec<_> = file.origins.into_iter().map(OriginV1::into_origin).collect();
    let resources = file.resources.0.into_iter().map(|resource| {
        let origin = origins.get(resource.origin).ok_or_else(|| damage(place, "an origin is missing"))?;
        let state = resource.open(origin, &keys)?;
        Ok((state.address.clone(), state))
    });
    let snapshot = Snapshot {
        uuid: file.uuid.into_owned(),
        resources: resources.collect::<Result<_, Diagnostic>>()?,
        pending_deletes: loose(file.pending_deletes, &keys).collect::<Result<_, _>>()?,
        replacing: loose(file.replacing, &keys)
            .map(|old| old.map(|old| (old.address.clone(), old)))
            .collect::<Result<_, _>>()?,
        exports: opened_exports(file.exports, &keys)?,
        lookups: opened_lookups(file.lookups, &keys)?,
        identities: file.identities.into_owned(),
    };
    let open = file.open.into_iter().map(|open| open.into_open(&keys)).collect::<Result<_, _>>()?;
    Ok(Loaded { entry, snapshot, open, keys })
}

/// Resources outside of the table of resources, in memory.
fn loose(list: Vec<LooseV3<'_, Stored>>, keys: &Keys) -> impl Iterator<Item = Result<Arc<ResourceState>, Diagnostic>> {
    list.into_iter().map(|old| old.into_state(keys).map(Arc::new))
}

/// The outputs of a snapshot. Its keys are opened only when a secret is among the wanted ones.
pub(super) async fn decode_exports(
    bytes: &[u8],
    place: &str,
    stack: (&str, &str),
    source: KeySource,
    wanted: &BTreeSet<&str>,
) -> Result<Exports, Diagnostic> {
    let file = parsed(bytes, place, stack)?;
    let stack = format!("{}/{}", stack.0, stack.1);
    let names = file.exports.keys().map(|name| name.clone().into_owned()).collect();
    let asked: BTreeMap<_, _> = file.exports.into_iter().filter(|(name, _)| wanted.contains(&**name)).collect();
    let keys = match file.keys {
        Some(wire) if asked.values().any(Stored::has_secrets) => {
            Keys::open(&stack, source, wire.into_owned(), None).await?
        }
        _ => Keys::none_yet(&stack, source),
    };
    Ok(Exports { names, values: opened_exports(asked, &keys)? })
}

/// What a snapshot of this stack says that it owns. No key is needed for that.
pub(super) fn decode_addresses(
    bytes: &[u8],
    place: &str,
    stack: (&str, &str),
) -> Result<BTreeSet<Address>, Diagnostic> {
    Ok(parsed(bytes, place, stack)?.resources.0.into_iter().map(Unopened::into_address).collect())
}

/// The keys of a snapshot of this stack, and nothing else of it.
pub(super) async fn decode_keys(
    bytes: &[u8],
    place: &str,
    stack: (&str, &str),
    source: KeySource,
) -> Result<Keys, Diagnostic> {
    let file = parsed(bytes, place, stack)?;
    let stack = format!("{}/{}", stack.0, stack.1);
    match file.keys {
        Some(wire) => Keys::open(&stack, source, wire.into_owned(), None).await,
        None => Ok(Keys::none_yet(&stack, source)),
    }
}

/// The file of a stack, whatever version it was written in.
fn parsed(bytes: &[u8], place: &str, stack: (&str, &str)) -> Result<SnapshotV4<'static, Stored, Incoming>, Diagnostic> {
    let file = match serde_json::from_slice::<SnapshotV4<'_, Stored, Incoming>>(bytes) {
        Ok(file) if file.entry.version == FORMAT_VERSION => file,
        outcome => older(bytes, place, outcome.err())?,
    };
    checked(file.entry.clone().into_owned(), place)?;
    if (file.entry.project.as_str(), file.entry.stack.as_str()) != stack {
        return Err(damage(place, &format!("it belongs to `{}/{}`", file.entry.project, file.entry.stack)));
    }
    Ok(file)
}

/// A file that the current version can't read as it is.
fn older(
    bytes: &[u8],
    place: &str,
    error: Option<serde_json::Error>,
) -> Result<SnapshotV4<'static, Stored, Incoming>, Diagnostic> {
    let entry = read_entry(bytes, place)?;
    let none = |why: &str| damage(place, &format!("it is not a snapshot: {why}"));
    if let (FORMAT_VERSION, Some(error)) = (entry.version, error) {
        return Err(none(&error.to_string()));
    }
    let json = serde_json::from_slice(bytes).map_err(|error| none(&error.to_string()))?;
    let current = upgrade::snapshot(entry.version, json).map_err(|why| none(&why))?;
    serde_json::from_value(current).map_err(|error| none(&error.to_string()))
}

/// What a snapshot file says of itself, without the rest.
pub(super) fn read_entry(bytes: &[u8], place: &str) -> Result<Entry, Diagnostic> {
    match serde_json::from_slice::<Only<Entry>>(bytes) {
        Ok(only) => checked(only.entry, place),
        Err(error) => Err(match entry_version(bytes) {
            Some(version) if version > u64::from(FORMAT_VERSION) => newer(place, version),
            _ => damage(place, &format!("it is not a snapshot: {error}")),
        }),
    }
}

#[derive(Deserialize)]
struct Only<T> {
    entry: T,
}

/// The version that a snapshot file says it has.
pub(super) fn entry_version(bytes: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u64,
    }
    serde_json::from_slice::<Only<Versioned>>(bytes).ok().map(|only| only.entry.version)
}

fn checked(entry: Entry, place: &str) -> Result<Entry, Diagnostic> {
    if entry.version > FORMAT_VERSION {
        return Err(newer(place, entry.version.into()));
    }
    numbered(place, [("fence", entry.fence), ("serial", entry.serial), ("part", entry.part)]).map(|()| entry)
}

impl Snapshot {
    /// Whether it holds any secret.
    pub(super) fn has_secrets(&self) -> bool {
        self.all().any(|state| state.has_secrets())
            || self.exports.values().chain(self.lookups.values()).any(Tree::has_secrets)
    }
}
