//! The sandbox kit: what every provider's loopback server has in common, so that a provider writes only its service.
//!
//! A [`Service`] is a synchronous function from a request and a [`World`] to a response. The kit serves it over HTTP,
//! makes the world durable before each answer, locks it, logs requests, and injects faults.
//!
//! Only programs of this machine are answered: no `Host` but loopback, no foreign `Origin`, no body beyond the service's
//! bound.
//!
//! Every service's port also answers the kit's own control requests, which are never logged and never fail on purpose. They
//! carry the header `X-Platform-Sandbox: 1`, which no web page can send:
//!
//! | request | does |
//! |---|---|
//! | `GET /_sandbox/health` | names the service and the serving process |
//! | `GET /_sandbox/log?since=N` | the logged requests after number `N`, as a JSON list of [`LogEntry`] |
//! | `GET /_sandbox/faults`, `PUT /_sandbox/faults` | shows or sets [`Faults`]; setting starts their counters anew |
//! | `POST /_sandbox/reset` | takes the world back to the seed |
//! | `GET /_sandbox/world` | every document by key, sorted |

mod control;
mod depth;
mod exchange;
mod faults;
mod guard;
mod http;
mod log;
mod private;
mod serve;
mod server;
mod store;
mod views;
mod world;

pub use faults::{At, Fault, Faults, NthMutation, Span};
pub use http::{Request, Response};
pub use log::{LogEntry, read_log};
pub(crate) use serve::query_pairs;
pub use server::{Endpoint, Options, Running, attach_or_start};
pub use world::World;

/// A service that a sandbox serves: the real wire protocol over a simulated world.
pub trait Service: Send + Sync + 'static {
    /// Names its folder under `.platform/sandbox/`: `databricks`, `aws`.
    fn name(&self) -> &'static str;

    /// Fills the world of a fresh sandbox with what a real account has before anything was made.
    fn seed(&self, world: &mut World);

    /// Answers one request. Changes of the world are kept only when the response's status is below 400.
    fn handle(&self, request: &Request, world: &mut World) -> Response;

    /// How this protocol says that a request was not carried out, used by injected faults.
    fn refuse(&self, refusal: Refusal) -> Response;

    /// The same for services that speak several protocols and tell by the request which one. By default:
    /// [`refuse`](Service::refuse).
    fn refuse_request(&self, request: &Request, refusal: Refusal) -> Response {
        let _ = request;
        self.refuse(refusal)
    }

    /// Environment that points any client at this server: `[("DATABRICKS_HOST", "http://127.0.0.1:8080"), ...]`.
    fn exports(&self, base_url: &str) -> Vec<(String, String)>;

    /// A request's body as the log may show it: secrets removed. `None` leaves the body out.
    fn loggable_body(&self, request: &Request) -> Option<serde_json::Value>;

    /// Whether a name of the `Host` header is one of the service's own, to which it is reached in its domain. By default
    /// none is: names of this machine need no mention.
    fn is_its_name(&self, name: &str) -> bool {
        let _ = name;
        false
    }

    /// The most bytes of a request's body that are read; what has more is refused with 413. By default 16 MiB.
    fn largest_body(&self) -> usize {
        16 << 20
    }

    /// Whether the request changes nothing in the world. By default: GET and HEAD.
    fn is_read(&self, request: &Request) -> bool {
        matches!(request.method.as_str(), "GET" | "HEAD")
    }
}

/// A fault that is answered in the service's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// 429 with `Retry-After: 1`.
    Throttled,
    /// 500.
    Internal,
    /// 503.
    Unavailable,
}
