//! Outputs as a plan knows them: those of objects that stay, and before there is an object those that are made of inputs.
//! Pure.

use serde_json::Value;

use super::{Decisions, Op, decide::Sources};
use crate::{
    desired::Tree,
    program::{Origin, OutputField, Schema},
};

/// An output as far as these decisions leave it known.
pub(super) fn output(sources: Sources<'_>, decisions: &Decisions, origin: &Origin, field: &str) -> Option<Tree> {
    let Sources { snapshot, observed, desired, .. } = sources;
    let address = &origin.address;
    if desired.lookups.contains_key(address) {
        return observed.lookups.get(address)?.get(field).cloned();
    }
    let decision = decisions.get(address)?;
    let outputs = match &decision.op {
        Op::Create | Op::Replace { .. } => {
            let schema = desired.nodes.get(address)?.schema;
            let output = schema.output(field)?;
            // Whether it is a new object may hang on that very change, and what lives in it decides by what it knows.
            let open = !decision.conditions.is_empty() && decision.changes_any(output.from);
            return if open { None } else { foreseen(schema, output, &decision.inputs) };
        }
        Op::Read | Op::Delete | Op::Forget => None,
        Op::Adopt => observed.found.get(address).map(|seen| &seen.outputs),
        Op::Update | Op::Move { .. } | Op::Options | Op::Keep => {
            let last = snapshot.resources.get(address).map(|state| &state.outputs);
            observed.present(address).map(|seen| &seen.outputs).or(last)
        }
    }?;
    // What only state does not know yet has long happened in reality.
    if decision.op != Op::Options && !decision.differences.is_empty() {
        let from = desired.nodes.get(address)?.schema.output(field).map(|output| output.from).unwrap_or_default();
        if decision.changes_any(from) {
            return None;
        }
    }
    outputs.get(field).cloned()
}

/// The output of an object with these inputs; `None` where only the service knows it, or an input is not known yet.
pub fn foreseen(schema: &Schema, output: &OutputField, inputs: &Tree) -> Option<Tree> {
    let mut parts = output.is?.split('{');
    let mut text = parts.next()?.to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}')?;
        text += &written(schema, name, inputs)?;
        text += rest;
    }
    Some(Tree::Leaf(text.into()))
}

/// An input as the service writes it. What is secret is not told in another place.
fn written(schema: &Schema, name: &str, inputs: &Tree) -> Option<String> {
    let value = inputs.get(name).filter(|value| !value.has_secrets())?.plain()?;
    let normalize = schema.field(name)?.normalize;
    match normalize.map_or(value.clone(), |normalize| normalize(value)) {
        Value::String(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Data, Resource as _, program::Field};

    fn fields() -> &'static [Field] {
        static FIELDS: [Field; 2] = [
            Field {
                normalize: Some(|value| value.as_str().map_or(Value::Null, |text| text.to_lowercase().into())),
                ..Field::new("place")
            },
            Field::new("name"),
        ];
        &FIELDS
    }

    fn of(is: &'static str, inputs: &Tree) -> Option<Value> {
        let schema = Schema { fields, ..*Data::schema() };
        let output = OutputField { name: "full_name", from: &[], is: Some(is), unique: false, secret: false };
        foreseen(&schema, &output, inputs).map(|tree| tree.shown())
    }

    #[test]
    fn an_output_is_made_of_inputs_as_the_service_writes_them() {
        let inputs = Tree::from(json!({"place": "Lake", "name": "Raw"}));
        assert_eq!(of("{place}.{name}", &inputs), Some(json!("lake.Raw")));
        assert_eq!(of("/at/{name}/", &inputs), Some(json!("/at/Raw/")));
        assert_eq!(of("{place}.{other}", &inputs), None, "not set, so the service chooses");
    }

    #[test]
    fn what_is_unknown_or_secret_makes_nothing_known() {
        let with = |name: Tree| Tree::Map([("place", json!("lake").into()), ("name", name)].into());
        assert_eq!(of("{place}.{name}", &with(Tree::Unknown("${a.id}".to_owned()))), None);
        assert_eq!(of("{place}.{name}", &with(Tree::Secret(Box::new(json!("raw").into())))), None);
        assert_eq!(of("{place}", &with(Tree::Unknown("${a.id}".to_owned()))), Some(json!("lake")));
    }
}
