//! Expressions: trees of values in which some leaves are outputs that are not known before an apply.

use std::{fmt, fmt::Write as _, sync::Arc};

use serde_json::Value;

use crate::desired::{Address, Entries, Name};

/// Where an output comes from: a resource of one recorded stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Tells stacks apart within this process, so that a handle of another stack is noticed.
    pub recording: u64,
    /// The resource.
    pub address: Address,
}

/// A pure function over known values, with the place in the program that wrote it.
///
/// The place stands for the function in hashes and plans: Rust closures have no other name.
#[derive(Clone)]
pub struct Function {
    /// `examples/prod.rs:42:17`, or the name of one of a provider's own.
    pub at: String,
    /// What it computes; its error is shown with the place.
    pub call: Arc<dyn Fn(Value) -> Result<Value, String> + Send + Sync>,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "function at {}", self.at)
    }
}

/// A tree of values and references, as a program declares it.
#[derive(Clone)]
pub enum Expr {
    /// A value that is known now.
    Value(Value),
    /// A list whose elements are expressions.
    List(Vec<Expr>),
    /// A map whose values are expressions.
    Map(Entries<Expr>),
    /// An output of a resource or lookup: the field at this path of its outputs.
    Output {
        /// The resource. Shared by all that refer to it.
        origin: Arc<Origin>,
        /// Name of the output.
        field: Name,
    },
    /// Text put together from parts, as `interpolate!` writes it.
    Concat(Vec<Expr>),
    /// A pure function of another expression.
    Apply {
        /// What it is a function of.
        source: Box<Expr>,
        /// The function.
        function: Arc<Function>,
    },
    /// A value that is encrypted in state and redacted everywhere else.
    Secret(Box<Expr>),
    /// A secret of the configuration that stays sealed, for there is no key to it.
    Sealed,
    /// A value that could not be serialised; reported when the graph is built.
    Invalid(String),
}

/// As a person reads it, without secrets.
impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::desired::describe(self))
    }
}

impl Expr {
    /// A list of expressions, folded to a plain value where all of it is known and none of it secret.
    pub fn list(items: impl IntoIterator<Item = Expr>) -> Self {
        Self::List(items.into_iter().collect())
    }

    /// A map of expressions.
    pub fn map(entries: impl IntoIterator<Item = (Name, Expr)>) -> Self {
        Self::Map(entries.into_iter().collect())
    }

    /// Calls `visit` for every output that this expression refers to, with the path at which it stands.
    pub fn for_each_output<'a>(&'a self, visit: &mut dyn FnMut(&str, &'a Origin, &'a Name)) {
        self.for_each_output_at(&mut String::new(), visit);
    }

    /// One text for all paths: most of a program's values are no outputs.
    fn for_each_output_at<'a>(&'a self, path: &mut String, visit: &mut dyn FnMut(&str, &'a Origin, &'a Name)) {
        let above = path.len();
        match self {
            Self::Value(_) | Self::Sealed | Self::Invalid(_) => {}
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    write!(path, "[{index}]").expect("text takes text");
                    item.for_each_output_at(path, visit);
                    path.truncate(above);
                }
            }
            Self::Map(entries) => {
                for (key, entry) in entries {
                    if above > 0 {
                        path.push('.');
                    }
                    path.push_str(key);
                    entry.for_each_output_at(path, visit);
                    path.truncate(above);
                }
            }
            Self::Output { origin, field } => visit(path, origin, field),
            Self::Concat(parts) => parts.iter().for_each(|part| part.for_each_output_at(path, visit)),
            Self::Apply { source, .. } | Self::Secret(source) => source.for_each_output_at(path, visit),
        }
    }
}
