//! What every verb begins with: where state is, which world is meant, and connections to it.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::{
    leases::{given_back, take},
    place::say_first,
    survey::{Offline, Survey, Surveyed},
};
use crate::{
    Result,
    apply::{Applied, Apply, Settings, apply},
    cli::{Context, Declared},
    desired::{Address, Desired},
    observe::{Connections, Doubt, Observed, Reading as ReadingOfObjects, Unsettled, observe_again, settle},
    plan::{Course, Planned, Step, Targets, Wanted, differs},
    report::{Diagnostic, Severity, heard},
    sandbox::Endpoint,
    state::{self, Lease, Location, OpenIntent, Reading, Record, Snapshot, World},
};

/// The flags that narrow a plan, or widen it by replacements.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Narrowing {
    target: Vec<String>,
    exclude: Vec<String>,
    replace: BTreeSet<Address>,
}

impl Narrowing {
    /// Whether nothing is narrowed.
    pub(super) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// As a plan takes it.
    ///
    /// # Errors
    /// When a glob is malformed.
    pub(super) fn wanted(&self) -> Result<Wanted> {
        Ok(Wanted { targets: Targets::new(&self.target, &self.exclude)?, replace: self.replace.clone() })
    }
}

/// A state, with what became of interrupted steps.
pub(super) struct Recovered<'s> {
    pub(super) snapshot: Cow<'s, Snapshot>,
    /// Where that is not known.
    pub(super) unsettled: Unsettled,
}

/// The surroundings of one engine verb.
pub(super) struct Session<'c> {
    pub(super) context: &'c Context,
    declared: &'c Declared,
    pub(super) location: Location,
    pub(super) world: World,
    pub(super) connections: Connections,
    /// Sandboxes that this process serves, for as long as the verb runs.
    _served: Vec<Endpoint>,
}

/// State that is being read, while the program declares what it wants. Who drops it stops the reading.
pub(super) struct Ahead(JoinSet<Result<Reading>>);

impl Ahead {
    /// Begins to read the state that a command is about.
    pub(super) fn of(context: &Context, location: Location) -> Self {
        let (world, environment) = (context.meant_world(), context.environment.clone());
        let mut task = JoinSet::new();
        task.spawn(async move { state::read(&location, world, &environment).await });
        Self(task)
    }

    async fn reading(mut self) -> Result<Reading> {
        let joined = self.0.join_next().await.expect("one task was spawned");
        joined.unwrap_or_else(|ended| std::panic::resume_unwind(ended.into_panic()))
    }
}

impl<'c> Session<'c> {
    pub(super) async fn open(context: &'c Context, declared: &'c Declared) -> Result<Self> {
        Self::at(context, declared, context.location()?).await
    }

    /// For who only looks, and needs no key to the stack's secrets.
    pub(super) async fn to_look(context: &'c Context, declared: &'c Declared) -> Result<Self> {
        Self::at(context, declared, context.location()?.to_look()).await
    }

    async fn at(context: &'c Context, declared: &'c Declared, location: Location) -> Result<Self> {
        let world = context.meant_world();
        let mut served = Vec::new();
        let mut sandboxes = BTreeMap::new();
        if context.globals.sandbox {
            state::check_world(&location, world).await?;
            context.printer.note("sandbox: nothing real is touched");
            let endpoints = crate::cli::serve(context, &declared.connectors)?;
            for connector in declared.connectors.values() {
                let Some(service) = connector.sandbox() else { continue };
                let name = service.name();
                if let Some(serving) = endpoints.iter().find(|serving| serving.service.name() == name) {
                    sandboxes.insert(connector.kind(), serving.endpoint.url.clone());
                }
            }
            served.extend(endpoints.into_iter().map(|serving| serving.endpoint));
        }
        let connections = Connections::new(declared.connectors.clone(), context.environment.clone(), sandboxes);
        Ok(Self { context, declared, location, world, connections, _served: served })
    }

    /// Reads state without taking the lease, with what an interrupted run journalled; what it left open stays open.
    pub(super) async fn read(&self) -> Result<Reading> {
        self.read_ahead(Ahead::of(self.context, self.location.clone())).await
    }

    /// As [`Self::read`], begun before.
    pub(super) async fn read_ahead(&self, ahead: Ahead) -> Result<Reading> {
        let reading = self.certain(ahead.reading().await?).await?;
        if reading.world.is_none() {
            say_first(self.context, &self.location, &self.declared.desired, false).await;
        }
        if let Some(holder) = &reading.in_progress {
            self.context.printer.note(&format!("another run is in progress: {holder}"));
        }
        self.connections.introduce(&self.declared.desired, &reading.snapshot);
        Ok(reading)
    }

    /// Why some of the stack's secrets stay sealed, where they do.
    pub(super) fn locked(&self, reading: &Reading) -> Option<String> {
        let why = reading.keys.locked().cloned().or_else(|| self.declared.locked.clone())?;
        Some(why.detail.map_or(why.summary.clone(), |detail| format!("{}: {detail}", why.summary)))
    }

    /// The reading with somebody's steps in progress only if that one lives: otherwise they were interrupted.
    pub(super) async fn certain(&self, reading: Reading) -> Result<Reading> {
        if reading.open.is_empty() || reading.in_progress.is_none() || self.context.globals.offline {
            return Ok(reading);
        }
        if self.holder_lives().await? {
            return Ok(reading);
        }
        let mut now = state::read(&self.location, self.world, &self.context.environment).await?;
        // Whoever came since is somebody else.
        now.in_progress.take_if(|holder| reading.in_progress.as_ref() == Some(holder));
        Ok(now)
    }

    /// Whether who holds the stack lives: that can take a while to be certain.
    pub(super) async fn holder_lives(&self) -> Result<bool> {
        let printer = &self.context.printer;
        let tell = |text: &str| printer.note(text);
        self.context.interrupts.unless_asked(state::lives(&self.location, &tell)).await
    }

    /// What became of interrupted steps, for a command that writes nothing.
    pub(super) async fn in_memory<'r>(&self, reading: &'r Reading) -> Recovered<'r> {
        if reading.open.is_empty() {
            return Recovered { snapshot: Cow::Borrowed(&reading.snapshot), unsettled: Unsettled::new() };
        }
        let why = match &reading.in_progress {
            Some(holder) => ("is in progress", format!("of {holder}")),
            None if self.context.globals.offline => ("was interrupted", "--offline asks nobody about it".to_owned()),
            None => return self.settled(&reading.open, reading.snapshot.clone()).await.0,
        };
        let mut unsettled = Unsettled::new();
        for open in &reading.open {
            let text = format!("a step of `{}` {}", open.intent.target.address, why.0);
            Doubt::note(&mut unsettled, open, Diagnostic::error(text).detail(why.1.clone()));
        }
        Recovered { snapshot: Cow::Borrowed(&reading.snapshot), unsettled }
    }

    /// Says of which interrupted steps it is not known what became of them.
    pub(super) fn tell(&self, unsettled: &Unsettled) {
        for doubt in unsettled.values() {
            let problem = Diagnostic { severity: Severity::Warning, ..doubt.problem.clone() };
            self.context.printer.diagnostic(&problem);
        }
    }

    /// Takes the lease; settles what an interrupted run left.
    pub(super) async fn lease(&self) -> Result<(Lease, Recovered<'static>)> {
        let lease = take(self.context, &self.location, self.world).await?;
        if lease.reading().world.is_none() {
            say_first(self.context, &self.location, &self.declared.desired, true).await;
        }
        match self.recovered(&lease).await {
            Ok(recovered) => Ok((lease, recovered)),
            Err(error) => given_back(lease, Err(error)).await,
        }
    }

    /// Settles under the lease what an interrupted run left.
    pub(super) async fn recovered(&self, lease: &Lease) -> Result<Recovered<'static>> {
        if lease.brought_home() > 0 {
            let count = lease.brought_home();
            self.context.printer.note(&format!("brought home from a run that had lost its store: {count} records"));
        }
        let Reading { snapshot, open, .. } = lease.reading();
        self.connections.introduce(&self.declared.desired, snapshot);
        let settling = async { Ok(self.settled(open, snapshot.clone()).await) };
        let (recovered, records) = self.context.interrupts.unless_asked(settling).await?;
        for record in records {
            lease.journal().append(record).await?;
        }
        Ok(recovered)
    }

    async fn settled(&self, open: &[OpenIntent], mut snapshot: Snapshot) -> (Recovered<'static>, Vec<Record>) {
        let settling = settle(open, &mut snapshot, &self.connections, self.context.now_ms());
        let settled = heard(&*self.context.printer, settling).await;
        settled.notes.iter().for_each(|note| self.context.printer.note(note));
        (Recovered { snapshot: Cow::Owned(snapshot), unsettled: settled.unsettled }, settled.records)
    }

    /// What the command line narrows a plan to.
    pub(super) fn narrowing(&self) -> Narrowing {
        let globals = &self.context.globals;
        let (target, exclude) = (globals.target.clone(), globals.exclude.clone());
        Narrowing { target, exclude, replace: globals.replace.iter().cloned().collect() }
    }

    /// Plans from a state.
    pub(super) async fn survey(
        &self,
        desired: &Desired,
        recovered: &Recovered<'_>,
        reading: &Reading,
        offline: Offline,
        wanted: &Wanted,
    ) -> Result<Surveyed> {
        let offline = if self.context.globals.offline { Offline::Asked } else { offline };
        let survey = Survey {
            desired,
            snapshot: &recovered.snapshot,
            base: reading.base.as_ref(),
            connections: &self.connections,
            wanted,
            parallel: self.context.globals.parallel,
            offline,
            elsewhere: self,
            age: reading.age(self.context.now_ms()),
            unsettled: &recovered.unsettled,
        };
        heard(&*self.context.printer, survey.run()).await
    }

    /// Losses that nobody agreed to, all at once.
    pub(super) fn unagreed_losses(&self, planned: &Planned) -> Result<()> {
        let agreed = |step: &&Step| self.context.consents(&step.address);
        let losing = planned.plan.changes().filter(|step| !step.destroys.is_empty()).filter(|step| !agreed(step));
        match losing.collect::<Vec<_>>().as_slice() {
            [] => Ok(()),
            [step] => Err(Diagnostic::error(format!("`{}` would destroy data", step.address))
                .detail(step.destroys.join("\n"))
                .hint(format!("agree with `--allow-data-loss {}`, or `--allow-data-loss all`", step.address))
                .about(&step.address)
                .into()),
            // What is lost with each stands in the plan above.
            steps => {
                let addresses: Vec<&str> = steps.iter().map(|step| step.address.as_str()).collect();
                Err(Diagnostic::error(format!("{} resources would destroy data", steps.len()))
                    .detail(addresses.join("\n"))
                    .hint("agree with `--allow-data-loss ADDRESS` for each, or `--allow-data-loss all`")
                    .into())
            }
        }
    }

    /// Reads these objects of a state as they are after a run.
    pub(super) async fn read_again(
        &self,
        desired: &Desired,
        snapshot: &Snapshot,
        only: &BTreeSet<Address>,
    ) -> Observed {
        let reading = ReadingOfObjects {
            desired,
            snapshot,
            connections: &self.connections,
            parallel: self.context.globals.parallel,
            offline: None,
            references: &BTreeMap::new(),
            age: Duration::ZERO,
            differs,
            selected: None,
        };
        heard(&*self.context.printer, observe_again(reading, only)).await
    }

    /// Carries out a plan under the lease.
    pub(super) async fn apply(
        &self,
        lease: &Lease,
        desired: &Desired,
        course: &Course,
        observed: &Observed,
    ) -> Applied {
        let settings = Settings {
            parallel: self.context.globals.parallel,
            fail_fast: self.context.globals.fail_fast,
            stop: self.context.interrupts.receiver(),
        };
        let work = Apply {
            desired,
            course,
            observed,
            connections: &self.connections,
            ledger: lease.journal(),
            observer: self.context.printer.clone(),
            settings,
        };
        apply(work).await
    }
}
