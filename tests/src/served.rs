//! An example against its own sandbox as two processes: one serves, the other can be killed, and the world outlives it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;

use crate::{Place, request};

/// A program, the process that serves its sandbox, and a folder for state and world.
#[derive(Debug)]
pub struct Served {
    place: Place,
    server: Child,
    services: BTreeMap<String, String>,
}

impl Served {
    /// Starts the sandbox of an example.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start(name: &str) -> Self {
        let place = Place::of(name);
        let mut serving = place.command(place.path(), &["sandbox", "--json"]);
        let mut server = serving.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the sandbox starts");
        let lines = BufReader::new(server.stdout.take().expect("piped")).lines();
        let said = lines.map(|line| serde_json::from_str::<Value>(&line.expect("text")).expect("each line is JSON"));
        let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        // The examples' providers have two services between them.
        let services = said.take(2).map(|line| (text(&line, "service"), text(&line, "url"))).collect();
        Self { place, server, services }
    }

    /// The folder of state and world.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The program's command line against the served sandbox.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(self.place.path(), arguments);
        command.arg("--sandbox");
        command
    }

    /// Runs a verb to its end, whichever that is, with this in its environment.
    ///
    /// # Panics
    /// When it does not start.
    pub fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        self.command(arguments).envs(environment.iter().copied()).output().expect("the program starts")
    }

    /// Back to the beginning: no state, and the world as it was seeded.
    ///
    /// # Panics
    /// When that can't be done.
    pub fn reset(&self) {
        for service in self.services.keys() {
            self.faults(service, &serde_json::json!({}));
            self.control(service, "POST", "/_sandbox/reset", &Value::Null);
        }
        for entry in fs::read_dir(self.place.path()).expect("the folder can be read").flatten() {
            if entry.path().is_dir() && entry.file_name() != "sandbox" {
                fs::remove_dir_all(entry.path()).expect("the state can be removed");
            }
        }
    }

    /// Lets a service behave badly from now on.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn faults(&self, service: &str, faults: &Value) {
        self.control(service, "PUT", "/_sandbox/faults", faults);
    }

    /// The requests that reached a service, oldest first.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn log(&self, service: &str) -> Vec<Value> {
        let log = self.control(service, "GET", "/_sandbox/log?since=0", &Value::Null);
        log.as_array().expect("entries").clone()
    }

    /// The answer of a service to its administrator.
    fn control(&self, service: &str, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = "content-type: application/json\r\nx-platform-sandbox: 1\r\n";
        let (head, answer) = request(&self.services[service], headers, (method, path), &body);
        assert!(head.starts_with("HTTP/1.1 200 "), "{method} {path}: {head}\n{answer}");
        serde_json::from_str(&answer).expect("the answer is JSON")
    }

    /// Everything that exists, without ids and times: what stays is what a person would compare.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub fn world(&self) -> BTreeSet<String> {
        let mut told = BTreeMap::<String, usize>::new();
        for (service, url) in &self.services {
            let world = self.control(service, "GET", "/_sandbox/world", &Value::Null);
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

/// The last lines that a run wrote for people.
pub fn said(output: &Output) -> String {
    let err = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = err.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
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
