//! Testing programs: plans without a network, and whole lifecycles against an in-memory cloud, on stores that fail.

mod cloud;
mod command;
mod faulty;
mod harness;
mod mutations;
mod one_client;
mod printed;
mod raw_request;
mod reader;
pub mod readers;
mod taken_away;

pub use cloud::{Call, Cloud, CloudProvider, Fault, Machine, MachineOutputs, Room, RoomOutputs};
pub use command::{Command, Said};
pub use faulty::{FaultyStore, StoreFaults};
pub use harness::{Harness, Run, plan};
pub use one_client::OneClient;
#[cfg(test)]
pub(crate) use printed::owning;
pub use printed::printed;
pub use raw_request::raw_request;
pub use reader::Reader;
pub use taken_away::taken_away;
