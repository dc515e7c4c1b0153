//! A gate in front of a Databricks server that others wrote: each request is held against the API's facts on its way.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use platform_databricks::sandbox::facts;
use reqwest::Url;

/// What went through.
#[derive(Debug, Default)]
struct Passed {
    /// `POST /api/2.1/unity-catalog/catalogs`, in order.
    requests: Vec<String>,
    /// What no fact allows, with the request that it was in.
    wrong: Vec<String>,
}

/// An open gate. Ending it fails the test when a request was not as the facts say.
#[derive(Debug)]
pub struct Gate {
    address: SocketAddr,
    passed: Arc<Mutex<Passed>>,
    closed: Arc<AtomicBool>,
}

impl Gate {
    /// A gate before the server at this URL.
    ///
    /// # Panics
    /// When the URL has no address of a server, or there is no free port.
    pub fn before(url: &str) -> Self {
        let url = Url::parse(url).expect("the server's URL");
        let server = *url.socket_addrs(|| None).expect("an address").first().expect("an address");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let gate = Self {
            address: listener.local_addr().expect("a bound listener has an address"),
            passed: Arc::default(),
            closed: Arc::default(),
        };
        let (passed, closed) = (gate.passed.clone(), gate.closed.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if closed.load(Ordering::Acquire) {
                    return;
                }
                let passed = passed.clone();
                // A client that hangs up is its own affair: whoever waits for the answer fails.
                thread::spawn(move || drop(pass(client, server, &passed)));
            }
        });
        gate
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests for a change so far: `POST /api/2.2/jobs/create`.
    pub fn changes(&self) -> Vec<String> {
        let passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        passed.requests.iter().filter(|request| !request.starts_with("GET ")).cloned().collect()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Release);
        // Wakes the listener up, so that it sees that it is to end.
        drop(TcpStream::connect(self.address));
        let passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        let wrong = passed.wrong.join("\n");
        assert!(thread::panicking() || wrong.is_empty(), "not as the API's facts say:\n{wrong}");
    }
}

/// Hands one request on, and its answer back.
fn pass(mut client: TcpStream, server: SocketAddr, passed: &Mutex<Passed>) -> io::Result<()> {
    let (line, headers, body) = read(&client)?;
    note(&line, &body, passed);
    let mut server = TcpStream::connect(server)?;
    let kept = headers.iter().filter(|header| !header.to_ascii_lowercase().starts_with("connection:"));
    let head = kept.fold(format!("{line}\r\nconnection: close\r\n"), |head, header| head + header + "\r\n");
    server.write_all(head.as_bytes())?;
    server.write_all(b"\r\n")?;
    server.write_all(&body)?;
    io::copy(&mut server, &mut client).map(drop)
}

/// The request's first line, its headers, and its body.
fn read(client: &TcpStream) -> io::Result<(String, Vec<String>, Vec<u8>)> {
    let mut reader = BufReader::new(client);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let length = lines.iter().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let line = lines.remove(0);
    Ok((line, lines, body))
}

fn note(line: &str, body: &[u8], passed: &Mutex<Passed>) {
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query =
        Url::parse(&format!("http://gate/?{query}")).map(|url| url.query_pairs().into_owned().collect::<Vec<_>>());
    let mut passed = passed.lock().unwrap_or_else(PoisonError::into_inner);
    passed.requests.push(format!("{method} {path}"));
    let found = facts::check(method, path, &query.unwrap_or_default(), body);
    let violations = found.err().unwrap_or_default();
    passed.wrong.extend(violations.iter().map(|violation| format!("{method} {target}: {violation}")));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(line: &str, body: &str) -> Vec<String> {
        let passed = Mutex::default();
        note(line, body.as_bytes(), &passed);
        passed.into_inner().expect("nobody panicked").wrong
    }

    #[test]
    fn what_the_facts_do_not_know_is_named_with_its_request() {
        let create = "POST /api/2.2/jobs/create HTTP/1.1";
        assert_eq!(wrong(create, r#"{"tasks": [{"task_key": "a"}]}"#), [""; 0]);
        assert_eq!(
            wrong(create, r#"{"tasks": [{"task_key": 1, "run_if": "NEVER", "pause": true}]}"#),
            [
                "POST /api/2.2/jobs/create: `tasks[0].pause` is not a known field",
                "POST /api/2.2/jobs/create: `tasks[0].run_if` is none of ALL_DONE, ALL_FAILED, ALL_SUCCESS, \
                 AT_LEAST_ONE_FAILED, AT_LEAST_ONE_SUCCESS, NONE_FAILED",
                "POST /api/2.2/jobs/create: `tasks[0].task_key` is not of type string",
            ]
        );
        assert_eq!(
            wrong("GET /api/2.2/jobs/list?nam=a%20b HTTP/1.1", ""),
            ["GET /api/2.2/jobs/list?nam=a%20b: `?nam` is not a known field"]
        );
    }
}
