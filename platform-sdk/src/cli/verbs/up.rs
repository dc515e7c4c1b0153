//! `up`: plans, asks, and applies.

use crate::{
    Result,
    cli::{Context, Exit, UpArguments},
    engine,
};

pub(super) async fn run(context: &Context, arguments: &UpArguments) -> Result<Exit> {
    if let Some(problem) = context.unattended("up") {
        context.printer.diagnostic(&problem);
        return Ok(Exit::Usage);
    }
    engine::up(context, arguments).await
}
