//! Signals: the first asks a run to stop, the second ends the process at once; the journal covers what was in flight.

use tokio::sync::watch;

use crate::cli::Context;

/// The exit code of an interrupted command.
const INTERRUPTED: i32 = 130;

/// Turns true with the first interrupt.
pub(super) fn stop_on_interrupt(context: &Context) -> watch::Receiver<bool> {
    if let Some(embedded) = &context.embedded {
        return embedded.stop.clone();
    }
    let (stop, stopped) = watch::channel(false);
    let printer = context.printer.clone();
    tokio::spawn(async move {
        interrupt().await;
        printer.note("stopping: nothing new is started, what is in flight is waited for; again to end at once");
        // Nobody listens any more when the apply has ended.
        let _ended = stop.send(true);
        interrupt().await;
        std::process::exit(INTERRUPTED);
    });
    stopped
}

/// The next Ctrl-C, SIGTERM or SIGHUP.
async fn interrupt() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut terminate), Ok(mut hang_up)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
        else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
