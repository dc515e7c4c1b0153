//! Typed infrastructure programs: a Rust program declares a platform, and this crate plans it, applies it, and keeps it
//! that way.

extern crate self as platform_sdk;

pub mod apply;
pub mod desired;
pub mod files;
pub mod plan;
pub mod program;
pub mod provider;
pub mod report;
pub mod sandbox;
pub mod sealing;
pub mod state;

pub mod observe;

pub mod testing;

mod canonical;
mod cli;
mod engine;
mod fault;

pub use platform_sdk_derive as derive;
pub use program::*;
pub use report::{Diagnostic, Error};

/// What a program's functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything a program needs.
pub mod prelude {
    pub use crate::{
        Data, Declared, Handle, Id, Input, IntoInput, Joined, Operation, Output, Program, Resolved, Resource as _,
        Result, Secret, Stack, Stage, interpolate,
    };
}

/// What macros of this crate expand to. Not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use crate::program::interpolate;
    pub use serde;
    pub use serde_json;
}
