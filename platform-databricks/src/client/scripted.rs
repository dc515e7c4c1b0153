//! A server that plays a script, one scene a request, and remembers what it was sent. For tests.
#![expect(clippy::unwrap_used, reason = "a test's server fails loudly")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Client, ClientOptions, Patience};
use crate::auth::{Environment, Login, LoginConfig};
use crate::sandbox::facts;

/// What the server does with one request.
pub(crate) enum Scene {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// Reads the request, then closes the connection.
    HangUp,
    /// Announces more than it sends.
    CutOff,
    /// Never answers.
    Sleep,
    /// Answers with this status and a body that never ends.
    Endless(u16),
    /// Announces a body of so many bytes, and sends none.
    Promise(u64),
}

/// An answer in JSON.
pub(crate) fn json(status: u16, body: &str) -> Scene {
    Scene::Answer { status, headers: vec![("content-type", "application/json".to_owned())], body: body.to_owned() }
}

/// A web page.
pub(crate) fn html(status: u16) -> Scene {
    let body = "<!doctype html><html><body>Sign in</body></html>".to_owned();
    Scene::Answer { status, headers: vec![("content-type", "text/html; charset=utf-8".to_owned())], body }
}

impl Scene {
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Method, path and query: `GET /api?x=1`.
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct Stage {
    script: VecDeque<Scene>,
    seen: Vec<Seen>,
}

/// A server on loopback.
#[derive(Clone)]
pub(crate) struct Server {
    stage: Arc<Mutex<Stage>>,
    address: String,
}

impl Server {
    pub(crate) async fn playing(script: impl IntoIterator<Item = Scene>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let stage = Arc::new(Mutex::new(Stage { script: script.into_iter().collect(), seen: Vec::new() }));
        let server = Self { stage, address };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        server
    }

    /// Scenes that name the server's own address.
    pub(crate) fn then(&self, scenes: impl IntoIterator<Item = Scene>) {
        self.stage.lock().unwrap().script.extend(scenes);
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A login with a personal access token.
    pub(crate) fn login(&self) -> Login {
        let env = Environment::empty().with("DATABRICKS_HOST", &self.address).with("DATABRICKS_TOKEN", "dapi-canary");
        LoginConfig::resolve(LoginConfig::default(), &env).unwrap()
    }

    /// A client with a personal access token that is quick to try again, for requests of the API.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.login(), quick()).unwrap()
    }

    /// The same for requests of any kind.
    pub(crate) fn careless_client(&self) -> Client {
        Client::new(self.login(), careless()).unwrap()
    }

    /// What arrived, once the whole script was played.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let stage = self.stage.lock().unwrap();
        assert!(stage.script.is_empty(), "{} scenes were not played", stage.script.len());
        stage.seen.clone()
    }

    /// Method, path and query of what arrived.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }

    async fn serve(self, mut stream: TcpStream) {
        let Some(seen) = read(&mut stream).await else { return };
        let scene = {
            let mut stage = self.stage.lock().unwrap();
            let scene = stage.script.pop_front();
            stage.seen.push(seen);
            scene
        };
        let text = match scene {
            Some(Scene::Answer { status, headers, body }) => {
                let headers = headers
                    .iter()
                    .map(|(name, value)| {
                        [
                            name, ": ", value, "
",
                        ]
                        .concat()
                    })
                    .collect::<String>();
                let length = body.len();
                format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
            }
            Some(Scene::HangUp) => return,
            Some(Scene::CutOff) => "HTTP/1.1 200 X\r\ncontent-length: 1000\r\n\r\n{\"id\": ".to_owned(),
            Some(Scene::Sleep) => return std::future::pending().await,
            Some(Scene::Endless(status)) => {
                let mut more = format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n\r\n[");
                while stream.write_all(more.as_bytes()).await.is_ok() {
                    more = " ".repeat(64 << 10);
                }
                return;
            }
            Some(Scene::Promise(length)) => {
                let head = format!("HTTP/1.1 200 X\r\ncontent-length: {length}\r\n\r\n");
                stream.write_all(head.as_bytes()).await.unwrap();
                return std::future::pending().await;
            }
            None => panic!("the script is over"),
        };
        stream.write_all(text.as_bytes()).await.unwrap();
        stream.shutdown().await.ok();
    }
}

/// Reads one request; `None` when the connection closes before it is whole.
async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let line = lines.next()?.trim_end_matches(" HTTP/1.1").to_owned();
    let headers = lines.filter_map(|line| line.split_once(": ")).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    let mut seen = Seen { line, headers, body: String::new() };
    let length: usize = seen.header("content-length").map_or(0, |length| length.parse().unwrap());
    while bytes.len() < head_end + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    seen.body = String::from_utf8(bytes[head_end + 4..].to_vec()).unwrap();
    Some(seen)
}

/// Options that give up soon, and fail the test at a request that is not as the API's facts say.
pub(crate) fn quick() -> ClientOptions {
    let tap = |method: &str, path: &str, query: &[(String, String)], body: Option<&Value>| {
        let sent = body.map(Value::to_string).unwrap_or_default();
        if let Err(violations) = facts::check(method, path, query, sent.as_bytes()) {
            let violations: Vec<_> = violations.iter().map(ToString::to_string).collect();
            panic!("{method} {path} is not as the API's facts say: {}", violations.join("; "));
        }
    };
    ClientOptions { tap: Some(Arc::new(tap)), ..careless() }
}

/// Options that give up soon.
pub(crate) fn careless() -> ClientOptions {
    let second = Duration::from_secs(2);
    ClientOptions {
        patience: Patience {
            throttled: second,
            unreachable: Duration::from_millis(200),
            broken: second,
            garbled: second,
        },
        request_timeout: Duration::from_secs(20),
        first_delay: Duration::from_millis(1),
        seed: Some(1),
        tap: None,
    }
}
