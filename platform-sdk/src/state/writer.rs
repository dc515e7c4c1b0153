//! The one writer of a stack's files: raises the fence, seals what a predecessor left, appends, commits.

use std::path::PathBuf;

use bytes::Bytes;

use super::{
    Certainty, Clock, Condition, Holder, Keys, Location, OpenIntent, Snapshot, StoreError, Version, World,
    branch::{Branch, to_bytes},
    frame::frame,
    head::{FORMAT_VERSION, Head, Left},
    object_per_append::put,
    reading::{Standing, snapshot_key},
    record_format::{BeginV1, LineV4, SealV1},
    snapshot_format::{self, Entry},
    store::{Appender, Guard},
    stranded::Strand,
};
use crate::{desired::Hash, fault, report::Diagnostic};

/// What a commit left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The snapshot that the stack is at; `None` while nothing was ever written.
    pub snapshot: Option<Hash>,
    /// Its number.
    pub serial: u64,
    /// Whether anything was written: not when there was nothing new.
    pub written: bool,
}

/// Writes under the lease, which lasts as long as this does: nobody can write after it.
pub(super) struct Writer {
    location: Location,
    who: Holder,
    world: World,
    uuid: String,
    /// Ours, once the head says so.
    fence: u64,
    raised: bool,
    head: Option<(Head, Version)>,
    /// The parts to create in our predecessors' journals.
    unsealed: Vec<String>,
    appender: Option<Box<dyn Appender>>,
    last_part: u64,
    guard: Option<Box<dyn Guard>>,
    strand: Option<Strand>,
}

impl Writer {
    /// Goes on from a base. Writes nothing yet: a run with nothing to do leaves no trace.
    pub(super) fn new(
        location: &Location,
        standing: Standing,
        world: World,
        who: &Holder,
        guard: Box<dyn Guard>,
    ) -> Self {
        let predecessor = standing.head.as_ref().map_or(0, |(head, _)| head.fence);
        Self {
            location: location.clone(),
            who: who.clone(),
            world,
            uuid: standing.uuid,
            fence: predecessor + 1,
            raised: false,
            head: standing.head,
            unsealed: standing.unsealed,
            appender: None,
            last_part: 0,
            guard: Some(guard),
            strand: Strand::of(location, &who.run),
        }
    }

    /// The clock that times are written down by.
    pub(super) fn clock(&self) -> Clock {
        self.who.clock.clone()
    }

    /// What to ask whether the lease lasts.
    pub(super) fn certainty(&self) -> Certainty {
        self.guard.as_ref().map_or_else(Certainty::of_guard, |guard| guard.certainty())
    }

    /// Adds lines to the journal; they are durable when this answers.
    pub(super) async fn append(&mut self, mut lines: Vec<u8>) -> Result<(), Diagnostic> {
        if self.guard.is_none() {
            return Err(Diagnostic::error("the state was written to after its lease was given back"));
        }
        self.raise().await?;
        if self.appender.is_none() {
            let mut first = Vec::new();
            frame(&to_bytes(&self.begin())?, &mut first);
            first.append(&mut lines);
            lines = first;
        }
        let appender = self.appender.get_or_insert_with(|| {
            let folder = self.location.key(&format!("journal/{}", self.fence));
            self.location.store.clone().appender(folder, self.last_part + 1)
        });
        fault::point("before records are durable");
        appender.append(lines).await?;
        fault::point("records are durable");
        self.last_part = appender.last_part();
        Ok(())
    }

    /// Keeps lines on this machine that the store does not take. Says where; `None` when nothing can be kept.
    pub(super) async fn strand(&self, keys: &Keys, lines: &[u8]) -> Option<PathBuf> {
        self.strand.as_ref()?.keep(&self.begin(), keys, lines).await.ok()
    }

    /// Writes a snapshot, then moves the head to it.
    pub(super) async fn commit(
        &mut self,
        snapshot: &Snapshot,
        open: &[OpenIntent],
        keys: &Keys,
    ) -> Result<Commit, Diagnostic> {
        self.raise().await?;
        let before = self.head();
        let entry = Entry {
            at: self.who.now(),
            by: self.who.name.clone(),
            commit: self.who.commit.clone(),
            fence: self.fence,
            parent: before.snapshot.clone(),
            part: self.last_part,
            project: self.location.project.clone(),
            serial: before.serial + 1,
            stack: self.location.stack.clone(),
            version: FORMAT_VERSION,
            world: self.world,
        };
        let bytes = snapshot_format::encode(snapshot, open, &entry, keys)?;
        let hash = Hash::of(&bytes);
        fault::point("before the snapshot is written");
        self.put_new(&snapshot_key(&self.location, &hash), bytes).await?;
        fault::point("the snapshot is written");
        let Entry { at, by, commit, parent, serial, .. } = entry;
        let version = FORMAT_VERSION;
        let head = Head { version, snapshot: Some(hash.clone()), parent, serial, at, by, commit, ..before };
        self.swap(head).await?;
        fault::point("the head has moved");
        // Records from here on are about the new snapshot.
        self.appender = None;
        Ok(Commit { snapshot: Some(hash), serial, written: true })
    }

    /// Says in the head that the state is left: whoever does not know of it reads and writes nothing here any more.
    pub(super) async fn leave(&mut self, left: Left) -> Result<(), Diagnostic> {
        self.raise().await?;
        let (at, by, commit) = (self.who.now(), self.who.name.clone(), self.who.commit.clone());
        self.swap(Head { at, by, commit, left: Some(left), ..self.head() }).await?;
        fault::point("the state is left");
        Ok(())
    }

    /// What the stack is at.
    pub(super) fn at(&self) -> Commit {
        let head = self.head();
        Commit { snapshot: head.snapshot, serial: head.serial, written: false }
    }

    /// Ends the lease.
    pub(super) async fn release(&mut self) {
        if let Some(guard) = self.guard.take() {
            guard.release().await;
        }
    }

    fn head(&self) -> Head {
        let first = || Head {
            version: FORMAT_VERSION,
            world: self.world,
            serial: 0,
            fence: 0,
            snapshot: None,
            parent: None,
            at: String::new(),
            by: String::new(),
            commit: None,
            left: None,
        };
        self.head.as_ref().map_or_else(first, |(head, _)| head.clone())
    }

    /// Takes over: the head names our fence, and no predecessor can write its next part any more.
    async fn raise(&mut self) -> Result<(), Diagnostic> {
        if !self.raised {
            let (at, by, commit) = (self.who.now(), self.who.name.clone(), self.who.commit.clone());
            fault::point("before the fence is raised");
            self.swap(Head { version: FORMAT_VERSION, fence: self.fence, at, by, commit, ..self.head() }).await?;
            self.raised = true;
            fault::point("the fence is raised");
        }
        while let Some(part) = self.unsealed.last() {
            let seal = SealV1 { fence: self.fence, run: self.who.run.clone(), version: FORMAT_VERSION };
            let mut line = Vec::new();
            frame(&to_bytes(&LineV4::<Branch<'_>>::Seal(seal))?, &mut line);
            self.put_new(part, line).await?;
            self.unsealed.pop();
        }
        Ok(())
    }

    async fn swap(&mut self, head: Head) -> Result<(), Diagnostic> {
        let condition = match &self.head {
            Some((_, version)) => Condition::Version(version.clone()),
            None => Condition::Absent,
        };
        let key = self.location.key("head.json");
        let swapped = self.put(&key, head.bytes(), condition).await;
        let version = match (swapped, &self.head) {
            (Ok(version), _) => version,
            (Err(_), Some(_)) if self.is_gone(&key).await => return Err(gone(&self.location.shown(&key))),
            (Err(problem), _) => return Err(problem),
        };
        self.head = Some((head, version));
        Ok(())
    }

    async fn is_gone(&self, key: &str) -> bool {
        matches!(self.location.store.get(key).await, Ok(None))
    }

    async fn put_new(&self, key: &str, bytes: Vec<u8>) -> Result<(), Diagnostic> {
        self.put(key, bytes, Condition::Absent).await.map(drop)
    }

    async fn put(&self, key: &str, bytes: impl Into<Bytes>, condition: Condition) -> Result<Version, Diagnostic> {
        put(&*self.location.store, key, bytes, condition).await.map_err(|error| match error {
            StoreError::Conflict(key) => StoreError::Conflict(self.location.shown(&key)).into(),
            error => error.into(),
        })
    }

    fn begin(&self) -> LineV4<'static, Branch<'static>> {
        LineV4::Begin(BeginV1 {
            at: self.who.now(),
            base: self.head().snapshot,
            by: self.who.name.clone(),
            fence: self.fence,
            project: self.location.project.clone(),
            run: self.who.run.clone(),
            stack: self.location.stack.clone(),
            uuid: self.uuid.clone(),
            version: FORMAT_VERSION,
        })
    }
}

/// Nobody has taken over: what stood there is not there.
fn gone(place: &str) -> Diagnostic {
    Diagnostic::error(format!("`{place}` is not there any more"))
        .detail("the state was removed, moved or unmounted while this run was working on it")
        .hint("put it back where it was, and run the command again; or see what `state repair` finds")
}
