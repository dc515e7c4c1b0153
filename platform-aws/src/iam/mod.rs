//! Pages of Identity and Access Management.

mod role;
mod role_policy;

pub use role::{Role, RoleOutputs};
pub use role_policy::{RolePolicy, RolePolicyOutputs};

use platform_sdk::provider::{ErrorKind, ProviderError, ProviderResult};

use crate::policy::PolicyDocument;

/// A document as IAM returns it: percent-encoded JSON.
fn decoded(document: &str) -> ProviderResult<PolicyDocument> {
    let unreadable = || ProviderError::new(ErrorKind::Ambiguous, "IAM returned a policy document that can't be read");
    let text =
        percent_encoding::percent_decode_str(document).decode_utf8().map_err(|error| unreadable().caused_by(error))?;
    PolicyDocument::parse(&text).map_err(|error| unreadable().caused_by(error))
}

/// What is wrong with a name of at most `longest` characters, if anything is.
fn name_problem(name: &str, longest: usize) -> Option<String> {
    let fits = !name.is_empty() && name.len() <= longest;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "+=,.@-_".contains(c);
    (!fits || !name.chars().all(allowed))
        .then(|| format!("is `{name}`; names are 1 to {longest} letters, digits and +=,.@-_"))
}
