//! `PolicyDocument`: a policy as AWS writes it, whose parts may be outputs.

use platform_sdk::{
    Expr, ToExpr,
    desired::{Entries, Tree},
    plain_input,
};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use super::Statement;

/// A policy document: who may do what, on what, when.
///
/// Documents that mean the same are equal to the engine, however they are written: see [`normalize`](super::normalize).
#[derive(Debug, Clone)]
pub struct PolicyDocument {
    entries: Entries<Expr>,
}

impl PolicyDocument {
    /// A document of these statements, in the current policy language, `2012-10-17`.
    pub fn new(statements: impl IntoIterator<Item = Statement>) -> Self {
        let statements = statements.into_iter().map(Statement::into_expr).collect();
        let entries = [
            ("Version".to_owned(), Expr::Value("2012-10-17".into())),
            ("Statement".to_owned(), Expr::List(statements)),
        ];
        Self { entries: entries.into() }
    }

    /// With one more statement.
    pub fn statement(mut self, statement: Statement) -> Self {
        let mut statements = match self.entries.remove("Statement") {
            Some(Expr::List(statements)) => statements,
            Some(Expr::Value(Value::Array(statements))) => statements.into_iter().map(Expr::Value).collect(),
            Some(one) => vec![one],
            None => Vec::new(),
        };
        statements.push(statement.into_expr());
        self.entries.insert("Statement".to_owned(), Expr::List(statements));
        self
    }

    /// A document that exists as JSON.
    ///
    /// # Errors
    /// When the text is not a JSON object.
    pub fn parse(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }

    /// The document as the API takes it. Only for documents of a resolved resource, in which everything is known.
    #[cfg_attr(not(feature = "iam"), expect(dead_code, reason = "only IAM's pages send documents"))]
    pub(crate) fn to_json(&self) -> String {
        Tree::of_known(&self.to_expr()).plain().unwrap_or_default().to_string()
    }
}

impl ToExpr for PolicyDocument {
    fn to_expr(&self) -> Expr {
        Expr::Map(self.entries.clone())
    }
}

impl<'de> Deserialize<'de> for PolicyDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Object(entries) => {
                Ok(Self { entries: entries.into_iter().map(|(key, value)| (key, Expr::Value(value))).collect() })
            }
            other => Err(D::Error::custom(format!("a policy document is a JSON object, not {other}"))),
        }
    }
}

plain_input!(PolicyDocument);
