//! A provider that stops to answer in the middle of a run, or whose login ends: what hangs on it waits, unsent, and the
//! cause is told once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::time::Instant;

use super::schedule::Run;
use crate::{
    desired::{ProviderKey, canonical},
    observe::BUILTIN,
    plan::Kind,
    provider::{ErrorKind, ProviderError},
    report::Diagnostic,
};

/// For so long a provider that has just proved to answer is believed to: a refusal is about what was asked.
const PROVED: Duration = Duration::from_secs(5);

/// A provider: its kind, and its configuration as text.
type Which = (String, String);

/// Providers that don't answer any more.
#[derive(Default)]
pub(super) struct Down {
    causes: Mutex<BTreeMap<Which, Cause>>,
    /// When each has proved to answer; held while one is asked.
    proved: tokio::sync::Mutex<BTreeMap<Which, Instant>>,
}

struct Cause {
    problem: Diagnostic,
    /// The actions that it sent away.
    actions: BTreeSet<usize>,
}

impl Down {
    fn causes(&self) -> MutexGuard<'_, BTreeMap<Which, Cause>> {
        self.causes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.causes().is_empty()
    }

    /// Notes that an action waits for a provider, if that is down.
    fn holds(&self, which: &Which, action: usize) -> bool {
        self.causes().get_mut(which).map(|cause| cause.actions.insert(action)).is_some()
    }

    /// What is to be told: each cause with the actions that it sent away.
    pub(super) fn told(&self) -> Vec<(Diagnostic, Vec<usize>)> {
        let told = |cause: &Cause| (cause.problem.clone(), cause.actions.iter().copied().collect());
        self.causes().values().map(told).collect()
    }
}

impl Run<'_> {
    /// Whether an action waits, since its provider is down.
    pub(super) fn is_held_up(&self, index: usize) -> bool {
        let held = !self.down.is_empty()
            && self
                .provider_of(index)
                .is_some_and(|(kind, config)| self.down.holds(&(kind, canonical(&config)), index));
        if held {
            self.send_away(index);
        }
        held
    }

    /// Takes a failure that is its provider's for what it is: the action waits, with all that hangs on the provider.
    pub(super) async fn hold_up(&self, index: usize, failure: &Diagnostic) {
        if !matches!(failure.kind, Some(ErrorKind::Denied | ErrorKind::Unavailable)) {
            return;
        }
        let Some((kind, config)) = self.provider_of(index) else { return };
        let which = (kind, canonical(&config));
        // One asks, and the others hear of it.
        let mut proved = self.down.proved.lock().await;
        if !self.down.holds(&which, index) {
            if proved.get(&which).is_some_and(|at| at.elapsed() < PROVED) {
                return;
            }
            match self.connections.answers(&which.0, &config).await {
                Err(error) if matches!(error.kind, ErrorKind::Denied | ErrorKind::Unavailable) => {
                    let cause = Cause { problem: problem(&which.0, &error), actions: [index].into() };
                    self.down.causes().insert(which, cause);
                }
                _ => {
                    proved.insert(which, Instant::now());
                    return;
                }
            }
        }
        self.send_away(index);
    }

    /// The provider that an action asks, as far as it is known by now.
    fn provider_of(&self, index: usize) -> Option<(String, Value)> {
        let action = &self.actions()[index];
        let configured = |key: &ProviderKey| Some((key.kind().to_owned(), self.live.config(self.desired, key).ok()?));
        let (kind, config) = match action.kind {
            Kind::Judge | Kind::Note => return None,
            Kind::Read => configured(&self.desired.lookups.get(&action.address)?.provider)?,
            Kind::Make | Kind::HandOver => configured(&self.desired.nodes.get(&action.address)?.provider)?,
            Kind::End | Kind::EndPending(_) => {
                let old = match action.kind {
                    Kind::EndPending(place) => self.course.snapshot.pending_deletes.get(place)?,
                    _ => self.course.snapshot.resources.get(&action.address)?,
                };
                (old.provider.kind.clone(), self.configured_for(old))
            }
        };
        (kind != BUILTIN).then_some((kind, config))
    }
}

fn problem(kind: &str, error: &ProviderError) -> Diagnostic {
    let what = match error.kind {
        ErrorKind::Denied => format!("the provider `{kind}` refuses its login"),
        _ => format!("the provider `{kind}` can't be reached any more"),
    };
    Diagnostic::of_provider(what, error)
}
