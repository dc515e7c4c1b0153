//! Comparing one resource with what is there, as its options say: the same for a plan and for the apply of its step.

use super::{
    diff::{self, Difference, Sides, Verdict},
    ignore::with_ignored,
};
use crate::{
    desired::{Node, Path, Tree},
    program::{Field, Schema},
    state::{ResourceState, Status},
};

/// A resource's inputs beside what is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The inputs that are wanted; at ignored paths, what is there.
    pub inputs: Tree,
    /// Where they differ.
    pub differences: Vec<Difference>,
    /// Where secrets that stay sealed could not be compared.
    pub sealed: Vec<Path>,
}

/// Whether what is there is otherwise than what was last applied, but for what the resource leaves to others.
pub fn differs(schema: &Schema, state: &ResourceState, observed: &Tree) -> bool {
    let sides = Sides { last: Some(&state.inputs), observed: Some(observed), desired: &state.inputs };
    let ignored = paths(&state.options.ignore_changes);
    let mut differences = diff::diff(schema.fields(), sides).into_iter();
    differences.any(|difference| !ignored.iter().any(|path| path.covers(&difference.path)))
}

/// Compares what a node wants with what was last applied and with what was observed. What is still being made is to become
/// all that it was made with, and only then is any of it left to others.
pub fn compare(node: &Node, wanted: Tree, state: Option<&ResourceState>, observed: Option<&Tree>) -> Compared {
    let fields = node.schema.fields();
    let ignored = paths(&node.options.ignore_changes);
    let last = state.map(|state| &state.inputs);
    let making = state.filter(|state| matches!(state.status, Status::Making(_)));
    let inputs = match (last, observed) {
        (None, None) => wanted,
        _ if ignored.is_empty() => wanted,
        _ if let Some(made) = making => with_ignored(&wanted, &over(&wanted, &made.inputs), &ignored, fields),
        (last, observed) => with_ignored(&wanted, &there(fields, last, observed), &ignored, fields),
    };
    let sides = Sides { last, observed, desired: &inputs };
    let (mut differences, mut sealed) = diff::diff_as_far_as_opened(fields, sides);
    sealed.retain(|path| !ignored.iter().any(|ignored| ignored.covers(path)));
    differences.retain(|difference| making.is_some() || !ignored.iter().any(|path| path.covers(&difference.path)));
    let forcing = paths(&node.options.replace_on_changes);
    for difference in differences.iter_mut().filter(|difference| difference.verdict > Verdict::Released) {
        if forcing.iter().any(|path| path.covers(&difference.path) || difference.path.covers(path)) {
            let known = difference.after.as_ref().is_none_or(Tree::is_known);
            difference.verdict = if known { Verdict::Replace } else { Verdict::MayReplace };
        }
    }
    Compared { inputs, differences, sealed }
}

/// What state does not know of a resource whose reality is what the program says.
pub(super) fn unrecorded(node: &Node, last: &Tree, inputs: &Tree) -> Vec<Difference> {
    let ignored = paths(&node.options.ignore_changes);
    let sides = Sides { last: Some(last), observed: None, desired: inputs };
    let mut differences = diff::diff(node.schema.fields(), sides);
    differences.retain(|difference| !ignored.iter().any(|path| path.covers(&difference.path)));
    differences.into_iter().map(|difference| Difference { verdict: Verdict::Released, ..difference }).collect()
}

/// The fields of one tree, and those of another that it does not have.
fn over(under: &Tree, upper: &Tree) -> Tree {
    let (Tree::Map(under), Tree::Map(upper)) = (under, upper) else { return upper.clone() };
    let mut all = under.clone();
    all.extend(upper.iter().map(|(name, value)| (name.clone(), value.clone())));
    Tree::Map(all)
}

/// What is there now: as observed, with what the service never shows as last applied.
fn there(fields: &[Field], last: Option<&Tree>, observed: Option<&Tree>) -> Tree {
    let (Some(Tree::Map(observed)), Some(last)) = (observed, last) else {
        return observed.or(last).cloned().unwrap_or_default();
    };
    let mut there = observed.clone();
    for field in fields.iter().filter(|field| field.write_only) {
        there.extend(last.get(field.name).map(|value| (field.name.to_owned(), value.clone())));
    }
    Tree::Map(there)
}

fn paths(texts: &[String]) -> Vec<Path> {
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}
