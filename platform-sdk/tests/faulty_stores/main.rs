//! Whole commands on stores that fail, lag, lose answers and stay away, in virtual time: nothing is orphaned or doubled.

mod command;
mod faults;
mod lost;
mod service;
#[cfg(feature = "state-bucket")]
mod speed;
