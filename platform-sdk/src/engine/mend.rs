//! Mending state by hand: moving, forgetting and taking in, each as a snapshot of its own in the history.

use serde_json::{Value, json};

use super::{
    leases::{given_back, take},
    session::Session,
};
use crate::{
    Result,
    cli::{Context, Exit, StateForgetArguments, StateImportArguments, StateMoveArguments},
    desired::Address,
    plan::{self, Summary},
    report::{Diagnostic, Event, Observer as _, object},
    state::{self, Commit, Effect, Lease, OpenIntent, Record, ResourceState, Snapshot},
};

/// What a change of state by hand does, and how it is told.
struct Change {
    effects: Vec<Effect>,
    said: String,
    object: Value,
}

/// Gives a resource another address.
pub(crate) async fn state_move(context: &Context, arguments: &StateMoveArguments) -> Result<Exit> {
    let StateMoveArguments { from, to } = arguments;
    mend(context, |snapshot, open| {
        let named = |target: &ResourceState| target.address == *from || target.address == *to || names(target, from);
        settled(open, named)?;
        if !snapshot.all().any(|state| state.address == *from) {
            return Err(not_there(from, snapshot));
        }
        if snapshot.resources.contains_key(to) || snapshot.replacing.contains_key(to) {
            let problem = Diagnostic::error(format!("`{to}` is in state already"));
            return Err(problem.hint("move or forget that one first").about(to));
        }
        if from.type_name() != to.type_name() && !was_called(context, to, from.type_name()) {
            let problem = Diagnostic::error(format!("`{from}` can't become a {}", to.type_name()));
            return Err(problem.hint("the type of an object stays; move it to an address of the same type"));
        }
        let id = snapshot.resources.get(from).map(|state| &state.id);
        Ok(Change {
            effects: plan::renamed(snapshot, from, to),
            said: format!("moved `{from}` to `{to}`"),
            object: object("moved", json!({"from": from, "to": to, "id": id})),
        })
    })
    .await
}

/// Whether the type of an address had this name before.
fn was_called(context: &Context, address: &Address, name: &str) -> bool {
    let schemas = context.program.listed().into_values().flat_map(|connector| connector.schemas());
    schemas.into_iter().any(|schema| schema.type_name == address.type_name() && schema.formerly.contains(&name))
}

/// Whether this names an address in what it depends on or was made of.
fn names(state: &ResourceState, address: &Address) -> bool {
    [&state.dependencies, &state.parents, &state.provider.of].iter().any(|set| set.contains(address))
        || state.options.deleted_with.as_ref() == Some(address)
        || state.references.values().any(|reference| reference.to == *address)
}

/// Drops a resource from state and leaves the object.
pub(crate) async fn state_forget(context: &Context, arguments: &StateForgetArguments) -> Result<Exit> {
    let address = &arguments.address;
    mend(context, |snapshot, open| {
        settled(open, |target| target.address == *address)?;
        let left_behind = snapshot.pending_deletes.iter().find(|old| old.address == *address);
        let there = snapshot.resources.get(address).or_else(|| snapshot.replacing.get(address));
        let (effect, id) = match (there, left_behind) {
            (Some(state), _) => (Effect::Remove(address.clone()), &state.id),
            (None, Some(old)) => (Effect::Deleted(address.clone(), old.id.clone()), &old.id),
            (None, None) => return Err(not_there(address, snapshot)),
        };
        let referring = snapshot.resources.values().filter(|other| other.dependencies.contains(address));
        let referring: Vec<&Address> = referring.map(|other| &other.address).collect();
        let still: String =
            referring.iter().flat_map(|other| ["\n`", other.as_str(), "` still refers to it"]).collect();
        let said = format!("forgot `{address}`; `{id}` is left as it is{still}");
        let object = object("forgotten", json!({"address": address, "id": id, "referred_to_by": referring}));
        Ok(Change { effects: vec![effect], said, object })
    })
    .await
}

/// Makes an exported state the stack's own.
pub(crate) async fn state_import(context: &Context, arguments: &StateImportArguments) -> Result<Exit> {
    let location = context.location()?;
    let world = context.stored_world(&location).await?;
    let name = arguments.file.display().to_string();
    let text = std::fs::read_to_string(&arguments.file)
        .map_err(|error| Diagnostic::error(format!("cannot read `{name}`")).detail(error.to_string()))?;
    let exported = state::exported(&location, &text, &name, &context.environment).await?;
    if exported.entry.world != world {
        let problem = Diagnostic::error(format!("`{name}` is of the {} world", exported.entry.world));
        return Err(problem.hint("`--sandbox` says which world is meant").into());
    }
    let mut lease = lease(context).await?;
    let said = differences(&lease.reading().snapshot, &exported.snapshot);
    context.printer.text(&format!("`{name}` is serial {} of {}\n{said}", exported.entry.serial, exported.entry.at));
    if exported.as_written == Some(false) {
        let warning = Diagnostic::warning(format!("`{name}` is not as any snapshot of this stack was written"));
        context
            .printer
            .diagnostic(&warning.detail("it is of another copy of the stack, or was changed since it was exported"));
    }
    let object = object(
        "state_imported",
        json!({"serial": exported.entry.serial, "at": exported.entry.at,
            "resources": exported.snapshot.resources.len()}),
    );
    let outcome = match context.confirm("Make this the state of the stack?").await {
        Ok(true) => state::take_in(&mut lease, exported).await.map(Some),
        Ok(false) => Ok(None),
        Err(error) => Err(error),
    };
    lease.release().await?;
    let Some(commit) = outcome? else {
        context.printer.note("nothing was changed");
        return Ok(Exit::Failed);
    };
    context.printer.object(&object);
    finish(context, &commit, &format!("imported: the stack is at serial {} now", commit.serial));
    Ok(Exit::Done)
}

/// What of the stack's resources a state that is taken in changes.
fn differences(now: &Snapshot, then: &Snapshot) -> String {
    let added = then.resources.keys().filter(|address| !now.resources.contains_key(*address));
    let mut lines: Vec<String> = added.map(|address| format!("  + {address}\n")).collect();
    lines.extend(now.resources.iter().filter_map(|(address, state)| match then.resources.get(address) {
        None => Some(format!("  - {address}: `{}` would be nobody's\n", state.id)),
        Some(other) if other.id != state.id => {
            Some(format!("  ~ {address}: `{}` instead of `{}`\n", other.id, state.id))
        }
        Some(other) => (other != state).then(|| format!("  ~ {address}\n")),
    }));
    if lines.is_empty() { "  it owns the same as the stack does now\n".to_owned() } else { lines.concat() }
}

fn not_there(address: &Address, snapshot: &Snapshot) -> Diagnostic {
    let problem = Diagnostic::error(format!("`{address}` is not in state")).about(address);
    // The type is what is mistyped most: the same path under another one is the likeliest meaning.
    match snapshot.resources.keys().find(|other| other.path() == address.path()) {
        Some(other) => problem.hint(format!("did you mean `{other}`?")),
        None => problem.hint("`state list` shows all addresses"),
    }
}

/// Nothing is moved or forgotten that an interrupted step is about, or says more of than state does, as long as nobody can
/// tell what became of it.
fn settled(open: &[OpenIntent], about: impl Fn(&ResourceState) -> bool) -> Result<(), Diagnostic> {
    let Some(open) = open.iter().find(|open| about(&open.intent.target)) else { return Ok(()) };
    let address = &open.intent.target.address;
    let problem = Diagnostic::error(format!("a run was interrupted while it changed `{address}`"));
    Err(problem.hint("let `state repair` or `up` find out what became of it first").about(address))
}

/// Takes the lease for a change by hand.
pub(super) async fn lease(context: &Context) -> Result<Lease> {
    let location = context.location()?;
    let world = context.stored_world(&location).await?;
    take(context, &location, world).await
}

async fn mend(
    context: &Context,
    change: impl FnOnce(&Snapshot, &[OpenIntent]) -> Result<Change, Diagnostic>,
) -> Result<Exit> {
    let mut lease = lease(context).await?;
    let outcome = mended(context, &mut lease, change).await;
    let (changed, commit) = given_back(lease, outcome).await?;
    context.printer.object(&changed.object);
    finish(context, &commit, &changed.said);
    Ok(Exit::Done)
}

async fn mended(
    context: &Context,
    lease: &mut Lease,
    change: impl FnOnce(&Snapshot, &[OpenIntent]) -> Result<Change, Diagnostic>,
) -> Result<(Change, Commit)> {
    let mut snapshot = found_out(context, lease).await?;
    let changed = change(&snapshot, &lease.journal().open())?;
    for effect in &changed.effects {
        snapshot.apply(effect);
    }
    lease.journal().append(Record::Outcome { intent: None, effects: changed.effects.clone() }).await?;
    let commit = lease.commit(&snapshot).await?;
    Ok((changed, commit))
}

/// What the stack owns, with what became of interrupted steps, where the command line says in which world to look. What
/// can't be told stays open.
async fn found_out(context: &Context, lease: &Lease) -> Result<Snapshot> {
    let world = context.stored_world(&context.location()?).await?;
    if lease.reading().open.is_empty() || world != context.meant_world() {
        return Ok(lease.reading().snapshot.clone());
    }
    let declared = context.declared_or_listed()?;
    let session = Session::open(context, &declared).await?;
    let recovered = session.recovered(lease).await?;
    session.tell(&recovered.unsettled);
    Ok(recovered.snapshot.into_owned())
}

/// Says what was done, to people and programs.
pub(super) fn finish(context: &Context, commit: &Commit, said: &str) {
    context.printer.text(&format!("{said}\n"));
    context.printer.event(&Event::Done { ok: true, summary: Summary::default(), snapshot: commit.snapshot.clone() });
}
