//! References to other stacks: their outputs, typed, as values of this one.

use std::panic::Location;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Output, stack::Stack};

/// What of another stack a program reads.
#[derive(Debug, Clone)]
pub struct ReferredStack {
    /// `<project>/<stack>`, or the name of a stack of this project.
    pub stack: String,
    /// Where its state is, as `--state` takes it; `None`: where this stack's is.
    pub place: Option<String>,
    /// The outputs that are read.
    pub outputs: Vec<ReferredOutput>,
}

/// One output that is read.
#[derive(Debug, Clone)]
pub struct ReferredOutput {
    /// Its name.
    pub name: String,
    /// The type that it is read as, in Rust.
    pub rust_type: &'static str,
    /// Whether a value has that type; why not.
    pub fits: fn(Value) -> Result<(), String>,
    /// Where the program reads it.
    pub at: String,
}

/// Another stack, whose outputs are read from its state whenever this one is planned: from its last snapshot.
#[derive(Debug, Clone)]
pub struct StackReference {
    stack: Stack,
    of: String,
    place: Option<String>,
}

impl StackReference {
    pub(super) fn new(stack: Stack, of: &str) -> Self {
        Self { stack, of: of.to_owned(), place: None }
    }

    /// The other stack's state is in this place, written as `--state` takes it, and not where this stack's is.
    pub fn at(self, place: &str) -> Self {
        Self { place: Some(place.to_owned()), ..self }
    }

    /// One of its outputs. That it is there and has this type is checked before anything is planned; one that is secret
    /// there is secret here.
    #[track_caller]
    pub fn output<T: DeserializeOwned + 'static>(&self, name: &str) -> Output<T> {
        let at = Location::caller();
        let wanted = ReferredOutput {
            name: name.to_owned(),
            rust_type: super::config::short_type_name::<T>(),
            fits: |value| serde_json::from_value::<T>(value).map(drop).map_err(|error| error.to_string()),
            at: format!("{}:{}", at.file(), at.line()),
        };
        let origin = self.stack.refer(&self.of, self.place.as_deref(), wanted);
        Output::of(&origin, name)
    }
}
