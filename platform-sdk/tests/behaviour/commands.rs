//! Whole commands over a state in memory, each as a process of its own would run it, in virtual time.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use platform_sdk::{
    Program,
    state::{Memory, Store},
    testing::{Command, Said},
};
use time::OffsetDateTime;
use tokio::{
    runtime::Runtime,
    sync::watch,
    time::{Instant, timeout},
};

use super::yard::World;

/// A world, and the state of a stack in it.
pub(crate) struct Commands {
    pub(crate) world: World,
    pub(crate) store: Arc<Memory>,
    pub(crate) runtime: Runtime,
    /// What is run next.
    pub(crate) program: fn(&World) -> Program,
}

impl Commands {
    /// Nothing was done yet.
    pub(crate) fn of(program: fn(&World) -> Program) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.expect("a runtime without I/O needs nothing");
        Self { world: World::default(), store: Arc::default(), runtime, program }
    }

    /// What time it is where these commands run.
    pub(crate) fn now(&self) -> Instant {
        self.runtime.block_on(async { Instant::now() })
    }

    /// The exit code, and everything that was said.
    pub(crate) fn run(&self, line: &[&str]) -> (u8, String) {
        let said = Said::default();
        let command = self.command(line, &said);
        let ended = self.runtime.block_on(async { timeout(Duration::from_hours(2), command.run()).await });
        let exit = ended.expect("it ends by itself");
        (exit, said.out() + &said.err())
    }

    /// A command whose process ends in the midst of it.
    pub(crate) fn killed_after(&self, time: Duration, line: &[&str]) {
        let command = self.command(line, &Said::default());
        let ended = self.runtime.block_on(async { timeout(time, command.run()).await });
        assert!(ended.is_err(), "it has ended by itself");
    }

    fn command(&self, line: &[&str], said: &Said) -> Command {
        Command {
            program: (self.program)(&self.world),
            line: line.iter().map(|argument| (*argument).to_owned()).collect(),
            store: self.store.clone(),
            folder: None,
            environment: BTreeMap::new(),
            clock: Arc::new(OffsetDateTime::now_utc),
            stop: watch::channel(false).1,
            said: said.clone(),
        }
    }

    /// Runs a command, and lets its process die when it has run so long. What it has said.
    pub(crate) fn killed(&self, line: &[&str], after: Duration) -> String {
        self.ended(line, after, |_| {})
    }

    /// Runs a command, and interrupts it when it has run so long.
    pub(crate) fn interrupted(&self, line: &[&str], after: Duration) -> String {
        self.ended(line, after, |stop| {
            stop.send_replace(true);
        })
    }

    /// A process of its own: what it has begun ends with it.
    fn ended(&self, line: &[&str], after: Duration, end: impl FnOnce(&watch::Sender<bool>)) -> String {
        let (stop, stopped) = watch::channel(false);
        let said = Said::default();
        let command = Command { stop: stopped, ..self.command(line, &said) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime without I/O needs nothing").block_on(async {
            let mut running = std::pin::pin!(command.run());
            assert!(timeout(after, running.as_mut()).await.is_err(), "it ended by itself: {}", said.err());
            end(&stop);
            // A process that was not told to end is dropped as it stands.
            if *stop.borrow() {
                timeout(Duration::from_secs(10), running).await.expect("it ends at once");
            }
        });
        said.out() + &said.err()
    }

    /// Everything that is stored.
    fn stored(&self) -> BTreeMap<String, Vec<u8>> {
        self.runtime.block_on(async {
            let mut stored = BTreeMap::new();
            for key in self.store.list("demo").await.expect("a list") {
                let object = self.store.get(&key).await.expect("an answer").expect("it was listed");
                stored.insert(key, object.bytes);
            }
            stored
        })
    }

    /// Runs a command that must leave everything as it was.
    pub(crate) fn look(&self, line: &[&str]) -> (u8, String) {
        let (stored, objects) = (self.stored(), self.world.objects());
        assert!(!stored.is_empty());
        let ran = self.run(line);
        assert!(self.stored() == stored, "{line:?} wrote something");
        assert_eq!(self.world.objects(), objects, "{line:?}");
        ran
    }
}
