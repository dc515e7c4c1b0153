//! A service's limit: a token bucket that holds the calls of one second, and counts what it let through.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// How long after the first call nothing is counted yet, and for how long it is counted then.
const LEARNING: Duration = Duration::from_secs(20);
const WATCHED: Duration = Duration::from_mins(1);

/// So many calls a second, and as many at once after a rest.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: f64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    level: f64,
    first: Option<Instant>,
    last: Option<Instant>,
    /// While it is watched.
    answered: u32,
    refused: u32,
}

/// What was seen in the minute after twenty seconds of learning.
#[derive(Debug)]
pub(crate) struct Watched {
    /// Calls that were answered.
    pub(crate) answered: u32,
    /// Calls that were refused.
    pub(crate) refused: u32,
    /// Whether there were calls until the end.
    pub(crate) whole: bool,
}

impl Bucket {
    pub(crate) fn new(rate: u32) -> Self {
        let rate = f64::from(rate);
        Self { rate, state: Mutex::new(State { level: rate, ..State::default() }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a call, or refuses it.
    pub(crate) fn admits(&self) -> bool {
        let (mut state, now) = (self.state(), Instant::now());
        let first = *state.first.get_or_insert(now);
        let since = now - state.last.replace(now).unwrap_or(now);
        let level = (state.level + since.as_secs_f64() * self.rate).min(self.rate);
        let admitted = level >= 1.0;
        state.level = if admitted { level - 1.0 } else { level };
        if (LEARNING..LEARNING + WATCHED).contains(&(now - first)) {
            if admitted { state.answered += 1 } else { state.refused += 1 }
        }
        admitted
    }

    /// What came of it.
    pub(crate) fn watched(&self) -> Watched {
        let state = self.state();
        let took = state.last.zip(state.first).map(|(last, first)| last - first).unwrap_or_default();
        Watched { answered: state.answered, refused: state.refused, whole: took >= LEARNING + WATCHED }
    }
}
