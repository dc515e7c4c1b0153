//! One process, measured from start to exit: wall time and peak memory.

use std::{
    io,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use wait4::Wait4 as _;

/// What one process cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// Bytes.
    pub(crate) memory: u64,
}

impl Cost {
    /// The least of both: what a run costs when nothing else disturbs it.
    pub(crate) fn least(self, other: Self) -> Self {
        Self { wall: self.wall.min(other.wall), memory: self.memory.min(other.memory) }
    }
}

/// The least of some runs of a command that changes nothing.
///
/// # Errors
/// As [`cost`].
pub(crate) fn least(command: &mut Command, runs: usize) -> io::Result<Cost> {
    let mut least = cost(command)?;
    for _ in 1..runs {
        least = least.least(cost(command)?);
    }
    Ok(least)
}

/// Runs a command to its end; what it says goes nowhere.
///
/// # Errors
/// When it can't be started or fails.
pub(crate) fn cost(command: &mut Command) -> io::Result<Cost> {
    let started = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let used = child.wait4()?;
    let wall = started.elapsed();
    if used.status.success() {
        Ok(Cost { wall, memory: used.rusage.maxrss })
    } else {
        Err(io::Error::other(format!("{command:?} failed: {}", used.status)))
    }
}
