//! Typed infrastructure programs: a Rust program declares a platform, and this crate plans it, applies it, and keeps it
//! that way. The program is its own command line: there is no other binary, daemon or account.
//!
//! ```no_run
//! use platform_sdk::prelude::*;
//! use serde_json::json;
//!
//! fn main() -> std::process::ExitCode {
//!     program().main() // `cargo run -- plan`, `cargo run -- up`, `cargo run -- destroy`
//! }
//!
//! pub fn program() -> Program {
//!     Program::new("shop", platform) // and `.provider(..)` for each service that it uses
//! }
//!
//! fn platform(stack: &Stack) -> Result<()> {
//!     let region = stack.config_or("region", "eu-west-1".to_owned())?;
//!     let settings = stack.add("settings", Data::new(json!({"region": region})));
//!     // An output is known once the resource is there. A plan shows it as `${settings.id}` until then.
//!     let note = stack.add("note", Data::new(interpolate!("settings are in {}", settings.id).json()));
//!     note.protect();
//!     stack.export("settings", &settings.output);
//!     Ok(())
//! }
//! ```
//!
//! A test pins the plan: from empty state, without a network or a login, the same text on any machine.
//!
//! ```
//! # use platform_sdk::prelude::*;
//! # fn program() -> Program {
//! #     Program::new("shop", |stack| {
//! #         stack.add("settings", Data::new(serde_json::json!({"region": "eu-west-1"})));
//! #         Ok(())
//! #     })
//! # }
//! let plan = platform_sdk::testing::plan(program())?;
//! assert!(plan.contains("+ platform:Data::settings  create"), "{plan}");
//! # Ok::<(), platform_sdk::Error>(())
//! ```
//!
//! What is required of a resource is an argument of its `new`; what is not is a method, and a public field. A handle that
//! is given to another resource is a dependency. Options are methods of the [`Handle`]: `protect`, `retain_on_delete`,
//! `ignore_changes`, `moved_from`, `import`, and more. [`Data`] is this crate's own resource; those of services come from
//! provider crates such as `platform-databricks` and `platform-aws`.
//!
//! # From a program to reality
//!
//! Data moves one way. Each stage takes what the one before it gives; the first and the last are what a user sees.
//!
//! | stage | takes | gives |
//! |---|---|---|
//! | [`program`] | the user's function | what it declares: resources, expressions over outputs, exports |
//! | [`desired`] | that | a checked, ordered and hashed graph, or all its mistakes at once |
//! | [`observe`] | the graph, and what state knows | what really exists |
//! | [`mod@plan`] | graph, state and observation | steps, each with its reasons and with what it would destroy; or a refusal |
//! | [`apply`] | the plan | reality, changed; each intent is durable before a service is asked |
//! | [`state`] | outcomes | a chain of snapshots in a directory or a bucket, under a lease, secrets sealed |
//! | [`report`] | events of all of these | text, JSON, Markdown, HTML |
//!
//! # Where to go next
//!
//! - Write a program: [`Program`], [`Stack`], [`Handle`], [`Output`] and [`interpolate!`], [`Secret`].
//! - Test one: [`testing`] plans without a network, and runs whole lifecycles against a cloud in memory.
//! - Write a resource: [`mod@derive`] has the derives and their marks, [`provider::Manage`] what a page does, and the
//!   project's `ARCHITECTURE.md` the steps.
//! - Serve a service for tests: [`sandbox`].

extern crate self as platform_sdk;

pub mod apply;
pub mod desired;
pub mod files;
pub mod plan;
pub mod program;
pub mod provider;
pub mod report;
pub mod sandbox;
pub mod scrub;
pub mod sealing;
pub mod state;

pub mod observe;

pub mod testing;

mod canonical;
mod cli;
mod engine;
mod fault;
mod panics;

pub use platform_sdk_derive as derive;
pub use program::*;
pub use report::{Diagnostic, Error};

/// What a program's functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything a program needs.
pub mod prelude {
    pub use crate::{
        Data, Declared, Handle, Id, Input, IntoInput, Joined, Json, Operation, Output, Program, Resolved,
        Resource as _, Result, Secret, Stack, Stage, from_json, interpolate,
    };
}

/// What macros of this crate expand to. Not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use crate::program::{Nameless, NamesOf, checked_name, interpolate, known_name};
    pub use serde;
    pub use serde_json;
}
