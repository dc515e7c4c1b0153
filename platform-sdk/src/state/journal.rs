//! The write-ahead journal of a run: records in order, appenders that wait together for one flush.

use std::{
    mem,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    Commit, Keys, OpenIntent, Record, Snapshot,
    branch::{Branch, to_bytes},
    fold::note,
    frame::frame,
    record_format::{LineV1, has_secrets},
    store::Certainty,
    stranded::matters,
    writer::Writer,
};
use crate::report::Diagnostic;

/// How long a lazy record waits for company.
const LAZY: Duration = Duration::from_millis(20);

/// A run's journal. Nothing is written before the first record.
///
/// After a failed write every append fails, with the first failure's reason: nothing new may be started then.
pub struct Journal {
    inner: Arc<Inner>,
}

struct Inner {
    keys: Keys,
    /// Whether the lease still lasts.
    certainty: Certainty,
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
    failed: Option<Failed>,
}

/// Why nothing more is written, and what became of the news since.
struct Failed {
    why: Diagnostic,
    kept: usize,
    unkept: usize,
    file: Option<PathBuf>,
}

impl Failed {
    fn of(why: Diagnostic) -> Self {
        Self { why, kept: 0, unkept: 0, file: None }
    }

    fn told(&self) -> Diagnostic {
        let mut told = self.why.clone();
        let outcomes = |count: usize| if count == 1 { "1 outcome".to_owned() } else { format!("{count} outcomes") };
        if let Some(file) = &self.file {
            let kept = format!("{} kept in `{}`", outcomes(self.kept), file.display());
            told.detail = Some(told.detail.map_or(kept.clone(), |detail| format!("{detail}; {kept}")));
            told = told.hint(
                "nothing new was started; run the command again on this machine when the store is back: it brings them home",
            );
        }
        if self.unkept > 0 {
            let lost = format!("{} could not be kept; the next run asks the services", outcomes(self.unkept));
            told.detail = Some(told.detail.map_or(lost.clone(), |detail| format!("{detail}; {lost}")));
        }
        told
    }
}

struct Written {
    writer: Writer,
    /// How many records are durable.
    durable: u64,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("records", &self.records()).finish_non_exhaustive()
    }
}

impl Journal {
    pub(super) fn new(writer: Writer, certainty: Certainty, keys: Keys, open: Vec<OpenIntent>) -> Self {
        let queue = Mutex::new(Queue { open, keys_written: keys.wire().is_some(), ..Queue::default() });
        let writer = tokio::sync::Mutex::new(Written { writer, durable: 0 });
        Self { inner: Arc::new(Inner { keys, certainty, queue, writer }) }
    }

    /// Adds a record, and answers when it is durable. Those who wait at the same time share one flush.
    ///
    /// Dropping this future does not take the record back.
    ///
    /// # Errors
    /// When it can't be made durable: what it announces must not be done.
    pub async fn append(&self, record: Record) -> Result<(), Diagnostic> {
        let number = self.inner.enqueue(record).await?;
        self.settle(number).await
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
                let _ = inner.settle(u64::MAX).await;
            }
        });
        Ok(())
    }

    /// Makes everything durable that was added so far.
    ///
    /// # Errors
    /// When that can't be done.
    pub async fn flush(&self) -> Result<(), Diagnostic> {
        self.settle(u64::MAX).await
    }

    /// Makes sure that the lease lasts: to be asked right before anything is asked of a service. A process that was paused
    /// may have been taken over, and who took over may have settled its intents.
    ///
    /// # Errors
    /// When the lease is lost, or the journal can't be written any more.
    pub async fn confirm(&self) -> Result<(), Diagnostic> {
        if let Some(lost) = self.lost() {
            return Err(lost);
        }
        if self.inner.certainty.confirm().await {
            return Ok(());
        }
        let lost = Diagnostic::error("this run's lease has been taken over")
            .detail("it gave no sign of life for too long: it was paused, or the store was out of reach")
            .hint("run the command again: it starts from what the other run left");
        Err(self.inner.queue().failed.get_or_insert_with(|| Failed::of(lost)).told())
    }

    /// Why nothing can be written any more, and where what is learned since is kept.
    pub fn lost(&self) -> Option<Diagnostic> {
        self.inner.queue().failed.as_ref().map(Failed::told)
    }

    /// A new intent's id: 16 lower-case hexadecimal digits, drawn at random so that a restored copy of a state never
    /// takes an object of the original's for its own.
    pub fn intent_id(&self) -> String {
        let random = uuid::Uuid::new_v4().as_u64_pair();
        format!("{:016x}", random.0.rotate_left(32) ^ random.1)
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
        self.flush().await?;
        let open = self.open();
        if snapshot.has_secrets() || open.iter().any(|open| open.intent.target.has_secrets()) {
            self.inner.keys.ensure().await?;
        }
        let mut written = self.inner.writer.lock().await;
        let commit = written.writer.commit(snapshot, &open, &self.inner.keys).await?;
        // The snapshot brings the keys along.
        self.inner.queue().keys_written = self.inner.keys.wire().is_some();
        Ok(commit)
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
    async fn settle(&self, number: u64) -> Result<(), Diagnostic> {
        let inner = Arc::clone(&self.inner);
        let settled = tokio::spawn(async move { inner.settle(number).await }).await;
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
        let json = to_bytes(&LineV1::of(&record, &self.keys)?)?;
        let mut queue = self.queue();
        if !queue.keys_written
            && let Some(wire) = self.keys.wire()
        {
            let keys = to_bytes(&LineV1::<Branch<'_>>::Keys(wire.clone()))?;
            frame(&keys, &mut queue.lines);
            queue.keys_written = true;
        }
        frame(&json, &mut queue.lines);
        queue.news += usize::from(matters(&record));
        note(&mut queue.open, record);
        queue.last += 1;
        Ok(queue.last)
    }

    /// Makes records durable up to this number. Whoever comes first writes for all who wait behind.
    async fn settle(&self, number: u64) -> Result<(), Diagnostic> {
        let mut written = self.writer.lock().await;
        if written.durable >= number {
            return Ok(());
        }
        let (lines, last, news, failed) = {
            let mut queue = self.queue();
            let failed = queue.failed.as_ref().map(|failed| failed.why.clone());
            (mem::take(&mut queue.lines), queue.last, mem::take(&mut queue.news), failed)
        };
        let failed = match failed {
            Some(failed) => failed,
            None if lines.is_empty() => return Ok(()),
            None => match written.writer.append(lines.clone()).await {
                Ok(()) => {
                    written.durable = last;
                    return Ok(());
                }
                Err(failed) => self.queue().failed.get_or_insert_with(|| Failed::of(failed)).why.clone(),
            },
        };
        if news > 0 {
            let kept = written.writer.strand(&self.keys, lines).await;
            let mut queue = self.queue();
            if let Some(failed) = &mut queue.failed {
                match kept {
                    Ok(Some(file)) => (failed.kept, failed.file) = (failed.kept + news, Some(file)),
                    Ok(None) | Err(_) => failed.unkept += news,
                }
            }
        }
        Err(failed)
    }
}
