//! Outputs: values that a resource will have, and what can be made of them.

use std::{fmt, marker::PhantomData, panic::Location, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    Expr, Function, Input, IntoInput, Origin, Secret, ToExpr,
    nesting::{chained, value_of_own},
};
use crate::panics::caught;

/// A value of type `T` that is known when the resource it comes from has been read or made.
pub struct Output<T> {
    expr: Arc<Expr>,
    of: PhantomData<fn() -> T>,
}

impl<T> Output<T> {
    /// The output with this name of a resource.
    pub fn of(origin: &Arc<Origin>, field: &str) -> Self {
        Self::from_expr(Expr::Output { origin: Arc::clone(origin), field: field.into() })
    }

    /// An output that any expression gives.
    pub fn from_expr(expr: Expr) -> Self {
        Self { expr: Arc::new(chained(expr)), of: PhantomData }
    }

    /// The expression behind it.
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// The same value, kept secret from here on.
    pub fn secret(&self) -> Self {
        Self::from_expr(Expr::Secret(Box::new((*self.expr).clone())))
    }

    /// The output as JSON, for fields that take any.
    pub fn json(&self) -> Output<Value> {
        Output { expr: self.expr.clone(), of: PhantomData }
    }
}

impl<T: DeserializeOwned + 'static> Output<T> {
    /// A pure function of this output, run when its value is known.
    ///
    /// The function stands in hashes and plans by the place where it is written: it must not read the clock, the
    /// environment or anything else that changes.
    #[track_caller]
    pub fn map<U: Serialize>(&self, f: impl Fn(T) -> U + Send + Sync + 'static) -> Output<U> {
        apply(self.to_expr(), Location::caller(), f)
    }
}

#[track_caller]
fn apply<T: DeserializeOwned, U: Serialize>(
    source: Expr,
    at: &Location<'_>,
    f: impl Fn(T) -> U + Send + Sync + 'static,
) -> Output<U> {
    let call = move |value: Value| {
        let kind = kind(&value);
        let value = serde_json::from_value(value).map_err(|error| misfit::<T>(kind, &error))?;
        caught(|| value_of_own(f(value))).map_err(|panicked| format!("it panicked at {}", panicked.told()))?
    };
    let function = Arc::new(Function { at: at.to_string(), call: Arc::new(call) });
    Output::from_expr(Expr::Apply { source: Box::new(source), function })
}

/// Why a function can't take its argument, without a word of that: it may be a secret, or become one.
fn misfit<T>(kind: &str, error: &serde_json::Error) -> String {
    let wanted = format!("its argument is {kind}, and it takes a {}", type_name::<T>());
    let error = error.to_string();
    if error.starts_with("missing field `") { format!("{wanted}: {error}") } else { wanted }
}

/// `Vec<String>`: a type without the modules that it is from.
fn type_name<T>() -> String {
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
    let parts = std::any::type_name::<T>().split_inclusive(|c| !is_path(c));
    parts.map(|part| part.rsplit("::").next().unwrap_or(part)).collect()
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

impl<T> Clone for Output<T> {
    fn clone(&self) -> Self {
        Self { expr: self.expr.clone(), of: PhantomData }
    }
}

/// How the print of an output begins: text that holds it was made by printing, and is refused before a plan.
pub(crate) const PRINTED_OUTPUT: &str = "<an output, not its value: ";

impl<T> fmt::Debug for Output<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PRINTED_OUTPUT}{}>", crate::desired::describe(&self.expr))
    }
}

impl<T> ToExpr for Output<T> {
    fn to_expr(&self) -> Expr {
        (*self.expr).clone()
    }
}

impl<T> ToExpr for &Output<T> {
    fn to_expr(&self) -> Expr {
        (*self.expr).clone()
    }
}

impl From<Secret<String>> for Output<String> {
    fn from(secret: Secret<String>) -> Self {
        Self::from_expr(secret.to_expr())
    }
}

/// Several outputs that a function takes together: `(&a.name, &b.id).map(|(name, id)| ...)`.
pub trait Joined {
    /// The values, as a tuple.
    type Values;

    /// A pure function of all of them, run when every value is known.
    #[track_caller]
    fn map<U: Serialize>(self, f: impl Fn(Self::Values) -> U + Send + Sync + 'static) -> Output<U>;
}

macro_rules! joined {
    ($($type:ident $name:ident),+) => {
        impl<$($type: DeserializeOwned + 'static),+> Joined for ($(&Output<$type>,)+) {
            type Values = ($($type,)+);

            #[track_caller]
            fn map<U: Serialize>(self, f: impl Fn(Self::Values) -> U + Send + Sync + 'static) -> Output<U> {
                let ($($name,)+) = self;
                apply(Expr::list([$($name.to_expr()),+]), Location::caller(), f)
            }
        }
    };
}

joined!(A a, B b);
joined!(A a, B b, C c);
joined!(A a, B b, C c, D d);

/// Text from parts; what `interpolate!` expands to.
#[doc(hidden)]
pub fn interpolate(template: &str, arguments: &[(&str, Expr)]) -> Output<String> {
    let mut parts = Vec::new();
    let mut rest = template;
    let mut positional = arguments.iter().filter(|(name, _)| name.is_empty());
    while let Some(open) = rest.find(['{', '}']) {
        let (text, from) = rest.split_at(open);
        if !text.is_empty() {
            parts.push(Expr::Value(text.into()));
        }
        if from.starts_with("{{") || from.starts_with("}}") {
            parts.push(Expr::Value(from[..1].into()));
            rest = &from[2..];
            continue;
        }
        let close = from.find('}').filter(|_| from.starts_with('{'));
        let Some(close) = close else {
            parts.push(Expr::Invalid(format!("`{template}` has an unmatched brace")));
            break;
        };
        let name = &from[1..close];
        let argument = if name.is_empty() { positional.next() } else { arguments.iter().find(|(n, _)| *n == name) };
        parts.push(argument.map_or_else(
            || Expr::Invalid(format!("`{template}` has no argument for `{{{name}}}`")),
            |(_, expr)| expr.clone(),
        ));
        rest = &from[close + 1..];
    }
    if !rest.is_empty() && !rest.starts_with('{') {
        parts.push(Expr::Value(rest.into()));
    }
    Output::from_expr(Expr::Concat(parts))
}

/// Builds text from outputs: `interpolate!("s3://{}/lake", landing.bucket)`, or with names,
/// `interpolate!("s3://{bucket}/lake", bucket = landing.bucket)`.
///
/// Stays readable in the plan while the outputs are unknown: `s3://${landing.bucket}/lake`.
#[macro_export]
macro_rules! interpolate {
    ($template:literal $(,)?) => {
        $crate::__private::interpolate($template, &[])
    };
    ($template:literal, $($name:ident = $value:expr),+ $(,)?) => {
        $crate::__private::interpolate($template, &[
            $((stringify!($name), $crate::ToExpr::to_expr(&$value))),+
        ])
    };
    ($template:literal, $($value:expr),+ $(,)?) => {
        $crate::__private::interpolate($template, &[
            $(("", $crate::ToExpr::to_expr(&$value))),+
        ])
    };
}

impl<T> Input<T> {
    /// This input as an output, for `map` and `interpolate!`.
    pub fn to_output(&self) -> Output<T>
    where
        T: ToExpr,
    {
        Output::from_expr(self.to_expr())
    }
}

/// Anything that is text, as an output.
impl Output<String> {
    /// From whatever may stand in a text field.
    pub fn text(text: impl IntoInput<String>) -> Self {
        text.into_input().to_output()
    }
}
