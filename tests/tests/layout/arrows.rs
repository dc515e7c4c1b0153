//! Which folder of `platform-sdk/src` may use which, and what the pure stages may not touch.

use std::collections::BTreeSet;

use super::{
    assert_none,
    code::{paths_from, words},
    sources::{self, Source},
};

/// Who uses whom, and why. Data moves down the stages; what is not here is not allowed.
const ARROWS: &[(&str, &[(&str, &str)])] = &[
    (
        "program",
        &[
            ("desired", "a handle knows its address, and an expression how it is shown"),
            ("provider", "a program lists its providers, and `Data` brings its own"),
            ("files", "the config file is found from any folder"),
            ("report", "a mistake in the program is a diagnostic"),
            ("cli", "`Program::main` is the command line"),
            ("sealing", "secrets of the config file are opened where they are read"),
            ("scrub", "an address is told without a login, and what is configured is kept secret"),
            ("panics", "a function of the program may panic"),
        ],
    ),
    (
        "desired",
        &[
            ("program", "the graph is made of what was written"),
            ("report", "a check that fails is a diagnostic"),
            ("state", "a rollback wants what a snapshot held"),
            ("canonical", "hashes are over canonical JSON, written into a digest"),
            ("scrub", "a secret that comes back is known again"),
        ],
    ),
    (
        "observe",
        &[
            ("desired", "what is read is found by address and compared as trees"),
            ("program", "a type's schema says what is read"),
            ("provider", "it reads"),
            ("report", "what can't be read is a diagnostic"),
            ("state", "state says what should be there"),
            ("scrub", "what can't be read is told without secrets"),
            ("panics", "a page may panic while it reads"),
        ],
    ),
    (
        "plan",
        &[
            ("desired", "what is wanted"),
            ("observe", "what was found; its types only, for nothing here reads"),
            ("program", "marks and options decide"),
            ("report", "a guard that refuses is a diagnostic"),
            ("state", "what was last applied"),
        ],
    ),
    (
        "apply",
        &[
            ("desired", "inputs are resolved just before their step"),
            ("observe", "connections, and settling what was not answered"),
            ("plan", "the steps"),
            ("program", "options bound a step"),
            ("provider", "it writes"),
            ("report", "progress is events"),
            ("state", "the journal comes first"),
            ("fault", "a test lets the process die between two requests"),
            ("scrub", "no secret leaves in what a provider says"),
            ("panics", "a page may panic in a step"),
        ],
    ),
    (
        "state",
        &[
            ("desired", "inputs are kept as trees, and hashed canonically"),
            ("program", "options and secrets are kept with a resource"),
            ("provider", "an outcome records the kind of an error"),
            ("report", "damage is a diagnostic"),
            ("files", "a store's folder is found as other files are"),
            ("sealing", "secrets are sealed one by one, and their key is wrapped"),
            ("fault", "a test lets the process die between two writes"),
            ("scrub", "an address is told without a login"),
        ],
    ),
    (
        "sealing",
        &[
            ("files", "a key file is read only where it is a file"),
            ("provider", "a service that wraps keys fails as other services do"),
            ("report", "a missing or wrong key is a diagnostic"),
        ],
    ),
    (
        "report",
        &[
            ("desired", "addresses and trees are shown"),
            ("plan", "steps are shown"),
            ("program", "Rust is printed by a type's schema"),
            ("provider", "a provider's error is shown with its hint"),
            ("state", "resources are shown"),
            ("scrub", "a diagnostic is told without secrets"),
        ],
    ),
    (
        "cli",
        &[
            ("apply", "flags become settings of an apply"),
            ("desired", "addresses are arguments"),
            ("engine", "a verb is one call of it"),
            ("files", "`config set` finds the file"),
            ("observe", "flags become settings of a refresh"),
            ("panics", "no panic of the process shows a secret"),
            ("plan", "flags become settings of a plan"),
            ("program", "the program that it runs"),
            ("provider", "`doctor` asks for the login"),
            ("report", "it prints"),
            ("sandbox", "`sandbox` serves"),
            ("state", "`--state` names a store"),
        ],
    ),
    (
        "engine",
        &[
            ("apply", "stage"),
            ("cli", "a verb is given its arguments and surroundings"),
            ("desired", "stage"),
            ("observe", "stage"),
            ("plan", "stage"),
            ("program", "stage"),
            ("provider", "providers are connected"),
            ("report", "events are handed on"),
            ("sandbox", "`--sandbox` redirects providers"),
            ("state", "stage"),
            ("files", "the state directory is found as other files are"),
        ],
    ),
    (
        "provider",
        &[
            ("desired", "inputs become a page's typed struct"),
            ("program", "resources and their schemas"),
            ("sandbox", "a provider may bring a sandbox"),
        ],
    ),
    (
        "sandbox",
        &[
            ("report", "a world that can't be opened is a diagnostic"),
            ("files", "a world is read only where it is a file, and replaced as a whole"),
        ],
    ),
    (
        "testing",
        &[
            ("apply", "stage"),
            ("cli", "whole commands"),
            ("desired", "stage"),
            ("engine", "whole runs"),
            ("observe", "stage"),
            ("plan", "stage"),
            ("program", "a user's program"),
            ("provider", "the in-memory provider"),
            ("report", "plans as text"),
            ("sandbox", "a provider may bring a sandbox"),
            ("state", "stage"),
        ],
    ),
    ("files", &[("report", "a missing file is a diagnostic")]),
    ("canonical", &[]),
    ("scrub", &[]),
    ("panics", &[("scrub", "a panic may quote a secret")]),
    ("fault", &[]),
];

/// What a name at the crate's top stands for.
fn folder_of(name: &str) -> Option<&str> {
    match name {
        "Result" | "Error" => None,
        "Diagnostic" => Some("report"),
        "derive" | "prelude" | "__private" | "plain_input" | "names" => Some("program"),
        name if name.starts_with(char::is_uppercase) || name == "interpolate" => Some("program"),
        name => Some(name),
    }
}

fn forbidden_arrows(source: &Source) -> Vec<String> {
    let Some(inside) = source.path.strip_prefix("platform-sdk/src/") else { return Vec::new() };
    let from = inside.split('/').next().unwrap_or_default().trim_end_matches(".rs");
    if from == "lib" {
        return Vec::new();
    }
    let Some((_, allowed)) = ARROWS.iter().find(|(folder, _)| *folder == from) else {
        return vec![format!(
            "{}: `{from}` is no folder of the layout: give it a row in tests/tests/layout/arrows.rs",
            source.path
        )];
    };
    let names: BTreeSet<_> = paths_from(&words(source), &["crate", "platform_sdk"]).into_iter().collect();
    let used = names.iter().filter_map(|name| folder_of(name)).filter(|to| *to != from);
    let wrong = used.filter(|to| !allowed.iter().any(|(name, _)| name == to));
    wrong.map(|to| format!("{}: `{from}` may not use `{to}`", source.path)).collect()
}

/// What a pure stage may not name, and what it would be.
const IMPURE: &[(&str, &str)] = &[
    ("async", "async"),
    ("await", "async"),
    ("tokio", "I/O"),
    ("futures", "async"),
    ("async_trait", "async"),
    ("reqwest", "I/O"),
    ("fs", "I/O"),
    ("net", "I/O"),
    ("io", "I/O"),
    ("process", "I/O"),
    ("env", "the environment"),
    ("thread", "threads"),
    ("Instant", "a clock"),
    ("SystemTime", "a clock"),
    ("now_utc", "a clock"),
    ("now_local", "a clock"),
    ("rand", "randomness"),
    ("getrandom", "randomness"),
    ("uuid", "randomness"),
    ("Uuid", "randomness"),
    ("RandomState", "randomness"),
    ("HashMap", "random order"),
    ("HashSet", "random order"),
];

fn impurities(source: &Source) -> Vec<String> {
    let pure = ["platform-sdk/src/desired/", "platform-sdk/src/plan/"];
    if !pure.iter().any(|folder| source.path.starts_with(folder)) {
        return Vec::new();
    }
    let words: BTreeSet<_> = words(source).into_iter().collect();
    let found = IMPURE.iter().filter(|(word, _)| words.contains(*word));
    found.map(|(word, what)| format!("{}: `{word}` is {what}, and this stage is pure", source.path)).collect()
}

#[test]
fn folders_of_the_sdk_use_only_what_the_layers_allow() {
    assert_none(sources::all(".rs").iter().flat_map(forbidden_arrows).collect());
}

#[test]
fn desired_and_plan_are_pure() {
    assert_none(sources::all(".rs").iter().flat_map(impurities).collect());
}

#[test]
fn an_arrow_against_the_layers_is_caught() {
    for bad in ["use crate::apply::Run;", "fn f() { crate::apply::go(); }", "use crate::{Result, apply::{Run, go}};"] {
        let complaints = forbidden_arrows(&Source::sample("platform-sdk/src/plan/build.rs", bad));
        assert_eq!(complaints, ["platform-sdk/src/plan/build.rs: `plan` may not use `apply`"], "{bad}");
    }
    let own = Source::sample("platform-sdk/src/plan/build.rs", "use crate::{plan::Step, Id, desired::Tree};");
    assert_eq!(forbidden_arrows(&own), [""; 0]);
    let new = Source::sample("platform-sdk/src/elsewhere/mod.rs", "");
    assert_eq!(forbidden_arrows(&new).len(), 1);
}

#[test]
fn an_impure_stage_is_caught() {
    for bad in [
        "async fn f() {}",
        "use std::fs::File;",
        "use std::{collections::BTreeMap, net::TcpStream};",
        "fn f() { std::time::Instant::now(); }",
        "use std::time::SystemTime;",
        "fn f() { tokio::spawn(g()); }",
        "fn f() { uuid::Uuid::new_v4(); }",
        "use std::collections::HashMap;",
    ] {
        assert!(!impurities(&Source::sample("platform-sdk/src/desired/graph.rs", bad)).is_empty(), "{bad}");
        assert!(impurities(&Source::sample("platform-sdk/src/apply/live.rs", bad)).is_empty(), "{bad}");
    }
    let quoted = Source::sample("platform-sdk/src/desired/graph.rs", "// async\nconst WORD: &str = \"Instant\";");
    assert_eq!(impurities(&quoted), [""; 0]);
}
