//! Targets: `--target` and `--exclude`, with the closure of what the targeted steps need.

use std::collections::{BTreeMap, BTreeSet};

use globset::{GlobBuilder, GlobMatcher};

use super::{
    Decisions, Op,
    decide::{Decision, Sources},
    ordering::{Dependents, Key, givers, renames, taken_key},
};
use crate::{
    Result,
    desired::{Address, Desired},
    program::Identity,
    report::Diagnostic,
    state::{Snapshot, Status},
};

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

    /// What has to be known for the selected resources: they, what they hang on, and what hangs on those of them that the
    /// program has dropped. `None`: everything.
    pub fn reach(&self, desired: &Desired, snapshot: &Snapshot) -> Option<BTreeSet<Address>> {
        if self.is_all() {
            return None;
        }
        let mut dependents: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
        for state in snapshot.resources.values() {
            state.dependencies.iter().for_each(|needed| dependents.entry(needed).or_default().push(&state.address));
        }
        let pending = snapshot.pending_deletes.iter().map(|old| &old.address);
        let all = desired.nodes.keys().chain(snapshot.resources.keys()).chain(pending);
        let mut next: Vec<&Address> = all.filter(|address| self.selects(address)).collect();
        let mut reached = BTreeSet::new();
        while let Some(address) = next.pop() {
            if !reached.insert(address.clone()) {
                continue;
            }
            let (node, state) = (desired.nodes.get(address), snapshot.resources.get(address));
            next.extend(node.into_iter().flat_map(|node| &node.dependencies));
            next.extend(desired.lookups.get(address).into_iter().flat_map(|lookup| &lookup.dependencies));
            next.extend(state.into_iter().flat_map(|state| state.dependencies.iter().chain(&state.provider.of)));
            if node.is_none() {
                next.extend(dependents.get(address).into_iter().flatten().copied());
            }
        }
        Some(reached)
    }

    /// Whether a command is about this resource.
    pub(super) fn selects(&self, address: &Address) -> bool {
        (self.only.is_empty() || hits(&self.only, address)) && !hits(&self.except, address)
    }
}

fn hits(globs: &[GlobMatcher], address: &Address) -> bool {
    globs.iter().any(|glob| glob.is_match(address.as_str()) || glob.is_match(address.path()))
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

/// What a plan is narrowed to.
#[derive(Debug, Default)]
pub(super) struct Narrowed {
    /// A target that matches nothing, or that needs something excluded.
    pub(super) problems: Vec<Diagnostic>,
    /// The places of the pending deletes that are carried out.
    pub(super) pending: BTreeSet<usize>,
}

/// Turns what is not targeted into keeps.
pub(super) fn narrow(sources: Sources<'_>, targets: &Targets, decisions: &mut Decisions) -> Narrowed {
    let pending = &sources.snapshot.pending_deletes;
    if targets.is_all() {
        return Narrowed { problems: Vec::new(), pending: (0..pending.len()).collect() };
    }
    let known = |glob: &GlobMatcher| {
        let mut all = decisions.keys().chain(pending.iter().map(|old| &old.address));
        all.any(|address| glob.is_match(address.as_str()) || glob.is_match(address.path()))
    };
    let mut problems: Vec<Diagnostic> =
        targets.only.iter().filter(|glob| !known(glob)).map(|glob| matches_nothing(glob.glob().glob())).collect();
    let mut closure = Closure::new(sources, decisions);
    decisions.keys().filter(|address| targets.selects(address)).for_each(|address| closure.add(address));
    let selected = pending.iter().enumerate().filter(|(_, old)| targets.selects(&old.address));
    selected.for_each(|(index, _)| closure.add_pending(index));
    closure.close();
    let Closure { all: closure, pending, .. } = closure;
    problems.extend(closure.iter().filter(|address| hits(&targets.except, address)).filter_map(|address| {
        let decision = decisions.get(address)?;
        // What is there already serves as it is: only what is not there, or not ready, or is about to end, can't be left out.
        let unready = || {
            let state = sources.snapshot.resources.get(address);
            decision.op == Op::Update && state.is_some_and(|state| matches!(state.status, Status::Unready(_)))
        };
        let needed = matches!(decision.op, Op::Create | Op::Adopt) || decision.ends_object() || unready();
        needed.then(|| excluded(address))
    }));
    problems.extend(closure.iter().filter(|address| hits(&targets.except, address)).filter_map(|address| {
        let state = sources.snapshot.resources.get(address)?;
        let renamed = |place: &&Address| closure.contains(*place) && renames(sources, place, decisions.get(place));
        let place = state.parents.iter().find(renamed).filter(|_| is_named_by_place(sources, address))?;
        Some(excluded_from_renaming(address, place))
    }));
    let outside = |address: &Address| !closure.contains(address) || hits(&targets.except, address);
    let is_outside = |address: &Address, _: &Decision| outside(address);
    decisions.change(is_outside, |address, decision| *decision = left_alone(sources, address, decision));
    // A newcomer that is kept is not there at all.
    decisions.retain(|address| !outside(address) || sources.snapshot.resources.contains_key(address));
    end_alone(decisions, outside);
    Narrowed { problems, pending }
}

/// What would have gone along with something that stays ends by a call of its own.
pub(super) fn end_alone(decisions: &mut Decisions, stays: impl Fn(&Address) -> bool) {
    let is_left = |_: &Address, decision: &Decision| decision.dies_with.as_ref().is_some_and(&stays);
    decisions.change(is_left, |_, decision| decision.ends_alone());
}

/// What is not targeted stays as it is; an address that changed has changed all the same.
pub(super) fn left_alone(sources: Sources<'_>, address: &Address, decision: &Decision) -> Decision {
    let op = match sources.moves.get(address) {
        Some(from) => Op::Move { from: from.clone() },
        None => Op::Keep,
    };
    let last = sources.snapshot.resources.get(address).map(|state| state.inputs.clone());
    Decision { left_alone: true, ..Decision::new(op, last.unwrap_or_else(|| decision.inputs.clone())) }
}

fn matches_nothing(glob: &str) -> Diagnostic {
    Diagnostic::error(format!("no resource matches the target `{glob}`")).hint("`state list` and `plan` show addresses")
}

fn excluded(address: &Address) -> Diagnostic {
    Diagnostic::error(format!("a targeted resource needs `{address}`, which is excluded and would be changed first"))
        .hint("take it out of --exclude, or apply it first")
        .about(address)
}

/// Whether the place that it lives in may be part of its id.
fn is_named_by_place(sources: Sources<'_>, address: &Address) -> bool {
    sources.schemas.get(address.type_name()).is_some_and(|schema| schema.identity == Identity::Key)
}

fn excluded_from_renaming(address: &Address, place: &Address) -> Diagnostic {
    Diagnostic::error(format!("`{address}` is excluded, and `{place}`, in which it lives, gets another name"))
        .hint("take it out of --exclude: it is to be found again under its new name")
        .about(address)
}

/// The selection with everything that its steps need: what they depend on where that changes, what must end before what
/// they end can, and who holds the key that they want.
struct Closure<'a> {
    sources: Sources<'a>,
    decisions: &'a Decisions,
    dependents: Dependents<'a>,
    givers: BTreeMap<Key<'a>, &'a Address>,
    all: BTreeSet<Address>,
    pending: BTreeSet<usize>,
    waiting: Vec<Address>,
}

impl<'a> Closure<'a> {
    fn new(sources: Sources<'a>, decisions: &'a Decisions) -> Self {
        let (all, pending) = (BTreeSet::new(), BTreeSet::new());
        let (dependents, givers) = (Dependents::of(sources), givers(sources, decisions));
        Self { sources, decisions, dependents, givers, all, pending, waiting: Vec::new() }
    }

    fn add(&mut self, address: &Address) {
        if self.all.insert(address.clone()) {
            self.waiting.push(address.clone());
        }
    }

    fn add_changing(&mut self, address: &Address) {
        if self.decisions.get(address).is_some_and(|decision| decision.op != Op::Keep) {
            self.add(address);
        }
    }

    /// What still refers to the old object must have let go of it before that ends.
    fn add_pending(&mut self, index: usize) {
        if self.pending.insert(index) {
            let old = &self.sources.snapshot.pending_deletes[index].address;
            let dependents: Vec<&Address> = self.dependents.had(old).collect();
            for dependent in dependents {
                self.add_changing(dependent);
            }
        }
    }

    fn close(&mut self) {
        while let Some(address) = self.waiting.pop() {
            let Some(decision) = self.decisions.get(&address) else { continue };
            if decision.op != Op::Delete && decision.op != Op::Forget {
                let node = self.sources.desired.nodes.get(&address);
                let dependencies = node.into_iter().flat_map(|node| &node.dependencies);
                dependencies.for_each(|dependency| self.add_changing(dependency));
            }
            let holder = taken_key(self.sources, &address, decision).and_then(|key| self.givers.get(&key).copied());
            if let Some(holder) = holder {
                self.add_changing(holder);
            }
            if renames(self.sources, &address, Some(decision)) {
                let lives_in = |inside: &&Address| {
                    let state = self.sources.snapshot.resources.get(*inside);
                    state.is_some_and(|state| state.parents.contains(&address))
                };
                let inside: Vec<&Address> = self.dependents.had(&address).filter(lives_in).collect();
                let inside = inside.into_iter().filter(|inside| is_named_by_place(self.sources, inside));
                inside.collect::<Vec<_>>().into_iter().for_each(|inside| self.add_changing(inside));
            }
            if decision.ends_object() {
                let dependents: Vec<&Address> = self.dependents.had(&address).collect();
                for dependent in dependents {
                    self.add_changing(dependent);
                }
                let left = self.sources.snapshot.pending_deletes.iter().enumerate();
                let inside = left.filter(|(_, old)| old.dependencies.contains(&address));
                inside.for_each(|(index, _)| self.add_pending(index));
            }
        }
    }
}
