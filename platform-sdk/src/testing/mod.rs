//! Testing programs: plans without a network, and whole lifecycles against an in-memory cloud.

mod cloud;
mod command;
mod harness;

pub use cloud::{Call, Cloud, CloudProvider, Fault, Machine, MachineOutputs, Room, RoomOutputs};
pub use command::{Command, Said};
pub use harness::{Harness, Run, plan};
