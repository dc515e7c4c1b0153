//! The hold on a stack in a local store: an operating-system lock on the file that says who holds it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek as _, Write as _},
    path::{Path, PathBuf},
};

use async_trait::async_trait;

use super::{
    local::{blocking, make_folder_of, read_open, taken},
    store::{Certainty, Guard, Note, StoreResult},
};
use crate::files;

/// The lock ends with the file's last handle: a holder that dies is taken over at once.
#[derive(Debug)]
pub(super) struct LocalGuard {
    path: PathBuf,
    file: File,
    /// Folders that were made for the lock alone, outermost first.
    made: Vec<PathBuf>,
}

impl LocalGuard {
    /// One attempt. `None` when somebody has it, or was giving it back just now.
    pub(super) fn take(path: &Path, note: &[u8]) -> io::Result<Option<Self>> {
        let made = make_folder_of(path)?;
        let file = match files::open_own(path, OpenOptions::new().read(true).write(true).create(true).truncate(false)) {
            // A holder that had made the folder removed it again.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        if taken(file.try_lock())? {
            return Ok(None);
        }
        let guard = Self { path: path.to_owned(), file, made };
        guard.write(note)?;
        // A holder removes the file before it lets go. Who locked the removed one finds another note, or none, here.
        let ours = files::read(path).is_ok_and(|now| now == note);
        Ok(ours.then_some(guard))
    }

    fn write(&self, note: &[u8]) -> io::Result<()> {
        let mut file = &self.file;
        file.rewind()?;
        file.write_all(note)?;
        file.set_len(note.len() as u64)
    }
}

#[async_trait]
impl Guard for LocalGuard {
    async fn note(&mut self, note: Note) -> StoreResult<()> {
        let written = self.write(&note());
        blocking("write", &self.path, move || written).await
    }

    fn certainty(&self) -> Certainty {
        Certainty::of_guard()
    }

    async fn release(self: Box<Self>) {
        let _ = fs::remove_file(&self.path);
        // Only an empty one goes: a run that wrote nothing leaves nothing, and so does one that removed the stack.
        for folder in self.path.parent().into_iter().chain(self.made.iter().rev().map(|made| &**made)) {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// The note of who holds the lock.
pub(super) fn held(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match files::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    if taken(file.try_lock_shared())? { read_open(&file).map(Some) } else { Ok(None) }
}
