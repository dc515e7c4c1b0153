//! Where a command's stack is: in which `.platform`, under which name of the project, and that it is meant at all.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

use super::leases::{given_back, take};
use crate::{
    Result,
    cli::{Context, STATE, Verb},
    desired::Desired,
    files,
    program::nearest,
    report::Diagnostic,
    state::{self, Holding, Left, Local, Location},
};

/// Finds the state of the command's stack; brings along what the project had under a former name, where the command writes.
///
/// # Errors
/// When the stack is none that is known, or it is not clear which state is its own.
pub(crate) async fn find(context: &mut Context, verb: &Verb) -> Result<()> {
    if context.embedded.is_none() {
        context.folder = folder(context).await?;
    }
    if matches!(verb, Verb::Stack(_)) {
        return Ok(());
    }
    context.former = former(context, &context.stack).await?;
    known(context, verb).await?;
    let asks = context.unattended("this").is_some();
    if let Some(former) = context.former.clone().filter(|_| verb.writes_state() && !asks) {
        bring_along(context, &former, &context.stack).await?;
        context.former = None;
    }
    Ok(())
}

/// The nearest `.platform` upwards that holds something of this project; where there is none, that beside the config file,
/// or in the working directory.
async fn folder(context: &Context) -> Result<PathBuf> {
    let here = std::env::current_dir()?;
    for above in here.ancestors() {
        let candidate = above.join(STATE);
        if !candidate.is_dir() || !holds(context, &candidate).await? {
            continue;
        }
        if above == here {
            return Ok(STATE.into());
        }
        if is_foreign(&candidate, &here) {
            let problem = Diagnostic::error(format!("`{}` belongs to somebody else", candidate.display()))
                .detail(format!("it is the nearest `{STATE}` that holds state of `{}`", context.program.project));
            return Err(problem
                .hint("say with `--state` or PLATFORM_STATE that this is meant, or what else is")
                .into());
        }
        return Ok(candidate);
    }
    let config =
        context.program.config_file.as_deref().and_then(|file| files::locate(file).ok()).filter(|file| file.is_file());
    let beside = config.as_deref().and_then(Path::parent).filter(|beside| *beside != here);
    Ok(beside.unwrap_or(Path::new("")).join(STATE))
}

/// Whether a `.platform` is that of this project: it has its state or, where that is elsewhere, what its runs keep here.
async fn holds(context: &Context, folder: &Path) -> Result<bool> {
    if context.state.is_some() {
        let kept = names(context).any(|name| folder.join("stranded").join(name).is_dir());
        return Ok(kept || folder.join("sandbox").is_dir());
    }
    let store = Local::new(folder);
    for name in names(context) {
        match state::stacks(&store, name).await {
            Ok(stacks) if stacks.is_empty() => {}
            Ok(_) => return Ok(true),
            // What is another user's, and not for us to look into, is not ours.
            Err(state::StoreError::Failed { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => {}
            Err(error) => return Err(Diagnostic::from(error).into()),
        }
    }
    Ok(false)
}

/// The names of the project, today's first.
fn names(context: &Context) -> impl Iterator<Item = &str> {
    std::iter::once(&context.program.project).chain(&context.program.formerly).map(String::as_str)
}

/// Whether a folder is of neither who runs this nor whom the working directory belongs to: state that anybody could have
/// planted above us.
#[cfg(unix)]
fn is_foreign(folder: &Path, here: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let owner = |path: &Path| std::fs::metadata(path).map(|path| path.uid()).ok();
    let of = owner(folder);
    of != Some(rustix::process::geteuid().as_raw()) && of != owner(here)
}

/// Elsewhere folders above are not open to everybody.
#[cfg(not(unix))]
fn is_foreign(_folder: &Path, _here: &Path) -> bool {
    false
}

/// The name under which a stack's state still is, where that is one which the project had.
///
/// # Errors
/// When more than one state could be meant, or the store can't be read.
pub(super) async fn former(context: &Context, stack: &str) -> Result<Option<String>> {
    if context.program.formerly.is_empty() {
        return Ok(None);
    }
    let now = state::holding(&context.location_under(None, stack)?).await?;
    let mut found = Vec::new();
    for name in &context.program.formerly {
        match state::holding(&context.location_under(Some(name), stack)?).await? {
            Holding::State => found.push(name),
            // It was left for a name that has nothing: whoever brought it along did not come to the end.
            Holding::Husk(Left::MovedTo(to)) if now == Holding::Nothing && is_open(context, &to, stack).await? => {
                found.push(name);
            }
            Holding::Nothing | Holding::Husk(_) => {}
        }
    }
    let project = &context.program.project;
    let mut all: Vec<String> = found.iter().map(|name| format!("`{name}/{stack}`")).collect();
    if now != Holding::Nothing {
        all.insert(0, format!("`{project}/{stack}`"));
    }
    if all.len() > 1 {
        let problem = Diagnostic::error(format!("stack `{stack}` has more than one state: {}", all.join(", ")));
        return Err(problem
            .detail(format!("project `{project}` was called otherwise, and only one of them can be what it owns"))
            .hint("leave out `.formerly(..)` to work on the first; `stack remove` removes one that owns nothing")
            .into());
    }
    Ok(found.into_iter().next().filter(|_| now == Holding::Nothing).cloned())
}

/// Whether the name that a state was left for is this project's, and has none.
async fn is_open(context: &Context, to: &str, stack: &str) -> Result<bool> {
    Ok(names(context).any(|name| name == to)
        && state::holding(&context.location_of(to, stack)?).await? == Holding::Nothing)
}

/// Makes the state under a former name that of the project as it is called now.
pub(super) async fn bring_along(context: &Context, former: &str, stack: &str) -> Result<()> {
    let (from, to) = (context.location_under(Some(former), stack)?, context.location_under(None, stack)?);
    let world = context.stored_world(&from).await?;
    let theirs = take(context, &from, world).await?;
    let brought = async {
        let ours = take(context, &to, world).await?;
        let brought = state::bring_along(&theirs, &ours, &context.program.project, stack).await;
        given_back(ours, brought).await
    };
    let brought = brought.await;
    if given_back(theirs, brought).await?.is_some() {
        let (from, to) = (from.stack(), to.stack());
        context.printer.note(&format!("brought the state of `{from}` along: it is that of `{to}` now"));
    }
    Ok(())
}

/// Refuses a stack that nobody knows: a name that was mistyped would otherwise be a new one.
async fn known(context: &Context, verb: &Verb) -> Result<()> {
    let stack = &context.stack;
    let configured = context.program.configured_stacks();
    if configured.contains(stack) {
        return Ok(());
    }
    let declared = *stack == context.program.default_stack || context.globals.new_stack;
    let needs_a_table = !configured.is_empty() && verb.follows_the_program();
    if declared && !needs_a_table {
        return Ok(());
    }
    let stored = state::holding(&context.location()?).await? != Holding::Nothing;
    if stored && needs_a_table {
        return Err(without_table(context, &configured).into());
    }
    if stored {
        return Ok(());
    }
    if declared {
        let Diagnostic { detail, hint, .. } = without_table(context, &configured);
        let warning = Diagnostic::warning(format!("stack `{stack}` has no table in the config file"));
        context.printer.diagnostic(&Diagnostic { detail, hint, ..warning });
        return Ok(());
    }
    Err(unknown(context, &configured).await?.into())
}

fn config_file(context: &Context) -> String {
    context.program.config_file.as_deref().unwrap_or(Path::new("")).display().to_string()
}

fn without_table(context: &Context, configured: &BTreeSet<String>) -> Diagnostic {
    let (stack, file) = (&context.stack, config_file(context));
    Diagnostic::error(format!("stack `{stack}` has state, and no table in the config file"))
        .detail(format!("`{file}` has tables of {}; without one it would be planned with defaults", listed(configured)))
        .hint(format!("was it renamed? write `[{stack}]` in it, which may be empty; `destroy` needs none"))
}

async fn unknown(context: &Context, configured: &BTreeSet<String>) -> Result<Diagnostic> {
    let (stack, project) = (&context.stack, &context.program.project);
    let location = context.location()?;
    let stored = state::stacks(&*location.store(), project).await.map_err(Diagnostic::from)?;
    let default = &context.program.default_stack;
    let mut known = vec![format!("the program's default is `{default}`")];
    if !configured.is_empty() {
        known.push(format!("`{}` has tables of {}", config_file(context), listed(configured)));
    }
    if !stored.is_empty() {
        known.push(format!("{} holds {}", location.store().name(), listed(&stored)));
    }
    let names = std::iter::once(default).chain(configured).chain(&stored).map(String::as_str);
    let meant = nearest(stack, names).map(|meant| format!("did you mean `{meant}`? ")).unwrap_or_default();
    let renamed = renamed(context, &location, async |_| true).await;
    let hint = format!("{meant}a new one takes `--new-stack`");
    let hint = renamed.map_or_else(|| hint.clone(), |renamed| format!("{hint}; {renamed}"));
    Ok(Diagnostic::error(format!("project `{project}` has no stack `{stack}`")).detail(known.join("\n")).hint(hint))
}

/// What there is to do where the project had another name, and its state is still under that one: the first project whose
/// stack of this name could be it.
async fn renamed(context: &Context, location: &Location, could_be: impl AsyncFn(&Location) -> bool) -> Option<String> {
    let (stack, store) = (&context.stack, location.store());
    for project in state::projects(&*store).await.ok()? {
        if names(context).any(|name| name == project) {
            continue;
        }
        // What is no name of a project is none of ours.
        let Ok(there) = context.location_of(&project, stack) else { continue };
        if matches!(state::holding(&there).await, Ok(Holding::State)) && could_be(&there).await {
            return Some(format!(
                "`{project}/{stack}` has state: a project that was renamed says `.formerly(\"{project}\")`"
            ));
        }
    }
    None
}

/// Says what a first run of a project does not find: state, which it begins here, and perhaps that under another name.
pub(super) async fn say_first(context: &Context, location: &Location, desired: &Desired, writes: bool) {
    // A store may be that of many projects: this one is known by what it declares.
    let owns_the_same = async |there: &Location| {
        let owned = state::addresses(there).await.unwrap_or_default();
        desired.nodes.keys().filter(|address| owned.contains(address)).count() * 2 > desired.nodes.len()
    };
    if let Some(renamed) = renamed(context, location, owns_the_same).await {
        context.printer.note(&format!("`{}` has no state here; {renamed}", location.stack()));
    }
    if writes && context.embedded.is_none() && context.state.is_none() {
        let folder = std::path::absolute(&context.folder).unwrap_or_else(|_| context.folder.clone());
        context.printer.note(&format!("state of `{}` begins in {}", location.stack(), folder.display()));
    }
}

pub(super) fn listed(names: &BTreeSet<String>) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
