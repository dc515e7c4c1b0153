//! One request over plain HTTP, as somebody else sends it: no client of the project's own is in between.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

/// The answer's head and body.
///
/// # Panics
/// When nobody listens there, or the answer has no head.
pub fn request(url: &str, headers: &str, call: (&str, &str), body: &str) -> (String, String) {
    let (method, path) = call;
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).expect("somebody listens");
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    (head.to_owned(), body.to_owned())
}
