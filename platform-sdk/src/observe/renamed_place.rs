//! Finding again what lives in a place that got another name, where the run that renamed it ended too early to do so.

use serde_json::Value;

use super::Reading;
use crate::{
    desired::Tree,
    provider::{Driver, Observation, ProviderResult, Request},
    state::ResourceState,
};

impl Reading<'_> {
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
        driver.read(&Request { id: one.id.clone(), inputs: Some(inputs), outputs: state.outputs.plain() }).await
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
