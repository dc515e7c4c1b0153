//! HTTP/1.1 on loopback: from hyper's requests to the kit's, and back, with answers that break off on purpose.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{
    body::{Body, Frame, Incoming, SizeHint},
    header::{CONTENT_LENGTH, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, time::Sleep};

use super::{
    Request, Response, control,
    exchange::{Exchange, Reply},
    guard,
};

/// How long the half of an answer is given to reach the client before the connection breaks.
const BREAK_OFF: Duration = Duration::from_millis(25);

/// Serves connections until it is dropped.
pub(super) async fn connections(listener: TcpListener, exchange: Arc<Exchange>) -> Infallible {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, or a client that went away: neither ends the sandbox.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        // An answer is written in two parts; waiting for an acknowledgement in between costs 40 ms each time.
        let _best_effort = stream.set_nodelay(true);
        let exchange = Arc::clone(&exchange);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(&exchange, request));
            // An error here is the dropped connection that a fault asked for, or a client that hung up.
            let _ended = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(exchange: &Exchange, request: hyper::Request<Incoming>) -> io::Result<hyper::Response<Payload>> {
    let (head, body) = request.into_parts();
    let mut request = read(&head);
    if let Some(response) = guard::refusal(exchange.service(), &request) {
        return written(response, false);
    }
    let most = exchange.service().largest_body();
    match read_body(body, most).await? {
        Some(body) => request.body = body,
        None => return written(guard::too_large(most).header("connection", "close"), false),
    }
    if let Some(response) = control::answer(exchange, &request) {
        return written(response, false);
    }
    let dealt = exchange.deal(&request);
    if !dealt.latency.is_zero() {
        tokio::time::sleep(dealt.latency).await;
    }
    match exchange.carry_out(&request, &dealt) {
        Reply::Whole(response) => written(response, false),
        Reply::CutOff(response) => written(response, true),
        Reply::Nothing => Err(io::ErrorKind::ConnectionAborted.into()),
    }
}

/// A body, unless it has more than so many bytes; then the rest is not read.
async fn read_body(body: Incoming, most: usize) -> io::Result<Option<Vec<u8>>> {
    if body.size_hint().lower() > most as u64 {
        return Ok(None);
    }
    match Limited::new(body, most).collect().await {
        Ok(body) => Ok(Some(body.to_bytes().into())),
        Err(error) if error.is::<LengthLimitError>() => Ok(None),
        Err(error) => Err(io::Error::other(error)),
    }
}

/// A request's head as the kit sees it, without a body yet.
fn read(head: &hyper::http::request::Parts) -> Request {
    let mut read = Request {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(query_pairs).unwrap_or_default(),
        headers: std::collections::BTreeMap::new(),
        body: Vec::new(),
    };
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        read.headers
            .entry(name.as_str().to_owned())
            .and_modify(|all| {
                all.push_str(", ");
                all.push_str(&value);
            })
            .or_insert_with(|| value.clone().into_owned());
    }
    // A whole address in the request line stands above the header (RFC 9112, 3.2.2).
    if let Some(authority) = head.uri.authority() {
        read.headers.insert("host".to_owned(), authority.to_string());
    }
    read
}

/// The decoded pairs of a query, in their order.
pub(crate) fn query_pairs(query: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(k, v)| (decoded(k), decoded(v))).collect()
}

fn written(response: Response, cut_off: bool) -> io::Result<hyper::Response<Payload>> {
    let mut builder = hyper::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    let whole = response.body.len();
    let payload = Payload::new(response.body, cut_off);
    let mut response = builder.body(payload).map_err(io::Error::other)?;
    if response.status() != hyper::StatusCode::NO_CONTENT {
        // An answer to HEAD may say a length of its own.
        response.headers_mut().entry(CONTENT_LENGTH).or_insert(HeaderValue::from(whole));
    }
    Ok(response)
}

/// An answer's body: whole, or its first half and then an error, which makes hyper drop the connection.
struct Payload {
    rest: Option<Bytes>,
    length: u64,
    breaks: Option<Pin<Box<Sleep>>>,
}

impl Payload {
    fn new(body: Vec<u8>, cut_off: bool) -> Self {
        let length = body.len() as u64;
        let mut rest = Bytes::from(body);
        if cut_off {
            rest.truncate(rest.len() / 2);
        }
        let breaks = cut_off.then(|| Box::pin(tokio::time::sleep(BREAK_OFF)));
        Self { rest: Some(rest).filter(|rest| !rest.is_empty()), length, breaks }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(rest) = self.rest.take() {
            return Poll::Ready(Some(Ok(Frame::data(rest))));
        }
        match &mut self.breaks {
            Some(sleep) => sleep.as_mut().poll(context).map(|()| Some(Err(io::ErrorKind::ConnectionAborted.into()))),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_none() && self.breaks.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}
