//! State: what the stack is known to own. Snapshots, the journal, the lease, secrets, stores.
//!
//! [`read`] looks, [`lease`] works: it gives a [`Journal`] for what is about to happen and did, and commits snapshots.

// In memory: what the engine works with.
mod fold;
mod owned;
mod readdress;
mod record;
mod snapshot;

// A run: reading, the lease, writing.
mod history;
mod journal;
mod lease;
mod location;
mod reading;
mod stranded;
mod writer;

// By hand: moving, mending and thinning out what is there.
mod copy;
mod exports;
mod leaving;
mod prune;
mod remains;
mod repair;
mod stacks;
mod transfer;

pub(crate) mod readers;

// On disk: the current version of every file, and how older ones become it.
mod branch;
mod damage;
mod frame;
mod head;
mod record_format;
mod resource_format;
mod snapshot_format;
mod upgrade;

// Secrets, and hashes that tell nothing.
mod baseline;
mod fingerprint;
mod secrets;

// Stores.
pub mod beats;
#[cfg(feature = "state-bucket")]
mod bucket;
#[cfg(feature = "state-bucket")]
mod bucket_error;
#[cfg(any(feature = "state-s3", feature = "state-azure", feature = "state-gcs"))]
mod bucket_login;
pub mod conformance;
mod local;
mod local_lock;
mod logins;
mod memory;
mod object_per_append;
mod store;
mod url;

pub use baseline::Baseline;
#[cfg(feature = "state-bucket")]
pub use bucket::Bucket;
pub use copy::{Copied, copy};
use damage::damage;
pub use exports::{Exports, exports};
pub(crate) use fingerprint::{fingerprint, salt};
pub use fold::Folded;
pub use head::{FORMAT_VERSION, Head, Left, World};
pub use history::{History, export, history, snapshot_at, unfolded};
pub use journal::Journal;
pub use lease::{Clock, Holder, Lease, Unlocked, check_world, in_use, lease, lives, read, unlock, world};
pub use leaving::{bring_along, remove};
pub use local::Local;
pub use location::Location;
pub use logins::Logins;
pub use memory::{Memory, folders_among};
pub use object_per_append::ObjectPerAppend;
pub use owned::{Owned, Site};
pub use prune::{Prunable, prunable, prune};
pub use reading::Reading;
pub use record::{Effect, Intent, IntentOp, OpenIntent, Record};
pub use repair::{Examined, Repair, examine};
pub use secrets::Keys;
pub use snapshot::{ProviderState, Referred, ResourceState, Snapshot, Status};
pub use snapshot_format::Entry;
pub use stacks::{Holding, addresses, holding, projects, stacks};
pub use store::{
    Appender, Certainty, Condition, Confirm, Guard, Hold, Note, Object, Store, StoreError, StoreKey, StoreResult,
    Version, Waiting, check_key,
};
pub use transfer::{Exported, exported, take_in};
pub use writer::Commit;
