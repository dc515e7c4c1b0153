//! What a driver may use while it works: its mark, the journal for new ids, progress.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Mark, ProviderResult};

/// Where new ids are made durable.
#[async_trait]
pub trait Journalled: Send + Sync {
    /// Makes it durable that the running step has made the object `id`, or has given its object this id.
    async fn created(&self, id: &str) -> ProviderResult<()>;
}

/// Where progress is shown.
pub trait Progress: Send + Sync {
    /// The service's words for what it is doing.
    fn say(&self, state: &str);
}

/// One running step, as its driver sees it.
#[derive(Clone)]
pub struct Context {
    mark: Mark,
    journal: Arc<dyn Journalled>,
    progress: Arc<dyn Progress>,
    force: bool,
}

impl Context {
    /// A context for one step.
    pub fn new(mark: Mark, journal: Arc<dyn Journalled>, progress: Arc<dyn Progress>) -> Self {
        Self { mark, journal, progress, force: false }
    }

    /// The same for an update that may be forced.
    pub fn forced(self, force: bool) -> Self {
        Self { force, ..self }
    }

    /// Outside of any run: nothing is journalled or shown. For tests of drivers.
    pub fn detached() -> Self {
        struct Nowhere;

        #[async_trait]
        impl Journalled for Nowhere {
            async fn created(&self, _id: &str) -> ProviderResult<()> {
                Ok(())
            }
        }

        impl Progress for Nowhere {
            fn say(&self, _state: &str) {}
        }

        Self::new(Mark::new("detached/0", "nobody"), Arc::new(Nowhere), Arc::new(Nowhere))
    }

    /// What a create writes into an object that can carry a mark, hidden from diffs.
    pub fn mark(&self) -> &Mark {
        &self.mark
    }

    /// Whether an update may break what uses the object: somebody asked for it and agreed.
    pub fn force(&self) -> bool {
        self.force
    }

    /// Makes a new object's id durable. To be called before any further request of the same create.
    ///
    /// # Errors
    /// When the journal can't be written; the create must stop then.
    pub async fn created(&self, id: &str) -> ProviderResult<()> {
        self.journal.created(id).await
    }

    /// Makes the id durable that an update has given its object. To be called before any further request of the same
    /// update: under its old id nobody finds the object any more.
    ///
    /// # Errors
    /// When the journal can't be written; the update must stop then.
    pub async fn renamed(&self, id: &str) -> ProviderResult<()> {
        self.journal.created(id).await
    }

    /// Shows the service's words for what it is doing.
    pub fn progress(&self, state: &str) {
        self.progress.say(state);
    }
}
