//! The life of the `prod` example as its user sees it: the built program, its exit codes and output, and the requests
//! that reach the sandbox.

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
use platform_tests::{ask, example, root};
use serde_json::{Value, json};
use tempfile::TempDir;

const LAKE: &str = "/api/2.1/unity-catalog/catalogs/lake";

#[test]
fn a_second_up_asks_for_no_change_and_writes_nothing() {
    let place = Place::up();
    let before = (place.mutations(), place.state_files());
    assert!(!before.0.is_empty() && !before.1.is_empty(), "the first run did nothing");

    let again = place.prod(&["up", "--sandbox", "--yes"]);

    assert_eq!(again.code, 0, "{again:?}");
    assert!(again.out.contains("No changes"), "{}", again.out);
    assert_eq!(place.mutations(), before.0);
    assert!(place.state_files() == before.1, "a file of the state is another");
}

#[test]
fn after_up_a_plan_has_no_changes_with_and_without_reading_reality() {
    let place = Place::new();
    let first = place.prod(&["plan", "--detailed-exitcode", "--sandbox"]);
    assert_eq!(first.code, 2, "everything is to be created: {first:?}");
    assert_eq!(place.prod(&["up", "--sandbox", "--yes"]).code, 0);

    for command in
        [&["plan", "--detailed-exitcode", "--sandbox"][..], &["plan", "--detailed-exitcode", "--sandbox", "--offline"]]
    {
        let ran = place.prod(command);
        assert_eq!(ran.code, 0, "{command:?}: {ran:?}");
        assert!(ran.out.contains("No changes"), "{command:?}: {}", ran.out);
    }
}

#[test]
fn drift_shows_the_one_field_that_somebody_changed_and_up_heals_it() {
    let place = Place::up();
    assert_eq!(place.prod(&["drift", "--sandbox"]).code, 0, "nothing has drifted yet");
    place.databricks("PATCH", LAKE, &json!({"comment": "by hand"}));

    let drift = place.prod(&["drift", "--sandbox", "--json"]);
    assert_eq!(drift.code, 2, "{drift:?}");
    let steps = drift.event("drift")["steps"].clone();
    assert_eq!(steps.as_array().map(Vec::len), Some(1), "{steps:#}");
    assert_eq!(steps[0]["address"], "databricks:Catalog::lake");
    let changes = steps[0]["changes"].as_array().expect("a step has changes");
    let paths: Vec<_> = changes.iter().map(|change| &change["path"]).collect();
    assert_eq!(paths, ["comment"], "{steps:#}");
    let told = [&changes[0]["before"], &changes[0]["after"]];
    assert!(told.contains(&&json!("by hand")) && told.contains(&&json!("Everything that we know")), "{steps:#}");

    assert_eq!(place.prod(&["up", "--sandbox", "--yes"]).code, 0);
    assert_eq!(place.databricks("GET", LAKE, &Value::Null)["comment"], "Everything that we know");
    assert_eq!(place.prod(&["drift", "--sandbox"]).code, 0);
}

#[test]
fn destroy_leaves_the_worlds_as_they_were_and_up_wants_the_same_again() {
    let place = Place::new();
    let fresh = place.worlds();
    let first = place.prod(&["up", "--sandbox", "--yes", "--json"]);
    assert_eq!(first.code, 0, "{first:?}");
    assert_ne!(place.worlds(), fresh);

    let destroyed = place.prod(&["destroy", "--sandbox", "--yes", "--allow-data-loss=all"]);
    assert_eq!(destroyed.code, 0, "{destroyed:?}");
    assert_eq!(place.worlds(), fresh);

    let second = place.prod(&["up", "--sandbox", "--yes", "--json"]);
    assert_eq!(second.code, 0, "{second:?}");
    let hashes = [&first, &second].map(|run| run.event("plan")["desired"].clone());
    assert!(hashes[0].is_string(), "{first:?}");
    assert_eq!(hashes[0], hashes[1]);
}

#[test]
fn destroy_without_consent_names_what_would_be_lost_and_changes_nothing() {
    let place = Place::up();
    let before = (place.mutations(), place.state_files());

    let refused = place.prod(&["destroy", "--sandbox", "--yes"]);

    assert_eq!(refused.code, 1, "{refused:?}");
    for address in [
        "databricks:Catalog::lake",
        "databricks:Schema::bronze",
        "databricks:Schema::silver",
        "databricks:Schema::gold",
        "databricks:Table::bronze-orders",
        "databricks:Table::orders",
        "databricks:Table::daily-revenue",
        "aws:Bucket::landing",
    ] {
        assert!(refused.err.contains(&format!("`{address}` would destroy data")), "{address}: {}", refused.err);
    }
    assert!(!refused.err.contains("databricks:Volume::dump"), "an external volume's files stay: {}", refused.err);
    assert_eq!(place.mutations(), before.0);
    assert!(place.state_files() == before.1, "a file of the state is another");
}

/// A state folder of its own, with the worlds of its sandbox in it.
struct Place {
    dir: TempDir,
    program: PathBuf,
}

/// What a run of the program ended with.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    /// The one event of that name in the output of `--json`.
    fn event(&self, name: &str) -> Value {
        let events = self.out.lines().map(|line| serde_json::from_str::<Value>(line).expect("each line is JSON"));
        let named: Vec<_> = events.filter(|event| event["event"] == name).collect();
        assert_eq!(named.len(), 1, "`{name}` in {self:?}");
        named[0].clone()
    }
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a temporary folder"), program: example("prod") }
    }

    /// The platform is up.
    fn up() -> Self {
        let place = Self::new();
        let ran = place.prod(&["up", "--sandbox", "--yes"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        place
    }

    fn prod(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(&self.program);
        command.args(arguments).arg("--state").arg(self.dir.path()).current_dir(root());
        for (variable, _) in std::env::vars_os() {
            // Whoever runs the tests may be logged in somewhere, or have chosen another stack.
            let chosen = ["DATABRICKS_", "AWS_", "PLATFORM_"];
            if variable.to_str().is_some_and(|name| chosen.iter().any(|prefix| name.starts_with(prefix))) {
                command.env_remove(variable);
            }
        }
        let output = command.output().expect("the program starts");
        Ran {
            code: output.status.code().expect("it ends by itself"),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// The requests for a change that reached the sandbox so far.
    fn mutations(&self) -> Vec<String> {
        let logs = ["databricks", "aws"].map(|service| {
            read_log(&self.sandbox().join(service).join("requests.jsonl")).expect("the log can be read")
        });
        let mutations = logs.iter().flatten().filter(|entry| entry.mutating);
        mutations.map(|entry| format!("{} {} {}", entry.n, entry.method, entry.path)).collect()
    }

    /// Every file of the state, by path.
    fn state_files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.dir.path().join("acme-data"), &mut files);
        files
    }

    /// The keys of all documents of both worlds.
    fn worlds(&self) -> BTreeSet<String> {
        let services: [Arc<dyn Service>; 2] = [Arc::new(DatabricksSandbox), Arc::new(AwsSandbox)];
        let keys = services.into_iter().flat_map(|service| {
            let name = service.name();
            let world = self.ask(service, "GET", "/_sandbox/world", &Value::Null);
            let documents = world.as_object().expect("documents by key").clone();
            documents.into_iter().map(move |(key, _)| format!("{name}: {key}"))
        });
        // A workspace remembers the SQL statements that it ran: nobody can delete them.
        keys.filter(|key| !key.contains("/statements/")).collect()
    }

    /// A request of somebody else to the workspace.
    fn databricks(&self, method: &str, path: &str, body: &Value) -> Value {
        self.ask(Arc::new(DatabricksSandbox), method, path, body)
    }

    fn ask(&self, service: Arc<dyn Service>, method: &str, path: &str, body: &Value) -> Value {
        let endpoint = attach_or_start(&self.sandbox(), service, Options::default()).expect("the sandbox starts");
        ask(&endpoint.url, method, path, body)
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
