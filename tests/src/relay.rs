//! A relay in front of a server: it sees each request, and hands it on as it is or as something else.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use reqwest::Url;

/// An open relay, until this value ends.
#[derive(Debug)]
pub(crate) struct Relay {
    address: SocketAddr,
    closed: Arc<AtomicBool>,
}

/// A request on its way.
#[derive(Debug)]
pub(crate) struct Request {
    /// `GET /path?query HTTP/1.1`.
    pub(crate) line: String,
    /// `name: value`, each.
    pub(crate) headers: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Relay {
    /// A relay before the server at this URL. Each request has a connection of its own, whose answer is what `hand_on`
    /// gives.
    ///
    /// # Panics
    /// When the URL has no address of a server, or there is no free port.
    pub(crate) fn before(
        url: &str,
        hand_on: impl Fn(&Request, SocketAddr) -> io::Result<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        let url = Url::parse(url).expect("the server's URL");
        let server = *url.socket_addrs(|| None).expect("an address").first().expect("an address");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let relay =
            Self { address: listener.local_addr().expect("a bound listener has an address"), closed: Arc::default() };
        let (hand_on, closed) = (Arc::new(hand_on), relay.closed.clone());
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                if closed.load(Ordering::Acquire) {
                    return;
                }
                let hand_on = hand_on.clone();
                // A client that hangs up is its own affair: whoever waits for the answer fails.
                thread::spawn(move || {
                    let answer = Request::read(&client).and_then(|request| hand_on(&request, server));
                    drop(answer.and_then(|answer| client.write_all(&answer)));
                });
            }
        });
        relay
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Release);
        // Wakes the listener up, so that it sees that it is to end.
        drop(TcpStream::connect(self.address));
    }
}

impl Request {
    fn read(client: &TcpStream) -> io::Result<Self> {
        let mut reader = BufReader::new(client);
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match line.trim_end() {
                "" => break,
                line => headers.push(line.to_owned()),
            }
        }
        let line = headers.remove(0);
        let mut request = Self { line, headers, body: Vec::new() };
        let length = request.header("content-length").and_then(|length| length.parse().ok());
        request.body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut request.body)?;
        Ok(request)
    }

    /// The value of a header.
    pub(crate) fn header(&self, wanted: &str) -> Option<&str> {
        self.headers.iter().find_map(|header| {
            let (name, value) = header.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then_some(value.trim())
        })
    }

    /// Hands it on; the server's whole answer.
    ///
    /// # Errors
    /// When the server can't be reached, or breaks off.
    pub(crate) fn pass(&self, server: SocketAddr) -> io::Result<Vec<u8>> {
        let mut server = TcpStream::connect(server)?;
        let kept = self.headers.iter().filter(|header| !header.to_ascii_lowercase().starts_with("connection:"));
        let head = kept.fold(format!("{}\r\nconnection: close\r\n", self.line), |head, header| head + header + "\r\n");
        server.write_all(head.as_bytes())?;
        server.write_all(b"\r\n")?;
        server.write_all(&self.body)?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer)?;
        Ok(answer)
    }
}
