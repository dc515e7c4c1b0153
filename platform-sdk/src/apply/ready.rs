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
    /// What it is once it is made as the program says: not known to be ready, where that is waited for.
    pub(super) fn finished(&self) -> Status {
        if self.run.desired.waits_for(self.node) {
            Status::Unready("the run ended before it was".to_owned())
        } else {
            Status::Whole
        }
    }

    /// Records what is as the program says already. Whatever an earlier run did not finish, it did not see ready either.
    pub(super) async fn nothing_differs(
        &self,
        driver: &Arc<dyn Driver>,
        mut target: ResourceState,
        before: &ResourceState,
    ) -> Result<(), Diagnostic> {
        let was_whole = matches!(before.status, Status::Whole | Status::Undeclared);
        target.status = if was_whole { Status::Whole } else { self.finished() };
        self.run.close(None, vec![Effect::put(target)]).await?;
        self.wait(driver).await
    }

    /// Waits until it can be used, where state says that this is still to be waited for.
    pub(super) async fn wait(&self, driver: &Arc<dyn Driver>) -> Result<(), Diagnostic> {
        let state = self.run.live.resource(self.address());
        let Some(state) = state.filter(|state| matches!(state.status, Status::Unready(_))) else { return Ok(()) };
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
                return self.is_ready(driver, state).await;
            }
            Ok(Err(error)) => error,
            Err(_) => ProviderError::new(ErrorKind::TimedOut, format!("still not ready after {} s", bound.as_secs()))
                .hint("it goes on by itself: run the command again, or give it more time with `.timeout(Operation::Ready, ..)`"),
        };
        let status = Status::Unready(self.run.scrub.text(&failure.message));
        self.run.close(None, vec![Effect::put(ResourceState { status, ..(*state).clone() })]).await?;
        Err(self.failed(&failure))
    }

    async fn until_ready(&self, driver: &Arc<dyn Driver>, id: &str) -> ProviderResult<()> {
        let mut retry = Retry::new(PATIENCE);
        let mut pause = Duration::from_millis(100);
        let mut said = String::new();
        let started = Instant::now();
        loop {
            match driver.ready(id).await {
                // It was made a moment ago.
                Err(error) if error.is_not_found() && started.elapsed() < self.node.schema.consistency => {}
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
    async fn is_ready(&self, driver: &Arc<dyn Driver>, state: Arc<ResourceState>) -> Result<(), Diagnostic> {
        let mut ready = ResourceState { status: Status::Whole, ..(*state).clone() };
        if let Ok(Some(seen)) = driver.read(&request(&state)).await {
            ready.outputs = self.conceal(&state.inputs, seen.outputs);
        }
        self.run.close(None, vec![Effect::put(ready)]).await
    }
}
