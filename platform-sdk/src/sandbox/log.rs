//! The request log: what was asked of a sandbox, what it answered, and which fault was in between.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Fault, depth::is_too_deep, private};
use crate::files;

/// One logged request. Headers are never logged: they carry tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Number of the request, from 1, growing over restarts.
    pub n: u64,
    /// The world's time at which it was carried out, in milliseconds since 1970.
    pub at_ms: u64,
    /// `GET`, `POST`, ...
    pub method: String,
    /// The path as sent.
    pub path: String,
    /// The decoded query pairs.
    pub query: Vec<(String, String)>,
    /// What the answer said, or would have said had it arrived; `null` when the connection was dropped before that.
    pub status: Option<u16>,
    /// Whether the request asks for a change, done or not.
    pub mutating: bool,
    /// Whether the world is different now.
    pub changed: bool,
    /// The fault that was injected.
    pub fault: Option<Fault>,
    /// The body as the service lets it be shown.
    pub body: Option<Value>,
}

/// Reads a log file. A torn last line is left out.
///
/// # Errors
/// When the file can't be read, or another line than the last is not an entry.
pub fn read_log(path: &Path) -> io::Result<Vec<LogEntry>> {
    let bytes = match files::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    whole_lines(&bytes).map(|line| Ok(serde_json::from_slice(line)?)).collect()
}

/// The open log of a running sandbox.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
    last: u64,
}

impl Log {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join("requests.jsonl");
        let file = private::open(&path, OpenOptions::new().append(true).create(true))?;
        let bytes = files::read(&path)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        file.set_len(whole as u64)?;
        let last = whole_lines(&bytes).last().map(serde_json::from_slice::<LogEntry>).transpose()?;
        Ok(Self { path, file, last: last.map_or(0, |entry| entry.n) })
    }

    /// Appends an entry and gives it its number.
    pub(super) fn append(&mut self, mut entry: LogEntry) -> io::Result<()> {
        entry.n = self.last + 1;
        let mut line = serde_json::to_vec(&entry)?;
        if is_too_deep(&line) {
            entry.body = None;
            line = serde_json::to_vec(&entry)?;
        }
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.last = entry.n;
        Ok(())
    }

    /// The entries after this number.
    pub(super) fn since(&self, n: u64) -> io::Result<Vec<LogEntry>> {
        Ok(read_log(&self.path)?.into_iter().filter(|entry| entry.n > n).collect())
    }
}

fn whole_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"))
}
