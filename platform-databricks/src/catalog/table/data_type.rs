//! The type of a column: written as text, compared as a tree.

use std::fmt;

use platform_sdk::{Input, IntoInput, plain_input};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::sql::identifier;

/// How deep types are read. No table nests so deep, and reading descends a level with each.
pub(super) const DEEPEST: usize = 100;

/// The type of a column. Reads any spelling (`DECIMAL( 18, 2 )`, `long`) and writes the catalog's (`decimal(18,2)`,
/// `bigint`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataType {
    /// A type without others in it: `bigint`, `timestamp`, `varchar(20)`.
    Plain(String),
    /// A number with this many digits, so many of them after the point.
    Decimal(u8, u8),
    /// A list.
    Array(Box<DataType>),
    /// A map from keys to values.
    Map(Box<DataType>, Box<DataType>),
    /// Named fields.
    Struct(Vec<(String, DataType)>),
}

impl DataType {
    /// A type by its name in SQL: `bigint`, `array<string>`.
    pub fn parse(text: &str) -> Self {
        let mut rest = text.trim();
        match (too_deep(text).is_none()).then(|| read(&mut rest)).flatten() {
            Some(parsed) if rest.trim().is_empty() => parsed,
            // A spelling that is not known here is the service's to judge.
            _ => Self::Plain(text.trim().to_lowercase()),
        }
    }

    /// A list of these.
    pub fn array(element: impl Into<Self>) -> Self {
        Self::Array(Box::new(element.into()))
    }

    /// A map.
    pub fn map(key: impl Into<Self>, value: impl Into<Self>) -> Self {
        Self::Map(Box::new(key.into()), Box::new(value.into()))
    }

    /// Named fields.
    pub fn structure<N: Into<String>, T: Into<Self>>(fields: impl IntoIterator<Item = (N, T)>) -> Self {
        Self::Struct(fields.into_iter().map(|(name, of)| (name.into(), of.into())).collect())
    }

    /// As SQL takes it, with the names of fields quoted.
    pub(super) fn sql(&self) -> String {
        match self {
            Self::Plain(_) | Self::Decimal(..) => self.to_string(),
            Self::Array(element) => format!("array<{}>", element.sql()),
            Self::Map(key, value) => format!("map<{}, {}>", key.sql(), value.sql()),
            Self::Struct(fields) => {
                let fields = fields.iter().map(|(name, of)| format!("{}: {}", identifier(name), of.sql()));
                format!("struct<{}>", fields.collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// Whether Delta changes it to the other type without rewriting data (type widening). The second is whether that
    /// needs the table's feature for it.
    pub(super) fn widens_to(&self, to: &Self) -> Option<Feature> {
        use DataType::{Decimal, Plain};
        let (from, to) = (self, to);
        match (from, to) {
            (Plain(from), Plain(to)) => match (from.as_str(), to.as_str()) {
                ("tinyint", "smallint" | "int" | "bigint" | "double")
                | ("smallint", "int" | "bigint" | "double")
                | ("int", "bigint" | "double")
                | ("float", "double")
                | ("date", "timestamp_ntz") => Some(Feature::Needed),
                (from, "string") if length(from).is_some() => Some(Feature::NotNeeded),
                (from, to) => {
                    let (from, to) = (length(from)?, length(to).filter(|_| to.starts_with("varchar"))?);
                    (to >= from).then_some(Feature::NotNeeded)
                }
            },
            (Decimal(digits, scale), Decimal(to_digits, to_scale)) => {
                let whole = |digits: &u8, scale: &u8| digits.saturating_sub(*scale);
                (to_scale >= scale && whole(to_digits, to_scale) >= whole(digits, scale)).then_some(Feature::Needed)
            }
            (Plain(from), Decimal(digits, scale)) => {
                let needed = match from.as_str() {
                    "tinyint" | "smallint" | "int" => 10,
                    "bigint" => 20,
                    _ => return None,
                };
                (digits.saturating_sub(*scale) >= needed).then_some(Feature::Needed)
            }
            _ => None,
        }
    }
}

/// Whether a change of type needs `delta.enableTypeWidening`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Feature {
    Needed,
    NotNeeded,
}

/// The length of `char(n)` and `varchar(n)`.
fn length(text: &str) -> Option<u32> {
    let (name, length) = text.split_once('(')?;
    matches!(name, "char" | "varchar").then(|| length.trim_end_matches(')').parse().ok()).flatten()
}

/// Where a type's text goes deeper than types are read, counted in characters from 1.
pub(super) fn too_deep(text: &str) -> Option<usize> {
    let (mut depth, mut quoted) = (0_usize, false);
    for (at, character) in text.chars().enumerate() {
        match character {
            '`' => quoted = !quoted,
            '<' if !quoted => depth += 1,
            '>' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Some(at + 1);
        }
    }
    None
}

/// Reads one type off the front.
fn read(rest: &mut &str) -> Option<DataType> {
    let name = word(rest)?.to_lowercase();
    match name.as_str() {
        "decimal" | "dec" | "numeric" => {
            if !eat(rest, '(') {
                return Some(DataType::Decimal(10, 0));
            }
            let precision = word(rest)?.parse().ok()?;
            let scale = if eat(rest, ',') { word(rest)?.parse().ok()? } else { 0 };
            eat(rest, ')').then_some(DataType::Decimal(precision, scale))
        }
        "array" => {
            eat(rest, '<').then_some(())?;
            let element = read(rest)?;
            eat(rest, '>').then(|| DataType::array(element))
        }
        "map" => {
            eat(rest, '<').then_some(())?;
            let key = read(rest)?;
            eat(rest, ',').then_some(())?;
            let value = read(rest)?;
            eat(rest, '>').then(|| DataType::map(key, value))
        }
        "struct" => read_fields(rest),
        "char" | "varchar" => {
            eat(rest, '(').then_some(())?;
            let length = word(rest)?;
            eat(rest, ')').then(|| DataType::Plain(format!("{name}({length})")))
        }
        _ => Some(DataType::Plain(canonical(&name).to_owned())),
    }
}

fn read_fields(rest: &mut &str) -> Option<DataType> {
    eat(rest, '<').then_some(())?;
    let mut fields = Vec::new();
    while !eat(rest, '>') {
        let name = match rest.trim_start().strip_prefix('`') {
            Some(quoted) => {
                let (name, after) = unquoted(quoted)?;
                *rest = after;
                name
            }
            None => word(rest)?.to_owned(),
        };
        eat(rest, ':');
        fields.push((name, read(rest)?));
        eat(rest, ',');
    }
    Some(DataType::Struct(fields))
}

/// A name behind its opening quote, in which a quote is written twice; and what comes behind its closing one.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let (mut name, mut rest) = (String::new(), text);
    loop {
        let (part, after) = rest.split_once('`')?;
        name.push_str(part);
        let Some(again) = after.strip_prefix('`') else { return Some((name, after)) };
        name.push('`');
        rest = again;
    }
}

fn word<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let text = rest.trim_start();
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (word, after) = text.split_at(end);
    *rest = after;
    (!word.is_empty()).then_some(word)
}

fn eat(rest: &mut &str, sign: char) -> bool {
    let after = rest.trim_start().strip_prefix(sign);
    if let Some(after) = after {
        *rest = after;
    }
    after.is_some()
}

/// The catalog's name among those that mean the same.
fn canonical(name: &str) -> &str {
    match name {
        "byte" => "tinyint",
        "short" => "smallint",
        "integer" => "int",
        "long" => "bigint",
        "real" => "float",
        "timestamp_ltz" => "timestamp",
        other => other,
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(name) => f.write_str(name),
            Self::Decimal(precision, scale) => write!(f, "decimal({precision},{scale})"),
            Self::Array(element) => write!(f, "array<{element}>"),
            Self::Map(key, value) => write!(f, "map<{key},{value}>"),
            Self::Struct(fields) => {
                f.write_str("struct<")?;
                for (index, (name, of)) in fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
                    let name = if plain { name.clone() } else { identifier(name) };
                    write!(f, "{comma}{name}:{of}")?;
                }
                f.write_str(">")
            }
        }
    }
}

impl From<&str> for DataType {
    fn from(text: &str) -> Self {
        Self::parse(text)
    }
}

impl Serialize for DataType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DataType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::parse(&text))
    }
}

plain_input!(DataType);

impl IntoInput<DataType> for &str {
    fn into_input(self) -> Input<DataType> {
        Input::Value(DataType::parse(self))
    }
}

/// One spelling for one type.
pub(super) fn normal(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(DataType::parse(&text).to_string()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{DEEPEST, DataType, Feature, too_deep};

    #[test]
    fn every_spelling_becomes_the_catalogs() {
        for (written, canonical) in [
            ("BIGINT", "bigint"),
            ("long", "bigint"),
            ("DECIMAL( 18 , 2 )", "decimal(18,2)"),
            ("decimal", "decimal(10,0)"),
            ("ARRAY< String >", "array<string>"),
            ("map<string, array<int>>", "map<string,array<int>>"),
            ("STRUCT<Name: STRING, `a b` : INT>", "struct<Name:string,`a b`:int>"),
            ("struct<``: int, `a``b`: int>", "struct<``:int,`a``b`:int>"),
            ("VARCHAR(20)", "varchar(20)"),
            ("geometry(4326)", "geometry(4326)"),
        ] {
            assert_eq!(DataType::parse(written).to_string(), canonical, "{written}");
        }
    }

    #[test]
    fn a_type_is_read_to_a_bounded_depth_and_says_where_it_goes_deeper() {
        let nested = |opening: &str, depth: usize| format!("{}int{}", opening.repeat(depth), ">".repeat(depth));
        for opening in ["array<", "map<int,", "struct<a:", "struct<`<`:", "ARRAY < "] {
            let deepest = nested(opening, DEEPEST);
            assert_eq!(too_deep(&deepest), None, "{opening}");
            assert!(!matches!(DataType::parse(&deepest), DataType::Plain(_)), "{opening}");
            for depth in [DEEPEST + 1, 1_000, 100_000] {
                let text = nested(opening, depth);
                let at = too_deep(&text).expect("too deep");
                assert_eq!((at - 1) / opening.len(), DEEPEST, "{opening}");
                assert!(matches!(DataType::parse(&text), DataType::Plain(_)), "{opening}");
            }
        }
        for text in ["array<`".repeat(9_999), "struct<`".repeat(9_999), "struct<a`:".repeat(9_999), "<".repeat(9_999)] {
            assert!(matches!(DataType::parse(&text), DataType::Plain(_)));
        }
    }

    #[test]
    fn fields_are_quoted_in_sql() {
        let buyer = DataType::structure([("name", "string"), ("a`b", "int")]);
        assert_eq!(DataType::array(buyer).sql(), "array<struct<`name`: string, `a``b`: int>>");
    }

    #[test]
    fn types_widen_and_never_narrow() {
        let widens = |from: &str, to: &str| DataType::parse(from).widens_to(&DataType::parse(to));
        assert_eq!(widens("int", "bigint"), Some(Feature::Needed));
        assert_eq!(widens("decimal(10,2)", "decimal(12,2)"), Some(Feature::Needed));
        assert_eq!(widens("varchar(5)", "string"), Some(Feature::NotNeeded));
        assert_eq!(widens("varchar(5)", "varchar(9)"), Some(Feature::NotNeeded));
        for (from, to) in [
            ("bigint", "int"),
            ("decimal(10,2)", "decimal(10,3)"),
            ("varchar(9)", "varchar(5)"),
            ("string", "int"),
            ("int", "string"),
            ("bigint", "decimal(10,0)"),
        ] {
            assert_eq!(widens(from, to), None, "{from} to {to}");
        }
    }
}
