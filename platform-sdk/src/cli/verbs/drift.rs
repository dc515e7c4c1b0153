//! `drift`: compares reality with state.

use crate::{
    Result,
    cli::{Context, DriftArguments, Exit},
    engine,
};

pub(super) async fn run(context: &Context, arguments: &DriftArguments) -> Result<Exit> {
    engine::drift(context, arguments).await
}
