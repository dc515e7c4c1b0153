//! An example against its own sandbox as two processes: one serves, the other can be killed, and the world outlives it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{ask, example, root};

/// A program, the process that serves its sandbox, and a folder for state and world.
pub struct Served {
    program: PathBuf,
    dir: TempDir,
    server: Child,
    /// Where each service answers.
    pub services: BTreeMap<String, String>,
}

impl Served {
    /// Starts the sandbox of an example.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start(name: &str) -> Self {
        let (program, dir) = (example(name), tempfile::tempdir().expect("a temporary folder"));
        let mut serving = command(&program, &dir, &["sandbox", "--json"]);
        let mut server = serving.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the sandbox starts");
        let lines = BufReader::new(server.stdout.take().expect("piped")).lines();
        let said = lines.map(|line| serde_json::from_str::<Value>(&line.expect("text")).expect("each line is JSON"));
        let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        // The example's providers have two services between them.
        let services = said.take(2).map(|line| (text(&line, "service"), text(&line, "url"))).collect();
        Self { program, dir, server, services }
    }

    /// Runs a verb to its end, whichever that is, with this in its environment.
    ///
    /// # Panics
    /// When it does not start.
    pub fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        let mut command = command(&self.program, &self.dir, arguments);
        command.arg("--sandbox").envs(environment.iter().copied()).output().expect("the program starts")
    }

    /// Back to the beginning: no state, and the world as it was seeded.
    ///
    /// # Panics
    /// When that can't be done.
    pub fn reset(&self) {
        for url in self.services.values() {
            ask(url, "PUT", "/_sandbox/faults", &serde_json::json!({}));
            ask(url, "POST", "/_sandbox/reset", &Value::Null);
        }
        for entry in fs::read_dir(self.dir.path()).expect("the folder can be read").flatten() {
            if entry.path().is_dir() && entry.file_name() != "sandbox" {
                fs::remove_dir_all(entry.path()).expect("the state can be removed");
            }
        }
    }

    /// Everything that exists, without ids and times: what stays is what a person would compare.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub fn world(&self) -> BTreeSet<String> {
        let mut told = BTreeMap::<String, usize>::new();
        for (service, url) in &self.services {
            let world = ask(url, "GET", "/_sandbox/world", &Value::Null);
            for (key, document) in world.as_object().expect("documents by key") {
                // A workspace remembers the SQL statements that it ran; how often one was sent is not what exists.
                if !key.contains("/statements/") {
                    let mut document = document.clone();
                    forget_the_moment(&mut document);
                    let text = format!("{service} {key} {document}").replace(url.trim_start_matches("http://"), "_");
                    *told.entry(without_ids(&text)).or_default() += 1;
                }
            }
        }
        told.into_iter().map(|(document, times)| format!("{times} x {document}")).collect()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ended_already = self.server.kill();
        let _ended_already = self.server.wait();
    }
}

fn command(program: &PathBuf, dir: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).arg("--state").arg(dir.path()).current_dir(root());
    for (variable, _) in std::env::vars_os() {
        // Whoever runs the tests may be logged in somewhere, or have chosen another stack.
        let chosen = ["DATABRICKS_", "AWS_", "PLATFORM_"];
        if variable.to_str().is_some_and(|name| chosen.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(variable);
        }
    }
    command
}

/// How far compute has come with starting is a matter of time.
fn forget_the_moment(document: &mut Value) {
    if let Value::Object(fields) = document
        && fields.contains_key("_until")
    {
        for moment in ["_until", "_used_at", "health", "num_clusters", "state", "state_message"] {
            fields.remove(moment);
        }
    }
}

/// Ids and times are long runs of hexadecimal digits and hyphens.
fn without_ids(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    for piece in text.split_inclusive(|c| !part(c)) {
        let word = piece.trim_end_matches(|c| !part(c));
        let is_id = word.len() >= 13
            && word.contains(|c: char| c.is_ascii_digit())
            && word.chars().all(|c| c == '-' || matches!(c, '0'..='9' | 'a'..='f'));
        plain.push_str(if is_id { "_" } else { word });
        plain.push_str(&piece[word.len()..]);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::without_ids;

    #[test]
    fn ids_and_times_are_left_out_and_names_are_kept() {
        let told = r#"w/9007199254740995/x {"at":1795625415904,"id":"5a4d0b0c-ae00-4000-8000-000000000002","n":3}"#;
        assert_eq!(without_ids(told), r#"w/_/x {"at":_,"id":"_","n":3}"#);
        assert_eq!(without_ids("m6gd.large 15.4.x-scala2.12 111122223333"), "m6gd.large 15.4.x-scala2.12 111122223333");
    }
}
