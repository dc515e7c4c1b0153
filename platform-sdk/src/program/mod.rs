//! What a user writes: the program, its stacks, resources, inputs and outputs.

mod config;
mod config_secrets;
mod data;
mod expr;
mod handle;
mod id;
mod input;
mod names;
mod near;
mod nesting;
mod options;
mod output;
#[expect(clippy::module_inception, reason = "`Program` is the noun of this folder and of this file")]
mod program;
mod reference;
mod resource;
mod schema;
mod secret;
mod stack;
mod stage;
mod trail;

pub use config::{Config, ConfigValue};
pub(crate) use config_secrets::{KEY, Sealer};
pub use data::{Builtin, Data, DataOutputs};
pub use expr::{Expr, Function, Origin};
pub use handle::{Addressed, Component, Handle, Lookup};
pub use id::Id;
pub use input::{Input, IntoInput, Json, from_json};
pub use names::{Nameless, Names, NamesOf};
#[doc(hidden)]
pub use names::{checked_name, known_name};
pub use near::nearest;
pub(crate) use nesting::{DEPTH, deep_at, expr_too_deep, field_too_deep};
pub use options::{Operation, Options};
pub(crate) use output::PRINTED_OUTPUT;
pub use output::{Joined, Output, interpolate};
pub use program::Program;
pub(crate) use program::{Recording, Unsealing};
pub use reference::{ReferredOutput, ReferredStack, StackReference};
pub use resource::{Block, HasId, LookUp, Manages, Outputs, Provider, Resource, TakesProvider};
pub use schema::{Access, Field, Identity, Judgement, ListOrder, OnParentDelete, OutputField, Schema, Shape, Unset};
pub use secret::Secret;
pub use stack::Stack;
pub(crate) use stack::{Declaration, ProviderDeclaration, Recorder, logged_in_twice};
pub use stage::{Declared, Resolved, Stage, ToExpr};
pub(crate) use trail::Trail;
