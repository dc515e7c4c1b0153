//! What can go wrong between the engine and a service, classified so that the engine never reads text.

use std::time::Duration;

/// How an answer is to be taken. The engine branches on this and on nothing else (contract clause 7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// The object that the call was about does not exist.
    NotFound,
    /// Something else than the object that the call was about does not exist: an owner, a principal, what it refers to.
    Missing {
        /// What the service says is missing: `analysts`.
        what: String,
    },
    /// An object with this natural key exists already.
    AlreadyExists,
    /// The object is in use, not empty, or was changed meanwhile.
    Conflict,
    /// The credentials are missing, wrong, or do not suffice.
    Denied,
    /// The service asks for fewer requests; `after` is its `Retry-After`.
    Throttled {
        /// How long the service asks to wait.
        after: Option<Duration>,
    },
    /// The object, or one that it depends on, can't take this call yet; trying again later will succeed.
    NotReady {
        /// How long to wait before the next try.
        after: Option<Duration>,
    },
    /// The service refuses the input.
    Invalid {
        /// Path of the field that is refused, where the service names it.
        field: Option<String>,
    },
    /// The request did not reach the service, so it had no effect (closed port, name not resolved, 503).
    Unavailable,
    /// The request was sent and its answer was lost or unreadable: it may have had its effect.
    Ambiguous,
    /// A wait ended before the object was ready; the object still exists.
    TimedOut,
    /// The object ended in a failed state.
    Failed {
        /// Only a new object can help.
        replace: bool,
    },
}

/// A failed call of a provider: what was attempted, what came back, what to do next.
///
/// Never holds a secret: providers build messages from names and ids only, and the engine scrubs known secrets again
/// (contract clause 9).
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ProviderError {
    /// How the engine takes it.
    pub kind: ErrorKind,
    /// One line, lower case, no full stop, naming the object: ``create catalog `lake`: permission denied``.
    pub message: String,
    /// The next step for the user, if there is a good one.
    pub hint: Option<String>,
    /// The service would do it with force: a delete with `force`, an update with [`Context::force`](super::Context::force).
    pub needs_force: bool,
    /// The cause, never repeated in `message`.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl ProviderError {
    /// An error of this kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, needs_force: false, source: None }
    }

    /// With the next step for the user.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Refused for the lack of force alone: the engine says how to ask for that.
    pub fn needing_force(mut self, needs: bool) -> Self {
        self.needs_force = needs;
        self
    }

    /// With its cause.
    pub fn caused_by(mut self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(cause));
        self
    }

    /// The same error with what was attempted put in front: ``create catalog `lake`: ...``.
    pub fn while_doing(mut self, what: impl std::fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Whether the object is gone.
    pub fn is_not_found(&self) -> bool {
        self.kind == ErrorKind::NotFound
    }
}

/// What a provider's call gives.
pub type ProviderResult<T> = std::result::Result<T, ProviderError>;
