//! What buckets are logged in with: the environment, and the logins of the program's providers.

#[cfg(feature = "state-s3")]
use std::sync::OnceLock;
use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::{desired::ProviderKey, provider::Connector};

/// The logins that a command has for the places of its states. A provider is asked for its own once, whatever is opened.
#[derive(Default)]
pub struct Logins {
    pub(super) environment: BTreeMap<String, String>,
    pub(super) listed: BTreeMap<ProviderKey, Arc<dyn Connector>>,
    #[cfg(feature = "state-s3")]
    pub(super) s3: OnceLock<Option<Arc<dyn crate::provider::S3Login>>>,
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Environments are full of secrets.
        f.debug_struct("Logins").field("listed", &self.listed).finish_non_exhaustive()
    }
}

impl Logins {
    /// The environment's, and those of the providers that a program lists.
    pub fn new(environment: BTreeMap<String, String>, listed: BTreeMap<ProviderKey, Arc<dyn Connector>>) -> Self {
        Self {
            environment,
            listed,
            #[cfg(feature = "state-s3")]
            s3: OnceLock::new(),
        }
    }

    /// The environment's alone.
    pub fn of_environment(environment: BTreeMap<String, String>) -> Self {
        Self::new(environment, BTreeMap::new())
    }
}
