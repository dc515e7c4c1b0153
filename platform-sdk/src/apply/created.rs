//! A create that has been announced: sent until its outcome is known.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::time::Instant;

use super::{
    make::Making,
    retry::{Retry, bounded},
    slots::Slot,
};
use crate::{
    desired::Tree,
    fault,
    observe::{Looked, Unanswered, listed, may_have_happened},
    plan::{Compared, Verdict, compare},
    program::Operation,
    provider::{Context, Driver, ErrorKind, Observation, ProviderError, ProviderResult},
    state::Intent,
};

/// A create that has been announced: sent until its outcome is known.
pub(super) struct Created<'c> {
    pub(super) making: &'c Making<'c, 'c>,
    pub(super) driver: &'c Arc<dyn Driver>,
    pub(super) plain: &'c Value,
    pub(super) intent: &'c Intent,
}

/// Why there is no whole object.
pub(super) struct NotCreated {
    pub(super) error: ProviderError,
    /// The id of what is there all the same.
    pub(super) id: Option<String>,
    /// What is there, where that shows that more was to be asked for it, and nobody knows of any request but the first.
    pub(super) seen: Option<Observation>,
    /// It may have happened, or may still happen: the next run has to look.
    pub(super) in_doubt: bool,
}

impl NotCreated {
    fn nothing(error: ProviderError) -> Self {
        Self { error, id: None, seen: None, in_doubt: false }
    }
}

impl Created<'_> {
    /// The object, or why there is none.
    pub(super) async fn settle(&self, slot: Slot<'_>) -> Result<(String, Tree), NotCreated> {
        let ctx: Context = self.making.run.context(&self.intent.id, self.making.address());
        let bound = self.making.bound(Operation::Create);
        let mut retry = Retry::within(slot, bound);
        let started = Instant::now();
        let mut doubted = false;
        loop {
            fault::point("before a create is sent");
            let answer = bounded(bound, self.driver.create(&ctx, self.plain)).await;
            fault::point("a create is answered");
            let error = match answer {
                Ok(made) => return Ok(made),
                Err(error) => error,
            };
            if let Some(id) = self.making.run.created_id(&self.intent.id) {
                return Err(NotCreated { error, id: Some(id), seen: None, in_doubt: false });
            }
            // What answers that it exists may be our own earlier try.
            let exists_by_us = doubted && error.kind == ErrorKind::AlreadyExists;
            if !may_have_happened(&error) && !exists_by_us {
                self.refused(error, started, &mut retry).await.map_err(NotCreated::nothing)?;
                continue;
            }
            doubted = true;
            // Nothing is sent again before it is known that this did not happen.
            match self.look().await {
                Ok(Looked::Ours(seen)) if self.is_whole(&seen) => return Ok((seen.id, seen.outputs)),
                Ok(Looked::Ours(seen)) => {
                    let id = Some(seen.id.clone());
                    return Err(NotCreated { error, id, seen: Some(seen), in_doubt: false });
                }
                Ok(Looked::Nobody) if exists_by_us => return Err(NotCreated::nothing(hinted(error))),
                Ok(Looked::Nobody) => {}
                Ok(Looked::Strangers(new)) => return Err(NotCreated::nothing(taken(&listed(&new)))),
                Err(_) => return Err(NotCreated { error, id: None, seen: None, in_doubt: true }),
            }
            if let Err(error) = retry.after_doubt(error).await {
                return Err(NotCreated { error, id: None, seen: None, in_doubt: true });
            }
        }
    }

    /// Whether nothing shows that more was to be asked for.
    fn is_whole(&self, seen: &Observation) -> bool {
        let wanted = self.intent.target.inputs.clone();
        let Compared { differences, .. } = compare(self.making.node, wanted, None, Some(&seen.inputs));
        differences.iter().all(|difference| difference.verdict <= Verdict::Released)
    }

    /// Waits out what had no effect and may have one later.
    async fn refused(&self, error: ProviderError, started: Instant, retry: &mut Retry<'_>) -> ProviderResult<()> {
        let Making { run, node, .. } = self.making;
        let lagging = started.elapsed() < node.schema.consistency;
        match &error.kind {
            // What it refers to was made a moment ago, or what had its key was deleted a moment ago.
            _ if lagging && run.lags_behind(node, &error) => retry.pause(error).await,
            ErrorKind::AlreadyExists if self.name_is_held() => {
                let message = format!("its name is still taken by what was deleted: {}", error.message);
                retry.pause(ProviderError { message, ..error }).await.map_err(hinted)
            }
            ErrorKind::AlreadyExists => Err(hinted(error)),
            _ => retry.after(error).await,
        }
    }

    /// What had its name was deleted by this run, or by the first half of its replacement.
    fn name_is_held(&self) -> bool {
        let (run, schema, target) = (self.making.run, self.making.node.schema, &self.intent.target);
        run.ended_lately(schema) || run.gave_up_key(schema, &target.site(), &target.inputs)
    }

    /// Whoever stops the run does not wait until absence could be believed: the next run looks.
    async fn look(&self) -> ProviderResult<Looked> {
        let (driver, inputs) = (self.driver.as_ref(), self.plain);
        let run = self.making.run;
        let unanswered = Unanswered { driver, intent: self.intent, inputs, ago: Duration::ZERO };
        let site = self.intent.target.site();
        run.unless_stopped(unanswered.created(|objects| run.live.owns(&site, objects))).await
    }
}

fn taken(new: &str) -> ProviderError {
    hinted(ProviderError::new(
        ErrorKind::AlreadyExists,
        format!("{new} appeared while the create was not answered, and can't be told to be ours"),
    ))
}

fn hinted(error: ProviderError) -> ProviderError {
    if error.hint.is_some() {
        error
    } else {
        error.hint("take it over with `.adopt_existing()` or `.import(..)`, or choose another name")
    }
}
