//! The project's stacks: which there are, and removing one that owns nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{
    leases::holder,
    place::{bring_along, former, listed},
};
use crate::{
    Result,
    cli::{Context, Exit, StackRemoveArguments},
    program::nearest,
    report::{Diagnostic, object, one_line},
    state::{self, Holding},
};

/// Where the state of a stack is: under the name of the project, or under one that it had.
type Stored = BTreeMap<String, BTreeSet<String>>;

async fn stored(context: &Context) -> Result<Stored> {
    let store = context.location()?.store();
    let mut stored = Stored::new();
    for project in std::iter::once(&context.program.project).chain(&context.program.formerly) {
        for stack in state::stacks(&*store, project).await.map_err(Diagnostic::from)? {
            // What is no name of a stack is none of ours.
            let Ok(location) = context.location_of(project, &stack) else { continue };
            if state::holding(&location).await? == Holding::State {
                stored.entry(stack).or_default().insert(project.clone());
            }
        }
    }
    Ok(stored)
}

/// Lists the stacks that are known.
pub(crate) async fn stack_list(context: &Context) -> Result<Exit> {
    let (default, configured) = (&context.program.default_stack, context.program.configured_stacks());
    let stored = stored(context).await?;
    let names: BTreeSet<&String> = configured.iter().chain(stored.keys()).chain([default]).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    for name in names {
        let projects: Vec<&String> = stored.get(name).into_iter().flatten().collect();
        let mut facts = Vec::new();
        facts.extend((name == default).then(|| "default".to_owned()));
        facts.extend(configured.contains(name).then(|| "in the config file".to_owned()));
        for project in &projects {
            let is_former = **project != context.program.project;
            facts.push(if is_former { format!("has state, as `{project}/{name}`") } else { "has state".to_owned() });
        }
        context.printer.text(&format!("{}\n", one_line(&format!("{name:width$}  {}", facts.join(", ")))));
        let body = json!({"name": name, "default": name == default, "configured": configured.contains(name),
            "state_of": projects});
        context.printer.object(&object("stack", body));
    }
    Ok(Exit::Done)
}

/// Removes the state of a stack that owns nothing.
pub(crate) async fn stack_remove(context: &Context, arguments: &StackRemoveArguments) -> Result<Exit> {
    let (name, project) = (&arguments.name, &context.program.project);
    if let Some(former) = former(context, name).await? {
        bring_along(context, &former, name).await?;
    }
    let location = context.location_under(None, name)?;
    let store = location.store();
    let there = state::stacks(&*store, project).await.map_err(Diagnostic::from)?;
    if !there.contains(name) {
        let problem = Diagnostic::error(format!("stack `{name}` of `{project}` has no state in {}", store.name()));
        let problem =
            if there.is_empty() { problem } else { problem.detail(format!("there is that of {}", listed(&there))) };
        let meant = nearest(name, there.iter().map(String::as_str));
        return Err(meant.map_or(problem.clone(), |meant| problem.hint(format!("did you mean `{meant}`?"))).into());
    }
    if !context.confirm(&format!("Remove the state of `{project}/{name}`, with its history?")).await? {
        context.printer.note("nothing was changed");
        return Ok(Exit::Failed);
    }
    let mut objects = 0;
    // What it was under a former name goes first: nothing would be brought along from there.
    for former in context.program.formerly.iter().map(Some).chain([None]) {
        let location = context.location_under(former.map(String::as_str), name)?;
        if former.is_some() && !matches!(state::holding(&location).await?, Holding::Husk(_)) {
            continue;
        }
        let world = context.stored_world(&location).await.unwrap_or(context.meant_world());
        objects += state::remove(&location, world, &context.environment, &holder(context)).await?;
    }
    context.printer.object(&object("stack_removed", json!({"name": name, "objects": objects})));
    context.printer.text(&format!("removed the state of `{project}/{name}`: {objects} objects\n"));
    Ok(Exit::Done)
}
