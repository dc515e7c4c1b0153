//! People who share a stack: processes of one program on one store, and the world that they change.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The program of `src/bin/shop.rs`.
const SHOP: &str = env!("CARGO_BIN_EXE_shop");

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A stack, its store, and its world.
pub(crate) struct Team {
    folder: TempDir,
    state: String,
    environment: BTreeMap<String, String>,
}

/// A process at work.
pub(crate) struct Process(Child);

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Team {
    /// With state in a directory.
    pub(crate) fn in_a_directory() -> Self {
        Self::at("state", BTreeMap::new())
    }

    /// With state at a URL, which needs this environment.
    pub(crate) fn at(state: &str, mut environment: BTreeMap<String, String>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("world")).expect("made");
        let world = folder.path().join("world").display().to_string();
        let more = [("SHOP_WORLD", world.as_str()), ("USER", "ana"), ("HOSTNAME", "host-1")];
        environment.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
        Self { folder, state: state.to_owned(), environment }
    }

    /// The same stack from now on with these variables.
    pub(crate) fn set(&mut self, variables: &[(&str, &str)]) {
        self.environment.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    }

    /// The same stack from now on somewhere else.
    pub(crate) fn move_to(&mut self, state: &str) {
        state.clone_into(&mut self.state);
    }

    /// Where the processes run.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, line: &[&str]) -> Command {
        let mut command = Command::new(SHOP);
        command.args(line).args(["--state", &self.state]).current_dir(self.folder.path()).env_clear();
        command.envs(&self.environment).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Begins a command.
    pub(crate) fn start(&self, line: &[&str]) -> Process {
        Process(self.command(line).spawn().expect("the program starts"))
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, line: &[&str]) -> Ran {
        self.start(line).ended()
    }

    /// Runs a command after another one was killed or made to stand still. Its last beat may have been on its way: then it
    /// arrives as a sign of life, and the command has to be run again.
    pub(crate) fn run_in_its_place(&self, line: &[&str]) -> Ran {
        let ran = self.run(line);
        let lived = ran.err.contains("waiting for a sign of life") && ran.err.contains("is in use");
        if lived { self.run(line) } else { ran }
    }

    /// Runs a command that succeeds; what it printed.
    #[track_caller]
    pub(crate) fn done(&self, line: &[&str]) -> String {
        let ran = self.run(line);
        assert_eq!(ran.code, Some(0), "{line:?}: {ran:?}");
        ran.out
    }

    /// Waits until the world has that many parts.
    #[track_caller]
    pub(crate) fn until_parts(&self, count: usize) {
        let began = Instant::now();
        while self.parts().len() < count {
            assert!(began.elapsed() < PATIENCE, "{:?}", self.parts());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The names of the world's parts, in order; one that is there twice is named twice.
    pub(crate) fn parts(&self) -> Vec<String> {
        let files = fs::read_dir(self.folder.path().join("world")).expect("a world");
        let names = files.filter_map(|file| {
            let name = file.expect("an entry").file_name().into_string().expect("text");
            Some(name.strip_suffix(".json")?.split_once('-')?.1.to_owned())
        });
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// What stands on the world's parts.
    pub(crate) fn notes(&self) -> BTreeSet<String> {
        let files = fs::read_dir(self.folder.path().join("world")).expect("a world");
        let files = files.map(|file| file.expect("an entry").path());
        let parts = files.filter(|file| file.extension().is_some_and(|extension| extension == "json"));
        let read = |file| serde_json::from_slice(&fs::read(file).expect("a part")).expect("JSON");
        parts.map(read).map(|part: Value| part["note"].as_str().expect("a note").to_owned()).collect()
    }

    /// The stack's snapshots: serial, hash and parent of each.
    #[track_caller]
    pub(crate) fn history(&self) -> Vec<Value> {
        let said = self.done(&["history", "--json"]);
        let objects = said.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let snapshots = objects.filter(|object| object["event"] == "snapshot");
        snapshots.map(|snapshot| json!([snapshot["serial"], snapshot["hash"], snapshot["parent"]])).collect()
    }

    /// The requests for changes that this process sent so far: `create part-1`.
    pub(crate) fn requests_of(&self, process: u32) -> Vec<String> {
        let log = fs::read_to_string(self.folder.path().join("world/requests")).unwrap_or_default();
        let of_process = log.lines().filter_map(|line| line.strip_prefix(&format!("{process} ")));
        of_process.map(str::to_owned).collect()
    }

    /// The world has the first so many parts once, and state knows exactly these.
    #[track_caller]
    pub(crate) fn assert_whole(&self, count: usize) {
        let wanted: Vec<String> = (0..count).map(|part| format!("part-{part}")).collect();
        self.assert_exactly(&wanted.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// The world has each of these parts once, and state knows exactly these.
    #[track_caller]
    pub(crate) fn assert_exactly(&self, wanted: &[&str]) {
        let mut wanted = wanted.to_vec();
        wanted.sort_unstable();
        assert_eq!(self.parts(), wanted);
        let listed = self.done(&["state", "list"]);
        let known: BTreeSet<&str> =
            listed.split_whitespace().filter_map(|word| Some(word.split_once("shop:Part::")?.1)).collect();
        assert_eq!(known, wanted.iter().copied().collect(), "{listed}");
        let plan = self.run(&["plan", "--detailed-exitcode"]);
        assert_eq!(plan.code, Some(0), "nothing is left to do: {plan:?}");
    }
}

impl Process {
    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Waits until it stands still; not for one that ends instead.
    pub(crate) fn stands_still(&mut self) -> bool {
        let began = Instant::now();
        loop {
            let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap_or_default();
            // The state follows the name, which is in brackets.
            if stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('T')) {
                return true;
            }
            if self.0.try_wait().expect("a child").is_some() {
                return false;
            }
            assert!(began.elapsed() < PATIENCE, "{stat}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends it a signal: `STOP`, `CONT`, `KILL`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.id().to_string()]).status().expect("kill is there");
        assert!(sent.success(), "{name}");
    }

    /// Waits for its end.
    pub(crate) fn ended(self) -> Ran {
        let output = self.0.wait_with_output().expect("it ends");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}
