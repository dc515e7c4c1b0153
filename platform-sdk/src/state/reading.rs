//! Reading a stack's state: head, snapshot, and the journal records that no snapshot has yet. Writes nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use sha2::{Digest, Sha256};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    Keys, Location, OpenIntent, Snapshot, Version, World, damage,
    fold::Folded,
    frame::{Frames, frames},
    head::{FORMAT_VERSION, Head, newer},
    prune::fence_of,
    record_format::{self, BeginV1, LineV4},
    snapshot_format::{self, Entry},
};
use crate::{desired::Hash, report::Diagnostic, sealing::KeySource};

/// A stack's state as it was read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// What the stack owns, with what an interrupted run had done.
    pub snapshot: Snapshot,
    /// Names exactly this state: the snapshot's hash, or one over it and the records since. `None` before the first.
    pub base: Option<Hash>,
    /// The number of the last snapshot; 0 before the first.
    pub serial: u64,
    /// What an interrupted run had asked and got no answer to, oldest first.
    pub open: Vec<OpenIntent>,
    /// The world that it speaks of; `None` before anything was written.
    pub world: Option<World>,
    /// The stack's keys, for hashes of secrets.
    pub keys: Keys,
    /// Who works on the stack right now: `ana on host-1 since 2026-01-02T03:04:05Z (run 1b2c)`.
    pub in_progress: Option<String>,
    /// How many records of an interrupted run are in `snapshot` and `open`, but in no snapshot file yet.
    pub recovered: usize,
    /// When the head was written, in milliseconds since 1970, to the second; 0 before that.
    pub written_ms: u64,
}

impl Reading {
    /// How long ago at least what it says was done.
    pub fn age(&self, now_ms: u64) -> Duration {
        // Records carry no time: an interrupted run may have ended just now. The head's time has lost its fraction.
        if self.recovered > 0 {
            return Duration::ZERO;
        }
        Duration::from_millis(now_ms.saturating_sub(self.written_ms)).saturating_sub(Duration::from_secs(1))
    }
}

/// What writing goes on from.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) uuid: String,
    pub(super) head: Option<(Head, Version)>,
    /// The parts that the runs since the snapshot would write next: a successor creates them.
    pub(super) unsealed: Vec<String>,
}

/// Reads a state, and checks all of it before any of it is used.
pub(super) async fn load(
    location: &Location,
    world: World,
    environment: &BTreeMap<String, String>,
) -> Result<(Reading, Standing), Diagnostic> {
    let source = location.key_source(environment);
    let Some((head, version, bytes)) = current(location).await? else {
        refuse_orphans(location).await?;
        return Ok(empty(location, source));
    };
    if let Err(problem) = world.check(head.world, &location.stack()) {
        return Err(misfit(location, &head).await.unwrap_or(problem));
    }
    let (mut folded, mut keys, entry) = match head.snapshot.as_ref().zip(bytes) {
        None => (Folded::default(), Keys::none_yet(&location.stack(), source.clone()), None),
        Some((hash, bytes)) => {
            let place = location.shown(&snapshot_key(location, hash));
            let stack = (location.project.as_str(), location.stack.as_str());
            let loaded = snapshot_format::decode(&bytes, &place, stack, source.clone(), None).await?;
            check_head(location, &head, &loaded.entry)?;
            (Folded { snapshot: loaded.snapshot, open: loaded.open }, loaded.keys, Some(loaded.entry))
        }
    };
    let mut replay = Replay {
        location,
        head: &head,
        folded: &mut folded,
        keys: &mut keys,
        source,
        version: FORMAT_VERSION,
        count: 0,
        digest: None,
    };
    let unsealed = replay.all(entry.as_ref()).await?;
    let (recovered, digest) = (replay.count, replay.digest);
    if folded.snapshot.uuid.is_empty() {
        folded.snapshot.uuid = new_uuid();
    }
    let base = digest.map(|digest| Hash::of(&digest.finalize())).or_else(|| head.snapshot.clone());
    let reading = Reading {
        snapshot: folded.snapshot,
        base,
        serial: head.serial,
        open: folded.open,
        world: Some(head.world),
        keys,
        in_progress: None,
        recovered,
        written_ms: written_ms(&head.at),
    };
    let uuid = reading.snapshot.uuid.clone();
    Ok((reading, Standing { uuid, head: Some((head, version)), unsealed }))
}

fn empty(location: &Location, source: KeySource) -> (Reading, Standing) {
    let reading = Reading {
        snapshot: Snapshot { uuid: new_uuid(), ..Snapshot::default() },
        base: None,
        serial: 0,
        open: Vec::new(),
        world: None,
        keys: Keys::none_yet(&location.stack(), source),
        in_progress: None,
        recovered: 0,
        written_ms: 0,
    };
    let uuid = reading.snapshot.uuid.clone();
    (reading, Standing { uuid, head: None, unsealed: Vec::new() })
}

fn written_ms(at: &str) -> u64 {
    let at = OffsetDateTime::parse(at, &Rfc3339).map_or(0, OffsetDateTime::unix_timestamp);
    u64::try_from(at).unwrap_or(0).saturating_mul(1000)
}

pub(super) fn new_uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// The head, if the stack was ever written.
pub(super) async fn read_head(location: &Location) -> Result<Option<(Head, Version)>, Diagnostic> {
    let key = location.key("head.json");
    let Some(object) = location.store.get(&key).await? else { return Ok(None) };
    let head = Head::parse(&object.bytes, &location.shown(&key))?;
    if let Some(left) = head.left.as_ref().filter(|left| !location.is_heir(left)) {
        return Err(left.refusal(&location.project, &location.stack));
    }
    Ok(Some((head, object.version)))
}

/// The head, with the bytes of its snapshot. `None` before the first.
async fn current(location: &Location) -> Result<Option<(Head, Version, Option<Vec<u8>>)>, Diagnostic> {
    while let Some((head, version)) = read_head(location).await? {
        let snapshot = async {
            match &head.snapshot {
                Some(hash) => read_snapshot(location, hash).await.map(Some),
                None => Ok(None),
            }
        };
        let (is_current, bytes) = tokio::join!(is_current(location, &head, &version), snapshot);
        // Somebody may have begun in between.
        if is_current? {
            return Ok(Some((head, version, bytes?)));
        }
    }
    Ok(None)
}

/// The head, for who reads no journal.
///
/// # Errors
/// When it is damaged, newer, or older than what is written.
pub(super) async fn current_head(location: &Location) -> Result<Option<Head>, Diagnostic> {
    while let Some((head, version)) = read_head(location).await? {
        if is_current(location, &head, &version).await? {
            return Ok(Some(head));
        }
    }
    Ok(None)
}

/// Whether a head is as new as what is written: a run raises its fence there before it writes anything else.
async fn is_current(location: &Location, head: &Head, version: &Version) -> Result<bool, Diagnostic> {
    let later = super::store::part_key(&location.key(&format!("journal/{}", head.fence + 1)), 1);
    if location.store.get(&later).await?.is_none() {
        return Ok(true);
    }
    let now = read_head(location).await?;
    if now.is_none_or(|(_, now)| now != *version) {
        return Ok(false);
    }
    let why = format!("it is older than `{}`: an old copy was put in its place", location.shown(&later));
    Err(damage(&location.shown(&location.key("head.json")), &why))
}

/// Why a head does not fit its snapshot, if that can be read.
async fn misfit(location: &Location, head: &Head) -> Option<Diagnostic> {
    let hash = head.snapshot.as_ref()?;
    let bytes = read_snapshot(location, hash).await.ok()?;
    let entry = snapshot_format::read_entry(&bytes, "").ok()?;
    check_head(location, head, &entry).err()
}

/// Snapshots without a head are no empty state: the head was lost, and with it what they amount to.
pub(super) async fn refuse_orphans(location: &Location) -> Result<(), Diagnostic> {
    for folder in ["snapshots", "journal"] {
        if let Some(key) = location.store.list(&location.key(folder)).await?.first() {
            let head = location.shown(&location.key("head.json"));
            return Err(damage(&head, &format!("it is missing, and `{}` is there", location.shown(key))));
        }
    }
    Ok(())
}

/// The key of a snapshot.
pub(super) fn snapshot_key(location: &Location, hash: &Hash) -> String {
    location.key(&format!("snapshots/{hash}.json"))
}

/// A snapshot's bytes, which are what its name says.
pub(super) async fn read_snapshot(location: &Location, hash: &Hash) -> Result<Vec<u8>, Diagnostic> {
    let key = snapshot_key(location, hash);
    let place = location.shown(&key);
    let found = match location.store.get(&key).await? {
        Some(object) if Hash::of(&object.bytes) == *hash => return Ok(object.bytes),
        Some(_) => damage(&place, "its content is not what its name says"),
        None => Diagnostic::error(format!("`{place}` is missing"))
            .detail("the head of the stack, or a later snapshot, refers to it"),
    };
    Err(match last_good(location, hash).await {
        Some((serial, good)) => found.hint(format!(
            "restore it from a copy; the last good snapshot is serial {serial}, `{}`, and `state repair` goes on from \
             there; nothing was changed",
            good.short()
        )),
        None => found.hint("restore it from a copy; nothing was changed"),
    })
}

/// The newest intact snapshot but this one. Best effort: it is for a message.
async fn last_good(location: &Location, but: &Hash) -> Option<(u64, Hash)> {
    let mut best = None;
    for key in location.store.list(&location.key("snapshots")).await.ok()? {
        let Ok(Some(object)) = location.store.get(&key).await else { continue };
        let hash = Hash::of(&object.bytes);
        if hash == *but || !key.ends_with(&format!("/{hash}.json")) {
            continue;
        }
        let Ok(entry) = snapshot_format::read_entry(&object.bytes, &key) else { continue };
        if best.as_ref().is_none_or(|(serial, _)| *serial < entry.serial) {
            best = Some((entry.serial, hash));
        }
    }
    best
}

/// In what a head does not fit the snapshot that it names.
pub(super) fn misfitting(head: &Head, entry: &Entry) -> Option<&'static str> {
    if entry.parent != head.parent {
        Some("parent")
    } else if entry.serial != head.serial {
        Some("serial")
    } else if entry.world != head.world {
        Some("world")
    } else if entry.fence > head.fence {
        Some("fence")
    } else {
        None
    }
}

/// Refuses a head that does not fit the snapshot that it names: that one's content is what its name says.
pub(super) fn check_head(location: &Location, head: &Head, entry: &Entry) -> Result<(), Diagnostic> {
    let Some(misfit) = misfitting(head, entry) else { return Ok(()) };
    let snapshot = head.snapshot.as_ref().map_or("", Hash::short);
    let why = format!("its {misfit} is not that of the snapshot that it names, `{snapshot}`");
    Err(damage(&location.shown(&location.key("head.json")), &why))
}

/// Counts the records behind a part of a run's journal, without opening any.
pub(super) async fn records_after(
    location: &Location,
    head: &Head,
    (first, part): (u64, u64),
) -> Result<usize, Diagnostic> {
    let mut count = 0;
    for (fence, _) in runs(location, head, first).await?.into_iter().filter(|(_, silent)| !silent) {
        let folder = location.key(&format!("journal/{fence}"));
        let (after, mut version) = (if fence == first { part } else { 0 }, FORMAT_VERSION);
        for part in after + 1.. {
            let key = super::store::part_key(&folder, part);
            let Some(object) = location.store.get(&key).await? else { break };
            let damaged = |why: String| damage(&location.shown(&key), &why);
            for json in frames(&object.bytes).map_err(damaged)?.records {
                match record_format::read(json, version).map_err(damaged)? {
                    LineV4::Begin(begin) => version = begin.version,
                    LineV4::Seal(_) | LineV4::Keys(_) => {}
                    _ => count += 1,
                }
            }
        }
    }
    Ok(count)
}

/// How many runs in a row may have died between the moment at which the head named them and their first word. Each of them
/// costs a request; a head that names more is no head that runs have written.
const SILENT: usize = 256;

/// The runs that a head says there were since a snapshot, and whether each is known to have left nothing.
///
/// # Errors
/// When there were none so many.
async fn runs(location: &Location, head: &Head, first: u64) -> Result<Vec<(u64, bool)>, Diagnostic> {
    let all = first..=head.fence;
    // There is mostly one or two, and looking there is less than a list of all journals.
    if head.fence.saturating_sub(first) < 16 {
        return Ok(all.map(|fence| (fence, false)).collect());
    }
    let keys = location.store.list(&location.key("journal")).await?;
    let written: BTreeSet<u64> = keys.iter().filter_map(|key| fence_of(location, key)).collect();
    if is_far(head, first, &written) {
        let why = format!("its fence is {}, and no runs have left that many journals", head.fence);
        return Err(damage(&location.shown(&location.key("head.json")), &why));
    }
    Ok(all.map(|fence| (fence, !written.contains(&fence))).collect())
}

/// Whether a head's fence is further than runs can have come that left these journals since this one.
pub(super) fn is_far(head: &Head, first: u64, written: &BTreeSet<u64>) -> bool {
    let there = written.iter().filter(|fence| (first..=head.fence).contains(fence)).count();
    let most = u64::try_from(there + SILENT).unwrap_or(u64::MAX);
    head.fence.saturating_sub(first) > most
}

/// Plays the journals of all runs since the snapshot.
struct Replay<'a> {
    location: &'a Location,
    head: &'a Head,
    folded: &'a mut Folded,
    keys: &'a mut Keys,
    source: KeySource,
    /// The version that the journal says it is of.
    version: u32,
    count: usize,
    digest: Option<Sha256>,
}

impl Replay<'_> {
    /// Says which parts a run that only seems dead could still write.
    async fn all(&mut self, entry: Option<&Entry>) -> Result<Vec<String>, Diagnostic> {
        let (first_fence, first_part) = entry.map_or((1, 0), |entry| (entry.fence, entry.part));
        let mut unsealed = Vec::new();
        for (fence, silent) in runs(self.location, self.head, first_fence).await? {
            if silent {
                unsealed.push(super::store::part_key(&self.location.key(&format!("journal/{fence}")), 1));
                continue;
            }
            let after = if fence == first_fence { first_part } else { 0 };
            unsealed.extend(self.fence(fence, after).await?);
        }
        Ok(unsealed)
    }

    async fn fence(&mut self, fence: u64, after: u64) -> Result<Option<String>, Diagnostic> {
        let folder = self.location.key(&format!("journal/{fence}"));
        self.version = FORMAT_VERSION;
        let parts = self.parts(&folder).await?;
        let (mut sealed, mut torn) = (false, None);
        for part in parts.iter().copied().filter(|part| *part > after) {
            let key = super::store::part_key(&folder, part);
            let place = self.location.shown(&key);
            let object = self.location.store.get(&key).await?;
            let bytes = object.ok_or_else(|| damage(&place, "it was there a moment ago"))?.bytes;
            let read = frames(&bytes).map_err(|why| damage(&place, &why))?;
            sealed = self.part(&read, fence, &place).await?;
            // A writer that lost its last record never wrote again: nothing but its successor's seal can follow.
            if let Some(torn) = torn.replace(read.torn.then_some(place)).flatten()
                && !sealed
            {
                return Err(damage(&torn, "its last record is cut short, and more was written after it"));
            }
        }
        let next = parts.last().copied().unwrap_or(0) + 1;
        Ok((!sealed).then(|| super::store::part_key(&folder, next)))
    }

    /// The numbers of a journal's parts: 1, 2, 3, ....
    async fn parts(&self, folder: &str) -> Result<Vec<u64>, Diagnostic> {
        let mut parts = Vec::new();
        for key in self.location.store.list(folder).await? {
            let name = key.strip_prefix(folder).and_then(|name| name.strip_prefix('/')?.strip_suffix(".jsonl"));
            let part = name.and_then(|name| name.parse().ok());
            parts.push(part.ok_or_else(|| foreign(&self.location.shown(&key)))?);
        }
        parts.sort_unstable();
        match (1..).zip(&parts).find(|(wanted, part)| wanted != *part) {
            None => Ok(parts),
            Some((missing, _)) => {
                let place = self.location.shown(&super::store::part_key(folder, missing));
                Err(damage(&place, "it is missing, and later parts are there"))
            }
        }
    }

    /// Plays one part. Says whether it is a seal.
    async fn part(&mut self, read: &Frames<'_>, fence: u64, place: &str) -> Result<bool, Diagnostic> {
        for (index, json) in read.records.iter().enumerate() {
            let line = record_format::read(json, self.version)
                .map_err(|error| unreadable(json, place, &format!("line {}: {error}", index + 1)))?;
            match line {
                LineV4::Seal(_) => return Ok(true),
                LineV4::Begin(begin) => self.begin(begin, fence, place)?,
                LineV4::Keys(wire) => {
                    *self.keys = Keys::open(&self.location.stack(), self.source.clone(), wire, Some(self.keys)).await?;
                }
                line => {
                    self.digest.get_or_insert_with(|| start_digest(self.head)).update(json);
                    if let Some(record) = line.into_record(self.keys)? {
                        self.folded.apply(record);
                        self.count += 1;
                    }
                }
            }
        }
        Ok(false)
    }

    fn begin(&mut self, begin: BeginV1, fence: u64, place: &str) -> Result<(), Diagnostic> {
        if begin.version > FORMAT_VERSION {
            return Err(newer(place, begin.version.into()));
        }
        if (&begin.project, &begin.stack) != (&self.location.project, &self.location.stack) {
            return Err(damage(place, &format!("it belongs to `{}/{}`", begin.project, begin.stack)));
        }
        if begin.fence != fence || begin.base != self.head.snapshot {
            return Err(damage(place, "it belongs to another run or another snapshot"));
        }
        self.version = begin.version;
        if self.folded.snapshot.uuid.is_empty() {
            self.folded.snapshot.uuid = begin.uuid;
        }
        Ok(())
    }
}

/// Somebody else's file among what has to be read.
fn foreign(place: &str) -> Diagnostic {
    Diagnostic::error(format!("`{place}` is no part of a journal"))
        .detail("nothing of a state has such a name, and what stands there may be meant for it")
        .hint("move it to where it belongs; nothing was changed")
}

fn start_digest(head: &Head) -> Sha256 {
    Sha256::new().chain_update(head.snapshot.as_ref().map_or("", Hash::as_str))
}

/// A whole record that is none of ours: newer, or damaged.
fn unreadable(json: &[u8], place: &str, why: &str) -> Diagnostic {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Versioned {
        Begin { version: u64 },
        Seal { version: u64 },
    }
    match serde_json::from_slice(json) {
        Ok(Versioned::Begin { version } | Versioned::Seal { version }) if version > FORMAT_VERSION.into() => {
            newer(place, version)
        }
        _ => damage(place, why),
    }
}
