//! The scheduler's loop: starts what is ready, takes in what ended, gives up what hangs on a failure.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
    time::Duration,
};

use futures::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tokio::sync::watch;

use super::schedule::Run;
use crate::{
    desired::Address,
    plan::{Action, Kind, Summary},
    provider::Changed,
    report::{Diagnostic, Event},
};

/// How many actions without effects are taken in a row before the others are looked after.
const IN_A_ROW: usize = 64;

/// The running order of a plan's actions. Everything in it goes by place: an action's in the plan's list, or a step's
/// among the addresses.
pub(super) struct Schedule<'r, 'a> {
    run: &'r Run<'a>,
    /// How many needs of an action are open.
    waiting: Vec<usize>,
    dependents: Vec<Vec<usize>>,
    /// What can start: the longest remaining path first.
    ready: BinaryHeap<(usize, Reverse<usize>)>,
    /// The same of what has no effect in the world, which no slot holds up.
    local: BinaryHeap<(usize, Reverse<usize>)>,
    /// How many actions of a step are still to come.
    left: Vec<usize>,
    dead: Vec<bool>,
    failed: Vec<bool>,
    done: Vec<bool>,
    pub(super) summary: Summary,
    pub(super) failures: Vec<Diagnostic>,
    pub(super) interrupted: bool,
}

type Ended = (usize, Result<(), Diagnostic>);

impl<'r, 'a> Schedule<'r, 'a> {
    pub(super) fn new(run: &'r Run<'a>) -> Self {
        let list = run.actions();
        let mut schedule = Self {
            run,
            waiting: list.iter().map(|action| action.needs.len()).collect(),
            dependents: vec![Vec::new(); list.len()],
            ready: BinaryHeap::new(),
            local: BinaryHeap::new(),
            left: vec![0; run.step_count()],
            dead: vec![false; list.len()],
            failed: vec![false; run.step_count()],
            done: vec![false; run.step_count()],
            summary: Summary::default(),
            failures: Vec::new(),
            interrupted: false,
        };
        for (index, action) in list.iter().enumerate() {
            schedule.left[run.step(index)] += 1;
            for needed in &action.needs {
                schedule.dependents[*needed].push(index);
            }
            if action.needs.is_empty() {
                schedule.is_ready(index);
            }
        }
        schedule
    }

    fn is_ready(&mut self, index: usize) {
        let next = (self.run.actions()[index].remaining, Reverse(index));
        if self.run.has_effect(index) { self.ready.push(next) } else { self.local.push(next) }
    }

    /// Runs everything. Twice as many as there are slots are under way at once: while one half has effects, the other
    /// resolves its inputs and makes its intents durable, so that a slot that comes free is used at once. What does nothing
    /// but wait does not count.
    pub(super) async fn run(&mut self) {
        let run = self.run;
        let mut stop = run.settings.stop.clone();
        let mut running: FuturesUnordered<BoxFuture<'r, Ended>> = FuturesUnordered::new();
        let under_way = run.settings.parallel.max(1).saturating_mul(2);
        loop {
            self.interrupted |= *stop.borrow();
            let failed = run.settings.fail_fast && !(self.failures.is_empty() && run.down.is_empty());
            let halted = self.interrupted || failed || run.is_lost();
            if halted {
                run.slots.close();
            } else {
                self.take_local().await;
                while running.len() < under_way + run.slots.at_rest() {
                    let Some((_, Reverse(index))) = self.ready.pop() else { break };
                    if run.is_held_up(index) {
                        continue;
                    }
                    running.push(Box::pin(async move {
                        let outcome = run.heard(index).await;
                        if let Err(failure) = &outcome {
                            run.hold_up(index, failure).await;
                        }
                        (index, outcome)
                    }));
                }
            }
            // Whatever ended by now is taken in first: it may make ready what is more urgent than all that waits.
            match running.next().now_or_never() {
                Some(Some((index, outcome))) => {
                    self.finished(index, outcome);
                    continue;
                }
                Some(None) if self.local.is_empty() || halted => break,
                Some(None) | None => run.slots.hand_out(),
            }
            if !self.local.is_empty() && !halted {
                continue;
            }
            tokio::select! {
                biased;
                Some((index, outcome)) = running.next() => self.finished(index, outcome),
                () = run.slots.changed() => {}
                event = run.silence.due() => run.observer.event(&event),
                () = stopped(&mut stop), if !self.interrupted => self.interrupted = true,
            }
        }
    }

    /// What has no effect is done at once, here.
    async fn take_local(&mut self) {
        for _ in 0..IN_A_ROW {
            let Some((_, Reverse(index))) = self.local.pop() else { return };
            self.run.began(index);
            let outcome = self.run.heard(index).await;
            self.finished(index, outcome);
            if self.run.settings.fail_fast && !self.failures.is_empty() {
                return;
            }
        }
    }

    fn finished(&mut self, index: usize, outcome: Result<(), Diagnostic>) {
        if self.run.was_sent_away(index) {
            // It was never sent, which its journal says: the next run starts with it.
            return;
        }
        let step = self.run.step(index);
        self.left[step] -= 1;
        match outcome {
            Ok(()) => {
                for next in std::mem::take(&mut self.dependents[index]) {
                    self.waiting[next] -= 1;
                    if self.waiting[next] == 0 && !self.dead[next] {
                        self.is_ready(next);
                    }
                }
                if self.left[step] == 0 && !self.failed[step] {
                    self.ended(index, None);
                }
            }
            Err(problem) => {
                let problem = self.run.scrub.diagnostic(problem);
                self.failures.push(problem.clone());
                self.failed[step] = true;
                self.ended(index, Some(problem));
                self.skip_behind(index);
            }
        }
    }

    fn address(&self, index: usize) -> Address {
        self.run.actions()[index].address.clone()
    }

    fn ended(&mut self, index: usize, error: Option<Diagnostic>) {
        let (op, step) = (self.run.op(index), self.run.step(index));
        let changed = if error.is_none() {
            self.done[step] = true;
            self.count(op.name());
            Changed::Nothing
        } else {
            self.run.changes[step].made()
        };
        self.run.began(index);
        let (address, took) = (self.address(index), self.run.since_began(index));
        self.run.silence.ended(Some(&address));
        self.run.observer.event(&Event::StepFinished { address, op, took, error, skipped: false, changed });
    }

    fn count(&mut self, name: &str) {
        *self.summary.0.entry(name.to_owned()).or_default() += 1;
    }

    /// Counts what has changed something and did not come to its end, for whatever reason.
    pub(super) fn count_halves(&mut self) {
        for step in 0..self.done.len() {
            match self.run.changes[step].made() {
                Changed::Times(_) if !self.done[step] => self.count(Summary::PARTLY),
                Changed::Perhaps if !self.done[step] => self.count(Summary::PERHAPS),
                Changed::Times(_) | Changed::Perhaps | Changed::Nothing => {}
            }
        }
    }

    /// Tells each cause once that holds up a part of the steps, with how many they are.
    pub(super) fn tell_held_up(&mut self) {
        for (problem, held_up) in self.run.down.told() {
            let (mut steps, mut behind) = (BTreeSet::new(), held_up);
            let mut seen: BTreeSet<usize> = behind.iter().copied().collect();
            while let Some(next) = behind.pop() {
                steps.insert(self.run.step(next));
                behind.extend(self.dependents[next].iter().copied().filter(|index| seen.insert(*index)));
            }
            steps.retain(|step| !self.failed[*step]);
            let waits = if steps.len() == 1 {
                "1 step waits for it".to_owned()
            } else {
                format!("{} steps wait for it", steps.len())
            };
            let detail = problem.detail.as_deref().unwrap_or_default();
            let begun = steps.iter().filter(|step| self.run.changes[**step].made() != Changed::Nothing).count();
            let sent =
                if begun == 0 { "and nothing of them was sent".to_owned() } else { format!("{begun} of them begun") };
            let told = format!("{detail}\n{waits}, {sent}");
            let goes_on = "run the command again, and it goes on from there";
            let hint =
                problem.hint.as_ref().map_or_else(|| goes_on.to_owned(), |hint| format!("{hint}; then {goes_on}"));
            self.failures.push(self.run.scrub.diagnostic(problem.detail(told).hint(hint)));
        }
    }

    /// Only what needs the failed action is given up.
    fn skip_behind(&mut self, index: usize) {
        let mut behind = self.dependents[index].clone();
        while let Some(next) = behind.pop() {
            if std::mem::replace(&mut self.dead[next], true) {
                continue;
            }
            behind.extend(self.dependents[next].iter().copied());
            let step = self.run.step(next);
            if !std::mem::replace(&mut self.failed[step], true) {
                let changed = self.run.changes[step].made();
                let (address, op, took) = (self.address(next), self.run.op(next), Duration::ZERO);
                self.run.observer.event(&Event::StepFinished {
                    address,
                    op,
                    took,
                    error: None,
                    skipped: true,
                    changed,
                });
            }
        }
    }
}

/// The step of each action, and how many there are: actions of one address are one step, but for its hand-over.
pub(super) fn steps(list: &[Action]) -> (Vec<usize>, usize) {
    let mut known = std::collections::HashMap::new();
    let of = list.iter().map(|action| {
        let next = known.len();
        *known.entry((&action.address, action.kind == Kind::HandOver)).or_insert(next)
    });
    let of = of.collect();
    (of, known.len())
}

/// Waits until the run is to stop.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A closed channel means that nobody will ever stop this run.
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}
