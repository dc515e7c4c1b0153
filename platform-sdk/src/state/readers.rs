//! Every file of a state, read from its bytes alone: for tests of what becomes of bytes that nobody wrote.

use super::{
    Keys,
    frame::{before_damage, frames},
    head::{FORMAT_VERSION, Head, parse},
    lease::described,
    prune::Pruned,
    record_format, snapshot_format,
};
use crate::sealing::KeySource;

/// The stack that the bytes are taken for.
const STACK: (&str, &str) = ("acme", "prod");

/// `head.json`.
pub(crate) fn head(bytes: &[u8]) {
    let _ = Head::parse(bytes, "head.json");
}

/// A snapshot: all of it, and what is read of it alone.
pub(crate) async fn snapshot(bytes: &[u8]) {
    let source = KeySource::default();
    let _ = snapshot_format::read_entry(bytes, "x.json");
    let _ = snapshot_format::decode(bytes, "x.json", STACK, source.clone(), None).await;
    let _ = snapshot_format::decode_keys(bytes, "x.json", STACK, source.clone()).await;
    let _ = snapshot_format::decode_exports(bytes, "x.json", STACK, source, &["a", "token"].into()).await;
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
