//! What a program says about how a resource is managed, beside what the resource is.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, LazyLock},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::desired::Address;

/// An operation whose time can be bounded with `.timeout(..)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Creating, without the wait for readiness.
    Create,
    /// Reading.
    Read,
    /// Updating in place.
    Update,
    /// Deleting.
    Delete,
    /// Waiting until it can be used.
    Ready,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Ready => "ready",
        })
    }
}

/// Options of one resource, as the chain of calls on its handle leaves them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one option of its own")]
pub struct Options {
    /// Deleting and replacing are refused.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub protect: bool,
    /// A delete forgets instead.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub retain_on_delete: bool,
    /// Contents that the stack does not own may be deleted along, after consent.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub force_destroy: bool,
    /// Changes that break what uses it may be forced, after consent.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub force_update: bool,
    /// Existing objects with the natural key are taken over.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub adopt_existing: bool,
    /// Whether an apply waits until it is ready; unset leaves it to the resource and its dependents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<bool>,
    /// Overrides which of the two replacement orders is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_before_replace: Option<bool>,
    /// Paths whose changes are left alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore_changes: Vec<String>,
    /// Paths whose change asks for a replacement.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replace_on_changes: Vec<String>,
    /// Addresses it had before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moved_from: Vec<String>,
    /// The remote id to adopt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import: Option<String>,
    /// It dies with this resource: no delete call of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_with: Option<Address>,
    /// Bounds per operation, in milliseconds.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub timeouts_ms: BTreeMap<Operation, u64>,
}

impl Options {
    /// No options.
    pub(crate) fn none() -> Arc<Self> {
        static NONE: LazyLock<Arc<Options>> = LazyLock::new(Arc::default);

        Arc::clone(&NONE)
    }

    /// Shared with all that have none, where there are none.
    pub(crate) fn shared(self) -> Arc<Self> {
        let none = Self::none();
        if self == *none { none } else { self.into() }
    }

    /// The bound for an operation, if the program gave one.
    pub fn timeout(&self, operation: Operation) -> Option<Duration> {
        self.timeouts_ms.get(&operation).map(|ms| Duration::from_millis(*ms))
    }
}
