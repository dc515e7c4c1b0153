//! Table: its page, its columns and types, and the SQL that makes and changes it.

mod alter;
mod column;
mod data_type;
mod page;
mod sql;

pub use column::Column;
pub use data_type::DataType;
pub(super) use page::KIND;
pub use page::{Table, TableOutputs};
