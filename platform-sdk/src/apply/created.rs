//! A create that has been announced: sent until its outcome is known.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::time::sleep;

use super::{make::Making, retry::Retry};
use crate::{
    desired::Tree,
    observe::{may_have_happened, recognise},
    program::Operation,
    provider::{Context, Driver, ErrorKind, Found, Observation, ProviderError, ProviderResult, Request},
};

/// A create that has been announced: sent until its outcome is known.
pub(super) struct Created<'c> {
    pub(super) making: &'c Making<'c, 'c>,
    pub(super) driver: &'c Arc<dyn Driver>,
    pub(super) plain: &'c Value,
    pub(super) intent: &'c str,
    pub(super) found_before: &'c [Found],
}

impl Created<'_> {
    /// The object, or why there is none, with the id of what is there all the same.
    pub(super) async fn settle(&self) -> Result<(String, Tree), (ProviderError, Option<String>)> {
        let ctx: Context = self.making.run.context(self.intent, self.making.address());
        let mut retry = Retry::new(self.making.bound(Operation::Create));
        loop {
            let error = match self.driver.create(&ctx, self.plain).await {
                Ok(made) => return Ok(made),
                Err(error) => error,
            };
            if let Some(id) = self.making.run.created_id(self.intent) {
                return Err((error, Some(id)));
            }
            // A lost answer, or our own earlier try answering: look before anything is sent again.
            if may_have_happened(&error) || error.kind == ErrorKind::AlreadyExists {
                match self.ours().await {
                    Ok(Some(seen)) => return Ok((seen.id, seen.outputs)),
                    Ok(None) if error.kind == ErrorKind::AlreadyExists => return Err((hinted(error), None)),
                    Ok(None) => {}
                    Err(_) => return Err((error, None)),
                }
                if let Err(error) = retry.after_doubt(error).await {
                    return Err((error, None));
                }
                continue;
            }
            if let Err(error) = retry.after(error).await {
                return Err((error, None));
            }
        }
    }

    async fn ours(&self) -> ProviderResult<Option<Observation>> {
        let mut pause = Duration::from_millis(200);
        // Lists and reads may lag behind what has happened.
        for _ in 0..4 {
            let found = self.driver.find(self.plain).await?;
            let identity = self.driver.schema().identity;
            if let Some(one) = recognise(identity, &found, self.found_before, self.intent) {
                let asked = Request { id: one.id.clone(), inputs: Some(self.plain.clone()), outputs: None };
                return self.driver.read(&asked).await;
            }
            sleep(pause).await;
            pause *= 2;
        }
        Ok(None)
    }
}

fn hinted(error: ProviderError) -> ProviderError {
    if error.hint.is_some() {
        error
    } else {
        error.hint("take it over with `.adopt_existing()` or `.import(..)`, or choose another name")
    }
}
