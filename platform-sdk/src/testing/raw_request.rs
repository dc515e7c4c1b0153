//! A sandbox's request from bytes, written as HTTP is: for readers that are given what nobody sent.

use crate::sandbox::{Request, query_pairs};

/// The request that these bytes are: `METHOD target`, lines of headers, an empty line, the body. What is missing is empty.
pub fn raw_request(bytes: &[u8]) -> Request {
    let (mut rest, mut lines) = (bytes, Vec::new());
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(&rest[..end]).trim_end_matches('\r').to_owned();
        rest = &rest[end + 1..];
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let mut lines = lines.into_iter();
    let first = lines.next().unwrap_or_default();
    let (method, target) = first.split_once(' ').unwrap_or((&first, "/"));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = lines.filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_lowercase(), value.trim().to_owned()))
    });
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query_pairs(query),
        headers: headers.collect(),
        body: rest.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::raw_request;

    #[test]
    fn a_request_is_what_its_bytes_say() {
        let read = raw_request(b"POST /a/b?x=1&y=%20+ HTTP\r\nContent-Type: text/xml\r\n\r\n<a>\n\n</a>");
        assert_eq!((read.method.as_str(), read.path.as_str()), ("POST", "/a/b"));
        assert_eq!(read.query("x"), Some("1"));
        assert_eq!(read.header("content-type"), Some("text/xml"));
        assert_eq!(read.body, b"<a>\n\n</a>");
        assert_eq!(raw_request(b"").path, "/");
    }
}
