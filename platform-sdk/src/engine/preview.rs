//! `plan`: reads, plans, shows.

use std::borrow::Cow;

use super::{
    Offline, saved,
    session::{Ahead, Session},
};
use crate::{
    Result,
    cli::{Context, Exit, PlanArguments},
    observe::settle,
    report::{Diagnostic, Event, Observer as _},
};

/// Shows what an apply would do.
pub(crate) async fn plan(context: &Context, arguments: &PlanArguments) -> Result<Exit> {
    let ahead = Ahead::of(context)?;
    let declared = context.declared()?;
    let desired = &declared.desired;
    let session = Session::open(context, &declared).await?;
    let reading = session.read_ahead(ahead).await?;
    let mut snapshot = Cow::Borrowed(&reading.snapshot);
    if !reading.open.is_empty() && !context.globals.offline && reading.in_progress.is_none() {
        let settled = settle(&reading.open, snapshot.to_mut(), &session.connections, context.now_ms()).await;
        settled.notes.iter().for_each(|note| context.printer.note(note));
    }
    let narrowing = session.narrowing();
    let wanted = narrowing.wanted()?;
    let surveyed = session.survey(desired, &snapshot, &reading, Offline::WithoutCredentials, &wanted).await?;
    let plan = &surveyed.planned.plan;
    context.printer.event(&Event::Plan(plan.clone()));
    if let Some(file) = &arguments.out {
        saved::Saved::of(context, &reading, desired, &surveyed, narrowing).await?.write(file)?;
        context.printer.note(&format!("saved: apply exactly this with `up --plan {}`", file.display()));
    }
    if let Some(report) = &arguments.report {
        let written = std::fs::write(&report.file, (report.show)(plan));
        written.map_err(|error| {
            Diagnostic::error(format!("cannot write the report `{}`", report.file.display())).detail(error.to_string())
        })?;
    }
    let differs = arguments.detailed_exitcode && !plan.is_empty();
    context.printer.event(&Event::Done { ok: true, summary: plan.summary.clone(), snapshot: reading.base.clone() });
    drop((session, snapshot));
    context.leave((surveyed, reading, declared));
    Ok(if differs { Exit::Differences } else { Exit::Done })
}
