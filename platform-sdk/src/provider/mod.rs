//! The contract between the engine and providers: connections, drivers, and what they answer.

mod browser;
mod builtin;
mod changes;
mod context;
mod contract;
mod erased;
mod error;
mod mark;

pub use browser::id_in_address;
pub use builtin::BuiltinConnector;
pub use changes::{Changed, changed};
pub(crate) use changes::{Changes, change_in_doubt, counting, known_change};
pub use context::{Context, Journalled, Progress};
pub use contract::{Connect, Connection, Connector, Finding, Login};
pub use erased::{Driver, Drivers, LookUpDriver, Observation, Request};
pub use error::{ErrorKind, ProviderError, ProviderResult};
pub use mark::{Mark, owner};
pub use pace::Pace;
pub use page::{Change, Content, Existing, Find, Found, Made, Manage, Observed, Read, Readiness, Values};
pub use s3_login::{S3Keys, S3Login};
pub(crate) use waiting::listening;
pub use waiting::{Waits, waiting};

mod pace;
mod page;
mod s3_login;
mod waiting;
