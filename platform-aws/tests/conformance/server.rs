//! moto in a process of its own, one for the whole suite.

use std::{
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, OnceLock},
    time::{Duration, Instant},
};

/// The URL of the running server, or why there is none.
pub(crate) fn moto() -> Result<&'static str, &'static str> {
    static MOTO: OnceLock<Result<String, String>> = OnceLock::new();
    MOTO.get_or_init(start).as_ref().map(String::as_str).map_err(String::as_str)
}

/// The interpreter that has moto and boto3: the one that is named, the prepared one, the system's.
pub(crate) fn python() -> Result<&'static Path, &'static str> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    PYTHON.get_or_init(find_python).as_deref().ok_or("no Python with moto and boto3 (PLATFORM_TEST_PYTHON names one)")
}

fn find_python() -> Option<PathBuf> {
    let prepared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/venv/bin/python");
    let named = std::env::var_os("PLATFORM_TEST_PYTHON").map(PathBuf::from);
    let candidates = [named, Some(prepared), Some(PathBuf::from("python3"))];
    candidates.into_iter().flatten().find(|python| {
        let imports = Command::new(python).args(["-c", "import boto3, flask, moto"]).stderr(Stdio::null()).status();
        imports.is_ok_and(|status| status.success())
    })
}

fn start() -> Result<String, String> {
    let python = python()?;
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).map_err(|e| e.to_string())?.port();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/moto_fixed.py");
    // The watcher ends moto when this process does, however it ends: its standard input closes then.
    let watcher = "import subprocess, sys; p = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, \
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL); sys.stdin.read(); p.terminate()";
    let child = Command::new(python)
        .args(["-c", watcher])
        .arg(python)
        .args([script, "-H", "127.0.0.1", "-p", &port.to_string()])
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    keep(child);
    let deadline = Instant::now() + Duration::from_mins(1);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if Instant::now() > deadline {
            return Err("moto did not start within a minute".to_owned());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(format!("http://127.0.0.1:{port}"))
}

/// Holds the pipe open for the life of this process.
fn keep(child: Child) {
    static CHILD: Mutex<Option<Child>> = Mutex::new(None);
    *CHILD.lock().expect("nobody panicked with it") = Some(child);
}
