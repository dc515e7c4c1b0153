//! Pages of the Security Token Service.

mod caller_identity;

pub use caller_identity::{CallerIdentity, CallerIdentityOutputs};
