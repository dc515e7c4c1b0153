//! What can be set about a client; the defaults suit real services.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

/// Sees each API request just before it leaves: method, path, query, JSON body. Tests check it against the API's facts.
pub type RequestTap = Arc<dyn Fn(&str, &str, &[(String, String)], Option<&Value>) + Send + Sync>;

/// What can be set about a client.
#[derive(Clone)]
pub struct ClientOptions {
    /// How long to go on trying.
    pub patience: Patience,
    /// How long one try may take, from connecting to the last byte of the answer. 60 s unless set.
    pub request_timeout: Duration,
    /// The pause before the first repetition; it doubles each time, up to 30 s. 500 ms unless set.
    pub first_delay: Duration,
    /// Seed of the jitter, so that tests repeat. Random unless set.
    pub seed: Option<u64>,
    /// Sees each request.
    pub tap: Option<RequestTap>,
}

/// How long to go on trying, counted from the first try, by what went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The service says "later" (429, 503). 5 min unless set.
    pub throttled: Duration,
    /// The service can't be connected to. 10 s unless set.
    pub unreachable: Duration,
    /// The service broke, or its answer got lost, on a request that is safe to repeat. 2 min unless set.
    pub broken: Duration,
    /// The service's answer breaks off or is no JSON, on a request that is safe to repeat. 10 s unless set: what is in
    /// between and does it once does it again.
    pub garbled: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            throttled: Duration::from_mins(5),
            unreachable: Duration::from_secs(10),
            broken: Duration::from_mins(2),
            garbled: Duration::from_secs(10),
        }
    }
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            patience: Patience::default(),
            request_timeout: Duration::from_mins(1),
            first_delay: Duration::from_millis(500),
            seed: None,
            tap: None,
        }
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOptions")
            .field("patience", &self.patience)
            .field("request_timeout", &self.request_timeout)
            .field("first_delay", &self.first_delay)
            .field("seed", &self.seed)
            .field("tap", &self.tap.is_some())
            .finish()
    }
}
