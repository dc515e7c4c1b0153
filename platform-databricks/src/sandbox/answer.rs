//! What a call is answered: a JSON value, or a failure in the service's own words.

use platform_sdk::sandbox::Response;
use serde_json::{Map, Value, json};

/// A call's result.
pub(super) type Answer = Result<Value, Failure>;

/// A refusal: status, error code, message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    status: u16,
    code: String,
    message: String,
}

impl Failure {
    pub(super) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }

    /// 400 `INVALID_PARAMETER_VALUE`.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_PARAMETER_VALUE", message)
    }

    /// 400 `INVALID_STATE`.
    pub(super) fn state(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_STATE", message)
    }

    /// 404 `RESOURCE_DOES_NOT_EXIST`.
    pub(super) fn missing(message: impl Into<String>) -> Self {
        Self::new(404, "RESOURCE_DOES_NOT_EXIST", message)
    }

    /// 409 `RESOURCE_CONFLICT`.
    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new(409, "RESOURCE_CONFLICT", message)
    }

    /// An identity API's failure, which has a shape of its own.
    pub(super) fn scim(status: u16, detail: impl Into<String>) -> Self {
        Self::new(status, "SCIM", detail)
    }

    /// As the client sees it.
    pub(super) fn response(&self) -> Response {
        let body = if self.code == "SCIM" {
            let kind = if self.status == 409 { Value::from("uniqueness") } else { Value::Null };
            let schemas = ["urn:ietf:params:scim:api:messages:2.0:Error"];
            json!({"schemas": schemas, "detail": self.message, "status": self.status.to_string(), "scimType": kind})
        } else {
            json!({"error_code": self.code, "message": self.message, "details": []})
        };
        Response::json(self.status, &body)
    }

    /// The message alone.
    pub(super) fn message(&self) -> &str {
        &self.message
    }
}

/// A document as clients see it: what starts with `_` is the sandbox's own.
pub(super) fn shown(document: &Value) -> Value {
    match document {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .filter(|(name, _)| !name.starts_with('_'))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// The fields of a document that is known to be an object.
pub(super) fn fields(document: &mut Value) -> &mut Map<String, Value> {
    document.as_object_mut().expect("documents are objects: every handler puts objects")
}

/// A text field of a document; empty when it has none.
pub(super) fn text<'v>(document: &'v Value, field: &str) -> &'v str {
    document.get(field).and_then(Value::as_str).unwrap_or_default()
}
