//! `import`: adopts one existing resource.

use crate::{
    Result,
    cli::{Context, Exit, ImportArguments},
    engine,
};

pub(super) async fn run(context: &Context, arguments: &ImportArguments) -> Result<Exit> {
    engine::import(context, arguments).await
}
