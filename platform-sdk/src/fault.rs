//! Fault points: where a test lets the process die, as by `kill -9`, or stand still, as by `kill -STOP`. They exist only with
//! the feature `fault-points`, which nothing turns on by itself; in any other build passing one does nothing.

/// Dies here when it is this point's turn: `PLATFORM_FAULT_AT` counts the points that the process passes, from 1. Or stands
/// still: `PLATFORM_PAUSE_AT` counts those of one name, `2 records are durable`.
#[cfg(feature = "fault-points")]
pub(crate) fn point(what: &str) {
    use std::sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    };

    static DIES: LazyLock<Option<u64>> = LazyLock::new(|| std::env::var("PLATFORM_FAULT_AT").ok()?.parse().ok());
    static PASSED: AtomicU64 = AtomicU64::new(0);
    static PAUSES: LazyLock<Option<(u64, String)>> = LazyLock::new(|| {
        let at = std::env::var("PLATFORM_PAUSE_AT").ok()?;
        let (nth, name) = at.split_once(' ')?;
        Some((nth.parse().ok()?, name.to_owned()))
    });
    static PASSED_OF_NAME: AtomicU64 = AtomicU64::new(0);

    let is_turn = |passed: &AtomicU64, nth: u64| passed.fetch_add(1, Ordering::SeqCst) + 1 == nth;
    if DIES.is_some_and(|nth| is_turn(&PASSED, nth)) {
        said(what);
        die();
    }
    if PAUSES.as_ref().is_some_and(|(nth, name)| name == what && is_turn(&PASSED_OF_NAME, *nth)) {
        said(what);
        pause();
    }
}

/// Passes a point that is none in this build.
#[cfg(not(feature = "fault-points"))]
pub(crate) fn point(_what: &str) {}

#[cfg(feature = "fault-points")]
fn said(what: &str) {
    use std::io::Write as _;

    let _nobody_may_listen = writeln!(std::io::stderr(), "fault point: {what}");
}

#[cfg(all(feature = "fault-points", unix))]
fn die() -> ! {
    // The signal that a `kill -9` sends: nothing is unwound, flushed or released.
    let _sent = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::abort()
}

#[cfg(all(feature = "fault-points", not(unix)))]
fn die() -> ! {
    std::process::abort()
}

/// All threads stand still until somebody sends SIGCONT.
#[cfg(all(feature = "fault-points", unix))]
fn pause() {
    // Others come to rest first: between asking whether the lease lasts and sending is an instant that nobody can close.
    std::thread::sleep(std::time::Duration::from_millis(100));
    let _sent = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
    // Another thread may take the signal, and this one goes on for an instant.
    std::thread::sleep(std::time::Duration::from_millis(200));
}

#[cfg(all(feature = "fault-points", not(unix)))]
fn pause() {}
