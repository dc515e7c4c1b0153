//! Starting a sandbox, or attaching to the one that another process runs over the same folder.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};

use super::{Faults, Service, exchange::Exchange, guard, private, serve};
use crate::files;

/// How long to wait for the process that holds the lock to say where it listens.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a sandbox starts.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What goes wrong, from the first request on. A server that runs already keeps its own faults.
    pub faults: Faults,
}

impl Options {
    /// With the faults in `PLATFORM_SANDBOX_FAULTS` (JSON), if it is set.
    ///
    /// # Errors
    /// When the variable is set and holds no [`Faults`].
    pub fn from_env() -> io::Result<Self> {
        match std::env::var("PLATFORM_SANDBOX_FAULTS") {
            Ok(json) => Self::from_json(&json),
            Err(std::env::VarError::NotPresent) => Ok(Self::default()),
            Err(error) => Err(io::Error::new(io::ErrorKind::InvalidInput, error)),
        }
    }

    fn from_json(json: &str) -> io::Result<Self> {
        let faults = serde_json::from_str(json).map_err(|error| {
            let what = format!("PLATFORM_SANDBOX_FAULTS can't be read as faults: {error}");
            io::Error::new(io::ErrorKind::InvalidInput, what)
        })?;
        Ok(Self { faults })
    }
}

/// Where a sandbox answers.
#[derive(Debug)]
pub struct Endpoint {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// The server, when this process runs it; dropping it stops it. `None`: attached to another process's.
    pub running: Option<Running>,
}

/// A server in this process. It has a thread and a runtime of its own, so that it answers also while the caller's
/// runtime is busy, paused or gone.
#[derive(Debug)]
pub struct Running {
    stop: watch::Sender<bool>,
    ended: Option<oneshot::Receiver<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Stops the server: afterwards the port and the lock are free.
    pub async fn stop(mut self) {
        let _gone_already = self.stop.send(true);
        if let Some(ended) = self.ended.take() {
            let _gone_already = ended.await;
        }
    }

    /// Waits until the server ends, which by itself it never does.
    pub async fn ended(&mut self) {
        if let Some(ended) = &mut self.ended {
            let _gone_already = ended.await;
            self.ended = None;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone_already = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            // The runtime's thread never waits for a client, so this is as long as one request's write to disk.
            let _panicked = thread.join();
        }
    }
}

/// What the serving process writes down for others, and for its own next run.
#[derive(Debug, Serialize, Deserialize)]
struct Whereabouts {
    port: u16,
    pid: u32,
}

/// Serves `service` with its world in `<dir>/<service>/`, or attaches to the process that does so already.
///
/// The port of the last run is taken again if it is free, so that exported environments stay valid.
///
/// Blocks for as long as the world takes to load, and up to 5 seconds for another process that is just starting.
///
/// # Errors
/// When the folder can't be written, the world is damaged, or another process holds the lock and does not answer.
pub fn attach_or_start(dir: &Path, service: Arc<dyn Service>, options: Options) -> io::Result<Endpoint> {
    let folder = dir.join(service.name());
    private::folder(&folder)?;
    let lock = private::open(&folder.join("lock"), OpenOptions::new().create(true).truncate(false).write(true))?;
    let give_up = Instant::now() + PATIENCE;
    loop {
        match lock.try_lock() {
            Ok(()) => return start(&folder, service, options, lock),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
        if let Some(known) = whereabouts(&folder)
            && answers(&known, service.name())
        {
            return Ok(Endpoint { url: url(known.port), running: None });
        }
        if Instant::now() > give_up {
            let what = format!("another process has locked {} and does not answer", folder.display());
            return Err(io::Error::new(io::ErrorKind::TimedOut, what));
        }
        std::thread::sleep(Duration::from_millis(25));
    }
}

fn start(folder: &Path, service: Arc<dyn Service>, options: Options, lock: File) -> io::Result<Endpoint> {
    let exchange = Arc::new(Exchange::open(folder, service, options.faults)?);
    let listener = bind(whereabouts(folder).map(|known| known.port))?;
    let port = listener.local_addr()?.port();
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (stop, mut stopped) = watch::channel(false);
    let (end, ended) = oneshot::channel();
    let thread = std::thread::Builder::new().name(format!("sandbox:{port}")).spawn(move || {
        runtime.block_on(async {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
            tokio::select! {
                never = serve::connections(listener, exchange) => match never {},
                _ = stopped.wait_for(|stop| *stop) => {}
            }
        });
        // Connections hold the world, and the next owner of the lock must find it at rest.
        drop(runtime);
        drop(lock);
        let _nobody_waits = end.send(());
    })?;
    let running = Running { stop, ended: Some(ended), thread: Some(thread) };
    let whereabouts = serde_json::to_vec(&Whereabouts { port, pid: std::process::id() })?;
    private::replace(&folder.join("endpoint.json"), &whereabouts)?;
    Ok(Endpoint { url: url(port), running: Some(running) })
}

fn bind(remembered: Option<u16>) -> io::Result<TcpListener> {
    if let Some(port) = remembered
        && let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
    {
        return Ok(listener);
    }
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
}

fn whereabouts(folder: &Path) -> Option<Whereabouts> {
    serde_json::from_slice(&files::read(&folder.join("endpoint.json")).ok()?).ok()
}

/// Whether this service answers there, from that process: a remembered port may be anyone's by now.
fn answers(known: &Whereabouts, service: &str) -> bool {
    let ask = || -> io::Result<String> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, known.port));
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_millis(500))?;
        stream.set_read_timeout(Some(Duration::from_millis(500)))?;
        let head = "GET /_sandbox/health HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n";
        stream.write_all(format!("{head}{}: 1\r\n\r\n", guard::HEADER).as_bytes())?;
        let mut answer = String::new();
        stream.take(4096).read_to_string(&mut answer)?;
        Ok(answer)
    };
    let body = ask().ok().and_then(|answer| answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()));
    let health: Option<serde_json::Value> = body.and_then(|body| serde_json::from_str(&body).ok());
    health.is_some_and(|health| health["service"] == service && health["pid"] == known.pid)
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
