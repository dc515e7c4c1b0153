//! Deciding what happens to each resource: one pass over the desired order, then one over what is left in state.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Op,
    diff::{self, Difference, Sides, Verdict},
};
use crate::{
    desired::{Address, Desired, Node, Path, Tree, evaluate},
    observe::{Observed, Sighting},
    program::{Field, OnParentDelete, Origin, Schema},
    report::Diagnostic,
    state::{ResourceState, Snapshot, Status},
};

/// Everything that a plan is made of.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'a> {
    /// What the program wants.
    pub desired: &'a Desired,
    /// What the stack owns, moves applied.
    pub snapshot: &'a Snapshot,
    /// The addresses that changed: new to old.
    pub moves: &'a BTreeMap<Address, Address>,
    /// What was read.
    pub observed: &'a Observed,
    /// The facts of every type that a listed provider knows.
    pub schemas: &'a BTreeMap<&'static str, &'static Schema>,
    /// Resources that are to be replaced whatever the diff says.
    pub replace: &'a BTreeSet<Address>,
}

/// What happens to one resource, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What is done.
    pub op: Op,
    /// Why, in words.
    pub reasons: Vec<String>,
    /// The inputs that are wanted, as far as they are known; ignored paths as they are.
    pub inputs: Tree,
    /// Where they differ.
    pub differences: Vec<Difference>,
    /// Its old object goes away with this resource's: no delete call of its own.
    pub dies_with: Option<Address>,
    /// The resource whose possible replacement decides whether this step replaces.
    pub condition: Option<Address>,
}

impl Decision {
    fn new(op: Op, inputs: Tree) -> Self {
        Self { op, reasons: Vec::new(), inputs, differences: Vec::new(), dies_with: None, condition: None }
    }

    fn because(mut self, reason: impl Into<String>) -> Self {
        self.reasons.push(reason.into());
        self
    }

    /// Whether the old object goes away.
    pub fn ends_object(&self) -> bool {
        matches!(self.op, Op::Replace { .. } | Op::Delete)
    }

    /// The top-level fields whose change in place is wanted.
    fn changed_fields(&self) -> BTreeSet<&str> {
        self.differences.iter().filter(|d| d.verdict != Verdict::Released).filter_map(|d| d.path.field()).collect()
    }
}

/// What happens to every resource, and to the pending deletes; with all problems that forbid it.
pub(crate) fn decide(sources: Sources<'_>) -> (BTreeMap<Address, Decision>, Vec<Diagnostic>) {
    let mut decider = Decider { sources, decisions: BTreeMap::new(), problems: Vec::new() };
    for address in &sources.desired.order {
        if let Some(node) = sources.desired.nodes.get(address) {
            let decision = decider.node(node);
            decider.decisions.insert(address.clone(), decision);
        }
    }
    decider.undesired();
    (decider.decisions, decider.problems)
}

struct Decider<'a> {
    sources: Sources<'a>,
    decisions: BTreeMap<Address, Decision>,
    problems: Vec<Diagnostic>,
}

impl<'a> Decider<'a> {
    fn node(&mut self, node: &'a Node) -> Decision {
        let mut desired = self.evaluate(node);
        let Sources { snapshot, observed, .. } = self.sources;
        let Some(state) = snapshot.resources.get(&node.address) else { return self.newcomer(node, desired) };
        if observed.gone(&node.address) || self.scope_is_gone(state) {
            return Decision::new(Op::Create, desired).because("gone from reality");
        }
        let seen = observed.present(&node.address);
        let current = seen.map_or(&state.inputs, |seen| &seen.inputs);
        let ignored = paths(&node.options.ignore_changes);
        desired = diff::with_ignored(&desired, Some(current), &ignored, node.schema.fields());
        let sides = Sides { last: Some(&state.inputs), observed: seen.map(|seen| &seen.inputs), desired: &desired };
        let mut differences = diff::diff(node.schema.fields(), sides);
        differences.retain(|difference| !ignored.iter().any(|path| path.covers(&difference.path)));
        self.reidentified(node, &mut differences);
        let forcing = paths(&node.options.replace_on_changes);
        for difference in &mut differences {
            if forcing.iter().any(|path| path.covers(&difference.path) || difference.path.covers(path)) {
                difference.verdict = Verdict::Replace;
            }
        }
        let mut decision = self.compared(node, state, desired, differences);
        if let Some(from) = self.sources.moves.get(&node.address) {
            if decision.op == Op::Keep || decision.op == Op::Options {
                decision.op = Op::Move { from: from.clone() };
            } else {
                decision.reasons.push(format!("moved from {from}"));
            }
        }
        decision
    }

    fn newcomer(&self, node: &Node, desired: Tree) -> Decision {
        let Some(seen) = self.sources.observed.found.get(&node.address) else {
            return Decision::new(Op::Create, desired);
        };
        let ignored = paths(&node.options.ignore_changes);
        let desired = diff::with_ignored(&desired, Some(&seen.inputs), &ignored, node.schema.fields());
        let sides = Sides { last: None, observed: Some(&seen.inputs), desired: &desired };
        let mut differences = diff::diff(node.schema.fields(), sides);
        for difference in &mut differences {
            difference.kind = match difference.before {
                None => super::ChangeKind::Add,
                Some(_) => super::ChangeKind::Change,
            };
        }
        let replaces = differences.iter().any(|difference| difference.verdict >= Verdict::MayReplace);
        let op =
            if replaces { Op::Replace { create_first: create_first(node, &seen.inputs, &desired) } } else { Op::Adopt };
        let mut decision = Decision::new(op, desired).because(format!("exists as `{}`", seen.id));
        decision.differences = differences;
        decision
    }

    fn compared(
        &mut self,
        node: &Node,
        state: &ResourceState,
        desired: Tree,
        differences: Vec<Difference>,
    ) -> Decision {
        let worst = differences.iter().map(|difference| difference.verdict).max();
        let mut reasons = Vec::new();
        let mut condition = None;
        let mut replaces = worst == Some(Verdict::Replace);
        if worst == Some(Verdict::MayReplace) {
            condition = Some(node.address.clone());
        }
        if self.sources.replace.contains(&node.address) {
            replaces = true;
            reasons.push("asked for with --replace".to_owned());
        }
        if let Some(why) = self.sources.observed.present(&node.address).and_then(|seen| seen.tainted.as_ref()) {
            replaces = true;
            reasons.push(format!("it failed: {why}"));
        }
        let mut dies_with = None;
        let drawn = self.drawn_in(node.schema, state, Some(node));
        let create_first = drawn.is_empty() && create_first(node, &state.inputs, &desired);
        for (target, why, cascades) in drawn {
            let of = self.decisions.get(&target).and_then(|decision| decision.condition.clone());
            match of {
                Some(root) if !replaces => condition = condition.or(Some(root)),
                _ => replaces = true,
            }
            if cascades {
                dies_with = Some(target.clone());
            }
            reasons.push(format!("{why} {target}, which is replaced"));
        }
        if replaces {
            condition = None;
        }
        let changes = differences.iter().any(|difference| difference.verdict > Verdict::Released);
        let op = if replaces || condition.is_some() {
            Op::Replace { create_first }
        } else if changes {
            Op::Update
        } else if let Status::Partial(why) = &state.status {
            reasons.push(format!("an earlier run did not finish it: {why}"));
            Op::Update
        } else if !differences.is_empty() || state.options != node.options || state.dependencies != node.dependencies {
            Op::Options
        } else {
            Op::Keep
        };
        // Nobody asks for the inputs of what stays as it is, and most of a stack mostly does.
        let inputs = if op == Op::Keep { Tree::default() } else { desired };
        Decision { op, reasons, inputs, differences, dies_with, condition }
    }

    /// The replaced resources that draw this one in: it lives in them, holds them, or has its scope in them; with
    /// whether their end takes its object along.
    fn drawn_in(
        &self,
        schema: &Schema,
        state: &ResourceState,
        node: Option<&Node>,
    ) -> Vec<(Address, &'static str, bool)> {
        let mut drawn = Vec::new();
        let ending = |address: &Address| self.decisions.get(address).filter(|decision| decision.ends_object());
        for target in &state.dependencies {
            let Some(decision) = ending(target) else { continue };
            let field =
                referring_fields(schema, state, target).max_by_key(|field| (field.parent.is_some(), field.holds));
            match field {
                Some(Field { parent: Some(mark), .. }) => {
                    drawn.push((target.clone(), "lives in", *mark == OnParentDelete::Cascades));
                }
                Some(Field { holds: true, .. })
                    if decision.op == Op::Replace { create_first: false }
                        && node.is_some_and(|n| n.dependencies.contains(target)) =>
                {
                    drawn.push((target.clone(), "holds", false));
                }
                _ => {}
            }
            let of_scope = state.scope.as_ref().is_some_and(|(_, id)| self.id_of(target) == Some(id));
            if of_scope && state.provider.of.contains(target) {
                drawn.push((target.clone(), "lives in", true));
            }
        }
        drawn
    }

    fn id_of(&self, address: &Address) -> Option<&String> {
        self.sources.snapshot.resources.get(address).map(|state| &state.id)
    }

    /// Its scope's own object is gone, so it is, unread.
    fn scope_is_gone(&self, state: &ResourceState) -> bool {
        let Some((_, scope)) = &state.scope else { return false };
        let gone = |owner: &&Address| self.sources.observed.gone(owner) && self.id_of(owner) == Some(scope);
        state.provider.of.iter().any(|owner| gone(&owner))
    }

    /// A key that is unknown only because what it refers to is renamed in place is no change of this resource: it is
    /// found again under its new key.
    fn reidentified(&self, node: &Node, differences: &mut Vec<Difference>) {
        for difference in differences {
            if difference.verdict != Verdict::MayReplace {
                continue;
            }
            let field = difference.path.field().unwrap_or_default();
            let mut targets = node.references.iter().filter(|reference| reference.field == field).peekable();
            let renamed = |address: &Address| {
                self.decisions.get(address).is_some_and(|decision| {
                    matches!(decision.op, Op::Update | Op::Adopt) && decision.condition.is_none()
                })
            };
            let is_place = node.schema.field(field).is_some_and(|field| field.parent.is_some());
            if is_place && targets.peek().is_some() && targets.all(|reference| renamed(&reference.address)) {
                difference.verdict = Verdict::InPlace;
            }
        }
    }

    /// What is in state and not desired.
    fn undesired(&mut self) {
        let Sources { snapshot, desired, .. } = self.sources;
        let left: Vec<&Address> =
            snapshot.resources.keys().filter(|address| !desired.nodes.contains_key(*address)).collect();
        for address in &left {
            let state = &snapshot.resources[*address];
            let decision = self.left_over(state);
            self.decisions.insert((*address).clone(), decision);
        }
        // Who goes along with whom is known only when all of them are decided.
        for address in left {
            let state = &snapshot.resources[address];
            let Some(schema) = self.sources.schemas.get(address.type_name()) else { continue };
            let along = self.drawn_in(schema, state, None).into_iter().find(|(_, _, cascades)| *cascades);
            let option = state
                .options
                .deleted_with
                .clone()
                .filter(|with| self.decisions.get(with).is_some_and(Decision::ends_object));
            let dies_with = along.map(|(target, _, _)| target).or(option);
            let Some(decision) = self.decisions.get_mut(address) else { continue };
            match (&dies_with, &decision.op) {
                (Some(target), Op::Forget) if state.options.retain_on_delete => {
                    self.problems.push(retained(address, target));
                }
                (Some(target), _) => {
                    decision.reasons.push(format!("goes with {target}"));
                    decision.dies_with = dies_with;
                }
                (None, _) => {}
            }
        }
    }

    fn left_over(&mut self, state: &ResourceState) -> Decision {
        let address = &state.address;
        if !self.sources.schemas.contains_key(address.type_name()) {
            let problem = Diagnostic::error(format!("no provider of the program knows the type of `{address}`"))
                .detail("it is in state, and the program does not declare it any more")
                .hint("list its provider with `.provider(..)`, or `state forget` it");
            self.problems.push(problem.about(address));
        }
        let nothing = Tree::default();
        match self.sources.observed.sightings.get(address) {
            _ if state.options.retain_on_delete => {
                Decision::new(Op::Forget, nothing).because("not in the program any more; retained")
            }
            Some(Sighting::Gone) => Decision::new(Op::Forget, nothing).because("gone from reality"),
            _ if self.scope_is_gone(state) => Decision::new(Op::Forget, nothing).because("gone from reality"),
            _ => Decision::new(Op::Delete, nothing).because("not in the program any more"),
        }
    }

    fn evaluate(&self, node: &Node) -> Tree {
        let tree = evaluate(&node.inputs, &mut |origin, field| self.output(origin, field));
        conceal_fields(tree, node.schema.fields())
    }

    fn output(&self, origin: &Origin, field: &str) -> Option<Tree> {
        output(self.sources, &self.decisions, origin, field)
    }
}

fn create_first(node: &Node, before: &Tree, after: &Tree) -> bool {
    if let Some(delete_first) = node.options.delete_before_replace {
        return !delete_first;
    }
    let mut keys = node.schema.fields().iter().filter(|field| field.key).peekable();
    if keys.peek().is_none() {
        return true;
    }
    // The new object can't exist beside the old one under the same key; an unknown key counts as the same.
    keys.any(|field| match (before.get(field.name), after.get(field.name)) {
        (Some(before), Some(after)) => after.is_known() && !diff::equal(field, before, after),
        (None, None) => false,
        _ => true,
    })
}

/// An output as far as these decisions leave it known.
pub(super) fn output(
    sources: Sources<'_>,
    decisions: &BTreeMap<Address, Decision>,
    origin: &Origin,
    field: &str,
) -> Option<Tree> {
    let Sources { snapshot, observed, desired, .. } = sources;
    let address = &origin.address;
    if desired.lookups.contains_key(address) {
        return observed.lookups.get(address)?.get(field).cloned();
    }
    let decision = decisions.get(address)?;
    let outputs = match &decision.op {
        Op::Create | Op::Replace { .. } | Op::Read | Op::Delete | Op::Forget => None,
        Op::Adopt => observed.found.get(address).map(|seen| &seen.outputs),
        Op::Update | Op::Move { .. } | Op::Options | Op::Keep => {
            let last = snapshot.resources.get(address).map(|state| &state.outputs);
            observed.present(address).map(|seen| &seen.outputs).or(last)
        }
    }?;
    let node = desired.nodes.get(address)?;
    let changed = decision.changed_fields();
    let from = node.schema.output(field).map(|output| output.from).unwrap_or_default();
    if from.iter().any(|input| changed.contains(input)) {
        return None;
    }
    outputs.get(field).cloned()
}

fn paths(texts: &[String]) -> Vec<Path> {
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

/// The fields through which an object in state refers to another.
pub(super) fn referring_fields<'s>(
    schema: &'s Schema,
    state: &'s ResourceState,
    target: &'s Address,
) -> impl Iterator<Item = &'static Field> + use<'s> {
    state.references.iter().filter_map(move |(path, reference)| {
        let name = path.split(['.', '[']).next()?;
        if reference.to == *target { schema.field(name) } else { None }
    })
}

fn retained(address: &Address, target: &Address) -> Diagnostic {
    Diagnostic::error(format!("`{address}` is to be retained, and `{target}`, in which it lives, is deleted"))
        .hint(format!("keep `{target}`, retain it too, or take `.retain_on_delete()` away and apply that first"))
        .about(address)
}

/// Marks what fields declare secret, for values that reached them in clear.
pub fn conceal_fields(tree: Tree, fields: &[Field]) -> Tree {
    if !fields.iter().any(|field| field.secret) {
        return tree;
    }
    let Tree::Map(entries) = tree else { return tree };
    let conceal = |(name, entry): (String, Tree)| {
        let secret = fields.iter().any(|field| field.secret && field.name == name);
        let plain = !matches!(entry, Tree::Secret(_) | Tree::Unknown(_));
        let entry = if secret && plain { Tree::Secret(Box::new(entry)) } else { entry };
        (name, entry)
    };
    Tree::Map(entries.into_iter().map(conceal).collect())
}
