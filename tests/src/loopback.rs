//! Requests of somebody else to a server on this machine.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use serde_json::Value;

/// The answer's JSON to a request of a sandbox's administrator.
///
/// # Panics
/// When the server does not answer 200 with JSON.
pub fn ask(url: &str, method: &str, path: &str, body: &Value) -> Value {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer sandbox\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    assert!(head.starts_with("HTTP/1.1 200 "), "{method} {path}: {answer}");
    serde_json::from_str(body).expect("the answer is JSON")
}
