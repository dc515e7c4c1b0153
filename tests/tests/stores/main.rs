//! State that a team shares: in a directory, and in a bucket of a server that others wrote, S3 as moto serves it.

mod bucket;
mod by_hand;
mod conformance;
#[cfg(target_os = "linux")]
mod paused;
mod processes;
mod profiles;
mod team;
