//! Unity Catalog: what holds data, where it lies, and who may use it.

#[expect(clippy::module_inception, reason = "`Catalog` is one of the nouns of the folder of that name")]
mod catalog;
mod external_location;
mod grant;
mod schema;
mod storage_credential;
mod table;
mod volume;

mod privileges;
mod securable;
mod statement;

pub use catalog::{Catalog, CatalogIsolation, CatalogOutputs, PredictiveOptimization};
pub use external_location::{ExternalLocation, ExternalLocationOutputs};
pub use grant::{Grant, GrantOn, GrantOutputs, GrantTo, Privilege, Securable, SecurableKind};
pub use schema::{Schema, SchemaOutputs};
pub use storage_credential::{AwsIamRole, Isolation, StorageCredential, StorageCredentialOutputs};
pub use table::{Column, DataType, Table, TableOutputs};
pub use volume::{Volume, VolumeOutputs};
