//! The traits that `#[derive(Resource)]`, `#[derive(Block)]` and `#[derive(Outputs)]` implement.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::{Expr, Field, Id, Origin, Output, OutputField, Schema, ToExpr};
use crate::provider::Connector;

/// A struct of fields with marks: a resource's inputs, or a nested part of them.
pub trait Block: ToExpr {
    /// The fields with their marks.
    fn fields() -> &'static [Field];
}

/// A struct of outputs.
pub trait Outputs: Sized {
    /// The same struct with plain values, as drivers fill it.
    type Values: ToExpr + DeserializeOwned + Clone + std::fmt::Debug + Send + Sync + 'static;

    /// The outputs with their marks.
    const FIELDS: &'static [OutputField];

    /// The outputs of the resource at `origin`.
    fn of(origin: &Arc<Origin>) -> Self;
}

/// A type of resource, in its declared stage.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a resource",
    label = "a struct with `#[derive(Resource)]` is wanted",
    note = "a resource is declared with its own type, as in `stack.add(\"lake\", Catalog::new(\"lake\"))`"
)]
pub trait Resource: Block + Sized + Send + Sync + 'static {
    /// The same struct with plain values, as drivers get it.
    type Resolved: ToExpr + DeserializeOwned + Clone + std::fmt::Debug + Send + Sync + 'static;
    /// Its outputs.
    type Outputs: Outputs;
    /// The provider that manages it unless another is named.
    type Provider: Provider + Manages<Self>;

    /// The facts about the type.
    fn schema() -> &'static Schema;
}

/// A resource that another can refer to by id.
pub trait HasId: Resource {
    /// Its `id` output.
    fn id_of(outputs: &Self::Outputs) -> &Output<Id<Self>>;
}

/// A resource whose handle takes the option `.provider(&p)`: all but those that a provider leads to, whose outputs have a
/// `provider()` instead, as in `stack.within(&workspace.provider())`.
pub trait TakesProvider: Resource {}

/// Something that `stack.lookup` can read without owning it.
pub trait LookUp: 'static {
    /// What is found.
    type Found: Outputs;
    /// The provider that reads it.
    type Provider: Provider;
    /// `databricks:Catalog`.
    const TYPE: &'static str;
}

/// A provider as a program names it: a typed value with its configuration.
pub trait Provider: Clone + Send + Sync + 'static {
    /// `databricks.workspace`: the kind that schemas name.
    const KIND: &'static str;

    /// Its non-secret configuration; parts may be outputs of resources. Kept in state beside each resource, for deletes
    /// after the program has dropped the provider.
    fn config(&self) -> Expr;

    /// What connects to the service. Holds explicitly given credentials, which are never stored. A provider that is given
    /// to a part of a stack without credentials of its own logs in as the listed one of its kind.
    fn connector(&self) -> Arc<dyn Connector>;
}

/// Implemented for each provider and each resource that it can manage.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't manage `{R}`",
    label = "a provider of another level is wanted",
    note = "account-level resources take an `AccountProvider`, workspace-level ones a `WorkspaceProvider`"
)]
pub trait Manages<R: Resource>: Provider {}
