//! Settling: what became of the intents that an earlier run left open.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    Connections,
    conceal::concealed_outputs,
    halfway::{halfway, renamed, renamed_unseen},
    look::{Looked, Looks, Unanswered},
    recognise::PATIENCE,
    refresh::request,
};
use crate::{
    desired::{Address, Tree, brought_to},
    program::{Field, Operation, Schema},
    provider::{Driver, ErrorKind, Found, Observation, ProviderError, ProviderResult},
    report::Diagnostic,
    state::{Effect, IntentOp, OpenIntent, Record, ResourceState, Snapshot, Status},
};

/// The resources of which it is not known what became of them.
pub type Unsettled = BTreeMap<Address, Doubt>;

/// Steps of a resource that were interrupted, and of which nobody can say what became of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Doubt {
    /// Why not.
    pub problem: Diagnostic,
    /// What the object needs, if there is one.
    pub needs: BTreeSet<Address>,
}

impl Doubt {
    /// Takes down that an intent can't be settled.
    pub(crate) fn note(unsettled: &mut Unsettled, open: &OpenIntent, problem: Diagnostic) {
        let target = &open.intent.target;
        let doubt = unsettled.entry(target.address.clone());
        let doubt = doubt.or_insert_with(|| Self { problem: problem.about(&target.address), needs: BTreeSet::new() });
        doubt.needs.extend(target.dependencies.iter().cloned());
    }
}

/// What settling found, as records that close the intents.
#[derive(Debug, Clone, Default)]
pub struct Settled {
    /// One outcome for each intent that could be settled.
    pub records: Vec<Record>,
    /// For people: what was found.
    pub notes: Vec<String>,
    /// Where it could not be told: why not. These intents stay open, and hold back what depends on them.
    pub unsettled: Unsettled,
}

/// Finds out what became of each open intent, and applies it to the snapshot. `now_ms` is the time in milliseconds since
/// 1970: what was asked a moment ago may not be seen yet, and is looked for until it would be. An intent tells when it
/// was first sent; what was refused for a while may have been sent again until its patience was at its end.
pub async fn settle(open: &[OpenIntent], snapshot: &mut Snapshot, connections: &Connections, now_ms: u64) -> Settled {
    let mut settled = Settled::default();
    let began = Instant::now();
    for open in open {
        let address = &open.intent.target.address;
        let ago = began.elapsed() + Duration::from_millis(now_ms.saturating_sub(sent_until(open)));
        match outcome(open, snapshot, connections, ago).await {
            Ok((effects, note)) => {
                for effect in &effects {
                    snapshot.apply(effect);
                }
                settled.notes.push(format!("{address}: {note}"));
                settled.records.push(Record::Outcome { intent: Some(open.intent.id.clone()), effects });
            }
            Err(error) => {
                let text = format!("cannot find out what became of `{address}`, interrupted in an earlier run");
                Doubt::note(&mut settled.unsettled, open, Diagnostic::of_provider(text, &error));
            }
        }
    }
    settled
}

/// When an intent's request was sent for the last time, at the latest: in milliseconds since 1970.
fn sent_until(open: &OpenIntent) -> u64 {
    let operation = match open.intent.op {
        IntentOp::Create => Operation::Create,
        IntentOp::Update => Operation::Update,
        IntentOp::Delete => Operation::Delete,
    };
    let bound = open.intent.target.options.timeout(operation).unwrap_or(PATIENCE);
    open.intent.at_ms.saturating_add(u64::try_from(bound.as_millis()).unwrap_or(u64::MAX))
}

async fn outcome(
    open: &OpenIntent,
    snapshot: &Snapshot,
    connections: &Connections,
    ago: Duration,
) -> ProviderResult<(Vec<Effect>, String)> {
    let target = &open.intent.target;
    let driver = connections.driver(&target.provider.kind, &target.provider.config, target.address.type_name()).await?;
    let mut open = open.clone();
    open.intent.target = current(driver.schema(), target)?.into_owned();
    match open.intent.op {
        IntentOp::Update => updated(driver.as_ref(), &open, snapshot, ago).await,
        IntentOp::Delete => deleted(driver.as_ref(), &open, snapshot, ago).await,
        IntentOp::Create => created(driver.as_ref(), &open, snapshot, ago).await,
    }
}

/// Updates are safe to repeat: the next plan compares reality with the program. What was to change and has, becomes known
/// to state. One that gives the object another key must be settled, for the object is not found under its old one any more.
async fn updated(
    driver: &dyn Driver,
    open: &OpenIntent,
    snapshot: &Snapshot,
    ago: Duration,
) -> ProviderResult<(Vec<Effect>, String)> {
    let again = || Ok((vec![Effect::Nothing], "its update was interrupted; planned again".to_owned()));
    let target = &open.intent.target;
    let Some(before) = snapshot.resources.get(&target.address) else { return again() };
    let before = current(driver.schema(), before)?;
    if let Some(id) = &open.created {
        let inputs = target.inputs.plain_with_stand_ins().unwrap_or_default();
        let unanswered = Unanswered { driver, intent: &open.intent, inputs: &inputs, ago };
        let fields = driver.schema().fields();
        let mut state = match unanswered.seen(id).await? {
            Some(seen) => renamed(&before, target, &seen, driver.schema()),
            None => renamed_unseen(&before, target, id, fields),
        };
        state.status = Status::Partial("its update was interrupted".to_owned());
        return Ok((vec![Effect::put(state)], format!("its update was interrupted, and had renamed it; it is `{id}`")));
    }
    let Some(inputs) =
        target.inputs.plain_with_stand_ins().filter(|_| renames(driver.schema(), &before.inputs, &target.inputs))
    else {
        let looks = Looks::new(driver.schema().consistency, ago);
        let Some(mut state) = halfway(driver, &before, target, looks).await? else { return again() };
        state.status = Status::Partial("its update was interrupted".to_owned());
        return Ok((vec![Effect::put(state)], "its update was interrupted, and had begun; planned again".to_owned()));
    };
    let unanswered = Unanswered { driver, intent: &open.intent, inputs: &inputs, ago };
    let Some(seen) = unanswered.renamed(&request(&before), &before.outputs).await? else { return again() };
    let mut state = renamed(&before, target, &seen, driver.schema());
    state.status = Status::Partial("its update was interrupted".to_owned());
    Ok((vec![Effect::put(state)], format!("its rename was interrupted, and had happened; it is `{}`", seen.id)))
}

/// A resource by its type's current schema.
fn current<'s>(schema: &Schema, state: &'s ResourceState) -> ProviderResult<Cow<'s, ResourceState>> {
    let invalid = |problem: Diagnostic| ProviderError::new(ErrorKind::Invalid { field: None }, problem.summary);
    brought_to(schema, state).map_err(invalid)
}

/// Whether a change of inputs gives an object another natural key.
pub(crate) fn renames(schema: &Schema, before: &Tree, after: &Tree) -> bool {
    schema.fields().iter().any(|field| field.key && before.get(field.name) != after.get(field.name))
}

async fn deleted(
    driver: &dyn Driver,
    open: &OpenIntent,
    snapshot: &Snapshot,
    ago: Duration,
) -> ProviderResult<(Vec<Effect>, String)> {
    let target = &open.intent.target;
    // What still shows may be on its way out.
    let mut looks = Looks::new(driver.schema().consistency, ago);
    while driver.read(&request(target)).await?.is_some() {
        if !looks.again().await {
            return Ok((vec![Effect::Nothing], "its delete was interrupted; it is still there".to_owned()));
        }
    }
    let other = snapshot.resources.get(&target.address).is_some_and(|other| other.id != target.id);
    if other && !open.intent.pending_delete {
        return Ok((vec![Effect::Nothing], "its delete had happened; state knows another object there".to_owned()));
    }
    let effect = if open.intent.pending_delete {
        Effect::Deleted(target.address.clone(), target.id.clone())
    } else if open.intent.replaces {
        Effect::End(target.clone().into())
    } else {
        Effect::Remove(target.address.clone())
    };
    Ok((vec![effect], "its delete was interrupted, and had happened".to_owned()))
}

async fn created(
    driver: &dyn Driver,
    open: &OpenIntent,
    snapshot: &Snapshot,
    ago: Duration,
) -> ProviderResult<(Vec<Effect>, String)> {
    let target = &open.intent.target;
    let not_happened = || Ok((vec![Effect::Nothing], "its create was interrupted, and had not happened".to_owned()));
    let Some(inputs) = target.inputs.plain_with_stand_ins() else { return not_happened() };
    let unanswered = Unanswered { driver, intent: &open.intent, inputs: &inputs, ago };
    let site = target.site();
    let looked = match &open.created {
        Some(id) => unanswered.seen(id).await?.map_or(Looked::Nobody, Looked::Ours),
        None => unanswered.created(|objects| snapshot.owns(&site, objects)).await?,
    };
    match looked {
        Looked::Ours(seen) => {
            let note = format!("its create was interrupted; `{}` is ours", seen.id);
            Ok((taken(target, &seen, driver.schema(), snapshot), note))
        }
        Looked::Nobody => not_happened(),
        Looked::Strangers(new) => Ok((
            vec![Effect::Nothing],
            format!("its create was interrupted; {} appeared since, and can't be told to be ours", listed(&new)),
        )),
    }
}

/// The effects of finding that a create had happened.
fn taken(target: &ResourceState, seen: &Observation, schema: &Schema, snapshot: &Snapshot) -> Vec<Effect> {
    let mut state = target.clone();
    state.id.clone_from(&seen.id);
    state.outputs = concealed_outputs(seen, schema, target);
    state.inputs = without_unseen(&state.inputs, schema.fields());
    state.status = Status::Making("its create was interrupted".to_owned());
    let mut effects = Vec::new();
    // A replacement that creates first leaves the old object to be deleted.
    if snapshot.resources.get(&target.address).is_some_and(|old| old.id != seen.id) {
        effects.push(Effect::Retire(target.address.clone()));
    }
    effects.push(Effect::put(state));
    effects
}

/// The inputs without those that the service never shows: whether they were set is not known, so they are set again.
pub(crate) fn without_unseen(inputs: &Tree, fields: &[Field]) -> Tree {
    let Tree::Map(entries) = inputs else { return inputs.clone() };
    let unseen = |name: &str| fields.iter().any(|field| field.write_only && field.name == name);
    let known = entries.iter().filter(|(name, _)| !unseen(name));
    Tree::Map(known.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// Objects by id: `` `a`, `b` ``.
pub(crate) fn listed(found: &[Found]) -> String {
    found.iter().map(|found| format!("`{}`", found.id)).collect::<Vec<_>>().join(", ")
}
