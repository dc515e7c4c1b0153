//! The harness: whole lifecycles of a program in memory, one verb a call.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use tokio::{runtime::Runtime, sync::watch};

use crate::{
    Program, Result,
    apply::{Applied, Apply, Ledger as _, Memory, Settings, apply},
    desired::{Desired, Tree, desired},
    engine::{Elsewhere, Offline, Survey, Surveyed},
    observe::{Connections, Unsettled, settle},
    plan::{Op, Plan, Step, Targets, Wanted},
    program::{ReferredStack, Unsealing},
    report::{Diagnostic, Error, Event, Observer},
    state::{Exports, OpenIntent, Record, Snapshot},
};

/// The plan of a program over an empty state and without a network, as text: the same bytes on any machine.
///
/// # Errors
/// Those of the program.
#[expect(clippy::needless_pass_by_value, reason = "reads as `plan(prod::program())`")]
pub fn plan(program: Program) -> Result<String> {
    let harness = Harness::new();
    // Over an empty state there is nothing that could have been read.
    let plan = Plan { offline: None, ..harness.plan_offline(&program)? };
    Ok(crate::report::plan_text(&plan))
}

/// What one run did.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its plan.
    pub plan: Plan,
    /// Its failures.
    pub failures: Vec<Diagnostic>,
    /// Everything that was reported.
    pub events: Vec<Event>,
}

impl Run {
    /// The steps that did something, as `op address`.
    pub fn steps(&self) -> Vec<String> {
        self.plan.changes().map(|step| format!("{} {}", step.op.name(), step.address)).collect()
    }

    /// The step at an address.
    pub fn step(&self, address: &str) -> Option<&Step> {
        self.plan.steps.iter().find(|step| step.address.as_str() == address && step.op != Op::Keep)
    }
}

/// A program's state in memory, against whatever providers it lists.
#[derive(Default)]
pub struct Harness {
    snapshot: Mutex<Snapshot>,
    open: Mutex<Vec<OpenIntent>>,
    environment: BTreeMap<String, String>,
    wanted: Mutex<Wanted>,
    /// The outputs of other stacks.
    elsewhere: BTreeMap<String, BTreeMap<String, Tree>>,
    parallel: Option<usize>,
    runtime: Option<Box<dyn Fn() -> std::io::Result<Runtime> + Send + Sync>>,
}

/// The outputs of other stacks, as a test gives them.
struct Given<'h> {
    stacks: &'h BTreeMap<String, BTreeMap<String, Tree>>,
    /// Whether what nobody gave is an error; otherwise it stays unknown.
    strict: bool,
}

#[async_trait(?Send)]
impl Elsewhere for Given<'_> {
    async fn outputs(&self, of: &ReferredStack) -> Result<Option<Exports>> {
        match self.stacks.get(&of.stack) {
            Some(outputs) => Ok(Some(Exports { names: outputs.keys().cloned().collect(), values: outputs.clone() })),
            None if self.strict => Err(Diagnostic::error(format!("nobody gave the outputs of stack `{}`", of.stack))
                .hint("give them with `Harness::with_outputs_of`")
                .into()),
            None => Ok(None),
        }
    }
}

#[derive(Default)]
struct Events(Mutex<Vec<Event>>);

impl Observer for Events {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
    }
}

impl Harness {
    /// An empty state.
    pub fn new() -> Self {
        let harness = Self::default();
        harness.set(Snapshot { uuid: "00000000-0000-4000-8000-000000000000".to_owned(), ..Snapshot::default() });
        harness
    }

    /// With an environment variable.
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With another stack, which exports these values; `Tree::Secret` for those that are secret there.
    pub fn with_outputs_of<N: Into<String>, V: Into<Tree>>(
        mut self,
        stack: &str,
        outputs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let outputs = outputs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        self.elsewhere.insert(stack.to_owned(), outputs);
        self
    }

    /// With another number of slots than four.
    pub fn with_parallel(mut self, parallel: usize) -> Self {
        self.parallel = Some(parallel);
        self
    }

    /// With runtimes that this makes: one with a paused clock, for runs in virtual time.
    pub fn with_runtime(mut self, runtime: impl Fn() -> std::io::Result<Runtime> + Send + Sync + 'static) -> Self {
        self.runtime = Some(Box::new(runtime));
        self
    }

    fn slots(&self) -> usize {
        self.parallel.unwrap_or(4)
    }

    /// What the stack owns.
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes on from another state, as when an older version of the program has left it.
    pub fn restore(&self, snapshot: Snapshot) {
        self.set(snapshot);
    }

    /// Narrows the following runs to these targets and replacements.
    ///
    /// # Errors
    /// When a glob or an address is malformed.
    pub fn want(&self, targets: &[&str], exclude: &[&str], replace: &[&str]) -> Result<()> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let replace = replace.iter().map(|text| text.parse()).collect::<Result<_, Diagnostic>>()?;
        let wanted = Wanted { targets: Targets::new(&owned(targets), &owned(exclude))?, replace };
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = wanted;
        Ok(())
    }

    fn set(&self, snapshot: Snapshot) {
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = snapshot;
    }

    fn block_on<T>(&self, future: impl Future<Output = T>) -> Result<T> {
        let usual = || tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = self.runtime.as_ref().map_or_else(usual, |runtime| runtime())?;
        Ok(runtime.block_on(future))
    }

    /// The program's graph, and the way to its providers.
    fn declared(&self, program: &Program) -> Result<(Desired, Connections)> {
        let recorder = program.record(&program.default_stack, &self.environment, Unsealing::Needed)?.recorder;
        let connections = Connections::new(recorder.connectors(), self.environment.clone(), BTreeMap::new());
        let desired = desired(&program.project, &program.default_stack, recorder)?;
        connections.introduce(&desired, &self.snapshot());
        Ok((desired, connections))
    }

    async fn survey(
        &self,
        desired: &Desired,
        connections: &Connections,
        offline: Offline,
        unsettled: &Unsettled,
    ) -> Result<Surveyed> {
        let snapshot = self.snapshot();
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let survey = Survey {
            desired,
            snapshot: &snapshot,
            base: None,
            connections,
            wanted: &wanted,
            parallel: self.slots(),
            offline,
            elsewhere: &Given { stacks: &self.elsewhere, strict: offline != Offline::Asked },
            age: std::time::Duration::ZERO,
            unsettled,
        };
        survey.run().await
    }

    /// Plans, reading reality.
    ///
    /// # Errors
    /// Those of the program and of planning.
    pub fn plan(&self, program: &Program) -> Result<Plan> {
        let (desired, connections) = self.declared(program)?;
        Ok(Arc::unwrap_or_clone(
            self.block_on(self.survey(&desired, &connections, Offline::Never, &Unsettled::new()))??.planned.plan,
        ))
    }

    /// Plans without reading reality.
    ///
    /// # Errors
    /// Those of the program and of planning.
    pub fn plan_offline(&self, program: &Program) -> Result<Plan> {
        let (desired, connections) = self.declared(program)?;
        Ok(Arc::unwrap_or_clone(
            self.block_on(self.survey(&desired, &connections, Offline::Asked, &Unsettled::new()))??.planned.plan,
        ))
    }

    /// Plans and applies.
    ///
    /// # Errors
    /// Those of the program and of planning; failures of steps are in [`Run::failures`].
    pub fn up(&self, program: &Program) -> Result<Run> {
        let (desired, connections) = self.declared(program)?;
        self.apply(&desired, &connections)
    }

    /// Deletes everything that the stack owns.
    ///
    /// # Errors
    /// As for `up`.
    pub fn destroy(&self, program: &Program) -> Result<Run> {
        let (desired, connections) = self.declared(program)?;
        self.apply(&desired.nothing(), &connections)
    }

    /// Brings back the inputs of an earlier snapshot.
    ///
    /// # Errors
    /// As for `up`.
    pub fn rollback(&self, program: &Program, to: &Snapshot) -> Result<Run> {
        let (desired, connections) = self.declared(program)?;
        let desired = desired.of_snapshot(to, &self.snapshot(), &connections.schemas())?;
        self.apply(&desired, &connections)
    }

    fn apply(&self, desired: &Desired, connections: &Connections) -> Result<Run> {
        let events = Arc::new(Events::default());
        let ledger = Arc::new(Memory::default());
        let run = async {
            let unsettled = self.settle(connections).await;
            let survey = self.survey(desired, connections, Offline::Never, &unsettled);
            let Surveyed { planned, observed } = survey.await?;
            let (plan, course) = (Plan::clone(&planned.plan), planned.told());
            let (_stop, stopped) = watch::channel(false);
            let settings = Settings { parallel: self.slots(), fail_fast: false, stop: stopped };
            let work = Apply {
                desired,
                course: &course,
                observed: &observed,
                connections,
                ledger: ledger.clone(),
                observer: events.clone(),
                settings,
            };
            Ok::<_, Error>((apply(work).await, plan))
        };
        let (Applied { snapshot, failures, .. }, plan) = self.block_on(run)??;
        self.set(snapshot);
        self.open.lock().unwrap_or_else(PoisonError::into_inner).extend(open(&ledger.records()));
        let events = events.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Run { plan, failures, events })
    }

    /// What could not be settled stays open.
    async fn settle(&self, connections: &Connections) -> Unsettled {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut snapshot = self.snapshot();
        let settled = settle(&open, &mut snapshot, connections, Memory::default().now_ms()).await;
        self.set(snapshot);
        let closed = |open: &OpenIntent| {
            settled.records.iter().any(
                |record| matches!(record, Record::Outcome { intent: Some(intent), .. } if *intent == open.intent.id),
            )
        };
        self.open.lock().unwrap_or_else(PoisonError::into_inner).retain(|open| !closed(open));
        settled.unsettled
    }
}

/// The intents that records leave open.
fn open(records: &[Record]) -> Vec<OpenIntent> {
    let mut open: Vec<OpenIntent> = Vec::new();
    for record in records {
        match record {
            Record::Intent(intent) => open.push(OpenIntent { intent: (**intent).clone(), created: None }),
            Record::Created { intent, id } => {
                if let Some(open) = open.iter_mut().find(|open| open.intent.id == *intent) {
                    open.created = Some(id.clone());
                }
            }
            Record::Outcome { intent: Some(intent), .. } => open.retain(|open| open.intent.id != *intent),
            Record::Outcome { intent: None, .. } | Record::Identity(..) | Record::Exports(_) | Record::Lookups(_) => {}
        }
    }
    open
}
