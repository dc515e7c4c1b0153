//! Files that a program names: found from wherever in the project it is run.

use std::path::{Path, PathBuf};

use crate::{Result, report::Diagnostic};

/// The file at `path`, which is relative to the working directory or to a folder above it: a program finds its files
/// whether it is run from its project's top or by a test from a member's folder.
///
/// # Errors
/// When it is in none of these.
pub fn locate(path: &Path) -> Result<PathBuf> {
    if path.is_absolute() {
        return found(path.to_owned(), path);
    }
    let here = std::env::current_dir()?;
    let candidate = here.ancestors().map(|folder| folder.join(path)).find(|candidate| candidate.exists());
    found(candidate.unwrap_or_else(|| here.join(path)), path)
}

fn found(candidate: PathBuf, asked: &Path) -> Result<PathBuf> {
    if candidate.exists() {
        return Ok(candidate);
    }
    Err(Diagnostic::error(format!("there is no file `{}`", asked.display()))
        .detail("looked in the working directory and the folders above it")
        .hint("create the file, or correct its path in the program")
        .into())
}
