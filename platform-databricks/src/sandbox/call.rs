//! One call as a handler sees it: checked, authenticated, its workspace chosen.

use std::collections::BTreeMap;

use platform_sdk::sandbox::{Request, World};
use serde_json::{Map, Value};

use super::answer::{Answer, Failure};

/// What answers an operation.
pub(super) type Handler = fn(&Call, &mut World) -> Answer;

/// An operation's verb and path template, as in the facts, and what answers it.
pub(super) type Route = (&'static str, Handler);

/// One call.
pub(super) struct Call<'r> {
    pub(super) request: &'r Request,
    /// The parameters of the path, decoded.
    pub(super) parameters: BTreeMap<String, String>,
    /// The JSON body; an empty object when there is none.
    pub(super) body: Value,
    /// Who calls: a user name, or a service principal's application id.
    pub(super) caller: String,
    /// The workspace that is meant.
    pub(super) workspace: String,
    /// Milliseconds since 1970.
    pub(super) now: u64,
}

impl Call<'_> {
    /// A parameter of the path.
    pub(super) fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// A parameter of the query; empty counts as not given.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.request.query(name).filter(|value| !value.is_empty())
    }

    /// Whether a parameter of the query is `true`.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.query(name) == Some("true")
    }

    /// A text field of the body; null and empty count as not given.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.body.get(field).and_then(Value::as_str).filter(|value| !value.is_empty())
    }

    /// A text field of the body that the facts let through only when it is given; it may be empty.
    ///
    /// # Errors
    /// When it is empty.
    pub(super) fn required(&self, field: &str) -> Result<&str, Failure> {
        self.text(field).ok_or_else(|| Failure::invalid(format!("Missing required field: {field}")))
    }

    /// A whole number of the body, sent as a number or as text.
    pub(super) fn whole(&self, field: &str) -> Option<i64> {
        whole(self.body.get(field)?)
    }

    /// Whether a field of the body is `true`.
    pub(super) fn is(&self, field: &str) -> bool {
        self.body.get(field).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The body's fields that are set.
    pub(super) fn given(&self) -> Map<String, Value> {
        set_fields(&self.body)
    }

    /// A key of this call's workspace: `w/<workspace>/<folder>/<id>`.
    pub(super) fn key(&self, folder: &str, id: &str) -> String {
        format!("w/{}/{folder}/{id}", self.workspace)
    }
}

/// An object's fields that are not null.
pub(super) fn set_fields(object: &Value) -> Map<String, Value> {
    let fields = object.as_object().into_iter().flatten();
    fields.filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A whole number, sent as a number or as text.
pub(super) fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}
