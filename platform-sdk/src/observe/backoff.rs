//! Backing off: the pauses between the tries of what a service has no time for yet.

use std::time::Duration;

use tokio::time::Instant;

const FIRST: Duration = Duration::from_millis(500);
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(10);
/// Whoever asks for a longer pause asks for this one: clocks can't count on for ever.
const A_DAY: Duration = Duration::from_hours(24);

/// The pauses between the tries of one thing: as long as the service asks for, else longer each time.
pub(crate) struct Backoff {
    started: Instant,
    next: Duration,
}

impl Backoff {
    /// From the first try.
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), next: FIRST }
    }

    /// Since the first try.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The next pause; `asked` is what the service says, if it does.
    pub(crate) fn pause(&mut self, asked: Option<Duration>) -> Duration {
        let pause = asked.unwrap_or(self.next).clamp(SHORTEST, A_DAY);
        self.next = (self.next * 2).min(LONGEST);
        pause
    }
}
