//! The file that keeps a world: one line per transaction, on disk before the transaction is answered.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{World, depth::is_too_deep, private};
use crate::files;

/// One line of the file: what a request changed.
#[derive(Debug, Serialize, Deserialize)]
struct Transaction {
    id: u64,
    at_ms: u64,
    next_id: u64,
    put: BTreeMap<Arc<str>, Arc<Value>>,
    del: Vec<Arc<str>>,
}

/// An open world file.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    file: File,
    /// Bytes of whole transactions: where the file is cut back to after a failed write.
    length: u64,
    last: u64,
}

impl Store {
    /// Opens the world under `folder`, or makes it from `seed`. Drops a torn last line, and leaves one line per world.
    pub(super) fn open(folder: &Path, seed: impl FnOnce() -> World) -> io::Result<(Self, World)> {
        let path = folder.join("world.jsonl");
        let (last, world) = match files::read(&path) {
            Ok(bytes) => replay(&path, &bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => (0, None),
            Err(error) => return Err(error),
        };
        let world = world.unwrap_or_else(seed);
        let store = Self::write_whole(path, last, &world)?;
        Ok((store, world))
    }

    /// Makes the transaction that led to `world` durable.
    pub(super) fn append(&mut self, world: &World) -> io::Result<()> {
        let mut line = Transaction {
            id: self.last + 1,
            at_ms: world.now_ms(),
            next_id: world.last_id(),
            put: BTreeMap::new(),
            del: Vec::new(),
        };
        for (key, document) in world.changes() {
            match document {
                Some(document) => drop(line.put.insert(Arc::clone(key), Arc::clone(document))),
                None => line.del.push(Arc::clone(key)),
            }
        }
        let bytes = line.to_line()?;
        if let Err(error) = self.file.write_all(&bytes).and_then(|()| self.file.sync_data()) {
            // Half a line must not be followed by a whole one.
            self.file.set_len(self.length)?;
            return Err(error);
        }
        self.length += bytes.len() as u64;
        self.last += 1;
        Ok(())
    }

    /// Forgets all transactions: the file holds this world and nothing else.
    pub(super) fn replace(&mut self, world: &World) -> io::Result<()> {
        *self = Self::write_whole(self.path.clone(), self.last, world)?;
        Ok(())
    }

    /// Writes a world as one transaction into a new file that takes the old one's place.
    fn write_whole(path: PathBuf, last: u64, world: &World) -> io::Result<Self> {
        let line = Transaction {
            id: last + 1,
            at_ms: world.now_ms(),
            next_id: world.last_id(),
            put: world.documents().clone(),
            del: Vec::new(),
        };
        let bytes = line.to_line()?;
        private::replace(&path, &bytes)?;
        let file = private::open(&path, OpenOptions::new().append(true))?;
        Ok(Self { path, file, length: bytes.len() as u64, last: last + 1 })
    }
}

impl Transaction {
    fn to_line(&self) -> io::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self)?;
        if is_too_deep(&bytes) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a document nests too deep to be read again"));
        }
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// Plays a file's transactions. The world is `None` when the file holds not one.
fn replay(path: &Path, bytes: &[u8]) -> io::Result<(u64, Option<World>)> {
    let mut last = 0;
    let mut world: Option<World> = None;
    for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        // Only the last line can lack its end: the process died while writing it, before anyone was answered.
        let Some(line) = line.strip_suffix(b"\n") else { break };
        let transaction: Transaction = serde_json::from_slice(line).map_err(|error| {
            let what = format!("{}: line {} is damaged: {error}", path.display(), number + 1);
            io::Error::new(io::ErrorKind::InvalidData, what)
        })?;
        let world = world.get_or_insert_default();
        for (key, document) in transaction.put {
            world.set(&key, Some(document));
        }
        for key in transaction.del {
            world.set(&key, None);
        }
        world.resume(transaction.at_ms, transaction.next_id);
        last = transaction.id;
    }
    Ok((last, world))
}
