//! Suites that can't run everywhere: naming the ones that were left out.

use std::io::Write as _;

/// Whether the slow suites are to be left out, as `./check --quick` asks.
pub fn quick() -> bool {
    std::env::var_os("PLATFORM_TEST_QUICK").is_some()
}

/// A suite that needs pinned packages of this language is left out, since they are not there.
///
/// # Panics
/// Where every suite has to run: in CI.
pub(crate) fn without_packages(suite: &str, language: &str) {
    let why = format!("no pinned packages of {language} under target/tools: `./check` prepares them");
    assert!(std::env::var_os("PLATFORM_TEST_WHOLE").is_none(), "{suite} can't be left out in CI: {why}");
    left_out(suite, &why);
}

/// Says on standard error that a suite was left out, and why. The test that calls it passes, and the test runner would
/// keep what a passing test prints to itself: this is written past it.
pub fn left_out(suite: &str, why: &str) {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(std::io::stderr(), "left out: {suite}: {why}");
}
