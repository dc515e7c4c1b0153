//! The plan as data: steps, their reasons and what they destroy; what reports show and applies carry out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Shown;
use crate::{
    desired::{Address, Hash, Name},
    report::Diagnostic,
};

/// What a step does. One case, one sign: `+ > ~ ± - x ? → =`, and keeps have none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// Make it.
    Create,
    /// Take an object that exists.
    Adopt,
    /// Change it in place.
    Update,
    /// Make a new one and delete the old.
    Replace {
        /// Which of the two comes first.
        create_first: bool,
    },
    /// Delete it.
    Delete,
    /// Drop it from state and leave the object.
    Forget,
    /// Read a lookup during the apply.
    Read,
    /// Its address changes; no call.
    Move {
        /// The address it had.
        from: Address,
    },
    /// Only its options change; no call.
    Options,
    /// Nothing differs.
    Keep,
}

impl Op {
    /// `create`, `replace`, ...: as JSON events and messages name it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Adopt => "adopt",
            Self::Update => "update",
            Self::Replace { .. } => "replace",
            Self::Delete => "delete",
            Self::Forget => "forget",
            Self::Read => "read",
            Self::Move { .. } => "move",
            Self::Options => "options",
            Self::Keep => "keep",
        }
    }

    /// The sign in front of a step.
    pub fn sign(&self) -> &'static str {
        match self {
            Self::Create => "+",
            Self::Adopt => ">",
            Self::Update => "~",
            Self::Replace { .. } => "±",
            Self::Delete => "-",
            Self::Forget => "x",
            Self::Read => "?",
            Self::Move { .. } => "→",
            Self::Options => "=",
            Self::Keep => " ",
        }
    }
}

/// Why a value differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It was not there.
    Add,
    /// It has another value.
    Change,
    /// It is taken away: back to its default.
    Remove,
    /// The program sets it no more, and it stays as it is: no call.
    Release,
    /// Reality was changed behind the program's back; the program's value is restored.
    Drift,
}

/// One value that differs. Fields in alphabetical order: a plan's id is a hash of this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What it is to be; secrets and unknowns as they may be shown.
    pub after: Option<Shown>,
    /// What it is.
    pub before: Option<Shown>,
    /// Why.
    pub kind: ChangeKind,
    /// Where.
    pub path: Name,
    /// It can't be done in place: this is why the step replaces.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replaces: bool,
    /// `after` is an expression whose value is not known yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unknown: bool,
}

/// One step. Fields in alphabetical order: a plan's id is a hash of this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The resource.
    pub address: Address,
    /// The values that differ.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// What is lost: `table lake.sales.orders with its data`, `column at of databricks:Table::orders`.
    #[serde(default)]
    pub destroys: Vec<String>,
    /// What a change in place does beside it: `restarts it if it is running`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
    /// The program says of it what it said: what it refers to changes, and so does it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub follows: bool,
    /// It may turn into a replacement once these expressions are known.
    #[serde(default, rename = "if", skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// What is done.
    pub op: Op,
    /// Why, beyond the changes: `not in the program any more`, `lives in databricks:Catalog::lake, which is replaced`.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// Contents that the stack does not own and that go along.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub takes_along: Vec<String>,
}

impl Step {
    /// The name that it is counted by: that of what it does, and `follow` where it only follows.
    pub fn counted(&self) -> &'static str {
        if self.follows { "follow" } else { self.op.name() }
    }
}

/// A secret that was not compared, for there is no key to it: whether it changes, nobody can say who made the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The resource; `None`: an output of the stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Where in its inputs, or which output.
    pub path: Name,
}

/// Compute that the plan starts or keeps running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// The resource.
    pub address: Address,
    /// `stops after 10 minutes without a query`.
    pub what: String,
}

/// Steps counted by what they do; of a plan's updates, those that only follow by themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Summary(pub BTreeMap<String, usize>);

impl Summary {
    /// What steps are counted by that changed something and did not come to their end.
    pub const PARTLY: &str = "partly";
    /// What steps are counted by of which nobody knows whether they changed anything.
    pub const PERHAPS: &str = "perhaps";

    /// How many steps do this, or have ended so.
    pub fn count(&self, op: &str) -> usize {
        self.0.get(op).copied().unwrap_or_default()
    }
}

/// Everything that an apply would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// `plan_id`: of the base snapshot, the desired hash and the steps.
    pub plan_id: Hash,
    /// The project.
    pub project: String,
    /// The stack.
    pub stack: String,
    /// The snapshot it starts from; `None` for an empty state.
    pub base: Option<Hash>,
    /// The program's hash.
    pub desired: Hash,
    /// Every step, keeps too, in the order in which an apply with one worker would take them.
    pub steps: Vec<Step>,
    /// The steps counted, by name.
    pub summary: Summary,
    /// Compute that will start, or is kept running.
    pub costs: Vec<Cost>,
    /// Changes of the stack's outputs.
    pub exports: Vec<Change>,
    /// What should be known besides.
    pub warnings: Vec<Diagnostic>,
    /// Reality was not read: `None` when it was, else why not.
    pub offline: Option<String>,
    /// The stack's secrets stayed sealed: `None` where there was a key to them, else why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyless: Option<String>,
    /// Secrets that were not compared for that reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sealed: Vec<Sealed>,
}

impl Plan {
    /// The steps that do something.
    pub fn changes(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.op != Op::Keep)
    }

    /// Whether an apply would do nothing.
    pub fn is_empty(&self) -> bool {
        self.changes().next().is_none() && self.exports.is_empty()
    }
}
