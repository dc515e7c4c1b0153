//! The sandbox's world: a map of JSON documents, changed in transactions that are durable before they are answered.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

/// What exists in a sandbox: documents by key. Keys are `/`-separated paths that the service chooses, such as
/// `catalogs/lake`; listing by prefix is ordered by key.
///
/// Cloning is cheap: documents are shared. A request works on a clone that replaces the world when it succeeds.
#[derive(Debug, Clone, Default)]
pub struct World {
    documents: BTreeMap<String, Arc<Value>>,
}

impl World {
    /// The document at this key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.documents.get(key).map(Arc::as_ref)
    }

    /// Puts a document, replacing what was there.
    pub fn put(&mut self, key: impl Into<String>, document: Value) {
        self.documents.insert(key.into(), Arc::new(document));
    }

    /// Removes a document; whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        self.documents.remove(key).is_some()
    }

    /// All documents whose key starts with `prefix`, ordered by key.
    pub fn list<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.documents
            .range(prefix.to_owned()..)
            .take_while(move |(key, _)| key.starts_with(prefix))
            .map(|(key, document)| (key.as_str(), document.as_ref()))
    }

    /// Milliseconds since 1970. Moves on by itself between requests; fixed within one.
    pub fn now_ms(&self) -> u64 {
        unimplemented!("helper: implement in the kit")
    }

    /// A number that this world has not given out before: small, and durable with the transaction.
    pub fn next_id(&mut self) -> u64 {
        unimplemented!("helper: implement in the kit")
    }
}
