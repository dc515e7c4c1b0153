//! Drivers that change something only while the lease lasts: a process that slept, or waited between two tries, may have
//! lost it meanwhile.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::{Ledger, schedule::Run};
use crate::{
    desired::Tree,
    program::Schema,
    provider::{
        Content, Context, Driver, ErrorKind, Found, Observation, ProviderError, ProviderResult, Readiness, Request,
    },
    state::Hold,
};

impl Run<'_> {
    /// The driver of a type, under the lease.
    pub(super) async fn driver(&self, kind: &str, config: &Value, type_name: &str) -> ProviderResult<Arc<dyn Driver>> {
        let ledger = self.ledger.clone();
        // A call may wait long for its turn: whether the lease still lasts is asked after that.
        let held = |driver| -> Arc<dyn Driver> { Arc::new(Held { driver, ledger }) };
        self.connections.driver_with((kind, config, type_name), held, self.slots.closing()).await
    }
}

/// Whether anything may be sent.
///
/// # Errors
/// When the lease does not last any more, or the store does not say.
pub(super) async fn certain(ledger: &dyn Ledger) -> ProviderResult<()> {
    let (text, hint) = match ledger.holds().await {
        Hold::Lasts => return Ok(()),
        Hold::Lost => (
            "another run has taken over this stack, so nothing more is sent",
            "run the command again: it starts from what the other run left",
        ),
        Hold::Unknown => (
            "the state's store does not answer, and another run may have taken over, so nothing more is sent",
            "run the command again when the store can be reached",
        ),
    };
    Err(ProviderError::new(ErrorKind::Conflict, text).hint(hint))
}

struct Held {
    driver: Arc<dyn Driver>,
    ledger: Arc<dyn Ledger>,
}

#[async_trait]
impl Driver for Held {
    fn schema(&self) -> &'static Schema {
        self.driver.schema()
    }

    async fn read(&self, request: &Request) -> ProviderResult<Option<Observation>> {
        self.driver.read(request).await
    }

    async fn meant(&self, asked: &str) -> ProviderResult<Vec<String>> {
        self.driver.meant(asked).await
    }

    async fn find(&self, inputs: &Value) -> ProviderResult<Vec<Found>> {
        self.driver.find(inputs).await
    }

    async fn create(&self, ctx: &Context, inputs: &Value) -> ProviderResult<(String, Tree)> {
        certain(&*self.ledger).await?;
        self.driver.create(ctx, inputs).await
    }

    async fn update(
        &self,
        ctx: &Context,
        request: &Request,
        after: &Value,
        paths: &[String],
    ) -> ProviderResult<(String, Tree)> {
        certain(&*self.ledger).await?;
        self.driver.update(ctx, request, after, paths).await
    }

    async fn delete(&self, ctx: &Context, request: &Request, force: bool) -> ProviderResult<()> {
        certain(&*self.ledger).await?;
        self.driver.delete(ctx, request, force).await
    }

    async fn list(&self, of: &[Request]) -> ProviderResult<Option<Vec<Observation>>> {
        self.driver.list(of).await
    }

    async fn ready(&self, id: &str) -> ProviderResult<Readiness> {
        self.driver.ready(id).await
    }

    async fn contents(&self, id: &str) -> ProviderResult<Vec<Content>> {
        self.driver.contents(id).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Result, state::Record};

    struct Says(Hold);

    #[async_trait]
    impl Ledger for Says {
        async fn append(&self, _record: Record) -> Result<()> {
            Ok(())
        }

        async fn note(&self, _record: Record) -> Result<()> {
            Ok(())
        }

        async fn holds(&self) -> Hold {
            self.0
        }

        fn intent_id(&self) -> String {
            String::new()
        }
    }

    #[tokio::test]
    async fn who_can_not_reach_the_store_does_not_say_that_another_run_has_it() {
        certain(&Says(Hold::Lasts)).await.expect("it may send");
        let lost = certain(&Says(Hold::Lost)).await.expect_err("it may not").to_string();
        assert!(lost.contains("another run has taken over"), "{lost}");
        let unknown = certain(&Says(Hold::Unknown)).await.expect_err("it may not").to_string();
        assert!(unknown.contains("the state's store does not answer"), "{unknown}");
    }
}
