//! Fault points: where a test lets the process die, as by `kill -9`. They exist only with the feature `fault-points`, which
//! nothing turns on by itself; in any other build passing one does nothing.

/// Dies here when it is this point's turn: `PLATFORM_FAULT_AT` counts the points that the process passes, from 1.
#[cfg(feature = "fault-points")]
pub(crate) fn point(what: &str) {
    use std::{
        io::Write as _,
        sync::{
            LazyLock,
            atomic::{AtomicU64, Ordering},
        },
    };

    static AT: LazyLock<Option<u64>> =
        LazyLock::new(|| std::env::var("PLATFORM_FAULT_AT").ok().and_then(|at| at.parse().ok()));
    static PASSED: AtomicU64 = AtomicU64::new(0);

    if AT.is_some_and(|at| at == PASSED.fetch_add(1, Ordering::SeqCst) + 1) {
        let _nobody_may_listen = writeln!(std::io::stderr(), "fault point: {what}");
        die();
    }
}

/// Passes a point that is none in this build.
#[cfg(not(feature = "fault-points"))]
pub(crate) fn point(_what: &str) {}

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
