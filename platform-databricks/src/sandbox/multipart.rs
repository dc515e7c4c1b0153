//! Bodies that come as `multipart/form-data`: the official client uploads notebooks and files so.

use base64::{Engine, prelude::BASE64_STANDARD};
use platform_sdk::sandbox::Request;
use serde_json::{Map, Value};

/// The JSON body that a request's form stands for: `content` in base64, `true` and `false` as such, all else as text.
/// `None` when the body is no form.
pub(super) fn as_json(request: &Request) -> Option<Vec<u8>> {
    let (kind, rest) = request.header("content-type")?.split_once(';')?;
    let boundary = rest.trim().strip_prefix("boundary=")?.trim_matches('"');
    // RFC 2046, 5.1.1: at most 70 characters.
    if kind != "multipart/form-data" || !(1..=70).contains(&boundary.len()) {
        return None;
    }
    let mut fields = Map::new();
    for part in split(&request.body, format!("--{boundary}").as_bytes()) {
        let Some(end) = find(part, b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&part[..end]);
        let Some(name) = head.split("; name=\"").nth(1).and_then(|rest| rest.split('"').next()) else { continue };
        let content = part[end + 4..].strip_suffix(b"\r\n").unwrap_or(&part[end + 4..]);
        fields.insert(name.to_owned(), value(name, content));
    }
    Some(Value::Object(fields).to_string().into_bytes())
}

fn value(name: &str, content: &[u8]) -> Value {
    match (name, content) {
        ("content", content) => BASE64_STANDARD.encode(content).into(),
        (_, b"true") => true.into(),
        (_, b"false") => false.into(),
        (_, text) => String::from_utf8_lossy(text).into_owned().into(),
    }
}

fn split<'b>(bytes: &'b [u8], separator: &[u8]) -> Vec<&'b [u8]> {
    let mut parts = Vec::new();
    let mut rest = bytes;
    while let Some(at) = find(rest, separator) {
        parts.push(&rest[..at]);
        rest = &rest[at + separator.len()..];
    }
    parts.push(rest);
    parts
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
mod tests {
    use std::collections::BTreeMap;

    use platform_sdk::sandbox::Request;
    use serde_json::{Value, json};

    use super::as_json;

    #[test]
    fn a_form_becomes_the_body_that_it_stands_for() {
        let form = "--b\r\nContent-Disposition: form-data; name=\"path\"\r\n\r\n/Shared/a\r\n\
                    --b\r\nContent-Disposition: form-data; name=\"overwrite\"\r\n\r\ntrue\r\n\
                    --b\r\nContent-Disposition: form-data; name=\"content\"; filename=\"content\"\r\n\r\n1\r\n\r\n--b--\r\n";
        let mut request = Request {
            method: "POST".into(),
            path: "/api/2.0/workspace/import".into(),
            query: Vec::new(),
            headers: BTreeMap::from([("content-type".into(), "multipart/form-data; boundary=b".into())]),
            body: form.into(),
        };
        let body: Value = serde_json::from_slice(&as_json(&request).unwrap()).unwrap();
        assert_eq!(body, json!({"path": "/Shared/a", "overwrite": true, "content": "MQ0K"}));
        request.headers.insert("content-type".into(), "application/json".into());
        assert!(as_json(&request).is_none());
    }
}
