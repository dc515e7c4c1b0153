//! The state's journal as the ledger of an apply.

use async_trait::async_trait;

use crate::{
    Result,
    apply::Ledger,
    report::Diagnostic,
    state::{Hold, Journal, Record},
};

#[async_trait]
impl Ledger for Journal {
    async fn append(&self, record: Record) -> Result<()> {
        Ok(Self::append(self, record).await?)
    }

    async fn note(&self, record: Record) -> Result<()> {
        Ok(self.append_lazy(record).await?)
    }

    async fn holds(&self) -> Hold {
        Self::holds(self).await
    }

    fn lost(&self) -> Option<Diagnostic> {
        Self::lost(self)
    }

    fn intent_id(&self) -> String {
        Self::intent_id(self)
    }

    fn now_ms(&self) -> u64 {
        Self::now_ms(self)
    }
}
