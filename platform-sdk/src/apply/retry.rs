//! Retrying: which failures are waited out, and for how long.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::provider::{ErrorKind, ProviderError};

/// How long a step is kept trying before its failure is final, unless the program bounds it.
pub(super) const PATIENCE: Duration = Duration::from_mins(20);

/// How long an unreachable service is waited for: its client has tried for a while already.
const UNREACHABLE: Duration = Duration::from_secs(30);

/// The pace of one step's retries.
pub(super) struct Retry {
    started: Instant,
    bound: Duration,
    next: Duration,
}

impl Retry {
    pub(super) fn new(bound: Duration) -> Self {
        Self { started: Instant::now(), bound, next: Duration::from_millis(500) }
    }

    /// Waits before the next try of something that had no effect; the error back when it is final.
    pub(super) async fn after(&mut self, error: ProviderError) -> Result<(), ProviderError> {
        let (asked, bound) = match &error.kind {
            ErrorKind::Throttled { after } | ErrorKind::NotReady { after } => (*after, self.bound),
            ErrorKind::Unavailable => (None, self.bound.min(UNREACHABLE)),
            _ => return Err(error),
        };
        let pause = asked.unwrap_or(self.next).max(Duration::from_millis(50));
        if self.started.elapsed() + pause > bound {
            return Err(error);
        }
        tracing::debug!(ms = pause.as_millis(), reason = %error, "waiting before the next try");
        sleep(pause).await;
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
