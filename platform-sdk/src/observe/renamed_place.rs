//! What lives in a place that is not where it was: renamed by a run that ended too early to say so, or awaiting deletion.

use serde_json::Value;

use super::{Observed, Reading};
use crate::{
    desired::Tree,
    provider::{Driver, Observation, ProviderResult, Request},
    state::ResourceState,
};

impl Reading<'_> {
    /// What lives in a place that awaits deletion is elsewhere than its provider leads to now: state alone says so.
    pub(super) fn left_places(&self, observed: &mut Observed) {
        for state in self.snapshot.resources.values() {
            let Some((scope, was)) = &state.scope else { continue };
            let now = state.provider.of.iter().find_map(|owner| {
                let is = self.snapshot.resources.get(owner).map(|owner| &owner.id).filter(|is| *is != was)?;
                let mut left = self.snapshot.pending_deletes.iter();
                left.any(|left| left.address == *owner && left.id == *was).then(|| is.clone())
            });
            if let Some(is) = now {
                observed.rescoped.insert(state.address.clone(), (scope.clone(), was.clone(), is));
            }
        }
    }

    /// The object under the key that it has since its place was renamed; `None` when no place of it was.
    pub(super) async fn in_renamed_place(
        &self,
        state: &ResourceState,
        driver: &dyn Driver,
    ) -> ProviderResult<Option<Observation>> {
        let Some(inputs) = self.renamed(state, driver).and_then(|inputs| inputs.plain()) else { return Ok(None) };
        let found = driver.find(&inputs).await?;
        let [one] = found.as_slice() else { return Ok(None) };
        let owned =
            |other: &ResourceState| other.address.type_name() == state.address.type_name() && other.id == one.id;
        if self.snapshot.resources.values().any(|other| owned(other)) {
            return Ok(None);
        }
        driver.read(&Request { id: one.id.clone(), inputs: Some(inputs), outputs: state.outputs.plain_part() }).await
    }

    /// The inputs with its places as they are called now, if any is called otherwise than when this was last applied.
    fn renamed(&self, state: &ResourceState, driver: &dyn Driver) -> Option<Tree> {
        let Value::Object(mut inputs) = state.inputs.plain()? else { return None };
        let mut renamed = false;
        for field in driver.schema().fields().iter().filter(|field| field.key && field.parent.is_some()) {
            let Some(reference) = state.references.get(field.name) else { continue };
            let place = self.snapshot.resources.get(&reference.to);
            let output = place.and_then(|place| place.outputs.get(&reference.field)?.plain());
            let Some(now) = output.filter(|now| inputs.get(field.name) != Some(now)) else { continue };
            inputs.insert(field.name.to_owned(), now);
            renamed = true;
        }
        renamed.then(|| Tree::from(Value::Object(inputs)))
    }
}
