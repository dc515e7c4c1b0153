//! Looking at what is stored: the state, its history, who works on it.

use serde_json::{Value, json};

use crate::{
    Result,
    cli::{Context, Exit, StateExportArguments, StateUnlockArguments},
    report::object,
    state::{self, Snapshot},
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
        let body = json!({"serial": entry.serial, "at": entry.at, "by": entry.by, "hash": hash, "parent": entry.parent,
            "commit": entry.commit});
        context.printer.object(&object("snapshot", body));
    }
    Ok(Exit::Done)
}

/// Prints a snapshot as it stands, secrets sealed.
pub(crate) async fn state_export(context: &Context, arguments: &StateExportArguments) -> Result<Exit> {
    let location = context.location()?;
    let text = state::export(&location, arguments.at).await?;
    if context.printer.is_json() {
        let snapshot: Value = serde_json::from_str(&text)?;
        context.printer.object(&object("state", json!({"state": snapshot})));
        return Ok(Exit::Done);
    }
    context.printer.raw(&format!("{text}\n"));
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
