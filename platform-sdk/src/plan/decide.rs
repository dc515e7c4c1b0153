//! Deciding what happens to each resource: one pass over the desired order, then one over what is left in state.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ChangeKind, Decisions, HandOver, Op,
    compare::{Compared, compare, unrecorded},
    containment::Drawn,
    cycles::Detours,
    diff::{self, Difference, Verdict},
    foreseen::output,
    hand_over,
};
use crate::{
    desired::{
        Address, Desired, Node, Path, Tree, conceal_fields, configured_in_clear, evaluate, evaluates_to, failures,
        in_clear, secret_key,
    },
    observe::Observed,
    program::{Field, Identity, Origin, Schema},
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
    /// What is done another way for the sake of an order.
    pub detours: &'a Detours,
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
    /// Where secrets that stay sealed could not be compared.
    pub sealed: Vec<Path>,
    /// Its old object goes away with this resource's, if that one goes: no delete call of its own then.
    pub dies_with: Option<Address>,
    /// The resources that it lives in, or holds, and whose end asks for its own.
    pub drawn_by: BTreeSet<Address>,
    /// A create that an interrupted replacement still owes: what others have set of the old object stays as it was.
    pub resumes: bool,
    /// The command is not about it: what state says of it stays as it is, but for its address.
    pub left_alone: bool,
    /// The resources whose values decide, once they are known, whether this step replaces: it does if any of them does.
    /// Empty: the step is certain.
    pub conditions: BTreeSet<Address>,
    /// Whether it is given to another owner in the end.
    pub hand_over: HandOver,
}

impl Decision {
    pub(super) fn new(op: Op, inputs: Tree) -> Self {
        Self {
            op,
            reasons: Vec::new(),
            inputs,
            differences: Vec::new(),
            sealed: Vec::new(),
            dies_with: None,
            drawn_by: BTreeSet::new(),
            resumes: false,
            left_alone: false,
            conditions: BTreeSet::new(),
            hand_over: HandOver::No,
        }
    }

    pub(super) fn because(mut self, reason: impl Into<String>) -> Self {
        self.reasons.push(reason.into());
        self
    }

    /// Whether the old object goes away.
    pub fn ends_object(&self) -> bool {
        matches!(self.op, Op::Replace { .. } | Op::Delete)
    }

    /// What it would have gone along with stays: it ends by a call of its own.
    pub(super) fn ends_alone(&mut self) {
        self.dies_with = None;
        self.reasons.retain(|reason| !reason.starts_with("goes with "));
    }

    /// The top-level fields whose change in place is wanted.
    pub(super) fn changed_fields(&self) -> BTreeSet<&str> {
        self.differences.iter().filter(|d| d.verdict != Verdict::Released).filter_map(|d| d.path.field()).collect()
    }

    pub(super) fn changes_any(&self, fields: &[&str]) -> bool {
        let changed = self.changed_fields();
        fields.iter().any(|field| changed.contains(field))
    }

    /// Whether an update in place gives the object another natural key, and so perhaps another id.
    pub(super) fn renames(&self, schema: &Schema) -> bool {
        let changed = self.changed_fields();
        self.op == Op::Update && schema.fields().iter().any(|field| field.key && changed.contains(field.name))
    }
}

/// What happens to every resource, and to the pending deletes; with all problems that forbid it.
pub(crate) fn decide(sources: Sources<'_>) -> (Decisions, Vec<Diagnostic>) {
    let mut decider = Decider { sources, decisions: Decisions::default(), problems: Vec::new() };
    for address in &sources.desired.order {
        if let Some(node) = sources.desired.nodes.get(address) {
            let decision = decider.node(node);
            decider.decisions.insert(address.clone(), decision);
        }
    }
    decider.undesired();
    decider.retained_in_vain();
    decider.end_alone();
    decider.configured_in_clear();
    hand_over::mark(sources, &mut decider.decisions);
    (decider.decisions, decider.problems)
}

pub(super) struct Decider<'a> {
    pub(super) sources: Sources<'a>,
    pub(super) decisions: Decisions,
    pub(super) problems: Vec<Diagnostic>,
}

impl Decider<'_> {
    fn node(&mut self, node: &Node) -> Decision {
        let Sources { snapshot, observed, .. } = self.sources;
        let Some(state) = snapshot.resources.get(&node.address) else {
            let desired = self.evaluate(node, None);
            self.failing(node, &desired);
            return self.newcomer(node, desired);
        };
        let desired = self.evaluate(node, Some(state));
        self.failing(node, &desired);
        if observed.gone(&node.address) || self.scope_is_gone(state) {
            return match self.went_along(state) {
                Some(with) => resumed(node, state, desired).because(format!("it went with {with}")),
                None => Decision::new(Op::Create, desired).because("gone from reality"),
            };
        }
        let seen = observed.present(&node.address);
        let mut compared = compare(node, desired, Some(state), seen.map(|seen| &seen.inputs));
        self.reidentified(node, state, &mut compared.differences);
        self.uprooted(node, state, &mut compared.differences);
        let mut decision = self.compared(node, state, compared);
        if decision.op == Op::Keep {
            stale(node, state, seen.map(|seen| seen.id.as_str()), &mut decision);
        }
        if let Some(from) = self.sources.moves.get(&node.address) {
            if decision.op == Op::Keep || decision.op == Op::Options {
                decision.op = Op::Move { from: from.clone() };
            } else {
                decision.reasons.push(format!("moved from {from}"));
            }
        }
        decision
    }

    /// What is not in state: an object that exists and is to be taken in, or one to create. What can't become what the
    /// program says is not taken in only to be destroyed.
    fn newcomer(&mut self, node: &Node, desired: Tree) -> Decision {
        let Some(seen) = self.sources.observed.found.get(&node.address) else {
            return match self.sources.snapshot.replacing.get(&node.address) {
                Some(old) => resumed(node, old, desired).because("its replacement was interrupted"),
                None => Decision::new(Op::Create, desired),
            };
        };
        let Compared { inputs, mut differences, sealed } = compare(node, desired, None, Some(&seen.inputs));
        for difference in &mut differences {
            difference.kind = if difference.before.is_none() { ChangeKind::Add } else { ChangeKind::Change };
        }
        let fixed = differences.iter().filter(|difference| difference.verdict == Verdict::Replace);
        let fixed: Vec<String> = fixed.map(|fixed| format!("`{}` can't be changed in place", fixed.path)).collect();
        if !fixed.is_empty() {
            let problem = Diagnostic::error(format!("`{}` exists as `{}` and is another", node.address, seen.id))
                .detail(fixed.join("\n"))
                .hint("declare what is there and apply that first, or delete it, or choose another name");
            self.problems.push(problem.about(&node.address).at(&node.at));
        }
        let mut decision = Decision::new(Op::Adopt, inputs).because(format!("exists as `{}`", seen.id));
        (decision.differences, decision.sealed) = (differences, sealed);
        decision
    }

    fn compared(&self, node: &Node, state: &ResourceState, compared: Compared) -> Decision {
        let Compared { inputs, differences, sealed } = compared;
        let mut decision = Decision { sealed, ..Decision::new(Op::Keep, inputs) };
        let mut replaces = differences.iter().any(|difference| difference.verdict == Verdict::Replace);
        if differences.iter().any(|difference| self.decides(node, state, difference)) {
            decision.conditions.insert(node.address.clone());
        }
        if self.sources.replace.contains(&node.address) {
            replaces = true;
            decision.reasons.push("asked for with --replace".to_owned());
        }
        if let Some(why) = self.sources.observed.present(&node.address).and_then(|seen| seen.tainted.as_ref()) {
            replaces = true;
            decision.reasons.push(format!("it failed: {why}"));
        }
        // What has moved along with its place has a key that state need not know yet.
        let seen = self.sources.observed.present(&node.address);
        let mut create_first = !self.place_is_renamed(state, node.schema)
            && create_first(node, &state.inputs, &decision.inputs)
            && seen.is_none_or(|seen| create_first(node, &seen.inputs, &decision.inputs));
        if let Some((reason, conditions)) = self.leads_elsewhere(node, state) {
            replaces |= conditions.is_empty();
            decision.conditions.extend(conditions);
            // No key is taken where it goes.
            create_first = node.options.delete_before_replace != Some(true);
            decision.reasons.push(reason);
        }
        for Drawn { target, why, takes_along } in self.drawn_in(node.schema, state, Some(node)) {
            let Some(of) = self.decisions.get(&target) else { continue };
            if of.conditions.is_empty() {
                replaces = true;
            }
            decision.conditions.extend(of.conditions.iter().cloned());
            create_first &= of.op == (Op::Replace { create_first: true });
            if takes_along {
                decision.dies_with = Some(target.clone());
            }
            let may = if of.conditions.is_empty() { "is" } else { "may be" };
            decision.reasons.push(format!("{why} {target}, which {may} replaced"));
            decision.drawn_by.insert(target);
        }
        if create_first && self.sources.detours.delete_first.contains(&node.address) {
            create_first = false;
            decision.reasons.push("deleted first: what it needs can't be made before".to_owned());
        }
        if replaces {
            decision.conditions.clear();
        }
        let changes = differences.iter().any(|difference| difference.verdict > Verdict::Released);
        decision.op = if replaces || !decision.conditions.is_empty() {
            Op::Replace { create_first }
        } else if changes {
            Op::Update
        } else if let Status::Partial(why) | Status::Making(why) = &state.status {
            decision.reasons.push(format!("an earlier run did not finish it: {why}"));
            Op::Update
        } else if let Status::Unready(why) = &state.status
            && self.sources.desired.waits_for(node)
        {
            decision.reasons.push(format!("an earlier run did not see it ready: {why}"));
            Op::Update
        } else if !differences.is_empty()
            || state.options != node.options
            || state.dependencies != node.dependencies
            || matches!(state.status, Status::Unready(_))
        {
            Op::Options
        } else {
            Op::Keep
        };
        decision.differences = differences;
        decision
    }

    /// Why a resource is to be in another place than it was made in, and what that depends on.
    fn leads_elsewhere(&self, node: &Node, state: &ResourceState) -> Option<(String, BTreeSet<Address>)> {
        if let Some((scope, was, is)) = self.sources.observed.rescoped.get(&node.address) {
            let reason = format!("its provider leads to {scope} `{is}`, and it was made in {scope} `{was}`");
            return Some((reason, BTreeSet::new()));
        }
        let (scope, was) = state.scope.as_ref()?;
        let owners = &self.sources.desired.providers.get(&node.provider)?.dependencies;
        // Nobody asks where its provider leads while that is not known to be ready.
        if let Some(owner) = left_with(self.sources, state) {
            return Some((format!("it lives in what is left of {owner}, which was replaced"), BTreeSet::new()));
        }
        // What is yet to be made is not where it was.
        let mut others = owners.iter().filter(|owner| !state.provider.of.contains(owner));
        let new = others.clone().find_map(|owner| {
            let decision = self.decisions.get(owner)?;
            let made = matches!(decision.op, Op::Create | Op::Replace { .. });
            made.then(|| (format!("its provider leads to {owner}, which is new"), decision.conditions.clone()))
        });
        if new.is_some() || self.sources.observed.offline.is_none() {
            return new;
        }
        // Nobody was asked where its provider leads: to another than the one it was made in, if those are two of a kind.
        let left = state.provider.of.iter().find(|owner| self.id_of(owner) == Some(was) && !owners.contains(owner))?;
        let now = others.find(|owner| owner.type_name() == left.type_name())?;
        let is = self.id_of(now).filter(|is| *is != was)?;
        Some((format!("its provider leads to {scope} `{is}`, and it was made in {scope} `{was}`"), BTreeSet::new()))
    }

    /// Whether this difference decides over a replacement by itself. The place that a resource lives in does not: where
    /// that may be replaced, the resource follows it.
    fn decides(&self, node: &Node, state: &ResourceState, difference: &Difference) -> bool {
        if difference.verdict != Verdict::MayReplace {
            return false;
        }
        let name = difference.path.field().unwrap_or_default();
        let is_place = node.schema.field(name).is_some_and(|field| field.parent.is_some());
        let mut targets = node.references.iter().filter(|reference| reference.field == name).peekable();
        let was = state.references.get(name).map(|reference| &reference.to);
        let follows = |address: &Address| {
            was.is_none_or(|was| was == address) && self.decisions.get(address).is_some_and(Decision::ends_object)
        };
        !(is_place && targets.peek().is_some() && targets.all(|reference| follows(&reference.address)))
    }

    /// Its id has the name of a place in it that is renamed in this run: a new object can't wait beside the old one.
    fn place_is_renamed(&self, state: &ResourceState, schema: &Schema) -> bool {
        let renamed = |place: &Address| {
            let schema = self.sources.schemas.get(place.type_name());
            schema.is_some_and(|schema| self.decisions.get(place).is_some_and(|decision| decision.renames(schema)))
        };
        schema.identity == Identity::Key && state.parents.iter().any(renamed)
    }

    /// A key that is unknown only because what it refers to is renamed in place is no change of this resource: it is
    /// found again under its new key.
    fn reidentified(&self, node: &Node, state: &ResourceState, differences: &mut [Difference]) {
        for difference in differences {
            if difference.verdict != Verdict::MayReplace {
                continue;
            }
            let field = difference.path.field().unwrap_or_default();
            let mut targets = node.references.iter().filter(|reference| reference.field == field).peekable();
            let was = state.references.get(field).map(|reference| &reference.to);
            let renamed = |address: &Address| {
                let decision = self.decisions.get(address).filter(|_| was.is_none_or(|was| was == address));
                decision.is_some_and(|decision| matches!(decision.op, Op::Update | Op::Adopt))
            };
            let is_place = node.schema.field(field).is_some_and(|field| field.parent.is_some());
            if is_place && targets.peek().is_some() && targets.all(|reference| renamed(&reference.address)) {
                difference.verdict = Verdict::InPlace;
            }
        }
    }

    /// What lived in a place that the program has dropped goes with it, whatever the new place will be called.
    fn uprooted(&self, node: &Node, state: &ResourceState, differences: &mut [Difference]) {
        let Sources { desired, snapshot, .. } = self.sources;
        for difference in differences.iter_mut().filter(|difference| difference.verdict == Verdict::MayReplace) {
            let name = difference.path.field().unwrap_or_default();
            let is_place = node.schema.field(name).is_some_and(|field| field.parent.is_some());
            let place = state.references.get(name).map(|reference| &reference.to);
            let place = place.filter(|place| is_place && !desired.nodes.contains_key(*place));
            let old = place.and_then(|place| snapshot.resources.get(place));
            if old.is_some_and(|old| !old.options.retain_on_delete) {
                difference.verdict = Verdict::Replace;
            }
        }
    }

    /// The inputs that are wanted; where they are what was last applied, those themselves, and no copy.
    fn evaluate(&self, node: &Node, last: Option<&ResourceState>) -> Tree {
        let exists = last.is_some() || self.sources.observed.found.contains_key(&node.address);
        let mut output = |origin: &Origin, field: &str| {
            if exists && self.is_bound_anew(node, origin) { None } else { self.output(origin, field) }
        };
        let tree = match last.map(|state| &state.inputs) {
            Some(last) if evaluates_to(&node.inputs, last, &mut output) => last.clone(),
            _ => evaluate(&node.inputs, &mut output),
        };
        conceal_fields(tree, node.schema.fields())
    }

    /// What lives in a new object, or holds it, is made or bound anew, though that one may be called as the old one was.
    fn is_bound_anew(&self, node: &Node, origin: &Origin) -> bool {
        let is_new = |decision: &Decision| matches!(decision.op, Op::Create | Op::Replace { .. });
        let binds = |field: &str| node.schema.field(field).is_some_and(|field| field.parent.is_some() || field.holds);
        self.decisions.get(&origin.address).is_some_and(is_new)
            && node.references.iter().any(|reference| reference.address == origin.address && binds(&reference.field))
    }

    /// A provider whose configuration turned out to be secret: state would keep it in clear.
    fn configured_in_clear(&mut self) {
        let Sources { desired, .. } = self.sources;
        for (key, provider) in &desired.providers {
            if evaluate(&provider.config, &mut |origin, field| self.output(origin, field)).has_secrets() {
                self.problems.push(configured_in_clear(key));
            }
        }
    }

    /// A function of the program that fails on what is known fails before anything is done, and so does a name that turns
    /// out to be secret.
    fn failing(&mut self, node: &Node, inputs: &Tree) {
        if let Some(key) = secret_key(node.schema, inputs) {
            self.problems.push(in_clear(&node.address, &key).about(&node.address).at(&node.at));
        }
        if inputs.is_known() {
            return;
        }
        let failed = failures(&node.inputs, &mut |origin, field| self.output(origin, field));
        if !failed.is_empty() {
            let problem = Diagnostic::error(format!("a value of `{}` can't be made", node.address));
            self.problems.push(problem.detail(failed.join("\n")).about(&node.address).at(&node.at));
        }
    }

    fn output(&self, origin: &Origin, field: &str) -> Option<Tree> {
        output(self.sources, &self.decisions, origin, field)
    }
}

/// The second half of a replacement: like the first, it leaves to others what is theirs.
fn resumed(node: &Node, old: &ResourceState, desired: Tree) -> Decision {
    let inputs = compare(node, desired, Some(old), None).inputs;
    Decision { resumes: true, ..Decision::new(Op::Create, inputs) }
}

/// State alone is not up to date: reality is what the program says, and state says something else; or the resource
/// has another id, or is reached another way.
fn stale(node: &Node, state: &ResourceState, seen: Option<&str>, decision: &mut Decision) {
    let fields = node.schema.fields();
    let same = |field: &Field| match (state.inputs.get(field.name), decision.inputs.get(field.name)) {
        (Some(before), Some(after)) => diff::equal(field, before, after) || before.may_be(after),
        (before, after) => before.is_none() && after.is_none(),
    };
    if !fields.iter().filter(|field| field.via && !field.is_sent_along()).all(same) {
        decision.op = Op::Options;
        decision.reasons.push("it is reached another way".to_owned());
    }
    if let Some(id) = seen.filter(|id| *id != state.id) {
        decision.op = Op::Options;
        decision.reasons.push(format!("its id is `{id}` now, and was `{}`", state.id));
    }
    let unrecorded = if seen.is_some() { unrecorded(node, &state.inputs, &decision.inputs) } else { Vec::new() };
    if !unrecorded.is_empty() {
        decision.op = Op::Options;
        decision.reasons.push("reality is so already".to_owned());
        decision.differences = unrecorded;
    }
    if decision.op == Op::Keep {
        // Nobody asks for the inputs of what stays as it is, and most of a stack mostly does.
        decision.inputs = Tree::default();
    }
}

/// The resource whose old object, which a replacement has yet to end, is this object's scope.
pub(super) fn left_with<'a>(sources: Sources<'a>, state: &ResourceState) -> Option<&'a Address> {
    let (_, scope) = state.scope.as_ref().filter(|_| !state.provider.of.is_empty())?;
    let mut left = sources.snapshot.pending_deletes.iter();
    let old = left.find(|old| old.id == *scope && state.provider.of.contains(&old.address))?;
    Some(&old.address)
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
