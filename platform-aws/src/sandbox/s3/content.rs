//! Bodies as they were before the client signed them in chunks.

use std::borrow::Cow;

use platform_sdk::sandbox::Request;

use crate::sandbox::problem::Problem;

/// A request's body. With `aws-chunked`, each chunk is `SIZE[;chunk-signature=...]\r\nBYTES\r\n`, and checksums follow the
/// last one, which has no bytes.
pub(super) fn body(request: &Request) -> Result<Vec<u8>, Problem> {
    let streamed = request.header("x-amz-content-sha256").is_some_and(|hash| hash.starts_with("STREAMING-"));
    if !streamed {
        return Ok(request.body.clone());
    }
    let content = unchunked(&request.body).ok_or_else(incomplete)?;
    let said = request.header("x-amz-decoded-content-length").and_then(|length| length.parse().ok());
    if said.is_some_and(|said: usize| said != content.len()) {
        return Err(incomplete());
    }
    Ok(content)
}

/// The content encoding that the object keeps.
pub(super) fn kept_encoding(header: &str) -> Option<Cow<'_, str>> {
    let kept: Vec<_> = header.split(',').map(str::trim).filter(|name| *name != "aws-chunked").collect();
    (!kept.is_empty()).then(|| kept.join(",").into())
}

fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let head = std::str::from_utf8(&rest[..end]).ok()?;
        let size = usize::from_str_radix(head.split(';').next()?, 16).ok()?;
        rest = &rest[end + 2..];
        if size == 0 {
            return Some(content);
        }
        content.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

fn incomplete() -> Problem {
    let message = "You did not provide the number of bytes specified by the Content-Length HTTP header";
    Problem::new(400, "IncompleteBody", message)
}

#[cfg(test)]
mod tests {
    use super::unchunked;

    #[test]
    fn chunks_are_put_together_and_trailers_left_out() {
        let body = b"5;chunk-signature=abc\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
        assert_eq!(unchunked(body).as_deref(), Some(b"hello world".as_slice()));
        assert_eq!(unchunked(b"5\r\nhel"), None, "a body that broke off");
    }
}
