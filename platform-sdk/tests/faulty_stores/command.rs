//! Running commands in virtual time, on any store, from any machine.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use platform_sdk::{
    Program,
    state::{self, Location, Reading, Store, World},
    testing::{Command, Said},
};
use time::OffsetDateTime;
use tokio::{sync::watch, time::Instant};

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: u8,
    pub(crate) said: String,
}

/// Everybody's environment.
pub(crate) fn environment() -> BTreeMap<String, String> {
    let variables = [("USER", "ana"), ("HOSTNAME", "host-1"), ("PLATFORM_PASSPHRASE", "a long passphrase")];
    variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A command of the stack, on a machine with this folder. Dropping it kills its process.
pub(crate) async fn run(program: Program, store: &Arc<dyn Store>, machine: Option<&Path>, line: &[&str]) -> Ran {
    let said = Said::default();
    let (_interrupt, stop) = watch::channel(false);
    let began = Instant::now();
    let command = Command {
        program,
        line: line.iter().map(|word| (*word).to_owned()).collect(),
        store: Arc::clone(store),
        folder: machine.map(Path::to_owned),
        environment: environment(),
        clock: Arc::new(move || OffsetDateTime::UNIX_EPOCH + began.elapsed()),
        stop,
        said: said.clone(),
    };
    let code = command.run().await;
    Ran { code, said: format!("{}{}", said.out(), said.err()) }
}

/// What the store knows.
pub(crate) async fn reading(store: &Arc<dyn Store>) -> Reading {
    let location = Location::within(Arc::clone(store), "plant", "dev").expect("plain names");
    state::read(&location, World::Real, &environment()).await.expect("the state can be read")
}
