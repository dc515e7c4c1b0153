//! What must not compile, and what the compiler says then: each `compile_fail/*.rs` is pinned by its `.stderr`.
//!
//! `TRYBUILD=overwrite` writes the pins anew; read them: the first line is what a user sees.

use std::io::Write as _;

#[test]
fn mistakes_do_not_compile_and_the_first_line_says_why() {
    if std::env::var_os("PLATFORM_TEST_QUICK").is_some() {
        // Written past the test runner, which keeps what a passing test prints.
        let _ = writeln!(std::io::stderr(), "left out: compile-fail tests: a quick run");
        return;
    }
    let cases = trybuild::TestCases::new();
    cases.pass("tests/compile_fail/the_same_without_mistakes.rs");
    cases.compile_fail("tests/compile_fail/[!t]*.rs");
}
