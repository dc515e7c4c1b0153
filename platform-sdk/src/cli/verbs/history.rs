//! `history`: lists the stack's snapshots.

use crate::{
    Result,
    cli::{Context, Exit},
    engine,
};

pub(super) async fn run(context: &Context) -> Result<Exit> {
    engine::history(context).await
}
