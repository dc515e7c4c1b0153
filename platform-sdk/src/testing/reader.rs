//! Readers of outside bytes, held to their promise: whatever the bytes are, they answer, in time and memory that fit them.

use std::{
    env,
    fs::{self, File},
    io::{self, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::mutations::input;

/// In the process that reads: the folder that it reports to.
const INSIDE: &str = "PLATFORM_READER_INSIDE";

/// Another seed than the usual one.
const SEED: &str = "PLATFORM_READER_SEED";

/// More seconds than five.
const SECONDS: &str = "PLATFORM_READER_SECONDS";

/// How long one input may take, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the process that reads may allocate, in KiB: no input is as large as a thousandth of it.
const MEMORY: usize = 1 << 20;

/// The stack that it reads on: that of a worker of the runtime.
const STACK: usize = 2 << 20;

/// One reader of outside bytes.
///
/// ```no_run
/// use std::path::Path;
///
/// use platform_sdk::testing::Reader;
///
/// fn parse(bytes: &[u8]) -> Result<u64, std::num::ParseIntError> {
///     String::from_utf8_lossy(bytes).parse()
/// }
///
/// #[test]
/// fn a_number_is_read_from_anything() {
///     let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers/corpus/number");
///     let reader = Reader { test: "a_number_is_read_from_anything", corpus: &[corpus], read: |bytes| drop(parse(bytes)) };
///     println!("{}", reader.holds());
/// }
/// ```
pub struct Reader<'a> {
    /// The whole name of the test that this stands in, without its crate's: it is run once more, in a process of its own.
    pub test: &'a str,
    /// Files, and folders of files, that are read first and changed then.
    pub corpus: &'a [PathBuf],
    /// The reader. It may refuse; it may not panic, overflow its stack, hang, or take memory out of proportion.
    pub read: fn(&[u8]),
}

impl Reader<'_> {
    /// Reads the corpus, and for five seconds what seeded mutations make of it. Says with which seed, and how many there
    /// were.
    ///
    /// # Panics
    /// When the reader did not answer; says the input, and keeps it in a file.
    pub fn holds(&self) -> String {
        let corpus = corpus(self.corpus).expect("the corpus can be read");
        assert!(!corpus.is_empty(), "a corpus with something in it: {:?}", self.corpus);
        let seed = variable(SEED).unwrap_or(0x00c0_ffee);
        match env::var_os(INSIDE) {
            Some(folder) => {
                self.read_all(&corpus, seed, Path::new(&folder));
                String::new()
            }
            None => self.watch(&corpus, seed),
        }
    }

    /// Runs the test again where its death and its hunger hurt nobody.
    fn watch(&self, corpus: &[Vec<u8>], seed: u64) -> String {
        let folder = Folder::new();
        let mut child = self.spawn(&folder.0);
        let (mut last, mut since) = (0, Instant::now());
        let ended = loop {
            if let Some(status) = child.try_wait().expect("a process that was started") {
                break if status.success() { None } else { Some(format!("it died: {status}")) };
            }
            std::thread::sleep(Duration::from_millis(50));
            let now = progress(&folder.0);
            if now != last {
                (last, since) = (now, Instant::now());
            } else if since.elapsed() > PATIENCE {
                let _ = child.kill();
                let _ = child.wait();
                break Some(format!("it hung for {PATIENCE:?}"));
            }
        };
        let (name, number) = (self.test, progress(&folder.0));
        let said = fs::read_to_string(folder.0.join("said")).unwrap_or_default();
        let Some(why) = ended else {
            assert!(number > 0, "`{name}` read nothing, is that its whole name? {said}");
            return format!("{name}: seed {seed}, {number} inputs, {} of them the corpus", corpus.len());
        };
        let bytes = input(corpus, seed, number.saturating_sub(1));
        let kept = env::temp_dir().join(format!("{}-{seed}-{number}", name.replace("::", "-")));
        fs::write(&kept, &bytes).expect("a place to keep the input");
        let shown: String = String::from_utf8_lossy(&bytes).chars().take(300).collect();
        panic!(
            "{why}\nseed {seed}, input {number} of {} bytes, kept in {}: mend the reader and put it into the corpus\n\
             {shown:?}\n{said}",
            bytes.len(),
            kept.display()
        );
    }

    fn spawn(&self, folder: &Path) -> Child {
        let said = || Stdio::from(File::create(folder.join("said")).expect("a folder that can be written"));
        let own = env::current_exe().expect("a test knows its program");
        let mut command = Command::new("sh");
        // Where a shell can't bound memory, the rest still holds.
        command.arg("-c").arg(format!("ulimit -v {MEMORY} 2>/dev/null; exec \"$0\" \"$@\"")).arg(own);
        command.args([self.test, "--exact", "--nocapture", "--test-threads=1"]).env(INSIDE, folder);
        command.env("RUST_BACKTRACE", "0").env("MALLOC_ARENA_MAX", "2");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said());
        command.spawn().expect("a shell")
    }

    fn read_all(&self, corpus: &[Vec<u8>], seed: u64, folder: &Path) {
        let bound = Duration::from_secs(variable(SECONDS).unwrap_or(5));
        let read = self.read;
        let mut report = File::create(folder.join("progress")).expect("a folder that can be written");
        let work = || {
            let began = Instant::now();
            for number in 0.. {
                if number >= corpus.len() as u64 && began.elapsed() > bound {
                    return;
                }
                report.rewind().and_then(|()| report.write_all(&(number + 1).to_le_bytes())).expect("a file");
                read(&input(corpus, seed, number));
            }
        };
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).expect("a thread");
            assert!(thread.join().is_ok(), "it panicked");
        });
    }
}

fn variable(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

/// How many inputs were begun.
fn progress(folder: &Path) -> u64 {
    let mut bytes = [0; 8];
    let read = File::open(folder.join("progress")).and_then(|mut file| file.read_exact(&mut bytes));
    read.map_or(0, |()| u64::from_le_bytes(bytes))
}

/// The files, in the order of their names.
fn corpus(places: &[PathBuf]) -> io::Result<Vec<Vec<u8>>> {
    let mut files = Vec::new();
    for place in places {
        if place.is_dir() {
            for entry in fs::read_dir(place)? {
                files.push(entry?.path());
            }
        } else {
            files.push(place.clone());
        }
    }
    files.sort();
    files.iter().filter(|file| file.is_file()).map(fs::read).collect()
}

/// A folder for as long as it is needed.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = env::temp_dir().join(format!("platform-reader-{}", uuid::Uuid::new_v4().simple()));
        fs::create_dir(&folder).expect("a place for a folder");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
