//! `rollback`: plans and applies the inputs of an earlier snapshot.

use crate::{
    Result,
    cli::{Context, Exit, RollbackArguments},
    engine,
};

pub(super) async fn run(context: &Context, arguments: &RollbackArguments) -> Result<Exit> {
    if let Some(problem) = context.unattended("rollback") {
        context.printer.diagnostic(&problem);
        return Ok(Exit::Usage);
    }
    engine::rollback(context, arguments).await
}
