//! State that a team shares: in a directory, and in a bucket of a server that others wrote, S3 as moto serves it.

mod bucket;
mod by_hand;
mod conformance;
mod processes;
mod profiles;
mod team;
