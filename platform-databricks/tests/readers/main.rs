//! Whatever bytes a reader of this crate is given, it answers: the corpus, and five seconds of seeded mutations each.
//!
//! A find joins the corpus, as a file of its reader's folder. `PLATFORM_READER_SEED` and `PLATFORM_READER_SECONDS` take
//! another way, and a longer one.

mod readers;
mod scripted;

use std::path::Path;

use platform_sdk::testing::Reader;

#[expect(clippy::print_stdout, reason = "the seed, and how many inputs there were")]
fn holds(test: &str, read: fn(&[u8])) {
    let corpus = [Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers/corpus").join(test)];
    println!("{}", Reader { test, corpus: &corpus, read }.holds());
}

#[test]
fn column_type() {
    holds("column_type", readers::column_type);
}

#[test]
fn answers() {
    holds("answers", readers::answers);
}

#[test]
fn login() {
    holds("login", readers::login);
}

#[test]
fn pages() {
    holds("pages", readers::pages);
}

#[test]
fn profile() {
    holds("profile", readers::profile);
}

#[test]
fn sandbox() {
    holds("sandbox", readers::sandbox);
}

#[test]
fn statements() {
    holds("statements", readers::statements);
}
