//! A running apply: what its actions share, and how each of them is done.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::sync::watch;

use super::{
    Ledger, Scrub,
    apart::{Apart, leaving},
    down::Down,
    lately::Lately,
    live::Live,
    make::Making,
    slots::{Slot, Slots},
    steps::{Schedule, steps},
};
use crate::{
    desired::{Address, Desired, Node, ProviderKey, describe},
    observe::{BUILTIN, Connections, Observed, look_up},
    plan::{Action, Course, Kind, Op, Summary, outputs},
    provider::{Changes, ErrorKind, ProviderError, ProviderResult},
    report::{Diagnostic, Event, Observer, Silence},
    state::{Effect, Intent, ProviderState, Record, ResourceState, Snapshot},
};

/// How an apply runs.
#[derive(Clone)]
pub struct Settings {
    /// How many steps have effects at once. As many again are prepared meanwhile: read, resolved and journalled.
    pub parallel: usize,
    /// The first failure starts nothing new.
    pub fail_fast: bool,
    /// Turns true when nothing new is to be started.
    pub stop: watch::Receiver<bool>,
}

/// Everything that an apply works with.
#[derive(Clone)]
pub struct Apply<'a> {
    /// What the program wants.
    pub desired: &'a Desired,
    /// What is carried out.
    pub course: &'a Course,
    /// What was read for it.
    pub observed: &'a Observed,
    /// The services.
    pub connections: &'a Connections,
    /// Where records become durable.
    pub ledger: Arc<dyn Ledger>,
    /// Who wants to know.
    pub observer: Arc<dyn Observer>,
    /// How it runs.
    pub settings: Settings,
}

/// What an apply left.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The stack's state now.
    pub snapshot: Snapshot,
    /// Steps that were done, by name.
    pub summary: Summary,
    /// Every failure, once.
    pub failures: Vec<Diagnostic>,
    /// It was stopped before its end.
    pub interrupted: bool,
}

/// A running apply, as its actions share it.
pub(super) struct Run<'a> {
    pub(super) desired: &'a Desired,
    pub(super) course: &'a Course,
    pub(super) observed: &'a Observed,
    pub(super) connections: &'a Connections,
    pub(super) ledger: Arc<dyn Ledger>,
    pub(super) settings: Settings,
    pub(super) live: Live,
    pub(super) scrub: Arc<Scrub>,
    /// What goes along with the object of each resource.
    pub(super) along: BTreeMap<&'a Address, Vec<&'a Address>>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) slots: Slots,
    pub(super) apart: Apart,
    pub(super) down: Down,
    /// What this plan ends.
    pub(super) leaving: Vec<&'a ResourceState>,
    pub(super) created: Arc<Mutex<BTreeMap<String, String>>>,
    pub(super) lately: Lately,
    /// The step of each action.
    steps: Vec<usize>,
    timing: Mutex<Timing>,
    /// What each step has changed.
    pub(super) changes: Vec<Arc<Changes>>,
    /// What steps wait for.
    pub(super) silence: Arc<Silence>,
}

/// When steps began, and what was not even sent.
struct Timing {
    began: Vec<Option<Instant>>,
    sent_away: BTreeSet<usize>,
}

/// Carries out a plan.
///
/// # Errors
/// When the journal can't be written before anything was done; later failures are in [`Applied`].
pub async fn apply(work: Apply<'_>) -> Applied {
    let Apply { desired, course, observed, connections, ledger, observer, settings } = work;
    let (steps, count) = steps(&course.actions.list);
    let run = Run {
        desired,
        course,
        observed,
        connections,
        ledger,
        live: Live::new(&course.snapshot, observed),
        scrub: Arc::default(),
        along: along(course),
        observer,
        slots: Slots::new(settings.parallel),
        apart: Apart::default(),
        down: Down::default(),
        leaving: leaving(course),
        created: Arc::default(),
        lately: Lately::new(),
        steps,
        timing: Mutex::new(Timing { began: vec![None; count], sent_away: BTreeSet::new() }),
        changes: std::iter::repeat_with(Arc::default).take(count).collect(),
        silence: Arc::default(),
        settings,
    };
    run.learn_secrets();
    let mut schedule = Schedule::new(&run);
    if let Err(problem) = run.begin().await {
        schedule.failures.push(problem);
    } else {
        schedule.run().await;
        schedule.count_halves();
        schedule.tell_held_up();
    }
    if let Err(problem) = run.exports(schedule.failures.is_empty() && !schedule.interrupted && !run.is_lost()).await {
        schedule.failures.push(problem);
    }
    let Schedule { summary, failures, interrupted, .. } = schedule;
    Applied { snapshot: run.live.into_snapshot(), summary, failures, interrupted }
}

fn along(course: &Course) -> BTreeMap<&Address, Vec<&Address>> {
    let mut along: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (address, decision) in course.decisions.iter() {
        if let Some(target) = &decision.dies_with {
            along.entry(target).or_default().push(address);
        }
    }
    along
}

impl<'a> Run<'a> {
    pub(super) fn actions(&self) -> &'a [Action] {
        &self.course.actions.list
    }

    /// The place of an action's step.
    pub(super) fn step(&self, index: usize) -> usize {
        self.steps[index]
    }

    pub(super) fn step_count(&self) -> usize {
        self.timing().began.len()
    }

    fn timing(&self) -> MutexGuard<'_, Timing> {
        self.timing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn op(&self, index: usize) -> Op {
        let action = &self.actions()[index];
        match action.kind {
            Kind::EndPending(_) => Op::Delete,
            Kind::Read => Op::Read,
            Kind::HandOver => Op::Update,
            Kind::Judge | Kind::Make | Kind::End | Kind::Note => {
                let planned = || self.course.decisions.get(&action.address).map(|decision| decision.op.clone());
                self.live.turned_out(&action.address).or_else(planned).unwrap_or(Op::Keep)
            }
        }
    }

    /// Whether an action may ask anything of a service.
    pub(super) fn has_effect(&self, index: usize) -> bool {
        let action = &self.actions()[index];
        let held = || self.course.snapshot.resources.get(&action.address);
        match action.kind {
            Kind::Judge | Kind::Note => false,
            Kind::Read | Kind::EndPending(_) => true,
            Kind::Make | Kind::HandOver => {
                self.desired.nodes.get(&action.address).is_some_and(|node| node.provider.kind() != BUILTIN)
            }
            Kind::End => held().is_some_and(|state| state.provider.kind != BUILTIN),
        }
    }

    /// Says once that a step began.
    pub(super) fn began(&self, index: usize) {
        let first = {
            let began = &mut self.timing().began[self.step(index)];
            let first = began.is_none();
            began.get_or_insert_with(Instant::now);
            first
        };
        if first {
            let (address, op) = (self.actions()[index].address.clone(), self.op(index));
            self.silence.began(Some(&address));
            self.observer.event(&Event::StepStarted { address, op });
        }
    }

    pub(super) fn since_began(&self, index: usize) -> Duration {
        self.timing().began[self.step(index)].map(|began| began.elapsed()).unwrap_or_default()
    }

    /// Waits for the turn of an action whose intent is durable. When nothing new is to be started, the intent is closed,
    /// since nothing was sent.
    pub(super) async fn turn(&self, index: usize, intent: &str) -> Result<Slot<'_>, Diagnostic> {
        if let Some(slot) = self.slots.take(self.actions()[index].remaining).await {
            self.began(index);
            return Ok(slot);
        }
        self.timing().sent_away.insert(index);
        self.close(Some(intent.to_owned()), vec![Effect::Nothing]).await?;
        Err(Diagnostic::error(format!("`{}` was not started", self.actions()[index].address)))
    }

    /// Nothing is sent for this action, or was, and that is no failure of its own.
    pub(super) fn send_away(&self, index: usize) {
        self.timing().sent_away.insert(index);
    }

    /// What was to be read before anything was sent is not a failure once nothing new is to be started.
    pub(super) fn sent_away_if_closed(&self, index: usize) {
        if *self.slots.closing().borrow() {
            self.timing().sent_away.insert(index);
        }
    }

    /// Whether nothing was sent for this action, because nothing new was to be started.
    pub(super) fn was_sent_away(&self, index: usize) -> bool {
        self.timing().sent_away.contains(&index)
    }

    /// What is only read is not waited for once nothing new is to be started.
    pub(super) async fn unless_stopped<T>(&self, read: impl Future<Output = ProviderResult<T>>) -> ProviderResult<T> {
        let stopped =
            || Err(ProviderError::new(ErrorKind::Ambiguous, "the run was stopped before the answer was there"));
        self.slots.unless_closed(read).await.unwrap_or_else(stopped)
    }

    fn learn_secrets(&self) {
        for state in self.course.snapshot.resources.values() {
            self.scrub.learn(&state.inputs);
            self.scrub.learn(&state.outputs);
        }
    }

    /// Moves and proved identities come first: everything after them speaks of new addresses.
    async fn begin(&self) -> Result<(), Diagnostic> {
        if !self.course.moves.is_empty() {
            self.noted(Record::Outcome { intent: None, effects: self.course.moves.clone() }).await?;
        }
        for (kind, identity) in &self.observed.identities {
            self.identified(kind, identity).await?;
        }
        self.lookups(false).await
    }

    async fn lookups(&self, whole: bool) -> Result<(), Diagnostic> {
        match self.live.remember_lookups(whole, &self.observed.unasked) {
            Some(lookups) => self.noted(Record::Lookups(lookups)).await,
            None => Ok(()),
        }
    }

    async fn identified(&self, kind: &str, identity: &BTreeMap<String, String>) -> Result<(), Diagnostic> {
        for (scope, id) in identity {
            if self.live.identify(kind, scope, id) {
                self.noted(Record::Identity(kind.to_owned(), scope.clone(), id.clone())).await?;
            }
        }
        Ok(())
    }

    async fn exports(&self, whole: bool) -> Result<(), Diagnostic> {
        if !whole {
            return Ok(());
        }
        // What the program looks up stays its own as long as it has anything.
        let takes_away = self.desired.parting.is_some();
        self.lookups(!(takes_away && self.course.decisions.any_stays())).await?;
        let before = &self.course.snapshot.exports;
        let unasked = &self.observed.unasked;
        let value = &mut |expr: &_| self.live.evaluate(expr);
        let exports = outputs(self.desired, &self.course.decisions, unasked, before, value);
        if let Some((name, why)) = exports.iter().find_map(|(name, value)| Some((name, value.too_deep()?))) {
            return Err(Diagnostic::error(format!("output `{name}` can't be exported: {why}")));
        }
        let unknown = exports.iter().filter(|(_, value)| !value.is_known());
        let describe = |name: &String| self.desired.exports.get(name).map(describe).unwrap_or_default();
        let unknown: Vec<String> = unknown.map(|(name, _)| format!("`{name}` is {}", describe(name))).collect();
        if !unknown.is_empty() {
            let problem = Diagnostic::error("an output of the stack is not known").detail(unknown.join("\n"));
            return Err(problem.hint("a function of `.map(..)` failed, or a page gave no such output"));
        }
        if exports != self.course.snapshot.exports {
            self.noted(Record::Exports(exports.clone())).await?;
            self.live.export(exports);
        }
        Ok(())
    }

    /// The identity of a resource's scope, as its connection proves it.
    pub(super) async fn scope(
        &self,
        node: &Node,
        provider: &ProviderState,
    ) -> ProviderResult<Option<(String, String)>> {
        if provider.kind == BUILTIN {
            return Ok(None);
        }
        let identity = self.unless_stopped(self.connections.identity(&provider.kind, &provider.config)).await?;
        if node.provider == ProviderKey::default_of(&provider.kind) {
            // The first use of a provider without anything in state proves its target only now.
            let recorded = self.identified(&provider.kind, &identity).await;
            recorded.map_err(|problem| ProviderError::new(ErrorKind::Invalid { field: None }, problem.summary))?;
        }
        Ok(identity.get(node.schema.scope).map(|id| (node.schema.scope.to_owned(), id.clone())))
    }

    /// A provider's resolved configuration; from now on its connection is that provider's.
    fn config_of(&self, key: &ProviderKey) -> Result<Value, Diagnostic> {
        let config = self.live.config(self.desired, key)?;
        self.connections.configured(key, &config);
        Ok(config)
    }

    /// The provider of a resource, as state keeps it.
    pub(super) fn provider(&self, key: &ProviderKey) -> Result<Arc<ProviderState>, Diagnostic> {
        let of = self.desired.providers.get(key).map(|provider| provider.dependencies.clone()).unwrap_or_default();
        let provider = ProviderState { kind: key.kind().to_owned(), config: self.config_of(key)?, of };
        Ok(self.live.shared(key, provider))
    }

    /// The configuration that leads to an object that is about to end.
    pub(super) async fn config_for(&self, old: &ResourceState) -> ProviderResult<Value> {
        self.connections.way_to(old, self.configured_for(old)).await.map(|way| way.config)
    }

    /// How the program reaches an object that is about to end, or else how it was made.
    pub(super) fn configured_for(&self, old: &ResourceState) -> Value {
        let key = self.desired.nodes.get(&old.address).map(|node| node.provider.clone());
        let default = old.provider.of.is_empty().then(|| ProviderKey::default_of(&old.provider.kind));
        let key = if old.provider.of.is_empty() { key.or(default) } else { None };
        let config = key.and_then(|key| self.config_of(&key).ok());
        config.unwrap_or_else(|| old.provider.config.clone())
    }

    /// Makes it durable what an action is about to ask.
    pub(super) async fn announce(&self, index: usize, intent: Intent) -> Result<(), Diagnostic> {
        let announced = self.ledger.append(Record::Intent(Box::new(intent))).await;
        if announced.is_err() && self.is_lost() {
            // The loss is one failure, however many actions it stops.
            self.timing().sent_away.insert(index);
        }
        announced.map_err(|error| first(&error))
    }

    /// Whether nothing can be announced any more.
    pub(super) fn is_lost(&self) -> bool {
        self.ledger.lost().is_some()
    }

    async fn append(&self, record: Record) -> Result<(), Diagnostic> {
        self.ledger.append(record).await.map_err(|error| first(&error))
    }

    async fn noted(&self, record: Record) -> Result<(), Diagnostic> {
        self.ledger.note(record).await.map_err(|error| first(&error))
    }

    /// Records an outcome, and makes it known to the actions after this one.
    pub(super) async fn close(&self, intent: Option<String>, effects: Vec<Effect>) -> Result<(), Diagnostic> {
        let record = Record::Outcome { intent: intent.clone(), effects: effects.clone() };
        if intent.is_some() {
            self.append(record).await?;
        } else {
            self.noted(record).await?;
        }
        self.live.apply(&effects);
        Ok(())
    }

    pub(super) async fn act(&self, index: usize) -> Result<(), Diagnostic> {
        let Action { address, kind, .. } = &self.actions()[index];
        match kind {
            Kind::Make | Kind::HandOver | Kind::Judge => {
                let (Some(node), Some(decision)) =
                    (self.desired.nodes.get(address), self.course.decisions.get(address))
                else {
                    return Ok(());
                };
                let op = if *kind == Kind::HandOver { &Op::Update } else { &decision.op };
                let making = Making { run: self, node, op, action: index };
                if *kind == Kind::HandOver {
                    return Box::pin(making.hand_over()).await;
                }
                if *kind == Kind::Judge {
                    self.live.judged(address, making.judge()?);
                    return Ok(());
                }
                making.make().await
            }
            Kind::End => self.end(index, address).await,
            Kind::EndPending(place) => self.end_pending(index, *place).await,
            Kind::Note => self.note(address).await,
            Kind::Read => {
                let Some(lookup) = self.desired.lookups.get(address) else { return Ok(()) };
                let config = self.config_of(&lookup.provider)?;
                let looked_up = self.slots.unless_closed(look_up(self.connections, lookup, &config)).await;
                let found = looked_up.unwrap_or_else(|| Err(not_read(address)))?;
                self.live.looked_up(address, found);
                self.lookups(false).await
            }
        }
    }
}

fn not_read(address: &Address) -> Diagnostic {
    Diagnostic::error(format!("`{address}` was not read before the run was stopped")).about(address)
}

fn first(error: &crate::Error) -> Diagnostic {
    let unknown = || Diagnostic::error("the journal can't be written");
    error.diagnostics().first().cloned().unwrap_or_else(unknown)
}
