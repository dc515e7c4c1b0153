//! Retrying: which failures are waited out, and for how long.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::slots::Slot;
pub(super) use crate::observe::PATIENCE;
use crate::provider::{ErrorKind, ProviderError, ProviderResult};

/// How long an unreachable service is waited for: its client has tried for a while already.
const UNREACHABLE: Duration = Duration::from_secs(30);

/// Ends a call that does not answer; it may have had its effect.
pub(super) async fn bounded<T>(bound: Duration, call: impl Future<Output = ProviderResult<T>>) -> ProviderResult<T> {
    let late = || ProviderError::new(ErrorKind::Ambiguous, format!("no answer within {} s", bound.as_secs()));
    timeout(bound, call).await.unwrap_or_else(|_| Err(late()))
}

/// The pace of one step's retries.
pub(super) struct Retry<'s> {
    started: Instant,
    bound: Duration,
    next: Duration,
    /// The slot that its tries need.
    slot: Option<Slot<'s>>,
}

impl<'s> Retry<'s> {
    pub(super) fn new(bound: Duration) -> Self {
        Self { started: Instant::now(), bound, next: Duration::from_millis(500), slot: None }
    }

    /// For tries that need a slot, which is given back with it.
    pub(super) fn within(slot: impl Into<Option<Slot<'s>>>, bound: Duration) -> Self {
        Self { slot: slot.into(), ..Self::new(bound) }
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
        let pause = asked.unwrap_or(self.next).max(Duration::from_millis(50));
        if self.started.elapsed() + pause > bound {
            return Err(error);
        }
        tracing::debug!(ms = pause.as_millis(), reason = %error, "waiting before the next try");
        // A service that is busy is spared by whoever waits; one that is not ready yet for this one has time for others.
        match &mut self.slot {
            Some(slot) if matches!(error.kind, ErrorKind::NotReady { .. }) => {
                if !slot.aside(sleep(pause)).await {
                    return Err(error);
                }
            }
            _ => sleep(pause).await,
        }
        self.next = (self.next * 2).min(Duration::from_secs(10));
        Ok(())
    }

    /// Waits before something that may have had its effect is repeated, where repeating is safe.
    pub(super) async fn after_doubt(&mut self, error: ProviderError) -> Result<(), ProviderError> {
        match error.kind {
            ErrorKind::Ambiguous if self.started.elapsed() < self.bound.min(UNREACHABLE) => {
                sleep(self.next).await;
                self.next *= 2;
                Ok(())
            }
            _ => self.after(error).await,
        }
    }
}
