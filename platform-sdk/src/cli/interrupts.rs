//! Interrupts: the first signal asks a command for what it holds, or ends one that holds nothing; the second ends any at
//! once, and the journal covers what was in flight.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

use super::context::Exit;
use crate::{Result, report::Error, report::Printer};

/// Whether somebody asked the command to stop, and what it then says.
pub(crate) struct Interrupts {
    asked: watch::Receiver<bool>,
    /// What is said when it is asked; nothing while it holds nothing, and can end at any moment.
    holds: Arc<Mutex<Option<&'static str>>>,
}

impl Interrupts {
    /// As somebody else asks; nobody, where the sender is gone.
    pub(crate) fn by(asked: watch::Receiver<bool>) -> Self {
        Self { asked, holds: Arc::default() }
    }

    /// By the signals that this process gets from now on. Needs a runtime.
    ///
    /// # Errors
    /// When they can't be listened to.
    pub(super) fn of_process(printer: Arc<Printer>) -> io::Result<Self> {
        let mut signals = Signals::listen()?;
        let (ask, asked) = watch::channel(false);
        let holds: Arc<Mutex<Option<&'static str>>> = Arc::default();
        let known = holds.clone();
        tokio::spawn(async move {
            signals.next().await;
            let held = *known.lock().unwrap_or_else(PoisonError::into_inner);
            if held.is_some() {
                // Nobody listens any more when the command is about to end.
                let _ended = ask.send(true);
            }
            // A reader that has stopped reading holds up who writes, but not the second signal.
            tokio::task::spawn_blocking(move || {
                if let Some(said) = held {
                    return printer.note(said);
                }
                let _nobody_reads_it = printer.finish(false);
                std::process::exit(Exit::Interrupted.code().into());
            });
            signals.next().await;
            std::process::exit(Exit::Interrupted.code().into());
        });
        Ok(Self { asked, holds })
    }

    /// From now on the command holds something that it gives back before it ends: an interrupt asks for that, and says
    /// this.
    pub(crate) fn hold(&self, said: &'static str) {
        *self.holds.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
    }

    /// Ends when somebody asked.
    pub(crate) async fn asked(&self) {
        let mut asked = self.asked.clone();
        // A closed channel means that nobody ever will.
        if asked.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Turns true when somebody asks.
    pub(crate) fn receiver(&self) -> watch::Receiver<bool> {
        self.asked.clone()
    }

    /// Does this, which may be dropped halfway: an interrupt ends it.
    ///
    /// # Errors
    /// Its own, or that it was interrupted.
    pub(crate) async fn unless_asked<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.asked() => Err(Error::interrupted()),
            done = work => done,
        }
    }
}

/// Ctrl-C, SIGTERM and SIGHUP, as far as whoever started this process lets them through: `nohup` does not.
#[cfg(unix)]
struct Signals(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let heard = kinds.into_iter().filter(|kind| !is_ignored(&status, kind.as_raw_value()));
        Ok(Self(heard.map(signal).collect::<io::Result<_>>()?))
    }

    async fn next(&mut self) {
        if self.0.is_empty() {
            return std::future::pending().await;
        }
        let each = self.0.iter_mut().map(|signal| Box::pin(signal.recv()));
        futures::future::select_all(each).await;
    }
}

/// Whether a process ignores a signal, as Linux tells in its `status`; elsewhere it is taken to listen.
#[cfg(unix)]
fn is_ignored(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask >> (signal - 1) & 1 == 1
}

/// Ctrl-C.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::is_ignored;

    #[test]
    fn what_nohup_ignores_stays_ignored() {
        let status = "Name:\tprod\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000442\n";
        assert!(is_ignored(status, 1), "SIGHUP");
        assert!(!is_ignored(status, 2), "SIGINT");
        assert!(!is_ignored("", 1), "where nothing is told");
    }
}
