//! A run that ends between any two of its writes, with the last one done or not, loses nothing that was answered.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use platform_sdk::{
    desired::Tree,
    state::{
        Appender, Condition, Effect, Guard, Local, Location, Memory, Note, Object, Record, Snapshot, Store, StoreError,
        StoreKey, StoreResult, Version, Waiting, World, lease, read,
    },
};

use super::fixture::{address, ana, intent, no_environment, resource};

/// A store that does `left` writes and fails from then on. The first failure may have had its effect.
#[derive(Debug)]
pub(super) struct Failing {
    pub(super) inner: Arc<dyn Store>,
    pub(super) left: Arc<AtomicUsize>,
    pub(super) late: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Turn {
    Works,
    LosesItsAnswer,
    Fails,
}

fn turn(left: &AtomicUsize, late: bool) -> Turn {
    match left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
        Ok(1) if late => Turn::LosesItsAnswer,
        Err(_) | Ok(1) => Turn::Fails,
        Ok(_) => Turn::Works,
    }
}

fn lost() -> StoreError {
    StoreError::Failed { doing: "write", what: "x".to_owned(), source: std::io::Error::other("power is out") }
}

#[async_trait]
impl Store for Failing {
    fn name(&self) -> String {
        self.inner.name()
    }

    async fn get(&self, key: &str) -> StoreResult<Option<Object>> {
        self.inner.get(key).await
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> StoreResult<Version> {
        let turn = turn(&self.left, self.late);
        if turn == Turn::Fails {
            return Err(lost());
        }
        let answer = self.inner.put(key, bytes, condition).await;
        if turn == Turn::Works { answer } else { Err(lost()) }
    }

    async fn list(&self, folder: &str) -> StoreResult<Vec<String>> {
        self.inner.list(folder).await
    }

    async fn folders(&self, folder: &str) -> StoreResult<Vec<String>> {
        self.inner.folders(folder).await
    }

    async fn delete(&self, key: &str) -> StoreResult<()> {
        self.inner.delete(key).await
    }

    fn appender(self: Arc<Self>, folder: String, first: u64) -> Box<dyn Appender> {
        let inner = Arc::clone(&self.inner).appender(folder, first);
        Box::new(FailingAppender { inner, left: Arc::clone(&self.left), late: self.late })
    }

    async fn lock(
        self: Arc<Self>,
        key: &str,
        note: Note,
        waiting: &Waiting<'_>,
    ) -> StoreResult<Option<Box<dyn Guard>>> {
        Arc::clone(&self.inner).lock(key, note, waiting).await
    }

    async fn unlock(&self, key: &str, note: &[u8]) -> StoreResult<bool> {
        self.inner.unlock(key, note).await
    }

    async fn held(&self, key: &str) -> StoreResult<Option<Vec<u8>>> {
        self.inner.held(key).await
    }

    async fn own_key(&self, make: bool) -> StoreResult<Option<StoreKey>> {
        self.inner.own_key(make).await
    }

    fn own_key_file(&self) -> Option<PathBuf> {
        self.inner.own_key_file()
    }
}

struct FailingAppender {
    inner: Box<dyn Appender>,
    left: Arc<AtomicUsize>,
    late: bool,
}

#[async_trait]
impl Appender for FailingAppender {
    async fn append(&mut self, bytes: Vec<u8>) -> StoreResult<()> {
        let turn = turn(&self.left, self.late);
        if turn == Turn::Fails {
            return Err(lost());
        }
        self.inner.append(bytes).await?;
        if turn == Turn::Works { Ok(()) } else { Err(lost()) }
    }

    fn last_part(&self) -> u64 {
        self.inner.last_part()
    }
}

/// What a run was told: how many of its records are durable, and whether its commit is.
#[derive(Debug, Default)]
struct Told {
    started: usize,
    durable: usize,
    committed: bool,
    all: bool,
}

/// One run: an intent, its outcome, another intent that stays open, a commit.
async fn run(place: &Location, name: &str) -> Told {
    let mut told = Told::default();
    let mut lease = lease(place, World::Real, &no_environment(), &ana()).await.expect("a lease");
    let mut snapshot = lease.reading().snapshot.clone();
    let state = resource(name, Tree::default());
    let open = resource(&format!("{name}-open"), Tree::default());
    let outcome = Record::Outcome { intent: Some(format!("{name}-1")), effects: vec![Effect::put(state.clone())] };
    let records = [intent(&format!("{name}-1"), state.clone()), outcome, intent(&format!("{name}-2"), open)];
    for record in records {
        told.started += 1;
        if lease.journal().append(record).await.is_err() {
            return told;
        }
        told.durable += 1;
    }
    snapshot.resources.insert(state.address.clone(), state.into());
    told.committed = lease.commit(&snapshot).await.is_ok();
    told.all = told.committed;
    drop(lease);
    told
}

async fn check(place: &Location, name: &str, told: &Told) -> Snapshot {
    let reading = read(place, World::Real, &no_environment()).await.expect("what a crash left can be read");
    let there = reading.snapshot.resources.contains_key(&address(name));
    let open: Vec<&str> =
        reading.open.iter().map(|open| open.intent.id.as_str()).filter(|id| id.starts_with(name)).collect();
    let seen = match (open.as_slice(), there) {
        ([], false) => 0,
        ([id], false) if id.ends_with("-1") => 1,
        ([], true) => 2,
        ([id], true) if id.ends_with("-2") => 3,
        other => panic!("no prefix of the run leads to {other:?}"),
    };
    assert!((told.durable..=told.started).contains(&seen), "{told:?}, but {seen} records are there");
    assert!(!told.committed || reading.recovered == 0, "{told:?}");
    reading.snapshot
}

/// A run that only seemed dead finds its next part taken.
async fn assert_predecessors_sealed(store: &dyn Store) {
    let head = store.get("acme/prod/head.json").await.expect("get").expect("a head");
    let head: serde_json::Value = serde_json::from_slice(&head.bytes).expect("JSON");
    for fence in 1..head["fence"].as_u64().expect("a number") {
        let mut last = None;
        for part in 1.. {
            let part = store.get(&format!("acme/prod/journal/{fence}/{part}.jsonl")).await.expect("get");
            let Some(part) = part else { break };
            last = Some(String::from_utf8(part.bytes).expect("text"));
        }
        assert!(last.is_some_and(|last| last.contains("\"seal\"")), "journal {fence} is sealed");
    }
}

async fn every_interruption(fresh: impl Fn() -> Arc<dyn Store>) {
    for late in [false, true] {
        for writes in 1.. {
            let inner = fresh();
            let sound = Location::within(Arc::clone(&inner), "acme", "prod").expect("a location");
            assert!(run(&sound, "before").await.all);
            let failing = Failing { inner: Arc::clone(&inner), left: Arc::new(AtomicUsize::new(writes)), late };
            let place = Location::within(Arc::new(failing), "acme", "prod").expect("a location");
            let told = run(&place, "cut").await;
            check(&sound, "cut", &told).await;
            let next = run(&sound, "after").await;
            assert!(next.all, "the next run goes on");
            let snapshot = check(&sound, "after", &next).await;
            assert!(snapshot.resources.contains_key(&address("before")), "what was there stays");
            let reading = read(&sound, World::Real, &no_environment()).await.expect("a reading");
            assert!(reading.open.iter().any(|open| open.intent.id == "before-2"), "open intents outlive snapshots");
            assert_predecessors_sealed(&*inner).await;
            if told.all {
                assert!(writes > 6, "head, seal, three records, snapshot and head are writes");
                break;
            }
        }
    }
}

#[tokio::test]
async fn between_any_two_writes_in_a_directory() {
    let folder = tempfile::tempdir().expect("a directory");
    let count = AtomicUsize::new(0);
    every_interruption(|| Arc::new(Local::new(folder.path().join(count.fetch_add(1, Ordering::Relaxed).to_string()))))
        .await;
}

#[tokio::test]
async fn between_any_two_writes_where_every_append_is_an_object() {
    every_interruption(|| Arc::new(Memory::default())).await;
}

#[tokio::test]
async fn after_a_failed_write_nothing_is_added_any_more() {
    let failing = Failing { inner: Arc::new(Memory::default()), left: Arc::new(AtomicUsize::new(3)), late: false };
    let left = Arc::clone(&failing.left);
    let place = Location::within(Arc::new(failing), "acme", "prod").expect("a location");
    let lease = lease(&place, World::Real, &no_environment(), &ana()).await.expect("a lease");
    let record = |id| intent(id, resource("x", Tree::default()));
    lease.journal().append(record("1")).await.expect("head and first record");
    let first = lease.journal().append(record("2")).await.expect_err("out of power");
    left.store(100, Ordering::SeqCst);
    assert_eq!(lease.journal().append(record("3")).await, Err(first), "the store may be back, but a record is missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_append_at_once_share_a_flush() {
    let folder = tempfile::tempdir().expect("a directory");
    let left = Arc::new(AtomicUsize::new(10_000));
    let failing = Failing { inner: Arc::new(Local::new(folder.path())), left: Arc::clone(&left), late: false };
    let place = Location::within(Arc::new(failing), "acme", "prod").expect("a location");
    let lease = lease(&place, World::Real, &no_environment(), &ana()).await.expect("a lease");
    let journal = lease.journal();
    let appends = (0..500).map(|number| {
        let journal = Arc::clone(&journal);
        tokio::spawn(async move { journal.append(intent(&number.to_string(), resource("x", Tree::default()))).await })
    });
    for append in futures::future::join_all(appends).await {
        append.expect("ran").expect("durable");
    }
    let writes = 10_000 - left.load(Ordering::SeqCst);
    assert!(writes < 250, "{writes} writes for 500 records");
    assert_eq!(journal.open().len(), 500);
}
