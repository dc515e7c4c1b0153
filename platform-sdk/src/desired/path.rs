//! Paths of fields: `tasks[load].timeout_seconds`, `columns[0].name`, `tags.*`.

use std::{fmt, str::FromStr};

use crate::report::Diagnostic;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A field or a map's key.
    Name(String),
    /// A list's element, by index or by the value of its key field.
    Element(String),
    /// Any field, key or element.
    Any,
}

/// The place of a value in a tree of inputs or outputs.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<Segment>);

impl Path {
    /// The whole tree.
    pub fn root() -> Self {
        Self::default()
    }

    /// Below this path, by field or key.
    pub fn name(&self, name: &str) -> Self {
        self.with(Segment::Name(name.to_owned()))
    }

    /// Below this path, by element.
    pub fn element(&self, key: impl fmt::Display) -> Self {
        self.with(Segment::Element(key.to_string()))
    }

    fn with(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }

    /// Its steps.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Its first field.
    pub fn field(&self) -> Option<&str> {
        match self.0.first() {
            Some(Segment::Name(name)) => Some(name),
            _ => None,
        }
    }

    /// Whether this path, which may have wildcards, names `other` or something above it.
    pub fn covers(&self, other: &Path) -> bool {
        self.0.len() <= other.0.len() && self.0.iter().zip(&other.0).all(|(a, b)| a == b || *a == Segment::Any)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Name(name) if index == 0 => f.write_str(name)?,
                Segment::Name(name) => write!(f, ".{name}")?,
                Segment::Element(key) => write!(f, "[{key}]")?,
                Segment::Any if index == 0 => f.write_str("*")?,
                Segment::Any => f.write_str(".*")?,
            }
        }
        Ok(())
    }
}

impl FromStr for Path {
    type Err = Diagnostic;

    fn from_str(text: &str) -> Result<Self, Diagnostic> {
        let wrong = || {
            Diagnostic::error(format!("`{text}` is not a path of a field"))
                .hint("paths are written `comment`, `tags.team`, `tasks[load].timeout_seconds`, `tags.*`")
        };
        let mut segments = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('[') {
                let (key, tail) = after.split_once(']').ok_or_else(wrong)?;
                segments.push(if key == "*" { Segment::Any } else { Segment::Element(key.to_owned()) });
                rest = tail;
            } else {
                rest = rest.strip_prefix('.').unwrap_or(rest);
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                let (name, tail) = rest.split_at(end);
                if name.is_empty() {
                    return Err(wrong());
                }
                segments.push(if name == "*" { Segment::Any } else { Segment::Name(name.to_owned()) });
                rest = tail;
            }
        }
        if segments.is_empty() { Err(wrong()) } else { Ok(Self(segments)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_as_they_are_written() {
        for text in ["comment", "tags.team", "tasks[load].timeout_seconds", "columns[0]", "tags.*", "tasks.*.name"] {
            let path: Path = text.parse().expect("a path");
            assert_eq!(path.to_string(), text);
        }
        for text in ["", "a..b", "a[b", "."] {
            assert!(text.parse::<Path>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_covers_what_lies_below_it() {
        let covers = |a: &str, b: &str| a.parse::<Path>().expect("a").covers(&b.parse().expect("b"));
        assert!(covers("tags", "tags.team"));
        assert!(covers("tasks[*].name", "tasks[load].name"));
        assert!(!covers("tags.team", "tags"));
        assert!(!covers("tag", "tags"));
    }
}
