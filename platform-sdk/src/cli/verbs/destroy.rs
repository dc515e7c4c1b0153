//! `destroy`: deletes everything that the stack owns, in order.

use crate::{
    Result,
    cli::{Context, Exit},
    engine,
};

pub(super) async fn run(context: &Context) -> Result<Exit> {
    if let Some(problem) = context.unattended("destroy") {
        context.printer.diagnostic(&problem);
        return Ok(Exit::Usage);
    }
    engine::destroy(context).await
}
