//! The ledger: where records become durable before anything is asked of a provider.

use std::{
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;

use crate::{
    Result,
    report::Diagnostic,
    state::{Hold, Record},
};

/// Takes the journal's records.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Makes a record durable; returns when it is.
    async fn append(&self, record: Record) -> Result<()>;

    /// Keeps a record in order, durable with the next durable one: for what has no effect in the world.
    async fn note(&self, record: Record) -> Result<()>;

    /// Whether what is recorded here still holds: not when another run has taken over.
    async fn holds(&self) -> Hold {
        Hold::Lasts
    }

    /// Why nothing can be announced any more; nothing new may be started then.
    fn lost(&self) -> Option<Diagnostic> {
        None
    }

    /// A new intent's id: 16 lower-case hexadecimal digits, unique in the stack.
    fn intent_id(&self) -> String;

    /// What time it is, in milliseconds since 1970.
    fn now_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

/// A ledger in memory, for tests.
#[derive(Debug, Default)]
pub struct Memory {
    records: Mutex<Vec<Record>>,
}

impl Memory {
    /// What was appended so far.
    pub fn records(&self) -> Vec<Record> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Ledger for Memory {
    async fn append(&self, record: Record) -> Result<()> {
        self.note(record).await
    }

    async fn note(&self, record: Record) -> Result<()> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).push(record);
        Ok(())
    }

    fn intent_id(&self) -> String {
        let id = uuid::Uuid::new_v4().simple().to_string();
        id[..16].to_owned()
    }
}
