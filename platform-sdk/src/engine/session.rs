//! What every verb begins with: where state is, which world is meant, and connections to it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    mend::{given_back, take},
    survey::{Offline, Survey, Surveyed},
};
use crate::{
    Result,
    apply::{Applied, Apply, Settings, apply},
    cli::{Context, Declared},
    desired::{Address, Desired},
    observe::{Connections, Unsettled, settle},
    plan::{Planned, Step, Targets, Wanted},
    report::{Diagnostic, Error, Observer},
    sandbox::Endpoint,
    state::{self, Keys, Lease, Location, OpenIntent, Reading, Record, Snapshot, World},
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
pub(super) struct Recovered {
    pub(super) snapshot: Snapshot,
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

impl<'c> Session<'c> {
    pub(super) async fn open(context: &'c Context, declared: &'c Declared) -> Result<Self> {
        let location = context.location()?;
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

    /// Reads state without taking the lease; what an interrupted run left is settled in memory.
    pub(super) async fn read(&self) -> Result<Reading> {
        let reading = state::read(&self.location, self.world, &self.context.environment).await?;
        if let Some(holder) = &reading.in_progress {
            self.context.printer.note(&format!("another run is in progress: {holder}"));
        }
        self.connections.introduce(&self.declared.desired, &reading.snapshot);
        Ok(reading)
    }

    /// What became of interrupted steps, for a command that writes nothing.
    pub(super) async fn in_memory(&self, reading: &Reading) -> Recovered {
        let snapshot = reading.snapshot.clone();
        let why = match &reading.in_progress {
            Some(holder) => Some(format!("a step is in progress, of {holder}")),
            None if self.context.globals.offline => Some("a run was interrupted, and --offline asks nobody".to_owned()),
            None => None,
        };
        let Some(why) = why else { return self.settled(&reading.open, snapshot).await.0 };
        let open = reading.open.iter().map(|open| &open.intent.target.address);
        let unsettled = open.map(|address| {
            let text = format!("what becomes of `{address}` is not known");
            (address.clone(), Diagnostic::error(text).detail(why.clone()).about(address))
        });
        Recovered { unsettled: unsettled.collect(), snapshot }
    }

    /// Takes the lease; settles what an interrupted run left.
    pub(super) async fn lease(&self) -> Result<(Lease, Recovered)> {
        let lease = take(self.context, &self.location, self.world).await?;
        match self.recovered(&lease).await {
            Ok(recovered) => Ok((lease, recovered)),
            Err(error) => given_back(lease, Err(error)).await,
        }
    }

    async fn recovered(&self, lease: &Lease) -> Result<Recovered> {
        let Reading { snapshot, open, .. } = lease.reading();
        self.connections.introduce(&self.declared.desired, snapshot);
        let settling = async { Ok(self.settled(open, snapshot.clone()).await) };
        let (recovered, records) = self.context.interrupts.unless_asked(settling).await?;
        for record in records {
            lease.journal().append(record).await?;
        }
        Ok(recovered)
    }

    async fn settled(&self, open: &[OpenIntent], mut snapshot: Snapshot) -> (Recovered, Vec<Record>) {
        let settled = settle(open, &mut snapshot, &self.connections, self.context.now_ms()).await;
        settled.notes.iter().for_each(|note| self.context.printer.note(note));
        (Recovered { snapshot, unsettled: settled.unsettled }, settled.records)
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
        recovered: &Recovered,
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
        survey.run().await
    }

    /// Losses that nobody agreed to, all at once.
    pub(super) fn unagreed_losses(&self, planned: &Planned) -> Result<()> {
        let agreed = |step: &&Step| self.context.consents(&step.address);
        let losing = planned.plan.changes().filter(|step| !step.destroys.is_empty()).filter(|step| !agreed(step));
        let problems: Vec<Diagnostic> = losing
            .map(|step| {
                Diagnostic::error(format!("`{}` would destroy data", step.address))
                    .detail(step.destroys.join("\n"))
                    .hint(format!("agree with `--allow-data-loss {}`, or `--allow-data-loss all`", step.address))
                    .about(&step.address)
            })
            .collect();
        if problems.is_empty() { Ok(()) } else { Err(Error::all(problems)) }
    }

    /// Carries out a plan under the lease.
    pub(super) async fn apply(&self, lease: &Lease, desired: &Desired, surveyed: &Surveyed) -> Applied {
        let observer: Arc<dyn Observer> = self.context.printer.clone();
        let settings = Settings {
            parallel: self.context.globals.parallel,
            fail_fast: self.context.globals.fail_fast,
            keyed: keyed(lease.reading().keys.clone()),
            stop: self.context.interrupts.receiver(),
        };
        let work = Apply {
            desired,
            planned: &surveyed.planned,
            observed: &surveyed.observed,
            connections: &self.connections,
            ledger: lease.journal(),
            observer,
            settings,
        };
        apply(work).await
    }
}

/// How secrets enter hashes.
fn keyed(keys: Keys) -> Arc<dyn Fn(&Value) -> String + Send + Sync> {
    Arc::new(move |value| keys.hmac(value))
}
