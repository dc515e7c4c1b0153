//! Inputs: what a field of a declared resource holds, and everything that can be given for one.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    Expr, HasId, Id, Output, Resource, Secret, ToExpr,
    handle::{Handle, Lookup},
    nesting::too_deep,
    resource::LookUp,
};
use crate::desired::Name;

/// A value, or an output that will have one.
#[derive(Debug, Clone)]
pub enum Input<T> {
    /// Known now.
    Value(T),
    /// Known when the resource it comes from is.
    Output(Output<T>),
}

impl<T: ToExpr> ToExpr for Input<T> {
    fn to_expr(&self) -> Expr {
        match self {
            Self::Value(value) => value.to_expr(),
            Self::Output(output) => output.to_expr(),
        }
    }
}

impl<T> From<T> for Input<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl From<&str> for Input<String> {
    fn from(value: &str) -> Self {
        Self::Value(value.to_owned())
    }
}

impl<T> From<Output<T>> for Input<T> {
    fn from(output: Output<T>) -> Self {
        Self::Output(output)
    }
}

/// Any JSON.
pub type Json = Value;

/// A value that exists as JSON: `from_json::<PolicyDocument>(r#"{"Version": "2012-10-17"}"#)?`.
///
/// # Errors
/// When the text is no JSON, or no `T`.
pub fn from_json<T: DeserializeOwned>(text: &str) -> crate::Result<T> {
    Ok(serde_json::from_str(text)?)
}

/// What can be given for a field of type `T`: a value, a reference to one, an output, a handle.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be given where `{T}` is wanted",
    label = "give a `{T}`, an output of that type, or a handle that has one"
)]
pub trait IntoInput<T> {
    /// The input that a field keeps.
    fn into_input(self) -> Input<T>;
}

/// Lets values of plain types be given for inputs of the same type, by value and by reference.
///
/// For types of other crates' resources: `plain_input!(WarehouseSize, PolicyDocument);`
#[macro_export]
macro_rules! plain_input {
    ($($type:ty),+ $(,)?) => {$(
        impl $crate::IntoInput<$type> for $type {
            fn into_input(self) -> $crate::Input<$type> {
                $crate::Input::Value(self)
            }
        }
        impl $crate::IntoInput<$type> for &$type {
            fn into_input(self) -> $crate::Input<$type> {
                $crate::Input::Value(self.clone())
            }
        }
    )+};
}

plain_input!(bool, i32, i64, u32, u64, f64, String, BTreeMap<String, String>);

/// What nests too deep is refused as it is given: neither a copy of it nor its end could be borne later.
impl IntoInput<Value> for Value {
    fn into_input(self) -> Input<Value> {
        let Some(problem) = too_deep(&self) else { return Input::Value(self) };
        // Its end would recurse as deep as it goes. The program ends soon, with this problem.
        std::mem::forget(self);
        Input::Output(Output::from_expr(Expr::Invalid(problem)))
    }
}

impl IntoInput<Value> for &Value {
    fn into_input(self) -> Input<Value> {
        match too_deep(self) {
            None => Input::Value(self.clone()),
            Some(problem) => Input::Output(Output::from_expr(Expr::Invalid(problem))),
        }
    }
}

impl IntoInput<String> for &str {
    fn into_input(self) -> Input<String> {
        Input::Value(self.to_owned())
    }
}

impl<T> IntoInput<T> for Input<T> {
    fn into_input(self) -> Input<T> {
        self
    }
}

impl<T: Clone> IntoInput<T> for &Input<T> {
    fn into_input(self) -> Input<T> {
        self.clone()
    }
}

impl<T> IntoInput<T> for Output<T> {
    fn into_input(self) -> Input<T> {
        Input::Output(self)
    }
}

impl<T> IntoInput<T> for &Output<T> {
    fn into_input(self) -> Input<T> {
        Input::Output(self.clone())
    }
}

impl<R> IntoInput<Id<R>> for Id<R> {
    fn into_input(self) -> Input<Id<R>> {
        Input::Value(self)
    }
}

impl<R> IntoInput<Id<R>> for &Id<R> {
    fn into_input(self) -> Input<Id<R>> {
        Input::Value(self.clone())
    }
}

impl<R: HasId> IntoInput<Id<R>> for &Handle<R> {
    fn into_input(self) -> Input<Id<R>> {
        Input::Output(R::id_of(self).clone())
    }
}

impl<R: Resource + HasId + LookUp<Found = <R as Resource>::Outputs>> IntoInput<Id<R>> for &Lookup<R> {
    fn into_input(self) -> Input<Id<R>> {
        Input::Output(R::id_of(self).clone())
    }
}

impl IntoInput<Secret<String>> for Secret<String> {
    fn into_input(self) -> Input<Secret<String>> {
        Input::Value(self)
    }
}

impl IntoInput<Secret<String>> for &Secret<String> {
    fn into_input(self) -> Input<Secret<String>> {
        Input::Value(self.clone())
    }
}

impl IntoInput<Secret<String>> for &str {
    fn into_input(self) -> Input<Secret<String>> {
        Input::Value(Secret::from(self))
    }
}

impl IntoInput<Secret<String>> for String {
    fn into_input(self) -> Input<Secret<String>> {
        Input::Value(Secret::new(self))
    }
}

/// A secret may be given where a plain value is wanted: it stays secret there.
impl<T: Serialize> IntoInput<T> for Secret<T> {
    fn into_input(self) -> Input<T> {
        Input::Output(Output::from_expr(self.to_expr()))
    }
}

impl<T: Serialize> IntoInput<T> for &Secret<T> {
    fn into_input(self) -> Input<T> {
        Input::Output(Output::from_expr(self.to_expr()))
    }
}

fn list<T: ToExpr, I: IntoInput<T>>(items: impl IntoIterator<Item = I>) -> Input<Vec<T>> {
    Input::Output(Output::from_expr(Expr::list(items.into_iter().map(|item| item.into_input().to_expr()))))
}

impl<T: ToExpr, I: IntoInput<T>, const N: usize> IntoInput<Vec<T>> for [I; N] {
    fn into_input(self) -> Input<Vec<T>> {
        list(self)
    }
}

impl<T: ToExpr, I: IntoInput<T>> IntoInput<Vec<T>> for Vec<I> {
    fn into_input(self) -> Input<Vec<T>> {
        list(self)
    }
}

impl<T: Serialize + DeserializeOwned + Clone> IntoInput<Vec<T>> for &[T] {
    fn into_input(self) -> Input<Vec<T>> {
        Input::Value(self.to_vec())
    }
}

impl<T: Serialize + DeserializeOwned + Clone> IntoInput<Vec<T>> for &Vec<T> {
    fn into_input(self) -> Input<Vec<T>> {
        Input::Value(self.clone())
    }
}

impl<T: ToExpr, K: Into<String>, I: IntoInput<T>, const N: usize> IntoInput<BTreeMap<String, T>> for [(K, I); N] {
    fn into_input(self) -> Input<BTreeMap<String, T>> {
        let entry = |(key, item): (K, I)| (Name::from(key.into()), item.into_input().to_expr());
        Input::Output(Output::from_expr(Expr::map(self.map(entry))))
    }
}
