//! The readers of outside bytes of this crate: each a function of bytes that answers whatever they are.

use std::path::Path;

use crate::{
    engine,
    program::{Config, Sealer},
    state::readers,
};

/// `head.json` of a state.
pub fn state_head(bytes: &[u8]) {
    readers::head(bytes);
}

fn done(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime that waits for nothing");
    runtime.block_on(work);
}

/// A snapshot of a state.
pub fn state_snapshot(bytes: &[u8]) {
    done(readers::snapshot(bytes));
}

/// What `state export` has written, as `state import` reads it.
pub fn state_export(bytes: &[u8]) {
    done(readers::export(bytes));
}

/// The wrapped keys of a state.
pub fn state_keys(bytes: &[u8]) {
    done(readers::keys(bytes));
}

/// A part of a state's journal.
pub fn state_journal(bytes: &[u8]) {
    readers::journal(bytes);
}

/// One record of a state's journal.
pub fn state_record(bytes: &[u8]) {
    readers::record(bytes);
}

/// What a state says of its holder and of where its history begins.
pub fn state_marks(bytes: &[u8]) {
    readers::note(bytes);
    readers::mark(bytes);
}

/// What `plan --out` has written.
pub fn saved_plan(bytes: &[u8]) {
    let _ = engine::saved_plan(bytes, Path::new("plan.json"));
}

/// A program's config file.
pub fn config(bytes: &[u8]) {
    let file = Path::new("config.toml");
    if let Ok(mut config) =
        Config::load("prod", None, &[].into(), Sealer::new("acme", &["old".to_owned()], readers::source()))
        && config.read_bytes(file, bytes).is_ok()
    {
        for key in config.values().keys().cloned().collect::<Vec<_>>() {
            let _ = config.get::<serde_json::Value>(&key, "main.rs:1");
            let _ = config.get::<crate::Secret<String>>(&key, "main.rs:1");
        }
        let _ = config.unknown_keys();
    }
}
