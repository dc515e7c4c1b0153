//! What every verb begins with: where state is, which world is meant, and connections to it.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::survey::{Offline, Survey, Surveyed};
use crate::{
    Result,
    apply::{Applied, Apply, Settings, apply},
    cli::Context,
    desired::Desired,
    observe::{Connections, settle},
    plan::{Planned, Step, Targets, Wanted},
    report::{Diagnostic, Error, Observer},
    sandbox::Endpoint,
    state::{self, Keys, Lease, Location, Reading, Snapshot, World},
};

/// The surroundings of one engine verb.
pub(super) struct Session<'c> {
    pub(super) context: &'c Context,
    pub(super) location: Location,
    pub(super) world: World,
    pub(super) connections: Connections,
    /// Sandboxes that this process serves, for as long as the verb runs.
    _served: Vec<Endpoint>,
}

impl<'c> Session<'c> {
    pub(super) fn open(context: &'c Context) -> Result<Self> {
        let location = context.location()?;
        let world = if context.globals.sandbox { World::Sandbox } else { World::Real };
        let mut served = Vec::new();
        let mut sandboxes = BTreeMap::new();
        if context.globals.sandbox {
            context.printer.note("sandbox: nothing real is touched");
            let endpoints = crate::cli::serve(context)?;
            for (kind, connector) in &context.program.connectors {
                let Some(service) = connector.sandbox() else { continue };
                let name = service.name();
                if let Some(serving) = endpoints.iter().find(|serving| serving.service.name() == name) {
                    sandboxes.insert(*kind, serving.endpoint.url.clone());
                }
            }
            served.extend(endpoints.into_iter().map(|serving| serving.endpoint));
        }
        let connections = Connections::new(context.program.connectors.clone(), context.environment.clone(), sandboxes);
        Ok(Self { context, location, world, connections, _served: served })
    }

    /// Reads state without taking the lease; what an interrupted run left is settled in memory.
    pub(super) async fn read(&self) -> Result<Reading> {
        let reading = state::read(&self.location, self.world, &self.context.environment).await?;
        if let Some(holder) = &reading.in_progress {
            self.context.printer.note(&format!("another run is in progress: {holder}"));
        }
        Ok(reading)
    }

    /// Takes the lease; settles what an interrupted run left.
    pub(super) async fn lease(&self) -> Result<(Lease, Snapshot)> {
        let printer = self.context.printer.clone();
        let holder = state::Holder::here(&self.context.environment).with_commit(super::stored::commit());
        let holder = holder.when_waiting(move |text| printer.note(text));
        let lease = state::lease(&self.location, self.world, &self.context.environment, &holder).await?;
        if lease.brought_home() > 0 {
            let count = lease.brought_home();
            self.context.printer.note(&format!("brought home from a run that had lost its store: {count} records"));
        }
        let mut snapshot = lease.reading().snapshot.clone();
        let open = lease.reading().open.clone();
        if !open.is_empty() {
            let settled = settle(&open, &mut snapshot, &self.connections).await;
            for note in &settled.notes {
                self.context.printer.note(note);
            }
            for record in settled.records {
                lease.journal().append(record).await?;
            }
            if !settled.problems.is_empty() {
                lease.release().await?;
                return Err(Error::all(settled.problems));
            }
        }
        Ok((lease, snapshot))
    }

    pub(super) fn wanted(&self) -> Result<Wanted> {
        let globals = &self.context.globals;
        let targets = Targets::new(&globals.target, &globals.exclude)?;
        Ok(Wanted { targets, replace: globals.replace.iter().cloned().collect() })
    }

    /// Plans from a state.
    pub(super) async fn survey(
        &self,
        desired: &Desired,
        snapshot: &Snapshot,
        reading: &Reading,
        offline: Offline,
    ) -> Result<Surveyed> {
        let offline = if self.context.globals.offline { Offline::Asked } else { offline };
        let wanted = self.wanted()?;
        let survey = Survey {
            desired,
            snapshot,
            base: reading.base.as_ref(),
            connections: &self.connections,
            wanted: &wanted,
            parallel: self.context.globals.parallel,
            offline,
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
            stop: super::signals::stop_on_interrupt(self.context),
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
