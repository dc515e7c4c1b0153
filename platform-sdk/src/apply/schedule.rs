//! The scheduler: runs every action as soon as what it needs is done, longest remaining path first.

use std::{
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use async_trait::async_trait;
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use serde_json::Value;
use tokio::sync::watch;

use super::{
    Ledger, Scrub,
    live::Live,
    make::{Making, serving},
};
use crate::{
    desired::{Address, Desired, Node, ProviderKey, describe},
    observe::{BUILTIN, Connections, Observed, look_up},
    plan::{Kind, Op, Planned, Summary, reaches},
    provider::{Context, Journalled, Progress, ProviderError, ProviderResult},
    report::{Diagnostic, Event, Observer},
    state::{Effect, ProviderState, Record, ResourceState, Snapshot},
};

/// How an apply runs.
#[derive(Clone)]
pub struct Settings {
    /// How many steps with effects at once.
    pub parallel: usize,
    /// The first failure starts nothing new.
    pub fail_fast: bool,
    /// HMACs of secrets, for hashes.
    pub keyed: Arc<dyn Fn(&Value) -> String + Send + Sync>,
    /// Turns true when nothing new is to be started.
    pub stop: watch::Receiver<bool>,
}

/// Everything that an apply works with.
#[derive(Clone)]
pub struct Apply<'a> {
    /// What the program wants.
    pub desired: &'a Desired,
    /// The plan that is carried out.
    pub planned: &'a Planned,
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
    pub(super) planned: &'a Planned,
    pub(super) observed: &'a Observed,
    pub(super) connections: &'a Connections,
    pub(super) ledger: Arc<dyn Ledger>,
    pub(super) settings: Settings,
    pub(super) live: Live,
    pub(super) scrub: Scrub,
    pub(super) serves: BTreeSet<Address>,
    observer: Arc<dyn Observer>,
    created: Arc<Mutex<BTreeMap<String, String>>>,
    /// When this run deleted what, by type and id.
    pub(super) ended: Mutex<BTreeMap<(String, String), tokio::time::Instant>>,
}

/// Carries out a plan.
///
/// # Errors
/// When the journal can't be written before anything was done; later failures are in [`Applied`].
pub async fn apply(work: Apply<'_>) -> Applied {
    let Apply { desired, planned, observed, connections, ledger, observer, settings } = work;
    let run = Run {
        desired,
        planned,
        observed,
        connections,
        ledger,
        live: Live::new(&planned.snapshot, observed),
        scrub: Scrub::default(),
        serves: serving(desired),
        observer,
        created: Arc::default(),
        ended: Mutex::default(),
        settings,
    };
    run.learn_secrets();
    let mut schedule = Schedule::new(&run);
    if let Err(problem) = run.begin().await {
        schedule.failures.push(problem);
    } else {
        schedule.run().await;
    }
    if let Err(problem) = run.exports(schedule.failures.is_empty() && !schedule.interrupted).await {
        schedule.failures.push(problem);
    }
    let Schedule { summary, failures, interrupted, .. } = schedule;
    Applied { snapshot: run.live.into_snapshot(), summary, failures, interrupted }
}

impl Run<'_> {
    fn learn_secrets(&self) {
        for state in self.planned.snapshot.resources.values() {
            self.scrub.learn(&state.inputs);
            self.scrub.learn(&state.outputs);
        }
    }

    /// Moves and proved identities come first: everything after them speaks of new addresses.
    async fn begin(&self) -> Result<(), Diagnostic> {
        if !self.planned.moves.is_empty() {
            self.noted(Record::Outcome { intent: None, effects: self.planned.moves.clone() }).await?;
        }
        for (kind, identity) in &self.observed.identities {
            self.identified(kind, identity).await?;
        }
        self.lookups(false).await
    }

    async fn lookups(&self, whole: bool) -> Result<(), Diagnostic> {
        match self.live.remember_lookups(whole) {
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
        self.lookups(true).await?;
        let (mut exports, mut unknown) = (BTreeMap::new(), Vec::new());
        for (name, expr) in &self.desired.exports {
            let tree = self.live.evaluate(expr);
            if tree.is_known() {
                exports.insert(name.clone(), tree);
            } else if reaches(self.desired, &self.planned.decisions, expr) {
                unknown.push(format!("`{name}` is {}", describe(expr)));
            } else if let Some(last) = self.planned.snapshot.exports.get(name) {
                exports.insert(name.clone(), last.clone());
            }
        }
        if !unknown.is_empty() {
            let problem = Diagnostic::error("an output of the stack is not known").detail(unknown.join("\n"));
            return Err(problem.hint("a function of `.map(..)` failed, or a page gave no such output"));
        }
        if exports != self.planned.snapshot.exports {
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
        let identity = self.connections.identity(&provider.kind, &provider.config).await?;
        if node.provider == ProviderKey::default_of(&provider.kind) {
            // The first use of a provider without anything in state proves its target only now.
            let recorded = self.identified(&provider.kind, &identity).await;
            recorded.map_err(|problem| {
                ProviderError::new(crate::provider::ErrorKind::Invalid { field: None }, problem.summary)
            })?;
        }
        Ok(identity.get(node.schema.scope).map(|id| (node.schema.scope.to_owned(), id.clone())))
    }

    /// The configuration that leads to an object that is about to end.
    pub(super) async fn config_for(&self, old: &ResourceState) -> ProviderResult<Value> {
        let key = self.desired.nodes.get(&old.address).map(|node| node.provider.clone());
        let default = old.provider.of.is_empty().then(|| ProviderKey::default_of(&old.provider.kind));
        let key = if old.provider.of.is_empty() { key.or(default) } else { None };
        let config = key.and_then(|key| self.live.config(self.desired, &key).ok());
        let config = config.unwrap_or_else(|| old.provider.config.clone());
        self.connections.way_to(old, config).await.map(|way| way.config)
    }

    pub(super) async fn append(&self, record: Record) -> Result<(), Diagnostic> {
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

    pub(super) fn context(&self, intent: &str, address: &Address) -> Context {
        let mark = format!("{}/{intent}", self.planned.snapshot.uuid);
        let journal = Journal { ledger: self.ledger.clone(), intent: intent.to_owned(), created: self.created.clone() };
        let progress = Words { observer: self.observer.clone(), address: address.clone() };
        Context::new(mark, Arc::new(journal), Arc::new(progress))
    }

    /// The id that a create has announced.
    pub(super) fn created_id(&self, intent: &str) -> Option<String> {
        self.created.lock().unwrap_or_else(PoisonError::into_inner).get(intent).cloned()
    }

    pub(super) fn say(&self, address: &Address, state: &str) {
        self.observer.event(&Event::StepProgress { address: address.clone(), state: self.scrub.text(state) });
    }

    async fn act(&self, address: &Address, kind: &Kind) -> Result<(), Diagnostic> {
        match kind {
            Kind::Make | Kind::Judge => {
                let (Some(node), Some(decision)) =
                    (self.desired.nodes.get(address), self.planned.decisions.get(address))
                else {
                    return Ok(());
                };
                let making = Making { run: self, node, op: &decision.op };
                if *kind == Kind::Judge {
                    self.live.judged(address, making.judge()?);
                    return Ok(());
                }
                making.make().await
            }
            Kind::End => self.end(address).await,
            Kind::EndPending(index) => self.end_pending(*index).await,
            Kind::Note => self.note(address).await,
            Kind::Read => {
                let Some(lookup) = self.desired.lookups.get(address) else { return Ok(()) };
                let config = self.live.config(self.desired, &lookup.provider)?;
                let found = look_up(self.connections, lookup, &config).await?;
                self.live.looked_up(address, found);
                self.lookups(false).await
            }
        }
    }
}

fn first(error: &crate::Error) -> Diagnostic {
    let unknown = || Diagnostic::error("the journal can't be written");
    error.diagnostics().first().cloned().unwrap_or_else(unknown)
}

/// Makes new ids durable for one intent.
struct Journal {
    ledger: Arc<dyn Ledger>,
    intent: String,
    created: Arc<Mutex<BTreeMap<String, String>>>,
}

#[async_trait]
impl Journalled for Journal {
    async fn created(&self, id: &str) -> ProviderResult<()> {
        let record = Record::Created { intent: self.intent.clone(), id: id.to_owned() };
        crate::fault::point("an id is known");
        self.created.lock().unwrap_or_else(PoisonError::into_inner).insert(self.intent.clone(), id.to_owned());
        self.ledger.append(record).await.map_err(|error| {
            ProviderError::new(
                crate::provider::ErrorKind::Invalid { field: None },
                format!("the id `{id}` can't be journalled: {error}"),
            )
        })
    }
}

/// Shows a driver's progress.
struct Words {
    observer: Arc<dyn Observer>,
    address: Address,
}

impl Progress for Words {
    fn say(&self, state: &str) {
        self.observer.event(&Event::StepProgress { address: self.address.clone(), state: state.to_owned() });
    }
}

struct Schedule<'r, 'a> {
    run: &'r Run<'a>,
    waiting: Vec<usize>,
    dependents: Vec<Vec<usize>>,
    ready: BinaryHeap<(usize, std::cmp::Reverse<usize>)>,
    left: BTreeMap<Address, usize>,
    started: BTreeMap<Address, Instant>,
    dead: BTreeSet<usize>,
    failed: BTreeSet<Address>,
    summary: Summary,
    failures: Vec<Diagnostic>,
    interrupted: bool,
}

impl<'r, 'a> Schedule<'r, 'a> {
    fn new(run: &'r Run<'a>) -> Self {
        let list = &run.planned.actions.list;
        let mut schedule = Self {
            run,
            waiting: list.iter().map(|action| action.needs.len()).collect(),
            dependents: vec![Vec::new(); list.len()],
            ready: BinaryHeap::new(),
            left: BTreeMap::new(),
            started: BTreeMap::new(),
            dead: BTreeSet::new(),
            failed: BTreeSet::new(),
            summary: Summary::default(),
            failures: Vec::new(),
            interrupted: false,
        };
        for (index, action) in list.iter().enumerate() {
            *schedule.left.entry(action.address.clone()).or_default() += 1;
            for needed in &action.needs {
                schedule.dependents[*needed].push(index);
            }
            if action.needs.is_empty() {
                schedule.ready.push((action.remaining, std::cmp::Reverse(index)));
            }
        }
        schedule
    }

    async fn run(&mut self) {
        let run = self.run;
        let mut stop = run.settings.stop.clone();
        let mut running: FuturesUnordered<BoxFuture<'r, (usize, Result<(), Diagnostic>)>> = FuturesUnordered::new();
        loop {
            let halted = self.interrupted || (run.settings.fail_fast && !self.failures.is_empty());
            while !halted && running.len() < run.settings.parallel.max(1) {
                let Some((_, std::cmp::Reverse(index))) = self.ready.pop() else { break };
                self.begin(index);
                let action = &run.planned.actions.list[index];
                running.push(Box::pin(async move { (index, run.act(&action.address, &action.kind).await) }));
            }
            if running.is_empty() {
                break;
            }
            tokio::select! {
                biased;
                Some((index, outcome)) = running.next() => self.finished(index, outcome),
                () = stopped(&mut stop), if !self.interrupted => self.interrupted = true,
            }
        }
    }

    fn op(&self, index: usize) -> Op {
        let action = &self.run.planned.actions.list[index];
        match action.kind {
            Kind::EndPending(_) => Op::Delete,
            Kind::Read => Op::Read,
            Kind::Judge | Kind::Make | Kind::End | Kind::Note => {
                let planned = || self.run.planned.decisions.get(&action.address).map(|decision| decision.op.clone());
                self.run.live.turned_out(&action.address).or_else(planned).unwrap_or(Op::Keep)
            }
        }
    }

    fn begin(&mut self, index: usize) {
        let address = self.run.planned.actions.list[index].address.clone();
        if !self.started.contains_key(&address) {
            self.started.insert(address.clone(), Instant::now());
            self.run.observer.event(&Event::StepStarted { address, op: self.op(index) });
        }
    }

    fn finished(&mut self, index: usize, outcome: Result<(), Diagnostic>) {
        let address = self.run.planned.actions.list[index].address.clone();
        if let Some(left) = self.left.get_mut(&address) {
            *left -= 1;
        }
        match outcome {
            Ok(()) => {
                for next in self.dependents[index].clone() {
                    self.waiting[next] -= 1;
                    if self.waiting[next] == 0 && !self.dead.contains(&next) {
                        self.ready.push((self.run.planned.actions.list[next].remaining, std::cmp::Reverse(next)));
                    }
                }
                if self.left.get(&address) == Some(&0) && !self.failed.contains(&address) {
                    self.ended(index, None);
                }
            }
            Err(problem) => {
                let problem = self.run.scrub.diagnostic(problem);
                self.failures.push(problem.clone());
                self.failed.insert(address);
                self.ended(index, Some(problem));
                self.skip_behind(index);
            }
        }
    }

    fn ended(&mut self, index: usize, error: Option<Diagnostic>) {
        let address = self.run.planned.actions.list[index].address.clone();
        let op = self.op(index);
        if error.is_none() {
            *self.summary.0.entry(op.name().to_owned()).or_default() += 1;
        }
        let took = self.started.get(&address).map(Instant::elapsed).unwrap_or_default();
        self.run.observer.event(&Event::StepFinished { address, op, took, error, skipped: false });
    }

    /// Only what needs the failed action is given up.
    fn skip_behind(&mut self, index: usize) {
        let mut behind = self.dependents[index].clone();
        while let Some(next) = behind.pop() {
            if !self.dead.insert(next) {
                continue;
            }
            behind.extend(self.dependents[next].iter().copied());
            let address = self.run.planned.actions.list[next].address.clone();
            if self.failed.insert(address.clone()) {
                let op = self.op(next);
                let took = std::time::Duration::ZERO;
                self.run.observer.event(&Event::StepFinished { address, op, took, error: None, skipped: true });
            }
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A closed channel means that nobody will ever stop this run.
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}
