//! Baselines: the first full read after an apply records what stands in the fields that the program does not set.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::session::Session;
use crate::{
    desired::{Address, Desired, Entries, Name, Tree},
    observe::{BUILTIN, Observed},
    plan::{Course, Op, Seen, differs, leaves_open, renewed},
    program::Schema,
    provider::Observation,
    state::{Baseline, Keys, Lease, ResourceState, Snapshot, Status},
};

/// Whether it can be told what stands in unset fields of a resource: not as long as a step of its own is not over.
pub(super) fn is_settled(state: &ResourceState) -> bool {
    match state.status {
        Status::Whole | Status::Undeclared | Status::Unready(_) => state.provider.kind != BUILTIN,
        Status::Partial(_) | Status::Making(_) => false,
    }
}

/// Records it for whatever has no baseline yet: by what was read before the plan, where the run has left it as it was, and
/// else by another read. What can't be read now, or does not show yet, the next run records.
pub(super) async fn record(
    session: &Session<'_>,
    lease: &Lease,
    desired: &Desired,
    (course, observed): (&Course, &Observed),
    snapshot: &mut Snapshot,
) {
    let (schemas, keys) = (session.connections.schemas(), &lease.reading().keys);
    let recording = Recording { course, observed, schemas: &schemas, keys };
    recording.all_said(snapshot);
    let (done_to, stays) = recording.due(snapshot);
    recording.all(snapshot, &stays, observed);
    if done_to.is_empty() || session.context.globals.offline {
        return;
    }
    // Who is in a hurry does not wait for it.
    let read = async { Ok(session.read_again(desired, snapshot, &done_to).await) };
    if let Ok(now) = session.context.interrupts.unless_asked(read).await {
        recording.all(snapshot, &done_to, &now);
    }
}

struct Recording<'a> {
    course: &'a Course,
    observed: &'a Observed,
    schemas: &'a BTreeMap<&'static str, &'static Schema>,
    keys: &'a Keys,
}

impl Recording<'_> {
    /// Of what the program sets whole there is nothing to read.
    fn all_said(&self, snapshot: &mut Snapshot) {
        for state in snapshot.resources.values_mut().filter(|state| state.unset.is_none() && is_settled(state)) {
            let schema = self.schemas.get(state.address.type_name());
            if schema.is_some_and(|schema| !leaves_open(schema.fields(), &state.inputs)) {
                Arc::make_mut(state).unset = Some(Entries::new());
            }
        }
    }

    /// What has no baseline: what the run has made or changed, and what it has not.
    fn due(&self, snapshot: &Snapshot) -> (BTreeSet<Address>, BTreeSet<Address>) {
        let states = snapshot.resources.values().filter(|state| state.unset.is_none() && is_settled(state));
        let is_done_to = |address: &Address| {
            self.course.decisions.get(address).is_some_and(|decision| match decision.op {
                Op::Create | Op::Adopt | Op::Update | Op::Replace { .. } => true,
                Op::Delete | Op::Forget | Op::Read | Op::Move { .. } | Op::Options | Op::Keep => false,
            })
        };
        states.map(|state| state.address.clone()).partition(is_done_to)
    }

    fn all(&self, snapshot: &mut Snapshot, due: &BTreeSet<Address>, seen: &Observed) {
        for address in due {
            let (Some(state), Some(seen)) = (snapshot.resources.get(address).cloned(), seen.present(address)) else {
                continue;
            };
            let Some(schema) = self.schemas.get(address.type_name()) else { continue };
            if differs(schema, &state, &seen.inputs) {
                continue;
            }
            let unset = self.unset(schema, &state, &seen.inputs, Baseline::of(snapshot, self.keys));
            if let Some(state) = snapshot.resources.get_mut(address) {
                Arc::make_mut(state).unset = Some(unset);
            }
        }
    }

    fn unset(&self, schema: &Schema, state: &ResourceState, there: &Tree, hashes: Baseline<'_>) -> Entries<Name> {
        let seen = |inputs, there| Seen { fields: schema.fields(), inputs, there };
        let earlier = self.before(state).and_then(|(before, was)| {
            let kept = before.unset.as_ref()?;
            Some((kept, seen(&before.inputs, &was.inputs)))
        });
        renewed(seen(&state.inputs, there), earlier, hashes)
    }

    /// The same object before this run, with what was seen of it.
    fn before(&self, state: &ResourceState) -> Option<(&ResourceState, &Observation)> {
        let decision = self.course.decisions.get(&state.address)?;
        if matches!(decision.op, Op::Create | Op::Adopt | Op::Replace { .. }) {
            return None;
        }
        let before = self.course.snapshot.resources.get(&state.address).filter(|before| is_settled(before))?;
        Some((before, self.observed.present(&state.address)?))
    }
}
