//! What pages do with the outcome of a call: name what was attempted, and take absence as an answer.

use std::fmt::Display;

use platform_sdk::provider::ProviderResult;

/// Conveniences on every outcome.
pub(crate) trait Outcome<T>: Sized {
    /// The same outcome, with what was attempted in front of an error: ``create cluster `etl`: ...``.
    fn while_doing(self, what: impl Display) -> ProviderResult<T>;

    /// `None` where the object is not there; every other error stays one.
    fn or_absent(self) -> ProviderResult<Option<T>>;
}

impl<T> Outcome<T> for ProviderResult<T> {
    fn while_doing(self, what: impl Display) -> ProviderResult<T> {
        self.map_err(|error| error.while_doing(what))
    }

    fn or_absent(self) -> ProviderResult<Option<T>> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}
