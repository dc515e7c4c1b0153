//! The plan's one entry: from what is desired, owned and observed to ordered steps.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Serialize;

use super::{
    Change, ChangeKind, Cost, Decisions, HandOver, Kind, Op, Plan, Sealed, Shown, Step, Summary, Targets,
    actions::{Actions, Tied, actions},
    cycles::Detours,
    decide::{self, Decision, Sources},
    diff::{Difference, Verdict},
    follow::followed,
    guard, hand_over, held,
    moves::{effects, moved},
    outputs,
};
use crate::{
    Result,
    desired::{Address, Desired, Hash, Name, Path, Tree, hash_written},
    observe::Observed,
    program::{Field, Schema},
    report::{Diagnostic, Error},
    state::{Effect, ResourceState, Snapshot, Status},
};

/// What a plan is asked for beside the program.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Which resources it is about.
    pub targets: Targets,
    /// Resources that are to be replaced whatever the diff says.
    pub replace: BTreeSet<Address>,
}

/// A plan, with what an apply needs beside it.
#[derive(Debug, Clone)]
pub struct Planned {
    /// What is shown, hashed and saved.
    pub plan: Arc<Plan>,
    /// What is carried out.
    pub course: Course,
}

/// What an apply carries out, step by step.
#[derive(Debug, Clone)]
pub struct Course {
    /// The snapshot that the steps start from, moves applied.
    pub snapshot: Snapshot,
    /// What moves do to state, before anything else.
    pub moves: Vec<Effect>,
    /// What happens to each resource.
    pub decisions: Decisions,
    /// The order in which an apply takes it.
    pub actions: Actions,
    /// What was asked for and waits, because it can't be read, or because of something that can't.
    pub held_back: BTreeSet<Address>,
    /// The resources that the plan says to lose something with, so that their steps can only run with consent.
    pub losing: BTreeSet<Address>,
}

impl Planned {
    /// What is carried out, once it has been told: without the values that were told. An apply resolves inputs anew, and
    /// needs the room for what becomes of them.
    pub fn told(self) -> Course {
        let mut course = self.course;
        let told = |_: &Address, decision: &Decision| decision.inputs != Tree::default();
        course.decisions.change(told, |_, decision| decision.inputs = Tree::default());
        course
    }
}

/// Makes the plan.
///
/// # Errors
/// Every violation of a guard, every move that can't be, every type that no provider knows: all at once.
pub fn plan(
    desired: &Desired,
    snapshot: &Snapshot,
    base: Option<Hash>,
    observed: &Observed,
    schemas: &BTreeMap<&'static str, &'static Schema>,
    wanted: &Wanted,
) -> Result<Planned> {
    let before = snapshot;
    let (snapshot, moves) = moved(desired, before)?;
    let mut detours = Detours::default();
    // Each turn takes at least one detour more, and most plans need none.
    let (Decided { decisions, pending, held_back }, actions) = loop {
        let replace = &wanted.replace;
        let sources =
            Sources { desired, snapshot: &snapshot, moves: &moves, observed, schemas, replace, detours: &detours };
        let decided = decided(sources, wanted)?;
        match actions(sources, &decided.decisions, &decided.pending) {
            Ok(actions) => break (decided, actions),
            Err(Tied::With(more)) => detours = more,
            Err(Tied::Up(problem)) => return Err(problem.into()),
        }
    };
    let replace = &wanted.replace;
    let sources =
        Sources { desired, snapshot: &snapshot, moves: &moves, observed, schemas, replace, detours: &detours };
    let steps = steps(sources, &decisions, &actions, &pending);
    let (exports, sealed_outputs) = outputs::changes(sources, &decisions);
    let sealed = sealed(&decisions, sealed_outputs);
    let mut summary = Summary::default();
    for step in &steps {
        *summary.0.entry(step.counted().to_owned()).or_default() += 1;
    }
    let plan_id =
        hash_written(&Identity { base: base.as_ref(), desired: desired.hash(), exports: &exports, steps: &steps });
    let plan = Plan {
        plan_id,
        project: desired.project.clone(),
        stack: desired.stack.clone(),
        base,
        desired: desired.hash().clone(),
        costs: costs(sources, &steps),
        steps,
        summary,
        exports,
        warnings: Vec::new(),
        offline: observed.offline.clone(),
        keyless: None,
        sealed,
    };
    let moves = if moves.is_empty() { Vec::new() } else { effects(before, &snapshot, &moves) };
    let losing = plan.steps.iter().filter(|step| !step.destroys.is_empty()).map(|step| step.address.clone()).collect();
    let course = Course { snapshot: snapshot.into_owned(), moves, decisions, actions, held_back, losing };
    Ok(Planned { plan: Arc::new(plan), course })
}

/// What happens to the resources that are targeted.
struct Decided {
    decisions: Decisions,
    /// The places of the pending deletes that are carried out.
    pending: BTreeSet<usize>,
    held_back: BTreeSet<Address>,
}

fn decided(sources: Sources<'_>, wanted: &Wanted) -> Result<Decided> {
    let (mut decisions, mut problems) = decide::decide(sources);
    problems.extend(unknown_replacements(&wanted.replace, &decisions));
    let mut narrowed = super::target::narrow(sources, &wanted.targets, &mut decisions);
    problems.extend(narrowed.problems);
    let held = held::hold_back(sources, &mut narrowed.pending, &mut decisions);
    problems.extend(held.problems);
    problems.extend(guard::protected(sources, &decisions));
    problems.extend(guard::stranded(sources, &decisions));
    problems.extend(guard::retained_replacements(sources, &decisions));
    problems.extend(guard::retained_keys(sources, &decisions));
    problems.extend(guard::two_of_one_key(sources, &decisions));
    problems.extend(guard::foreign_contents(sources, &decisions));
    problems.extend(outputs::failing(sources, &decisions));
    if !problems.is_empty() {
        return Err(Error::all(problems));
    }
    let held_back = held.addresses.into_iter().filter(|address| wanted.targets.selects(address)).collect();
    Ok(Decided { decisions, pending: narrowed.pending, held_back })
}

/// `plan_id`'s text. Fields in alphabetical order.
#[derive(Serialize)]
struct Identity<'a> {
    base: Option<&'a Hash>,
    desired: &'a Hash,
    exports: &'a [Change],
    steps: &'a [Step],
}

fn unknown_replacements(replace: &BTreeSet<Address>, decisions: &Decisions) -> Vec<Diagnostic> {
    let unknown = replace.iter().filter(|address| !decisions.contains_key(address));
    unknown
        .map(|address| {
            Diagnostic::error(format!("`--replace {address}` names no resource"))
                .hint("`plan` and `state list` show addresses")
        })
        .collect()
}

fn steps(sources: Sources<'_>, decisions: &Decisions, actions: &Actions, pending: &BTreeSet<usize>) -> Vec<Step> {
    let mut steps = Vec::with_capacity(decisions.len() + pending.len());
    let mut shown = BTreeSet::new();
    for action in actions.order() {
        let Some(decision) = decisions.get(&action.address) else { continue };
        if action.kind == Kind::HandOver && decision.hand_over == HandOver::After {
            steps.push(hand_over::step(sources, &action.address, decision));
        } else if shown.insert(&action.address) {
            // An action order may name an address twice.
            steps.push(step(sources, decisions, &action.address, decision));
        }
    }
    // Only what does nothing is left for the order of the program.
    for address in sources.desired.order.iter().filter(|address| !shown.contains(address)) {
        steps.extend(decisions.get(address).map(|decision| step(sources, decisions, address, decision)));
    }
    let left = pending.iter().filter_map(|index| sources.snapshot.pending_deletes.get(*index));
    steps.extend(left.map(|old| left_behind(sources, old)));
    steps
}

/// The end of an object that an earlier run's replacement left behind.
fn left_behind(sources: Sources<'_>, old: &ResourceState) -> Step {
    let schema = sources.schemas.get(old.address.type_name());
    let retained = super::actions::retains(sources, old);
    let loses = !retained && schema.is_some_and(|schema| schema.holds_data(&old.inputs));
    Step {
        address: old.address.clone(),
        op: if retained { Op::Forget } else { Op::Delete },
        reasons: vec![format!("`{}` was left behind by a replacement", old.id)],
        destroys: match (loses, !retained && guard::forces(sources, &old.address)) {
            (true, _) => vec![guard::whole(&old.address, &old.id)],
            (false, true) => vec![guard::forced(&old.id)],
            (false, false) => Vec::new(),
        },
        changes: Vec::new(),
        effect: None,
        follows: false,
        condition: None,
        takes_along: Vec::new(),
    }
}

fn step(sources: Sources<'_>, decisions: &Decisions, address: &Address, whole: &Decision) -> Step {
    let nothing = Vec::new();
    let node = sources.desired.nodes.get(address).filter(|_| whole.hand_over == HandOver::After);
    let decision = &node.map_or_else(|| Cow::Borrowed(whole), |node| Cow::Owned(hand_over::before(node.schema, whole)));
    let contents = sources.observed.contents.get(address).filter(|_| decision.ends_object()).unwrap_or(&nothing);
    let changes = match decision.op {
        Op::Create => creation(&decision.inputs, sources.schemas.get(address.type_name()).copied()),
        Op::Adopt | Op::Update | Op::Replace { .. } | Op::Options | Op::Move { .. } => {
            decision.differences.iter().map(change).collect()
        }
        Op::Delete | Op::Forget | Op::Read | Op::Keep => Vec::new(),
    };
    let mut reasons = decision.reasons.clone();
    if decision.op == Op::Options
        && decision.differences.is_empty()
        && let Some(node) = sources.desired.nodes.get(address)
        && let Some(state) = sources.snapshot.resources.get(address)
    {
        let why = match &state.status {
            _ if node.options != state.options => "options changed",
            Status::Unready(_) => "it is not waited for any more",
            _ => "dependencies changed",
        };
        reasons.push(why.to_owned());
    }
    let followed: Vec<&str> =
        followed(sources, decisions, address, decision).into_iter().map(Address::as_str).collect();
    if !followed.is_empty() {
        reasons.push(format!("follows {}", followed.join(", ")));
    }
    Step {
        address: address.clone(),
        op: decision.op.clone(),
        reasons,
        destroys: guard::destroys(sources, address, decision, contents),
        effect: effect(sources, address, decision),
        follows: !followed.is_empty(),
        changes,
        condition: (!decision.conditions.is_empty()).then(|| condition(sources, address, decision)),
        takes_along: contents.clone(),
    }
}

/// What a change in place does beside it.
fn effect(sources: Sources<'_>, address: &Address, decision: &Decision) -> Option<String> {
    let effect = sources.schemas.get(address.type_name())?.effect?;
    let changed: Vec<&str> = decision.changed_fields().into_iter().collect();
    let in_place = matches!(decision.op, Op::Update | Op::Adopt) && !changed.is_empty();
    effect(&changed, &decision.inputs).filter(|_| in_place).map(str::to_owned)
}

/// What decides whether a step replaces, for people.
fn condition(sources: Sources<'_>, address: &Address, decision: &Decision) -> String {
    let one = |root: &Address| {
        if root != address {
            return format!("{root} is replaced");
        }
        let deciding = decision.differences.iter().filter(|difference| difference.verdict == Verdict::MayReplace);
        let fields: BTreeSet<&str> = deciding.filter_map(|difference| difference.path.field()).collect();
        let references = sources.desired.nodes.get(root).into_iter().flat_map(|node| &node.references);
        let values = references.filter(|reference| fields.contains(reference.field.as_str()));
        let values: BTreeSet<String> = values.map(|r| format!("${{{}.{}}}", r.address.path(), r.output)).collect();
        let values = values.into_iter().collect::<Vec<_>>().join(", ");
        if values.is_empty() { "its value differs".to_owned() } else { format!("{values} differs") }
    };
    decision.conditions.iter().map(one).collect::<Vec<_>>().join(", or ")
}

fn creation(inputs: &Tree, schema: Option<&'static Schema>) -> Vec<Change> {
    let Tree::Map(entries) = inputs else { return Vec::new() };
    // In the order in which the page declares its fields, which is the order in which people read them.
    let position = |name: &str| schema.and_then(|schema| schema.fields().iter().position(|field| field.name == name));
    // What another field stands for, as a hash does for a content, is not shown beside it.
    let sent_along = |name: &str| schema.and_then(|schema| schema.field(name)).is_some_and(Field::is_sent_along);
    let mut entries: Vec<_> = entries.iter().filter(|(name, _)| !sent_along(name)).collect();
    entries.sort_by_key(|(name, _)| position(name).unwrap_or(usize::MAX));
    let set = entries.into_iter().map(|(name, value)| Change {
        path: name.clone(),
        before: None,
        after: Some(Shown::of(value)),
        kind: ChangeKind::Add,
        replaces: false,
        unknown: !value.is_known(),
    });
    set.collect()
}

/// A difference as it is shown.
pub fn change(difference: &Difference) -> Change {
    // A secret on either side hides both: the other side is an older or newer form of the same secret.
    let secret = [&difference.before, &difference.after].into_iter().flatten().any(Tree::has_secrets);
    let show = |tree: &Tree| if secret && tree.is_known() { Shown::redacted() } else { Shown::of(tree) };
    Change {
        path: difference.path.to_string().into(),
        before: difference.before.as_ref().map(show),
        after: difference.after.as_ref().map(show),
        kind: difference.kind,
        replaces: difference.verdict >= Verdict::MayReplace,
        unknown: difference.after.as_ref().is_some_and(|tree| !tree.is_known()),
    }
}

/// What could not be compared for want of a key.
fn sealed(decisions: &Decisions, outputs: Vec<Name>) -> Vec<Sealed> {
    let of_resources = decisions.iter().flat_map(|(address, decision)| {
        let one = |path: &Path| Sealed { address: Some(address.clone()), path: path.to_string().into() };
        decision.sealed.iter().map(one)
    });
    of_resources.chain(outputs.into_iter().map(|path| Sealed { address: None, path })).collect()
}

fn costs(sources: Sources<'_>, steps: &[Step]) -> Vec<Cost> {
    let starting = steps.iter().filter(|step| matches!(step.op, Op::Create | Op::Replace { .. }));
    starting
        .filter_map(|step| {
            let what = sources.schemas.get(step.address.type_name())?.compute?;
            Some(Cost { address: step.address.clone(), what: what.to_owned() })
        })
        .collect()
}
