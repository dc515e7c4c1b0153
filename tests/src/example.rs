//! The examples as programs: built with the flags of the test run, so that nothing is compiled twice.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::Command,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;

use crate::root;

static BUILT: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());

/// The program of `examples/<name>.rs`, built from the present sources.
///
/// # Panics
/// When it does not compile; the message holds what the compiler said.
pub fn example(name: &str) -> PathBuf {
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    built.entry(name.to_owned()).or_insert_with(|| build(name)).clone()
}

fn build(name: &str) -> PathBuf {
    let mut command = Command::new(env!("CARGO"));
    // The whole workspace: with one package alone the features of shared dependencies would be others than in the test
    // run, and everything would be compiled once more.
    command.args(["build", "--workspace", "--all-features", "--message-format", "json-render-diagnostics"]);
    command.args(["--example", name]).current_dir(root());
    for (variable, _) in std::env::vars_os() {
        // Build scripts are run again when these change, and a test's are not a shell's.
        let of_this_test = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_", "CARGO_PRIMARY_"];
        if variable.to_str().is_some_and(|name| of_this_test.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(variable);
        }
    }
    let output = command.output().unwrap_or_else(|error| panic!("can't run cargo: {error}"));
    assert!(output.status.success(), "example `{name}` does not build:\n{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout);
    executable(&said, name).unwrap_or_else(|| panic!("cargo built no example `{name}`:\n{said}"))
}

/// The example's path, in cargo's messages.
fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut examples =
        messages.filter(|message| message["target"]["kind"][0] == "example" && message["target"]["name"] == name);
    examples.find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_the_one_that_cargo_names() {
        let messages = r#"{"target": {"kind": ["lib"], "name": "prod"}, "executable": null}
            {"target": {"kind": ["example"], "name": "prod"}, "executable": "/elsewhere/examples/prod"}"#;
        assert_eq!(executable(messages, "prod"), Some("/elsewhere/examples/prod".into()));
        assert_eq!(executable(messages, "starter"), None);
    }
}
