//! A host whose answers are the bytes of a reader's input, one after the other, and the clients that ask it.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use platform_databricks::{
    auth::{Environment, LoginConfig},
    client::{Client, ClientOptions, Patience},
};
use tokio::runtime::Runtime;

/// What separates the answers of an input.
const NEXT: &[u8] = b"\n====\n";

/// The headers that clients read.
const HEADERS: &[&str] = &["content-type", "date", "location", "retry-after", "x-databricks-org-id", "x-request-id"];

/// The answers to come; the last one stays.
#[derive(Default)]
struct Script(Vec<Vec<u8>>);

/// The host, what runs its clients, and these.
pub(crate) struct Host {
    script: Arc<Mutex<Script>>,
    pub(crate) runtime: Runtime,
    /// With a token.
    pub(crate) client: Client,
    url: String,
}

/// The host of this process.
pub(crate) fn host() -> &'static Host {
    static HOST: OnceLock<Host> = OnceLock::new();
    HOST.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
        let script = Arc::new(Mutex::new(Script::default()));
        let (told, here, login) =
            (script.clone(), url.clone(), Environment::empty().with("DATABRICKS_TOKEN", "dapi-1"));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let script = told.clone();
                let here = here.clone();
                std::thread::spawn(move || serve(&stream, &script, &here));
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Host { script, runtime, client: client(&url, &login), url }
    })
}

impl Host {
    /// Answers with these bytes from now on.
    pub(crate) fn say(&self, bytes: &[u8]) {
        let mut answers = Vec::new();
        let mut rest = bytes;
        while let Some(at) = rest.windows(NEXT.len()).position(|window| window == NEXT) {
            answers.push(rest[..at].to_vec());
            rest = &rest[at + NEXT.len()..];
        }
        answers.push(rest.to_vec());
        answers.reverse();
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = Script(answers);
    }

    /// A client for these answers: one that was told to be slow would be so for those that come after.
    pub(crate) fn client_for(&self, bytes: &[u8]) -> Client {
        let slows = [b"429", b"503"].iter().any(|status| bytes.windows(3).any(|window| window == *status));
        if slows {
            client(&self.url, &Environment::empty().with("DATABRICKS_TOKEN", "dapi-1"))
        } else {
            self.client.clone()
        }
    }

    /// A client that has no token yet.
    pub(crate) fn newcomer(&self) -> Client {
        let login = Environment::empty().with("DATABRICKS_CLIENT_ID", "robot").with("DATABRICKS_CLIENT_SECRET", "hush");
        client(&self.url, &login)
    }
}

/// One that tries everything once.
fn client(host: &str, login: &Environment) -> Client {
    let config = LoginConfig { host: Some(host.to_owned()), ..LoginConfig::default() };
    let login = LoginConfig::resolve(config, login).expect("a login");
    let none = Duration::ZERO;
    let patience = Patience { throttled: none, unreachable: none, broken: none, garbled: none };
    Client::new(login, ClientOptions { patience, first_delay: none, ..ClientOptions::default() }).expect("a client")
}

/// Answers the requests of one connection, for as long as it is open.
fn serve(stream: &TcpStream, script: &Mutex<Script>, url: &str) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            if reader.read_line(&mut line).map_or(true, |read| read == 0) {
                return;
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        let answer = {
            let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
            if script.0.len() > 1 { script.0.pop() } else { script.0.last().cloned() }
        };
        let answer = framed(&placed(answer.unwrap_or_default(), url));
        if reader.read_exact(&mut body).is_err() || (&*stream).write_all(&answer).is_err() {
            return;
        }
    }
}

/// An answer in which `{here}` is the host's own address.
fn placed(answer: Vec<u8>, url: &str) -> Vec<u8> {
    match answer.windows(6).position(|window| window == b"{here}") {
        Some(at) => [&answer[..at], url.as_bytes(), &answer[at + 6..]].concat(),
        None => answer,
    }
}

/// An answer as HTTP frames it: `status`, lines of headers, an empty line, the body. Without a status it is a success.
fn framed(answer: &[u8]) -> Vec<u8> {
    let end = answer.windows(2).position(|window| window == b"\n\n");
    let (head, body) = end.map_or((&b"200"[..], answer), |end| (&answer[..end], &answer[end + 2..]));
    let head = String::from_utf8_lossy(head);
    let status: u16 = head.lines().next().and_then(|line| line.trim().parse().ok()).unwrap_or(200);
    // Below, nothing is an answer yet; a few have no body.
    let status = if (200..600).contains(&status) && ![204, 304].contains(&status) { status } else { 200 };
    let mut framed = format!("HTTP/1.1 {status} It\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in head.lines().filter_map(|line| line.split_once(':')) {
        let sendable = |text: &str| text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if HEADERS.contains(&&*name.to_lowercase()) && sendable(value) {
            framed.extend([name, ":", value, "\r\n"]);
        }
    }
    let mut framed = (framed + "\r\n").into_bytes();
    framed.extend_from_slice(body);
    framed
}
