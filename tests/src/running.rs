//! A program that is still running: what it has said so far, and signals to it.

use std::{
    io::Read as _,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// How long anything is waited for, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_mins(2);

/// A program that is still running.
#[derive(Debug)]
pub struct Running {
    child: Child,
    err: Arc<Mutex<String>>,
}

impl Running {
    /// Starts it; its stderr is read.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the program starts");
        let err = Arc::new(Mutex::new(String::new()));
        let (heard, mut stream) = (err.clone(), child.stderr.take().expect("piped"));
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..count]);
                heard.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
            }
        });
        Self { child, err }
    }

    /// Starts it with a terminal as its stderr, which somebody else reads.
    ///
    /// # Panics
    /// When it does not start.
    pub fn with_terminal(mut command: Command, terminal: impl Into<Stdio>) -> Self {
        let child = command.stderr(terminal).spawn().expect("the program starts");
        Self { child, err: Arc::default() }
    }

    /// What it has said on stderr so far.
    pub fn err(&self) -> String {
        self.err.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it has said this.
    ///
    /// # Panics
    /// When it never does.
    #[track_caller]
    pub fn until_said(&mut self, text: &str) {
        self.until(|running| running.err().contains(text));
    }

    /// Waits until this holds, while it runs.
    ///
    /// # Panics
    /// When it ends before, or it takes too long.
    #[track_caller]
    pub fn until(&mut self, holds: impl Fn(&Self) -> bool) {
        let since = Instant::now();
        while !holds(self) {
            let ended = self.child.try_wait().expect("it is our child");
            assert!(ended.is_none() && since.elapsed() < PATIENCE, "{ended:?}: {}", self.err());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until this has been heard, though it may have ended.
    ///
    /// # Panics
    /// When it never is.
    #[track_caller]
    pub fn until_heard(&self, text: &str) {
        let since = Instant::now();
        while !self.err().contains(text) {
            assert!(since.elapsed() < PATIENCE, "no {text:?} in {}", self.err());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// When it has ended already.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process has an id");
        kill_process(pid, signal).expect("it is our child");
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When that takes too long.
    #[track_caller]
    pub fn end(&mut self) -> ExitStatus {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status;
            }
            assert!(since.elapsed() < PATIENCE, "it does not end: {}", self.err());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}
