//! The lease: one run at a time works on a stack, and who comes second is told who that is.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    Commit, Journal, Location, Reading, Snapshot, World,
    reading::load,
    store::{Guard, Note},
    stranded::Stranded,
    writer::Writer,
};
use crate::{Result, report::Diagnostic};

/// How long an observer of a store without locks sees no beat, on its own monotonic clock, until it takes over.
pub(super) const EXPIRY: Duration = Duration::from_secs(20);

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> OffsetDateTime + Send + Sync>;

/// Who works on a stack.
#[derive(Clone)]
pub struct Holder {
    /// The person or service.
    pub name: String,
    /// The machine.
    pub host: String,
    /// The run's own id.
    pub run: String,
    /// The commit of the program's repository, where it is known.
    pub commit: Option<String>,
    /// What time it is.
    pub clock: Clock,
    /// Is told whom the lease waits for, where only silence tells a dead holder from a living one.
    pub waiting: Arc<dyn Fn(&str) + Send + Sync>,
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Holder({} on {}, run {})", self.name, self.host, self.run)
    }
}

/// `lease.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Noted {
    holder: String,
    host: String,
    run: String,
    fence: u64,
    /// When the holder last showed that it lives. A local one does so by its lock, and this stays when it began.
    beat: String,
    /// When it began.
    since: String,
}

impl Holder {
    /// This process, as its environment names its user and machine.
    pub fn here(environment: &BTreeMap<String, String>) -> Self {
        let first = |names: &[&str]| {
            names.iter().find_map(|name| environment.get(*name).filter(|value| !value.is_empty()).cloned())
        };
        let host = first(&["HOSTNAME", "COMPUTERNAME"]).or_else(|| {
            let name = std::fs::read_to_string("/proc/sys/kernel/hostname")
                .or_else(|_| std::fs::read_to_string("/etc/hostname"));
            name.ok().map(|name| name.trim().to_owned())
        });
        Self {
            name: first(&["USER", "LOGNAME", "USERNAME"]).unwrap_or_else(|| "unknown".to_owned()),
            host: host.unwrap_or_else(|| "localhost".to_owned()),
            run: format!("{:08x}", uuid::Uuid::new_v4().as_fields().0),
            commit: None,
            clock: Arc::new(OffsetDateTime::now_utc),
            waiting: Arc::new(|_| {}),
        }
    }

    /// With the commit of the program's repository.
    pub fn with_commit(self, commit: Option<String>) -> Self {
        Self { commit, ..self }
    }

    /// Who tells this to a person while the lease waits.
    pub fn when_waiting(self, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { waiting: Arc::new(tell), ..self }
    }

    /// The time, RFC 3339, whole seconds.
    pub(super) fn now(&self) -> String {
        let now = (self.clock)();
        now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default()
    }

    /// Makes this holder's notes, each with the time at which it is made.
    fn notes(&self, fence: u64, since: &str) -> Note {
        let (who, since) = (self.clone(), since.to_owned());
        Arc::new(move || {
            let (holder, host, run) = (who.name.clone(), who.host.clone(), who.run.clone());
            // To the nanosecond: each beat has to differ from the one before.
            let beat = (who.clock)().format(&Rfc3339).unwrap_or_default();
            let note = Noted { holder, host, run, fence, beat, since: since.clone() };
            serde_json::to_vec(&note).expect("a note is plain data")
        })
    }
}

/// The right to write a stack's state, and what it was when that began.
#[derive(Debug)]
pub struct Lease {
    reading: Reading,
    journal: Arc<Journal>,
    /// How many records the last snapshot has.
    committed: u64,
    brought_home: usize,
}

/// What unlocking found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unlocked {
    /// Nobody holds the lease.
    Free,
    /// This holder's lease has ended.
    Ended(String),
}

/// Reads a stack's state without writing anything, with what an interrupted run journalled; what it left open stays open,
/// in [`Reading::open`]. A directory that is not there is an empty state.
///
/// # Errors
/// When the state is of another world, damaged, newer, or its secrets can't be opened; each names the file.
pub async fn read(location: &Location, world: World, environment: &BTreeMap<String, String>) -> Result<Reading> {
    let mut reading = load(location, world, environment).await?.0;
    let stranded = Stranded::read(location, &reading, environment).await?;
    if let Some(keys) = stranded.keys() {
        reading.keys.adopt(keys);
    }
    stranded.fold_into(&mut reading);
    reading.in_progress = holder(location).await?;
    Ok(reading)
}

/// The world that the stored state speaks of; `None` before anything was written.
///
/// # Errors
/// When the head is damaged or newer.
pub async fn world(location: &Location) -> Result<Option<World>> {
    Ok(super::reading::read_head(location).await?.map(|(head, _)| head.world))
}

/// Refuses a place whose state speaks of another world than this one, before anything is made for this one.
///
/// # Errors
/// When it does; or as [`world`].
pub async fn check_world(location: &Location, meant: World) -> Result<()> {
    match world(location).await? {
        Some(recorded) => Ok(meant.check(recorded, &location.stack())?),
        None => Ok(()),
    }
}

/// Takes the stack's lease, and reads its state under it.
///
/// # Errors
/// When somebody else has it, the place can't be written, or as [`read`].
pub async fn lease(
    location: &Location,
    world: World,
    environment: &BTreeMap<String, String>,
    who: &Holder,
) -> Result<Lease> {
    let since = who.now();
    let mut guard = hold(location, who, &since).await?;
    let loaded = async {
        let (reading, standing) = load(location, world, environment).await?;
        let stranded = Stranded::read(location, &reading, environment).await?;
        Ok::<_, Diagnostic>((reading, standing, stranded))
    };
    let (reading, standing, stranded) = match loaded.await {
        Ok(loaded) => loaded,
        Err(problem) => {
            guard.release().await;
            return Err(problem.into());
        }
    };
    let fence = standing.head.as_ref().map_or(0, |(head, _)| head.fence) + 1;
    guard.note(who.notes(fence, &since)).await.map_err(Diagnostic::from)?;
    let writer = Writer::new(location, standing, world, who, guard);
    let journal = Journal::new(writer, reading.keys.clone(), reading.open.clone());
    let mut lease = Lease { reading, journal: Arc::new(journal), committed: 0, brought_home: 0 };
    match lease.bring_home(stranded).await {
        Ok(()) => Ok(lease),
        Err(problem) => {
            // The problem is the same, or silence ends the lease.
            let _ = lease.release().await;
            Err(problem.into())
        }
    }
}

/// Takes the exclusive hold of a stack.
pub(super) async fn hold(location: &Location, who: &Holder, since: &str) -> Result<Box<dyn Guard>, Diagnostic> {
    let key = location.key("lease.json");
    let waiting = |note: &[u8]| (who.waiting)(&waiting_for(location, note));
    match Arc::clone(&location.store).lock(&key, who.notes(0, since), &waiting).await? {
        Some(guard) => Ok(guard),
        None => Err(in_use(location).await),
    }
}

impl Lease {
    /// The state when the lease was taken, or as of the last commit.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// How much runs of this machine that had lost their store could not tell it, and this lease has.
    pub fn brought_home(&self) -> usize {
        self.brought_home
    }

    async fn bring_home(&mut self, stranded: Stranded) -> Result<(), Diagnostic> {
        if let Some(keys) = stranded.keys() {
            self.journal.adopt(keys);
        }
        for record in stranded.records() {
            self.journal.append(record.clone()).await?;
        }
        stranded.fold_into(&mut self.reading);
        self.brought_home = stranded.records().len();
        stranded.forget().await
    }

    /// Where records go.
    pub fn journal(&self) -> Arc<Journal> {
        Arc::clone(&self.journal)
    }

    /// Makes this the stack's snapshot, with the intents that are still open. Writes nothing when nothing is new.
    ///
    /// # Errors
    /// When it can't be written. The records remain, and the next run starts from them.
    pub async fn commit(&mut self, snapshot: &Snapshot) -> Result<Commit> {
        let records = self.journal.records();
        if records == self.committed && self.reading.recovered == 0 && *snapshot == self.reading.snapshot {
            return Ok(self.journal.at().await);
        }
        let commit = self.journal.commit(snapshot).await?;
        self.committed = records;
        let reading = &mut self.reading;
        reading.snapshot.clone_from(snapshot);
        (reading.base, reading.serial) = (commit.snapshot.clone(), commit.serial);
        (reading.open, reading.recovered) = (self.journal.open(), 0);
        Ok(commit)
    }

    /// Wraps the stack's data key with what environment and program name now, as a new snapshot, and gives the lease
    /// back. With `anew`, every secret is encrypted with another data key. Says what wraps it now; `None` when the stack
    /// has no secrets.
    ///
    /// # Errors
    /// When there is nothing to wrap it with, that can't be used, or the snapshot can't be written.
    pub async fn rotate(self, anew: bool) -> Result<Option<(String, Commit)>> {
        let rotated = self.rotate_keys(anew).await;
        self.release().await?;
        Ok(rotated?)
    }

    async fn rotate_keys(&self, anew: bool) -> Result<Option<(String, Commit)>, Diagnostic> {
        let Some(keys) = self.reading.keys.rotated(anew).await? else { return Ok(None) };
        let commit = self.journal.commit_with(&self.reading.snapshot, &keys).await?;
        Ok(Some((keys.wrapped_by().unwrap_or_default(), commit)))
    }

    /// Gives the lease back. What was not committed stays in the journal.
    ///
    /// # Errors
    /// When the last records could not be written.
    pub async fn release(self) -> Result<()> {
        Ok(self.journal.release().await?)
    }
}

/// Who has the lease: `ana on host-1 since 2026-01-02T03:04:05Z (run 1b2c)`.
async fn holder(location: &Location) -> Result<Option<String>, Diagnostic> {
    Ok(location.store.held(&location.key("lease.json")).await?.map(|note| described(&note)))
}

fn waiting_for(location: &Location, note: &[u8]) -> String {
    let (stack, holder, seconds) = (location.stack(), described(note), EXPIRY.as_secs());
    format!("stack `{stack}` is held by {holder}; waiting for a sign of life, for {seconds} s at most")
}

pub(super) fn described(note: &[u8]) -> String {
    match serde_json::from_slice::<Noted>(note) {
        Ok(Noted { holder, host, run, since, .. }) => format!("{holder} on {host} since {since} (run {run})"),
        Err(_) => "another process".to_owned(),
    }
}

/// Whether the run that has the lease lives. Where only its signs of life tell, `tell` is told that one is waited for.
///
/// # Errors
/// Those of the store.
pub async fn lives(location: &Location, tell: &(dyn Fn(&str) + Send + Sync)) -> Result<bool> {
    let waiting = |note: &[u8]| tell(&waiting_for(location, note));
    Ok(location.store.lives(&location.key("lease.json"), &waiting).await.map_err(Diagnostic::from)?)
}

/// Takes the lease from the run that a person knows to be gone.
///
/// # Errors
/// When another run has it, or the run is alive where the operating system says so.
pub async fn unlock(location: &Location, run: &str) -> Result<Unlocked> {
    let key = location.key("lease.json");
    let Some(note) = location.store.held(&key).await.map_err(Diagnostic::from)? else { return Ok(Unlocked::Free) };
    let holder = described(&note);
    if !serde_json::from_slice::<Noted>(&note).is_ok_and(|noted| noted.run == run) {
        let problem = Diagnostic::error(format!("no run `{run}` holds the lease of `{}`", location.stack()));
        return Err(problem.detail(format!("held by {holder}")).into());
    }
    if location.store.unlock(&key, &note).await.map_err(Diagnostic::from)? {
        return Ok(Unlocked::Ended(holder));
    }
    let problem = Diagnostic::error("the run is alive, and its lease can't be taken");
    Err(problem
        .detail(format!("held by {holder}"))
        .hint("interrupt it: the lease is free as soon as its process ends")
        .into())
}

/// The refusal of what needs the lease while somebody else has it.
pub async fn in_use(location: &Location) -> Diagnostic {
    match holder(location).await {
        Ok(Some(holder)) => Diagnostic::error(format!("stack `{}` is in use", location.stack()))
            .detail(format!("held by {holder}"))
            .hint("wait until that run is done; when its process is gone, the stack is free: at once, or in a bucket after 20 s"),
        Ok(None) => Diagnostic::error(format!("stack `{}` was in use until just now", location.stack()))
            .hint("run the command again"),
        Err(problem) => problem,
    }
}
