//! A workspace that refuses what comes faster than its rate: a whole apply, from the engine to the wire, uses the rate to
//! the full and is hardly ever refused. In virtual time, over real connections.
#![expect(clippy::unwrap_used, reason = "a test that can't go on says where")]

use std::{
    convert::Infallible,
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use platform_databricks::{WorkspaceProvider, catalog::Schema};
use platform_sdk::{Id, Program, testing::Harness};
use serde_json::{Value, json};
use tokio::{
    runtime::Runtime,
    time::{Instant, sleep},
};

/// How long an answer takes.
const LATENCY: Duration = Duration::from_millis(50);
/// What is watched: a minute after twenty seconds of learning.
const WATCHED: std::ops::Range<Duration> = Duration::from_secs(20)..Duration::from_secs(80);
/// How long an apply goes on: longer than what is watched.
const SECONDS: u32 = 90;

/// A workspace with a token bucket: so many calls a second, and as many at once after a rest.
struct Workspace {
    rate: u32,
    /// The pause that a refusal asks for, in seconds.
    retry_after: Option<&'static str>,
    bucket: Mutex<Bucket>,
}

#[derive(Default)]
struct Bucket {
    level: f64,
    began: Option<Instant>,
    last: Option<Instant>,
    answered: u32,
    refused: u32,
}

impl Workspace {
    fn new(rate: u32, retry_after: Option<&'static str>) -> Self {
        let bucket = Bucket { level: rate.into(), ..Bucket::default() };
        Self { rate, retry_after, bucket: Mutex::new(bucket) }
    }

    /// Takes a call, or refuses it; counts it while that is watched.
    fn admits(&self) -> bool {
        let (mut bucket, now) = (self.bucket.lock().unwrap(), Instant::now());
        let since = now - bucket.last.replace(now).unwrap_or(now);
        let level = (bucket.level + since.as_secs_f64() * f64::from(self.rate)).min(self.rate.into());
        let admitted = level >= 1.0;
        bucket.level = if admitted { level - 1.0 } else { level };
        if WATCHED.contains(&(now - *bucket.began.get_or_insert(now))) {
            if admitted { bucket.answered += 1 } else { bucket.refused += 1 }
        }
        admitted
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let admitted = self.admits();
        sleep(LATENCY).await;
        let mut response = Response::builder().header("x-databricks-org-id", "42");
        let (status, body) = if admitted {
            served(request).await
        } else {
            if let Some(seconds) = self.retry_after {
                response = response.header("retry-after", seconds);
            }
            (429, json!({"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "too many requests"}))
        };
        Ok(response.status(status).body(Full::from(body.to_string())).unwrap())
    }
}

/// What the workspace answers when it takes the call: no schema is there, and each can be made.
async fn served(request: Request<Incoming>) -> (u16, Value) {
    let (parts, body) = request.into_parts();
    match (&parts.method, parts.uri.path()) {
        (&Method::GET, "/api/2.0/preview/scim/v2/Me") => (200, json!({"id": "1", "userName": "me@example.com"})),
        (&Method::GET, "/api/2.1/unity-catalog/current-metastore-assignment") => (200, json!({"metastore_id": "m"})),
        (&Method::POST, "/api/2.1/unity-catalog/schemas") => {
            let mut schema: Value = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap();
            let part = |name: &str| schema[name].as_str().unwrap().to_owned();
            schema["full_name"] = format!("{}.{}", part("catalog_name"), part("name")).into();
            (200, schema)
        }
        _ => (404, json!({"error_code": "SCHEMA_DOES_NOT_EXIST", "message": "there is no such schema"})),
    }
}

/// Serves connections in the client's own runtime, so that both live in the same virtual time.
async fn serve(listener: TcpListener, workspace: Arc<Workspace>) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let workspace = workspace.clone();
        let answer = service_fn(move |request| workspace.clone().answer(request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

fn runtime(listener: &TcpListener, workspace: &Arc<Workspace>) -> std::io::Result<Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    runtime.spawn(serve(listener.try_clone()?, workspace.clone()));
    Ok(runtime)
}

/// Makes as many schemas as the workspace lets through in [`SECONDS`]; each takes two calls: a look and a create.
fn apply(workspace: &Arc<Workspace>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    let steps = workspace.rate * SECONDS / 2;
    let declare = move |stack: &platform_sdk::Stack| {
        for index in 0..steps {
            let name = format!("s{index}");
            stack.add(&name, Schema::new(Id::new("lake"), &name));
        }
        Ok(())
    };
    let program = Program::new("acme", declare).provider(WorkspaceProvider::new(host).token("dapi-1".to_owned()));
    let of_run = workspace.clone();
    let harness = Harness::new().with_parallel(16).with_runtime(move || runtime(&listener, &of_run));
    let run = harness.up(&program).unwrap();
    assert!(run.failures.is_empty(), "{:?}", run.failures);
    assert_eq!(harness.snapshot().resources.len(), steps as usize);
}

#[test]
fn an_apply_keeps_to_a_workspaces_limit() {
    for (rate, retry_after) in [(5, None), (20, Some("1")), (100, None)] {
        let workspace = Arc::new(Workspace::new(rate, retry_after));
        apply(&workspace);
        let bucket = workspace.bucket.lock().unwrap();
        let (answered, refused) = (f64::from(bucket.answered), f64::from(bucket.refused));
        assert!(bucket.last.unwrap() - bucket.began.unwrap() >= WATCHED.end, "{rate} a second: over too soon");
        assert!(answered >= 0.95 * 60.0 * f64::from(rate), "{rate} a second: {answered} answered in 60 s");
        assert!(refused < 0.05 * (answered + refused), "{rate} a second: {refused} refused, {answered} answered");
    }
}
