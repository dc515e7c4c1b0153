//! Policy documents: typed, with parts that may be outputs, and compared by meaning.

mod document;
mod lake;
mod normalize;
mod statement;

pub use document::PolicyDocument;
pub use lake::{DATABRICKS_MASTER_ROLE, uc_access, uc_trust, uc_trust_of};
pub use normalize::normalize;
pub use statement::{ConditionOperator, Effect, Principal, Statement};
