//! Inputs with one thing taken away: what a test of every field that can be left out goes through.

use serde_json::Value;

use crate::program::{Field, Shape, Unset};

/// These inputs without a field that is set in them: once for each that can be left out and is shown, in blocks too.
pub fn taken_away(fields: &[Field], inputs: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    for field in fields.iter().filter(|field| !field.via && !field.write_only) {
        let Some(set) = inputs.get(field.name) else { continue };
        let with = |value: Option<Value>| {
            let mut inputs = inputs.clone();
            if let Some(entries) = inputs.as_object_mut() {
                entries.remove(field.name);
                entries.extend(value.map(|value| (field.name.to_owned(), value)));
            }
            inputs
        };
        if !matches!(field.unset, Unset::Never) {
            all.push(with(None));
        }
        match (field.shape, set) {
            (Shape::Block(fields), Value::Object(_)) => {
                all.extend(taken_away(fields(), set).into_iter().map(|block| with(Some(block))));
            }
            (Shape::Blocks(fields), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    let among = |other: Value| {
                        let mut items = items.clone();
                        items[index] = other;
                        with(Some(Value::Array(items)))
                    };
                    all.extend(taken_away(fields(), item).into_iter().map(among));
                }
            }
            _ => {}
        }
    }
    all
}
