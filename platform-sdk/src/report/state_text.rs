//! What state holds, for people and programs: lists, single resources, outputs. Secrets are shown as `[secret]`.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value, json};

use super::{
    escape::{clean, one_line},
    json::object,
    style::{Meaning, Paint},
    values::{Writing, count},
};
use crate::{
    desired::{Hash, Tree},
    state::{ResourceState, Snapshot, Status},
};

/// Addresses, one a line, with remarks on what is not in order.
pub fn state_list_text(snapshot: &Snapshot) -> String {
    let mut text = String::new();
    for state in snapshot.resources.values() {
        let _ = match &state.status {
            Status::Whole => writeln!(text, "{}", state.address),
            Status::Undeclared => writeln!(text, "{}  (not in the program yet)", state.address),
            Status::Partial(why) | Status::Making(why) => {
                writeln!(text, "{}  (not finished: {})", state.address, one_line(why))
            }
            Status::Unready(why) => writeln!(text, "{}  (not ready: {})", state.address, clean(why)),
        };
    }
    for state in &snapshot.pending_deletes {
        let _ = writeln!(text, "{}  (still to be deleted: {})", state.address, one_line(&state.id));
    }
    for address in snapshot.replacing.keys() {
        let _ = writeln!(text, "{address}  (deleted: its replacement is still to be made)");
    }
    text
}

/// A `resource` object for each of the stack's, without their inputs.
pub fn state_list_json(snapshot: &Snapshot) -> Vec<Value> {
    let one = |state: &ResourceState, status| {
        let (address, kind) = (&state.address, state.address.type_name());
        object("resource", json!({"address": address, "type": kind, "id": state.id, "status": status}))
    };
    let there = snapshot.resources.values().map(|state| match &state.status {
        Status::Whole => one(state, "whole"),
        Status::Undeclared => one(state, "undeclared"),
        Status::Partial(_) | Status::Making(_) => one(state, "partial"),
        Status::Unready(_) => one(state, "unready"),
    });
    let left = snapshot.pending_deletes.iter().map(|state| one(state, "to_be_deleted"));
    let gone = snapshot.replacing.values().map(|state| one(state, "to_be_made_again"));
    there.chain(left).chain(gone).collect()
}

/// Everything that state knows of a resource.
pub(crate) fn state_show_text(state: &ResourceState, input_hash: Option<&Hash>, colour: bool) -> String {
    let paint = Paint { colour };
    let mut text = format!("{}\n", paint.paint(Meaning::Heading, state.address.as_str()));
    let mut facts = vec![("id", one_line(&state.id)), ("provider", state.provider.kind.clone())];
    if let Some((scope, identity)) = &state.scope {
        facts.push(("scope", format!("{} {}", one_line(scope), one_line(identity))));
    }
    if let Status::Partial(why) | Status::Making(why) = &state.status {
        facts.push(("not finished", one_line(why)));
    }
    if let Status::Unready(why) = &state.status {
        facts.push(("not ready", clean(why)));
    }
    if state.status == Status::Undeclared {
        facts.push(("imported", "the program does not declare it yet".to_owned()));
    }
    facts.extend(input_hash.map(|hash| ("input hash", hash.to_string())));
    for (name, value) in facts {
        let _ = writeln!(text, "  {:14}{value}", format!("{name}:"));
    }
    let options = serde_json::to_value(&state.options).unwrap_or_default();
    let addresses = |set: &crate::desired::Addresses| {
        set.iter().flat_map(|address| ["    ", address.as_str(), "\n"]).collect::<String>()
    };
    for (title, body) in [
        ("Inputs", fields(&state.inputs.shown())),
        ("Outputs", fields(&state.outputs.shown())),
        ("Options", fields(&options)),
        ("Provider's configuration", fields(&state.provider.config)),
        ("Depends on", addresses(&state.dependencies)),
    ] {
        if !body.is_empty() {
            let _ = write!(text, "  {}\n{body}", paint.paint(Meaning::Heading, title));
        }
    }
    text
}

fn fields(value: &Value) -> String {
    let Some(entries) = value.as_object() else { return String::new() };
    let writing = Writing { unknown: false, whole: true };
    let width = entries.keys().map(|key| count(&clean(key)) + 1).max().unwrap_or(0);
    let mut text = String::new();
    for (key, entry) in entries {
        let label = format!("{}:", clean(key));
        match writing.lines(entry, 80).as_slice() {
            [line] => {
                let _ = writeln!(text, "    {label:width$} {line}");
            }
            lines => {
                let _ = writeln!(text, "    {label}");
                for line in lines {
                    let _ = writeln!(text, "      {line}");
                }
            }
        }
    }
    text
}

/// A `resource` object with everything that state knows of it. Without its hash, for there is no key to what is in that.
pub fn state_show_json(state: &ResourceState, input_hash: Option<&Hash>) -> Value {
    let (partial, unready) = match &state.status {
        Status::Whole | Status::Undeclared => (None, None),
        Status::Partial(why) | Status::Making(why) => (Some(why), None),
        Status::Unready(why) => (None, Some(why)),
    };
    object(
        "resource",
        json!({
            "address": state.address,
            "type": state.address.type_name(),
            "id": state.id,
            "provider": {"kind": state.provider.kind, "config": state.provider.config},
            "scope": state.scope,
            "schema_version": state.schema_version,
            "inputs": state.inputs.shown(),
            "outputs": state.outputs.shown(),
            "dependencies": state.dependencies,
            "parents": state.parents,
            "options": state.options,
            "input_hash": input_hash,
            "not_finished": partial,
            "not_ready": unready,
        }),
    )
}

/// All outputs, aligned.
pub fn outputs_text(exports: &BTreeMap<String, Tree>, show_secrets: bool) -> String {
    let width = exports.keys().map(|name| count(&clean(name)) + 1).max().unwrap_or(0);
    let writing = Writing { unknown: false, whole: true };
    let mut text = String::new();
    for (name, tree) in exports {
        let label = format!("{}:", clean(name));
        match writing.lines(&visible(tree, show_secrets), 80).as_slice() {
            [line] => {
                let _ = writeln!(text, "{label:width$} {line}");
            }
            lines => {
                let _ = writeln!(text, "{label}");
                for line in lines {
                    let _ = writeln!(text, "  {line}");
                }
            }
        }
    }
    text
}

/// All outputs under a heading, for the end of a run; nothing where there are none.
pub fn applied_outputs(exports: &BTreeMap<String, Tree>) -> String {
    if exports.is_empty() {
        return String::new();
    }
    let lines = outputs_text(exports, false);
    lines.lines().fold("\nOutputs\n".to_owned(), |text, line| text + "  " + line + "\n")
}

/// One output for a shell: text as it is, anything else as JSON.
pub fn output_text(tree: &Tree, show_secrets: bool) -> String {
    match visible(tree, show_secrets) {
        Value::String(text) => format!("{text}\n"),
        value => format!("{value}\n"),
    }
}

/// An `output` object.
pub fn output_json(name: &str, tree: &Tree, show_secrets: bool) -> Value {
    let value = visible(tree, show_secrets);
    object("output", json!({"name": name, "value": value, "secret": tree.has_secrets()}))
}

fn visible(tree: &Tree, show_secrets: bool) -> Value {
    if show_secrets { tree.exposed().shown() } else { tree.shown() }
}
