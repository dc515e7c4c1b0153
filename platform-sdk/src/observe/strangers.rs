//! Strangers: what stands under the id of an object of the stack, and is another object.

use super::{Observed, Reading, Sighting};
use crate::{program::Schema, provider::Observation, report::Diagnostic, state::ResourceState};

/// The output that tells that this is another object than the one in state, if one does. What an interrupted create has
/// left is known by its id alone.
pub(super) fn stranger(schema: &Schema, state: &ResourceState, seen: &Observation) -> Option<&'static str> {
    let mut unique = schema.outputs.iter().filter(|output| output.unique).map(|output| output.name);
    unique.find(|name| match (state.outputs.get(name), seen.outputs.get(name)) {
        (Some(was), Some(is)) => was.exposed() != is.exposed(),
        _ => false,
    })
}

impl Reading<'_> {
    /// Takes down what is seen at an address, unless it is somebody else's.
    pub(super) fn sighted(
        &self,
        schema: Option<&'static Schema>,
        state: &ResourceState,
        seen: Observation,
        observed: &mut Observed,
    ) {
        let address = &state.address;
        let other = self.snapshot.resources.values().find(|other| {
            let alike = other.address.type_name() == address.type_name() && other.provider.of == state.provider.of;
            seen.id != state.id && alike && other.address != *address && other.id == seen.id
        });
        let problem = match (schema.and_then(|schema| stranger(schema, state, &seen)), other) {
            (None, None) => {
                observed.sightings.insert(address.clone(), Sighting::Present(seen));
                return;
            }
            (_, Some(other)) => Diagnostic::error(format!("`{address}` and `{}` are the same object", other.address))
                .detail(format!("`{}` is `{}` now", state.id, seen.id))
                .hint("`state forget` one of them, and drop it from the program"),
            (Some(output), None) => {
                let text = format!("`{address}` is another object than the one that this stack made");
                observed.strangers.insert(address.clone(), seen);
                Diagnostic::error(text)
                    .detail(format!("`{}` has another `{output}`: somebody deleted it and made it anew", state.id))
                    .hint(format!("`drift --accept` takes it over, `state forget {address}` leaves it to its maker"))
            }
        };
        observed.sightings.insert(address.clone(), Sighting::Unread(problem.summary.clone()));
        observed.unreadable.insert(address.clone(), problem.about(address));
    }
}
