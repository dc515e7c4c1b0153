//! What the end-to-end tests stand on: the project's folders, the pinned tools, servers that others wrote, the examples as
//! programs, and samples of every type.

mod example;
mod gate;
mod google_storage;
mod node;
mod place;
mod python;
pub mod quoting;
mod relay;
mod request;
#[cfg(unix)]
mod running;
pub mod samples;
mod served;
mod server;
mod suite;
mod workspace;
mod world;

pub use example::example;
pub use gate::Gate;
pub use google_storage::GoogleStorage;
pub use place::{Place, Ran};
pub use python::Python;
pub use request::request;
#[cfg(unix)]
pub use running::Running;
pub use served::{Served, said};
pub use server::{Server, free_port};
pub use suite::{left_out, quick};
pub use workspace::root;
pub use world::told;
