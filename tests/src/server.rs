//! Servers that others wrote, as child processes on loopback: moto for AWS, minilake for Databricks, Azurite for
//! Azure.

use std::{
    fs::File,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{Python, node, root};

/// How long a server may take until it accepts a connection: minilake takes 3 s on an idle machine.
const STARTS_WITHIN: Duration = Duration::from_secs(90);

/// A server that ends with this value.
#[derive(Debug)]
pub struct Server {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Server {
    /// moto 5.2.1 with an empty account, or none and its name among the suites that were left out.
    ///
    /// # Panics
    /// When it does not start.
    pub fn moto(suite: &str) -> Option<Self> {
        let python = Python::for_suite(suite, &["moto.server", "boto3"])?;
        let port = free_port();
        let mut command = python.command();
        command.arg(root().join("tests/tools/moto_fixed.py")).args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        Some(Self::start(command, port, |_, _| {}))
    }

    /// minilake 1.9.0 with an empty lake, or none and its name among the suites that were left out.
    ///
    /// # Panics
    /// When it does not start.
    pub fn minilake(suite: &str) -> Option<Self> {
        let python = Python::for_suite(suite, &["minilake"])?;
        let port = free_port();
        let mut command = Command::new(python.tool("minilake"));
        crate::python::clear(&mut command, std::env::vars_os().map(|(name, _)| name));
        command.args(["--host", "127.0.0.1", "--port", &port.to_string()]).env("MINILAKE_NOTEBOOK", "0");
        Some(Self::start(command, port, |command, folder| {
            command.env("MINILAKE_DATA_DIR", folder.join("data"));
        }))
    }

    /// Azurite 3.35.0, its blobs alone, with the emulator's account and no container, or none and the suite's name among
    /// those that were left out.
    ///
    /// # Panics
    /// When it does not start.
    pub fn azurite(suite: &str) -> Option<Self> {
        let mut command = node::script(suite, "azurite/dist/src/blob/main.js")?;
        let port = free_port();
        command.args(["--blobPort", &port.to_string(), "--inMemoryPersistence", "--disableTelemetry", "--silent"]);
        Some(Self::start(command, port, |_, _| {}))
    }

    /// Starts a command that will listen on this port of 127.0.0.1, in a folder of its own, and waits until it does.
    ///
    /// # Panics
    /// When it ends or stays silent; the message holds what it said.
    pub fn start(mut command: Command, port: u16, place: impl FnOnce(&mut Command, &Path)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        place(&mut command, folder.path());
        let log = File::create(log_in(folder.path())).expect("a log in the temporary folder");
        let errors = log.try_clone().expect("a second handle of the log");
        let child = command.current_dir(folder.path()).stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        let child = child.unwrap_or_else(|error| panic!("can't start {command:?}: {error}"));
        let mut server = Self { child, port, folder };
        if let Err(why) = server.wait() {
            panic!("{command:?} {why}; it said:\n{}", server.said());
        }
        server
    }

    fn wait(&mut self) -> Result<(), String> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let began = Instant::now();
        while began.elapsed() < STARTS_WITHIN {
            if TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait().map_err(|error| error.to_string())? {
                return Err(format!("ended with {status}"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(format!("did not listen on port {} within {} s", self.port, STARTS_WITHIN.as_secs()))
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Everything it wrote to standard output and standard error so far.
    pub fn said(&self) -> String {
        let said = std::fs::read(log_in(self.folder.path()));
        said.map_or_else(|error: io::Error| error.to_string(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing to do about it then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log_in(folder: &Path) -> PathBuf {
    folder.join("said.log")
}

/// A port of 127.0.0.1 that was free a moment ago.
///
/// # Panics
/// When there is none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound listener has an address").port()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "it said:\nno such lake")]
    fn a_server_that_does_not_start_is_quoted() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such lake; exit 3"]);
        drop(Server::start(command, free_port(), |_, _| {}));
    }
}
