//! Request paths with names in them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but RFC 3986's unreserved characters.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One name as one path segment: a `/` in it becomes `%2F`.
pub fn segment(name: &str) -> String {
    utf8_percent_encode(name, NAME).to_string()
}

/// `base`, then each name as a segment of its own.
///
/// ```
/// use platform_databricks::client::path;
/// assert_eq!(path("api/2.1/unity-catalog/catalogs", ["my lake"]), "/api/2.1/unity-catalog/catalogs/my%20lake");
/// ```
pub fn path(base: &str, names: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut path = format!("/{}", base.trim_matches('/'));
    for name in names {
        path.push('/');
        path.push_str(&segment(name.as_ref()));
    }
    path
}

/// Why this path must not be sent: an empty name would address the collection, a dot name its parent.
pub(super) fn flaw(path: &str) -> Option<&'static str> {
    let mut names = path.split('/').skip(1);
    if names.clone().any(str::is_empty) {
        return Some("a name is empty");
    }
    names.any(|name| matches!(name, "." | "..")).then_some("a name is `.` or `..`")
}

#[cfg(test)]
mod tests {
    use super::{flaw, path};

    #[test]
    fn a_name_stays_one_segment() {
        assert_eq!(path("/api/2.0/x/", ["a/b c", "é?#%"]), "/api/2.0/x/a%2Fb%20c/%C3%A9%3F%23%25");
    }

    #[test]
    fn a_name_that_would_address_something_else_is_a_flaw() {
        assert_eq!(flaw(&path("api/2.0/x", ["a.b"])), None);
        assert_eq!(flaw(&path("api/2.0/x", [""])), Some("a name is empty"));
        assert_eq!(flaw(&path("api/2.0/x", [".."])), Some("a name is `.` or `..`"));
    }
}
