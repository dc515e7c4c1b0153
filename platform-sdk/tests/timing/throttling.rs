//! A service that refuses what comes faster than its rate is used to the full, and hardly ever refuses, for a whole apply.

use std::time::Duration;

use platform_sdk::{Program, testing::Harness};

use super::{
    PARALLEL,
    bucket::Watched,
    lab::{Lab, Task},
    paused,
};

/// Longer than what is watched.
const SECONDS: u32 = 90;

/// Applies as many steps as the service can take in [`SECONDS`].
fn applied(rate: u32, after: Option<Duration>) -> Watched {
    let lab = Lab::limited(rate, after);
    // Each looks first and creates then: two calls.
    let steps = rate * SECONDS / 2;
    let declare = move |stack: &platform_sdk::Stack| {
        for index in 0..steps {
            let name = format!("t{index}");
            stack.add(&name, Task::new(&name, 0_u64));
        }
        Ok(())
    };
    let program = Program::new("lab", declare).provider(lab.clone());
    let harness = Harness::new().with_parallel(PARALLEL).with_runtime(paused);
    let run = harness.up(&program).expect("applied");
    assert!(run.failures.is_empty(), "{:?}", run.failures);
    assert_eq!(harness.snapshot().resources.len(), steps as usize);
    lab.watched()
}

fn keeps_to(rate: u32, after: Option<Duration>) {
    let seen = applied(rate, after);
    let Watched { answered, refused, whole } = seen;
    assert!(whole, "{rate} a second: it was over before it was watched to the end");
    let full = f64::from(rate * 60);
    assert!(f64::from(answered) >= 0.95 * full, "{rate} a second: {answered} answered in 60 s");
    let share = f64::from(refused) / f64::from(answered + refused);
    assert!(share < 0.05, "{rate} a second: {refused} refused of {}", answered + refused);
}

#[test]
fn an_apply_uses_a_limit_to_the_full_and_hardly_ever_meets_it() {
    for rate in [5, 20, 100] {
        keeps_to(rate, None);
    }
}

#[test]
fn a_service_that_says_how_long_to_wait_is_used_as_well() {
    for rate in [5, 20, 100] {
        keeps_to(rate, Some(Duration::from_secs(1)));
    }
}
