//! What every store must do. A store's tests call [`check`] with an empty one.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use bytes::Bytes;

use super::store::{Condition, Guard, Hold, Note, Store, StoreError, Version, part_key};

/// Runs every clause against an empty store.
///
/// # Panics
/// When a clause does not hold; the message says which.
pub async fn check(store: Arc<dyn Store>) {
    absent_objects_are_none(&*store).await;
    writes_are_conditional(&*store).await;
    one_of_many_writers_wins(&store).await;
    lists_are_ordered_and_deep(&*store).await;
    folders_are_told_a_level_at_a_time(&*store).await;
    keys_are_of_any_alphabet(&*store).await;
    keys_stay_inside(&*store).await;
    journals_grow_in_order(&store).await;
    a_taken_part_stops_its_writer(&store).await;
    holds_exclude_each_other(&store).await;
}

fn is_conflict<T>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Conflict(_)))
}

async fn absent_objects_are_none(store: &dyn Store) {
    assert!(store.get("absent/head.json").await.expect("get").is_none(), "an absent object is none");
    assert!(store.list("absent").await.expect("list").is_empty(), "an absent folder is empty");
    store.delete("absent/head.json").await.expect("deleting what is not there succeeds");
}

async fn writes_are_conditional(store: &dyn Store) {
    let key = "conditional/head.json";
    let nobody = Condition::Version(Version("nobody's".to_owned()));
    assert!(is_conflict(&store.put(key, Bytes::from("0"), nobody).await), "a version of nothing is a conflict");
    let first = store.put(key, Bytes::from("1"), Condition::Absent).await.expect("create");
    assert!(
        is_conflict(&store.put(key, Bytes::from("2"), Condition::Absent).await),
        "what is there is not created again"
    );
    let second = store.put(key, Bytes::from("22"), Condition::Version(first.clone())).await.expect("swap");
    assert_ne!(first, second, "another content is another version");
    assert!(
        is_conflict(&store.put(key, Bytes::from("3"), Condition::Version(first)).await),
        "an old version is a conflict"
    );
    let object = store.get(key).await.expect("get").expect("it is there");
    assert_eq!((object.bytes.as_slice(), object.version), (b"22".as_slice(), second), "the swap is what is read");
    store.delete(key).await.expect("delete");
    assert!(store.get(key).await.expect("get").is_none(), "deleted objects are gone");
}

async fn one_of_many_writers_wins(store: &Arc<dyn Store>) {
    let key = "raced/head.json";
    let first = store.put(key, Bytes::from("start"), Condition::Absent).await.expect("create");
    let writers = (0..16).map(|number: u8| {
        let (store, condition) = (Arc::clone(store), Condition::Version(first.clone()));
        tokio::spawn(async move { store.put(key, vec![number; 64].into(), condition).await.is_ok().then_some(number) })
    });
    let answers = futures::future::join_all(writers).await;
    let winners: Vec<u8> = answers.into_iter().filter_map(|answer| answer.expect("a writer ran")).collect();
    assert_eq!(winners.len(), 1, "exactly one of many writers wins");
    let object = store.get(key).await.expect("get").expect("it is there");
    assert_eq!(object.bytes, vec![winners[0]; 64], "the winner's content is what is there");
}

async fn lists_are_ordered_and_deep(store: &dyn Store) {
    for key in ["listed/b/2", "listed/a", "listed/b/1", "listed-beside/x"] {
        store.put(key, Bytes::new(), Condition::Absent).await.expect("create");
    }
    let keys = store.list("listed").await.expect("list");
    assert_eq!(keys, ["listed/a", "listed/b/1", "listed/b/2"], "a list is ordered, deep, and of this folder alone");
}

async fn folders_are_told_a_level_at_a_time(store: &dyn Store) {
    for key in ["told/prod/head.json", "told/dev/journal/1/1.jsonl", "told/a-file", "told-beside/x/head.json"] {
        store.put(key, Bytes::new(), Condition::Absent).await.expect("create");
    }
    let top = store.folders("").await.expect("folders");
    assert!(top.is_sorted() && ["told", "told-beside"].iter().all(|name| top.iter().any(|top| top == name)), "{top:?}");
    assert_eq!(store.folders("told").await.expect("folders"), ["dev", "prod"], "those in a folder, and no objects");
    assert_eq!(store.folders("told/dev").await.expect("folders"), ["journal"]);
    assert!(store.folders("absent").await.expect("folders").is_empty(), "an absent folder has none");
    store.delete("told/dev/journal/1/1.jsonl").await.expect("delete");
    assert!(store.folders("told/dev").await.expect("folders").is_empty(), "nor has one that lost its last object");
    assert!(matches!(store.folders("told/..").await, Err(StoreError::Key(_))), "a folder stays inside, too");
}

async fn keys_are_of_any_alphabet(store: &dyn Store) {
    let keys = ["größe/dev-1_a.b/head.json", "größe/東京/1.jsonl"];
    for key in keys {
        store.put(key, Bytes::from(key), Condition::Absent).await.expect("create");
        let object = store.get(key).await.expect("get").expect("it is there");
        assert_eq!(object.bytes, key.as_bytes(), "`{key}` is a key like any other");
    }
    assert_eq!(store.list("größe").await.expect("list"), keys, "and listed as it was given");
}

async fn keys_stay_inside(store: &dyn Store) {
    for key in ["", "/etc/passwd", "a/../../b", "a//b", "a/.hidden", "a/"] {
        assert!(matches!(store.get(key).await, Err(StoreError::Key(_))), "`{key}` is no key to read");
        let written = store.put(key, Bytes::new(), Condition::Absent).await;
        assert!(matches!(written, Err(StoreError::Key(_))), "`{key}` is no key to write");
    }
}

/// The parts' contents, one behind the other.
async fn joined(store: &dyn Store, folder: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in 1_u64.. {
        let Some(object) = store.get(&part_key(folder, part)).await.expect("get") else { break };
        bytes.extend(object.bytes);
    }
    bytes
}

async fn journals_grow_in_order(store: &Arc<dyn Store>) {
    let folder = "journalled/7";
    let mut appender = Arc::clone(store).appender(folder.to_owned(), 1);
    assert_eq!(appender.last_part(), 0, "nothing is written before the first append");
    for bytes in ["a", "bb", "ccc"] {
        appender.append(bytes.as_bytes().to_vec()).await.expect("append");
    }
    assert_eq!(joined(&**store, folder).await, b"abbccc", "what was appended is there, in order");
    let mut next = Arc::clone(store).appender(folder.to_owned(), appender.last_part() + 1);
    next.append(b"d".to_vec()).await.expect("append");
    assert_eq!(joined(&**store, folder).await, b"abbcccd", "the next part follows");
}

async fn a_taken_part_stops_its_writer(store: &Arc<dyn Store>) {
    let folder = "sealed/7";
    store.put(&part_key(folder, 1), Bytes::from("seal"), Condition::Absent).await.expect("create");
    let mut appender = Arc::clone(store).appender(folder.to_owned(), 1);
    assert!(appender.append(b"late".to_vec()).await.is_err(), "a part that is taken is not written");
    assert_eq!(joined(&**store, folder).await, b"seal", "what was there stays");
}

/// Notes that differ from each other, as a clock makes them.
fn notes(text: &'static str) -> Note {
    let count = AtomicU32::new(0);
    Arc::new(move || format!("{text} {}", count.fetch_add(1, Ordering::Relaxed)).into_bytes())
}

async fn lock(store: &Arc<dyn Store>, text: &'static str) -> Option<Box<dyn Guard>> {
    Arc::clone(store).lock("held/lease.json", notes(text), &|_| {}).await.expect("lock")
}

async fn held(store: &Arc<dyn Store>) -> Option<String> {
    let note = store.held("held/lease.json").await.expect("held");
    note.map(|note| String::from_utf8(note).expect("text"))
}

async fn lives(store: &Arc<dyn Store>) -> bool {
    store.lives("held/lease.json", &|_| {}).await.expect("an answer")
}

async fn holds_exclude_each_other(store: &Arc<dyn Store>) {
    let mut guard = lock(store, "first").await.expect("nobody holds it");
    assert_eq!(guard.certainty().confirm().await, Hold::Lasts, "a new hold is certain");
    assert!(lock(store, "second").await.is_none(), "a held key is not taken");
    assert!(held(store).await.is_some_and(|note| note.starts_with("first ")), "the holder's note is read");
    assert!(lives(store).await, "and it lives");
    guard.note(notes("1st")).await.expect("note");
    assert!(held(store).await.is_some_and(|note| note.starts_with("1st ")), "a note can be replaced");
    let certainty = guard.certainty();
    let note = store.held("held/lease.json").await.expect("held").expect("a note");
    assert!(!store.unlock("held/lease.json", b"another's").await.expect("unlock"), "another's hold is not ended");
    if store.unlock("held/lease.json", &note).await.expect("unlock") {
        assert!(held(store).await.is_none(), "a hold that was ended is nobody's");
        let next = lock(store, "next").await.expect("it is free");
        assert!(guard.note(notes("again")).await.is_err(), "who lost its hold does not get it back");
        assert_eq!(certainty.confirm().await, Hold::Lost, "and knows that it is lost");
        next.release().await;
    }
    guard.release().await;
    assert!(held(store).await.is_none() && !lives(store).await, "a released key is nobody's");
    drop(lock(store, "third").await.expect("it is free"));
    let after = lock(store, "fourth").await.expect("a dropped hold has ended");
    after.release().await;
}
