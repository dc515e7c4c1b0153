//! A login to S3 for state that is kept there: what AWS's provider gives to the store.

use std::fmt;

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::ProviderResult;

/// The login that a user of AWS's own tools has here: keys, a profile, single sign-on, a role. Connectors give it with
/// [`Connector::s3_login`](super::Connector::s3_login).
#[async_trait]
pub trait S3Login: fmt::Debug + Send + Sync {
    /// The region that it is in, if it says so: `eu-central-1`.
    fn region(&self) -> Option<String>;

    /// The URL of the service that stands for S3, if one does: `http://127.0.0.1:9000`.
    fn endpoint(&self) -> Option<String>;

    /// Keys that are valid now. Asked for before each request, so a login keeps them until shortly before they expire.
    ///
    /// # Errors
    /// `Denied` or `Invalid` when there are none; any other kind when the same may succeed a moment later.
    async fn keys(&self) -> ProviderResult<S3Keys>;
}

/// Keys that sign requests to S3.
#[derive(Clone)]
pub struct S3Keys {
    /// The access key's id.
    pub id: String,
    /// Its secret.
    pub secret: Zeroizing<String>,
    /// The session's token, where the keys are of one.
    pub token: Option<Zeroizing<String>>,
}

impl fmt::Debug for S3Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Keys").field("id", &self.id).finish_non_exhaustive()
    }
}
