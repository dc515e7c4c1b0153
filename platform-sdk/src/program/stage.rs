//! The two stages of a resource: as the program declares it, and with every value known.

use serde::{Serialize, de::DeserializeOwned};

use super::{Expr, Input, Output, nesting::value_of};

/// Whether a struct's fields may still be expressions ([`Declared`]) or are plain values ([`Resolved`]).
///
/// One struct serves both sides: users write `Catalog`, which is `Catalog<Declared>`; drivers get `Catalog<Resolved>`.
pub trait Stage: Clone + Send + Sync + 'static {
    /// What an input field holds.
    type In<T: ToExpr + DeserializeOwned + Clone + Send + Sync + 'static>: ToExpr + Clone;
    /// What an output field holds.
    type Out<T: ToExpr + DeserializeOwned + Clone + Send + Sync + 'static>: ToExpr + Clone;
}

/// The stage in which a program writes: a field is a value or an output of another resource.
#[derive(Clone, Debug)]
pub enum Declared {}

/// The stage that drivers see: every field is a plain value.
#[derive(Clone, Debug)]
pub enum Resolved {}

impl Stage for Declared {
    type In<T: ToExpr + DeserializeOwned + Clone + Send + Sync + 'static> = Input<T>;
    type Out<T: ToExpr + DeserializeOwned + Clone + Send + Sync + 'static> = Output<T>;
}

impl Stage for Resolved {
    type In<T: ToExpr + DeserializeOwned + Clone + Send + Sync + 'static> = T;
    type Out<T: ToExpr + DeserializeOwned + Clone + Send + Sync + 'static> = T;
}

/// Anything that can stand in a resource's tree of inputs or outputs.
///
/// Every plain serialisable value can; secrets and outputs have their own ways, which is why they don't implement
/// `Serialize`.
pub trait ToExpr {
    /// The value as an expression.
    fn to_expr(&self) -> Expr;
}

impl<T: Serialize> ToExpr for T {
    fn to_expr(&self) -> Expr {
        value_of(self).map_or_else(Expr::Invalid, Expr::Value)
    }
}
