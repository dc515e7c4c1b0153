//! The write-ahead journal of a run: records in order, appenders that wait together for one flush.

use std::{
    mem,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    Certainty, Clock, Commit, Hold, Keys, Left, OpenIntent, Record, Snapshot,
    branch::{Branch, to_bytes},
    fold::note,
    frame::frame,
    record_format::{LineV4, has_secrets},
    stranded::is_news,
    writer::Writer,
};
use crate::report::Diagnostic;

/// How long a lazy record waits for company.
const LAZY: Duration = Duration::from_millis(20);

/// A run's journal. Nothing is written before the first record.
///
/// After a failed write the store is lost: nothing new may be announced, with the first failure's reason. What becomes of
/// what was announced before is kept on this machine, where the location has a place for it.
pub struct Journal {
    inner: Arc<Inner>,
}

struct Inner {
    keys: Keys,
    certainty: Certainty,
    clock: Clock,
    queue: Mutex<Queue>,
    writer: tokio::sync::Mutex<Written>,
}

#[derive(Default)]
struct Queue {
    /// Framed lines that wait for the writer.
    lines: Vec<u8>,
    /// How many records were queued so far.
    last: u64,
    /// What the records so far leave open.
    open: Vec<OpenIntent>,
    keys_written: bool,
    flush_planned: bool,
    /// How many of the waiting lines say what became of something.
    news: usize,
    lost: Option<Lost>,
}

/// Why the store takes nothing any more, and what became of the news since.
struct Lost {
    why: Diagnostic,
    /// Where news are kept, and how many.
    kept: Option<(PathBuf, usize)>,
    unkept: usize,
}

struct Written {
    writer: Writer,
    /// How many records are durable, in the store or on this machine.
    durable: u64,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("records", &self.records()).finish_non_exhaustive()
    }
}

impl Journal {
    pub(super) fn new(writer: Writer, keys: Keys, open: Vec<OpenIntent>) -> Self {
        let queue = Queue { open, keys_written: keys.wire().is_some(), ..Queue::default() };
        let (certainty, clock) = (writer.certainty(), writer.clock());
        let written = Written { writer, durable: 0 };
        Self {
            inner: Arc::new(Inner {
                keys,
                certainty,
                clock,
                queue: Mutex::new(queue),
                writer: tokio::sync::Mutex::new(written),
            }),
        }
    }

    /// Adds a record, and answers when it is durable. Those who wait at the same time share one flush.
    ///
    /// Dropping this future does not take the record back.
    ///
    /// # Errors
    /// When it can't be made durable: what it announces must not be done. What says what became of something is durable
    /// also where only this machine keeps it.
    pub async fn append(&self, record: Record) -> Result<(), Diagnostic> {
        let news = is_news(&record);
        let number = self.inner.enqueue(record).await?;
        self.settle(number, news).await
    }

    /// Adds a record behind all that were added before. It becomes durable with the next [`Journal::append`], after a
    /// moment, or at the commit: for what is no loss to forget.
    ///
    /// # Errors
    /// When a secret in it can't be sealed.
    pub async fn append_lazy(&self, record: Record) -> Result<(), Diagnostic> {
        self.inner.enqueue(record).await?;
        if mem::replace(&mut self.inner.queue().flush_planned, true) {
            return Ok(());
        }
        let inner = Arc::downgrade(&self.inner);
        tokio::spawn(async move {
            tokio::time::sleep(LAZY).await;
            if let Some(inner) = inner.upgrade() {
                inner.queue().flush_planned = false;
                // A failure stays with the writer: the next append and the commit report it.
                let _ = inner.settle(u64::MAX, false).await;
            }
        });
        Ok(())
    }

    /// Makes everything durable that was added so far.
    ///
    /// # Errors
    /// When that can't be done.
    pub async fn flush(&self) -> Result<(), Diagnostic> {
        self.settle(u64::MAX, false).await
    }

    /// Why the store takes nothing any more, and what became of what was learned since; `None` as long as it does.
    pub fn lost(&self) -> Option<Diagnostic> {
        self.inner.queue().lost.as_ref().map(Lost::told)
    }

    /// Takes these keys for its own where it has none: those of records that are about to be added.
    pub(super) fn adopt(&self, keys: &Keys) {
        self.inner.keys.adopt(keys);
    }

    /// A new intent's id: 16 lower-case hexadecimal digits, drawn at random so that a restored copy of a state never
    /// takes an object of the original's for its own.
    pub fn intent_id(&self) -> String {
        let random = uuid::Uuid::new_v4().as_u64_pair();
        format!("{:016x}", random.0.rotate_left(32) ^ random.1)
    }

    /// Whether the lease still lasts. A process that stood still asks the store first.
    pub async fn holds(&self) -> Hold {
        self.inner.certainty.confirm().await
    }

    /// The time of the lease's holder, in milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        u64::try_from((self.inner.clock)().unix_timestamp_nanos() / 1_000_000).unwrap_or(0)
    }

    /// How many records were added.
    pub fn records(&self) -> u64 {
        self.inner.queue().last
    }

    /// What was asked and not answered so far, by this run or an interrupted one.
    pub fn open(&self) -> Vec<OpenIntent> {
        self.inner.queue().open.clone()
    }

    pub(super) async fn commit(&self, snapshot: &Snapshot) -> Result<Commit, Diagnostic> {
        self.commit_with(snapshot, &self.inner.keys).await
    }

    /// Commits with these keys. When they are others than the journal's, nothing may be added to it afterwards.
    pub(super) async fn commit_with(&self, snapshot: &Snapshot, keys: &Keys) -> Result<Commit, Diagnostic> {
        self.flush().await?;
        let open = self.open();
        if snapshot.has_secrets() || open.iter().any(|open| open.intent.target.has_secrets()) {
            keys.ensure().await?;
        }
        let mut written = self.inner.writer.lock().await;
        let commit = written.writer.commit(snapshot, &open, keys).await?;
        // The snapshot brings the keys along.
        self.inner.queue().keys_written = keys.wire().is_some();
        Ok(commit)
    }

    /// Commits what another state was, with its open intents: all of it is there at once, or nothing.
    pub(super) async fn commit_anew(
        &self,
        snapshot: &Snapshot,
        open: &[OpenIntent],
        keys: &Keys,
    ) -> Result<Commit, Diagnostic> {
        self.inner.writer.lock().await.writer.commit(snapshot, open, keys).await
    }

    /// Says in the head that the state is left. To be called when nothing is to be added any more.
    pub(super) async fn leave(&self, left: Left) -> Result<(), Diagnostic> {
        self.flush().await?;
        self.inner.writer.lock().await.writer.leave(left).await
    }

    /// What the stack is at, as far as this run knows.
    pub(super) async fn at(&self) -> Commit {
        self.inner.writer.lock().await.writer.at()
    }

    pub(super) async fn release(&self) -> Result<(), Diagnostic> {
        let flushed = self.flush().await;
        self.inner.writer.lock().await.writer.release().await;
        flushed
    }

    /// Runs detached: a caller that is cancelled must not leave half a line behind which others go on.
    async fn settle(&self, number: u64, news: bool) -> Result<(), Diagnostic> {
        let inner = Arc::clone(&self.inner);
        let settled = tokio::spawn(async move { inner.settle(number, news).await }).await;
        settled.unwrap_or_else(|died| Err(Diagnostic::error("the journal's writer died").detail(died.to_string())))
    }
}

impl Inner {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn enqueue(&self, record: Record) -> Result<u64, Diagnostic> {
        if has_secrets(&record) {
            self.keys.ensure().await?;
        }
        let json = to_bytes(&LineV4::of(&record, &self.keys))?;
        let mut queue = self.queue();
        if !queue.keys_written
            && let Some(wire) = self.keys.wire()
        {
            let keys = to_bytes(&LineV4::<Branch<'_>>::Keys(wire.clone()))?;
            frame(&keys, &mut queue.lines);
            queue.keys_written = true;
        }
        frame(&json, &mut queue.lines);
        queue.news += usize::from(is_news(&record));
        note(&mut queue.open, record);
        queue.last += 1;
        Ok(queue.last)
    }

    /// Makes records durable up to this number. Whoever comes first writes for all who wait behind. `news` are durable
    /// where this machine keeps them, too.
    async fn settle(&self, number: u64, news: bool) -> Result<(), Diagnostic> {
        let mut written = self.writer.lock().await;
        let writable = self.queue().lost.is_none();
        if written.durable >= number && (writable || news) {
            return Ok(());
        }
        let (lines, last, waiting) = {
            let mut queue = self.queue();
            (mem::take(&mut queue.lines), queue.last, mem::take(&mut queue.news))
        };
        if lines.is_empty() && writable {
            return Ok(());
        }
        let spare = if waiting > 0 { lines.clone() } else { Vec::new() };
        if writable {
            match written.writer.append(lines).await {
                Ok(()) => {
                    written.durable = last;
                    return Ok(());
                }
                Err(why) => self.queue().lost = Some(Lost { why, kept: None, unkept: 0 }),
            }
        }
        if waiting > 0 {
            let kept = written.writer.strand(&self.keys, &spare).await;
            written.durable = if kept.is_some() { last } else { written.durable };
            if let Some(lost) = &mut self.queue().lost {
                lost.took(kept, waiting);
            }
        }
        if news && written.durable >= number {
            return Ok(());
        }
        Err(self.queue().lost.as_ref().map_or_else(|| Diagnostic::error("the journal is lost"), Lost::told))
    }
}

impl Lost {
    fn took(&mut self, file: Option<PathBuf>, news: usize) {
        match file {
            Some(file) => self.kept = Some((file, self.kept.as_ref().map_or(0, |(_, count)| *count) + news)),
            None => self.unkept += news,
        }
    }

    /// What a person has to know of it.
    fn told(&self) -> Diagnostic {
        let outcomes =
            |count: usize| if count == 1 { "1 outcome is".to_owned() } else { format!("{count} outcomes are") };
        let mut details: Vec<String> = self.why.detail.iter().cloned().collect();
        details.push("nothing new was started".to_owned());
        let mut told = self.why.clone();
        if let Some((file, count)) = &self.kept {
            details.push(format!("{} kept in `{}`", outcomes(*count), file.display()));
            told = told.hint("when the store can be reached, run the command again here: it brings home what is kept");
        }
        if self.unkept > 0 {
            details.push(format!("{} kept nowhere: the next run asks the services", outcomes(self.unkept)));
        }
        told.detail(details.join("\n"))
    }
}
