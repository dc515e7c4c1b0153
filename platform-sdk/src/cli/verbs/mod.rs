//! The verbs: one file each.

mod config;
mod config_edit;
mod destroy;
mod doctor;
mod drift;
mod graph;
mod history;
mod import;
mod output;
mod plan;
mod rollback;
mod sandbox;
mod stack;
mod state;
mod up;

use super::{
    arguments::Verb,
    context::{Context, Exit},
};
use crate::{Result, engine};

pub(crate) use sandbox::serve;

/// Runs one verb.
pub(crate) async fn run(context: &mut Context, verb: &Verb) -> Result<Exit> {
    engine::find(context, verb).await?;
    let context = &*context;
    match verb {
        Verb::Plan(arguments) => plan::run(context, arguments).await,
        Verb::Up(arguments) => up::run(context, arguments).await,
        Verb::Destroy => destroy::run(context).await,
        Verb::Drift(arguments) => drift::run(context, arguments).await,
        Verb::Import(arguments) => import::run(context, arguments).await,
        Verb::State(verb) => state::run(context, verb).await,
        Verb::Stack(verb) => stack::run(context, verb).await,
        Verb::History => history::run(context).await,
        Verb::Rollback(arguments) => rollback::run(context, arguments).await,
        Verb::Output(arguments) => output::run(context, arguments).await,
        Verb::Graph(arguments) => graph::run(context, arguments),
        Verb::Config(verb) => config::run(context, verb),
        Verb::Doctor => doctor::run(context).await,
        Verb::Sandbox => sandbox::run(context).await,
    }
}
