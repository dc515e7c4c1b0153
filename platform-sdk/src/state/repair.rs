//! Repair: what is left of a damaged state, as its next snapshot. Nothing damaged is removed, and nothing is guessed at.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{
    Commit, Condition, Entry, Folded, Holder, Keys, Location, StoreError, Version, World,
    head::{FORMAT_VERSION, Head},
    history::{History, history},
    lease::hold,
    reading::{load, new_uuid, snapshot_key},
    remains::{Remains, Salvage},
    snapshot_format,
    stacks::left,
};
use crate::{
    Result,
    desired::Hash,
    report::{Diagnostic, Severity},
};

/// What an examination found.
#[derive(Debug)]
pub enum Examined {
    /// The state can be read. What of its history can't, and what is none of its files: diagnostics, which hold nothing up.
    Readable(Vec<Diagnostic>),
    /// It can't, and this is what could be done.
    Damaged(Box<Repair>),
}

/// How a damaged state would be repaired.
#[derive(Debug)]
pub struct Repair {
    /// Why the state can't be read.
    pub problem: Diagnostic,
    /// What was found, and what is lost, for people.
    pub findings: Vec<String>,
    /// The serial that it would go on from; `None`: from an empty state.
    pub from: Option<u64>,
    /// How many resources the stack would own.
    pub resources: usize,
    folded: Folded,
    keys: Keys,
    base: Option<Hash>,
    /// The numbers of the repaired head.
    serial: u64,
    fence: u64,
    world: World,
    /// The head that is there, readable or not.
    head: Option<(Vec<u8>, Version)>,
    head_is_sound: bool,
}

/// Looks through a stack's state. Writes nothing.
///
/// # Errors
/// When it can't be read for another reason than damage, such as a wrong key or a newer version; or nothing is left.
pub async fn examine(location: &Location, world: World, environment: &BTreeMap<String, String>) -> Result<Examined> {
    let Err(problem) = load(location, world, environment).await else {
        let History { kept, broken } = history(location).await?;
        let mut warnings = strays(location, &kept, broken.as_ref()).await?;
        warnings.extend(broken);
        return Ok(Examined::Readable(warnings.into_iter().map(warning).collect()));
    };
    let source = location.key_source(environment);
    // What was left is no damage.
    if left(location).await.map_err(Diagnostic::from)?.is_some() {
        return Err(problem.into());
    }
    let remains = Remains::of(location, world, problem.clone()).await?;
    let mut findings = remains.findings.clone();
    let (mut folded, mut keys) = (Folded::default(), Keys::none_yet(&location.stack(), source.clone()));
    if let Some((hash, entry)) = &remains.base {
        let key = snapshot_key(location, hash);
        let bytes = location.store.get(&key).await.map_err(Diagnostic::from)?.map(|object| object.bytes);
        let stack = (location.project.as_str(), location.stack.as_str());
        let bytes = bytes.unwrap_or_default();
        let loaded = snapshot_format::decode(&bytes, &location.shown(&key), stack, source.clone(), None).await?;
        (folded, keys) = (Folded { snapshot: loaded.snapshot, open: loaded.open }, loaded.keys);
        findings.push(format!("serial {} of {} is whole: `{}`", entry.serial, entry.at, hash.short()));
    }
    let first = remains.base.as_ref().map_or((1, 0), |(_, entry)| (entry.fence, entry.part));
    let mut salvage =
        Salvage { location, source, folded, keys, findings, version: FORMAT_VERSION, recovered: 0, damaged: false };
    salvage.journals(&remains.fences, first).await?;
    let Salvage { mut folded, keys, findings, recovered, damaged, .. } = salvage;
    let sound = remains.sound && !damaged;
    if sound || (remains.base.is_none() && recovered == 0) {
        return Err(problem.into());
    }
    if folded.snapshot.uuid.is_empty() {
        folded.snapshot.uuid = new_uuid();
    }
    Ok(Examined::Damaged(Box::new(Repair {
        problem,
        findings,
        from: remains.base.as_ref().map(|(_, entry)| entry.serial),
        resources: folded.snapshot.resources.len(),
        folded,
        keys,
        base: remains.base.map(|(hash, _)| hash),
        serial: remains.last_serial + 1,
        fence: remains.last_fence + 1,
        world: remains.world,
        head: remains.head,
        head_is_sound: remains.head_is_sound,
    })))
}

impl Repair {
    /// Writes what is left as the stack's next snapshot. A damaged head is kept beside it; everything else
    /// stays where it is, and is not referred to any more.
    ///
    /// # Errors
    /// When somebody else uses the stack or has changed it since, or it can't be written.
    pub async fn carry_out(self, location: &Location, who: &Holder) -> Result<Commit> {
        let guard = hold(location, who, &who.now()).await?;
        let written = self.write(location, who).await;
        guard.release().await;
        Ok(written?)
    }

    async fn write(self, location: &Location, who: &Holder) -> Result<Commit, Diagnostic> {
        let Self { folded, keys, base, serial, fence, world, head, head_is_sound, .. } = self;
        if let Some((bytes, _)) = head.as_ref().filter(|_| !head_is_sound) {
            let aside = location.key(&format!("damaged/{}-head.json", Hash::of(bytes).short()));
            put(location, &aside, bytes.clone().into(), Condition::Absent).await?;
        }
        if folded.snapshot.has_secrets() || folded.open.iter().any(|open| open.intent.target.has_secrets()) {
            keys.ensure().await?;
        }
        let entry = Entry {
            at: who.now(),
            by: who.name.clone(),
            commit: who.commit.clone(),
            fence,
            parent: base,
            part: 0,
            project: location.project.clone(),
            serial,
            stack: location.stack.clone(),
            version: FORMAT_VERSION,
            world,
        };
        let bytes = snapshot_format::encode(&folded.snapshot, &folded.open, &entry, &keys)?;
        let hash = Hash::of(&bytes);
        put(location, &snapshot_key(location, &hash), bytes.into(), Condition::Absent).await?;
        let Entry { at, by, commit, parent, .. } = entry;
        let repaired = Head {
            version: FORMAT_VERSION,
            world,
            serial,
            fence,
            snapshot: Some(hash.clone()),
            parent,
            at,
            by,
            commit,
            left: None,
        };
        let condition = head.map_or(Condition::Absent, |(_, version)| Condition::Version(version));
        location.store.put(&location.key("head.json"), repaired.bytes().into(), condition).await?;
        Ok(Commit { snapshot: Some(hash), serial, written: true })
    }
}

/// Writes an object, which may be there already with this content.
async fn put(location: &Location, key: &str, bytes: Bytes, condition: Condition) -> Result<(), Diagnostic> {
    match location.store.put(key, bytes.clone(), condition).await {
        Err(error @ StoreError::Conflict(_)) => match location.store.get(key).await? {
            Some(object) if object.bytes == bytes => Ok(()),
            _ => Err(error.into()),
        },
        written => Ok(written.map(drop)?),
    }
}

/// Files in the stack's folder that nothing reads and nothing writes: somebody else's, who may miss them; and what is
/// called as a snapshot and is none.
async fn strays(
    location: &Location,
    kept: &[(Hash, Entry)],
    broken: Option<&Diagnostic>,
) -> Result<Vec<Diagnostic>, Diagnostic> {
    let folder = location.key("");
    let mut strays = Vec::new();
    for key in location.store.list(&location.stack()).await? {
        let (place, name) = (location.shown(&key), key.strip_prefix(&folder).unwrap_or_default());
        if !is_of_a_stack(name) {
            strays.push(stray(&place, None));
            continue;
        }
        let Some(hash) = name.strip_prefix("snapshots/").and_then(|file| file.strip_suffix(".json")) else { continue };
        // What the history has was read and is whole; where it breaks is said already.
        if kept.iter().any(|(known, _)| known.as_str() == hash)
            || broken.is_some_and(|problem| problem.summary.contains(hash))
        {
            continue;
        }
        let object = location.store.get(&key).await?;
        if object.is_some_and(|object| Hash::of(&object.bytes).as_str() != hash) {
            strays.push(stray(&place, Some("its content is not what its name says, and nothing refers to it")));
        }
    }
    Ok(strays)
}

fn stray(place: &str, why: Option<&str>) -> Diagnostic {
    let problem = Diagnostic::error(format!("`{place}` is none of the state's files"));
    let problem = problem.hint("move it to where it belongs; no run needs it");
    if let Some(why) = why { problem.detail(why) } else { problem }
}

/// What holds nothing up.
fn warning(problem: Diagnostic) -> Diagnostic {
    Diagnostic { severity: Severity::Warning, ..problem }
}

/// Whether a stack has files of that name.
fn is_of_a_stack(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    match parts[..] {
        ["head.json" | "lease.json" | "pruned.json"] | ["damaged", _] => true,
        ["snapshots", file] => file.strip_suffix(".json").is_some_and(is_hash),
        ["journal", fence, part] => {
            fence.parse::<u64>().is_ok() && part.strip_suffix(".jsonl").is_some_and(|part| part.parse::<u64>().is_ok())
        }
        _ => false,
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
