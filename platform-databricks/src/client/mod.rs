//! How it is called: the HTTP client of the REST API, with retries, paging and decoded errors.
//!
//! A [`Request`] becomes a `transport` exchange per try; `errors` says what an answer means, `retry` whether and when to try
//! again, the SDK's `Pace` how fast; `paging` turns many answers into one list.

mod errors;
mod fault;
mod http;
mod identity;
pub(crate) mod marks;
mod options;
mod outcome;
mod paging;
mod path;
mod request;
mod retry;
pub(crate) mod transport;
mod walk;
pub(crate) mod wire;

#[cfg(test)]
pub(crate) mod scripted;

pub use fault::ApiFault;
pub use http::Client;
pub use identity::Identity;
pub use options::{ClientOptions, Patience, RequestTap};
pub use paging::Pages;
pub use path::{path, segment};
pub use request::Request;

pub(crate) use errors::{Asked, decode, lost};
pub(crate) use outcome::Outcome;
pub(crate) use retry::{Backoff, Fault};
pub(crate) use walk::Walk;
