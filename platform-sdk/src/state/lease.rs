//! The lease: one run at a time works on a stack, and who comes second is told who that is.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Commit, Journal, Location, Reading, Snapshot, World, reading::load, writer::Writer};
use crate::{Result, report::Diagnostic};

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
    pub clock: Arc<dyn Fn() -> OffsetDateTime + Send + Sync>,
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Holder({} on {}, run {})", self.name, self.host, self.run)
    }
}

/// `lease.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Note {
    holder: String,
    host: String,
    run: String,
    fence: u64,
    /// When the holder last showed that it lives. A local one does so by its lock, and this stays when it began.
    beat: String,
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
        }
    }

    /// The time, RFC 3339, whole seconds.
    pub(super) fn now(&self) -> String {
        let now = (self.clock)();
        now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default()
    }

    fn note(&self, fence: u64) -> Vec<u8> {
        let (holder, host, run) = (self.name.clone(), self.host.clone(), self.run.clone());
        serde_json::to_vec(&Note { holder, host, run, fence, beat: self.now() }).expect("a note is plain data")
    }
}

/// The right to write a stack's state, and what it was when that began.
#[derive(Debug)]
pub struct Lease {
    reading: Reading,
    journal: Arc<Journal>,
    /// How many records the last snapshot has.
    committed: u64,
}

/// Reads a stack's state without writing anything: what an interrupted run left is settled in memory. A directory that
/// is not there is an empty state.
///
/// # Errors
/// When the state is of another world, damaged, newer, or its secrets can't be opened; each names the file.
pub async fn read(location: &Location, world: World, environment: &BTreeMap<String, String>) -> Result<Reading> {
    let mut reading = load(location, world, environment).await?.0;
    reading.in_progress = holder(location).await?;
    Ok(reading)
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
    let locked = location.store.lock(&location.key("lease.json"), who.note(0)).await.map_err(Diagnostic::from)?;
    let Some(mut guard) = locked else { return Err(taken(location).await.into()) };
    let (reading, standing) = match load(location, world, environment).await {
        Ok(loaded) => loaded,
        Err(problem) => {
            guard.release().await;
            return Err(problem.into());
        }
    };
    let fence = standing.head.as_ref().map_or(0, |(head, _)| head.fence) + 1;
    guard.note(who.note(fence)).await.map_err(Diagnostic::from)?;
    let writer = Writer::new(location, standing, world, who, guard);
    let journal = Journal::new(writer, reading.keys.clone(), reading.open.clone());
    Ok(Lease { reading, journal: Arc::new(journal), committed: 0 })
}

impl Lease {
    /// The state when the lease was taken, or as of the last commit.
    pub fn reading(&self) -> &Reading {
        &self.reading
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
    let Some(note) = location.store.held(&location.key("lease.json")).await? else { return Ok(None) };
    Ok(Some(match serde_json::from_slice::<Note>(&note) {
        Ok(Note { holder, host, run, beat, .. }) => format!("{holder} on {host} since {beat} (run {run})"),
        Err(_) => "another process".to_owned(),
    }))
}

async fn taken(location: &Location) -> Diagnostic {
    match holder(location).await {
        Ok(Some(holder)) => Diagnostic::error(format!("stack `{}` is in use", location.stack()))
            .detail(format!("held by {holder}"))
            .hint("wait until that run is done; if its process is gone, the stack is free at once"),
        Ok(None) => Diagnostic::error(format!("stack `{}` was in use until just now", location.stack()))
            .hint("run the command again"),
        Err(problem) => problem,
    }
}
