//! Drivers at the pace that their service bears: every call waits for its turn, and what comes of it is learned from.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::patience::{BEARS_FEWER, Patience, answered, paced, patiently};
use crate::{
    desired::Tree,
    program::Schema,
    provider::{
        Content, Context, Driver, ErrorKind, Found, Observation, Pace, ProviderError, ProviderResult, Readiness,
        Request, waiting,
    },
};

/// A driver, and the pace of all calls to its service.
pub(super) struct Paced {
    pub(super) driver: Arc<dyn Driver>,
    pub(super) pace: Arc<Pace>,
    /// How what is only read is asked again while the service has no time for it, and until when a change waits for its
    /// turn.
    pub(super) patience: Patience,
}

impl Paced {
    async fn call<T>(&self, call: impl Future<Output = ProviderResult<T>>) -> ProviderResult<T> {
        paced(&self.pace, call).await
    }

    /// A call that changes something. What waits for its turn was not sent yet, and need not be.
    async fn changing<T>(&self, call: impl Future<Output = ProviderResult<T>>) -> ProviderResult<T> {
        if waiting(BEARS_FEWER, self.patience.waits(self.pace.turn())).await {
            return answered(&self.pace, call.await);
        }
        let text = "the service bears fewer requests, and the run was stopped before it was this one's turn";
        Err(ProviderError::new(ErrorKind::Throttled { after: None }, text))
    }

    async fn reading<T, F>(&self, ask: impl Fn() -> F + Send) -> ProviderResult<T>
    where
        F: Future<Output = ProviderResult<T>>,
    {
        patiently(&self.pace, &self.patience, ask).await
    }
}

#[async_trait]
impl Driver for Paced {
    fn schema(&self) -> &'static Schema {
        self.driver.schema()
    }

    async fn read(&self, request: &Request) -> ProviderResult<Option<Observation>> {
        self.reading(|| self.driver.read(request)).await
    }

    async fn meant(&self, asked: &str) -> ProviderResult<Vec<String>> {
        self.reading(|| self.driver.meant(asked)).await
    }

    async fn find(&self, inputs: &Value) -> ProviderResult<Vec<Found>> {
        self.reading(|| self.driver.find(inputs)).await
    }

    async fn create(&self, ctx: &Context, inputs: &Value) -> ProviderResult<(String, Tree)> {
        self.changing(self.driver.create(ctx, inputs)).await
    }

    async fn update(
        &self,
        ctx: &Context,
        request: &Request,
        after: &Value,
        paths: &[String],
    ) -> ProviderResult<(String, Tree)> {
        self.changing(self.driver.update(ctx, request, after, paths)).await
    }

    async fn delete(&self, ctx: &Context, request: &Request, force: bool) -> ProviderResult<()> {
        self.changing(self.driver.delete(ctx, request, force)).await
    }

    async fn list(&self, of: &[Request]) -> ProviderResult<Option<Vec<Observation>>> {
        self.reading(|| self.driver.list(of)).await
    }

    async fn ready(&self, id: &str) -> ProviderResult<Readiness> {
        self.call(self.driver.ready(id)).await
    }

    async fn contents(&self, id: &str) -> ProviderResult<Vec<Content>> {
        self.reading(|| self.driver.contents(id)).await
    }
}
