//! Retrying: which failures are waited out, and for how long.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::slots::{Slot, Slots};
pub(super) use crate::observe::PATIENCE;
use crate::{
    observe::Backoff,
    provider::{ErrorKind, ProviderError, ProviderResult, waiting},
};

/// How long an unreachable service is waited for: its client has tried for a while already.
const UNREACHABLE: Duration = Duration::from_secs(30);

/// Ends a call that does not answer; it may have had its effect.
pub(super) async fn bounded<T>(bound: Duration, call: impl Future<Output = ProviderResult<T>>) -> ProviderResult<T> {
    let late = || ProviderError::new(ErrorKind::Ambiguous, format!("no answer within {bound:?}"));
    timeout(bound, call).await.unwrap_or_else(|_| Err(late()))
}

/// The pace of one step's retries.
pub(super) struct Retry<'s> {
    backoff: Backoff,
    bound: Duration,
    /// Ends pauses once nothing new is to be started.
    slots: Option<&'s Slots>,
    /// The slot that its tries need.
    slot: Option<Slot<'s>>,
}

impl<'s> Retry<'s> {
    /// For tries that go on for so long, whatever happens to the run.
    pub(super) fn new(bound: Duration) -> Self {
        Self { backoff: Backoff::new(), bound, slots: None, slot: None }
    }

    /// For tries that need no slot, and end with the run.
    pub(super) fn of(slots: &'s Slots, bound: Duration) -> Self {
        Self { slots: Some(slots), ..Self::new(bound) }
    }

    /// For tries that need a slot, which is given back with it, and end with the run.
    pub(super) fn within(slot: impl Into<Option<Slot<'s>>>, bound: Duration) -> Self {
        let slot = slot.into();
        Self { slots: slot.as_ref().map(Slot::of), slot, ..Self::new(bound) }
    }

    /// Waits before the next try of something that had no effect; the error back when it is final.
    pub(super) async fn after(&mut self, error: ProviderError) -> Result<(), ProviderError> {
        let (asked, bound) = match &error.kind {
            ErrorKind::Throttled { after } | ErrorKind::NotReady { after } => (*after, self.bound),
            ErrorKind::Unavailable => (None, self.bound.min(UNREACHABLE)),
            _ => return Err(error),
        };
        self.rest(error, asked, bound).await
    }

    /// Waits before the next try of what is refused only because the service lags behind.
    pub(super) async fn pause(&mut self, error: ProviderError) -> Result<(), ProviderError> {
        self.rest(error, None, self.bound).await
    }

    async fn rest(&mut self, error: ProviderError, asked: Option<Duration>, bound: Duration) -> ProviderResult<()> {
        let pause = self.backoff.pause(asked);
        if self.backoff.elapsed() + pause > bound {
            return Err(error);
        }
        tracing::debug!(ms = pause.as_millis(), reason = %error, "waiting before the next try");
        // A service that is busy is spared by whoever waits; one that is not ready yet for this one has time for others.
        let (slot, slots) = (&mut self.slot, self.slots);
        let rested = async {
            match (slot, slots) {
                (Some(slot), _) if matches!(error.kind, ErrorKind::NotReady { .. }) => slot.aside(sleep(pause)).await,
                (_, Some(slots)) => slots.unless_closed(sleep(pause)).await.is_some(),
                (_, None) => {
                    sleep(pause).await;
                    true
                }
            }
        };
        let goes_on = waiting(&error, rested).await;
        if goes_on { Ok(()) } else { Err(stopped(error)) }
    }

    /// Waits before something that may have had its effect is repeated, where repeating is safe.
    pub(super) async fn after_doubt(&mut self, error: ProviderError) -> Result<(), ProviderError> {
        match error.kind {
            ErrorKind::Ambiguous => self.rest(error, None, self.bound.min(UNREACHABLE)).await,
            _ => self.after(error).await,
        }
    }
}

/// Of the same kind: whether it may have had its effect is as it was.
fn stopped(error: ProviderError) -> ProviderError {
    ProviderError { message: format!("{}; the run was stopped before the next try", error.message), ..error }
}
