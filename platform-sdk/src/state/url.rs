//! What `--state` and PLATFORM_STATE say: a directory, or the URL of a bucket.

use std::sync::Arc;

use super::{Local, Logins, Store};
use crate::{report::Diagnostic, scrub::without_login};

/// The kinds of bucket: scheme, feature of this crate, what it is.
const BUCKETS: [(&str, &str, &str); 3] = [
    ("s3", "state-s3", "Amazon S3"),
    ("az", "state-azure", "Azure Blob Storage"),
    ("gs", "state-gcs", "Google Cloud Storage"),
];

/// The store at a path or URL. Nothing is asked of it yet.
///
/// # Errors
/// When it is none, or of a kind that this program was built without.
pub(super) fn open(state: &str, logins: &Logins) -> Result<Arc<dyn Store>, Diagnostic> {
    let path = state.strip_prefix("file://").unwrap_or(state);
    let Some((scheme, rest)) = path.split_once("://") else {
        if path.is_empty() {
            return Err(Diagnostic::error("the place of the state is empty")
                .hint("give a directory with `--state` or PLATFORM_STATE, or leave both out for `.platform`"));
        }
        return Ok(Arc::new(Local::new(path)));
    };
    // Whatever is said of it is said without a login that stands in it.
    let shown = without_login(state);
    let Some((scheme, feature, service)) = BUCKETS.iter().find(|(known, ..)| *known == scheme) else {
        let scheme = if scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) { scheme } else { ".." };
        return Err(Diagnostic::error(format!("state can't be kept in `{scheme}://`"))
            .detail(format!("`{shown}` was asked for by `--state` or PLATFORM_STATE"))
            .hint("give a directory (`.platform`, `file:///path/to/it`), `s3://`, `az://` or `gs://`"));
    };
    if shown != state {
        return Err(Diagnostic::error(format!("`{shown}` has a login in it"))
            .detail("addresses end in logs, and in the history of shells")
            .hint(format!("write `{scheme}://BUCKET/FOLDER`, and give the login in the environment")));
    }
    let (bucket, folder) = rest.split_once('/').unwrap_or((rest, ""));
    let folder = folder.trim_end_matches('/');
    if bucket.is_empty() || (!folder.is_empty() && super::check_key(folder).is_err()) {
        return Err(Diagnostic::error(format!("`{state}` names no place in {service}"))
            .hint(format!("write `{scheme}://BUCKET/FOLDER`; the folder may be left out")));
    }
    let place = Place { url: state, bucket, folder, logins };
    match *scheme {
        #[cfg(feature = "state-s3")]
        "s3" => super::bucket_login::s3(&place),
        #[cfg(feature = "state-azure")]
        "az" => super::bucket_login::azure(&place),
        #[cfg(feature = "state-gcs")]
        "gs" => super::bucket_login::google(&place),
        _ => Err(place.left_out(feature, service)),
    }
}

/// A place in a bucket, as it was asked for.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) url: &'a str,
    pub(super) bucket: &'a str,
    pub(super) folder: &'a str,
    pub(super) logins: &'a Logins,
}

impl Place<'_> {
    fn left_out(&self, feature: &str, service: &str) -> Diagnostic {
        let (url, bucket, folder) = (self.url, self.bucket, self.folder);
        let Logins { environment, listed, .. } = self.logins;
        let (variables, providers) = (environment.len(), listed.len());
        tracing::debug!(bucket, folder, variables, providers, "no such store is built in");
        Diagnostic::error(format!("this program was built without state in {service}"))
            .detail(format!("`{url}` was asked for by `--state` or PLATFORM_STATE"))
            .hint(format!("turn on the feature `{feature}` of `platform-sdk` in Cargo.toml, and build it again"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_in_an_address_is_never_quoted() {
        for url in [
            "s3://canary-id:canary-pass@bucket",
            "s3://canary-id:canary/pass@bucket/folder",
            "az://container/folder?sv=1&sig=canary",
            "gs://canary@bucket/../folder",
            "https://canary:canary@host/state",
            "canary:canary@s3://bucket",
            "s3://canary:canary@",
        ] {
            let problem = open(url, &Logins::default()).expect_err("it is refused");
            assert!(!format!("{problem} {problem:?}").contains("canary"), "{problem}");
        }
    }
}
