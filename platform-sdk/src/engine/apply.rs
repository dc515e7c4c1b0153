//! `up`, `destroy` and `rollback`: plan under the lease, ask, apply, commit.

use std::sync::Arc;

use super::{
    Offline, Surveyed, baseline,
    leases::given_back,
    saved,
    session::{Recovered, Session},
};
use crate::{
    Result,
    apply::Applied,
    cli::{Context, Declared, Exit, RollbackArguments, UpArguments},
    desired::{Desired, migrated},
    plan::carry_over,
    report::{Error, Event, Observer as _, applied_outputs},
    state::{self, Lease, Status},
};

/// Makes reality what the program says.
pub(crate) async fn up(context: &Context, arguments: &UpArguments) -> Result<Exit> {
    let declared = context.declared()?;
    let saved = arguments.plan.as_deref().map(saved::load).transpose()?;
    run(context, &declared, &declared.desired, saved.as_ref(), "Apply these changes?").await
}

/// Deletes everything that the stack owns.
pub(crate) async fn destroy(context: &Context) -> Result<Exit> {
    let declared = context.declared()?;
    let desired = declared.desired.clone().nothing();
    run(context, &declared, &desired, None, "Destroy all of this?").await
}

/// Brings back the inputs of an earlier snapshot.
pub(crate) async fn rollback(context: &Context, arguments: &RollbackArguments) -> Result<Exit> {
    let location = context.location()?;
    let (old, _) = state::snapshot_at(&location, arguments.serial, &context.environment).await?;
    let declared = context.declared()?;
    let session = Session::open(context, &declared).await?;
    let schemas = session.connections.schemas();
    let now = session.read().await?.snapshot;
    drop(session);
    let (old, now) = (migrated(&old, &schemas)?, migrated(&now, &schemas)?);
    let desired = declared.desired.clone().of_snapshot(&old, &now, &schemas)?;
    run(context, &declared, &desired, None, &format!("Roll back to serial {}?", arguments.serial)).await
}

async fn run(
    context: &Context,
    declared: &Declared,
    desired: &Desired,
    saved: Option<&saved::Saved>,
    question: &str,
) -> Result<Exit> {
    let session = Session::open(context, declared).await?;
    let (mut lease, recovered) = session.lease().await?;
    let outcome = work(&session, &mut lease, recovered, desired, saved, question).await;
    given_back(lease, outcome).await
}

async fn work(
    session: &Session<'_>,
    lease: &mut Lease,
    mut recovered: Recovered<'_>,
    desired: &Desired,
    saved: Option<&saved::Saved>,
    question: &str,
) -> Result<Exit> {
    let context = session.context;
    declare(recovered.snapshot.to_mut(), desired);
    let narrowing = saved::narrowing(saved, session.narrowing())?;
    let wanted = narrowing.wanted()?;
    let survey = session.survey(desired, &recovered, lease.reading(), Offline::Never, &wanted);
    let surveyed = context.interrupts.unless_asked(survey).await?;
    let plan = &surveyed.planned.plan;
    if let Some(saved) = saved {
        context.interrupts.unless_asked(saved.check(context, lease.reading(), desired, &surveyed)).await?;
    }
    context.printer.event(&Event::Plan(plan.clone()));
    if plan.is_empty() {
        // What an earlier run left in the journal becomes a snapshot, and so does what was imported and is declared now, or
        // read whole for the first time since it was applied; otherwise nothing is written.
        let run = (&surveyed.planned.course, &surveyed.observed);
        baseline::record(session, lease, desired, run, recovered.snapshot.to_mut()).await;
        let commit = lease.commit(&recovered.snapshot).await?;
        let ok = surveyed.planned.course.held_back.is_empty();
        context.printer.event(&Event::Done { ok, summary: plan.summary.clone(), snapshot: commit.snapshot });
        // What was held back has been told with the plan.
        return Ok(if ok { Exit::Done } else { Exit::Failed });
    }
    session.unagreed_losses(&surveyed.planned)?;
    if !context.confirm(question).await? {
        context.printer.note("nothing was changed");
        return Ok(Exit::Failed);
    }
    carry_out(session, lease, desired, surveyed).await
}

/// What was imported and is in the program now is a resource like any other; what it dropped between the halves of a
/// replacement is over.
fn declare(snapshot: &mut state::Snapshot, desired: &Desired) {
    carry_over(desired, snapshot);
    for address in desired.nodes.keys() {
        if let Some(state) = snapshot.resources.get_mut(address)
            && state.status == Status::Undeclared
        {
            Arc::make_mut(state).status = Status::Whole;
        }
    }
}

async fn carry_out(session: &Session<'_>, lease: &mut Lease, desired: &Desired, surveyed: Surveyed) -> Result<Exit> {
    let context = session.context;
    let Surveyed { planned, observed } = surveyed;
    context.printer.event(&Event::ApplyStarted { steps: planned.plan.changes().count() });
    // What was told makes room for what is done, and that for the snapshot that is written then.
    let course = planned.told();
    let applied = session.apply(lease, desired, &course, &observed).await;
    let Applied { mut snapshot, summary, mut failures, interrupted } = applied;
    let held_back = !course.held_back.is_empty();
    if failures.is_empty() && !interrupted {
        baseline::record(session, lease, desired, (&course, &observed), &mut snapshot).await;
    }
    drop((course, observed));
    let committed = lease.commit(&snapshot).await;
    let ok = failures.is_empty() && !interrupted && !held_back && committed.is_ok();
    let reached = committed.as_ref().ok().and_then(|commit| commit.snapshot.clone());
    context.printer.event(&Event::Done { ok, summary, snapshot: reached });
    context.printer.text(&applied_outputs(&snapshot.exports));
    if let Err(error) = committed {
        failures.extend(error.diagnostics().iter().cloned());
    } else if interrupted {
        context.printer.note("interrupted: run the command again to go on from here");
        return Ok(Exit::Interrupted);
    }
    match (failures.is_empty(), held_back) {
        (true, false) => Ok(Exit::Done),
        (true, true) => Ok(Exit::Failed),
        (false, _) => Err(Error::all(failures)),
    }
}
