//! Column types: read from SQL, written as Unity Catalog shows them, and which may become which.

use serde_json::{Value, json};

/// A column's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DataType {
    Simple(&'static Simple),
    Decimal(u32, u32),
    Char(u32),
    Varchar(u32),
    Array(Box<DataType>),
    Map(Box<DataType>, Box<DataType>),
    Struct(Vec<Member>),
}

/// A type without parameters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Simple {
    /// As SQL and the catalog write it.
    text: &'static str,
    /// As the catalog's enum calls it.
    name: &'static str,
    /// As Spark's JSON calls it.
    json: &'static str,
}

/// A field of a struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) ty: DataType,
    pub(super) nullable: bool,
    pub(super) comment: Option<String>,
}

const SIMPLE: [Simple; 14] = [
    Simple { text: "boolean", name: "BOOLEAN", json: "boolean" },
    Simple { text: "tinyint", name: "BYTE", json: "byte" },
    Simple { text: "smallint", name: "SHORT", json: "short" },
    Simple { text: "int", name: "INT", json: "integer" },
    Simple { text: "bigint", name: "LONG", json: "long" },
    Simple { text: "float", name: "FLOAT", json: "float" },
    Simple { text: "double", name: "DOUBLE", json: "double" },
    Simple { text: "string", name: "STRING", json: "string" },
    Simple { text: "binary", name: "BINARY", json: "binary" },
    Simple { text: "date", name: "DATE", json: "date" },
    Simple { text: "timestamp", name: "TIMESTAMP", json: "timestamp" },
    Simple { text: "timestamp_ntz", name: "TIMESTAMP_NTZ", json: "timestamp_ntz" },
    Simple { text: "variant", name: "VARIANT", json: "variant" },
    Simple { text: "void", name: "NULL", json: "void" },
];

impl DataType {
    /// A type without parameters, by any of its SQL names.
    pub(super) fn simple(word: &str) -> Option<Self> {
        let word = word.to_lowercase();
        let text = match word.as_str() {
            "byte" => "tinyint",
            "short" => "smallint",
            "integer" => "int",
            "long" => "bigint",
            "real" => "float",
            "timestamp_ltz" => "timestamp",
            other => other,
        };
        SIMPLE.iter().find(|simple| simple.text == text).map(Self::Simple)
    }

    /// `type_text`.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Simple(simple) => simple.text.to_owned(),
            Self::Decimal(precision, scale) => format!("decimal({precision},{scale})"),
            Self::Char(length) => format!("char({length})"),
            Self::Varchar(length) => format!("varchar({length})"),
            Self::Array(element) => format!("array<{}>", element.text()),
            Self::Map(key, value) => format!("map<{},{}>", key.text(), value.text()),
            Self::Struct(members) => {
                let members: Vec<String> =
                    members.iter().map(|member| format!("{}:{}", member.name, member.ty.text())).collect();
                format!("struct<{}>", members.join(","))
            }
        }
    }

    /// `type_name`.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Simple(simple) => simple.name,
            Self::Decimal(..) => "DECIMAL",
            Self::Char(_) => "CHAR",
            Self::Varchar(_) => "STRING",
            Self::Array(_) => "ARRAY",
            Self::Map(..) => "MAP",
            Self::Struct(_) => "STRUCT",
        }
    }

    /// The type inside `type_json`.
    pub(super) fn json(&self) -> Value {
        match self {
            Self::Simple(simple) => simple.json.into(),
            Self::Decimal(..) | Self::Char(_) | Self::Varchar(_) => self.text().into(),
            Self::Array(element) => json!({"type": "array", "elementType": element.json(), "containsNull": true}),
            Self::Map(key, value) => {
                json!({"type": "map", "keyType": key.json(), "valueType": value.json(), "valueContainsNull": true})
            }
            Self::Struct(members) => {
                json!({"type": "struct", "fields": members.iter().map(Member::json).collect::<Vec<_>>()})
            }
        }
    }

    /// Whether Delta changes the type in place without rewriting data; most changes need type widening to be on.
    pub(super) fn widens_to(&self, new: &Self, widening: bool) -> bool {
        use DataType::{Array, Char, Decimal, Map, Simple, Struct, Varchar};
        match (self, new) {
            (old, new) if old == new => true,
            (Char(old) | Varchar(old), Varchar(new)) => new >= old,
            (Char(_) | Varchar(_), Simple(new)) => new.text == "string",
            (Array(old), Array(new)) => old.widens_to(new, widening),
            (Map(k, v), Map(new_k, new_v)) => k.widens_to(new_k, widening) && v.widens_to(new_v, widening),
            (Struct(old), Struct(new)) => {
                old.iter().all(|old| new.iter().any(|new| new.name == old.name && old.ty.widens_to(&new.ty, widening)))
            }
            _ if !widening => false,
            (Decimal(precision, scale), Decimal(new_precision, new_scale)) => {
                new_scale >= scale && new_precision.saturating_sub(*new_scale) >= precision.saturating_sub(*scale)
            }
            (Simple(old), Decimal(precision, scale)) => {
                digits(old.text).is_some_and(|digits| precision.saturating_sub(*scale) >= digits)
            }
            (Simple(old), Simple(new)) => matches!(
                (old.text, new.text),
                ("tinyint", "smallint" | "int" | "bigint" | "double")
                    | ("smallint", "int" | "bigint" | "double")
                    | ("int", "bigint" | "double")
                    | ("float", "double")
                    | ("date", "timestamp_ntz")
            ),
            _ => false,
        }
    }
}

/// How many decimal digits hold any value of a whole-number type.
fn digits(text: &str) -> Option<u32> {
    match text {
        "tinyint" | "smallint" | "int" => Some(10),
        "bigint" => Some(20),
        _ => None,
    }
}

impl Member {
    fn json(&self) -> Value {
        let metadata = self.comment.as_ref().map_or_else(|| json!({}), |comment| json!({"comment": comment}));
        json!({"name": self.name, "type": self.ty.json(), "nullable": self.nullable, "metadata": metadata})
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
mod tests {
    use super::*;

    fn simple(word: &str) -> DataType {
        DataType::simple(word).unwrap()
    }

    #[test]
    fn types_widen_and_never_narrow() {
        assert!(simple("int").widens_to(&simple("bigint"), true));
        assert!(!simple("int").widens_to(&simple("bigint"), false));
        assert!(!simple("bigint").widens_to(&simple("int"), true));
        assert!(DataType::Decimal(10, 2).widens_to(&DataType::Decimal(12, 2), true));
        assert!(!DataType::Decimal(10, 2).widens_to(&DataType::Decimal(10, 3), true));
        assert!(DataType::Varchar(5).widens_to(&simple("string"), false));
    }
}
