//! Every file of a state, read from its bytes alone: for tests of what becomes of bytes that nobody wrote.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;

use super::{
    Keys, Location, Memory, exported,
    frame::{before_damage, frames},
    head::{FORMAT_VERSION, Head, parse},
    lease::described,
    prune::Pruned,
    record_format,
    secrets::KeysV2,
    snapshot_format,
};
use crate::{
    report::Diagnostic,
    sealing::{KeptKey, Key, KeySource},
};

/// The stack that the bytes are taken for.
const STACK: (&str, &str) = ("acme", "prod");

/// A kept key that is always the same.
#[derive(Debug)]
struct Always;

#[async_trait]
impl KeptKey for Always {
    async fn key(&self, _make: bool) -> Result<Option<Key>, Diagnostic> {
        Ok(Some(Key::default()))
    }

    fn file(&self) -> Option<PathBuf> {
        None
    }
}

/// Where keys come from that wrap those in the bytes.
pub(crate) fn source() -> KeySource {
    KeySource::default().keeping(Arc::new(Always))
}

/// `head.json`.
pub(crate) fn head(bytes: &[u8]) {
    let _ = Head::parse(bytes, "head.json");
}

/// A snapshot: all of it, and what is read of it alone.
pub(crate) async fn snapshot(bytes: &[u8]) {
    let source = source();
    let _ = snapshot_format::read_entry(bytes, "x.json");
    let _ = snapshot_format::decode(bytes, "x.json", STACK, source.clone(), None).await;
    let _ = snapshot_format::decode_keys(bytes, "x.json", STACK, source.clone()).await;
    let _ = snapshot_format::decode_exports(bytes, "x.json", STACK, source, &["a", "token"].into()).await;
}

/// What `state export` has written.
pub(crate) async fn export(bytes: &[u8]) {
    let place = Location::within(Arc::new(Memory::default()), STACK.0, STACK.1).expect("a location");
    let _ = exported(&place, &String::from_utf8_lossy(bytes), "x.json", &[].into()).await;
}

/// The wrapped keys of a state.
pub(crate) async fn keys(bytes: &[u8]) {
    if let Ok(wire) = serde_json::from_slice::<KeysV2>(bytes)
        && let Ok(keys) = Keys::open("acme/prod", source(), wire, None).await
    {
        let _ = keys.unseal("place", &String::from_utf8_lossy(bytes));
    }
}

/// A part of a journal.
pub(crate) fn journal(bytes: &[u8]) {
    let read = frames(bytes);
    let before = before_damage(bytes);
    for json in read.iter().flat_map(|read| &read.records).chain(&before) {
        record(json);
    }
}

/// One record of a journal, of every version that there was.
pub(crate) fn record(json: &[u8]) {
    let keys = Keys::none_yet("acme/prod", KeySource::default());
    for version in 0..=FORMAT_VERSION + 1 {
        if let Ok(line) = record_format::read(json, version) {
            let _ = line.into_record(&keys);
        }
    }
}

/// The note of who holds a stack.
pub(crate) fn note(bytes: &[u8]) {
    let _ = described(bytes);
}

/// The mark of a pruned history.
pub(crate) fn mark(bytes: &[u8]) {
    let _ = parse::<Pruned>(bytes, "pruned.json", "the mark of a pruned history");
}
