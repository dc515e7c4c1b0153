//! What a driver is given of a running step: where its new ids become durable, and where its words are shown.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;

use super::{Ledger, Scrub, held::certain, schedule::Run};
use crate::{
    desired::Address,
    provider::{Context, ErrorKind, Journalled, Mark, Progress, ProviderError, ProviderResult, known_change, owner},
    report::{Event, Observer, Silence},
    state::Record,
};

impl Run<'_> {
    pub(super) fn context(&self, intent: &str, address: &Address) -> Context {
        let mark = Mark::new(
            format!("{}/{intent}", self.course.snapshot.uuid),
            owner(&self.desired.project, &self.desired.stack, address),
        );
        let journal = Journal { ledger: self.ledger.clone(), intent: intent.to_owned(), created: self.created.clone() };
        Context::new(mark, Arc::new(journal), Arc::new(self.words(address)))
    }

    /// The id that a create has announced.
    pub(super) fn created_id(&self, intent: &str) -> Option<String> {
        self.created.lock().unwrap_or_else(PoisonError::into_inner).get(intent).cloned()
    }

    pub(super) fn say(&self, address: &Address, state: &str) {
        self.words(address).say(state);
    }

    fn words(&self, address: &Address) -> Words {
        let (observer, silence) = (self.observer.clone(), self.silence.clone());
        Words { observer, silence, scrub: self.scrub.clone(), address: address.clone() }
    }
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
        known_change();
        self.created.lock().unwrap_or_else(PoisonError::into_inner).insert(self.intent.clone(), id.to_owned());
        self.ledger.append(record).await.map_err(|error| {
            ProviderError::new(
                ErrorKind::Invalid { field: None },
                format!("the id `{id}` can't be journalled: {error}"),
            )
        })?;
        // What follows is another request of the same create.
        certain(&*self.ledger).await
    }
}

/// Shows a driver's progress.
struct Words {
    observer: Arc<dyn Observer>,
    silence: Arc<Silence>,
    scrub: Arc<Scrub>,
    address: Address,
}

impl Progress for Words {
    fn say(&self, state: &str) {
        let state = self.scrub.text(state);
        self.silence.said(&self.address, &state);
        self.observer.event(&Event::StepProgress { address: self.address.clone(), state });
    }
}
