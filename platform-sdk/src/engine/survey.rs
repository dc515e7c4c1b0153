//! Surveying: from a program and a snapshot to a plan, reading reality in between.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use std::collections::BTreeMap;

use super::references::{Elsewhere, referred};
use crate::{
    Result,
    desired::{Address, Desired, Hash, Tree, former_names, migrated},
    observe::{Connections, Observed, Reading, Unsettled, callers, contents, observe},
    plan::{Planned, Wanted, access_changes, differs, entangled, locked_out, moved, plan, readdressing, unmoved},
    provider::ErrorKind,
    report::{Diagnostic, Severity},
    state::Snapshot,
};

/// Whether reality is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offline {
    /// It is not: the user said so.
    Asked,
    /// It is, or not when there are no credentials.
    WithoutCredentials,
    /// It must be.
    Never,
}

/// What a survey is made of.
#[derive(Clone, Copy)]
pub(crate) struct Survey<'a> {
    pub(crate) desired: &'a Desired,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) base: Option<&'a Hash>,
    pub(crate) connections: &'a Connections,
    pub(crate) wanted: &'a Wanted,
    pub(crate) parallel: usize,
    pub(crate) offline: Offline,
    pub(crate) elsewhere: &'a dyn Elsewhere,
    /// How long ago at least what state says was done.
    pub(crate) age: Duration,
    /// What of interrupted steps is not known.
    pub(crate) unsettled: &'a Unsettled,
}

/// A plan, and what was read for it.
pub(crate) struct Surveyed {
    pub(crate) planned: Planned,
    pub(crate) observed: Observed,
}

impl Survey<'_> {
    /// Reads reality and plans.
    pub(crate) async fn run(self) -> Result<Surveyed> {
        let schemas = self.connections.schemas();
        let current = migrated(self.snapshot, &schemas)?;
        let names = former_names(self.snapshot, &schemas);
        let references = referred(self.desired, self.elsewhere).await?;
        let survey = Survey { snapshot: &current, ..self };
        let mut surveyed = if self.unsettled.is_empty() {
            survey.of_current(&references).await?
        } else {
            // An interrupted step is about an address: nothing moves there until it is known what became of it.
            let mut unsettled = Unsettled::new();
            for (address, doubt) in self.unsettled {
                let address = names.get(address).unwrap_or(address);
                unsettled.insert(address.clone(), doubt.clone());
                for entangled in entangled(self.desired, address) {
                    unsettled.entry(entangled).or_insert_with(|| doubt.clone());
                }
            }
            let desired = unmoved(self.desired, &unsettled);
            Survey { desired: &desired, unsettled: &unsettled, ..survey }.of_current(&references).await?
        };
        // State learns its types' names of today before everything that speaks of them.
        surveyed.planned.course.moves.splice(0..0, readdressing(self.snapshot, &names));
        Ok(surveyed)
    }

    async fn of_current(self, references: &BTreeMap<Address, Tree>) -> Result<Surveyed> {
        let (snapshot, _) = moved(self.desired, self.snapshot)?;
        let selected = self.wanted.targets.reach(self.desired, &snapshot);
        let reading = Reading {
            desired: self.desired,
            snapshot: &snapshot,
            connections: self.connections,
            parallel: self.parallel,
            offline: None,
            references,
            age: self.age,
            differs,
            selected: selected.as_ref(),
        };
        let offline = self.offline_reason(reading)?;
        let reading = Reading { offline: offline.as_deref(), ..reading };
        let mut observed = observe(reading).await?;
        for (address, doubt) in self.unsettled {
            observed.doubt(address, doubt);
        }
        // What lives in objects that end can be asked for only once it is known which ones end.
        let first = self.plan(&observed);
        let ending = first.as_ref().map(ending).unwrap_or_default();
        if offline.is_none() && !ending.is_empty() {
            contents(reading, &ending, &mut observed).await;
        }
        let mut planned = if observed.contents.is_empty() { first? } else { self.plan(&observed)? };
        Arc::make_mut(&mut planned.plan).warnings.extend(observed.told().iter().map(left_alone));
        let changes = access_changes(&planned.course, &self.connections.schemas());
        if offline.is_none() && !changes.is_empty() {
            let callers = callers(reading, changes.iter().map(|change| &change.address)).await;
            Arc::make_mut(&mut planned.plan).warnings.extend(locked_out(&changes, &callers));
        }
        Ok(Surveyed { planned, observed })
    }

    fn plan(&self, observed: &Observed) -> Result<Planned> {
        let schemas = self.connections.schemas();
        // A large program takes about as long to hash as to decide upon.
        std::thread::scope(|scope| {
            scope.spawn(|| self.desired.hash());
            plan(self.desired, self.snapshot, self.base.cloned(), observed, &schemas, self.wanted)
        })
    }

    fn offline_reason(&self, reading: Reading<'_>) -> Result<Option<String>> {
        if self.offline == Offline::Asked {
            return Ok(Some("asked for with --offline".to_owned()));
        }
        if !reading.needs_providers() {
            return Ok(None);
        }
        match reading.check_credentials() {
            Ok(()) => Ok(None),
            Err(error) if self.offline == Offline::WithoutCredentials && error.kind == ErrorKind::Denied => {
                let hint = error.hint.map(|hint| format!("\n  hint: {hint}"));
                Ok(Some(format!("{}{}", error.message, hint.unwrap_or_default())))
            }
            Err(error) => Err(Diagnostic::of_provider("cannot log in", &error).into()),
        }
    }
}

/// What is held back, as a warning: what happens meanwhile, and what there is to do about it.
fn left_alone(problem: &Diagnostic) -> Diagnostic {
    let meanwhile = "it is left alone, and so is what depends on it";
    let hint = match &problem.hint {
        Some(hint) => format!("{meanwhile}; {hint}"),
        None => meanwhile.to_owned(),
    };
    Diagnostic { severity: Severity::Warning, ..problem.clone() }.hint(hint)
}

fn ending(planned: &Planned) -> BTreeSet<Address> {
    let ends = planned.course.decisions.iter().filter(|(_, decision)| decision.ends_object());
    ends.map(|(address, _)| address.clone()).collect()
}
