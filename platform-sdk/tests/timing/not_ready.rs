//! Who waits for a service to be ready for it holds up nobody else.

use std::time::Duration;

use platform_sdk::{Program, testing::Harness};

use super::{
    PARALLEL,
    lab::{Lab, Task},
    paused,
};

#[test]
fn more_waiting_steps_than_slots_leave_the_slots_to_the_others() {
    let lab = Lab::opening_after(Duration::from_mins(10));
    let program = Program::new("lab", |stack| {
        for (kind, count) in [("late", 8 * PARALLEL), ("plain", 4 * PARALLEL)] {
            for number in 0..count {
                let name = format!("{kind}{number:03}");
                stack.add(&name, Task::new(&name, 100));
            }
        }
        Ok(())
    });
    let harness = Harness::new().with_parallel(PARALLEL).with_runtime(paused);
    let run = harness.up(&program.provider(lab.clone())).expect("a plan");
    assert_eq!(run.failures, []);
    assert!(lab.most_busy() <= PARALLEL, "{} at once", lab.most_busy());
    // Four rounds of a tenth of a second, and the refusals that come in between.
    assert!(lab.ended("plain") < Duration::from_secs(1), "{:?}", lab.ended("plain"));
    let late = lab.ended("late");
    assert!(late >= Duration::from_mins(10) && late < Duration::from_secs(605), "{late:?}");
}
