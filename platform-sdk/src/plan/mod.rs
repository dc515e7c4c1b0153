//! The plan: how observed, last applied and desired inputs differ, and the steps that make them one. Pure.

mod step;

pub use step::{Change, ChangeKind, Cost, Op, Plan, Step, Summary};
