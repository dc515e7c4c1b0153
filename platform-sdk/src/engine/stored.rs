//! Looking at what is stored: the state, its history, who works on it.

use serde_json::{Value, json};

use super::session::Session;
use crate::{
    Result,
    cli::{Context, Exit, StateExportArguments, StateUnlockArguments},
    report::{Diagnostic, object, one_line},
    state::{self, History, Keys, Location, Snapshot},
};

/// What the stack owns now, or as of an earlier snapshot. Its secrets are opened where they are to be, and otherwise where
/// there is a key to them.
pub(crate) async fn snapshot(context: &Context, at: Option<u64>, opened: bool) -> Result<(Snapshot, Keys)> {
    let location = context.location()?;
    let location = if opened { location } else { location.to_look() };
    match at {
        Some(serial) => Ok(state::snapshot_at(&location, serial, &context.environment).await?),
        None => as_it_is(context, &location).await,
    }
}

/// The state now; what became of interrupted steps is found out, as far as that can be done from here.
async fn as_it_is(context: &Context, location: &Location) -> Result<(Snapshot, Keys)> {
    let world = context.stored_world(location).await?;
    let reading = state::read(location, world, &context.environment).await?;
    if reading.open.is_empty() {
        return Ok((reading.snapshot, reading.keys));
    }
    if world != context.meant_world() {
        for open in &reading.open {
            let address = &open.intent.target.address;
            context
                .printer
                .note(&format!("{address}: a step was interrupted; `--sandbox` says which world to look in"));
        }
        return Ok((reading.snapshot, reading.keys));
    }
    let declared = context.declared_or_listed()?;
    let session = Session::to_look(context, &declared).await?;
    let reading = session.certain(reading).await?;
    session.connections.introduce(&declared.desired, &reading.snapshot);
    let recovered = session.in_memory(&reading).await;
    session.tell(&recovered.unsettled);
    Ok((recovered.snapshot.into_owned(), reading.keys))
}

/// Lists the stack's snapshots.
pub(crate) async fn history(context: &Context) -> Result<Exit> {
    let History { kept, broken } = state::history(&context.location()?).await?;
    for (hash, entry) in kept {
        let commit: Option<String> = entry.commit.as_deref().map(|commit| commit.chars().take(12).collect());
        let commit = commit.map(|commit| format!("  {commit}")).unwrap_or_default();
        let row = format!("{:>6}  {}  {}  {}{commit}", entry.serial, entry.at, hash.short(), entry.by);
        context.printer.text(&format!("{}\n", one_line(&row)));
        let body = json!({"serial": entry.serial, "at": entry.at, "by": entry.by, "hash": hash, "parent": entry.parent,
            "commit": entry.commit});
        context.printer.object(&object("snapshot", body));
    }
    broken.map_or(Ok(Exit::Done), |problem| Err(problem.into()))
}

/// Prints a snapshot as it stands, secrets sealed.
pub(crate) async fn state_export(context: &Context, arguments: &StateExportArguments) -> Result<Exit> {
    let location = context.location()?;
    let text = state::export(&location, arguments.at).await?;
    if arguments.at.is_none() {
        warn_of_unfolded(context, &location).await?;
    }
    if context.printer.is_json() {
        let snapshot: Value = serde_json::from_str(&text)?;
        context.printer.object(&object("state", json!({"state": snapshot})));
        return Ok(Exit::Done);
    }
    context.printer.raw(&format!("{text}\n"));
    Ok(Exit::Done)
}

async fn warn_of_unfolded(context: &Context, location: &Location) -> Result<()> {
    let count = state::unfolded(location).await?;
    if count > 0 {
        let text = format!("{count} records of a run that was interrupted, or is in progress, are not in this export");
        let warning = Diagnostic::warning(text).hint("`state repair`, or the next `up`, makes a snapshot of them");
        context.printer.diagnostic(&warning);
    }
    Ok(())
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
