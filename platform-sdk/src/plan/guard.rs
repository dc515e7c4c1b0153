//! Guards: what must not happen, found before anything runs and reported all at once.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Decisions, Op,
    containment::{options, retained},
    decide::{Decision, Sources, left_with, referring_fields},
    diff::Verdict,
    ordering::{held_key, taken_key},
};
use crate::{
    desired::Address,
    observe::BUILTIN,
    report::Diagnostic,
    state::{ResourceState, Status},
};

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

/// Protected resources that the decisions would end; those of one reason are one problem.
pub(super) fn protected(sources: Sources<'_>, decisions: &Decisions) -> Vec<Diagnostic> {
    let mut problems: BTreeMap<_, Vec<Protected<'_>>> = BTreeMap::new();
    for (address, decision) in decisions.iter().filter(|(_, decision)| decision.ends_object()) {
        let Some(state) = sources.snapshot.resources.get(address) else { continue };
        let node = sources.desired.nodes.get(address);
        let by_program = options(sources, address).is_some_and(|options| options.protect);
        let declared = node.is_some() || sources.desired.leaving.contains_key(address);
        let undeclared = state.status == Status::Undeclared && !declared;
        if !by_program && !state.options.protect && !undeclared {
            continue;
        }
        let what = if matches!(decision.op, Op::Delete) { "deleted" } else { "replaced" };
        let may = if decision.conditions.is_empty() { "would be" } else { "may be" };
        let hint = if by_program {
            "take `.protect()` away in the program, apply that, then repeat"
        } else if undeclared {
            "it was imported and never declared: declare it and apply that first, or `state forget` it"
        } else {
            "it is protected in state: declare it without `.protect()`, apply that, then repeat"
        };
        let because: Vec<String> = decision.reasons.iter().cloned().chain(forcing(decision)).collect();
        let at = node.map(|node| &*node.at);
        problems.entry((may, what, hint)).or_default().push(Protected { address, because, at });
    }
    let one = |((may, what, hint), of): ((&str, &str, &str), Vec<Protected<'_>>)| match of.as_slice() {
        [Protected { address, because, at }] => {
            let problem = Diagnostic::error(format!("`{address}` is protected and {may} {what}"));
            let problem = problem.hint(hint).about(address);
            let problem = if because.is_empty() { problem } else { problem.detail(because.join("\n")) };
            if let Some(at) = at { problem.at(at) } else { problem }
        }
        many => Diagnostic::error(format!("{} resources are protected and {may} {what}", many.len()))
            .detail(many.iter().map(Protected::line).collect::<Vec<_>>().join("\n"))
            .hint(hint),
    };
    problems.into_iter().map(one).collect()
}

/// A protected resource that would end.
struct Protected<'a> {
    address: &'a Address,
    because: Vec<String>,
    at: Option<&'a str>,
}

impl Protected<'_> {
    /// `databricks:Catalog::lake (src/main.rs:12:5): not in the program any more`.
    fn line(&self) -> String {
        let at = self.at.map(|at| format!(" ({at})")).unwrap_or_default();
        let because = if self.because.is_empty() { "" } else { ": " };
        format!("{}{at}{because}{}", self.address, self.because.join("; "))
    }
}

fn forcing(decision: &Decision) -> impl Iterator<Item = String> {
    let forcing = decision.differences.iter().filter(|difference| difference.verdict >= Verdict::MayReplace);
    forcing.map(|difference| format!("`{}` can't be changed in place", difference.path))
}

/// Replacements that can't work: the object is to be retained under the very key that the new one needs.
pub(super) fn retained_replacements(sources: Sources<'_>, decisions: &Decisions) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (address, decision) in decisions.iter() {
        let Op::Replace { create_first } = decision.op else { continue };
        let Some(node) = sources.desired.nodes.get(address) else { continue };
        if node.options.retain_on_delete && !create_first && decision.dies_with.is_none() {
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

/// Creates that can't work: another address gives its object up, which is to be retained, and the new one needs its key.
pub(super) fn retained_keys(sources: Sources<'_>, decisions: &Decisions) -> Vec<Diagnostic> {
    let is_gone = |state: &ResourceState| {
        let mut all = state.provider.of.iter().chain([&state.address]);
        all.any(|address| sources.observed.gone(address))
    };
    let keeping =
        decisions.iter().filter(|(address, decision)| decision.op == Op::Forget && retained(sources, address));
    let states = keeping.filter_map(|(address, _)| sources.snapshot.resources.get(address));
    let kept = states.filter(|state| !is_gone(state)).filter_map(|state| Some((held_key(sources, state)?, state)));
    let kept: BTreeMap<_, _> = kept.collect();
    if kept.is_empty() {
        return Vec::new();
    }
    let one = |(address, decision): (&Address, &Decision)| {
        let old = kept.get(&taken_key(sources, address, decision)?)?;
        let (old, path) = (&old.address, old.address.path());
        let problem =
            Diagnostic::error(format!("`{old}` is to be retained, and `{address}` needs the key that it keeps"));
        Some(problem.about(address).hint(format!(
            "if `{address}` is `{old}` under another address, say `.moved_from(\"{path}\")`; else give it another key"
        )))
    };
    decisions.iter().filter_map(one).collect()
}

/// Replacements that can't work: the new object is to be there before the old one has given up the key that both need.
pub(super) fn two_of_one_key(sources: Sources<'_>, decisions: &Decisions) -> Vec<Diagnostic> {
    let create_first = |(_, decision): &(&Address, &Decision)| decision.op == Op::Replace { create_first: true };
    // Where its provider leads elsewhere, or to a new object, the same key is another place's.
    let elsewhere = |address: &Address, state: &ResourceState| {
        let anew = |of: &Address| decisions.get(of).is_some_and(Decision::ends_object);
        let moves = sources.observed.rescoped.contains_key(address) || left_with(sources, state).is_some();
        moves || state.provider.of.iter().any(anew)
    };
    let one = |(address, decision): (&Address, &Decision)| {
        let (state, node) = (sources.snapshot.resources.get(address)?, sources.desired.nodes.get(address)?);
        let same = held_key(sources, state)? == taken_key(sources, address, decision)?;
        (same && !elsewhere(address, state)).then(|| {
            Diagnostic::error(format!("`{address}` can't be created anew beside the old one: both have the same key"))
                .hint("take `.delete_before_replace(false)` away, or give the replacement another key")
                .about(address)
                .at(&node.at)
        })
    };
    decisions.iter().filter(create_first).filter_map(one).collect()
}

/// What is declared as living in a resource that is deleted, or as holding one that ends, and is not to change.
pub(super) fn stranded(sources: Sources<'_>, decisions: &Decisions) -> Vec<Diagnostic> {
    let ends =
        |address: &Address| decisions.get(address).is_some_and(Decision::ends_object) && !retained(sources, address);
    let deleted = |address: &Address| decisions.get(address).is_some_and(|decision| decision.op == Op::Delete);
    let mut problems = Vec::new();
    if !decisions.values().any(Decision::ends_object) {
        return problems;
    }
    for (address, node) in &sources.desired.nodes {
        let (Some(state), Some(decision)) = (sources.snapshot.resources.get(address), decisions.get(address)) else {
            continue;
        };
        if sources.observed.gone(address) || decision.ends_object() {
            continue;
        }
        for target in state.dependencies.iter().filter(|target| ends(target)) {
            let deleted = deleted(target);
            let mut fields =
                referring_fields(node.schema, state, target).filter(|f| f.holds || deleted && f.parent.is_some());
            let Some(field) = fields.next() else { continue };
            // State may say what reality, and the program, long don't say any more.
            let same = state.inputs.get(field.name) == decision.inputs.get(field.name);
            if !same || decision.differences.iter().any(|difference| difference.path.field() == Some(field.name)) {
                continue;
            }
            let (how, verb) = if field.parent.is_some() { ("lives in", "live in") } else { ("holds", "hold") };
            let (ends, instead) = if deleted {
                let instead =
                    format!("declare `{target}` again, change `{}`, or take `{address}` away too", field.name);
                ("is not in the program any more", instead)
            } else {
                ("is to be replaced", format!("let `{address}` change in the same run"))
            };
            problems.push(
                Diagnostic::error(format!("`{address}` {how} `{target}`, which {ends}"))
                    .detail(format!("`{}` still says what it said when it was made to {verb} it", field.name))
                    .hint(instead)
                    .about(address)
                    .at(&node.at),
            );
        }
    }
    problems
}

/// Contents that the stack does not own, in objects that end, without `force_destroy`.
pub(super) fn foreign_contents(sources: Sources<'_>, decisions: &Decisions) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (address, contents) in &sources.observed.contents {
        let ends = decisions.get(address).is_some_and(Decision::ends_object) && !retained(sources, address);
        if contents.is_empty() || !ends || forces(sources, address) {
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

/// Whether a delete may take along what the stack does not own: as the program says, or as state says where the program
/// does not declare the resource any more.
pub(super) fn forces(sources: Sources<'_>, address: &Address) -> bool {
    options(sources, address).is_some_and(|options| options.force_destroy)
}

/// What a decision destroys, in words.
pub(super) fn destroys(
    sources: Sources<'_>,
    address: &Address,
    decision: &Decision,
    contents: &[String],
) -> Vec<String> {
    let mut lost = Vec::new();
    if !decision.ends_object() && decision.differences.is_empty() {
        return lost;
    }
    let Some(schema) = sources.schemas.get(address.type_name()) else { return lost };
    let state = sources.snapshot.resources.get(address);
    let found = sources.observed.found.get(address);
    let Some(id) = state.map(|state| &state.id).or(found.map(|seen| &seen.id)) else { return lost };
    if decision.ends_object() && !retained(sources, address) {
        lost.extend(state.filter(|state| schema.holds_data(&state.inputs)).map(|state| whole(address, &state.id)));
        lost.extend(contents.iter().map(|content| format!("{content}, which the stack does not own")));
        let is_called = decision.dies_with.is_none() && !sources.observed.gone(address) && schema.provider != BUILTIN;
        if lost.is_empty() && is_called && forces(sources, address) {
            lost.push(forced(id));
        }
    }
    lost.extend(forced_changes(sources, address, decision, id));
    let losing = decision.differences.iter().filter(|difference| {
        difference.verdict == Verdict::LosesData || difference.judged && difference.verdict == Verdict::MayReplace
    });
    lost.extend(losing.map(|difference| {
        let perhaps = if difference.verdict == Verdict::MayReplace { "perhaps " } else { "" };
        format!("{perhaps}data in `{}` of `{id}`", difference.path)
    }));
    lost
}

/// What a delete that is forced may destroy, in words.
pub(super) fn forced(id: &str) -> String {
    format!("what else uses `{id}`: its delete is forced")
}

/// What an update that is forced may destroy.
fn forced_changes(sources: Sources<'_>, address: &Address, decision: &Decision, id: &str) -> Option<String> {
    let node = sources.desired.nodes.get(address).filter(|node| node.options.force_update)?;
    if !matches!(decision.op, Op::Update | Op::Adopt) {
        return None;
    }
    let changes = decision.differences.iter().filter(|difference| difference.verdict > Verdict::Released);
    let fields = changes.filter_map(|difference| node.schema.field(difference.path.field()?));
    let mut fields: Vec<&str> = fields.filter(|field| field.forcible).map(|field| field.name).collect();
    fields.dedup();
    let fields = fields.join("`, `");
    (!fields.is_empty()).then(|| format!("what uses `{id}` as it is: the change of `{fields}` is forced"))
}

/// An object with its data, in words.
pub(super) fn whole(address: &Address, id: &str) -> String {
    let kind = address.type_name().rsplit(':').next().unwrap_or(address.type_name());
    format!("{} `{id}` with its data", kind.to_lowercase())
}
