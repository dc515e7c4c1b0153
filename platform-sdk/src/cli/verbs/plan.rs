//! `plan`: shows what would change.

use crate::{
    Result,
    cli::{Context, Exit, PlanArguments},
    engine,
};

pub(super) async fn run(context: &Context, arguments: &PlanArguments) -> Result<Exit> {
    engine::plan(context, arguments).await
}
