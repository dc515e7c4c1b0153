//! Guards: what must not happen, found before anything runs and reported all at once.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Op,
    decide::{Decision, Sources},
    diff::Verdict,
};
use crate::{desired::Address, program::Schema, report::Diagnostic, state::ResourceState};

/// Consent to the loss of data, as given on the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Consent {
    /// To none.
    #[default]
    None,
    /// To that of these resources.
    Of(BTreeSet<String>),
    /// To any.
    All,
}

impl Consent {
    /// Whether the loss at this address is agreed to.
    pub fn covers(&self, address: &Address) -> bool {
        match self {
            Self::None => false,
            Self::Of(addresses) => addresses.contains(address.as_str()) || addresses.contains(address.path()),
            Self::All => true,
        }
    }
}

/// Protected resources that the decisions would end.
pub(super) fn protected(sources: Sources<'_>, decisions: &BTreeMap<Address, Decision>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (address, decision) in decisions.iter().filter(|(_, decision)| decision.ends_object()) {
        let Some(state) = sources.snapshot.resources.get(address) else { continue };
        let node = sources.desired.nodes.get(address);
        let by_program = node.is_some_and(|node| node.options.protect);
        if !by_program && !state.options.protect {
            continue;
        }
        let what = if matches!(decision.op, Op::Delete) { "deleted" } else { "replaced" };
        let may = if decision.condition.is_some() { "may be" } else { "would be" };
        let hint = if by_program {
            "take `.protect()` away in the program, apply that, then repeat"
        } else {
            "it is protected in state: declare it without `.protect()`, apply that, then repeat"
        };
        let mut problem =
            Diagnostic::error(format!("`{address}` is protected and {may} {what}")).hint(hint).about(address);
        let because: Vec<String> = decision.reasons.iter().cloned().chain(forcing(decision)).collect();
        if !because.is_empty() {
            problem = problem.detail(because.join("\n"));
        }
        problems.push(match node {
            Some(node) => problem.at(&node.at),
            None => problem,
        });
    }
    problems
}

fn forcing(decision: &Decision) -> impl Iterator<Item = String> {
    let forcing = decision.differences.iter().filter(|difference| difference.verdict >= Verdict::MayReplace);
    forcing.map(|difference| format!("`{}` can't be changed in place", difference.path))
}

/// Replacements that can't work: the object is to be retained under the very key that the new one needs.
pub(super) fn retained_replacements(sources: Sources<'_>, decisions: &BTreeMap<Address, Decision>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (address, decision) in decisions {
        let Op::Replace { create_first } = decision.op else { continue };
        let Some(node) = sources.desired.nodes.get(address) else { continue };
        if node.options.retain_on_delete && (!create_first || decision.dies_with.is_some()) {
            problems.push(
                Diagnostic::error(format!("`{address}` is to be retained, and its replacement needs the same key"))
                    .hint("give the replacement another key, or take `.retain_on_delete()` away and apply that first")
                    .about(address)
                    .at(&node.at),
            );
        }
    }
    problems
}

/// Contents that the stack does not own, in objects that end, without `force_destroy`.
pub(super) fn foreign_contents(sources: Sources<'_>, decisions: &BTreeMap<Address, Decision>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (address, contents) in &sources.observed.contents {
        let ends =
            decisions.get(address).is_some_and(|decision| decision.ends_object() && decision.condition.is_none());
        let forced = sources.desired.nodes.get(address).map(|node| node.options.force_destroy);
        let forced = forced.or(sources.snapshot.resources.get(address).map(|state| state.options.force_destroy));
        if contents.is_empty() || !ends || forced == Some(true) {
            continue;
        }
        problems.push(
            Diagnostic::error(format!("`{address}` holds what the stack does not own"))
                .detail(contents.join("\n"))
                .hint("delete or move it, or say `.force_destroy(true)`, apply that, and agree to the loss with --allow-data-loss")
                .about(address),
        );
    }
    problems
}

/// What a decision destroys, in words.
pub(super) fn destroys(
    schema: &Schema,
    state: Option<&ResourceState>,
    decision: &Decision,
    contents: &[String],
) -> Vec<String> {
    let mut lost = Vec::new();
    let Some(state) = state else { return lost };
    if decision.ends_object() {
        if schema.data {
            let kind = schema.type_name.rsplit(':').next().unwrap_or(schema.type_name);
            lost.push(format!("{} `{}` with its data", kind.to_lowercase(), state.id));
        }
        lost.extend(contents.iter().map(|content| format!("{content}, which the stack does not own")));
    }
    let losing = decision.differences.iter().filter(|difference| difference.verdict == Verdict::LosesData);
    lost.extend(losing.map(|difference| format!("data in `{}` of `{}`", difference.path, state.id)));
    lost
}
