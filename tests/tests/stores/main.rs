//! State that a team shares: in a directory, and in buckets of servers that others wrote: S3 as moto
//! serves it, Azure as Azurite, Google as fake-gcs-server.

mod bucket;
mod by_hand;
mod conformance;
mod logins;
#[cfg(target_os = "linux")]
mod paused;
mod processes;
mod profiles;
mod team;
