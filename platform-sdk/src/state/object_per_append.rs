//! Writes that outlast a store's hiccups, and the journal of stores that can't append: an object for each addition.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;

use super::store::{Appender, Condition, Store, StoreError, StoreResult, Version, part_key};

/// How often a write is tried while no answer comes, with longer and longer pauses.
const TRIES: u32 = 5;

/// The first of these pauses.
const PAUSE: Duration = Duration::from_millis(200);

/// Writes an object whose bytes nobody else would write: repeats what got no answer, and takes a conflict with these very
/// bytes for what it is, our own write whose answer was lost.
///
/// # Errors
/// When somebody else's bytes are there, or the store stays out of reach.
pub(super) async fn put(
    store: &dyn Store,
    key: &str,
    bytes: impl Into<Bytes>,
    condition: Condition,
) -> StoreResult<Version> {
    let (bytes, mut pause) = (bytes.into(), PAUSE);
    for tried in 1.. {
        let error = match store.put(key, bytes.clone(), condition.clone()).await {
            Ok(version) => return Ok(version),
            Err(StoreError::Conflict(key)) => match written(store, &key, &bytes).await {
                Ok(Some(version)) => return Ok(version),
                Ok(None) => return Err(StoreError::Conflict(key)),
                Err(error) => error,
            },
            Err(error) => error,
        };
        if !error.may_pass() || tried == TRIES {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    unreachable!("the last try returns")
}

/// The version of what is there, if these are its bytes.
async fn written(store: &dyn Store, key: &str, bytes: &[u8]) -> StoreResult<Option<Version>> {
    let there = store.get(key).await?;
    Ok(there.filter(|object| object.bytes == bytes).map(|object| object.version))
}

/// The appender of stores that can't append: every addition is an object of its own, created only where none is.
#[derive(Debug)]
pub struct ObjectPerAppend {
    store: Arc<dyn Store>,
    folder: String,
    next: u64,
}

impl ObjectPerAppend {
    /// Starts at this part.
    pub fn new(store: Arc<dyn Store>, folder: String, first: u64) -> Self {
        Self { store, folder, next: first }
    }
}

#[async_trait]
impl Appender for ObjectPerAppend {
    async fn append(&mut self, bytes: Vec<u8>) -> StoreResult<()> {
        put(&*self.store, &part_key(&self.folder, self.next), bytes, Condition::Absent).await?;
        self.next += 1;
        Ok(())
    }

    fn last_part(&self) -> u64 {
        self.next - 1
    }
}
