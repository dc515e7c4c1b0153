//! Times as the APIs write them.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Milliseconds since 1970 as RFC 3339 in UTC: `2026-01-31T12:00:00Z`.
pub(super) fn rfc3339(ms: u64) -> String {
    let seconds = i64::try_from(ms / 1000).unwrap_or(i64::MAX);
    let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    time.format(&Rfc3339).expect("RFC 3339 writes every year up to 9999")
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn times_are_written_as_the_service_writes_them() {
        assert_eq!(rfc3339(951_827_696_789), "2000-02-29T12:34:56Z");
    }
}
