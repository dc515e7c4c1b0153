//! The outputs of the stack: which a run leaves, and what of them changes. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::{Change, ChangeKind, Decisions, Shown, decide::Sources, foreseen};
use crate::{
    desired::{Address, Desired, Name, Tree, evaluate, failures},
    program::Expr,
    report::Diagnostic,
};

/// The stack's outputs after a run, given those before. Those that hang on what a narrowed run leaves out stay as they
/// are, and so do those that hang on a lookup that this run doesn't read; a run that takes resources away leaves those that come from none of them, as long as the stack has any resource.
pub fn outputs(
    desired: &Desired,
    decisions: &Decisions,
    unasked: &BTreeSet<Address>,
    before: &BTreeMap<String, Tree>,
    evaluate: &mut dyn FnMut(&Expr) -> Tree,
) -> BTreeMap<String, Tree> {
    let last = |name: &String| Some((name.clone(), before.get(name)?.clone()));
    if let Some(parting) = &desired.parting {
        let any_stays = decisions.any_stays();
        let remains =
            |name: &&String| any_stays && parting.get(*name).is_none_or(|expr| comes_from_what_stays(decisions, expr));
        return before.keys().filter(remains).filter_map(last).collect();
    }
    let after = desired.exports.iter().filter_map(|(name, expr)| {
        if reaches(desired, decisions, unasked, expr) { Some((name.clone(), evaluate(expr))) } else { last(name) }
    });
    after.collect()
}

/// Whether everything that an expression refers to is there, or will be.
fn reaches(desired: &Desired, decisions: &Decisions, unasked: &BTreeSet<Address>, expr: &Expr) -> bool {
    let mut all = true;
    expr.for_each_output(&mut |_, origin, _| {
        let is_lookup = desired.lookups.contains_key(&origin.address) && !unasked.contains(&origin.address);
        all &= decisions.contains_key(&origin.address) || is_lookup;
    });
    all
}

fn comes_from_what_stays(decisions: &Decisions, expr: &Expr) -> bool {
    let mut all = true;
    expr.for_each_output(&mut |_, origin, _| {
        all &= origin.address.is_lookup() || decisions.stays(&origin.address);
    });
    all
}

/// Changes of the stack's outputs, and which of these could not be compared for want of a key.
pub(super) fn changes(sources: Sources<'_>, decisions: &Decisions) -> (Vec<Change>, Vec<Name>) {
    let before = &sources.snapshot.exports;
    let mut value = |expr: &Expr| evaluate(expr, &mut |o, field| foreseen::output(sources, decisions, o, field));
    let after = outputs(sources.desired, decisions, &sources.observed.unasked, before, &mut value);
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let is_sealed = |name: &&String| {
        let (Some(before), Some(after)) = (before.get(*name), after.get(*name)) else { return false };
        (before.has_sealed() || after.has_sealed()) && before.may_be(after)
    };
    let (sealed, compared): (Vec<&String>, Vec<&String>) = names.into_iter().partition(is_sealed);
    let changes = compared.into_iter().filter_map(|name| change(name, before.get(name), after.get(name)));
    (changes.collect(), sealed.into_iter().map(Into::into).collect())
}

fn change(name: &str, before: Option<&Tree>, after: Option<&Tree>) -> Option<Change> {
    let kind = match (before, after) {
        (None, Some(_)) => ChangeKind::Add,
        (Some(_), None) => ChangeKind::Remove,
        (Some(before), Some(after)) if before != after => ChangeKind::Change,
        _ => return None,
    };
    let secret = [before, after].into_iter().flatten().any(Tree::has_secrets);
    let show = |tree: &Tree| if secret { Shown::redacted() } else { Shown::of(tree) };
    Some(Change {
        path: name.into(),
        before: before.map(show),
        after: after.map(show),
        kind,
        replaces: false,
        unknown: after.is_some_and(|tree| !tree.is_known()),
    })
}

/// Outputs of the stack whose functions fail on what is known.
pub(super) fn failing(sources: Sources<'_>, decisions: &Decisions) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (name, expr) in &sources.desired.exports {
        let failed = failures(expr, &mut |origin, field| foreseen::output(sources, decisions, origin, field));
        if !failed.is_empty() {
            let problem = Diagnostic::error(format!("the output `{name}` of the stack can't be made"));
            problems.push(problem.detail(failed.join("\n")));
        }
    }
    problems
}
