//! An example against its own sandbox as two processes: one serves, the other can be killed, and the world outlives it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;

use crate::{Place, request, told};

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
        let mut all = Vec::new();
        for (service, url) in &self.services {
            let world = self.control(service, "GET", "/_sandbox/world", &Value::Null);
            let documents = world.as_object().expect("documents by key").iter();
            all.extend(documents.map(|(key, document)| (format!("{service} {key}"), document.clone(), url.as_str())));
        }
        told(all.iter().map(|(key, document, url)| (key.as_str(), document, *url)))
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
