//! Silence: what runs for longer than ten seconds says what it waits for, and nothing is silent for longer than that.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::{Event, Observer};
use crate::{
    desired::Address,
    provider::{Waits, listening},
};

/// How long nothing need be said.
const BEARABLE: Duration = Duration::from_secs(10);

/// What is over sooner was no wait.
const NOTABLE: Duration = Duration::from_millis(100);

/// What runs, and what is known of why it takes long.
#[derive(Default)]
pub(crate) struct Silence {
    running: Mutex<Running>,
    changed: Notify,
}

#[derive(Default)]
struct Running {
    /// By resource; `None` is what is about no single one.
    works: BTreeMap<Option<Address>, Work>,
    waits: u64,
}

struct Work {
    /// It was said to have begun; what is only prepared is heard of where it waits.
    begun: bool,
    began: Instant,
    /// When it was last heard of.
    told: Instant,
    /// The service's words for its state.
    words: Option<String>,
    reasons: Vec<Reason>,
    /// The last wait that is over, and when it was: the try after it may be the next that is refused.
    past: Option<(String, Instant)>,
}

struct Reason {
    wait: u64,
    text: String,
    since: Instant,
    told: bool,
}

impl Work {
    fn new(begun: bool) -> Self {
        Self { begun, began: Instant::now(), told: Instant::now(), words: None, reasons: Vec::new(), past: None }
    }

    /// When it is to be heard of next: a reason that was not told before comes with its tenth second.
    fn due(&self) -> Option<Instant> {
        if !self.begun && self.reasons.is_empty() {
            return None;
        }
        let new = self.reasons.last().filter(|reason| !reason.told).map(|reason| reason.since);
        Some(new.map_or(self.told, |since| since.min(self.told)) + BEARABLE)
    }
}

impl Silence {
    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A work begins; that is said by whoever begins it.
    pub(crate) fn began(&self, of: Option<&Address>) {
        self.running().works.entry(of.cloned()).or_insert_with(|| Work::new(true)).begun = true;
        self.changed.notify_one();
    }

    /// A work is over.
    pub(crate) fn ended(&self, of: Option<&Address>) {
        self.running().works.remove(&of.cloned());
    }

    /// The service's words were just shown.
    pub(crate) fn said(&self, of: &Address, words: &str) {
        if let Some(work) = self.running().works.get_mut(&Some(of.clone())) {
            (work.told, work.words) = (Instant::now(), Some(words.to_owned()));
        }
    }

    /// Waits until something is to be said, and gives that.
    pub(crate) async fn due(&self) -> Event {
        loop {
            let next = self.running().works.values().filter_map(Work::due).min();
            if let Some(event) = next.filter(|next| *next <= Instant::now()).and_then(|_| self.take()) {
                return event;
            }
            let until = async {
                match next {
                    Some(next) => sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = until => {}
                () = self.changed.notified() => {}
            }
        }
    }

    /// What is due first.
    fn take(&self) -> Option<Event> {
        let running = &mut *self.running();
        let (address, work) =
            running.works.iter_mut().filter(|(_, work)| work.due().is_some()).min_by_key(|(_, work)| work.due())?;
        work.told = Instant::now();
        let now = work.reasons.last_mut().map(|reason| {
            reason.told = true;
            reason.text.clone()
        });
        let past = || work.past.as_ref().filter(|(_, over)| over.elapsed() < BEARABLE).map(|(text, _)| text.clone());
        let reason = now.or_else(past).or_else(|| work.words.clone()).unwrap_or_else(|| "no answer yet".to_owned());
        Some(Event::Waiting { address: address.clone(), reason, waited: work.began.elapsed() })
    }

    /// Whom the calls of a work tell what they wait for.
    pub(crate) fn listener(
        self: &Arc<Self>,
        of: Option<Address>,
        scrub: Arc<dyn Fn(&str) -> String + Send + Sync>,
    ) -> Arc<dyn Waits> {
        Arc::new(Listener { silence: self.clone(), of, scrub })
    }
}

struct Listener {
    silence: Arc<Silence>,
    of: Option<Address>,
    scrub: Arc<dyn Fn(&str) -> String + Send + Sync>,
}

impl Waits for Listener {
    fn begin(&self, reason: &str) -> u64 {
        let text = (self.scrub)(reason);
        let running = &mut *self.silence.running();
        running.waits += 1;
        let wait = running.waits;
        let work = running.works.entry(self.of.clone()).or_insert_with(|| Work::new(false));
        work.reasons.push(Reason { wait, text, since: Instant::now(), told: false });
        self.silence.changed.notify_one();
        wait
    }

    fn over(&self, wait: u64) {
        if let Some(work) = self.silence.running().works.get_mut(&self.of) {
            let past = work.reasons.iter().position(|reason| reason.wait == wait).map(|at| work.reasons.remove(at));
            // A turn that comes at once is no wait.
            let past = past.filter(|reason| reason.since.elapsed() >= NOTABLE);
            work.past = past.map(|reason| (reason.text, Instant::now())).or(work.past.take());
        }
    }
}

/// Does a work that is about no single resource, and says what it waits for.
pub(crate) async fn heard<T>(observer: &dyn Observer, work: impl Future<Output = T>) -> T {
    let silence = Arc::new(Silence::default());
    silence.began(None);
    let listener = silence.listener(None, Arc::new(str::to_owned));
    let mut working = Box::pin(listening(listener, work));
    loop {
        tokio::select! {
            biased;
            done = &mut working => return done,
            event = silence.due() => observer.event(&event),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;
    use crate::provider::waiting;

    #[derive(Default)]
    struct Said(Mutex<Vec<(u64, String)>>);

    impl Observer for Said {
        fn event(&self, event: &Event) {
            if let Event::Waiting { reason, waited, .. } = event {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).push((waited.as_secs(), reason.clone()));
            }
        }
    }

    async fn said(work: impl Future<Output = ()>) -> Vec<(u64, String)> {
        let said = Said::default();
        heard(&said, work).await;
        said.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn at(seconds: u64, reason: &str) -> (u64, String) {
        (seconds, reason.to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn what_takes_no_ten_seconds_says_nothing() {
        assert_eq!(said(waiting("too many", sleep(Duration::from_secs(9)))).await, []);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_says_its_reason_every_ten_seconds() {
        let told = said(waiting("too many", sleep(Duration::from_secs(35)))).await;
        assert_eq!(told, [at(10, "too many"), at(20, "too many"), at(30, "too many")]);
    }

    #[tokio::test(start_paused = true)]
    async fn many_short_waits_in_a_row_are_one_long_one() {
        let told = said(async {
            for _ in 0..15 {
                waiting("not there yet", sleep(Duration::from_secs(1))).await;
            }
        });
        assert_eq!(told.await, [at(10, "not there yet")]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_says_nothing_of_itself_is_not_silent_either() {
        assert_eq!(said(sleep(Duration::from_secs(15))).await, [at(10, "no answer yet")]);
    }
}
