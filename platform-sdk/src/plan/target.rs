//! Targets: `--target` and `--exclude`, with the closure of what the targeted steps need.

use std::collections::{BTreeMap, BTreeSet};

use globset::{GlobBuilder, GlobMatcher};

use super::{
    Op,
    decide::{Decision, Sources},
};
use crate::{Result, desired::Address, report::Diagnostic};

/// Which resources a command is about. Empty: all of them.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    only: Vec<GlobMatcher>,
    except: Vec<GlobMatcher>,
}

impl Targets {
    /// From globs over addresses (`databricks:Table::*`) or over their paths (`sales/*`).
    ///
    /// # Errors
    /// When a glob is malformed.
    pub fn new(only: &[String], except: &[String]) -> Result<Self> {
        let all = |globs: &[String]| globs.iter().map(|glob| matcher(glob)).collect::<Result<Vec<_>>>();
        Ok(Self { only: all(only)?, except: all(except)? })
    }

    /// Whether every resource is meant.
    pub fn is_all(&self) -> bool {
        self.only.is_empty() && self.except.is_empty()
    }

    fn selects(&self, address: &Address) -> bool {
        let hit = |globs: &[GlobMatcher]| {
            globs.iter().any(|glob| glob.is_match(address.as_str()) || glob.is_match(address.path()))
        };
        (self.only.is_empty() || hit(&self.only)) && !hit(&self.except)
    }
}

fn matcher(glob: &str) -> Result<GlobMatcher> {
    let built = GlobBuilder::new(glob).literal_separator(false).build();
    built.map(|glob| glob.compile_matcher()).map_err(|error| {
        Diagnostic::error(format!("`{glob}` is not a glob"))
            .detail(error.to_string())
            .hint("write `sales/*` or `databricks:Table::*`")
            .into()
    })
}

/// Turns what is not targeted into keeps.
///
/// # Problems
/// A target that matches nothing, or that needs something excluded which is not there yet.
pub(super) fn narrow(
    sources: Sources<'_>,
    targets: &Targets,
    decisions: &mut BTreeMap<Address, Decision>,
) -> Vec<Diagnostic> {
    if targets.is_all() {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for glob in &targets.only {
        if !decisions.keys().any(|address| glob.is_match(address.as_str()) || glob.is_match(address.path())) {
            let text = glob.glob().glob();
            problems.push(
                Diagnostic::error(format!("no resource matches the target `{text}`"))
                    .hint("`state list` and `plan` show addresses"),
            );
        }
    }
    let selected: BTreeSet<Address> = decisions.keys().filter(|address| targets.selects(address)).cloned().collect();
    let closure = closed(sources, decisions, &selected);
    for address in closure.difference(&selected) {
        let excluded =
            targets.except.iter().any(|glob| glob.is_match(address.as_str()) || glob.is_match(address.path()));
        if excluded && decisions.get(address).is_some_and(|decision| decision.op != Op::Keep) {
            let why = format!("a targeted resource needs `{address}`, which is excluded and would be changed first");
            problems.push(Diagnostic::error(why).hint("take it out of --exclude, or apply it first").about(address));
        }
    }
    for (address, decision) in decisions.iter_mut() {
        if !closure.contains(address) && decision.op != Op::Keep {
            decision.op = Op::Keep;
            decision.reasons.clear();
            decision.differences.clear();
            decision.condition = None;
            decision.dies_with = None;
        }
    }
    // A kept newcomer is not there at all.
    let absent: Vec<Address> = decisions
        .keys()
        .filter(|address| !closure.contains(*address) && !sources.snapshot.resources.contains_key(*address))
        .cloned()
        .collect();
    for address in absent {
        decisions.remove(&address);
    }
    problems
}

/// The selection with everything that its steps need: what they depend on where that changes, and what must end before
/// what they end can.
fn closed(
    sources: Sources<'_>,
    decisions: &BTreeMap<Address, Decision>,
    selected: &BTreeSet<Address>,
) -> BTreeSet<Address> {
    let mut dependents: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
    for state in sources.snapshot.resources.values() {
        for dependency in &state.dependencies {
            dependents.entry(dependency).or_default().push(&state.address);
        }
    }
    let mut closure = selected.clone();
    let mut waiting: Vec<Address> = selected.iter().cloned().collect();
    while let Some(address) = waiting.pop() {
        let Some(decision) = decisions.get(&address) else { continue };
        let mut needed: Vec<&Address> = Vec::new();
        if !decision.ends_object() || matches!(decision.op, Op::Replace { .. }) {
            needed.extend(sources.desired.nodes.get(&address).into_iter().flat_map(|node| &node.dependencies));
        }
        if decision.ends_object() {
            needed.extend(dependents.get(&address).into_iter().flatten());
        }
        needed.extend(&decision.dies_with);
        for next in needed {
            if decisions.get(next).is_some_and(|decision| decision.op != Op::Keep) && closure.insert(next.clone()) {
                waiting.push(next.clone());
            }
        }
    }
    closure
}
