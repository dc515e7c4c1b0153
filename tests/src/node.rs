//! The Node.js packages that have pinned servers.

use std::{path::Path, process::Command};

use crate::{left_out, python::clear, quick, root, suite::without_packages};

/// A call of a script of those packages, such as `azurite/dist/src/blob/main.js`. Without it, or without Node.js, none, and
/// the suite is named as left out.
pub(crate) fn script(suite: &str, script: &str) -> Option<Command> {
    if quick() {
        left_out(suite, "a quick run");
        return None;
    }
    let found = find(&root(), script);
    if found.is_none() {
        without_packages(suite, "Node.js");
    }
    found
}

fn find(root: &Path, script: &str) -> Option<Command> {
    let script = root.join("target/tools/node/node_modules").join(script);
    let runs = Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
    (script.exists() && runs).then(|| {
        let mut command = Command::new("node");
        command.arg(script);
        clear(&mut command, std::env::vars_os().map(|(name, _)| name));
        command
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_tools_there_is_none() {
        assert!(find(Path::new("/nowhere"), "azurite/dist/src/blob/main.js").is_none());
    }
}
