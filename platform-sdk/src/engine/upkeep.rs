//! Keeping a state in order: repairing it, copying it elsewhere, thinning out its history.

use serde_json::json;

use super::{
    leases::{given_back, holder},
    mend::{finish, lease},
    session::Session,
};
use crate::{
    Result,
    cli::{Context, Exit, StateCopyArguments, StatePruneArguments, StateRotateArguments},
    observe::settle,
    plan::Summary,
    report::{Diagnostic, Event, Observer as _, object, one_line},
    state::{self, Commit, Examined, Lease, Location, Repair},
};

/// Looks through the state; says what it would do about damage and about interrupted runs, and does it.
pub(crate) async fn state_repair(context: &Context) -> Result<Exit> {
    let location = context.location()?;
    let world = context.stored_world(&location).await.unwrap_or(context.meant_world());
    match state::examine(&location, world, &context.environment).await? {
        Examined::Damaged(repair) => mend_damage(context, &location, *repair).await,
        Examined::Readable(warnings) => {
            for warning in &warnings {
                context.printer.diagnostic(warning);
            }
            settle_open(context).await
        }
    }
}

async fn mend_damage(context: &Context, location: &Location, repair: Repair) -> Result<Exit> {
    let problem = repair.problem.clone();
    context.printer.diagnostic(&Diagnostic { severity: crate::report::Severity::Warning, hint: None, ..problem });
    for finding in &repair.findings {
        context.printer.text(&format!("{}\n", one_line(finding)));
    }
    let from =
        repair.from.map_or_else(|| "from the journals alone".to_owned(), |serial| format!("from serial {serial}"));
    context.printer.text(&format!(
        "a new snapshot would go on {from}, with {} resources; what is damaged stays where it is\n",
        repair.resources
    ));
    let body = json!({"problem": repair.problem.summary, "findings": repair.findings, "from": repair.from,
        "resources": repair.resources});
    context.printer.object(&object("repair", body));
    if let Some(refused) = unless_agreed(context, "Write this snapshot?").await? {
        return Ok(refused);
    }
    let commit = repair.carry_out(location, &holder(context)).await?;
    finish(
        context,
        &commit,
        &format!("written: the stack is at serial {}; `plan` compares it with reality", commit.serial),
    );
    Ok(Exit::Done)
}

/// Asks before something is mended, which is known only now; how the command ends where nobody agrees.
async fn unless_agreed(context: &Context, question: &str) -> Result<Option<Exit>> {
    if let Some(problem) = context.unattended("state repair") {
        context.printer.diagnostic(&problem);
        return Ok(Some(Exit::Usage));
    }
    if context.confirm(question).await? {
        return Ok(None);
    }
    context.printer.note("nothing was changed");
    Ok(Some(Exit::Failed))
}

/// Finds out what became of what an interrupted run was doing.
async fn settle_open(context: &Context) -> Result<Exit> {
    let declared = context.declared_or_listed()?;
    let session = Session::open(context, &declared).await?;
    let reading = session.read().await?;
    if reading.open.is_empty() && reading.recovered == 0 {
        context.printer.object(&object("repair", json!({"problem": null, "findings": []})));
        finish(
            context,
            &Commit { snapshot: reading.base, serial: reading.serial, written: false },
            "the state is whole",
        );
        return Ok(Exit::Done);
    }
    // What it is about to answer for is not for anybody else to find out.
    if reading.in_progress.is_some() && session.holder_lives().await? {
        return Err(state::in_use(&context.location()?).await.into());
    }
    let mut snapshot = reading.snapshot.clone();
    let settled = settle(&reading.open, &mut snapshot, &session.connections, context.now_ms()).await;
    let mut findings = settled.notes.clone();
    findings.push(format!("{} records of an interrupted run are in no snapshot yet", reading.recovered));
    for finding in &findings {
        context.printer.text(&format!("{}\n", one_line(finding)));
    }
    session.tell(&settled.unsettled);
    context.printer.object(&object("repair", json!({"problem": "a run was interrupted", "findings": findings})));
    if let Some(refused) = unless_agreed(context, "Write this down?").await? {
        return Ok(refused);
    }
    let (mut lease, recovered) = session.lease().await?;
    let committed = lease.commit(&recovered.snapshot).await;
    let commit = given_back(lease, committed).await?;
    if recovered.unsettled.is_empty() {
        finish(context, &commit, "written: the state is whole");
        return Ok(Exit::Done);
    }
    finish(context, &commit, "written: what could not be told stays open");
    Ok(Exit::Failed)
}

/// Copies the stack's state to another place.
pub(crate) async fn state_copy(context: &Context, arguments: &StateCopyArguments) -> Result<Exit> {
    let from = context.location()?;
    let to = context.location_at(&arguments.url, &context.program.project, &context.stack)?;
    let lease = lease(context).await?;
    let copied = state::copy(&lease, &from, &to).await;
    let base = lease.reading().base.clone();
    lease.release().await?;
    let copied = copied?;
    let body = json!({"to": arguments.url, "objects": copied.objects, "snapshots": copied.snapshots,
        "bytes": copied.bytes});
    context.printer.object(&object("copied", body));
    context.printer.text(&format!(
        "copied {} objects, snapshots among them: {}, {} bytes; every one was read back and compared\n\
         use it with `--state {}` or PLATFORM_STATE; the state here stays as it is\n",
        copied.objects, copied.snapshots, copied.bytes, arguments.url
    ));
    context.printer.event(&Event::Done { ok: true, summary: Summary::default(), snapshot: base });
    Ok(Exit::Done)
}

/// Removes old snapshots.
pub(crate) async fn state_prune(context: &Context, arguments: &StatePruneArguments) -> Result<Exit> {
    let lease = lease(context).await?;
    let outcome = prune(context, &lease, arguments.keep).await;
    lease.release().await?;
    outcome
}

async fn prune(context: &Context, lease: &Lease, keep: usize) -> Result<Exit> {
    let location = context.location()?;
    let prunable = state::prunable(&location, keep).await?;
    let commit = Commit { snapshot: lease.reading().base.clone(), serial: lease.reading().serial, written: false };
    let serials: Vec<u64> = prunable.snapshots.keys().copied().collect();
    let snapshots: usize = prunable.snapshots.values().map(Vec::len).sum();
    let body = json!({"oldest": prunable.first, "serials": serials, "journals": prunable.journals.len()});
    if prunable.is_empty() {
        context.printer.object(&object("pruned", body));
        finish(context, &commit, "there is nothing older");
        return Ok(Exit::Done);
    }
    context.printer.text(&format!(
        "{snapshots} snapshots before serial {}, and {} journal files that only they needed, would be removed for good\n",
        prunable.first,
        prunable.journals.len()
    ));
    if !context.confirm("Remove them?").await? {
        context.printer.note("nothing was changed");
        return Ok(Exit::Failed);
    }
    state::prune(lease, &location, &prunable, &holder(context)).await?;
    context.printer.object(&object("pruned", body));
    finish(context, &commit, &format!("removed: the history begins with serial {}", prunable.first));
    Ok(Exit::Done)
}

/// Wraps the key of the stack's secrets anew.
pub(crate) async fn state_rotate(context: &Context, arguments: &StateRotateArguments) -> Result<Exit> {
    let lease = lease(context).await?;
    let at = Commit { snapshot: lease.reading().base.clone(), serial: lease.reading().serial, written: false };
    let anew = arguments.re_encrypt;
    let Some((by, commit)) = lease.rotate(anew).await? else {
        context.printer.object(&object("key_rotated", json!({"by": null, "re_encrypted": false})));
        finish(context, &at, "the stack has no secrets, and no key");
        return Ok(Exit::Done);
    };
    context.printer.object(&object("key_rotated", json!({"by": by, "re_encrypted": anew})));
    let encrypted = if anew { "; every secret is encrypted with another key" } else { "" };
    finish(context, &commit, &format!("serial {}: the key is wrapped with {by} now{encrypted}", commit.serial));
    if anew {
        context.printer.note("earlier snapshots still hold what the old key opens: `state prune` removes them");
    }
    Ok(Exit::Done)
}
