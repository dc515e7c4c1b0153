//! Finding the project's files.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A file, with its path from the project's top, written with `/`.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    #[cfg(test)]
    pub(crate) fn sample(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Whether the whole file is tests: in a crate's `tests` folder, or a module that its parent declares for tests.
    pub(crate) fn is_test(&self) -> bool {
        let stem = self.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
        self.path.contains("/tests/") || stem == "tests" || stem.ends_with("_tests")
    }

    /// Production code of a crate: under `src`, or an example.
    pub(crate) fn is_production(&self) -> bool {
        !self.is_test() && (self.path.contains("/src/") || self.path.starts_with("examples/"))
    }
}

/// All files with this ending in the project's folders, in order.
pub(crate) fn all(ending: &str) -> Vec<Source> {
    let root = platform_tests::root();
    let mut files = Vec::new();
    for folder in ["platform-sdk", "platform-databricks", "platform-aws", "examples", "tests", "bench"] {
        walk(&root.join(folder), &mut files);
    }
    files.sort();
    let wanted = files.into_iter().filter(|path| path.to_string_lossy().ends_with(ending));
    let sources: Vec<_> = wanted.map(|path| read(&root, &path)).collect();
    assert!(!sources.is_empty(), "no file ends in `{ending}`: the rules would hold for nothing");
    sources
}

fn read(root: &Path, path: &Path) -> Source {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("can't read {}: {error}", path.display()));
    let inside = path.strip_prefix(root).expect("found below the top");
    Source { path: inside.to_string_lossy().replace('\\', "/"), text }
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push(path);
        }
    }
}
