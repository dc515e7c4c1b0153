//! How long an apply takes at a service whose calls take time, and how well it keeps to a service's limit. In virtual time.

mod bucket;
mod lab;

mod not_ready;
mod scheduling;
mod throttling;

/// Slots, as `--parallel` has them unless told otherwise.
const PARALLEL: usize = 16;

/// A runtime whose clock stands still while anything can be done, and jumps to what is waited for.
fn paused() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()
}
