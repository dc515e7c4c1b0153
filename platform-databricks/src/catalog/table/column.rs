//! Columns of a table.

use platform_sdk::{Declared, IntoInput, Judgement, Stage, derive::Block};
use serde_json::Value;

use super::{DataType, data_type};

/// A column: `Column::bigint("id").not_null()`.
#[derive(Block)]
pub struct Column<S: Stage = Declared> {
    /// Its name. Another name is another column: the old one is dropped with its data.
    #[field(required)]
    pub name: S::In<String>,
    /// Its type.
    #[field(required, normalize = data_type::normal)]
    pub data_type: S::In<DataType>,
    /// Whether it may hold null. Default: true.
    #[field(default = true)]
    pub nullable: Option<S::In<bool>>,
    /// What it means.
    #[field(nullable)]
    pub comment: Option<S::In<String>>,
}

macro_rules! plain_types {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        impl Column {
            $($(#[$doc])*
            pub fn $name(name: impl IntoInput<String>) -> Self {
                Self::new(name, DataType::Plain(stringify!($name).to_owned()))
            })+
        }
    };
}

plain_types! {
    /// A whole number of 64 bits.
    bigint,
    /// Bytes.
    binary,
    /// True or false.
    boolean,
    /// A day.
    date,
    /// A binary floating-point number of 64 bits.
    double,
    /// A binary floating-point number of 32 bits.
    float,
    /// A whole number of 32 bits.
    int,
    /// A whole number of 16 bits.
    smallint,
    /// Text.
    string,
    /// A point in time.
    timestamp,
    /// A date and a time of day, without a time zone.
    timestamp_ntz,
    /// A whole number of 8 bits.
    tinyint,
    /// JSON-like data of any shape.
    variant,
}

impl Column {
    /// A number of `digits` decimal digits, `scale` of them after the point.
    pub fn decimal(name: impl IntoInput<String>, digits: u8, scale: u8) -> Self {
        Self::new(name, DataType::Decimal(digits, scale))
    }

    /// A list: `Column::array("tags", "string")`.
    pub fn array(name: impl IntoInput<String>, element: impl Into<DataType>) -> Self {
        Self::new(name, DataType::array(element))
    }

    /// A map: `Column::map("labels", "string", "string")`.
    pub fn map(name: impl IntoInput<String>, key: impl Into<DataType>, value: impl Into<DataType>) -> Self {
        Self::new(name, DataType::map(key, value))
    }

    /// Named fields: `Column::structure("buyer", [("name", "string"), ("born", "date")])`.
    pub fn structure<N: Into<String>, T: Into<DataType>>(
        name: impl IntoInput<String>,
        fields: impl IntoIterator<Item = (N, T)>,
    ) -> Self {
        Self::new(name, DataType::structure(fields))
    }

    /// It never holds null.
    pub fn not_null(self) -> Self {
        self.nullable(false)
    }
}

/// What a change of a column, or of something about one, asks for.
pub(super) fn judge(path: &str, before: &Value, after: &Value) -> Judgement {
    match (before, after) {
        (Value::Object(_), Value::Null) => Judgement::LosesData,
        (Value::String(before), Value::String(after)) if path.ends_with("].data_type") => {
            match DataType::parse(before).widens_to(&DataType::parse(after)) {
                Some(_) => Judgement::InPlace,
                None => Judgement::Replace,
            }
        }
        _ => Judgement::InPlace,
    }
}

#[cfg(test)]
mod tests {
    use platform_sdk::Judgement;
    use serde_json::{Value, json};

    use super::judge;

    #[test]
    fn a_dropped_column_loses_data_and_an_added_one_does_not() {
        let column = json!({"name": "x", "data_type": "int"});
        assert_eq!(judge("columns[x]", &column, &Value::Null), Judgement::LosesData);
        assert_eq!(judge("columns[x]", &Value::Null, &column), Judgement::InPlace);
    }

    #[test]
    fn a_type_widens_in_place_and_anything_else_needs_another_table() {
        assert_eq!(judge("columns[x].data_type", &json!("int"), &json!("bigint")), Judgement::InPlace);
        assert_eq!(judge("columns[x].data_type", &json!("bigint"), &json!("int")), Judgement::Replace);
        assert_eq!(judge("columns[x].comment", &json!("int"), &json!("text")), Judgement::InPlace);
    }
}
