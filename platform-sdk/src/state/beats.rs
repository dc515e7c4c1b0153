//! Holds in stores without locks: an object that its holder rewrites every few seconds. Who has been silent for long is
//! taken over.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::{
    lease::EXPIRY,
    object_per_append::put,
    store::{Certainty, Condition, Confirm, Guard, Hold, Note, Store, StoreError, StoreResult, Version, Waiting},
};

/// How often a holder shows that it lives.
pub(super) const BEAT: Duration = Duration::from_secs(5);

/// How long a holder trusts its last beat. Shorter than [`EXPIRY`] by what a request may take to arrive.
const TRUST: Duration = Duration::from_secs(15);

/// How often an observer looks, and a holder tries again whose beat got no answer.
const LOOK: Duration = Duration::from_secs(1);

/// What stands where nobody holds: a hold is ended by writing this, not by a delete, which could hit a successor's.
const FREE: &[u8] = b"{}";

/// Takes a hold; `None` when its holder lives.
///
/// # Errors
/// Those of the store.
pub async fn take(
    store: &Arc<dyn Store>,
    key: &str,
    note: Note,
    waiting: &Waiting<'_>,
) -> StoreResult<Option<Box<dyn Guard>>> {
    let mut observed: Option<(Version, Instant)> = None;
    loop {
        let there = store.get(key).await?;
        let condition = match there {
            None => Condition::Absent,
            Some(object) if object.bytes == FREE => Condition::Version(object.version),
            Some(object) => match &observed {
                None => {
                    waiting(&object.bytes);
                    observed = Some((object.version, Instant::now()));
                    sleep(LOOK).await;
                    continue;
                }
                Some((version, _)) if *version != object.version => return Ok(None),
                Some((_, since)) if since.elapsed() < EXPIRY => {
                    sleep(LOOK).await;
                    continue;
                }
                Some(_) => Condition::Version(object.version),
            },
        };
        let began = Sign::now();
        return match put(&**store, key, note(), condition).await {
            Ok(version) => Ok(Some(Box::new(Beating::new(Arc::clone(store), key, note, version, began)))),
            // Somebody else was faster, or the holder woke up.
            Err(StoreError::Conflict(_)) => Ok(None),
            Err(error) => Err(error),
        };
    }
}

/// The note of whoever holds the key.
///
/// # Errors
/// Those of the store.
pub async fn held(store: &dyn Store, key: &str) -> StoreResult<Option<Vec<u8>>> {
    Ok(store.get(key).await?.map(|object| object.bytes).filter(|bytes| bytes != FREE))
}

/// Whether the holder of the key lives: whether its object changes before it would be taken over.
///
/// # Errors
/// Those of the store.
pub async fn lives(store: &dyn Store, key: &str, waiting: &Waiting<'_>) -> StoreResult<bool> {
    let mut observed: Option<(Version, Instant)> = None;
    loop {
        let Some(object) = store.get(key).await?.filter(|object| object.bytes != FREE) else { return Ok(false) };
        match &observed {
            None => {
                waiting(&object.bytes);
                observed = Some((object.version, Instant::now()));
            }
            Some((version, _)) if *version != object.version => return Ok(true),
            Some((_, since)) if since.elapsed() < EXPIRY => {}
            Some(_) => return Ok(false),
        }
        sleep(LOOK).await;
    }
}

/// Ends somebody else's hold if its note is still this one.
///
/// # Errors
/// Those of the store.
pub async fn unlock(store: &dyn Store, key: &str, note: &[u8]) -> StoreResult<bool> {
    let Some(object) = store.get(key).await?.filter(|object| object.bytes == note) else { return Ok(false) };
    match store.put(key, Bytes::from_static(FREE), Condition::Version(object.version)).await {
        Ok(_) => Ok(true),
        Err(StoreError::Conflict(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// When a beat was sent. Two clocks: the monotonic one stands still while a machine sleeps.
#[derive(Debug, Clone, Copy)]
struct Sign {
    monotonic: Instant,
    wall: SystemTime,
}

impl Sign {
    fn now() -> Self {
        Self { monotonic: Instant::now(), wall: SystemTime::now() }
    }

    fn is_trusted(&self) -> bool {
        // A wall clock that was set back says nothing.
        self.monotonic.elapsed() < TRUST && self.wall.elapsed().unwrap_or_default() < TRUST
    }
}

#[derive(Debug, Clone, Copy)]
enum Last {
    Beat(Sign),
    Lost,
}

/// A holder's beats, as others in its process see them.
#[derive(Debug, Clone)]
struct Beats(watch::Receiver<Last>);

#[async_trait]
impl Confirm for Beats {
    /// A process that slept asks the store first.
    async fn confirm(&self) -> Hold {
        let mut last = self.0.clone();
        let certain = last.wait_for(|last| match last {
            Last::Beat(sign) => sign.is_trusted(),
            Last::Lost => true,
        });
        match timeout(EXPIRY, certain).await.map(|last| last.map(|last| *last)) {
            Ok(Ok(Last::Beat(_))) => Hold::Lasts,
            Ok(Ok(Last::Lost)) => Hold::Lost,
            // No news for that long, or the end of the beats, is no certainty.
            Ok(Err(_)) | Err(_) => Hold::Unknown,
        }
    }
}

/// A hold and its beats.
struct Beating {
    heart: Arc<Heart>,
    task: JoinHandle<()>,
}

/// What beats.
struct Heart {
    store: Arc<dyn Store>,
    key: String,
    note: Mutex<Note>,
    /// Held while a note is written.
    ours: tokio::sync::Mutex<Ours>,
    last: watch::Sender<Last>,
}

/// What is known of our note in the store.
struct Ours {
    version: Version,
    /// Notes that were sent since that version, and may have been written.
    unanswered: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Beating {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Beating").field("key", &self.heart.key).finish_non_exhaustive()
    }
}

impl Beating {
    fn new(store: Arc<dyn Store>, key: &str, note: Note, version: Version, began: Sign) -> Self {
        let ours = tokio::sync::Mutex::new(Ours { version, unanswered: Vec::new() });
        let (key, note, last) = (key.to_owned(), Mutex::new(note), watch::channel(Last::Beat(began)).0);
        let heart = Arc::new(Heart { store, key, note, ours, last });
        let beating = Arc::clone(&heart);
        let task = tokio::spawn(async move {
            let mut pause = BEAT;
            while !matches!(*beating.last.borrow(), Last::Lost) {
                sleep(pause).await;
                pause = if beating.beat().await.is_ok() { BEAT } else { LOOK };
            }
        });
        Self { heart, task }
    }
}

impl Heart {
    /// One sign of life.
    async fn beat(&self) -> StoreResult<()> {
        let mut ours = self.ours.lock().await;
        let sign = Sign::now();
        // An answer that takes longer comes too late for whoever waits for certainty.
        let beaten = timeout(TRUST, self.write(&mut ours)).await.unwrap_or_else(|_| {
            let (doing, what, source) = ("write", self.key.clone(), std::io::ErrorKind::TimedOut.into());
            Err(StoreError::Failed { doing, what, source })
        });
        match &beaten {
            Ok(()) => drop(self.last.send_replace(Last::Beat(sign))),
            Err(StoreError::Conflict(_)) => drop(self.last.send_replace(Last::Lost)),
            // Still ours, as far as anybody can tell.
            Err(StoreError::Key(_) | StoreError::Failed { .. }) => {}
        }
        beaten
    }

    async fn write(&self, ours: &mut Ours) -> StoreResult<()> {
        let bytes = (self.note.lock().unwrap_or_else(PoisonError::into_inner))();
        ours.unanswered.push(bytes.clone());
        loop {
            let condition = Condition::Version(ours.version.clone());
            match put(&*self.store, &self.key, bytes.clone(), condition).await {
                Ok(version) => {
                    *ours = Ours { version, unanswered: Vec::new() };
                    return Ok(());
                }
                Err(StoreError::Conflict(key)) => {
                    // With a note of our own, whose answer was lost?
                    let there = self.store.get(&self.key).await?;
                    match there.filter(|object| ours.unanswered.contains(&object.bytes)) {
                        Some(object) if object.version != ours.version => ours.version = object.version,
                        _ => return Err(StoreError::Conflict(key)),
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }
}

#[async_trait]
impl Guard for Beating {
    async fn note(&mut self, note: Note) -> StoreResult<()> {
        *self.heart.note.lock().unwrap_or_else(PoisonError::into_inner) = note;
        self.heart.beat().await
    }

    fn certainty(&self) -> Certainty {
        Certainty::by(Beats(self.heart.last.subscribe()))
    }

    async fn release(self: Box<Self>) {
        // No beat is on its way, and none can follow.
        let ours = self.heart.ours.lock().await;
        let condition = Condition::Version(ours.version.clone());
        // Where this fails, silence ends the hold.
        let _ = self.heart.store.put(&self.heart.key, Bytes::from_static(FREE), condition).await;
        self.task.abort();
    }
}

impl Drop for Beating {
    fn drop(&mut self) {
        self.task.abort();
    }
}
