//! Settling: what became of the intents that an earlier run left open.

use super::{Connections, refresh::request};
use crate::{
    desired::brought_to,
    program::Identity,
    provider::{Driver, ErrorKind, Found, Observation, ProviderError, ProviderResult, Request},
    report::Diagnostic,
    state::{Effect, IntentOp, OpenIntent, Record, ResourceState, Snapshot, Status},
};

/// What settling found, as records that close the intents.
#[derive(Debug, Clone, Default)]
pub struct Settled {
    /// One outcome for each intent that could be settled.
    pub records: Vec<Record>,
    /// For people: what was found.
    pub notes: Vec<String>,
    /// Intents that could not be settled.
    pub problems: Vec<Diagnostic>,
}

/// Finds out what became of each open intent, and applies it to the snapshot.
pub async fn settle(open: &[OpenIntent], snapshot: &mut Snapshot, connections: &Connections) -> Settled {
    let mut settled = Settled::default();
    for open in open {
        let address = &open.intent.target.address;
        match outcome(open, snapshot, connections).await {
            Ok((effects, note)) => {
                for effect in &effects {
                    snapshot.apply(effect);
                }
                settled.notes.push(format!("{address}: {note}"));
                settled.records.push(Record::Outcome { intent: Some(open.intent.id.clone()), effects });
            }
            Err(error) => settled.problems.push(
                Diagnostic::of_provider(
                    format!("cannot find out what became of `{address}`, interrupted in an earlier run"),
                    &error,
                )
                .about(address),
            ),
        }
    }
    settled
}

async fn outcome(
    open: &OpenIntent,
    snapshot: &Snapshot,
    connections: &Connections,
) -> ProviderResult<(Vec<Effect>, String)> {
    let target = &open.intent.target;
    let driver = connections.driver(&target.provider.kind, &target.provider.config, target.address.type_name()).await?;
    let current = brought_to(driver.schema(), target)
        .map_err(|problem| ProviderError::new(ErrorKind::Invalid { field: None }, problem.summary))?;
    let target = &*current;
    match open.intent.op {
        // Updates are safe to repeat: the next plan compares reality with the program.
        IntentOp::Update => Ok((vec![Effect::Nothing], "its update was interrupted; planned again".to_owned())),
        IntentOp::Delete => {
            if driver.read(&request(target)).await?.is_some() {
                return Ok((vec![Effect::Nothing], "its delete was interrupted; it is still there".to_owned()));
            }
            let effect = if open.intent.pending_delete {
                Effect::Deleted(target.address.clone(), target.id.clone())
            } else {
                Effect::Remove(target.address.clone())
            };
            Ok((vec![effect], "its delete was interrupted, and had happened".to_owned()))
        }
        IntentOp::Create => {
            let seen = match &open.created {
                Some(id) => {
                    driver.read(&Request { id: id.clone(), inputs: target.inputs.plain(), outputs: None }).await?
                }
                None => ours(driver.as_ref(), open, target).await?,
            };
            Ok(match seen {
                Some(seen) => {
                    (taken(target, &seen, snapshot), format!("its create was interrupted; `{}` is ours", seen.id))
                }
                None => (vec![Effect::Nothing], "its create was interrupted, and had not happened".to_owned()),
            })
        }
    }
}

/// The effects of finding that a create had happened.
fn taken(target: &ResourceState, seen: &Observation, snapshot: &Snapshot) -> Vec<Effect> {
    let mut state = target.clone();
    state.id.clone_from(&seen.id);
    state.outputs = seen.outputs.clone();
    state.status = Status::Partial("its create was interrupted".to_owned());
    let mut effects = Vec::new();
    // A replacement that creates first leaves the old object to be deleted.
    if snapshot.resources.get(&target.address).is_some_and(|old| old.id != seen.id) {
        effects.push(Effect::Retire(target.address.clone()));
    }
    effects.push(Effect::put(state));
    effects
}

/// The object that an unanswered create has made, if it has.
async fn ours(driver: &dyn Driver, open: &OpenIntent, target: &ResourceState) -> ProviderResult<Option<Observation>> {
    let Some(inputs) = target.inputs.plain() else { return Ok(None) };
    let found = driver.find(&inputs).await?;
    let mark = driver.schema().identity;
    let Some(one) = recognise(mark, &found, &open.intent.found_before, &open.intent.id) else { return Ok(None) };
    driver.read(&Request { id: one.id.clone(), inputs: Some(inputs), outputs: None }).await
}

/// The one object that is ours: it carries the intent's mark, or it was absent before the intent.
pub(crate) fn recognise<'f>(
    identity: Identity,
    found: &'f [Found],
    before: &[Found],
    intent: &str,
) -> Option<&'f Found> {
    match identity {
        Identity::Mark(_) => {
            found.iter().find(|found| found.mark.as_deref().is_some_and(|mark| mark.rsplit('/').next() == Some(intent)))
        }
        Identity::Key | Identity::ListDifference => {
            let mut new = found.iter().filter(|found| !before.iter().any(|old| old.id == found.id));
            match (new.next(), new.next()) {
                (Some(one), None) => Some(one),
                _ => None,
            }
        }
    }
}

/// Whether a failed create may have had its effect.
pub(crate) fn may_have_happened(error: &ProviderError) -> bool {
    matches!(error.kind, ErrorKind::Ambiguous | ErrorKind::TimedOut)
}
