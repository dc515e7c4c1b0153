//! One action as the scheduler takes it: what it waits for is heard, what it changes is counted, and a panic in it is a
//! failure like any other.

use super::schedule::Run;
use crate::{
    panics::caught_async,
    plan::Action,
    provider::{counting, listening},
    report::Diagnostic,
};

impl Run<'_> {
    /// Does an action. What it had asked of a service when it panicked is found out by the next run.
    pub(super) async fn heard(&self, index: usize) -> Result<(), Diagnostic> {
        let Action { address, .. } = &self.actions()[index];
        let scrub = self.scrub.clone();
        let listener = self.silence.listener(Some(address.clone()), std::sync::Arc::new(move |text| scrub.text(text)));
        let changes = self.changes[self.step(index)].clone();
        let acting = caught_async(counting(changes, listening(listener, Box::pin(self.act(index)))));
        acting.await.unwrap_or_else(|panicked| {
            let problem = Diagnostic::error(format!("`{address}` ended in a panic")).detail(panicked.told());
            let problem =
                problem.hint("this is a mistake in its page or in the SDK: the other steps are not touched by it");
            let at = self.desired.nodes.get(address).map(|node| node.at.clone());
            Err(match at {
                Some(at) => problem.about(address).at(&at),
                None => problem.about(address),
            })
        })
    }
}
