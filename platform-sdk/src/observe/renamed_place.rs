//! What lives in a place that is not where it was: renamed by a run that ended too early to say so, or awaiting deletion.

use serde_json::Value;

use super::{Observed, Reading, patience::READ_PATIENCE, refresh::unread};
use crate::{
    desired::Tree,
    program::Schema,
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
        self.in_place(state, driver, None).await
    }

    /// Finds what is not where it was, once it is known what its place is called: places before what is in them.
    pub(super) async fn in_renamed_places(&self, observed: &mut Observed) {
        loop {
            let gone = self.snapshot.resources.values().filter(|state| observed.gone(&state.address));
            let mut found = Vec::new();
            for state in gone.cloned().collect::<Vec<_>>() {
                match self.in_place_of(&state, observed).await {
                    Ok(Some(seen)) => found.push((state, seen)),
                    Ok(None) => {}
                    Err(error) => unread(&state, error, observed),
                }
            }
            if found.is_empty() {
                return;
            }
            let schemas = self.connections.schemas();
            for (state, seen) in found {
                self.sighted(schemas.get(state.address.type_name()).copied(), &state, seen, observed);
            }
        }
    }

    async fn in_place_of(&self, state: &ResourceState, observed: &mut Observed) -> ProviderResult<Option<Observation>> {
        let named = self.connections.schemas().get(state.address.type_name()).copied();
        if named.and_then(|schema| self.renamed(state, schema, Some(observed))).is_none() {
            return Ok(None);
        }
        let config = self.reach(state, observed).await?;
        let driver = self.patient_driver(&config, state, READ_PATIENCE).await?;
        self.in_place(state, &*driver, Some(observed)).await
    }

    async fn in_place(
        &self,
        state: &ResourceState,
        driver: &dyn Driver,
        observed: Option<&Observed>,
    ) -> ProviderResult<Option<Observation>> {
        let inputs = self.renamed(state, driver.schema(), observed).and_then(|inputs| inputs.plain());
        let Some(inputs) = inputs else { return Ok(None) };
        let found = driver.find(&inputs).await?;
        let [one] = found.as_slice() else { return Ok(None) };
        let owned =
            |other: &ResourceState| other.address.type_name() == state.address.type_name() && other.id == one.id;
        if self.snapshot.resources.values().any(|other| owned(other)) {
            return Ok(None);
        }
        driver
            .read(&Request {
                id: one.id.clone(),
                inputs: Some(inputs),
                outputs: state.outputs.plain_part_with_stand_ins(),
            })
            .await
    }

    /// The inputs with its places as they are called now, if any is called otherwise than when this was last applied.
    fn renamed(&self, state: &ResourceState, schema: &Schema, observed: Option<&Observed>) -> Option<Tree> {
        let Value::Object(mut inputs) = state.inputs.plain_with_stand_ins()? else { return None };
        let mut renamed = false;
        for field in schema.fields().iter().filter(|field| field.key && field.parent.is_some()) {
            let Some(reference) = state.references.get(field.name) else { continue };
            let seen = observed.and_then(|observed| observed.present(&reference.to)).map(|seen| &seen.outputs);
            let place = seen.or_else(|| self.snapshot.resources.get(&reference.to).map(|place| &place.outputs));
            let output = place.and_then(|outputs| outputs.get(&reference.field)?.plain());
            let Some(now) = output.filter(|now| inputs.get(field.name) != Some(now)) else { continue };
            inputs.insert(field.name.to_owned(), now);
            renamed = true;
        }
        renamed.then(|| Tree::from(Value::Object(inputs)))
    }
}
