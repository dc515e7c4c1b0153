//! The words and colours of each operation: one table for plans, progress and summaries.

use super::style::Meaning;
use crate::{
    plan::{Op, Summary},
    provider::Changed,
};

/// The names that steps are counted by, in the order in which summaries count them.
pub(super) const NAMES: [&str; 11] =
    ["create", "adopt", "update", "follow", "replace", "delete", "forget", "read", "move", "options", "keep"];

/// How an operation is coloured.
pub(super) fn meaning(op: &Op) -> Meaning {
    match op {
        Op::Create | Op::Adopt => Meaning::Good,
        Op::Update => Meaning::Changed,
        Op::Replace { .. } | Op::Delete => Meaning::Bad,
        Op::Forget | Op::Read | Op::Move { .. } | Op::Options => Meaning::Moved,
        Op::Keep => Meaning::Aside,
    }
}

/// What a step does, beside its sign.
pub(super) fn phrase(op: &Op) -> String {
    match op {
        Op::Create => "create".to_owned(),
        Op::Adopt => "adopt".to_owned(),
        Op::Update => "update".to_owned(),
        Op::Replace { create_first: true } => "replace, create first".to_owned(),
        Op::Replace { create_first: false } => "replace, delete first".to_owned(),
        Op::Delete => "delete".to_owned(),
        Op::Forget => "forget, the object stays".to_owned(),
        Op::Read => "read".to_owned(),
        Op::Move { from } => format!("moved from {from}"),
        Op::Options => "options only, no call".to_owned(),
        Op::Keep => "keep".to_owned(),
    }
}

/// `creating`.
pub(super) fn doing(op: &Op) -> &'static str {
    match op {
        Op::Create => "creating",
        Op::Adopt => "adopting",
        Op::Update => "updating",
        Op::Replace { .. } => "replacing",
        Op::Delete => "deleting",
        Op::Forget => "forgetting",
        Op::Read => "reading",
        Op::Move { .. } => "moving",
        Op::Options => "recording options",
        Op::Keep => "keeping",
    }
}

/// `created`.
pub(super) fn done(op: &Op) -> &'static str {
    match op {
        Op::Create => "created",
        Op::Adopt => "adopted",
        Op::Update => "updated",
        Op::Replace { .. } => "replaced",
        Op::Delete => "deleted",
        Op::Forget => "forgotten",
        Op::Read => "read",
        Op::Move { .. } => "moved",
        Op::Options => "options recorded",
        Op::Keep => "kept",
    }
}

/// `could not be created`.
pub(super) fn failed(op: &Op) -> String {
    match op {
        Op::Options => "options could not be recorded".to_owned(),
        op => format!("could not be {}", done(op)),
    }
}

/// `, after 2 changes`: what a step has changed that did not come to its end; empty where that is nothing.
pub(super) fn all_the_same(changed: Changed) -> String {
    match changed {
        Changed::Nothing => String::new(),
        Changed::Perhaps => ", as far as is known".to_owned(),
        Changed::Times(1) => ", after 1 change".to_owned(),
        Changed::Times(times) => format!(", after {times} changes"),
    }
}

/// `3 to create, 1 to delete`; empty when nothing is to be done.
pub(super) fn to_do(summary: &Summary) -> String {
    counted(summary, |name, count| match name {
        "options" => format!("{count} with other options"),
        "follow" if count == 1 => "1 follows".to_owned(),
        "follow" => format!("{count} follow"),
        name => format!("{count} to {name}"),
    })
}

/// `3 created, 1 deleted, 1 done in part`; empty when nothing was done.
pub(super) fn was_done(summary: &Summary) -> String {
    counted(summary, |name, count| {
        let done = match name {
            "create" => "created",
            "adopt" => "adopted",
            "update" => "updated",
            "replace" => "replaced",
            "delete" => "deleted",
            "forget" => "forgotten",
            "read" => "read",
            "move" => "moved",
            Summary::PARTLY => "done in part",
            Summary::PERHAPS => "perhaps done",
            _ => "with other options",
        };
        format!("{count} {done}")
    })
}

fn counted(summary: &Summary, phrase: impl Fn(&str, usize) -> String) -> String {
    let names = NAMES.into_iter().chain([Summary::PARTLY, Summary::PERHAPS]);
    let names = names.filter(|name| *name != "keep" && summary.count(name) > 0);
    names.map(|name| phrase(name, summary.count(name))).collect::<Vec<_>>().join(", ")
}
