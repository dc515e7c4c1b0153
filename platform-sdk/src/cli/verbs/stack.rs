//! `stack`: the project's stacks.

use crate::{
    Result,
    cli::{Context, Exit, arguments::StackVerb},
    engine,
};

pub(super) async fn run(context: &Context, verb: &StackVerb) -> Result<Exit> {
    match verb {
        StackVerb::List => engine::stack_list(context).await,
        StackVerb::Remove(arguments) => {
            if let Some(problem) = context.unattended("stack remove") {
                context.printer.diagnostic(&problem);
                return Ok(Exit::Usage);
            }
            engine::stack_remove(context, arguments).await
        }
    }
}
