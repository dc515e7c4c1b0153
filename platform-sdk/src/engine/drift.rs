//! `drift`: compares reality with state, and on request records what it found.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::json;

use super::{
    baseline::is_settled,
    known::{Known, printed},
    leases::given_back,
    session::{Recovered, Session},
};
use crate::{
    Result,
    cli::{Context, DriftArguments, Exit},
    desired::{Address, Desired, Hash, Node, Path, Segment, Tree, former_names, migrated},
    observe::{Observed, Reading, Sighting, Unsettled, observe},
    plan::{
        ChangeKind, Difference, Op, Sealed, Seen, Sides, Step, Summary, Unmanaged, baseline, change, departures,
        diff_as_far_as_opened, differs, readdressing,
    },
    program::Schema,
    provider::Observation,
    report::{Diagnostic, Event, Observer as _, Severity, heard, object},
    state::{Baseline, Effect, Keys, Lease, Record, ResourceState, Snapshot, Status},
};

/// One object that is not what state says.
struct Drifted<'s> {
    state: &'s ResourceState,
    schema: &'static Schema,
    /// What is there; `None`: it is gone.
    seen: Option<&'s Observation>,
    /// Where its inputs differ.
    differences: Vec<Difference>,
    /// Where secrets that stay sealed could not be compared.
    sealed: Vec<Path>,
    /// What else is to be said.
    reasons: Vec<String>,
}

impl Drifted<'_> {
    /// Whether anything of it is known to be otherwise.
    fn differs(&self) -> bool {
        !self.differences.is_empty() || !self.reasons.is_empty()
    }
}

/// What reality differs in from state.
struct Found<'s> {
    compared: Vec<Drifted<'s>>,
    unmanaged: Vec<Unmanaged>,
}

/// Shows what was changed behind the program's back.
pub(crate) async fn drift(context: &Context, arguments: &DriftArguments) -> Result<Exit> {
    if !arguments.accept {
        return look_only(context, arguments).await;
    }
    let declared = context.declared()?;
    let session = Session::open(context, &declared).await?;
    let (mut lease, recovered) = session.lease().await?;
    let outcome = accept(&session, &declared.desired, &mut lease, recovered).await;
    let (snapshot, all_told) = given_back(lease, outcome).await?;
    context.printer.event(&Event::Done { ok: all_told, summary: Summary::default(), snapshot });
    Ok(if all_told { Exit::Done } else { Exit::Failed })
}

/// Compares, and needs no key to the secrets.
async fn look_only(context: &Context, arguments: &DriftArguments) -> Result<Exit> {
    let declared = context.declared_to_look()?;
    let desired = &declared.desired;
    let session = Session::to_look(context, &declared).await?;
    let reading = session.read().await?;
    let recovered = session.in_memory(&reading).await;
    let snapshot = migrated(&recovered.snapshot, &session.connections.schemas())?;
    let age = reading.age(context.now_ms());
    let observed = look(&session, desired, &snapshot, age).await?;
    let (observed, all_told) = settled(&session, observed, &recovered.unsettled);
    let Found { compared, unmanaged } = compare(&session, (&snapshot, &reading.keys), &observed);
    let sealed = sealed(&compared);
    let keyless = session.locked(&reading);
    let drifted = differing(compared);
    context.printer.event(&Event::Drift {
        steps: steps(&drifted),
        unmanaged: unmanaged.clone(),
        sealed,
        keyless,
        accepted: false,
        complete: all_told,
    });
    tell_unready(context, &snapshot);
    let snapshot = reading.base.clone();
    // That nothing differs can be said only of what was seen; what another run is at is its own business.
    let ok = observed.unreadable.is_empty() && (all_told || reading.in_progress.is_some());
    context.printer.event(&Event::Done { ok, summary: Summary::default(), snapshot });
    let differs = !drifted.is_empty() || arguments.unmanaged && !unmanaged.is_empty();
    Ok(match (!differs, ok) {
        (false, _) => Exit::Differences,
        (true, true) => Exit::Done,
        (true, false) => Exit::Failed,
    })
}

/// Records what was found, and prints the Rust that says the same. Whether all could be told.
async fn accept(
    session: &Session<'_>,
    desired: &Desired,
    lease: &mut Lease,
    recovered: Recovered<'_>,
) -> Result<(Option<Hash>, bool)> {
    let context = session.context;
    let Recovered { snapshot, unsettled } = recovered;
    let mut snapshot = snapshot.into_owned();
    let schemas = session.connections.schemas();
    let before = migrated(&snapshot, &schemas)?.into_owned();
    let renamed = readdressing(&snapshot, &former_names(&snapshot, &schemas));
    let age = lease.reading().age(context.now_ms());
    let observed = context.interrupts.unless_asked(look(session, desired, &before, age)).await?;
    let (observed, all_told) = settled(session, observed, &unsettled);
    let keys = lease.reading().keys.clone();
    let Found { compared, unmanaged } = compare(session, (&before, &keys), &observed);
    let drifted = differing(compared);
    context.printer.event(&Event::Drift {
        steps: steps(&drifted),
        unmanaged: unmanaged.clone(),
        sealed: Vec::new(),
        keyless: None,
        accepted: true,
        complete: all_told,
    });
    tell_unready(context, &before);
    let differs = !drifted.is_empty() || !unmanaged.is_empty();
    if differs && !renamed.is_empty() {
        for effect in &renamed {
            snapshot.apply(effect);
        }
        lease.journal().append(Record::Outcome { intent: None, effects: renamed }).await?;
    }
    for drifted in &drifted {
        let effect = accepted(drifted);
        snapshot.apply(&effect);
        tell(context, drifted, &snapshot, desired);
        lease.journal().append(Record::Outcome { intent: None, effects: vec![effect] }).await?;
    }
    for address in drifted.iter().map(|drifted| &drifted.state.address).chain(unmanaged.iter().map(|of| &of.address)) {
        let there = observed.present(address).or_else(|| observed.strangers.get(address));
        let now = snapshot.resources.get(address).zip(there).and_then(|(state, seen)| {
            let fields = schemas.get(address.type_name())?.fields();
            let seen = Seen { fields, inputs: &state.inputs, there: &seen.inputs };
            is_settled(state).then(|| baseline(seen, Baseline::of(&snapshot, &keys)))
        });
        if let (Some(now), Some(state)) = (now, snapshot.resources.get_mut(address)) {
            Arc::make_mut(state).unset = Some(now);
        }
    }
    Ok((lease.commit(&snapshot).await?.snapshot, all_told))
}

/// What the program has to say from now on, so that it says what state says.
fn tell(context: &Context, drifted: &Drifted<'_>, snapshot: &Snapshot, desired: &Desired) {
    let address = &drifted.state.address;
    let rust = snapshot.resources.get(address).map(|state| {
        let known = Known { snapshot, lookups: &desired.lookups, references: &state.references };
        printed(address, drifted.schema, &state.inputs, &known)
    });
    match &rust {
        Some(rust) => context.printer.data(&format!("\n{rust}")),
        None => {
            context.printer.text(&format!("\n{address} is gone: the program has to drop it, or `up` makes it anew\n"));
        }
    }
    context.printer.object(&object("accepted", json!({"address": address, "rust": rust})));
}

/// What is still waited for is no difference, and should be known.
fn tell_unready(context: &Context, snapshot: &Snapshot) {
    for state in snapshot.resources.values() {
        let Status::Unready(why) = &state.status else { continue };
        let problem = Diagnostic::error(format!("an earlier run did not see `{}` ready", state.address));
        let problem = problem.detail(why).hint("`up` goes on waiting for it").about(&state.address);
        context.printer.diagnostic(&Diagnostic { severity: Severity::Warning, ..problem });
    }
}

/// Without what nobody can say of whether it is as it should be, which is told instead, each once; and whether all the
/// rest could be read.
fn settled(session: &Session<'_>, mut observed: Observed, unsettled: &Unsettled) -> (Observed, bool) {
    session.tell(unsettled);
    observed.sightings.retain(|address, _| !unsettled.contains_key(address));
    observed.strangers.retain(|address, _| !unsettled.contains_key(address));
    observed.unreadable.retain(|address, _| !unsettled.contains_key(address));
    let told = |address: &Address| observed.strangers.contains_key(address);
    let unread = observed.told().into_iter().filter(|problem| !problem.address.as_ref().is_some_and(told));
    let unread: Vec<Diagnostic> = unread.collect();
    for problem in &unread {
        session.context.printer.diagnostic(problem);
    }
    let all_told = unread.is_empty() && unsettled.is_empty();
    (observed, all_told)
}

async fn look(session: &Session<'_>, desired: &Desired, snapshot: &Snapshot, age: Duration) -> Result<Observed> {
    // Only what is in state is compared: nothing is looked up or imported for it.
    let mut of_state = desired.clone();
    of_state.lookups.clear();
    let taken_in = |node: &&mut Node| node.options.import.is_some() || node.options.adopt_existing;
    for node in of_state.nodes.values_mut().filter(taken_in) {
        let options = Arc::make_mut(&mut node.options);
        (options.import, options.adopt_existing) = (None, false);
    }
    let parallel = session.context.globals.parallel;
    let reading = Reading {
        desired: &of_state,
        snapshot,
        connections: &session.connections,
        parallel,
        offline: None,
        references: &BTreeMap::new(),
        age,
        differs,
        selected: None,
    };
    if let Err(error) = reading.check_credentials() {
        return Err(Diagnostic::of_provider("cannot log in", &error).into());
    }
    heard(&*session.context.printer, observe(reading)).await
}

fn compare<'s>(session: &Session<'_>, (snapshot, keys): (&'s Snapshot, &Keys), observed: &'s Observed) -> Found<'s> {
    let schemas = session.connections.schemas();
    let one = |state: &'s Arc<ResourceState>| {
        let schema = *schemas.get(state.address.type_name())?;
        let mut drifted =
            Drifted { state, schema, seen: None, differences: Vec::new(), sealed: Vec::new(), reasons: Vec::new() };
        let seen = match observed.sightings.get(&state.address)? {
            Sighting::Gone => {
                drifted.reasons.push("gone from reality".to_owned());
                return Some(drifted);
            }
            Sighting::Present(seen) => seen,
            Sighting::Unread(_) => {
                drifted.reasons.push("another object than the one that this stack made".to_owned());
                observed.strangers.get(&state.address)?
            }
        };
        drifted.seen = Some(seen);
        if seen.id != state.id {
            drifted.reasons.push(format!("its id is `{}` now, and was `{}`", seen.id, state.id));
        }
        let sides = Sides { last: Some(&state.inputs), observed: Some(&seen.inputs), desired: &state.inputs };
        (drifted.differences, drifted.sealed) = diff_as_far_as_opened(schema.fields(), sides);
        let ignored = ignored(state);
        drifted.differences.retain(|difference| !ignored.iter().any(|path| path.covers(&difference.path)));
        // What is never shown is compared by nobody, key or none.
        let shown =
            |path: &Path| path.field().and_then(|name| schema.field(name)).is_none_or(|field| !field.write_only);
        drifted.sealed.retain(|path| shown(path) && !ignored.iter().any(|ignored| ignored.covers(path)));
        (drifted.differs() || !drifted.sealed.is_empty()).then_some(drifted)
    };
    let beside = |state: &Arc<ResourceState>| {
        let fields = schemas.get(state.address.type_name())?.fields();
        let (kept, seen) = state.unset.as_ref().filter(|_| is_settled(state)).zip(observed.present(&state.address))?;
        let seen = Seen { fields, inputs: &state.inputs, there: &seen.inputs };
        let mut changes = departures(seen, kept, Baseline::of(snapshot, keys));
        let ignored = ignored(state);
        changes.retain(|change| {
            let path = change.path.parse::<Path>();
            !path.is_ok_and(|path| ignored.iter().any(|ignored| ignored.covers(&path)))
        });
        (!changes.is_empty()).then(|| Unmanaged { address: state.address.clone(), changes })
    };
    let compared = snapshot.resources.values().filter_map(one).collect();
    Found { compared, unmanaged: snapshot.resources.values().filter_map(beside).collect() }
}

/// The paths that a resource leaves to others.
fn ignored(state: &ResourceState) -> Vec<Path> {
    state.options.ignore_changes.iter().filter_map(|text| text.parse().ok()).collect()
}

/// Those that are known to be otherwise.
fn differing(mut compared: Vec<Drifted<'_>>) -> Vec<Drifted<'_>> {
    compared.retain(Drifted::differs);
    compared
}

/// What could not be compared for want of a key.
fn sealed(compared: &[Drifted<'_>]) -> Vec<Sealed> {
    let of = |drifted: &Drifted<'_>| {
        let address = drifted.state.address.clone();
        let one = move |path: &Path| Sealed { address: Some(address.clone()), path: path.to_string().into() };
        drifted.sealed.iter().map(one).collect::<Vec<_>>()
    };
    compared.iter().flat_map(of).collect()
}

fn steps(drifted: &[Drifted<'_>]) -> Vec<Step> {
    let step = |drifted: &Drifted<'_>| {
        // Read from state to reality: the other way round than a plan, which goes back.
        let turned = drifted.differences.iter().map(|difference| {
            let mut shown = change(difference);
            std::mem::swap(&mut shown.before, &mut shown.after);
            shown.kind = ChangeKind::Drift;
            shown.replaces = false;
            shown
        });
        Step {
            address: drifted.state.address.clone(),
            op: if drifted.seen.is_some() { Op::Update } else { Op::Delete },
            reasons: drifted.reasons.clone(),
            destroys: Vec::new(),
            changes: turned.collect(),
            effect: None,
            follows: false,
            condition: None,
            takes_along: Vec::new(),
        }
    };
    drifted.iter().map(step).collect()
}

/// What accepting a drift does to state.
fn accepted(drifted: &Drifted<'_>) -> Effect {
    let Some(seen) = drifted.seen else {
        return Effect::Remove(drifted.state.address.clone());
    };
    let mut state = drifted.state.clone();
    if let (Tree::Map(inputs), Tree::Map(there)) = (&mut state.inputs, &seen.inputs) {
        let fields = drifted.differences.iter().filter_map(|difference| match difference.path.segments().first() {
            Some(Segment::Name(name)) => Some(name),
            _ => None,
        });
        for field in fields {
            // What it referred to is not what is there.
            state.references.retain(|path, _| path.split(['.', '[']).next() != Some(field));
            match there.get(field) {
                Some(value) => drop(inputs.insert(field.clone(), value.clone())),
                None => drop(inputs.remove(field)),
            }
        }
    }
    state.id.clone_from(&seen.id);
    state.outputs = seen.outputs.clone();
    Effect::put(state)
}
