//! The service's own words for what went wrong, in any of its shapes.
//!
//! `{"error_code", "message", "details"}`; API 1.2's `{"error"}`; SCIM's `{"detail", "status", "scimType"}`; text
//! `CODE: message`; and nothing at all.

use std::fmt;

use platform_sdk::provider::ProviderError;
use serde_json::Value;

use super::transport::Answer;

/// What the service said in full: the source of each [`ProviderError`] that an answer caused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ApiFault {
    /// The HTTP status.
    pub status: u16,
    /// The service's own code, such as `CATALOG_DOES_NOT_EXIST`; empty when it gave none.
    pub code: String,
    /// The service's own message; empty when it gave none.
    pub message: String,
    /// The field that a validation refused, where the service names one.
    pub field: Option<String>,
    /// What the service's support asks for.
    pub request_id: Option<String>,
}

impl fmt::Display for ApiFault {
    /// Without the message, which the error above shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.status)?;
        if !self.code.is_empty() {
            write!(f, ", {}", self.code)?;
        }
        self.request_id.iter().try_for_each(|id| write!(f, ", request {id}"))
    }
}

impl ApiFault {
    /// The service's answer behind an error, where there is one.
    pub fn behind(error: &ProviderError) -> Option<&Self> {
        error.source.as_deref()?.downcast_ref()
    }
}

/// Reads any of the shapes. `None`: it has none of them.
pub(super) fn read(answer: &Answer) -> Option<ApiFault> {
    let header_id = answer.header("x-request-id").map(str::to_owned);
    let empty = ApiFault {
        status: answer.status,
        code: String::new(),
        message: String::new(),
        field: None,
        request_id: header_id,
    };
    let text = answer.body.trim();
    if text.is_empty() {
        return Some(empty);
    }
    let Ok(Value::Object(body)) = serde_json::from_str(text) else {
        let (code, message) = text.split_once(": ")?;
        let is_code = code.len() > 2 && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        return is_code.then(|| ApiFault { code: code.to_owned(), message: message.to_owned(), ..empty });
    };
    let body = Value::Object(body);
    let detail = |kind: &str| {
        let details = body.get("details").and_then(Value::as_array)?;
        details.iter().find(|detail| detail["@type"].as_str().is_some_and(|name| name.ends_with(kind)))
    };
    let code = first_text(&body, &["error_code", "scimType"]);
    // API 1.2 and the token endpoint put a sentence or a code into `error`.
    let message = first_text(&body, &["message", "error_description", "detail", "error"]);
    let message = message.unwrap_or_default();
    let field = detail("BadRequest")
        .and_then(|it| it.pointer("/field_violations/0/field").or_else(|| it.pointer("/fieldViolations/0/field")))
        .and_then(Value::as_str)
        .map(str::to_owned)
        .or_else(|| field_named_in(&message));
    let request_id = detail("RequestInfo").and_then(|it| it["request_id"].as_str()).map(str::to_owned);
    let code = code.or_else(|| first_text(&body, &["error"]).filter(|error| *error != message)).unwrap_or_default();
    Some(ApiFault { code, message, field, request_id: request_id.or(empty.request_id), ..empty })
}

/// The first of these fields that holds text or a number (codes come as both).
fn first_text(body: &Value, fields: &[&str]) -> Option<String> {
    fields.iter().find_map(|field| match body.get(field)? {
        Value::String(text) if !text.is_empty() && text != "None" => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// The field that a message names, in the phrases that the service uses.
fn field_named_in(message: &str) -> Option<String> {
    const PHRASES: &[&str] = &[
        "required field: ",
        "required field ",
        "unknown field: ",
        "unknown field ",
        "invalid field ",
        "field name: ",
        "field ",
    ];
    let lower = message.to_ascii_lowercase();
    let rest = PHRASES.iter().find_map(|phrase| Some(&message[lower.find(phrase)? + phrase.len()..]))?;
    let quoted = rest.starts_with(['\'', '"', '`']);
    let name: String = rest
        .trim_start_matches(['\'', '"', '`'])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '[' | ']'))
        .collect();
    let name = name.trim_end_matches('.');
    // A bare word after "field" is a name only where it looks like one: "the field must be ..." names none.
    (!name.is_empty() && (quoted || name.contains(['_', '.', '[']) || message.contains(&format!(": {name}"))))
        .then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::field_named_in;

    #[test]
    fn a_field_is_found_in_the_phrases_that_the_service_uses() {
        for (message, field) in [
            ("Missing required field: storage_root", Some("storage_root")),
            ("CreateCatalog Missing required field: name", Some("name")),
            ("unknown field 'tasks[0].x' in body", Some("tasks[0].x")),
            ("Field node_type_id is not valid.", Some("node_type_id")),
            ("the field must be set", None),
            ("no", None),
        ] {
            assert_eq!(field_named_in(message).as_deref(), field, "{message}");
        }
    }
}
