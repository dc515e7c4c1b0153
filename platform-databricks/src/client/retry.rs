//! When to try again, and after how long.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use platform_sdk::provider::{ProviderError, ProviderResult, waiting};
use tokio::time::{Instant, sleep};

use super::options::{ClientOptions, Patience};

const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// A try that failed.
#[derive(Debug)]
pub(crate) struct Fault {
    /// What to report if this was the last try.
    pub(crate) error: ProviderError,
    /// Why another try may help without doing harm; `None` when it would not.
    pub(crate) again: Option<Class>,
    /// How long the service asks to wait.
    pub(crate) after: Option<Duration>,
}

impl Fault {
    /// No further try.
    pub(crate) fn last(error: ProviderError) -> Self {
        Self { error, again: None, after: None }
    }
}

/// Why another try may help; each has a patience of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// The service said "later".
    Throttled,
    /// The request never left.
    Unreachable,
    /// The service broke or its answer got lost, and the request is safe to repeat.
    Broken,
    /// An answer came that breaks off or makes no sense, and the request is safe to repeat.
    Garbled,
}

impl Patience {
    fn of(&self, class: Class) -> Duration {
        match class {
            Class::Throttled => self.throttled,
            Class::Unreachable => self.unreachable,
            Class::Broken => self.broken,
            Class::Garbled => self.garbled,
        }
    }
}

/// The pauses between the tries of one request: exponential, with jitter, bounded.
pub(crate) struct Backoff {
    patience: Patience,
    delay: Duration,
    jitter: Jitter,
    start: Instant,
    tries: u32,
}

impl Backoff {
    /// Starts the clock.
    pub(crate) fn new(options: &ClientOptions) -> Self {
        Self {
            patience: options.patience,
            delay: options.first_delay,
            jitter: Jitter::new(options.seed),
            start: Instant::now(),
            tries: 0,
        }
    }

    /// Waits before the next try, or hands the fault's error back when there is to be none.
    pub(crate) async fn pause(&mut self, fault: Fault) -> ProviderResult<()> {
        self.tries += 1;
        let Some(class) = fault.again else { return Err(self.told_tries(fault.error)) };
        let jittered = self.delay / 2 + self.jitter.up_to(self.delay / 2);
        let pause = fault.after.map_or(jittered, |after| jittered.max(after));
        if self.start.elapsed() + pause > self.patience.of(class) {
            return Err(self.told_tries(fault.error));
        }
        tracing::debug!(tries = self.tries, pause_ms = pause.as_millis(), cause = %fault.error, "will try again");
        self.delay = (self.delay * 2).min(LONGEST_DELAY);
        waiting(&fault.error, sleep(pause)).await;
        Ok(())
    }

    fn told_tries(&self, mut error: ProviderError) -> ProviderError {
        if self.tries > 1 {
            let seconds = self.start.elapsed().as_secs_f64();
            error.message = format!("{} (after {} tries in {seconds:.0} s)", error.message, self.tries);
        }
        error
    }
}

/// Evenly spread numbers (SplitMix64): enough to keep many clients from marching in step.
struct Jitter(u64);

impl Jitter {
    fn new(seed: Option<u64>) -> Self {
        Self(seed.unwrap_or_else(|| RandomState::new().hash_one("jitter")))
    }

    fn up_to(&mut self, most: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let share = u32::try_from((z ^ (z >> 31)) >> 48).expect("16 bits fit");
        most * share / 0x1_0000
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use platform_sdk::provider::{ErrorKind, ProviderError};
    use tokio::time::Instant;

    use super::{Backoff, Class, ClientOptions, Fault};

    fn fault(again: Option<Class>, after: Option<u64>) -> Fault {
        let error = ProviderError::new(ErrorKind::Unavailable, "broken");
        Fault { error, again, after: after.map(Duration::from_secs) }
    }

    fn seeded() -> Backoff {
        Backoff::new(&ClientOptions { seed: Some(7), ..ClientOptions::default() })
    }

    /// Pauses until the fault is given back: how many tries, and after how many seconds.
    async fn until_given_up(class: Class) -> (u32, f64) {
        let (start, mut backoff) = (Instant::now(), seeded());
        while backoff.pause(fault(Some(class), None)).await.is_ok() {}
        (backoff.tries, start.elapsed().as_secs_f64())
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_double_and_are_jittered_by_half_at_most() {
        let mut backoff = seeded();
        let mut expected = 0.5;
        for _ in 0..6 {
            let before = Instant::now();
            backoff.pause(fault(Some(Class::Throttled), None)).await.expect("goes on");
            let waited = before.elapsed().as_secs_f64();
            assert!((expected / 2.0..=expected + 0.002).contains(&waited), "{waited} for {expected}");
            expected *= 2.0;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_seed_gives_the_same_pauses() {
        assert_eq!(until_given_up(Class::Throttled).await, until_given_up(Class::Throttled).await);
    }

    #[tokio::test(start_paused = true)]
    async fn each_class_has_its_own_patience() {
        for (class, most) in
            [(Class::Throttled, 300.0), (Class::Unreachable, 10.0), (Class::Broken, 120.0), (Class::Garbled, 10.0)]
        {
            let (tries, seconds) = until_given_up(class).await;
            assert!(tries > 3 && seconds <= most && seconds > most / 3.0, "{class:?}: {tries} tries, {seconds} s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_is_waited_for_in_full() {
        let start = Instant::now();
        seeded().pause(fault(Some(Class::Throttled), Some(42))).await.expect("goes on");
        assert_eq!(start.elapsed().as_secs(), 42);
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_after_beyond_the_patience_is_given_back_at_once() {
        let start = Instant::now();
        seeded().pause(fault(Some(Class::Throttled), Some(3600))).await.expect_err("gives up");
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn what_must_not_be_repeated_is_given_back_at_once_and_unchanged() {
        let start = Instant::now();
        let error = seeded().pause(fault(None, None)).await.expect_err("gives up");
        assert_eq!((error.message.as_str(), start.elapsed()), ("broken", Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_error_says_how_often_it_was_tried() {
        let mut backoff = seeded();
        backoff.pause(fault(Some(Class::Throttled), Some(9))).await.expect("goes on");
        let error = backoff.pause(fault(None, None)).await.expect_err("gives up");
        assert_eq!(error.message, "broken (after 2 tries in 9 s)");
    }
}
