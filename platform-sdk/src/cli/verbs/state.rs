//! `state`: looks at state here, and leaves mending it to the engine.

use crate::{
    Result,
    cli::{
        Context, Exit,
        arguments::{StateListArguments, StateShowArguments, StateVerb},
    },
    desired::Address,
    engine,
    report::{Diagnostic, state_list_json, state_list_text, state_show_json, state_show_text},
};

pub(super) async fn run(context: &Context, verb: &StateVerb) -> Result<Exit> {
    let asks = match verb {
        StateVerb::Import(_) => Some("state import"),
        StateVerb::Prune(_) => Some("state prune"),
        _ => None,
    };
    if let Some(problem) = asks.and_then(|verb| context.unattended(verb)) {
        context.printer.diagnostic(&problem);
        return Ok(Exit::Usage);
    }
    match verb {
        StateVerb::List(arguments) => list(context, arguments).await,
        StateVerb::Show(arguments) => show(context, arguments).await,
        StateVerb::Mv(arguments) => engine::state_move(context, arguments).await,
        StateVerb::Forget(arguments) => engine::state_forget(context, arguments).await,
        StateVerb::Export(arguments) => engine::state_export(context, arguments).await,
        StateVerb::Import(arguments) => engine::state_import(context, arguments).await,
        StateVerb::CopyTo(arguments) => engine::state_copy(context, arguments).await,
        StateVerb::RotateKey(arguments) => engine::state_rotate(context, arguments).await,
        StateVerb::Prune(arguments) => engine::state_prune(context, arguments).await,
        StateVerb::Unlock(arguments) => engine::state_unlock(context, arguments).await,
        StateVerb::Repair => engine::state_repair(context).await,
    }
}

async fn list(context: &Context, arguments: &StateListArguments) -> Result<Exit> {
    let (snapshot, _) = engine::snapshot(context, arguments.at, false).await?;
    context.printer.text(&state_list_text(&snapshot));
    for object in state_list_json(&snapshot) {
        context.printer.object(&object);
    }
    Ok(Exit::Done)
}

async fn show(context: &Context, arguments: &StateShowArguments) -> Result<Exit> {
    let (snapshot, keys) = engine::snapshot(context, arguments.at, false).await?;
    let shown: Vec<_> = match &arguments.address {
        None => snapshot.resources.values().collect(),
        Some(address) => match snapshot.resources.get(address) {
            Some(state) => vec![state],
            None => return Err(not_there(address, snapshot.resources.keys()).into()),
        },
    };
    for (index, state) in shown.into_iter().enumerate() {
        let apart = if index > 0 { "\n" } else { "" };
        let input_hash = (!state.inputs.has_sealed()).then(|| state.input_hash(&keys));
        let text = state_show_text(state, input_hash.as_ref(), context.printer.style().colour);
        context.printer.text(&format!("{apart}{text}"));
        context.printer.object(&state_show_json(state, input_hash.as_ref()));
    }
    Ok(Exit::Done)
}

fn not_there<'a>(address: &Address, known: impl Iterator<Item = &'a Address>) -> Diagnostic {
    let problem = Diagnostic::error(format!("`{address}` is not in state"));
    // The type is what is mistyped most: the same path under another one is the likeliest meaning.
    match known.into_iter().find(|other| other.path() == address.path()) {
        Some(other) => problem.hint(format!("did you mean `{other}`?")),
        None => problem.hint("`state list` shows all addresses"),
    }
}
