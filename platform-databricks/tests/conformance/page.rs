//! What a page brings to the suite, and how its inputs are compared.

use std::collections::{BTreeMap, BTreeSet};

use platform_sdk::{Field, Schema, Shape};
use serde_json::Value;

/// One page's part in the suite.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    /// `databricks:Catalog`.
    pub(crate) type_name: &'static str,
    /// Inputs of a create with as much set as there is.
    pub(crate) inputs: Value,
    /// The same with every field changed that can be changed in place. A field that is missing here is unset.
    pub(crate) changed: Value,
    /// Changes by others: the request, and the field in which `read` shows it.
    pub(crate) behind: Vec<Behind>,
    /// Whether a second create of the same is refused. A grant is additive: it is not.
    pub(crate) exclusive: bool,
    /// Whether its fields change only all at once.
    pub(crate) together: bool,
}

/// A request of somebody else. In its path and body, `$id` stands for the object's id; a number where it stands alone.
#[derive(Debug, Clone)]
pub(crate) struct Behind {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) body: Value,
    pub(crate) field: &'static str,
}

impl Page {
    /// The names that stand for ids: `$warehouse`.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        let text = format!("{}{}{:?}", self.inputs, self.changed, self.behind);
        let name = |rest: &str| rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect::<String>();
        text.split('$').skip(1).map(name).filter(|name| name != "id").collect()
    }

    /// Ids, which no test knows before its world runs, take the places of their names.
    pub(crate) fn filled(&self, ids: &BTreeMap<String, String>) -> Self {
        let text =
            |text: &str| ids.iter().fold(text.to_owned(), |text, (name, id)| text.replace(&format!("${name}"), id));
        let fill = |value: &Value| -> Value { serde_json::from_str(&text(&value.to_string())).expect("still JSON") };
        let behind =
            self.behind.iter().map(|b| Behind { path: text(&b.path), body: fill(&b.body), ..b.clone() }).collect();
        Self { inputs: fill(&self.inputs), changed: fill(&self.changed), behind, ..self.clone() }
    }

    /// The names of the fields that an update can change.
    pub(crate) fn changing(&self) -> Vec<String> {
        let of = |value: &Value| value.as_object().expect("inputs").keys().cloned().collect::<BTreeSet<_>>();
        let all: BTreeSet<String> = of(&self.inputs).union(&of(&self.changed)).cloned().collect();
        all.into_iter().filter(|field| self.inputs.get(field) != self.changed.get(field)).collect()
    }
}

/// The fields in which `observed` does not show what is wanted.
pub(crate) fn not_shown(schema: &Schema, wanted: &Value, observed: &Value) -> Vec<String> {
    differing(schema.fields(), wanted, observed)
}

fn differing(fields: &[Field], wanted: &Value, observed: &Value) -> Vec<String> {
    let looked_at = fields.iter().filter(|field| !field.via && !field.write_only);
    let wrong = looked_at.filter(|field| {
        let wanted = wanted.get(field.name).filter(|value| !value.is_null());
        wanted.is_some_and(|wanted| !same(field, wanted, observed.get(field.name).unwrap_or(&Value::Null)))
    });
    wrong.map(|field| field.name.to_owned()).collect()
}

fn same(field: &Field, wanted: &Value, observed: &Value) -> bool {
    let normal = |value: &Value| field.normalize.map_or_else(|| value.clone(), |normalize| normalize(value.clone()));
    match (field.shape, wanted, observed) {
        (Shape::Block(fields), _, _) => differing(fields(), wanted, observed).is_empty(),
        (Shape::Blocks(fields), Value::Array(wanted), Value::Array(observed)) => {
            wanted.len() == observed.len()
                && wanted.iter().all(|wanted| observed.iter().any(|o| differing(fields(), wanted, o).is_empty()))
        }
        (_, Value::Array(wanted), Value::Array(observed)) if field.order != platform_sdk::ListOrder::Sequence => {
            let sorted = |list: &[Value]| {
                let mut list: Vec<String> = list.iter().map(Value::to_string).collect();
                list.sort();
                list
            };
            sorted(wanted) == sorted(observed)
        }
        _ => normal(wanted) == normal(observed),
    }
}
