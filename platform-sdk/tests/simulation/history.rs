//! Living through a scenario: act by act, with the oracle's questions after every command, and a quiet end.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    cloud::Cloud,
    dice::Dice,
    disk::Disk,
    impasse::Meeting,
    oracle::{Oracle, QUIET, settled},
    prefixes,
    process::{self, End, Ran},
    program::declared,
    rules::{CLOUDY, Change, Kind, NEVER, Things, Who, key_of},
    scenario::{Act, Behind, Command, Scenario, Spec, Verb},
};

/// Tells the dice of `slow` from all others.
const SLOW: u64 = 0x51_0e57;

/// Before one `up` in so many a plan is asked for, where it can be foreseen.
const ASKED_BEFORE: usize = 3;

/// What a whole history amounted to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) commands: u64,
    pub(crate) changes: u64,
    pub(crate) crashes: u64,
    pub(crate) interrupts: u64,
    pub(crate) faults: u64,
    /// Processes that stood still, and how often another took over meanwhile.
    pub(crate) pauses: u64,
    pub(crate) takeovers: u64,
    pub(crate) lost_writes: u64,
    /// Ends that guards kept from converging, with reason.
    pub(crate) guarded: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.commands += other.commands;
        self.changes += other.changes;
        self.crashes += other.crashes;
        self.interrupts += other.interrupts;
        self.faults += other.faults;
        self.pauses += other.pauses;
        self.takeovers += other.takeovers;
        self.lost_writes += other.lost_writes;
        self.guarded += other.guarded;
    }
}

/// A history as it is lived.
pub(crate) struct History {
    cloud: Cloud,
    disk: Disk,
    spec: Spec,
    oracle: Oracle,
    lag: u64,
    /// What the program says of moves is done, and taken away with its next edit.
    moved: bool,
    tally: Tally,
}

/// Lives through a scenario; the error is what did not hold.
pub(crate) fn live(scenario: &Scenario) -> (Result<Tally, String>, Vec<String>) {
    let cloud = Cloud::new(scenario.seed, scenario.lag);
    cloud.with(|things, _| slow(things, scenario.seed));
    let disk = Disk::new(cloud.clone(), scenario.grows);
    let (spec, oracle, tally) = (Spec::default(), Oracle::default(), Tally::default());
    let mut history = History { cloud, disk, spec, oracle, lag: scenario.lag, moved: false, tally };
    let mut outcome = scenario.acts.iter().try_for_each(|act| history.act(act));
    if outcome.is_ok() {
        outcome = history.quiet_end();
    }
    history.tally.lost_writes = history.disk.lost();
    (outcome.map(|()| history.tally), history.cloud.trace())
}

/// What a seed's cloud takes its time for, beside what a scenario says: drawn apart, so that it is no other scenario.
fn slow(things: &mut Things, seed: u64) {
    let mut dice = dice(seed ^ SLOW);
    if dice.percent(25) {
        things.holds = 30_000;
    }
    if dice.percent(25) {
        things.readying = 600_000;
    }
    if dice.percent(8) {
        things.never = 30;
    }
    if dice.percent(40) {
        things.hides = 60;
    }
}

impl History {
    fn act(&mut self, act: &Act) -> Result<(), String> {
        match act {
            Act::Run(command) => self.command(command).map(drop),
            Act::Wait(seconds) => {
                self.cloud.pass(u64::from(*seconds) * 1_000);
                self.landed()
            }
            Act::Behind(behind) => {
                self.behind(*behind);
                Ok(())
            }
            edit => {
                if std::mem::take(&mut self.moved) {
                    self.spec.settle_moves();
                }
                self.spec.edit(edit);
                Ok(())
            }
        }
    }

    fn behind(&self, behind: Behind) {
        let note = self.cloud.with(|things, now| {
            let living: Vec<usize> = things.alive().map(|(uid, _)| uid).collect();
            let nth = |n: u8| living.get(usize::from(n) % living.len().max(1)).copied();
            match behind {
                Behind::Loses(n) => nth(n).map(|uid| format!("a stranger ends {:?}", things.end(uid, false, now))),
                Behind::Alters(n) => nth(n).map(|uid| {
                    let field = match things.all[uid].kind {
                        Kind::Shelf | Kind::Desk | Kind::Tool | Kind::Unit if n % 2 == 0 => ("size", Value::from(99)),
                        Kind::Site => ("color", Value::from("odd")),
                        _ => ("text", Value::from("odd")),
                    };
                    let new = [(field.0.to_owned(), field.1)].into_iter().collect();
                    format!("a stranger alters {:?}", things.set(uid, &new, now))
                }),
                Behind::Plants(kind, name, place) => {
                    let mut fields = serde_json::Map::new();
                    let title = if matches!(kind, Kind::Unit | Kind::Ticket) { "title" } else { "name" };
                    fields.insert(title.to_owned(), format!("n{name}").into());
                    if let Some((field, of)) = kind.place() {
                        let places: Vec<String> =
                            things.alive().filter(|(_, t)| t.kind == of).map(|(_, t)| t.id.clone()).collect();
                        let place = places.get(usize::from(place) % places.len().max(1));
                        fields.insert(field.to_owned(), place.cloned().unwrap_or_default().into());
                    }
                    let made = things.make(kind, fields, (Who::Stranger, ""), now);
                    Some(format!("a stranger makes {made:?}"))
                }
            }
        });
        if let Some(note) = note {
            self.cloud.note(note);
        }
    }

    /// What landed since, of earlier commands, was announced by them.
    fn landed(&mut self) -> Result<(), String> {
        for (number, change) in self.cloud.take_landed() {
            self.oracle.judge(&self.cloud, number, &[change])?;
        }
        Ok(())
    }

    fn command(&mut self, command: &Command) -> Result<Ran, String> {
        self.landed()?;
        match command.verb {
            Verb::Up if self.is_foreseeable(command) => return self.as_planned(command),
            Verb::UpSaved => {}
            _ => return self.run(command, None),
        }
        let file = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
        let plan = Command { verb: Verb::Plan, ..Command::calm(Verb::Plan) };
        let Command { parallel, consent, target, exclude, replace, .. } = *command;
        let plan = Command { consent, parallel, target, exclude, replace, ..plan };
        let mut line = process::line(&plan, &self.spec, None);
        line.extend(["--out".to_owned(), file.path().display().to_string()]);
        let planned = self.run_line(&plan, line)?;
        if !matches!(planned.end, End::Exit(0 | 2)) {
            return Ok(planned);
        }
        self.run(command, Some(file.path()))
    }

    /// Whether a plan that is asked for now must be the one that this command will have. Not asked of every command: a
    /// plan costs a command.
    fn is_foreseeable(&self, command: &Command) -> bool {
        let still = self.lag == 0 && !self.cloud.unsettled();
        still
            && command.reads.is_empty()
            && command.pause.is_none()
            && self.cloud.command().is_multiple_of(ASKED_BEFORE)
    }

    /// What a plan says, whatever became of the command before it, is what `up` then does.
    fn as_planned(&mut self, command: &Command) -> Result<Ran, String> {
        let Command { consent, parallel, target, exclude, replace, .. } = *command;
        let plan = Command { consent, parallel, target, exclude, replace, ..Command::calm(Verb::Plan) };
        let said = self.run(&plan, None)?;
        let ran = self.run(command, None)?;
        let steps = |ran: &Ran| ran.plan().map(|plan| (plan["steps"].to_string(), plan["outputs"].to_string()));
        if let (Some(said), Some(done)) = (steps(&said), steps(&ran))
            && said != done
        {
            return Err(format!("a plan said {said:?}, and `up` went by {done:?}"));
        }
        Ok(ran)
    }

    fn run(&mut self, command: &Command, saved: Option<&std::path::Path>) -> Result<Ran, String> {
        self.run_line(command, process::line(command, &self.spec, saved))
    }

    fn run_line(&mut self, command: &Command, line: Vec<String>) -> Result<Ran, String> {
        let was_unsettled = self.cloud.unsettled();
        let (before, lease) = (self.disk.objects(), self.disk.lease());
        self.disk.before_head();
        let number = self.cloud.command() + 1;
        self.oracle.announce(&self.cloud, number, &self.spec, command);
        // The file of a saved plan has a name of its own each time.
        let shown = line.iter().filter(|word| !word.starts_with(std::path::MAIN_SEPARATOR));
        self.cloud.note(format!("{number}: {}", shown.map(String::as_str).collect::<Vec<_>>().join(" ")));
        let mut running = process::start(&self.cloud, &self.disk, &self.spec, line, command);
        let end = match running.go_on() {
            Some(end) => end,
            None => self.overtaken(number, &mut running, lease.as_deref())?,
        };
        let ran = running.over(end);
        self.cloud.note(format!("{number}: {:?} after {} points {:?}", ran.end, ran.record.points, ran.complaints()));
        self.count(command, &ran);
        self.oracle.planned(number, ran.plan());
        let failed = |why: String| format!("command {number} ({:?}): {why}", command.verb);
        if let End::Panicked(text) = &ran.end {
            return Err(failed(format!("panicked: {text}")));
        }
        self.oracle.judge(&self.cloud, number, &ran.record.changes).map_err(failed)?;
        self.landed()?;
        let reading = process::state_of(&self.disk).map_err(failed)?;
        self.oracle.account(&self.cloud, number, &reading).map_err(failed)?;
        // What has ended well has made a snapshot of its journal, which was one to load until the head moved.
        if ran.end == End::Died {
            prefixes::load(&self.disk, &self.disk.objects(), None).map_err(failed)?;
        } else if let Some(objects) = self.disk.before_head() {
            prefixes::load(&self.disk, &objects, Some(number)).map_err(failed)?;
        }
        let reads_only = matches!(command.verb, Verb::Plan | Verb::PlanOffline | Verb::Drift);
        if reads_only && (self.disk.objects() != before || !ran.record.changes.is_empty()) {
            return Err(failed("it only reads, and changed something".to_owned()));
        }
        let calm = self.lag == 0
            && !was_unsettled
            && !ran.record.troubled
            && !ran.record.raced
            && command.pause.is_none()
            && command.verb != Verb::UpOffline
            && matches!(ran.end, End::Exit(0..=2));
        if calm {
            self.was_calm(command, &ran, &reading).map_err(failed)?;
        }
        Ok(ran)
    }

    /// A process stands still for a minute, and somebody else tries. Where its lease has run out by then, it must not
    /// send anything any more when it goes on.
    fn overtaken(
        &mut self,
        number: usize,
        running: &mut process::Running,
        before: Option<&[u8]>,
    ) -> Result<End, String> {
        // Who has not taken the lease yet takes it when it goes on.
        let held = self.disk.lease().as_deref() != before;
        let sent = running.requests();
        let said = running.said();
        self.oracle.planned(number, said.iter().rev().find(|object| object["event"] == "plan"));
        let reading = process::state_of(&self.disk)?;
        self.oracle.account(&self.cloud, number, &reading)?;
        let other = running.meanwhile(|| {
            self.cloud.note("it stands still".to_owned());
            self.cloud.pass(60_000);
            self.run(&Command::calm(Verb::Up), None)
        })?;
        if !held {
            self.oracle.informed(number);
        }
        let taken_over = held && !other.complaints().iter().any(|complaint| complaint.contains("is in use"));
        self.cloud.note("it goes on".to_owned());
        // It stands still once only.
        let end = running.go_on().unwrap_or(End::Died);
        self.tally.pauses += 1;
        self.tally.takeovers += u64::from(taken_over);
        if taken_over && running.requests() > sent {
            return Err("it lost its lease while it stood still, and went on sending".to_owned());
        }
        Ok(end)
    }

    fn count(&mut self, command: &Command, ran: &Ran) {
        self.tally.commands += 1;
        self.tally.changes += ran.record.changes.len() as u64;
        self.tally.crashes += u64::from(ran.end == End::Died);
        self.tally.interrupts += u64::from(ran.end == End::Exit(130));
        self.tally.faults += command.faults.iter().filter(|(at, _)| *at < ran.record.requests).count() as u64;
        self.tally.faults += command.reads.iter().filter(|(at, _)| *at < ran.record.reads).count() as u64;
    }

    /// What must hold of a command in whose way nothing was.
    fn was_calm(&mut self, command: &Command, ran: &Ran, reading: &platform_sdk::state::Reading) -> Result<(), String> {
        // What is not ready yet is asked again.
        let stranger = self.is_held();
        let waited_for = self.oracle.waited_for();
        let fair = |refusal: &String| {
            // What lies in a site that is waited for is made when that is ready, and not tried before.
            let early = waited_for && refusal.contains("make Tool");
            refusal.ends_with("NotReady") && !early
                || refusal.contains("Held")
                || stranger && refusal.contains("end Lock")
        };
        if let Some(refusal) = ran.record.refusals.iter().find(|refusal| !fair(refusal)) {
            return Err(format!("the cloud's rules refused a call: {refusal}"));
        }
        let complaints = ran.complaints();
        let narrowed = command.target.is_some() || command.exclude.is_some();
        let met = Meeting::of(&self.spec, reading);
        let stranded = ["which is not in the program any more", "which is to be replaced"];
        let never = self.cloud.with(|things, _| things.alive().any(|(_, thing)| thing.ready_at == NEVER));
        let reasonable = |complaint: &str| {
            is_reasonable(complaint)
                || complaint.contains("Held(") && !self.gave_up(ran, complaint)
                || complaint.contains("it never will be")
                || never && complaint.contains("NotReady")
                || narrowed && stranded.iter().any(|why| complaint.contains(why))
                || complaint.contains("and both are in state") && !met.doubtful_moves().is_empty()
                || complaint.contains("can't be put in an order")
                    && !(met.handed_over().is_empty() && met.taken_over().is_empty() && met.swapped_names().is_empty())
        };
        if ran.end == End::Exit(1)
            && let Some(odd) = complaints.iter().find(|complaint| !reasonable(complaint))
        {
            return Err(format!("it failed for no good reason: {odd}"));
        }
        let whole = matches!(command.verb, Verb::Up | Verb::UpSaved)
            && command.target.is_none()
            && command.exclude.is_none()
            && ran.end == End::Exit(0);
        if whole {
            settled(&self.cloud, &self.spec, reading)?;
            self.oracle.ignored_are_left(&self.cloud, self.cloud.command(), reading)?;
            self.moved = true;
        }
        Ok(())
    }

    /// Whether a command itself gave up the key that it then was refused: that it has to wait for.
    fn gave_up(&self, ran: &Ran, complaint: &str) -> bool {
        self.cloud.with(|things, _| {
            let ended = ran.record.changes.iter().filter_map(|change| match change {
                Change::Ended(uid, _) => Some(&things.all[*uid]),
                Change::Made(_) | Change::Changed(..) => None,
            });
            let key = |thing: &crate::rules::Thing| {
                format!("{:?}: Held({:?})", thing.kind, key_of(thing.kind, &thing.fields))
            };
            ended.into_iter().any(|thing| complaint.contains(&key(thing)))
        })
    }

    /// Nothing interferes any more: everything comes to rest, and then goes away.
    fn quiet_end(&mut self) -> Result<(), String> {
        self.cloud.pass(QUIET);
        self.cloud.with(|things, _| things.comes_to_rest());
        self.landed()?;
        self.make_room()?;
        self.cloud.pass(QUIET);
        let up = Command::calm(Verb::Up);
        let first = self.command(&up)?;
        if first.end != End::Exit(0) {
            // What it has let go of may have stood in its own way.
            self.make_room()?;
            self.cloud.pass(QUIET);
            let second = self.command(&up)?;
            if second.end != End::Exit(0) {
                let complaints = second.complaints();
                let in_the_way = |complaint: &str| {
                    self.is_taken() && complaint.contains("exists already")
                        || self.is_held() && complaint.contains("end Lock: InUse")
                };
                let guarded = |complaint: &String| is_guard(complaint) || in_the_way(complaint);
                if complaints.iter().all(guarded) && !complaints.is_empty() {
                    self.tally.guarded += 1;
                    return Ok(());
                }
                return Err(format!("two undisturbed runs did not converge: {complaints:?}"));
            }
        }
        self.cloud.pass(QUIET);
        let reading = process::state_of(&self.disk)?;
        settled(&self.cloud, &self.spec, &reading)?;
        for verb in [Verb::Plan, Verb::PlanOffline] {
            let plan = self.command(&Command::calm(verb))?;
            if plan.end != End::Exit(0) {
                let steps = plan.plan().map(|plan| (plan["steps"].to_string(), plan["outputs"].to_string()));
                return Err(format!(
                    "the plan after a whole run is not empty ({verb:?}): {steps:?} {:?}",
                    plan.complaints()
                ));
            }
        }
        self.same_again()?;
        self.gone()
    }

    /// Same program, state and answers: the same plan, byte for byte.
    fn same_again(&mut self) -> Result<(), String> {
        for (number, item) in self.spec.items.values_mut().enumerate() {
            item.size = u8::from(item.size == 0) * 7;
            item.grade = if number % 3 == 0 { item.grade + 1 } else { item.grade };
        }
        let plans = [self.command(&Command::calm(Verb::Plan))?, self.command(&Command::calm(Verb::Plan))?];
        let [one, other] = plans.map(|ran| ran.said.iter().map(Value::to_string).collect::<Vec<_>>());
        if one == other { Ok(()) } else { Err(format!("two plans of the same differ: {one:?} {other:?}")) }
    }

    /// A destroy leaves nothing of ours.
    fn gone(&mut self) -> Result<(), String> {
        let destroy = Command::calm(Verb::Destroy);
        if self.command(&destroy)?.end != End::Exit(0) {
            self.cloud.pass(QUIET);
            let again = self.command(&destroy)?;
            if again.end != End::Exit(0) {
                let complaints = again.complaints();
                let held = |complaint: &str| self.is_held() && complaint.contains("end Lock: InUse");
                if complaints.iter().all(|complaint| is_guard(complaint) || held(complaint)) && !complaints.is_empty() {
                    self.tally.guarded += 1;
                    return Ok(());
                }
                return Err(format!("two undisturbed runs did not destroy everything: {complaints:?}"));
            }
        }
        let reading = process::state_of(&self.disk)?;
        let left = reading.snapshot.resources.len() + reading.snapshot.pending_deletes.len() + reading.open.len();
        if left > 0 {
            return Err(format!("after a destroy state still has {:?}", reading.snapshot.resources.keys()));
        }
        let ours = |(uid, _): &(usize, &crate::rules::Thing)| !self.oracle.foreign(*uid);
        let left = self.cloud.with(|things, _| things.alive().filter(ours).count());
        if left > 0 { Err(format!("after a destroy {left} things of ours are there")) } else { Ok(()) }
    }

    /// Whether something that is none of the stack's could not be cleared away, because something of ours holds it.
    fn is_taken(&self) -> bool {
        self.cloud.with(|things, _| {
            things.alive().any(|(uid, thing)| {
                let held = things.alive().any(|(_, holder)| holder.text("lock") == Some(&thing.id));
                self.oracle.foreign(uid) && (held || !things.inside(thing.kind, &thing.id).is_empty())
            })
        })
    }

    /// Whether something that is none of the stack's, any more or ever, holds a lock.
    fn is_held(&self) -> bool {
        let holds = |thing: &crate::rules::Thing| thing.text("lock").is_some();
        self.cloud.with(|things, _| things.alive().any(|(uid, thing)| self.oracle.foreign(uid) && holds(thing)))
    }

    /// What a person would do before the last run: no protection, no two of one name, no strangers in the way.
    fn make_room(&mut self) -> Result<(), String> {
        let mut keys: BTreeMap<String, u8> = BTreeMap::new();
        let mut drops = Vec::new();
        for (slot, item) in declared(&self.spec) {
            let place = item.kind.place().map(|_| item.place);
            if !item.kind.key().is_empty()
                && keys.insert(format!("{:?} {place:?} {}", item.kind, item.name), slot).is_some()
            {
                drops.push(slot);
            }
        }
        for slot in drops {
            self.spec.items.remove(&slot);
        }
        for item in self.spec.items.values_mut() {
            item.options.protect = false;
            item.options.delete_first = item.options.delete_first.filter(|delete_first| *delete_first);
        }
        self.make_way()?;
        let oracle = &self.oracle;
        self.cloud.with(|things, now| {
            for kind in CLOUDY.into_iter().chain(CLOUDY) {
                let foreign: Vec<usize> = things
                    .alive()
                    .filter(|(uid, thing)| thing.kind == kind && oracle.foreign(*uid))
                    .map(|(uid, _)| uid)
                    .collect();
                for uid in foreign {
                    let id = things.all[uid].id.clone();
                    let holders: Vec<usize> = things
                        .alive()
                        .filter(|(_, thing)| thing.text("lock") == Some(&id))
                        .map(|(uid, _)| uid)
                        .collect();
                    if holders.is_empty() && things.inside(kind, &id).is_empty() {
                        let _what_ended = things.end(uid, false, now);
                    }
                }
            }
        });
        Ok(())
    }

    /// What a person would do about a program that no order of calls can bring about: what the hints say.
    fn make_way(&mut self) -> Result<(), String> {
        let reading = process::state_of(&self.disk)?;
        while let Some(slot) = Meeting::of(&self.spec, &reading).doubtful_moves().first() {
            self.spec.items.get_mut(slot).into_iter().for_each(|item| item.options.moved_from.clear());
        }
        let spec = self.spec.clone();
        let met = Meeting::of(&spec, &reading);
        let (handed, taken, swapped) = (met.handed_over(), met.taken_over(), met.swapped_names());
        for (slot, old) in handed {
            let path = old.rsplit_once('p').and_then(|(_, path)| path.parse().ok());
            let path: u8 = path.ok_or_else(|| format!("{old} is no address of this program"))?;
            self.spec.items.get_mut(&slot).into_iter().for_each(|item| item.options.moved_from.extend([path]));
        }
        for slot in taken.iter().chain(swapped.first()) {
            self.spec.items.get_mut(slot).into_iter().for_each(|item| item.name += 100);
        }
        Ok(())
    }
}

/// Guards that a user has to lift by hand.
fn is_guard(complaint: &str) -> bool {
    let guards = [
        "is protected and",
        "are protected and",
        "is to be retained",
        "holds what the stack does not own",
        "both have the same key",
        // What is adopted is not destroyed for being otherwise.
        "and is another (",
    ];
    guards.iter().any(|guard| complaint.contains(guard))
}

/// Why a command may fail in whose way nothing was.
fn is_reasonable(complaint: &str) -> bool {
    let reasons = [
        "would destroy data",
        "are the same object",
        "exists already",
        "is in use",
        "no resource matches the target",
        "is excluded and would be changed first",
        "is excluded, and",
        "was interrupted (--offline asks nobody about it",
        "names no resource",
        "objects could be",
        // The plan was saved while the lease of a dead run had not expired, so that nobody had settled what it left.
        "the saved plan can't be applied any more",
        "cannot delete `sim:Lock",
    ];
    is_guard(complaint) || reasons.iter().any(|reason| complaint.contains(reason))
}

/// Draws for a seed whatever a history needs beside its acts.
pub(crate) fn dice(seed: u64) -> Dice {
    Dice::new(seed.wrapping_mul(0x9E37_79B9).wrapping_add(17))
}
