//! Where credentials, region and endpoints come from: decided from the given environment and files, before any request.

mod endpoint;
mod profile;
mod source;

pub(crate) use endpoint::Endpoints;
#[cfg(feature = "s3")]
pub(crate) use endpoint::wants_path_style;
pub(crate) use source::{Login, Source, discover};

use serde::Deserialize;

/// A provider's configuration with its outputs resolved.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) region: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) endpoint: Option<String>,
}
