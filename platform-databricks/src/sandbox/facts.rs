//! The REST surface as facts: which requests exist, and whether a request is one of them.
//!
//! The facts are read mechanically off the official SDK (`tests/tools/trim_facts.py`), never written by hand, so they
//! are an authority that neither the provider nor the sandbox wrote. The sandbox checks every request against them;
//! tests do the same in front of other servers.

mod values;

use std::{collections::BTreeMap, fmt, sync::OnceLock};

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;

use values::{Check, Fields, Type};

/// Checks a request against the facts.
///
/// `path` is without the query and may be percent-encoded; `query` is decoded; an empty `body` is no body.
///
/// # Errors
/// Everything that is wrong with the request: the operation is not known, or fields are unknown, missing, or of
/// another type than the service takes.
pub fn check(
    method: &str,
    path: &str,
    query: &[(String, String)],
    body: &[u8],
) -> Result<&'static Operation, Vec<Violation>> {
    let Some(operation) = find(method, path) else {
        return Err(vec![Violation {
            field: String::new(),
            problem: Problem::UnknownOperation(format!("{method} {path}")),
        }]);
    };
    let mut check = Check::new(&facts().messages, &facts().enums);
    check.query(&operation.query, query);
    match &operation.body {
        Body::Binary => {}
        Body::Json(expected) => match serde_json::from_slice(if body.is_empty() { b"{}" } else { body }) {
            Ok(body) => {
                check.body(expected, &body);
                check.mask(expected, query, &body);
            }
            Err(error) => check.report("", Problem::MalformedBody(error.to_string())),
        },
    }
    let violations = check.finish();
    if violations.is_empty() { Ok(operation) } else { Err(violations) }
}

/// Checks a JSON answer against what the operation returns: unknown fields, and types. Empty when it fits.
pub fn check_response(operation: &Operation, answer: &Value) -> Vec<Violation> {
    let mut check = Check::new(&facts().messages, &facts().enums);
    match (&operation.returns, answer) {
        // A list travels in an envelope whose one array is the list.
        (Some(list @ Type::List(_)), Value::Object(envelope)) => {
            for (name, value) in envelope.iter().filter(|(_, value)| value.is_array()) {
                if operation.items.as_ref().is_none_or(|items| items == name) && name != "schemas" {
                    check.value(name, list, value);
                }
            }
        }
        (Some(returns), answer) => check.answer(returns, answer),
        (None, _) => {}
    }
    check.finish()
}

/// One operation of the API: a verb and a path template.
#[derive(Debug)]
pub struct Operation {
    /// `GET`, `POST`, ...
    pub verb: &'static str,
    /// The path with its parameters: `/api/2.1/unity-catalog/catalogs/{name}`.
    pub path: &'static str,
    segments: Vec<Segment>,
    query: Fields,
    body: Body,
    returns: Option<Type>,
    items: Option<String>,
}

impl Operation {
    /// What the parameters of the path are in this request, percent-decoded.
    pub fn parameters(&self, path: &str) -> BTreeMap<String, String> {
        let parts: Vec<&str> = path.split('/').collect();
        let last = self.segments.len() - 1;
        let mut parameters = BTreeMap::new();
        for (position, segment) in self.segments.iter().enumerate() {
            if let Segment::Parameter { prefix, name, rest } = segment {
                let raw = match (position == last, *rest) {
                    (true, true) => parts[position..].join("/")[prefix.len()..].to_owned(),
                    (true, false) => parts[position..].join("/"),
                    (false, _) => parts[position].to_owned(),
                };
                parameters.insert((*name).to_owned(), percent_decode_str(&raw).decode_utf8_lossy().into_owned());
            }
        }
        parameters
    }

    /// How exactly the template fits: `None` when it does not, else the number of literal segments. A last parameter
    /// takes slashes too, because clients do not encode them, but any exact fit is better.
    fn fits(&self, parts: &[&str]) -> Option<(bool, usize)> {
        let exact = parts.len() == self.segments.len();
        let open = matches!(self.segments.last(), Some(Segment::Parameter { .. }));
        let longer = open && parts.len() > self.segments.len();
        if !exact && !longer {
            return None;
        }
        let mut literals = 0;
        for (segment, part) in self.segments.iter().zip(parts) {
            match segment {
                Segment::Literal(text) if text == part => literals += 1,
                Segment::Parameter { prefix, rest, .. } if part.starts_with(prefix) && (*rest || !part.is_empty()) => {}
                _ => return None,
            }
        }
        Some((exact, literals))
    }
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where: `tasks[0].notebook_task.notebook_path`, `?max_results`; empty for the request as a whole.
    pub field: String,
    /// What.
    pub problem: Problem,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            write!(f, "{}", self.problem)
        } else {
            write!(f, "`{}` {}", self.field, self.problem)
        }
    }
}

/// What can be wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// No operation has this verb and path.
    UnknownOperation(String),
    /// The body is not JSON.
    MalformedBody(String),
    /// The message or the query has no such field.
    UnknownField,
    /// A field that must be given is missing.
    Missing,
    /// The value is of another type than this.
    WrongType(String),
    /// The value is none of the enum's.
    NotOneOf(Vec<String>),
    /// The update mask names a field that the message does not have.
    UnknownMask(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownOperation(operation) => write!(f, "no operation is known for `{operation}`"),
            Self::MalformedBody(error) => write!(f, "the body is not JSON: {error}"),
            Self::UnknownField => write!(f, "is not a known field"),
            Self::Missing => write!(f, "must be given"),
            Self::WrongType(expected) => write!(f, "is not of type {expected}"),
            Self::NotOneOf(values) => write!(f, "is none of {}", values.join(", ")),
            Self::UnknownMask(path) => write!(f, "names `{path}`, which is not a field"),
        }
    }
}

/// The operation that a request is for, if any has this verb and path.
pub fn find(method: &str, path: &str) -> Option<&'static Operation> {
    let parts: Vec<&str> = path.split('/').collect();
    facts()
        .operations
        .iter()
        .filter(|operation| operation.verb == method)
        .filter_map(|operation| operation.fits(&parts).map(|fit| (fit, operation)))
        .max_by_key(|(fit, _)| *fit)
        .map(|(_, operation)| operation)
}

/// Every operation of the facts, ordered by verb and path.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    facts().operations.iter()
}

#[derive(Debug)]
enum Body {
    Json(Type),
    Binary,
}

#[derive(Debug)]
enum Segment {
    Literal(&'static str),
    Parameter { prefix: &'static str, name: &'static str, rest: bool },
}

impl Segment {
    fn parse(text: &'static str) -> Self {
        match text.split_once('{') {
            Some((prefix, name)) => {
                let name = name.trim_end_matches('}');
                Self::Parameter { prefix, name: name.trim_end_matches('*'), rest: name.ends_with('*') }
            }
            None => Self::Literal(text),
        }
    }
}

struct Facts {
    operations: Vec<Operation>,
    messages: BTreeMap<String, Fields>,
    enums: BTreeMap<String, Vec<String>>,
}

/// The data file as it is written.
#[derive(Deserialize)]
struct Written {
    #[serde(borrow)]
    operations: BTreeMap<&'static str, WrittenOperation>,
    messages: BTreeMap<String, BTreeMap<String, String>>,
    enums: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct WrittenOperation {
    #[serde(default)]
    query: BTreeMap<String, String>,
    #[serde(default)]
    body: WrittenBody,
    returns: Option<String>,
    items: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenBody {
    Type(String),
    Fields(BTreeMap<String, String>),
}

impl Default for WrittenBody {
    fn default() -> Self {
        Self::Fields(BTreeMap::new())
    }
}

fn facts() -> &'static Facts {
    static FACTS: OnceLock<Facts> = OnceLock::new();
    FACTS.get_or_init(|| {
        let written: Written = serde_json::from_str(include_str!("facts/databricks.json"))
            .expect("the embedded facts are what the tool wrote");
        Facts {
            operations: written.operations.into_iter().map(|(key, operation)| parse(key, operation)).collect(),
            messages: written.messages.into_iter().map(|(name, fields)| (name, Fields::parse(&fields))).collect(),
            enums: written.enums,
        }
    })
}

fn parse(key: &'static str, written: WrittenOperation) -> Operation {
    let (verb, path) = key.split_once(' ').expect("an operation's key is a verb and a path");
    Operation {
        verb,
        path,
        segments: path.split('/').map(Segment::parse).collect(),
        query: Fields::parse(&written.query),
        body: match written.body {
            WrittenBody::Type(name) if name == "binary" => Body::Binary,
            WrittenBody::Type(name) => Body::Json(Type::parse(&name)),
            WrittenBody::Fields(fields) => Body::Json(Type::Inline(Fields::parse(&fields))),
        },
        returns: written.returns.as_deref().map(Type::parse),
        items: written.items,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
mod tests {
    use super::*;

    fn problems(method: &str, path: &str, query: &[(&str, &str)], body: &str) -> Vec<String> {
        let query: Vec<_> = query.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        match check(method, path, &query, body.as_bytes()) {
            Ok(_) => Vec::new(),
            Err(violations) => violations.iter().map(ToString::to_string).collect(),
        }
    }

    const UC: &str = "/api/2.1/unity-catalog";

    #[test]
    fn a_request_that_the_service_takes_passes() {
        assert_eq!(
            problems("POST", &format!("{UC}/catalogs"), &[], r#"{"name":"lake","properties":{"a":"b"}}"#),
            [""; 0]
        );
        assert_eq!(problems("GET", &format!("{UC}/catalogs"), &[("max_results", "0")], ""), [""; 0]);
    }

    #[test]
    fn an_unknown_path_or_verb_is_named() {
        assert_eq!(
            problems("GET", "/api/2.0/sql/warehousez", &[], ""),
            ["no operation is known for `GET /api/2.0/sql/warehousez`"]
        );
        assert_eq!(problems("PUT", &format!("{UC}/catalogs/lake"), &[], "{}").len(), 1);
    }

    #[test]
    fn unknown_fields_are_named_also_nested_and_in_the_query() {
        assert_eq!(
            problems(
                "POST",
                "/api/2.2/jobs/create",
                &[],
                r#"{"tasks":[{"task_key":"a","notebok_task":{}}],"nam":"x"}"#
            ),
            ["`nam` is not a known field", "`tasks[0].notebok_task` is not a known field"]
        );
        assert_eq!(
            problems("GET", &format!("{UC}/catalogs"), &[("pagetoken", "x")], ""),
            ["`?pagetoken` is not a known field"]
        );
    }

    #[test]
    fn a_missing_required_field_is_named_also_nested() {
        assert_eq!(problems("POST", &format!("{UC}/catalogs"), &[], "{}"), ["`name` must be given"]);
        assert_eq!(
            problems("POST", "/api/2.2/jobs/create", &[], r#"{"tasks":[{"notebook_task":{}}]}"#),
            ["`tasks[0].notebook_task.notebook_path` must be given", "`tasks[0].task_key` must be given"]
        );
        assert_eq!(problems("GET", &format!("{UC}/schemas"), &[], ""), ["`?catalog_name` must be given"]);
    }

    #[test]
    fn types_and_enum_values_are_checked() {
        assert_eq!(
            problems(
                "POST",
                "/api/2.0/sql/warehouses",
                &[],
                r#"{"auto_stop_mins":"soon","enable_photon":1,"warehouse_type":"FAST"}"#
            ),
            [
                "`auto_stop_mins` is not of type int",
                "`enable_photon` is not of type bool",
                "`warehouse_type` is none of CLASSIC, PRO, REALTIME, TYPE_UNSPECIFIED"
            ]
        );
        assert_eq!(
            problems("GET", &format!("{UC}/catalogs"), &[("max_results", "many")], ""),
            ["`?max_results` is not of type int"]
        );
    }

    #[test]
    fn whole_numbers_may_be_text_as_the_service_takes_them() {
        assert_eq!(problems("POST", "/api/2.2/jobs/delete", &[], r#"{"job_id":"9007199254740993"}"#), [""; 0]);
        assert_eq!(problems("POST", "/api/2.2/jobs/delete", &[], r#"{"job_id":1.5}"#), ["`job_id` is not of type int"]);
    }

    #[test]
    fn a_body_that_is_one_message_is_checked_with_its_update_mask() {
        let path = "/api/2.0/accounts/a/workspaces/7";
        assert_eq!(problems("PATCH", path, &[("update_mask", "network_id")], r#"{"network_id":"n"}"#), [""; 0]);
        assert_eq!(
            problems("PATCH", path, &[("update_mask", "network")], r#"{"netwrk_id":"n"}"#),
            ["`netwrk_id` is not a known field"]
        );
        assert_eq!(
            problems("PATCH", path, &[("update_mask", "netwrk_id")], r#"{"network_id":"n"}"#),
            ["`?update_mask` names `netwrk_id`, which is not a field"]
        );
        assert_eq!(
            problems("POST", "/api/2.1/clusters/update", &[], r#"{"cluster_id":"c","update_mask":"nam","cluster":{}}"#),
            ["`update_mask` names `nam`, which is not a field"]
        );
    }

    #[test]
    fn a_query_may_reach_into_a_message() {
        assert_eq!(problems("GET", "/api/2.1/clusters/list", &[("filter_by.is_pinned", "true")], ""), [""; 0]);
        assert_eq!(
            problems("GET", "/api/2.1/clusters/list", &[("filter_by.pinned", "true")], ""),
            ["`?filter_by.pinned` is not a known field"]
        );
    }

    #[test]
    fn the_most_literal_template_wins_and_a_last_parameter_takes_slashes() {
        assert_eq!(
            find("GET", "/api/2.0/permissions/clusters/c").unwrap().path,
            "/api/2.0/permissions/clusters/{cluster_id}"
        );
        let path = format!("{UC}/permissions/table/main.default.a%2Fb/c");
        let found = find("GET", &path).unwrap();
        assert_eq!(found.parameters(&path)["full_name"], "main.default.a/b/c");
        assert_eq!(found.parameters(&path)["securable_type"], "table");
        let path = "/api/2.0/fs/files/Volumes/main/a.whl";
        assert_eq!(find("PUT", path).unwrap().parameters(path)["file_path"], "/Volumes/main/a.whl");
    }

    #[test]
    fn a_body_that_is_not_json_is_said_to_be() {
        assert!(problems("POST", &format!("{UC}/catalogs"), &[], "{nope")[0].starts_with("the body is not JSON"));
    }
}
