//! Parameters of the query protocol: each is taken once, and what nobody took is unknown.

use std::collections::BTreeMap;

use platform_sdk::sandbox::Request;
use serde_json::Value;

use super::problem::Problem;

/// What was sent and not yet taken.
#[derive(Debug)]
pub(super) struct Params(BTreeMap<String, String>);

impl Params {
    /// From the form of a POST, or the query of a GET.
    pub(super) fn of(request: &Request) -> Result<Self, Problem> {
        let mut params = BTreeMap::new();
        let body = std::str::from_utf8(&request.body).map_err(|_| malformed("the body is not text"))?;
        let form = body.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        });
        let signature = |name: &str| name.starts_with("X-Amz-");
        let query = request.query.iter().filter(|(name, _)| !signature(name)).cloned();
        for (name, value) in query.chain(form) {
            if params.insert(name.clone(), value).is_some() {
                return Err(malformed(&format!("{name} is given twice")));
            }
        }
        Ok(Self(params))
    }

    /// A parameter, without taking it.
    pub(super) fn peek(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Takes a parameter that may be there.
    pub(super) fn optional(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// Takes a parameter that must be there.
    pub(super) fn required(&mut self, name: &str) -> Result<String, Problem> {
        self.optional(name).filter(|value| !value.is_empty()).ok_or_else(|| {
            let member = uncapitalised(name);
            let detail = "failed to satisfy constraint: Member must not be null";
            Problem::new(400, "ValidationError", format!("1 validation error detected: Value at '{member}' {detail}"))
        })
    }

    /// Takes a number within bounds.
    pub(super) fn number(&mut self, name: &str, least: u64, most: u64) -> Result<Option<u64>, Problem> {
        let Some(text) = self.optional(name) else { return Ok(None) };
        match text.parse() {
            Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
            Ok(number) if number < least => {
                Err(invalid(name, &text, &format!("Member must have value greater than or equal to {least}")))
            }
            Ok(_) => Err(invalid(name, &text, &format!("Member must have value less than or equal to {most}"))),
            Err(_) => Err(malformed(&format!("{name} is not a number"))),
        }
    }

    /// Takes `Name.member.1`, `Name.member.2`, ...
    pub(super) fn list(&mut self, name: &str) -> Vec<String> {
        (1..).map_while(|n| self.0.remove(&format!("{name}.member.{n}"))).collect()
    }

    /// Takes `Tags.member.1.Key` with `Tags.member.1.Value`, ...
    pub(super) fn tags(&mut self) -> Result<Vec<(String, String)>, Problem> {
        let mut tags = Vec::new();
        while let Some(key) = self.0.remove(&format!("Tags.member.{}.Key", tags.len() + 1)) {
            let value = self.required_value(tags.len() + 1)?;
            tags.push((key, value));
        }
        Ok(tags)
    }

    fn required_value(&mut self, n: usize) -> Result<String, Problem> {
        let name = format!("Tags.member.{n}.Value");
        self.0.remove(&name).ok_or_else(|| malformed(&format!("{name} is missing")))
    }

    /// Checks that nothing is left.
    pub(super) fn done(&self) -> Result<(), Problem> {
        match self.0.keys().next() {
            Some(name) => Err(malformed(&format!("Unknown parameter {name}"))),
            None => Ok(()),
        }
    }

    /// For the log.
    pub(super) fn into_json(self) -> Value {
        self.0.into_iter().map(|(name, value)| (name, Value::String(value))).collect()
    }
}

/// A value that the service's model forbids, in its words.
pub(super) fn invalid(name: &str, value: &str, constraint: &str) -> Problem {
    let member = uncapitalised(name);
    let what = format!("Value '{value}' at '{member}' failed to satisfy constraint: {constraint}");
    Problem::new(400, "ValidationError", format!("1 validation error detected: {what}"))
}

fn malformed(what: &str) -> Problem {
    Problem::new(400, "ValidationError", what)
}

fn uncapitalised(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}
