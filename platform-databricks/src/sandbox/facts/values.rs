//! The facts' types, and the walk that compares JSON values and query parameters with them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Problem, Violation};

/// A type of the facts' grammar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    /// Text in JSON, whatever it means: strings, timestamps, durations, field masks, base64.
    Text(&'static str),
    /// A whole number; the service takes it as a number and as text.
    Whole,
    /// A number.
    Double,
    Bool,
    Any,
    List(Box<Type>),
    Map(Box<Type>),
    Message(String),
    Enum(String),
    /// A body whose fields are an operation's own.
    Inline(Fields),
}

impl Type {
    pub(super) fn parse(text: &str) -> Self {
        let inner = |prefix: &str| text.strip_prefix(prefix).and_then(|rest| rest.strip_suffix('>'));
        if let Some(element) = inner("list<") {
            return Self::List(Box::new(Self::parse(element)));
        }
        if let Some((_, value)) = inner("map<").and_then(|pair| pair.split_once(',')) {
            return Self::Map(Box::new(Self::parse(value)));
        }
        match text {
            "string" => Self::Text("string"),
            "timestamp" => Self::Text("timestamp"),
            "duration" => Self::Text("duration"),
            "fieldmask" => Self::Text("field mask"),
            "binary" => Self::Text("base64 text"),
            "int" | "int64" => Self::Whole,
            "double" => Self::Double,
            "bool" => Self::Bool,
            _ => match text.split_once(':') {
                Some(("msg", name)) => Self::Message(name.to_owned()),
                Some(("enum", name)) => Self::Enum(name.to_owned()),
                _ => Self::Any,
            },
        }
    }
}

/// Fields by name, with whether they must be given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields(BTreeMap<String, (Type, bool)>);

impl Fields {
    pub(super) fn parse(written: &BTreeMap<String, String>) -> Self {
        let field = |text: &str| (Type::parse(text.trim_end_matches('!')), text.ends_with('!'));
        Self(written.iter().map(|(name, text)| (name.clone(), field(text))).collect())
    }
}

/// One walk over a request or an answer, collecting what is wrong.
pub(super) struct Check<'f> {
    messages: &'f BTreeMap<String, Fields>,
    enums: &'f BTreeMap<String, Vec<String>>,
    violations: Vec<Violation>,
    /// Answers may leave required fields out, and hold enum values that are newer than the facts.
    lenient: bool,
}

impl<'f> Check<'f> {
    pub(super) fn new(messages: &'f BTreeMap<String, Fields>, enums: &'f BTreeMap<String, Vec<String>>) -> Self {
        Self { messages, enums, violations: Vec::new(), lenient: false }
    }

    pub(super) fn finish(mut self) -> Vec<Violation> {
        self.violations.sort_by(|a, b| a.field.cmp(&b.field));
        self.violations
    }

    pub(super) fn report(&mut self, field: &str, problem: Problem) {
        self.violations.push(Violation { field: field.to_owned(), problem });
    }

    pub(super) fn query(&mut self, known: &Fields, given: &[(String, String)]) {
        for (name, (_, required)) in &known.0 {
            if *required && !given.iter().any(|(key, _)| key == name) {
                self.report(&format!("?{name}"), Problem::Missing);
            }
        }
        for (name, value) in given {
            match self.resolve(known, name) {
                Some(ty) => self.parameter(&format!("?{name}"), &ty, value),
                None => self.report(&format!("?{name}"), Problem::UnknownField),
            }
        }
    }

    /// The type of a dotted path of fields.
    fn resolve(&self, fields: &Fields, path: &str) -> Option<Type> {
        let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
        let (ty, _) = fields.0.get(head)?;
        match (rest, ty) {
            (None, ty) => Some(ty.clone()),
            (Some(rest), Type::Message(name)) => self.resolve(self.messages.get(name)?, rest),
            (Some(_), Type::Map(value)) => Some((**value).clone()),
            (Some(_), Type::Any) => Some(Type::Any),
            (Some(_), _) => None,
        }
    }

    fn parameter(&mut self, at: &str, ty: &Type, value: &str) {
        let fits = match ty {
            Type::Whole => value.parse::<i64>().is_ok(),
            Type::Double => value.parse::<f64>().is_ok(),
            Type::Bool => matches!(value, "true" | "false"),
            Type::List(element) => return self.parameter(at, element, value),
            Type::Enum(name) => return self.enumerated(at, name, value),
            Type::Message(_) | Type::Map(_) | Type::Inline(_) => false,
            Type::Text(_) | Type::Any => true,
        };
        if !fits {
            self.report(at, Problem::WrongType(describe(ty)));
        }
    }

    pub(super) fn body(&mut self, expected: &Type, body: &Value) {
        self.value("", expected, body);
    }

    pub(super) fn answer(&mut self, expected: &Type, answer: &Value) {
        self.lenient = true;
        self.value("", expected, answer);
    }

    pub(super) fn value(&mut self, at: &str, ty: &Type, value: &Value) {
        let fits = match ty {
            Type::Any => true,
            Type::Text(_) => value.is_string(),
            Type::Bool => value.is_boolean(),
            Type::Double => value.is_number(),
            Type::Whole => value.as_i64().is_some() || value.as_str().is_some_and(|text| text.parse::<i64>().is_ok()),
            Type::Enum(name) => match value.as_str() {
                Some(text) => return self.enumerated(at, name, text),
                None => false,
            },
            Type::List(element) => match value.as_array() {
                Some(items) => {
                    items.iter().enumerate().for_each(|(n, item)| self.value(&format!("{at}[{n}]"), element, item));
                    true
                }
                None => false,
            },
            Type::Map(element) => match value.as_object() {
                Some(entries) => {
                    entries.iter().for_each(|(key, item)| self.value(&join(at, key), element, item));
                    true
                }
                None => false,
            },
            Type::Message(name) => {
                let messages = self.messages;
                if let Some(fields) = messages.get(name) {
                    self.message(at, fields, value);
                }
                return;
            }
            Type::Inline(fields) => return self.message(at, fields, value),
        };
        if !fits {
            self.report(at, Problem::WrongType(describe(ty)));
        }
    }

    fn message(&mut self, at: &str, fields: &Fields, value: &Value) {
        let Some(given) = value.as_object() else {
            return self.report(at, Problem::WrongType("object".into()));
        };
        for (name, (_, required)) in &fields.0 {
            if *required && !self.lenient && given.get(name).is_none_or(Value::is_null) {
                self.report(&join(at, name), Problem::Missing);
            }
        }
        for (name, item) in given {
            match fields.0.get(name) {
                None => self.report(&join(at, name), Problem::UnknownField),
                // Null is how JSON says "unset"; what must be given was looked at above.
                Some(_) if item.is_null() => {}
                Some((ty, _)) => self.value(&join(at, name), ty, item),
            }
        }
    }

    fn enumerated(&mut self, at: &str, name: &str, value: &str) {
        let enums = self.enums;
        if let Some(values) = enums.get(name)
            && !values.iter().any(|known| known == value)
        {
            self.report(at, Problem::NotOneOf(values.clone()));
        }
    }

    /// An update mask, in the query or in the body, names fields of the message that is sent.
    pub(super) fn mask(&mut self, expected: &Type, query: &[(String, String)], body: &Value) {
        let in_query =
            query.iter().find(|(name, _)| name == "update_mask").map(|(_, mask)| ("?update_mask", mask.as_str()));
        let in_body = body.get("update_mask").and_then(Value::as_str).map(|mask| ("update_mask", mask));
        let Some((at, mask)) = in_query.or(in_body) else { return };
        let messages = self.messages;
        let target = match expected {
            Type::Message(name) => messages.get(name),
            Type::Inline(fields) => fields.0.values().find_map(|(ty, _)| match ty {
                Type::Message(name) => messages.get(name),
                _ => None,
            }),
            _ => None,
        };
        let Some(target) = target else { return };
        for path in mask.split(',').map(str::trim).filter(|path| !path.is_empty() && *path != "*") {
            if self.resolve(target, path).is_none() {
                self.report(at, Problem::UnknownMask(path.to_owned()));
            }
        }
    }
}

fn join(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

fn describe(ty: &Type) -> String {
    match ty {
        Type::Text(name) => (*name).to_owned(),
        Type::Whole => "int".into(),
        Type::Double => "double".into(),
        Type::Bool => "bool".into(),
        Type::Any => "any".into(),
        Type::List(_) => "list".into(),
        Type::Map(_) | Type::Inline(_) => "object".into(),
        Type::Message(name) | Type::Enum(name) => name.clone(),
    }
}
