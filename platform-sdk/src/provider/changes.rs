//! What a step has changed at a service: told by its client, request by request, so that of a step that fails nobody says
//! that nothing was changed.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

tokio::task_local! {
    static COUNTED: Arc<Changes>;
}

/// What the calls of a step have changed so far.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    requests: AtomicUsize,
    known: AtomicBool,
    in_doubt: AtomicBool,
}

/// What a step that did not come to its end has changed all the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Changed {
    /// Nothing.
    #[default]
    Nothing,
    /// That is not known: a request was not answered.
    Perhaps,
    /// So many requests have changed something.
    Times(usize),
}

impl Changes {
    /// What they come to.
    pub(crate) fn made(&self) -> Changed {
        match self.requests.load(Ordering::Relaxed) {
            0 if self.known.load(Ordering::Relaxed) => Changed::Times(1),
            0 if self.in_doubt.load(Ordering::Relaxed) => Changed::Perhaps,
            0 => Changed::Nothing,
            requests => Changed::Times(requests),
        }
    }
}

/// A request that changes something was carried out. To be told by whatever sends requests, of each, once it is answered
/// that way. Of a request that was not answered its error's kind tells.
pub fn changed() {
    let _nobody_counts = COUNTED.try_with(|changes| changes.requests.fetch_add(1, Ordering::Relaxed));
}

/// Something is changed, as the engine knows without any client.
pub(crate) fn known_change() {
    let _nobody_counts = COUNTED.try_with(|changes| changes.known.store(true, Ordering::Relaxed));
}

/// Whether something is changed, nobody can say.
pub(crate) fn change_in_doubt() {
    let _nobody_counts = COUNTED.try_with(|changes| changes.in_doubt.store(true, Ordering::Relaxed));
}

/// Works, and counts what is changed meanwhile.
pub(crate) async fn counting<T>(changes: Arc<Changes>, work: impl Future<Output = T>) -> T {
    COUNTED.scope(changes, work).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_known_goes_before_what_is_not() {
        let changes = Arc::new(Changes::default());
        changed();
        assert_eq!(changes.made(), Changed::Nothing, "another's");
        for (tell, made) in [
            (change_in_doubt as fn(), Changed::Perhaps),
            (known_change, Changed::Times(1)),
            (changed, Changed::Times(1)),
            (changed, Changed::Times(2)),
        ] {
            counting(changes.clone(), async { tell() }).await;
            assert_eq!(changes.made(), made);
        }
    }
}
