//! What a run learned after it had lost its store: kept in a file of this machine, and brought home by the next run here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::{
    Keys, Location, Reading, Record,
    branch::{Branch, Stored, to_bytes},
    fold::Folded,
    frame::{frame, frames},
    head::{FORMAT_VERSION, newer},
    local::{blocking, make_folder_of, sync_folder},
    record_format::{self, BeginV1, LineV4},
};
use crate::{files, report::Diagnostic};

/// Whether a record is worth keeping where the store does not take it: it says what became of a request to a service.
pub(super) fn is_news(record: &Record) -> bool {
    matches!(record, Record::Outcome { intent: Some(_), .. } | Record::Created { .. })
}

/// Where a run keeps what its store does not take.
#[derive(Debug, Clone)]
pub(super) struct Strand {
    file: PathBuf,
}

impl Strand {
    /// The file of this run; `None` where a location keeps nothing.
    pub(super) fn of(location: &Location, run: &str) -> Option<Self> {
        Some(Self { file: folder(location)?.join(format!("{run}.jsonl")) })
    }

    /// Adds lines of a journal, durably, behind a beginning and the keys that open them. Answers with the file.
    pub(super) async fn keep(
        &self,
        begin: &LineV4<'_, Branch<'_>>,
        keys: &Keys,
        lines: &[u8],
    ) -> Result<PathBuf, Diagnostic> {
        let mut bytes = Vec::new();
        frame(&to_bytes(begin)?, &mut bytes);
        if let Some(wire) = keys.wire() {
            frame(&to_bytes(&LineV4::<Branch<'_>>::Keys(wire.clone()))?, &mut bytes);
        }
        bytes.extend_from_slice(lines);
        let file = self.file.clone();
        let work = move || {
            make_folder_of(&file)?;
            let mut open = files::open_own(&file, OpenOptions::new().create(true).append(true))?;
            open.write_all(&bytes)?;
            open.sync_all()?;
            sync_folder(&file)
        };
        blocking("write", &self.file, work).await?;
        Ok(self.file.clone())
    }
}

fn folder(location: &Location) -> Option<PathBuf> {
    Some(location.stranded.as_ref()?.join(&location.project).join(&location.stack))
}

/// What earlier runs on this machine could not tell the store.
#[derive(Debug, Default)]
pub(super) struct Stranded {
    /// What became of intents that are still open, oldest first.
    records: Vec<Record>,
    /// The keys that the last of these runs had made, and no store has.
    keys: Option<Keys>,
    /// Every file that was read, also those of which nothing is news any more.
    files: Vec<PathBuf>,
}

impl Stranded {
    /// Reads the files that belong to this state. Another run may have found out the same from the services since, and
    /// closed the intent: what is kept of it is no news then.
    ///
    /// # Errors
    /// When one is damaged or newer, or its secrets can't be opened.
    pub(super) async fn read(
        location: &Location,
        reading: &Reading,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, Diagnostic> {
        let Some(folder) = folder(location) else { return Ok(Self::default()) };
        let mut stranded = Self::default();
        for (path, bytes) in blocking("read", &folder.clone(), move || all(&folder)).await? {
            let lines = lines(&path, &bytes, &reading.snapshot.uuid)?;
            let Some(lines) = lines else { continue };
            let mut keys = reading.keys.clone();
            let open: BTreeSet<&str> = reading.open.iter().map(|open| open.intent.id.as_str()).collect();
            for line in lines {
                match line {
                    LineV4::Keys(wire) if !keys.are_made() => {
                        let source = location.key_source(environment);
                        keys = Keys::open(&location.stack(), source, wire, Some(&keys)).await?;
                        stranded.keys = Some(keys.clone());
                    }
                    line if line.is_about(&open) => stranded.records.extend(line.into_record(&keys)?),
                    _ => {}
                }
            }
            stranded.files.push(path);
        }
        Ok(stranded)
    }

    /// The keys that the state should have.
    pub(super) fn keys(&self) -> Option<&Keys> {
        self.keys.as_ref().filter(|_| !self.records.is_empty())
    }

    /// What became of intents that are still open, oldest first.
    pub(super) fn records(&self) -> &[Record] {
        &self.records
    }

    /// What the state is with them: in memory alone.
    pub(super) fn fold_into(&self, reading: &mut Reading) {
        let mut folded =
            Folded { snapshot: std::mem::take(&mut reading.snapshot), open: std::mem::take(&mut reading.open) };
        self.records.iter().for_each(|record| folded.apply(record.clone()));
        (reading.snapshot, reading.open) = (folded.snapshot, folded.open);
    }

    /// Removes the files. To be called when the store has the records.
    ///
    /// # Errors
    /// When one can't be removed.
    pub(super) async fn forget(self) -> Result<(), Diagnostic> {
        for file in self.files {
            let path = file.clone();
            blocking("remove", &path, move || fs::remove_file(&file).and_then(|()| sync_folder(&file))).await?;
        }
        Ok(())
    }
}

impl LineV4<'_, Stored> {
    fn is_about(&self, open: &BTreeSet<&str>) -> bool {
        match self {
            Self::Created { intent, .. } | Self::Outcome { intent: Some(intent), .. } => open.contains(&**intent),
            Self::Outcome { intent: None, .. }
            | Self::Begin(_)
            | Self::Seal(_)
            | Self::Keys(_)
            | Self::Intent(_)
            | Self::Identity(..)
            | Self::Exports(_)
            | Self::Lookups(_) => false,
        }
    }
}

/// Every file of a folder with its content, in the order of names.
fn all(folder: &Path) -> io::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        entries => entries?,
    };
    let read = |entry: io::Result<fs::DirEntry>| {
        let path = entry?.path();
        let bytes = files::read(&path)?;
        Ok((path, bytes))
    };
    entries.map(read).collect()
}

/// The lines of a file; `None` when it is about another state of the same name.
fn lines(path: &Path, bytes: &[u8], uuid: &str) -> Result<Option<Vec<LineV4<'static, Stored>>>, Diagnostic> {
    let damaged = |why: String| {
        Diagnostic::error(format!("`{}` is damaged", path.display()))
            .detail(format!("{why}; it holds what became of requests of a run that had lost its store"))
            .hint("move it away to go on without: what became of them is then asked of the services")
    };
    let (mut lines, mut version) = (Vec::new(), FORMAT_VERSION);
    // An end that is cut short was never answered for.
    for json in frames(bytes).map_err(&damaged)?.records {
        let line = record_format::read(json, version).map_err(&damaged)?;
        if let LineV4::Begin(BeginV1 { uuid: of, version: its, .. }) = &line {
            if *its > FORMAT_VERSION {
                return Err(newer(&path.display().to_string(), u64::from(*its)));
            }
            if of != uuid {
                return Ok(None);
            }
            version = *its;
        }
        lines.push(line);
    }
    Ok(Some(lines))
}
