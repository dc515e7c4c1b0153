//! A service of these tests' own: types with every mark, kept in memory by the rules that the marks imply.

mod driver;
mod provider;
mod types;
mod world;

pub(crate) use provider::{SiteProvider, Yard};
pub(crate) use types::{Chest, Door, House, Leaf, Lock, Room, Sign, Site, Tent};
pub(crate) use world::{Fault, World};
