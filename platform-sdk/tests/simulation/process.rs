//! One command as a process: begins, may die, may be interrupted, ends.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    pin::Pin,
    sync::Arc,
};

use platform_sdk::{
    state::{self, Location, Reading, World},
    testing::{self, Said},
};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::runtime::Runtime;

use crate::{
    cloud::{Cloud, Life, Record},
    disk::Disk,
    program::{address, program},
    scenario::{Command, Spec, Verb},
};

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// With this exit code.
    Exit(u8),
    /// It was killed.
    Died,
    /// It panicked.
    Panicked(String),
}

/// What one process did.
#[derive(Debug, Clone)]
pub(crate) struct Ran {
    pub(crate) end: End,
    pub(crate) record: Record,
    /// The objects that it printed.
    pub(crate) said: Vec<Value>,
}

impl Ran {
    /// The last plan that it printed.
    pub(crate) fn plan(&self) -> Option<&Value> {
        self.said.iter().rev().find(|object| object["event"] == "plan")
    }

    /// What it complained of: diagnostics, and failures of steps.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let of = |said: &Value| format!("{} ({})", text(&said["summary"]), text(&said["detail"]));
        let complaints = self.said.iter().filter_map(|said| match said["event"].as_str() {
            Some("diagnostic") => Some(of(said)),
            Some("step_finished") if said["error"].is_object() => Some(of(&said["error"])),
            _ => None,
        });
        complaints.map(|text| without_run(&text)).collect()
    }
}

/// A complaint without the id of a run, which is another each time.
fn without_run(text: &str) -> String {
    match text.split_once("(run ") {
        Some((before, after)) => format!("{before}{}", after.split_once(')').map_or("", |(_, rest)| rest)),
        None => text.to_owned(),
    }
}

fn at(ms: u64) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + std::time::Duration::from_millis(ms)
}

/// The environment of every process.
fn environment() -> BTreeMap<String, String> {
    let entries = [("USER", "ana"), ("HOSTNAME", "host-1")];
    entries.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The arguments of a command.
pub(crate) fn line(command: &Command, spec: &Spec, saved: Option<&Path>) -> Vec<String> {
    let mut line: Vec<String> = match command.verb {
        Verb::Up | Verb::UpSaved => vec!["up"],
        Verb::UpOffline => vec!["up", "--offline"],
        Verb::Destroy => vec!["destroy"],
        Verb::Plan => vec!["plan", "--detailed-exitcode"],
        Verb::PlanOffline => vec!["plan", "--detailed-exitcode", "--offline"],
        Verb::Drift => vec!["drift"],
        Verb::DriftAccept => vec!["drift", "--accept"],
    }
    .into_iter()
    .map(str::to_owned)
    .collect();
    let mut add = |flag: &str, value: String| line.extend([flag.to_owned(), value]);
    add("--parallel", command.parallel.max(1).to_string());
    if command.consent {
        add("--allow-data-loss", "all".to_owned());
    }
    let at = |slot: Option<u8>| spec.items.get(&slot?).map(|item| address(item.kind, item.path));
    for (flag, slot) in [("--target", command.target), ("--exclude", command.exclude), ("--replace", command.replace)] {
        if let Some(address) = at(slot) {
            add(flag, address);
        }
    }
    if let Some(file) = saved {
        add("--plan", file.display().to_string());
    }
    line.extend(["--yes".to_owned(), "--json".to_owned()]);
    if command.fail_fast {
        line.push("--fail-fast".to_owned());
    }
    line
}

/// A process that may be waited for, and stand still in between.
pub(crate) struct Running {
    cloud: Cloud,
    disk: Disk,
    life: Life,
    said: Said,
    future: Pin<Box<dyn Future<Output = u8>>>,
    runtime: Runtime,
}

/// Begins a command line of a spec's program.
pub(crate) fn start(cloud: &Cloud, disk: &Disk, spec: &Spec, line: Vec<String>, command: &Command) -> Running {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O needs nothing");
    let said = Said::default();
    let ends = runtime.block_on(async { cloud.begin(command.trouble()) });
    let of = cloud.clone();
    let command = testing::Command {
        program: program(spec, cloud),
        line,
        store: Arc::new(disk.clone()),
        folder: None,
        environment: environment(),
        clock: Arc::new(move || at(of.now())),
        stop: ends.stop.clone(),
        said: said.clone(),
    };
    let future = Box::pin(command.run());
    Running { cloud: cloud.clone(), disk: disk.clone(), life: ends, said, future, runtime }
}

impl Running {
    /// Lets it run until it ends; `None` when it stands still.
    pub(crate) fn go_on(&mut self) -> Option<End> {
        loop {
            let end = self.until_it_stops();
            // What has left in the same moment arrives first.
            if end.is_some() || !self.cloud.still_sends() {
                return end;
            }
        }
    }

    fn until_it_stops(&mut self) -> Option<End> {
        let Self { life, future, runtime, .. } = self;
        let end = catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(async {
                tokio::select! {
                    biased;
                    () = life.died.notified() => Some(End::Died),
                    () = life.paused.notified() => None,
                    code = future => Some(End::Exit(code)),
                }
            })
        }));
        end.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Some(End::Panicked(text.unwrap_or_default()))
        })
    }

    /// Stands still while something else happens.
    pub(crate) fn meanwhile<T>(&mut self, else_happens: impl FnOnce() -> T) -> T {
        // Without its runtime, time would be the machine's.
        let process = {
            let _within = self.runtime.enter();
            self.cloud.suspend()
        };
        let happened = else_happens();
        self.runtime.block_on(self.cloud.resume(process));
        happened
    }

    /// What it has printed so far.
    pub(crate) fn said(&self) -> Vec<Value> {
        objects(&self.said)
    }

    /// How many mutating requests it has sent so far.
    pub(crate) fn requests(&self) -> u16 {
        self.cloud.requests()
    }

    /// It is over.
    pub(crate) fn over(self, end: End) -> Ran {
        let Self { cloud, disk, said, future, runtime, .. } = self;
        let number = cloud.process();
        let record = {
            // Without its runtime, time would be the machine's.
            let _within = runtime.enter();
            drop(future);
            cloud.end()
        };
        drop(runtime);
        disk.ended(number);
        Ran { end, record, said: objects(&said) }
    }
}

fn objects(said: &Said) -> Vec<Value> {
    said.out().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// What is in state, looked at without leaving a trace.
pub(crate) fn state_of(disk: &Disk) -> Result<Reading, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without I/O needs nothing");
    let location = Location::within(Arc::new(disk.clone()), "sim", "s").expect("plain names");
    runtime.block_on(state::read(&location, World::Real, &environment())).map_err(|error| error.to_string())
}
