//! Drivers at the pace that their service bears: every call waits for its turn, and what comes of it is learned from.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use crate::{
    desired::Tree,
    program::Schema,
    provider::{Content, Context, Driver, ErrorKind, Found, Observation, Pace, ProviderResult, Readiness, Request},
};

/// A driver, and the pace of all calls to its service.
pub(super) struct Paced {
    pub(super) driver: Arc<dyn Driver>,
    pub(super) pace: Arc<Pace>,
}

impl Paced {
    async fn call<T>(&self, call: impl Future<Output = ProviderResult<T>>) -> ProviderResult<T> {
        self.pace.turn().await;
        let answer = call.await;
        match answer.as_ref().err().map(|error| &error.kind) {
            Some(ErrorKind::Throttled { .. }) => self.pace.refused(),
            _ => self.pace.answered(),
        }
        answer
    }
}

#[async_trait]
impl Driver for Paced {
    fn schema(&self) -> &'static Schema {
        self.driver.schema()
    }

    async fn read(&self, request: &Request) -> ProviderResult<Option<Observation>> {
        self.call(self.driver.read(request)).await
    }

    async fn meant(&self, asked: &str) -> ProviderResult<Vec<String>> {
        self.call(self.driver.meant(asked)).await
    }

    async fn find(&self, inputs: &Value) -> ProviderResult<Vec<Found>> {
        self.call(self.driver.find(inputs)).await
    }

    async fn create(&self, ctx: &Context, inputs: &Value) -> ProviderResult<(String, Tree)> {
        self.call(self.driver.create(ctx, inputs)).await
    }

    async fn update(
        &self,
        ctx: &Context,
        request: &Request,
        after: &Value,
        paths: &[String],
    ) -> ProviderResult<(String, Tree)> {
        self.call(self.driver.update(ctx, request, after, paths)).await
    }

    async fn delete(&self, ctx: &Context, request: &Request, force: bool) -> ProviderResult<()> {
        self.call(self.driver.delete(ctx, request, force)).await
    }

    async fn list(&self, of: &[Request]) -> ProviderResult<Option<Vec<Observation>>> {
        self.call(self.driver.list(of)).await
    }

    async fn ready(&self, id: &str) -> ProviderResult<Readiness> {
        self.call(self.driver.ready(id)).await
    }

    async fn contents(&self, id: &str) -> ProviderResult<Vec<Content>> {
        self.call(self.driver.contents(id)).await
    }
}
