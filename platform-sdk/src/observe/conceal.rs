//! Concealing: what services show is as secret as what they were given.

use super::{Observed, Reading, Sighting};
use crate::{
    desired::{Address, Telling, Tree, conceal_fields, conceal_outputs, evaluate},
    program::Schema,
    provider::Observation,
    scrub::Known,
    state::ResourceState,
};

/// Makes an object as secret as the inputs and outputs that are known of it.
fn conceal(seen: &mut Observation, schema: &Schema, inputs: &Tree, outputs: &Tree) {
    seen.outputs = conceal_outputs(std::mem::take(&mut seen.outputs), schema, inputs).as_secret_as(outputs);
    seen.inputs = std::mem::take(&mut seen.inputs).as_secret_as(inputs);
    if inputs.has_sealed() || outputs.has_sealed() {
        seen.inputs = std::mem::take(&mut seen.inputs).sealed_again();
        seen.outputs = std::mem::take(&mut seen.outputs).sealed_again();
    }
}

/// The outputs of an object that was made or changed as this resource says.
pub(super) fn concealed_outputs(seen: &Observation, schema: &Schema, state: &ResourceState) -> Tree {
    let outputs = conceal_outputs(seen.outputs.clone(), schema, &state.inputs).as_secret_as(&state.outputs);
    if state.inputs.has_sealed() || state.outputs.has_sealed() { outputs.sealed_again() } else { outputs }
}

impl Reading<'_> {
    /// Makes secret what was observed, by where it comes from: by what was last applied, and by what the program wants.
    /// What could not be read is told without secrets.
    pub(super) fn conceal(&self, observed: &mut Observed) {
        let mut secrets = Vec::new();
        for state in self.snapshot.resources.values() {
            state.inputs.collect_secrets(&mut secrets);
            state.outputs.collect_secrets(&mut secrets);
        }
        let known: Known = secrets.iter().collect();
        let telling = Telling::of(secrets);
        let schemas = self.connections.schemas();
        let concealing = |seen: &mut Observation| {
            seen.inputs = std::mem::take(&mut seen.inputs).concealing(&telling);
            seen.outputs = std::mem::take(&mut seen.outputs).concealing(&telling);
        };
        let of_state = |address: &Address, seen: &mut Observation| {
            let state = self.snapshot.resources.get(address);
            if let Some((state, schema)) = state.zip(schemas.get(address.type_name())) {
                conceal(seen, schema, &state.inputs, &state.outputs);
            }
            concealing(seen);
        };
        for (address, sighting) in &mut observed.sightings {
            match sighting {
                Sighting::Present(seen) => of_state(address, seen),
                Sighting::Unread(why) if !known.is_empty() => *why = known.taken_out_of(why),
                Sighting::Gone | Sighting::Unread(_) => {}
            }
        }
        observed.strangers.iter_mut().for_each(|(address, seen)| of_state(address, seen));
        for problem in observed.unreadable.values_mut() {
            *problem = problem.clone().scrubbed(&known);
        }
        let mut found = std::mem::take(&mut observed.found);
        for (address, seen) in &mut found {
            if let Some(node) = self.desired.nodes.get(address) {
                let wanted = evaluate(&node.inputs, &mut |origin, field| {
                    let found = observed.lookups.get(&origin.address).and_then(|found| found.get(field).cloned());
                    found.or_else(|| self.known_output(origin, field))
                });
                let wanted = conceal_fields(wanted, node.schema.fields());
                conceal(seen, node.schema, &wanted, &Tree::default());
            }
            concealing(seen);
        }
        observed.found = found;
    }
}
