//! The sandbox's world: a map of JSON documents, changed in transactions that are durable before they are answered.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use serde_json::Value;

/// What exists in a sandbox: documents by key. Keys are `/`-separated paths that the service chooses, such as
/// `catalogs/lake`; listing by prefix is ordered by key.
///
/// Cloning is O(1): documents and the map are shared until one of the clones changes. A request changes the world in
/// place, at the cost of what it changes, and what it changed is undone when it is refused.
#[derive(Debug, Clone, Default)]
pub struct World {
    documents: Arc<BTreeMap<Arc<str>, Arc<Value>>>,
    /// What the documents that this transaction changed were before it.
    before: Before,
    now_ms: u64,
    last_id: u64,
}

/// Documents by key as they were once; `None`: there was none.
pub(super) type Before = BTreeMap<Arc<str>, Option<Arc<Value>>>;

impl World {
    /// An empty world at this time, for testing a service without a server.
    pub fn at(now_ms: u64) -> Self {
        Self { now_ms, ..Self::default() }
    }

    /// The document at this key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.documents.get(key).map(Arc::as_ref)
    }

    /// Whether there is a document at this key.
    pub fn contains(&self, key: &str) -> bool {
        self.documents.contains_key(key)
    }

    /// Puts a document, replacing what was there.
    pub fn put(&mut self, key: impl Into<String>, document: Value) {
        self.set(&Arc::from(key.into()), Some(Arc::new(document)));
    }

    /// Changes a document in place; whether it was there.
    pub fn update(&mut self, key: &str, change: impl FnOnce(&mut Value)) -> bool {
        let Some(document) = self.documents.get(key) else { return false };
        let mut document = Value::clone(document);
        change(&mut document);
        self.set(&Arc::from(key), Some(Arc::new(document)));
        true
    }

    /// Removes a document; whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        let there = self.contains(key);
        if there {
            self.set(&Arc::from(key), None);
        }
        there
    }

    /// All documents whose key starts with `prefix`, ordered by key.
    pub fn list<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.documents
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(move |(key, _)| key.starts_with(prefix))
            .map(|(key, document)| (key.as_ref(), document.as_ref()))
    }

    /// Milliseconds since 1970. Moves on by itself between requests, always forward; fixed within one.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// A number that this world has not given out before: small, and durable with the transaction.
    pub fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// A new transaction begins at `now_ms`.
    pub(super) fn begin(&mut self, now_ms: u64) {
        self.before.clear();
        self.now_ms = now_ms;
    }

    /// The changed keys, each with what is there now.
    pub(super) fn changes(&self) -> impl Iterator<Item = (&Arc<str>, Option<&Arc<Value>>)> {
        self.before.keys().map(|key| (key, self.documents.get(key)))
    }

    /// Ends the transaction: what it changed, as it was before.
    pub(super) fn commit(&mut self) -> Before {
        std::mem::take(&mut self.before)
    }

    /// Ends the transaction as if it had not been. `last_id` is what it was when it began.
    pub(super) fn roll_back(&mut self, last_id: u64) {
        let before = self.commit();
        self.restore(&before);
        self.before.clear();
        self.last_id = last_id;
    }

    /// Puts documents back to what they were.
    pub(super) fn restore(&mut self, before: &Before) {
        for (key, document) in before {
            self.set(key, document.clone());
        }
    }

    /// Puts a shared document, or removes what is there.
    pub(super) fn set(&mut self, key: &Arc<str>, document: Option<Arc<Value>>) {
        let documents = Arc::make_mut(&mut self.documents);
        let was = match document {
            Some(document) => documents.insert(Arc::clone(key), document),
            None => documents.remove(key),
        };
        // Only the first change in a transaction sees what was before it.
        self.before.entry(Arc::clone(key)).or_insert(was);
    }

    /// All documents, ordered by key.
    pub(super) fn documents(&self) -> &BTreeMap<Arc<str>, Arc<Value>> {
        &self.documents
    }

    /// The last number that `next_id` gave out.
    pub(super) fn last_id(&self) -> u64 {
        self.last_id
    }

    /// The world with time and counter as they were written down.
    pub(super) fn resume(&mut self, now_ms: u64, last_id: u64) {
        self.now_ms = self.now_ms.max(now_ms);
        self.last_id = last_id;
        self.before.clear();
    }
}
