//! Looking for what an unanswered request made, until absence can be believed.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::recognise::{Recognised, recognise, renamed};
use crate::{
    desired::Tree,
    provider::{Driver, Found, Observation, ProviderResult, Request},
    state::Intent,
};

/// How long is waited between two looks, at first.
const PAUSE: Duration = Duration::from_millis(100);

/// The pace of looks at something that the service may not show yet: what happened is seen after the type's consistency
/// window at the latest.
pub(crate) struct Looks {
    until: Instant,
    pause: Duration,
}

impl Looks {
    /// For something that happened this long ago, if it did.
    pub(crate) fn new(window: Duration, ago: Duration) -> Self {
        Self { until: Instant::now() + window.saturating_sub(ago), pause: PAUSE }
    }

    /// Waits for the next look. `false`: the last one was late enough to be believed.
    pub(crate) async fn again(&mut self) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        sleep(self.pause.min(left)).await;
        self.pause *= 2;
        true
    }
}

/// What became of a create that was not answered.
#[derive(Debug)]
pub(crate) enum Looked {
    /// It made this.
    Ours(Observation),
    /// It made nothing.
    Nobody,
    /// There are new objects, and none of them can be told to be ours.
    Strangers(Vec<Found>),
}

/// A request that was not answered, and where its effect would be seen.
pub(crate) struct Unanswered<'u> {
    pub(crate) driver: &'u dyn Driver,
    pub(crate) intent: &'u Intent,
    /// The inputs that were sent.
    pub(crate) inputs: &'u Value,
    /// How long ago it was sent.
    pub(crate) ago: Duration,
}

impl Unanswered<'_> {
    fn looks(&self) -> Looks {
        Looks::new(self.driver.schema().consistency, self.ago)
    }

    /// What a create made. `owned` tells of objects, by type and id, which the stack has already: what a service did not
    /// show before may be one of those.
    pub(crate) async fn created(
        &self,
        owned: impl Fn(&[(&str, &str)]) -> Vec<bool> + Send + Sync,
    ) -> ProviderResult<Looked> {
        let (mut looks, type_name) = (self.looks(), self.driver.schema().type_name);
        loop {
            let found = self.driver.find(self.inputs).await?;
            let objects: Vec<(&str, &str)> = found.iter().map(|found| (type_name, &*found.id)).collect();
            let known = owned(&objects);
            let new = found.into_iter().zip(known).filter(|(_, known)| !known);
            let found: Vec<Found> = new.map(|(found, _)| found).collect();
            let strangers = match recognise(self.driver.schema().identity, &found, self.intent) {
                // What is listed and can't be read is on its way in, or on its way out.
                Recognised::Ours(one) => match self.driver.read(&self.asked(&one.id)).await? {
                    Some(seen) => return Ok(Looked::Ours(seen)),
                    None => Vec::new(),
                },
                Recognised::Strangers(new) => new.into_iter().cloned().collect(),
                Recognised::Nobody => Vec::new(),
            };
            // Of several, one may be on its way out.
            if !looks.again().await {
                return Ok(if strangers.is_empty() { Looked::Nobody } else { Looked::Strangers(strangers) });
            }
        }
    }

    fn asked(&self, id: &str) -> Request {
        Request { id: id.to_owned(), inputs: Some(self.inputs.clone()), outputs: None }
    }

    /// The object with this id, once it is seen.
    pub(crate) async fn seen(&self, id: &str) -> ProviderResult<Option<Observation>> {
        let mut looks = self.looks();
        let asked = self.asked(id);
        loop {
            let seen = self.driver.read(&asked).await?;
            if seen.is_some() || !looks.again().await {
                return Ok(seen);
            }
        }
    }

    /// The object under the new key that an update gave it; `None` when it still has the old one, under which it is asked
    /// for as it was before. Somebody else's may be there by now: that one has other outputs.
    pub(crate) async fn renamed(&self, before: &Request, outputs: &Tree) -> ProviderResult<Option<Observation>> {
        let mut looks = self.looks();
        loop {
            let old = self.driver.read(before).await?;
            if old.is_none_or(|old| !old.outputs.is_alike(outputs)) {
                let found = self.driver.find(self.inputs).await?;
                if let Some(one) = renamed(&found, self.intent) {
                    return self.seen(&one.id).await;
                }
            }
            if !looks.again().await {
                return Ok(None);
            }
        }
    }
}
