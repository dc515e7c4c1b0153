//! A notebook's source: its language, its format, and the hash of what it says, whatever the service does to its looks.

use std::path::Path;

use platform_sdk::names;
use serde_json::Value;
use sha2::{Digest, Sha256};

names! {
    /// The language of a notebook.
    pub enum Language {
        /// `.py`
        Python = "PYTHON",
        /// `.sql`
        Sql = "SQL",
        /// `.scala`
        Scala = "SCALA",
        /// `.r`
        R = "R",
    }
}

names! {
    /// How a notebook is written down.
    pub enum NotebookFormat {
        /// As source code, with its cells between comments.
        Source = "SOURCE",
        /// As a Jupyter notebook.
        Jupyter = "JUPYTER",
    }
}

/// The format of a file and, where it does not say so itself, its language; `None` for files that are no notebooks.
pub(super) fn kind_of(file: &Path) -> Option<(NotebookFormat, Option<Language>)> {
    let extension = file.extension()?.to_str()?.to_lowercase();
    let language = match extension.as_str() {
        "py" => Language::Python,
        "sql" => Language::Sql,
        "scala" => Language::Scala,
        "r" => Language::R,
        "ipynb" => return Some((NotebookFormat::Jupyter, None)),
        _ => return None,
    };
    Some((NotebookFormat::Source, Some(language)))
}

/// `sha256:...` of what a notebook says. The same for the file that was imported and for what an export makes of it: the
/// service puts a header in front, writes plain newlines, and drops or adds some at the end.
pub(super) fn content_hash(source: &str) -> String {
    let digest = Sha256::digest(plain(source).as_bytes());
    digest.iter().fold("sha256:".to_owned(), |hash, byte| format!("{hash}{byte:02x}"))
}

fn plain(source: &str) -> String {
    if let Some(cells) = cells(source) {
        return cells;
    }
    let source = source.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let without_header = source.split_once('\n').filter(|(first, _)| is_header(first)).map(|(_, rest)| rest);
    let only_header = if is_header(&source) { "" } else { source.as_str() };
    without_header.unwrap_or(only_header).trim_matches('\n').to_owned()
}

fn is_header(line: &str) -> bool {
    ["#", "//", "--"].iter().any(|comment| line.trim_end() == format!("{comment} Databricks notebook source"))
}

/// The cells of a Jupyter notebook without all that programs write around them.
fn cells(source: &str) -> Option<String> {
    let notebook: Value = serde_json::from_str(source).ok()?;
    let cells = notebook.get("cells")?.as_array()?;
    let cell = |cell: &Value| {
        let source = match &cell["source"] {
            Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
            other => other.as_str().unwrap_or_default().to_owned(),
        };
        Value::from(vec![cell["cell_type"].clone(), source.replace("\r\n", "\n").trim_end_matches('\n').into()])
    };
    Some(cells.iter().map(cell).collect::<Value>().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_of_what_was_imported_says_the_same() {
        let file = "# COMMAND ----------\r\n\r\nprint(1)\r\n\r\n";
        let exported = "# Databricks notebook source\n# COMMAND ----------\n\nprint(1)";
        assert_eq!(content_hash(file), content_hash(exported));
        assert_eq!(content_hash(exported), content_hash(&format!("{exported}\n")));
        assert_ne!(content_hash(file), content_hash("# COMMAND ----------\n\nprint(2)"));
        assert_ne!(content_hash("a\n  b"), content_hash("a\nb"));
        assert_eq!(content_hash(""), content_hash("-- Databricks notebook source"));
    }

    #[test]
    fn of_a_jupyter_notebook_only_the_cells_count() {
        let file = r#"{"cells": [{"cell_type": "code", "id": "x", "source": ["a\n", "b"]}], "nbformat": 4}"#;
        let exported = r#"{"cells":[{"cell_type":"code","source":"a\nb\n","outputs":[]}],"metadata":{},"nbformat":4}"#;
        assert_eq!(content_hash(file), content_hash(exported));
        assert_ne!(content_hash(file), content_hash(&exported.replace('b', "c")));
    }

    #[test]
    fn the_extension_says_what_a_file_is() {
        assert_eq!(kind_of(Path::new("a/b.PY")), Some((NotebookFormat::Source, Some(Language::Python))));
        assert_eq!(kind_of(Path::new("b.ipynb")), Some((NotebookFormat::Jupyter, None)));
        assert_eq!(kind_of(Path::new("b.txt")), None);
        assert_eq!(kind_of(Path::new("b")), None);
    }
}
