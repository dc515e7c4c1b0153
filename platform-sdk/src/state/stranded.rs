//! What a run learned after its store was lost: kept in a file of this machine, and brought home by the next run here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Effect, Keys, Location, Reading, Record,
    branch::Stored,
    fold::note,
    frame::frames,
    key_wrap::KeySource,
    local::{blocking, make_folder_of, sync_folder},
    record_format::LineV1,
};
use crate::report::Diagnostic;

/// Whether a record is worth to be kept: it says what became of something that was asked of a service.
pub(super) fn matters(record: &Record) -> bool {
    matches!(record, Record::Outcome { intent: Some(_), .. } | Record::Created { .. })
}

/// Where a run keeps what its store does not take: a part of a journal, beside the store.
#[derive(Debug)]
pub(super) struct Strand {
    file: PathBuf,
    begun: bool,
}

impl Strand {
    /// The file of this run; `None` where a location keeps nothing.
    pub(super) fn of(location: &Location, run: &str) -> Option<Self> {
        Some(Self { file: folder(location)?.join(format!("{run}.jsonl")), begun: false })
    }

    /// Adds framed lines, durably; `first` are the lines that the file starts with. Answers with the file.
    pub(super) async fn keep(&mut self, first: Vec<u8>, lines: Vec<u8>) -> Result<PathBuf, Diagnostic> {
        let (file, begun) = (self.file.clone(), self.begun);
        let work = move || {
            make_folder_of(&file)?;
            let mut open = OpenOptions::new().create(true).append(true).open(&file)?;
            open.write_all(if begun { &[] } else { &first })?;
            open.write_all(&lines)?;
            open.sync_all()?;
            sync_folder(&file)
        };
        blocking("write", &self.file.clone(), work).await?;
        self.begun = true;
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
    pub(super) records: Vec<Record>,
    /// Every file that was read, also those of which nothing is news any more.
    pub(super) files: Vec<PathBuf>,
}

impl Stranded {
    /// Reads the files that belong to this state.
    ///
    /// # Errors
    /// When one is damaged, or its secrets can't be opened.
    pub(super) async fn read(
        location: &Location,
        reading: &Reading,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, Diagnostic> {
        let Some(folder) = folder(location).filter(|_| !reading.open.is_empty() || reading.serial > 0) else {
            return Ok(Self::default());
        };
        let mut stranded = Self::default();
        let open: BTreeSet<&str> = reading.open.iter().map(|open| open.intent.id.as_str()).collect();
        let shown = folder.clone();
        for (file, bytes) in blocking("read", &shown, move || files(&folder)).await? {
            let Some(records) = records(location, reading, environment, (&file, &bytes)).await? else { continue };
            stranded.records.extend(records.into_iter().filter(|record| is_of(record, &open)));
            stranded.files.push(file);
        }
        Ok(stranded)
    }

    /// What the state is with them: in memory alone.
    pub(super) fn fold_into(&self, reading: &mut Reading) {
        for record in &self.records {
            if let Record::Outcome { effects, .. } = record {
                effects.iter().for_each(|effect| reading.snapshot.apply(effect));
            }
            note(&mut reading.open, record.clone());
        }
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

fn is_of(record: &Record, open: &BTreeSet<&str>) -> bool {
    match record {
        Record::Outcome { intent: Some(intent), .. } | Record::Created { intent, .. } => open.contains(intent.as_str()),
        _ => false,
    }
}

/// Every file of a folder with its content, in the order of names.
fn files(folder: &Path) -> io::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        entries => entries?,
    };
    let read = |entry: io::Result<fs::DirEntry>| {
        let path = entry?.path();
        let bytes = fs::read(&path)?;
        Ok((path, bytes))
    };
    entries.map(read).collect()
}

/// The records of a file; `None` when it is about another state of the same name.
async fn records(
    location: &Location,
    reading: &Reading,
    environment: &BTreeMap<String, String>,
    (file, bytes): (&Path, &[u8]),
) -> Result<Option<Vec<Record>>, Diagnostic> {
    let damaged = |why: String| {
        Diagnostic::error(format!("`{}` is damaged", file.display()))
            .detail(format!("{why}; it holds what became of requests of a run that lost its store"))
            .hint("move it away to go on without: what became of them is then found out from the services")
    };
    let mut keys = reading.keys.clone();
    let mut records = Vec::new();
    // A cut end was never answered for.
    for json in frames(bytes).map_err(&damaged)?.records {
        let line: LineV1<'_, Stored> = serde_json::from_slice(json).map_err(|error| damaged(error.to_string()))?;
        match line {
            LineV1::Begin(begin) if begin.uuid != reading.snapshot.uuid => return Ok(None),
            LineV1::Keys(wire) => {
                let source = KeySource::new(Arc::clone(&location.store), environment);
                keys = Keys::open(&location.stack(), source, wire).await?;
            }
            line => records.extend(line.into_record(&keys)?),
        }
    }
    if reading.keys.wire().is_none() {
        // The keys of that run never reached the store: whoever goes on makes new ones, and hashes with them.
        records.iter_mut().for_each(|record| hash_anew(record, &reading.keys));
    }
    Ok(Some(records))
}

fn hash_anew(record: &mut Record, keys: &Keys) {
    let Record::Outcome { effects, .. } = record else { return };
    for effect in effects {
        if let Effect::Put(state) = effect {
            let state = Arc::make_mut(state);
            state.input_hash = state.inputs.hash(&|value| keys.hmac(value));
        }
    }
}
