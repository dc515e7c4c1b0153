//! Readiness: the wait until what was made can be used.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout};

use super::{
    make::Making,
    retry::{PATIENCE, Retry},
    steps::stopped,
};
use crate::{
    fault,
    observe::request,
    program::Operation,
    provider::{Driver, ErrorKind, ProviderError, ProviderResult, Readiness},
    report::Diagnostic,
    state::{Effect, ResourceState, Status},
};

/// How long something is waited for until it can be used, unless the program bounds it.
const READY_PATIENCE: Duration = Duration::from_mins(45);

impl Making<'_, '_> {
    /// Waits until it can be used, where that is wanted.
    pub(super) async fn wait(&self, driver: &Arc<dyn Driver>) -> Result<(), Diagnostic> {
        let serves = self.run.serves.contains(self.address());
        if !self.node.options.wait.unwrap_or(self.node.schema.waits || serves) {
            return Ok(());
        }
        let Some(state) = self.run.live.resource(self.address()) else { return Ok(()) };
        let bound = self.node.options.timeout(Operation::Ready).unwrap_or(READY_PATIENCE);
        let mut stop = self.run.settings.stop.clone();
        let waiting = self.run.slots.resting(timeout(bound, self.until_ready(driver, &state.id)));
        // Nothing is asked for while it is waited for, so that there is nothing to lose: the next run goes on waiting.
        let ready = tokio::select! {
            biased;
            ready = waiting => ready,
            () = stopped(&mut stop) => Ok(Err(ProviderError::new(ErrorKind::TimedOut, "not ready yet when the run was stopped")
                .hint("it goes on by itself: run the command again to wait for it"))),
        };
        let failure = match ready {
            Ok(Ok(())) => {
                fault::point("it is ready");
                return self.refreshed(driver, state).await;
            }
            Ok(Err(error)) => error,
            Err(_) => ProviderError::new(ErrorKind::TimedOut, format!("still not ready after {} s", bound.as_secs()))
                .hint("it goes on by itself: run the command again, or give it more time with `.timeout(Operation::Ready, ..)`"),
        };
        let mut waiting = (*state).clone();
        waiting.status = Status::Partial(self.run.scrub.text(&failure.message));
        self.run.close(None, vec![Effect::put(waiting)]).await?;
        Err(self.failed(&failure))
    }

    async fn until_ready(&self, driver: &Arc<dyn Driver>, id: &str) -> ProviderResult<()> {
        let mut retry = Retry::new(PATIENCE);
        let mut pause = Duration::from_millis(100);
        let mut said = String::new();
        let started = Instant::now();
        loop {
            match driver.ready(id).await {
                Ok(Readiness::Ready) => return Ok(()),
                Ok(Readiness::Pending(state)) => {
                    if state != said {
                        self.run.say(self.address(), &state);
                        said = state;
                    }
                }
                Ok(Readiness::Failed(why)) => return Err(ProviderError::new(ErrorKind::Failed { replace: true }, why)),
                Err(error) => retry.after_doubt(error).await?,
            }
            sleep(pause).await;
            // Quick at first, since much is ready at once; then as often as a person would look.
            pause = (pause * 2).min(if started.elapsed() < Duration::from_mins(1) {
                Duration::from_secs(2)
            } else {
                Duration::from_secs(10)
            });
        }
    }

    /// What is ready may know more of itself than when it was made.
    async fn refreshed(&self, driver: &Arc<dyn Driver>, state: Arc<ResourceState>) -> Result<(), Diagnostic> {
        if let Ok(Some(seen)) = driver.read(&request(&state)).await {
            let outputs = self.conceal(&state.inputs, seen.outputs);
            if outputs != state.outputs {
                let state = ResourceState { outputs, ..(*state).clone() };
                return self.run.close(None, vec![Effect::put(state)]).await;
            }
        }
        Ok(())
    }
}
