//! Addresses in a browser: which object a person means who copied the address of its page.

use percent_encoding::percent_decode_str;

use super::{ErrorKind, ProviderError, ProviderResult};

/// The id in an address of a service's web pages; what is no address is the id itself.
///
/// Each pattern names a page by the segments of its path or fragment, `jobs/{}`, and `{}` is a part of the id; the first
/// that fits counts, whatever follows it. Parts are joined with `separator`.
///
/// # Errors
/// When it is an address, and of no such page.
pub fn id_in_address(asked: &str, patterns: &[&str], separator: &str) -> ProviderResult<String> {
    let Some((_, rest)) = asked.split_once("://") else { return Ok(asked.to_owned()) };
    let (path, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let path = path.split('?').next().unwrap_or(path);
    let path = path.split_once('/').map_or("", |(_, path)| path);
    let places = [path, fragment.split('?').next().unwrap_or(fragment)];
    let found = patterns.iter().flat_map(|pattern| places.iter().filter_map(|place| parts(place, pattern))).next();
    found.map(|parts| parts.join(separator)).ok_or_else(|| {
        ProviderError::new(ErrorKind::Invalid { field: None }, format!("`{asked}` is no address of such an object"))
            .hint(format!("its address has `{}` in it; or give its id", patterns.join("` or `")))
    })
}

/// What stands where the pattern says `{}`.
fn parts(place: &str, pattern: &str) -> Option<Vec<String>> {
    let mut segments = place.split('/').filter(|segment| !segment.is_empty());
    let mut parts = Vec::new();
    for wanted in pattern.split('/') {
        let segment = segments.next()?;
        if wanted == "{}" {
            parts.push(percent_decode_str(segment).decode_utf8().ok()?.into_owned());
        } else if wanted != segment {
            return None;
        }
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(asked: &str, patterns: &[&str]) -> ProviderResult<String> {
        id_in_address(asked, patterns, ".")
    }

    #[test]
    fn what_is_no_address_is_the_id() {
        assert_eq!(id("lake.sales", &["explore/data/{}/{}"]).ok().as_deref(), Some("lake.sales"));
        assert_eq!(id("/Shared/nightly", &[]).ok().as_deref(), Some("/Shared/nightly"));
    }

    #[test]
    fn an_address_holds_it_in_its_path_or_its_fragment() {
        let table = &["explore/data/{}/{}/{}"];
        let asked = "https://x.cloud.databricks.com/explore/data/lake/my%20sales/orders?o=4";
        assert_eq!(id(asked, table).ok().as_deref(), Some("lake.my sales.orders"));
        let job = &["jobs/{}", "job/{}"];
        assert_eq!(id("https://x.cloud.databricks.com/jobs/123/runs?o=4", job).ok().as_deref(), Some("123"));
        assert_eq!(id("https://x.cloud.databricks.com/?o=4#job/123", job).ok().as_deref(), Some("123"));
    }

    #[test]
    fn an_address_of_another_page_is_refused_with_what_would_do() {
        let error = id("https://x.cloud.databricks.com/compute/clusters/1", &["jobs/{}"]).expect_err("no job's page");
        assert!(error.hint.expect("a hint").contains("`jobs/{}`"));
    }
}
