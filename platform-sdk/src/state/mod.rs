//! State: what the stack is known to own. Snapshots, the journal, the lease, secrets, stores.

mod record;
mod snapshot;

pub use record::{Effect, Intent, IntentOp, OpenIntent, Record};
pub use snapshot::{ProviderState, ResourceState, Snapshot, Status};
