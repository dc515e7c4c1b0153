//! Patience: what is only read is asked for again, as long as the service has no time for it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{sync::watch, time::sleep};

use super::Backoff;
use crate::{
    desired::Tree,
    panics::{Panicked, caught_async},
    provider::{ErrorKind, LookUpDriver, Pace, ProviderError, ProviderResult, waiting},
};

/// For how long a service is asked again that has no time to answer, unless the program bounds it: five minutes, as
/// Databricks' own clients do.
pub(super) const READ_PATIENCE: Duration = Duration::from_mins(5);

/// Why a call waits for its turn.
pub(super) const BEARS_FEWER: &str = "the service asks for fewer requests";

/// One call in its turn; what comes of it is learned from.
pub(super) async fn paced<T>(pace: &Pace, call: impl Future<Output = ProviderResult<T>>) -> ProviderResult<T> {
    waiting(BEARS_FEWER, pace.turn()).await;
    // What only reads and panics has failed, and took nothing along.
    let read = caught_async(call).await;
    answered(pace, read.unwrap_or_else(|panicked| Err(failed(&panicked))))
}

fn failed(panicked: &Panicked) -> ProviderError {
    let message = format!("its page panicked: {}", panicked.told());
    ProviderError::new(ErrorKind::Failed { replace: false }, message)
        .hint("this is a mistake in the page: tell whoever wrote it")
}

/// Learns from an answer.
pub(super) fn answered<T>(pace: &Pace, answer: ProviderResult<T>) -> ProviderResult<T> {
    match answer.as_ref().err().map(|error| &error.kind) {
        Some(ErrorKind::Throttled { .. }) => pace.refused(),
        _ => pace.answered(),
    }
    answer
}

/// What ends a wait.
#[derive(Clone)]
pub(super) struct Patience {
    /// For how long in all.
    pub(super) bound: Duration,
    /// Turns true when nothing is to be waited for.
    pub(super) stop: Option<watch::Receiver<bool>>,
}

impl Patience {
    pub(super) fn of(bound: Duration) -> Self {
        Self { bound, stop: None }
    }

    /// Waits; `false` when it is not to.
    pub(super) async fn waits(&self, wait: impl Future<Output = ()>) -> bool {
        let Some(mut stop) = self.stop.clone() else {
            wait.await;
            return true;
        };
        tokio::select! {
            biased;
            () = wait => true,
            Ok(true) = async { stop.wait_for(|stop| *stop).await.map(|stop| *stop) } => false,
        }
    }
}

/// Asks until there is an answer or the patience is at its end. A service that has refused everybody for so long is asked
/// once: not every object of a stack waits for it in turn.
pub(super) async fn patiently<T, F>(pace: &Pace, patience: &Patience, ask: impl Fn() -> F) -> ProviderResult<T>
where
    F: Future<Output = ProviderResult<T>>,
{
    let mut backoff = Backoff::new();
    loop {
        let error = match paced(pace, ask()).await {
            Err(error) => error,
            answer => return answer,
        };
        let (ErrorKind::Throttled { after } | ErrorKind::NotReady { after }) = error.kind else { return Err(error) };
        let pause = backoff.pause(after);
        if backoff.elapsed().max(pace.refusing()) + pause > patience.bound {
            return Err(error);
        }
        tracing::debug!(ms = pause.as_millis(), reason = %error, "waiting before it is read again");
        if !waiting(&error, patience.waits(sleep(pause))).await {
            return Err(error);
        }
    }
}

/// A lookup that is asked patiently.
pub(super) struct PatientLookUp {
    pub(super) driver: Arc<dyn LookUpDriver>,
    pub(super) pace: Arc<Pace>,
}

#[async_trait]
impl LookUpDriver for PatientLookUp {
    async fn look_up(&self, key: &str) -> ProviderResult<Option<Tree>> {
        patiently(&self.pace, &Patience::of(READ_PATIENCE), || self.driver.look_up(key)).await
    }
}
