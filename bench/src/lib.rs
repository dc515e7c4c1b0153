//! What measurements share: the graphs, the programs that declare them, and a resource with effects.

mod graph;
mod part;
mod program;

pub use graph::{Graph, Shape};
pub use part::{Part, Parts};
pub use program::{data, parts, program};
