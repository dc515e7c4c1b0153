//! Lists that come in pages: a service whose pages never end is told so.

use std::fmt::Display;

use platform_sdk::provider::{ErrorKind, ProviderError, ProviderResult};

/// IAM keeps a role to a few dozen entries of a kind, and S3 an account to ten thousand buckets: more pages are no list.
/// The official clients see by themselves when a page is named twice.
const MOST: u32 = 1_000;

/// The pages of one list so far.
#[derive(Debug, Default)]
pub(crate) struct Walk(u32);

impl Walk {
    /// Takes note of a page.
    ///
    /// # Errors
    /// When it is one too many.
    pub(crate) fn page(&mut self, what: impl Display) -> ProviderResult<()> {
        self.0 += 1;
        if self.0 <= MOST {
            return Ok(());
        }
        let message = format!("{what}: the service sends more than {MOST} pages");
        Err(ProviderError::new(ErrorKind::Failed { replace: false }, message))
    }
}
