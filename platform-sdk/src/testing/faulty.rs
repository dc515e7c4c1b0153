//! A store that misbehaves as networks do: it fails, loses answers, lags, acts late, and stays away.

use std::{
    fmt, io,
    ops::RangeInclusive,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::sleep;

use crate::state::{
    Appender, Condition, Guard, Note, Object, ObjectPerAppend, Store, StoreError, StoreKey, StoreResult, Version,
    Waiting, beats,
};

/// How often a store misbehaves, and how. The same seed and the same requests give the same faults.
#[derive(Debug, Clone)]
pub struct StoreFaults {
    /// Where chance begins.
    pub seed: u64,
    /// How long each answer takes.
    pub lag: RangeInclusive<Duration>,
    /// Of a thousand requests, how many fail and do nothing.
    pub fail: u64,
    /// Of a thousand writes, how many happen and get no answer.
    pub lose: u64,
    /// Of a thousand writes, how many get no answer and happen only later, if their condition holds then.
    pub late: u64,
    /// How much later that is.
    pub later: RangeInclusive<Duration>,
}

impl StoreFaults {
    /// None at all: a store that answers at once.
    pub fn none() -> Self {
        let at_once = Duration::ZERO..=Duration::ZERO;
        Self { seed: 0, lag: at_once.clone(), fail: 0, lose: 0, late: 0, later: at_once }
    }

    /// A store that only takes its time.
    pub fn lagging(lag: Duration) -> Self {
        Self { lag: lag..=lag, ..Self::none() }
    }

    /// A bad day: answers within a second, one request in ten goes wrong in one way or another.
    pub fn of_seed(seed: u64) -> Self {
        let (lag, later) = (Duration::ZERO..=Duration::from_secs(1), Duration::ZERO..=Duration::from_secs(5));
        Self { seed, lag, fail: 50, lose: 50, late: 20, later }
    }
}

/// Any store behind a bad network. Its holds are beats, as in a bucket, and its journals an object for each addition, so
/// that everything that is asked of it can go wrong. Clones share the network.
#[derive(Clone)]
pub struct FaultyStore {
    store: Arc<dyn Store>,
    network: Arc<Mutex<Network>>,
}

struct Network {
    faults: StoreFaults,
    dice: u64,
    requests: u64,
    /// From this request on nothing gets through.
    away_from: Option<u64>,
}

/// What becomes of a request.
#[derive(Clone, Copy)]
enum Fate {
    Answered,
    Failed,
    Lost,
    Late(Duration),
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyStore").field("store", &self.store).finish_non_exhaustive()
    }
}

impl FaultyStore {
    /// This store, with these faults.
    pub fn new(store: Arc<dyn Store>, faults: StoreFaults) -> Self {
        let network = Network { dice: faults.seed, faults, requests: 0, away_from: None };
        Self { store, network: Arc::new(Mutex::new(network)) }
    }

    fn network(&self) -> MutexGuard<'_, Network> {
        self.network.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many requests there were so far.
    pub fn requests(&self) -> u64 {
        self.network().requests
    }

    /// Lets `more` requests through, and none after them.
    pub fn go_away_after(&self, more: u64) {
        let mut network = self.network();
        network.away_from = Some(network.requests + more);
    }

    /// Can be reached again.
    pub fn come_back(&self) {
        self.network().away_from = None;
    }

    /// Behaves like this from now on.
    pub fn behave(&self, faults: StoreFaults) {
        let mut network = self.network();
        network.dice = faults.seed;
        network.faults = faults;
    }

    /// Waits for as long as the way there takes.
    async fn fate(&self, writes: bool) -> Fate {
        let (lag, fate) = {
            let mut network = self.network();
            network.requests += 1;
            let away = network.away_from.is_some_and(|from| network.requests > from);
            let lag = network.faults.lag.clone();
            let lag = network.within(&lag);
            let fate = network.fate(writes);
            (lag, if away { Fate::Failed } else { fate })
        };
        sleep(lag).await;
        fate
    }

    fn unanswered(&self, doing: &'static str, key: &str) -> StoreError {
        let source = io::Error::new(io::ErrorKind::TimedOut, "no answer: injected");
        StoreError::Failed { doing, what: format!("{}/{key}", self.store.name()), source }
    }
}

impl Network {
    fn fate(&mut self, writes: bool) -> Fate {
        let thrown = self.below(1000);
        let StoreFaults { fail, lose, late, ref later, .. } = self.faults;
        let later = later.clone();
        match thrown {
            thrown if thrown < fail => Fate::Failed,
            thrown if writes && thrown < fail + lose => Fate::Lost,
            thrown if writes && thrown < fail + lose + late => Fate::Late(self.within(&later)),
            _ => Fate::Answered,
        }
    }

    fn within(&mut self, range: &RangeInclusive<Duration>) -> Duration {
        let width = range.end().saturating_sub(*range.start()).as_millis();
        let width = u64::try_from(width).unwrap_or(u64::MAX - 1);
        *range.start() + Duration::from_millis(self.below(width + 1))
    }

    /// A number below this one. SplitMix64: <https://prng.di.unimi.it/splitmix64.c>.
    fn below(&mut self, bound: u64) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.dice;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

#[async_trait]
impl Store for FaultyStore {
    fn name(&self) -> String {
        self.store.name()
    }

    async fn get(&self, key: &str) -> StoreResult<Option<Object>> {
        match self.fate(false).await {
            Fate::Answered => self.store.get(key).await,
            Fate::Failed | Fate::Lost | Fate::Late(_) => Err(self.unanswered("read", key)),
        }
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> StoreResult<Version> {
        match self.fate(true).await {
            Fate::Answered => return self.store.put(key, bytes, condition).await,
            Fate::Failed => {}
            // What did not happen is said.
            Fate::Lost => drop(self.store.put(key, bytes, condition).await?),
            Fate::Late(later) => {
                let (store, key) = (Arc::clone(&self.store), key.to_owned());
                tokio::spawn(async move {
                    sleep(later).await;
                    drop(store.put(&key, bytes, condition).await);
                });
            }
        }
        Err(self.unanswered("write", key))
    }

    async fn list(&self, folder: &str) -> StoreResult<Vec<String>> {
        match self.fate(false).await {
            Fate::Answered => self.store.list(folder).await,
            Fate::Failed | Fate::Lost | Fate::Late(_) => Err(self.unanswered("list", folder)),
        }
    }

    async fn folders(&self, folder: &str) -> StoreResult<Vec<String>> {
        match self.fate(false).await {
            Fate::Answered => self.store.folders(folder).await,
            Fate::Failed | Fate::Lost | Fate::Late(_) => Err(self.unanswered("list", folder)),
        }
    }

    async fn delete(&self, key: &str) -> StoreResult<()> {
        match self.fate(false).await {
            Fate::Answered => self.store.delete(key).await,
            Fate::Failed | Fate::Lost | Fate::Late(_) => Err(self.unanswered("delete", key)),
        }
    }

    fn appender(self: Arc<Self>, folder: String, first: u64) -> Box<dyn Appender> {
        Box::new(ObjectPerAppend::new(self, folder, first))
    }

    async fn lock(
        self: Arc<Self>,
        key: &str,
        note: Note,
        waiting: &Waiting<'_>,
    ) -> StoreResult<Option<Box<dyn Guard>>> {
        let store: Arc<dyn Store> = self;
        beats::take(&store, key, note, waiting).await
    }

    async fn held(&self, key: &str) -> StoreResult<Option<Vec<u8>>> {
        beats::held(self, key).await
    }

    async fn lives(&self, key: &str, waiting: &Waiting<'_>) -> StoreResult<bool> {
        beats::lives(self, key, waiting).await
    }

    async fn unlock(&self, key: &str, note: &[u8]) -> StoreResult<bool> {
        beats::unlock(self, key, note).await
    }

    async fn own_key(&self, make: bool) -> StoreResult<Option<StoreKey>> {
        self.store.own_key(make).await
    }

    async fn keep_key(&self, key: &StoreKey) -> StoreResult<bool> {
        self.store.keep_key(key).await
    }

    fn own_key_file(&self) -> Option<PathBuf> {
        self.store.own_key_file()
    }
}
