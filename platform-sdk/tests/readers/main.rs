//! Whatever bytes a reader of this crate is given, it answers: the corpus, and five seconds of seeded mutations each.
//!
//! A find joins the corpus, as a file of its reader's folder. `PLATFORM_READER_SEED` and `PLATFORM_READER_SECONDS` take
//! another way, and a longer one.

use std::path::{Path, PathBuf};

use platform_sdk::testing::{Reader, readers};

/// The reader's own corpus, and these files of all versions of the golden state.
#[expect(clippy::print_stdout, reason = "the seed, and how many inputs there were")]
fn holds(test: &str, read: fn(&[u8]), golden: &str) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut corpus = vec![here.join("readers/corpus").join(test)];
    for version in 1..=platform_sdk::state::FORMAT_VERSION {
        let folder: PathBuf = here.join("state/golden/golden").join(format!("v{version}")).join(golden);
        corpus.extend((!golden.is_empty()).then_some(folder));
    }
    println!("{}", Reader { test, corpus: &corpus, read }.holds());
}

#[test]
fn state_head() {
    holds("state_head", readers::state_head, "head.json");
}

#[test]
fn state_snapshot() {
    holds("state_snapshot", readers::state_snapshot, "snapshots");
}

#[test]
fn state_export() {
    holds("state_export", readers::state_export, "snapshots");
}

#[test]
fn state_keys() {
    holds("state_keys", readers::state_keys, "");
}

#[test]
fn state_journal() {
    holds("state_journal", readers::state_journal, "journal/1");
}

#[test]
fn state_record() {
    holds("state_record", readers::state_record, "");
}

#[test]
fn state_marks() {
    holds("state_marks", readers::state_marks, "");
}

#[test]
fn saved_plan() {
    holds("saved_plan", readers::saved_plan, "");
}

#[test]
fn config() {
    holds("config", readers::config, "");
}
