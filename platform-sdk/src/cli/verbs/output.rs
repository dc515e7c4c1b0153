//! `output`: prints what the stack exports, as of its last apply.

use crate::{
    Result,
    cli::{Context, Exit, arguments::OutputArguments},
    engine,
    report::{Diagnostic, output_json, output_text, outputs_text},
};

pub(super) async fn run(context: &Context, arguments: &OutputArguments) -> Result<Exit> {
    let shown = arguments.show_secrets;
    let exports = engine::snapshot(context, None, shown).await?.0.exports;
    let Some(name) = &arguments.name else {
        context.printer.data(&outputs_text(&exports, shown));
        for (name, tree) in &exports {
            context.printer.object(&output_json(name, tree, shown));
        }
        return Ok(Exit::Done);
    };
    let Some(tree) = exports.get(name) else {
        let known = exports.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let known = if known.is_empty() { "none: nothing was applied yet".to_owned() } else { known };
        let problem = Diagnostic::error(format!("stack `{}` has no output `{name}`", context.stack));
        return Err(problem.detail(format!("its outputs are {known}")).into());
    };
    context.printer.data(&output_text(tree, shown));
    context.printer.object(&output_json(name, tree, shown));
    Ok(Exit::Done)
}
