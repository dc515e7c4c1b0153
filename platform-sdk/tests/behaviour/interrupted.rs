//! The first interrupt: nothing new is started, and what only waits is not waited for.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use platform_sdk::{
    Program,
    state::Memory,
    testing::{Command, Said},
};
use time::OffsetDateTime;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    support::program,
    yard::{House, World},
};

/// A house that is not ready for long, and one that waits for it.
fn slow(world: &World) -> Program {
    program(world, |stack| {
        let slow = stack.add("slow", House::new("slow")).wait(true);
        stack.add("next", House::new("next")).depends_on(&slow);
        Ok(())
    })
}

#[test]
fn readiness_is_not_waited_for_and_the_next_run_goes_on_waiting() {
    let (world, store) = (World::default(), Arc::new(Memory::default()));
    let (interrupt, stop) = watch::channel(false);
    let up = |stop| {
        let command = Command {
            program: slow(&world),
            line: ["up", "--yes"].map(str::to_owned).into(),
            store: store.clone(),
            folder: None,
            environment: BTreeMap::new(),
            clock: Arc::new(OffsetDateTime::now_utc),
            stop,
            said: Said::default(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime without I/O needs nothing").block_on(async {
            let (exit, _) = tokio::join!(timeout(Duration::from_mins(5), command.run()), async {
                sleep(Duration::from_secs(30)).await;
                interrupt.send(true)
            });
            exit
        })
    };
    world.stall("ready slow");
    assert_eq!(up(stop), Ok(130));
    assert_eq!(world.calls(), ["create House slow"]);
    world.recover();
    assert_eq!(up(watch::channel(false).1), Ok(0));
    assert_eq!(world.calls(), ["create House next"]);
}
