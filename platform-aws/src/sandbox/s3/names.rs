//! Names of buckets and regions.

use std::net::Ipv4Addr;

use crate::sandbox::problem::Problem;

/// Regions that a bucket can be in.
const REGIONS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

pub(super) fn is_region(name: &str) -> bool {
    REGIONS.contains(&name)
}

/// Whether the name is a bucket of another account. Names are global, so some are always taken.
pub(super) fn is_foreign(name: &str) -> bool {
    name.starts_with("taken-")
}

/// Checks a new bucket's name:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>.
pub(super) fn check(name: &str) -> Result<(), Problem> {
    let bytes = name.as_bytes();
    let inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-' || *byte == b'.';
    let edge = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let fits = (3..=63).contains(&bytes.len()) && bytes.iter().all(inner) && edge(bytes.first()) && edge(bytes.last());
    let prefixes = ["xn--", "sthree-", "amzn-s3-demo-"];
    let suffixes = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];
    let reserved = prefixes.iter().any(|p| name.starts_with(p)) || suffixes.iter().any(|s| name.ends_with(s));
    if fits && !reserved && !name.contains("..") && name.parse::<Ipv4Addr>().is_err() {
        return Ok(());
    }
    Err(Problem::new(400, "InvalidBucketName", "The specified bucket is not valid.").detail("BucketName", name))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn names_follow_the_published_rules() {
        for good in ["abc", "acme-landing", "a.b.c", "0-9"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in
            ["ab", "Acme", "a_b_c", "-abc", "abc-", "a..b", "10.0.0.1", "xn--abc", "abc-s3alias", &"a".repeat(64)]
        {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
