//! Looking at state, and mending it by hand.

use serde_json::json;

use super::session::Session;
use crate::{
    Result,
    cli::{Context, Exit, StateForgetArguments, StateMoveArguments, StateUnlockArguments},
    observe::settle,
    report::Diagnostic,
    state::{self, Effect, Record, Snapshot},
};

/// What the stack owns now, or as of an earlier snapshot.
pub(crate) async fn snapshot(context: &Context, at: Option<u64>) -> Result<Snapshot> {
    let location = context.location()?;
    match at {
        Some(serial) => Ok(state::snapshot_at(&location, serial, &context.environment).await?.1),
        None => {
            Ok(state::read(&location, context.stored_world(&location).await?, &context.environment).await?.snapshot)
        }
    }
}

/// Lists the stack's snapshots.
pub(crate) async fn history(context: &Context) -> Result<Exit> {
    for (hash, entry) in state::history(&context.location()?).await? {
        let commit =
            entry.commit.as_deref().map(|commit| format!("  {}", &commit[..commit.len().min(12)])).unwrap_or_default();
        context.printer.text(&format!("{:>6}  {}  {}  {}{commit}\n", entry.serial, entry.at, hash.short(), entry.by));
        let body = json!({"event": "snapshot", "schema": 1, "serial": entry.serial, "at": entry.at, "by": entry.by,
            "hash": hash, "parent": entry.parent, "commit": entry.commit});
        context.printer.object(&body);
    }
    Ok(Exit::Done)
}

/// Gives a resource another address.
pub(crate) async fn state_move(context: &Context, arguments: &StateMoveArguments) -> Result<Exit> {
    let StateMoveArguments { from, to } = arguments;
    mend(context, |snapshot| {
        let Some(mut state) = snapshot.resources.get(from).map(|state| (**state).clone()) else {
            return Err(not_there(from));
        };
        if snapshot.resources.contains_key(to) {
            return Err(Diagnostic::error(format!("`{to}` is in state already")).about(to));
        }
        if from.type_name() != to.type_name() {
            let problem = Diagnostic::error(format!("`{from}` can't become a {}", to.type_name()));
            return Err(problem.hint("the type of an object stays; move it to an address of the same type"));
        }
        state.address = to.clone();
        let mut effects = vec![Effect::Remove(from.clone()), Effect::put(state)];
        // Whoever depends on it, depends on it under its new address.
        for other in snapshot.resources.values().filter(|other| other.dependencies.contains(from)) {
            let mut other = (**other).clone();
            for set in [&mut other.dependencies, &mut other.parents, &mut other.provider.of] {
                if set.remove(from) {
                    set.insert(to.clone());
                }
            }
            for reference in other.references.values_mut().filter(|reference| reference.to == *from) {
                reference.to = to.clone();
            }
            effects.push(Effect::put(other));
        }
        Ok((effects, format!("moved `{from}` to `{to}`")))
    })
    .await
}

/// Drops a resource from state and leaves the object.
pub(crate) async fn state_forget(context: &Context, arguments: &StateForgetArguments) -> Result<Exit> {
    let address = &arguments.address;
    mend(context, |snapshot| {
        let Some(state) = snapshot.resources.get(address) else { return Err(not_there(address)) };
        Ok((vec![Effect::Remove(address.clone())], format!("forgot `{address}`; `{}` is left as it is", state.id)))
    })
    .await
}

fn not_there(address: &crate::desired::Address) -> Diagnostic {
    Diagnostic::error(format!("`{address}` is not in state")).hint("`state list` shows all addresses").about(address)
}

async fn mend(
    context: &Context,
    change: impl FnOnce(&Snapshot) -> Result<(Vec<Effect>, String), Diagnostic>,
) -> Result<Exit> {
    let location = context.location()?;
    let world = context.stored_world(&location).await?;
    let holder = state::Holder::here(&context.environment).with_commit(commit());
    let mut lease = state::lease(&location, world, &context.environment, &holder).await?;
    let mut snapshot = lease.reading().snapshot.clone();
    let (effects, said) = match change(&snapshot) {
        Ok(changed) => changed,
        Err(problem) => {
            lease.release().await?;
            return Err(problem.into());
        }
    };
    for effect in &effects {
        snapshot.apply(effect);
    }
    lease.journal().append(Record::Outcome { intent: None, effects }).await?;
    lease.commit(&snapshot).await?;
    lease.release().await?;
    context.printer.text(&format!("{said}\n"));
    Ok(Exit::Done)
}

/// Prints the state as JSON, secrets sealed.
pub(crate) async fn state_export(context: &Context) -> Result<Exit> {
    let text = state::export(&context.location()?).await?;
    context.printer.raw(&text);
    Ok(Exit::Done)
}

/// Takes the lease from a run that is gone.
pub(crate) async fn state_unlock(context: &Context, arguments: &StateUnlockArguments) -> Result<Exit> {
    let said = match state::unlock(&context.location()?, &arguments.run).await? {
        state::Unlocked::Free => "nobody holds the lease\n".to_owned(),
        state::Unlocked::Ended(holder) => format!("took the lease from {holder}\n"),
    };
    context.printer.text(&said);
    Ok(Exit::Done)
}

/// Checks the state, and settles what an interrupted run left.
pub(crate) async fn state_repair(context: &Context) -> Result<Exit> {
    let session = Session::open(context)?;
    let reading = session.read().await?;
    if reading.open.is_empty() && reading.recovered == 0 {
        context.printer.text("the state is whole\n");
        return Ok(Exit::Done);
    }
    let mut snapshot = reading.snapshot.clone();
    let settled = settle(&reading.open, &mut snapshot, &session.connections).await;
    for note in &settled.notes {
        context.printer.text(&format!("{note}\n"));
    }
    settled.problems.iter().for_each(|problem| context.printer.diagnostic(problem));
    context.printer.text(&format!("{} records of an interrupted run are in no snapshot yet\n", reading.recovered));
    if !context.confirm("Write this down?")? {
        context.printer.note("nothing was changed");
        return Ok(Exit::Failed);
    }
    let (mut lease, snapshot) = session.lease().await?;
    lease.commit(&snapshot).await?;
    lease.release().await?;
    context.printer.text("written: the state is whole\n");
    Ok(Exit::Done)
}

/// The commit of the repository that the program runs in, where there is one.
pub(super) fn commit() -> Option<String> {
    let here = std::env::current_dir().ok()?;
    let folder = here.ancestors().map(|folder| folder.join(".git")).find(|git| git.is_dir())?;
    let head = std::fs::read_to_string(folder.join("HEAD")).ok()?;
    let commit = match head.trim().strip_prefix("ref: ") {
        Some(name) => std::fs::read_to_string(folder.join(name)).ok()?,
        None => head,
    };
    Some(commit.trim().to_owned()).filter(|commit| commit.len() >= 40)
}
