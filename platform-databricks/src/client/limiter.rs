//! How fast requests may leave: as fast as they come, until the service says "slower"; then a pace that is learned.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The pace after the first "slower": 20 requests a second. It halves with each further one.
const FIRST_GAP: Duration = Duration::from_millis(50);
/// The slowest pace: one request in 2 s.
const WIDEST_GAP: Duration = Duration::from_secs(2);
/// Below this gap the pace is free again.
const FREE_GAP: Duration = Duration::from_millis(5);

/// One per client: all requests of a login share the service's limits.
#[derive(Debug)]
pub(super) struct Limiter(Mutex<Pace>);

#[derive(Debug)]
struct Pace {
    gap: Duration,
    next: Instant,
    learned: Instant,
}

impl Limiter {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self(Mutex::new(Pace { gap: Duration::ZERO, next: now, learned: now }))
    }

    /// Waits for this request's turn.
    pub(super) async fn turn(&self) {
        let turn = {
            let mut pace = self.pace();
            let now = Instant::now();
            let turn = pace.next.max(now);
            pace.next = turn + pace.gap;
            if turn == now {
                return;
            }
            turn
        };
        sleep_until(turn).await;
    }

    /// The service said "slower". Answers to a burst that was under way count once.
    pub(super) fn slower(&self) {
        let mut pace = self.pace();
        let now = Instant::now();
        if pace.gap.is_zero() || now >= pace.learned + pace.gap * 4 {
            pace.gap = (pace.gap * 2).clamp(FIRST_GAP, WIDEST_GAP);
            pace.learned = now;
        }
    }

    /// The service answered: the pace rises by a twentieth.
    pub(super) fn answered(&self) {
        let mut pace = self.pace();
        pace.gap = pace.gap * 19 / 20;
        if pace.gap < FREE_GAP {
            pace.gap = Duration::ZERO;
        }
    }

    fn pace(&self) -> std::sync::MutexGuard<'_, Pace> {
        self.0.lock().expect("no panic while the pace is held")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::Limiter;

    async fn millis_for(limiter: &Limiter, requests: u32) -> u128 {
        let start = Instant::now();
        for _ in 0..requests {
            limiter.turn().await;
        }
        start.elapsed().as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_waits_until_the_service_says_slower() {
        assert_eq!(millis_for(&Limiter::new(), 1000).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn slower_sets_a_pace_and_a_burst_of_it_counts_once() {
        let limiter = Limiter::new();
        for _ in 0..16 {
            limiter.slower();
        }
        let millis = millis_for(&limiter, 101).await;
        assert!((4900..5200).contains(&millis), "{millis}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_pace_becomes_free_again_after_enough_answers() {
        let limiter = Limiter::new();
        limiter.slower();
        tokio::time::sleep(Duration::from_secs(1)).await;
        for _ in 0..50 {
            limiter.answered();
        }
        assert_eq!(millis_for(&limiter, 100).await, 0);
    }
}
