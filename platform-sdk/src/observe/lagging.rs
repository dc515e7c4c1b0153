//! Reads that may lag: what a service shows within the consistency window of the last update may be older than that.

use serde_json::Value;

use super::Reading;
use crate::{program::Schema, provider::Observation, state::ResourceState};

impl Reading<'_> {
    /// Whether what is seen may be what was there before the last update.
    pub(super) fn may_lag(&self, schema: Option<&'static Schema>, state: &ResourceState, seen: &Observation) -> bool {
        let recent = schema.filter(|schema| self.age < schema.consistency);
        // Other outputs may be those of what had the same id before.
        recent
            .is_some_and(|schema| !seen.outputs.is_alike(&state.outputs) || (self.differs)(schema, state, &seen.inputs))
    }

    /// The schema of states of one type.
    pub(super) async fn schema(&self, config: &Value, group: &[&ResourceState]) -> Option<&'static Schema> {
        let first = group.first()?;
        let driver = self.connections.driver(&first.provider.kind, config, first.address.type_name()).await;
        driver.ok().map(|driver| driver.schema())
    }
}
