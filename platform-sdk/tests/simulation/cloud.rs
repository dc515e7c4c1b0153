//! The cloud as processes meet it: time, points at which a process can die, requests that go wrong.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Map, Value};
use tokio::{
    runtime::Handle,
    sync::{Notify, watch},
    time::{Instant, advance, sleep},
};

use crate::{
    dice::Dice,
    rules::{Change, Kind, Refusal, Things, Who},
};

/// Within so many milliseconds everything that was asked for has happened and is seen.
pub(crate) const WINDOW: u64 = 10_000;

/// What goes wrong with one mutating request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails for good, without effect.
    Failed,
    /// It is denied, without effect.
    Denied,
    /// Too many requests.
    Throttled,
    /// Not now.
    NotReady,
    /// The service is away.
    Unavailable,
    /// It has its effect, and the answer is lost.
    Lost,
    /// It has no effect, and the answer is lost.
    Never,
    /// The answer is lost, and the effect comes later.
    Late,
    /// The answer does not come for an hour, and then is lost; the effect was there.
    Hangs,
    /// A stranger makes the same thing a moment before.
    Taken,
    /// A stranger makes the same thing a moment before, and the answer is lost.
    TakenLost,
}

/// What goes wrong with one reading request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadFault {
    Denied,
    Unavailable,
    Throttled,
}

/// What goes wrong in one process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trouble {
    /// The point at which it dies.
    pub(crate) crash: Option<u16>,
    /// The point at which it is interrupted.
    pub(crate) stop: Option<u16>,
    /// The point at which it stands still, while others go on; not counted are those at which a request is on its way.
    pub(crate) pause: Option<u16>,
    /// Mutating requests, counted from 0.
    pub(crate) faults: BTreeMap<u16, Fault>,
    /// Reading requests, counted from 0.
    pub(crate) reads: BTreeMap<u16, ReadFault>,
}

/// What a process did and met.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    pub(crate) changes: Vec<Change>,
    pub(crate) refusals: Vec<String>,
    pub(crate) requests: u16,
    pub(crate) reads: u16,
    pub(crate) points: u16,
    /// The points among them at which a process may stand still.
    still: u16,
    /// Something went wrong on purpose.
    pub(crate) troubled: bool,
    /// Somebody else interfered.
    pub(crate) raced: bool,
}

/// A running process, as the cloud knows it.
pub(crate) struct Process {
    began: Instant,
    base: u64,
    command: usize,
    trouble: Trouble,
    record: Record,
    /// Mutating requests that have left and not arrived.
    sending: u16,
    died: Arc<Notify>,
    paused: Arc<Notify>,
    stop: watch::Sender<bool>,
}

struct Late {
    at: u64,
    command: usize,
    effect: Box<dyn FnOnce(&mut Things, u64) -> Result<Vec<Change>, Refusal> + Send>,
}

struct World {
    things: Things,
    clock: u64,
    process: Option<Process>,
    late: Vec<Late>,
    /// What landed after its process had ended: by that process.
    landed: Vec<(usize, Change)>,
    command: usize,
    trace: Vec<String>,
}

/// A handle on the cloud.
#[derive(Clone)]
pub(crate) struct Cloud {
    world: Arc<Mutex<World>>,
}

/// The ends of a process's life, as its runner holds them.
pub(crate) struct Life {
    pub(crate) died: Arc<Notify>,
    pub(crate) paused: Arc<Notify>,
    pub(crate) stop: watch::Receiver<bool>,
}

impl Cloud {
    pub(crate) fn new(seed: u64, lag: u64) -> Self {
        let world = World {
            things: Things::new(Dice::new(seed), lag),
            clock: 1_000_000,
            process: None,
            late: Vec::new(),
            landed: Vec::new(),
            command: 0,
            trace: Vec::new(),
        };
        Self { world: Arc::new(Mutex::new(world)) }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at things as they really are.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut Things, u64) -> T) -> T {
        let mut world = self.world();
        world.tick();
        let now = world.clock;
        look(&mut world.things, now)
    }

    /// What time it is, in milliseconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        self.with(|_, now| now)
    }

    pub(crate) fn dice<T>(&self, draw: impl FnOnce(&mut Dice) -> T) -> T {
        draw(&mut self.world().things.dice)
    }

    pub(crate) fn note(&self, line: String) {
        self.world().trace.push(line);
    }

    pub(crate) fn trace(&self) -> Vec<String> {
        self.world().trace.clone()
    }

    /// Lets time pass while no process runs.
    pub(crate) fn pass(&self, ms: u64) {
        let mut world = self.world();
        world.clock += ms;
        world.tick();
    }

    /// A process begins. To be called within its runtime.
    pub(crate) fn begin(&self, trouble: Trouble) -> Life {
        let mut world = self.world();
        let (stop, stopped) = watch::channel(false);
        let (died, paused) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let life = Life { died: died.clone(), paused: paused.clone(), stop: stopped };
        world.command += 1;
        let (began, base, command) = (Instant::now(), world.clock, world.command);
        let record = Record::default();
        world.process = Some(Process { began, base, command, trouble, record, sending: 0, died, paused, stop });
        life
    }

    /// Whether the process, which is to stand still, has requests on their way: then it is to stand still after that.
    pub(crate) fn still_sends(&self) -> bool {
        let mut world = self.world();
        let Some(process) = world.process.as_mut().filter(|process| process.sending > 0) else { return false };
        process.trouble.pause = Some(process.record.still);
        true
    }

    /// The process stands still: another may begin.
    pub(crate) fn suspend(&self) -> Option<Process> {
        let mut world = self.world();
        world.tick();
        world.process.take()
    }

    /// The process goes on. To be called within its runtime, whose clock is moved on to where the world's is.
    pub(crate) async fn resume(&self, process: Option<Process>) {
        let behind = process.as_ref().map_or(0, |process| {
            let at = process.base + millis(process.began.elapsed());
            self.now().saturating_sub(at)
        });
        advance(Duration::from_millis(behind)).await;
        self.world().process = process;
    }

    /// The process has ended, one way or the other.
    pub(crate) fn end(&self) -> Record {
        let mut world = self.world();
        world.tick();
        world.process.take().map(|process| process.record).unwrap_or_default()
    }

    /// The running process; 0 when none runs.
    pub(crate) fn process(&self) -> usize {
        self.world().process.as_ref().map_or(0, |process| process.command)
    }

    /// How many mutating requests of the running process have arrived or are on their way.
    pub(crate) fn requests(&self) -> u16 {
        self.world().process.as_ref().map_or(0, |process| process.record.requests + process.sending)
    }

    /// What landed late, and which process (the first is 1) had asked for it.
    pub(crate) fn take_landed(&self) -> Vec<(usize, Change)> {
        std::mem::take(&mut self.world().landed)
    }

    /// Whether something that was asked for has yet to happen.
    pub(crate) fn unsettled(&self) -> bool {
        !self.world().late.is_empty()
    }

    pub(crate) fn command(&self) -> usize {
        self.world().command
    }

    /// A point at which a process may be killed or interrupted, or stand still; takes a moment.
    pub(crate) async fn point(&self) {
        self.pass_point(true).await;
    }

    /// A point at which a request is on its way: the process may be killed, and the request arrives or not.
    pub(crate) async fn point_of_sending(&self) {
        self.pass_point(false).await;
    }

    async fn pass_point(&self, still: bool) {
        let (dies, pause) = {
            let mut world = self.world();
            world.tick();
            let pause = world.things.dice.below(30);
            let Some(process) = &mut world.process else { return };
            process.record.points += 1;
            if process.trouble.stop == Some(process.record.points) {
                let _nobody_listens_yet = process.stop.send(true);
            }
            process.record.still += u16::from(still);
            process.sending += u16::from(!still);
            // What is on its way arrives, however long its sender stands still: that is no fault of the sender's.
            if process.sending == 0 && process.trouble.pause.is_some_and(|pause| pause <= process.record.still) {
                process.trouble.pause = None;
                process.paused.notify_one();
            }
            let dies = process.trouble.crash == Some(process.record.points);
            if dies {
                process.died.notify_one();
            }
            (dies, pause)
        };
        if dies {
            std::future::pending::<()>().await;
        }
        sleep(Duration::from_millis(pause)).await;
    }

    /// Whether what a create has left halfway is not to be seen now.
    pub(crate) fn hides(&self) -> bool {
        let mut world = self.world();
        let hidden = world.things.hidden > 0;
        world.things.hidden = world.things.hidden.saturating_sub(1);
        if let Some(process) = &mut world.process {
            process.record.troubled |= hidden;
        }
        hidden
    }

    /// What is to go wrong with the next mutating request.
    pub(crate) fn next_fault(&self) -> Option<Fault> {
        let mut world = self.world();
        let process = world.process.as_mut()?;
        process.sending -= 1;
        let fault = process.trouble.faults.get(&process.record.requests).copied();
        process.record.requests += 1;
        process.record.troubled |= fault.is_some();
        fault
    }

    /// What is to go wrong with the next reading request.
    pub(crate) fn next_read_fault(&self) -> Option<ReadFault> {
        let mut world = self.world();
        let process = world.process.as_mut()?;
        let fault = process.trouble.reads.get(&process.record.reads).copied();
        process.record.reads += 1;
        process.record.troubled |= fault.is_some();
        fault
    }

    /// Does something now.
    pub(crate) fn act<T>(
        &self,
        what: &str,
        act: impl FnOnce(&mut Things, u64) -> Result<(T, Vec<Change>), Refusal>,
    ) -> Result<T, Refusal> {
        let mut world = self.world();
        world.tick();
        let now = world.clock;
        let answer = act(&mut world.things, now);
        world.trace.push(format!("{now} {what}: {}", describe(answer.as_ref().map(|(_, changes)| changes))));
        let Some(process) = &mut world.process else { return answer.map(|(value, _)| value) };
        match answer {
            Ok((value, changes)) => {
                process.record.changes.extend(changes);
                Ok(value)
            }
            Err(refusal) => {
                process.record.refusals.push(format!("{what}: {refusal:?}"));
                Err(refusal)
            }
        }
    }

    /// Lets something happen later.
    pub(crate) fn later(&self, effect: impl FnOnce(&mut Things, u64) -> Result<Vec<Change>, Refusal> + Send + 'static) {
        let mut world = self.world();
        let at = world.clock + 1 + world.things.dice.below(WINDOW / 2);
        let command = world.process.as_ref().map_or(0, |process| process.command);
        world.late.push(Late { at, command, effect: Box::new(effect) });
    }

    /// A stranger makes the same thing.
    pub(crate) fn takes(&self, kind: Kind, fields: &Map<String, Value>) {
        let mut world = self.world();
        world.tick();
        let now = world.clock;
        let made = world.things.make(kind, fields.clone(), (Who::Stranger, ""), now);
        world.trace.push(format!("{now} a stranger makes {kind:?}: {}", made.is_ok()));
        if let Some(process) = &mut world.process {
            process.record.raced = true;
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn describe(answer: Result<&Vec<Change>, &Refusal>) -> String {
    match answer {
        Ok(changes) => format!("{changes:?}"),
        Err(refusal) => format!("refused, {refusal:?}"),
    }
}

impl World {
    /// Moves the clock on, and lets happen what was to happen by now.
    fn tick(&mut self) {
        // Whoever looks from outside of the process's runtime would read the machine's clock, and time stands still then.
        if let Some(process) = self.process.as_ref().filter(|_| Handle::try_current().is_ok()) {
            self.clock = self.clock.max(process.base + millis(process.began.elapsed()));
        }
        while let Some(at) = self.late.iter().position(|late| late.at <= self.clock) {
            let Late { at, command, effect } = self.late.remove(at);
            let landed = effect(&mut self.things, at);
            self.trace.push(format!("{at} landed late: {}", describe(landed.as_ref())));
            let running = self.process.as_ref().is_some_and(|process| process.command == command);
            let changes = landed.unwrap_or_default();
            match &mut self.process {
                Some(process) if running => process.record.changes.extend(changes),
                _ => self.landed.extend(changes.into_iter().map(|change| (command, change))),
            }
        }
    }
}
