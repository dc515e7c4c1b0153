//! Why a call waits: told to whoever made it, however deep in a client the wait is.

use std::{fmt::Display, sync::Arc};

tokio::task_local! {
    static LISTENER: Arc<dyn Waits>;
}

/// Who wants to know why something waits.
pub trait Waits: Send + Sync {
    /// A wait begins, for this reason. What it is called by until it is over.
    fn begin(&self, reason: &str) -> u64;

    /// That wait is over.
    fn over(&self, wait: u64);
}

/// A wait that is over when this is dropped.
struct Wait {
    listener: Arc<dyn Waits>,
    wait: u64,
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.listener.over(self.wait);
    }
}

/// Waits, and lets it be known why: what takes longer than ten seconds is shown with its reason.
pub async fn waiting<T>(reason: impl Display, wait: impl Future<Output = T>) -> T {
    let listener = LISTENER.try_with(Arc::clone).ok();
    let _until_it_is_over = listener.map(|listener| {
        let wait = listener.begin(&reason.to_string());
        Wait { listener, wait }
    });
    wait.await
}

/// Works, and tells this listener what is waited for meanwhile.
pub(crate) async fn listening<T>(listener: Arc<dyn Waits>, work: impl Future<Output = T>) -> T {
    LISTENER.scope(listener, work).await
}
