//! Panics in what others wrote: told by whoever called it, with their place and without a secret, and printed by nobody
//! else. Any other panic of the process is printed as ever, without the secrets that it knows.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    io::Write as _,
    panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook},
    pin::pin,
    sync::Once,
    task::Poll,
};

use crate::scrub;

thread_local! {
    /// How many callers on this thread tell of a panic themselves.
    static TELLERS: Cell<usize> = const { Cell::new(0) };
    /// Where the last panic was that one of them tells of.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A panic that was caught.
pub(crate) struct Panicked {
    /// What was thrown.
    pub(crate) payload: Box<dyn Any + Send>,
    place: Option<String>,
}

impl Panicked {
    /// `src/main.rs:42:17: no such colour`, without any secret that the process knows.
    pub(crate) fn told(&self) -> String {
        let said = scrub::without_known(text(&*self.payload));
        match &self.place {
            Some(place) => format!("{place}: {said}"),
            None => said,
        }
    }
}

fn text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref::<&str>().copied());
    text.unwrap_or("without a message")
}

/// Does this, and hands over what it panics with.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    print_no_secrets();
    TELLERS.with(|tellers| tellers.set(tellers.get() + 1));
    let done = catch_unwind(AssertUnwindSafe(work));
    TELLERS.with(|tellers| tellers.set(tellers.get() - 1));
    done.map_err(|payload| Panicked { payload, place: PLACE.with(RefCell::take) })
}

/// The same of what takes its time.
pub(crate) async fn caught_async<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    let mut work = pin!(work);
    std::future::poll_fn(|context| match caught(|| work.as_mut().poll(context)) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(done)) => Poll::Ready(Ok(done)),
        Err(panicked) => Poll::Ready(Err(panicked)),
    })
    .await
}

/// From here on no panic of this process is printed with a secret in it.
pub(crate) fn print_no_secrets() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = take_hook();
        set_hook(Box::new(move |panic| {
            let place = panic.location().map(ToString::to_string);
            if TELLERS.with(Cell::get) > 0 {
                PLACE.with(|last| *last.borrow_mut() = place);
                return;
            }
            match scrubbed(panic) {
                Some(said) => {
                    let (name, place) = (std::thread::current(), place.unwrap_or_default());
                    let line =
                        format!("\nthread '{}' panicked at {place}:\n{said}\n", name.name().unwrap_or("<unnamed>"));
                    let _nobody_reads_it = std::io::stderr().write_all(line.as_bytes());
                }
                None => print(panic),
            }
        }));
    });
}

/// What a panic says, where that holds secrets: without them.
fn scrubbed(panic: &PanicHookInfo<'_>) -> Option<String> {
    let said = panic.payload_as_str()?;
    let without = scrub::without_known(said);
    (without != said).then_some(without)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_with_its_place_and_without_what_the_process_keeps_secret() {
        scrub::keep_secret("canary-of-panics");
        let told = |panicked: Panicked| panicked.told();
        let said = caught(|| panic!("no canary-of-panics here")).map_err(told);
        let said: String = match said {
            Ok(()) => String::new(),
            Err(said) => said,
        };
        assert!(said.contains("panics.rs:") && said.ends_with(": no [secret] here"), "{said}");
        assert_eq!(caught(|| 1).map_err(told), Ok(1));
    }

    #[tokio::test]
    async fn so_is_one_that_comes_after_a_wait() {
        let work = async {
            tokio::task::yield_now().await;
            assert!(std::hint::black_box(false), "later");
        };
        let said = caught_async(work).await.map_err(|panicked| panicked.told()).expect_err("it panics");
        assert!(said.contains("panics.rs:") && said.ends_with(": later"), "{said}");
    }
}
