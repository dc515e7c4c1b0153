//! Faults that a sandbox injects: which, how often, and to which request. The same seed and requests give the same
//! faults.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What goes wrong in a sandbox. The default is: nothing.
///
/// As JSON, in `PLATFORM_SANDBOX_FAULTS` or `PUT /_sandbox/faults`, every field may be left out:
/// `{"seed": 7, "throttle": 0.1, "latency_ms": {"min": 20, "max": 200}}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Chooses the requests that the probabilities hit.
    pub seed: u64,
    /// Every request waits this long before it is carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<Span>,
    /// Probability of [`Fault::Throttle`].
    pub throttle: f64,
    /// Probability of [`Fault::ErrorBefore`].
    pub error_before: f64,
    /// Probability of [`Fault::ErrorAfter`].
    pub error_after: f64,
    /// Probability of [`Fault::ResetBefore`].
    pub reset_before: f64,
    /// Probability of [`Fault::ResetAfter`].
    pub reset_after: f64,
    /// Probability of [`Fault::Truncate`].
    pub truncate: f64,
    /// Probability of [`Fault::Html`].
    pub html: f64,
    /// Probability, for a read, of [`Fault::Stale`].
    pub stale: f64,
    /// How old a stale answer is at most, in milliseconds.
    pub stale_ms: u64,
    /// Probability, for a mutating request, of [`Fault::Late`].
    pub late: f64,
    /// How long readers don't see a late effect, in milliseconds.
    pub late_ms: u64,
    /// Faults of chosen requests; the first that matches goes before all probabilities.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<At>,
    /// A fault of one mutating request, by its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nth_mutation: Option<NthMutation>,
}

/// From `min` to `max` inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// The least.
    pub min: u64,
    /// The most.
    pub max: u64,
}

/// A fault of the requests that match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct At {
    /// Only requests of this method; unset: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only requests whose path starts so.
    #[serde(default)]
    pub path_prefix: String,
    /// Only the nth such request since the faults were set, from 1; unset: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// What happens to it.
    pub fault: Fault,
}

/// A fault of the nth mutating request since the faults were set, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NthMutation {
    /// Which one.
    pub n: u64,
    /// What happens to it.
    pub fault: Fault,
}

/// What can happen to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Refused as one too many; no effect.
    Throttle,
    /// Answered 500 or 503; no effect.
    ErrorBefore,
    /// Carried out, and answered 500.
    ErrorAfter,
    /// The connection is dropped; no effect.
    ResetBefore,
    /// Carried out; the connection is dropped without an answer.
    ResetAfter,
    /// Carried out; the answer breaks off in the middle.
    Truncate,
    /// Answered with an HTML page, as by a proxy in between; no effect.
    Html,
    /// A read that sees the world as it was some time ago.
    Stale,
    /// Carried out and answered; readers see its effect later.
    Late,
}

/// What was chosen for one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dealt {
    pub(super) fault: Option<Fault>,
    pub(super) latency: Duration,
    /// Randomness that the fault may need.
    pub(super) draw: u64,
}

/// Chooses the fault of each request from the seed and the number of the request.
#[derive(Debug, Default)]
pub(super) struct Dealer {
    faults: Faults,
    requests: u64,
    mutations: u64,
    /// How many requests matched each entry of `faults.at`.
    matches: Vec<u64>,
}

impl Dealer {
    pub(super) fn new(faults: Faults) -> Self {
        Self { matches: vec![0; faults.at.len()], faults, requests: 0, mutations: 0 }
    }

    pub(super) fn faults(&self) -> &Faults {
        &self.faults
    }

    pub(super) fn deal(&mut self, method: &str, path: &str, mutating: bool) -> Dealt {
        self.requests += 1;
        self.mutations += u64::from(mutating);
        let latency = self.faults.latency_ms.map_or(0, |span| {
            let width = span.max.saturating_sub(span.min).saturating_add(1);
            span.min + self.random(0) % width
        });
        let fault = self.targeted(method, path, mutating).or_else(|| self.by_chance(mutating));
        Dealt { fault, latency: Duration::from_millis(latency), draw: self.random(1) }
    }

    fn targeted(&mut self, method: &str, path: &str, mutating: bool) -> Option<Fault> {
        let mut hit = self.faults.nth_mutation.filter(|at| mutating && at.n == self.mutations).map(|at| at.fault);
        for (at, matches) in self.faults.at.iter().zip(&mut self.matches) {
            if at.method.as_deref().is_none_or(|wanted| wanted == method) && path.starts_with(&at.path_prefix) {
                *matches += 1;
                if at.nth.is_none_or(|nth| nth == *matches) {
                    hit = hit.or(Some(at.fault));
                }
            }
        }
        hit
    }

    fn by_chance(&self, mutating: bool) -> Option<Fault> {
        let faults = &self.faults;
        let chances = [
            (faults.reset_before, Fault::ResetBefore),
            (faults.throttle, Fault::Throttle),
            (faults.error_before, Fault::ErrorBefore),
            (faults.html, Fault::Html),
            (faults.error_after, Fault::ErrorAfter),
            (faults.reset_after, Fault::ResetAfter),
            (faults.truncate, Fault::Truncate),
            (if mutating { 0.0 } else { faults.stale }, Fault::Stale),
            (if mutating { faults.late } else { 0.0 }, Fault::Late),
        ];
        // Each fault draws for itself, so that turning one up does not move the others.
        let mut stream = 2..;
        chances.into_iter().find(|(chance, _)| stream.next().is_some_and(|n| self.uniform(n) < *chance)).map(|(_, f)| f)
    }

    /// From 0 to 1, without 1.
    fn uniform(&self, stream: u64) -> f64 {
        let high = u32::try_from(self.random(stream) >> 32).unwrap_or(u32::MAX);
        f64::from(high) / (f64::from(u32::MAX) + 1.0)
    }

    fn random(&self, stream: u64) -> u64 {
        split_mix(split_mix(split_mix(self.faults.seed).wrapping_add(self.requests)).wrapping_add(stream))
    }
}

/// One step of SplitMix64 (Steele, Lea, Flood 2014): enough to scatter faults, and no dependency.
fn split_mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
