//! The Python that has the pinned clients and servers.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{left_out, quick, root, suite::without_packages};

/// An interpreter that can import what a suite needs.
#[derive(Debug, Clone)]
pub struct Python {
    path: PathBuf,
}

impl Python {
    /// The Python for a suite that needs these modules: the one that `PLATFORM_TEST_PYTHON` names, or the one that
    /// `./check` prepared. Without either the suite is named as left out. A Python that was named and lacks a module is
    /// a mistake, not a reason to leave anything out.
    ///
    /// # Panics
    /// When `PLATFORM_TEST_PYTHON` names a Python that can't import the modules.
    pub fn for_suite(suite: &str, modules: &[&str]) -> Option<Self> {
        if quick() {
            left_out(suite, "a quick run");
            return None;
        }
        let found = Self::find(std::env::var_os("PLATFORM_TEST_PYTHON"), &root(), modules);
        match found {
            Ok(Some(python)) => Some(python),
            Ok(None) => {
                without_packages(suite, "Python");
                None
            }
            Err(message) => panic!("{message}"),
        }
    }

    fn find(named: Option<OsString>, root: &Path, modules: &[&str]) -> Result<Option<Self>, String> {
        if let Some(path) = named.filter(|path| !path.is_empty()) {
            let python = Self { path: path.into() };
            let path = python.path.display();
            if !python.imports(modules) {
                return Err(format!("PLATFORM_TEST_PYTHON is `{path}`, which can't import {}", modules.join(", ")));
            }
            return Ok(Some(python));
        }
        let prepared = Self { path: root.join("target/tools/venv/bin/python") };
        Ok(Some(prepared).filter(|python| python.imports(modules)))
    }

    fn imports(&self, modules: &[&str]) -> bool {
        let imports = format!("import {}", modules.join(", "));
        Command::new(&self.path).args(["-c", &imports]).output().is_ok_and(|output| output.status.success())
    }

    /// The interpreter.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A command of the same environment, such as `aws`.
    pub fn tool(&self, name: &str) -> PathBuf {
        self.path.with_file_name(name)
    }

    /// A call of the interpreter, without the logins and endpoints of whoever runs the tests.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        clear(&mut command, std::env::vars_os().map(|(name, _)| name));
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUNBUFFERED", "1");
        command
    }
}

/// Takes what names an account, a host or a stack out of a command's environment.
pub(crate) fn clear(command: &mut Command, names: impl Iterator<Item = OsString>) {
    const PREFIXES: [&str; 6] = ["AWS_", "AZURE_", "AZURITE_", "DATABRICKS_", "PLATFORM_", "MINILAKE_"];
    for name in names {
        if name.to_str().is_some_and(|name| PREFIXES.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_python_without_the_modules_is_a_mistake() {
        let message = Python::find(Some("/nowhere/python".into()), Path::new("/nowhere"), &["boto3"])
            .expect_err("there is no such Python");
        assert_eq!(message, "PLATFORM_TEST_PYTHON is `/nowhere/python`, which can't import boto3");
    }

    #[test]
    fn without_tools_there_is_none() {
        assert!(Python::find(None, Path::new("/nowhere"), &["boto3"]).expect("no mistake").is_none());
        assert!(Python::find(Some(OsString::new()), Path::new("/nowhere"), &["boto3"]).expect("no mistake").is_none());
    }

    #[test]
    fn no_login_reaches_a_tool() {
        let mut command = Command::new("true");
        clear(&mut command, ["AWS_PROFILE", "DATABRICKS_HOST", "PATH"].map(OsString::from).into_iter());
        let removed: Vec<_> = command.get_envs().map(|(name, value)| (name.to_owned(), value.is_none())).collect();
        assert_eq!(removed, [("AWS_PROFILE".into(), true), ("DATABRICKS_HOST".into(), true)]);
    }
}
