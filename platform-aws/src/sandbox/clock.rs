//! Times as the AWS protocols write them, and request ids made from them.

use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

const SECONDS: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
const MILLISECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
const HEADER: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// `2026-01-02T03:04:05Z`, as IAM and STS write it.
pub(super) fn seconds(ms: u64) -> String {
    written(ms, SECONDS)
}

/// `2026-01-02T03:04:05.678Z`, as S3 writes it in XML.
pub(super) fn milliseconds(ms: u64) -> String {
    written(ms, MILLISECONDS)
}

/// `Fri, 02 Jan 2026 03:04:05 GMT`, as HTTP headers have it.
pub(super) fn header(ms: u64) -> String {
    written(ms, HEADER)
}

/// Whether this is a date as signatures have it: `20260102`.
pub(super) fn is_date_stamp(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A request id that no other request in this world has.
pub(super) fn request_id(now_ms: u64) -> String {
    format!("{now_ms:016X}")
}

fn written(ms: u64, format: &[BorrowedFormatItem<'_>]) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000)
        .ok()
        .and_then(|at| at.format(format).ok())
        .expect("a time of this world is within the years that can be written")
}
