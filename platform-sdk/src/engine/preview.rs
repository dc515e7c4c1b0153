//! `plan`: reads, plans, shows.

use std::sync::Arc;

use super::{
    Offline, saved,
    session::{Ahead, Session},
};
use crate::{
    Result,
    cli::{Context, Exit, PlanArguments},
    report::{Diagnostic, Event, Observer as _},
};

/// Shows what an apply would do.
pub(crate) async fn plan(context: &Context, arguments: &PlanArguments) -> Result<Exit> {
    let ahead = Ahead::of(context, context.location()?.to_look());
    let declared = context.declared_to_look()?;
    let desired = &declared.desired;
    let session = Session::to_look(context, &declared).await?;
    let reading = session.read_ahead(ahead).await?;
    let recovered = session.in_memory(&reading).await;
    let narrowing = session.narrowing();
    let wanted = narrowing.wanted()?;
    let mut surveyed = session.survey(desired, &recovered, &reading, Offline::WithoutCredentials, &wanted).await?;
    let keyless = session.locked(&reading);
    Arc::make_mut(&mut surveyed.planned.plan).keyless.clone_from(&keyless);
    let plan = &surveyed.planned.plan;
    context.printer.event(&Event::Plan(plan.clone()));
    if let Some(file) = &arguments.out {
        saved::needs_no_key(keyless)?;
        saved::Saved::of(context, &reading, desired, &surveyed, narrowing).await?.write(file)?;
        context.printer.note(&format!("saved: apply exactly this with `up --plan {}`", file.display()));
    }
    if let Some(report) = &arguments.report {
        let written = std::fs::write(&report.file, (report.show)(plan));
        written.map_err(|error| {
            Diagnostic::error(format!("cannot write the report `{}`", report.file.display())).detail(error.to_string())
        })?;
    }
    let exit = match (arguments.detailed_exitcode, plan.is_empty()) {
        (true, false) => Exit::Differences,
        // That there is nothing to do can't be said while something is held back; another run's steps are its own business.
        (true, true) if !surveyed.planned.course.held_back.is_empty() && reading.in_progress.is_none() => Exit::Failed,
        _ => Exit::Done,
    };
    context.printer.event(&Event::Done { ok: true, summary: plan.summary.clone(), snapshot: reading.base.clone() });
    drop((session, recovered));
    context.leave((surveyed, reading, declared));
    Ok(exit)
}
