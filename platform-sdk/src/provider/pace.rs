//! The pace of calls to one service: as fast as they come until it says "slower"; then a token bucket that is learned.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

/// How long answers are counted before a rate is made of them. Refusals before that are the tail of the same burst.
const LEARNING: Duration = Duration::from_secs(1);
/// How many answers a rate is made of, at least, unless they take longer than [`LONG_ENOUGH`].
const ENOUGH: u32 = 20;
const LONG_ENOUGH: Duration = Duration::from_secs(4);
/// Fewer answers than this before the first refusal are no rate.
const FEW: u32 = 5;
/// A new rate starts a little below what was learned, so that the service's bucket is not empty any more.
const START: f64 = 0.98;
/// How much the rate grows in a second, to learn of a limit that was raised.
const GROWTH: f64 = 0.0025;
/// After this long without a refusal the growth doubles every [`DOUBLING`]: a limit that is gone is soon forgotten.
const CALM: Duration = Duration::from_secs(30);
const DOUBLING: f64 = 10.0;
/// Calls a second. Below the first nothing would ever be learned; above the second there is no limit worth keeping.
const SLOWEST: f64 = 0.5;
const FREE: f64 = 2_000.0;
/// How much of a pause may be made up for: a service's bucket fills meanwhile too.
const BURST: Duration = Duration::from_millis(500);

/// One for each service and login, since these share its limits. Calls wait for their [`turn`](Self::turn); what came of
/// them is told with [`answered`](Self::answered) and [`refused`](Self::refused).
///
/// Whenever a service that keeps a token bucket refuses, its bucket is empty. So what it answered between two refusals is
/// what flowed into the bucket meanwhile: its rate.
#[derive(Debug)]
pub struct Pace(Mutex<Learned>);

#[derive(Debug)]
struct Learned {
    /// Calls a second; `None` while nothing was refused.
    rate: Option<f64>,
    /// When the next call may leave.
    next: Instant,
    /// The last refusal that a rate was made at, or the beginning.
    since: Instant,
    /// Answers since then.
    answers: u32,
    /// When the rate last grew.
    grown: Instant,
    /// Since when everything was refused.
    refusing: Option<Instant>,
}

impl Default for Pace {
    fn default() -> Self {
        let now = Instant::now();
        Self(Mutex::new(Learned { rate: None, next: now, since: now, answers: 0, grown: now, refusing: None }))
    }
}

impl Pace {
    /// Waits until a call may leave.
    pub async fn turn(&self) {
        let turn = {
            let mut learned = self.learned();
            let Some(rate) = learned.rate else { return };
            let now = Instant::now();
            let turn = learned.next.max(now.checked_sub(BURST).unwrap_or(now));
            learned.next = turn + Duration::from_secs_f64(1.0 / rate);
            turn
        };
        sleep_until(turn).await;
    }

    /// The service answered, whatever it said.
    pub fn answered(&self) {
        let mut learned = self.learned();
        learned.answers = learned.answers.saturating_add(1);
        learned.refusing = None;
        let now = Instant::now();
        if let Some(rate) = learned.rate {
            let calm = now.saturating_duration_since(learned.since + CALM).as_secs_f64();
            let growth = GROWTH * (calm / DOUBLING).exp2();
            let grown = rate * (1.0 + growth * (now - learned.grown).as_secs_f64());
            learned.rate = (grown < FREE).then_some(grown);
        }
        learned.grown = now;
    }

    /// The service asked for fewer calls.
    pub fn refused(&self) {
        let mut learned = self.learned();
        let now = Instant::now();
        let refusing = Some(*learned.refusing.get_or_insert(now));
        let took = now - learned.since;
        let answers = f64::from(learned.answers);
        let rate = match learned.rate {
            // Nothing can be learned of so few: each call's own pause before it is repeated is enough.
            None if learned.answers < FEW => return,
            // A full bucket was emptied: it held what flows into it in about a second.
            None => answers / (took + LEARNING).as_secs_f64(),
            Some(_) if took < LEARNING || (learned.answers < ENOUGH && took < LONG_ENOUGH) => return,
            Some(_) => answers / took.as_secs_f64() * START,
        };
        tracing::debug!(rate, "the service asks for fewer calls");
        // Those who wait already have their turns.
        let next = learned.next.max(now);
        *learned =
            Learned { rate: Some(rate.clamp(SLOWEST, FREE)), next, since: now, answers: 0, grown: now, refusing };
    }

    /// For how long the service has refused everything; zero when its last answer was one.
    pub fn refusing(&self) -> Duration {
        self.learned().refusing.map(|since| since.elapsed()).unwrap_or_default()
    }

    fn learned(&self) -> MutexGuard<'_, Learned> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// A service with a bucket of so many calls a second, which holds those of one second.
    struct Service {
        rate: f64,
        bucket: Mutex<(f64, Instant)>,
    }

    impl Service {
        fn new(rate: f64) -> Self {
            Self { rate, bucket: Mutex::new((rate, Instant::now())) }
        }

        fn answers(&self) -> bool {
            let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let filled = bucket.0 + (now - bucket.1).as_secs_f64() * self.rate;
            let answers = filled.min(self.rate) >= 1.0;
            *bucket = (filled.min(self.rate) - f64::from(u8::from(answers)), now);
            answers
        }
    }

    /// Sixteen callers that never rest: how many calls were answered and refused in 60 s, after 20 s of learning.
    async fn watched(rate: f64) -> (u32, u32) {
        let (pace, service) = (Arc::new(Pace::default()), Arc::new(Service::new(rate)));
        let counts = Arc::new(Mutex::new((0, 0)));
        let (from, to) = (Instant::now() + Duration::from_secs(20), Instant::now() + Duration::from_secs(80));
        let callers: Vec<_> = (0..16)
            .map(|_| {
                let (pace, service, counts) = (pace.clone(), service.clone(), counts.clone());
                tokio::spawn(async move {
                    while Instant::now() < to {
                        pace.turn().await;
                        let (at, answers) = (Instant::now(), service.answers());
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        if answers {
                            pace.answered();
                        } else {
                            pace.refused();
                        }
                        if (from..to).contains(&at) {
                            let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
                            if answers { counts.0 += 1 } else { counts.1 += 1 }
                        }
                        if !answers {
                            tokio::time::sleep(Duration::from_millis(500)).await;
                        }
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.expect("a caller ends");
        }
        let counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_is_used_to_the_full_and_hardly_ever_met() {
        for rate in [5.0, 20.0, 100.0] {
            let (answered, refused) = watched(rate).await;
            assert!(f64::from(answered) >= 0.95 * rate * 60.0, "{rate} a second: {answered} answered in 60 s");
            let share = f64::from(refused) / f64::from(answered + refused);
            assert!(share < 0.05, "{rate} a second: {refused} refused of {}", answered + refused);
        }
    }

    async fn time_of(pace: &Pace, calls: u32) -> Duration {
        let start = Instant::now();
        for _ in 0..calls {
            pace.turn().await;
        }
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_waits_until_the_service_refuses() {
        let pace = Pace::default();
        pace.answered();
        assert_eq!(time_of(&pace, 1_000).await, Duration::ZERO);
        pace.refused();
        assert_eq!(time_of(&pace, 100).await, Duration::ZERO, "one answer says nothing of a rate");
        (1..FEW).for_each(|_| pace.answered());
        for _ in 0..16 {
            pace.refused();
        }
        assert!(time_of(&pace, 100).await > Duration::from_secs(5), "five answers in a second are no fast service");
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_is_gone_is_forgotten() {
        let pace = Pace::default();
        pace.refused();
        for _ in 0..200 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            pace.answered();
        }
        assert_eq!(time_of(&pace, 1_000).await, Duration::ZERO);
    }
}
