//! An example at work: a state folder of its own, the sandboxes in it, and what the program's user sees.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use platform_aws::sandbox::AwsSandbox;
use platform_databricks::sandbox::DatabricksSandbox;
use platform_sdk::sandbox::{Options, Service, attach_or_start, read_log};
use serde_json::Value;
use tempfile::TempDir;

use crate::{example, request, root};

/// A state folder of an example's own, with the worlds of its sandboxes in it.
#[derive(Debug)]
pub struct Place {
    dir: TempDir,
    program: PathBuf,
}

/// What a run of the program ended with.
#[derive(Debug)]
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// The one event of that name in the output of `--json`.
    ///
    /// # Panics
    /// When a line is not JSON, or the event is not there exactly once.
    #[track_caller]
    pub fn event(&self, name: &str) -> Value {
        let events = self.out.lines().map(|line| serde_json::from_str::<Value>(line).expect("each line is JSON"));
        let named: Vec<_> = events.filter(|event| event["event"] == name).collect();
        assert_eq!(named.len(), 1, "`{name}` in {self:?}");
        named[0].clone()
    }

    /// What the one `drift` event tells, as `address path`.
    ///
    /// # Panics
    /// When there is no such event.
    #[track_caller]
    pub fn drifted(&self) -> BTreeSet<String> {
        let steps = self.event("drift")["steps"].clone();
        let of = |step: &Value| {
            let address = step["address"].as_str().expect("an address").to_owned();
            let changes = step["changes"].as_array().expect("changes").clone();
            changes.into_iter().map(move |change| format!("{address} {}", change["path"].as_str().expect("a path")))
        };
        steps.as_array().expect("steps").iter().flat_map(of).collect()
    }
}

impl Place {
    /// For `examples/<name>.rs`, with nothing made yet.
    ///
    /// # Panics
    /// When the example does not compile.
    pub fn of(name: &str) -> Self {
        Self::running(example(name))
    }

    /// For any program that is built already.
    pub fn running(program: impl Into<PathBuf>) -> Self {
        Self { dir: tempfile::tempdir().expect("a temporary folder"), program: program.into() }
    }

    /// The same after `up`.
    ///
    /// # Panics
    /// When that fails.
    #[track_caller]
    pub fn up(name: &str) -> Self {
        let place = Self::of(name);
        let ran = place.run(&["up", "--sandbox", "--yes"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        place
    }

    /// Runs the program with these arguments.
    ///
    /// # Panics
    /// When it does not end by itself.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(&[], arguments)
    }

    /// The same with these variables in its environment, and no login of whoever runs the tests.
    ///
    /// # Panics
    /// When it does not end by itself.
    pub fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
        self.run_at(self.dir.path(), variables, arguments)
    }

    /// The same with state elsewhere.
    ///
    /// # Panics
    /// When it does not end by itself.
    pub fn run_at(&self, state: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let mut command = self.command(state, arguments);
        if !variables.is_empty() {
            command.env("HOME", self.sandbox());
        }
        command.envs(variables.iter().copied());
        let output = command.output().expect("the program starts");
        Ran {
            code: output.status.code().expect("it ends by itself"),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// The program's command line, to be run in whichever way: with state there, and no login of whoever runs the tests.
    pub fn command(&self, state: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).arg("--state").arg(state).current_dir(root());
        for (variable, _) in std::env::vars_os() {
            // Whoever runs the tests may be logged in somewhere, or have chosen another stack.
            let chosen = ["DATABRICKS_", "AWS_", "PLATFORM_"];
            if variable.to_str().is_some_and(|name| chosen.iter().any(|prefix| name.starts_with(prefix))) {
                command.env_remove(variable);
            }
        }
        command.env_remove("RUST_BACKTRACE");
        command
    }

    /// The requests for a change that reached the sandboxes so far.
    ///
    /// # Panics
    /// When a log can't be read.
    pub fn mutations(&self) -> Vec<String> {
        let logs = ["databricks", "aws"].map(|service| {
            let log = self.sandbox().join(service).join("requests.jsonl");
            if log.exists() { read_log(&log).expect("the log can be read") } else { Vec::new() }
        });
        let mutations = logs.iter().flatten().filter(|entry| entry.mutating);
        mutations.map(|entry| format!("{} {} {}", entry.n, entry.method, entry.path)).collect()
    }

    /// Every file of the state, by path.
    ///
    /// # Panics
    /// When one can't be read.
    pub fn state_files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(self.dir.path()).expect("the folder can be read") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() && path != self.sandbox() {
                collect(&path, &mut files);
            }
        }
        files
    }

    /// The keys of all documents of both worlds.
    ///
    /// # Panics
    /// When a sandbox does not answer.
    pub fn worlds(&self) -> BTreeSet<String> {
        let services: [Arc<dyn Service>; 2] = [Arc::new(DatabricksSandbox), Arc::new(AwsSandbox)];
        let keys = services.into_iter().flat_map(|service| {
            let name = service.name();
            let (_, world) = self.ask(service, "x-platform-sandbox: 1\r\n", ("GET", "/_sandbox/world"), "");
            let world: Value = serde_json::from_str(&world).expect("the world is JSON");
            let documents = world.as_object().expect("documents by key").clone();
            documents.into_iter().map(move |(key, _)| format!("{name}: {key}"))
        });
        // A workspace remembers the SQL statements that it ran: nobody can delete them.
        keys.filter(|key| !key.contains("/statements/")).collect()
    }

    /// A request of somebody else to Databricks, which must succeed: its answer.
    ///
    /// # Panics
    /// When it is refused.
    #[track_caller]
    pub fn databricks(&self, method: &str, path: &str, body: &Value) -> Value {
        self.databricks_in("", method, path, body)
    }

    /// The same to the workspace of this id.
    ///
    /// # Panics
    /// When it is refused.
    #[track_caller]
    pub fn databricks_in(&self, workspace: &str, method: &str, path: &str, body: &Value) -> Value {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let headers =
            if workspace.is_empty() { String::new() } else { format!("x-databricks-org-id: {workspace}\r\n") };
        let headers = format!("authorization: Bearer sandbox\r\n{headers}");
        let (head, answer) = self.ask(Arc::new(DatabricksSandbox), &headers, (method, path), &text);
        assert!(head.starts_with("HTTP/1.1 200 "), "{method} {path}: {head}\n{answer}");
        serde_json::from_str(&answer).expect("the answer is JSON")
    }

    /// A statement of somebody else on any warehouse, which must succeed.
    ///
    /// # Panics
    /// When there is no warehouse, or the statement fails.
    #[track_caller]
    pub fn sql(&self, statement: &str) {
        let warehouses = self.databricks("GET", "/api/2.0/sql/warehouses", &Value::Null);
        let body = serde_json::json!({"warehouse_id": warehouses["warehouses"][0]["id"], "statement": statement, "wait_timeout": "30s"});
        let answer = self.databricks("POST", "/api/2.0/sql/statements", &body);
        assert_eq!(answer["status"]["state"], "SUCCEEDED", "{answer}");
    }

    /// A request of somebody else to AWS, which must succeed. A body that begins with `Action=` is a form.
    ///
    /// # Panics
    /// When it is refused.
    #[track_caller]
    pub fn aws(&self, method: &str, path: &str, body: &str) {
        let form = body.starts_with("Action=");
        let (service, kind) = if form { ("iam", "x-www-form-urlencoded") } else { ("s3", "xml") };
        let scope = format!("AKIASANDBOX000000000/20260101/eu-west-1/{service}/aws4_request");
        let signed = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00");
        let headers = format!("authorization: {signed}\r\ncontent-type: application/{kind}\r\n");
        let (head, answer) = self.ask(Arc::new(AwsSandbox), &headers, (method, path), body);
        assert!(head.starts_with("HTTP/1.1 20"), "{method} {path}: {head}\n{answer}");
    }

    /// The answer's head and body.
    fn ask(&self, service: Arc<dyn Service>, headers: &str, call: (&str, &str), body: &str) -> (String, String) {
        let endpoint = attach_or_start(&self.sandbox(), service, Options::default()).expect("the sandbox starts");
        request(&endpoint.url, headers, call, body)
    }

    /// Where the state is.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    fn sandbox(&self) -> PathBuf {
        self.dir.path().join("sandbox")
    }
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the entry can be read").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            let content = fs::read(&path).expect("the file can be read");
            files.insert(path, content);
        }
    }
}
