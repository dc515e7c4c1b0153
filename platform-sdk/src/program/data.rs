//! `Data`: a resource of the SDK's own, without an API.

use std::sync::Arc;

use serde_json::Value;

use super::{Declared, Expr, Input, Output, Provider, Stage, ToExpr};
use crate::{
    derive::{Outputs, Resource},
    provider::Connector,
};

/// A value that lives in state only, as Terraform's `terraform_data`: its output is its input, and a change of a trigger
/// replaces it.
#[derive(Resource)]
#[resource(type = "platform:Data", outputs = DataOutputs, provider = Builtin, identity = key)]
pub struct Data<S: Stage = Declared> {
    /// Any JSON.
    #[field(required)]
    pub input: S::In<Value>,
    /// Values whose change replaces it.
    #[field(replace)]
    pub triggers: Option<S::In<Vec<Value>>>,
}

/// Outputs of [`Data`].
#[derive(Outputs)]
pub struct DataOutputs<S: Stage = Declared> {
    /// An id that a replacement changes.
    pub id: S::Out<crate::Id<Data>>,
    /// The input.
    #[output(from = "input")]
    pub output: S::Out<Value>,
}

impl Data {
    /// Adds a reference whose change replaces it: a handle, an output, or any value.
    pub fn trigger(mut self, value: &impl ToExpr) -> Self {
        let mut triggers = match self.triggers.take().map(|input| input.to_expr()) {
            Some(Expr::List(items)) => items,
            Some(Expr::Value(Value::Array(items))) => items.into_iter().map(Expr::Value).collect(),
            _ => Vec::new(),
        };
        triggers.push(value.to_expr());
        self.triggers = Some(Input::Output(Output::from_expr(Expr::List(triggers))));
        self
    }
}

/// The provider of the SDK's own resources; always there.
#[derive(Debug, Clone, Default)]
pub struct Builtin;

impl Provider for Builtin {
    const KIND: &'static str = "platform";

    fn config(&self) -> Expr {
        Expr::map([])
    }

    fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(crate::provider::BuiltinConnector)
    }
}
