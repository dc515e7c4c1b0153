//! What the end-to-end tests stand on: the project's folders, the pinned tools, servers that others wrote, and the
//! examples as programs.

mod example;
mod gate;
mod loopback;
mod python;
mod served;
mod server;
mod suite;
mod workspace;

pub use example::example;
pub use gate::Gate;
pub use loopback::ask;
pub use python::Python;
pub use served::Served;
pub use server::{Server, free_port};
pub use suite::{left_out, quick};
pub use workspace::root;
