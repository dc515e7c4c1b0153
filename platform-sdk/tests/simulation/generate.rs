//! Random scenarios: a program of a few resources, then edits, commands, strangers and troubles.

use crate::{
    cloud::{Fault, ReadFault},
    dice::Dice,
    history,
    rules::{CLOUDY, Kind},
    scenario::{Act, Behind, Command, Item, Opt, Options, Scenario, Text, Verb},
};

/// Slots that a program fills.
const SLOTS: u8 = 9;

/// One of so many users forgets what moves are for.
const READDRESSED: u64 = 25;

/// One of so many users renames a place and changes more of it at once.
const RENAMED: u64 = 12;

/// Requests that fail, and are known to.
const FAULTS: [Fault; 5] = [Fault::Failed, Fault::Denied, Fault::Throttled, Fault::NotReady, Fault::Unavailable];

/// Requests of which nobody knows what became of them.
const DOUBTS: [Fault; 6] = [Fault::Lost, Fault::Never, Fault::Late, Fault::Hangs, Fault::Taken, Fault::TakenLost];

/// The scenario of a seed.
pub(crate) fn scenario(seed: u64) -> Scenario {
    let mut dice = history::dice(seed);
    let lag = if dice.percent(20) { 2_000 } else { 0 };
    let grows = dice.percent(50);
    let mut acts = Vec::new();
    // Places come first, so that what lies in them often finds one.
    for slot in 0..SLOTS {
        if dice.percent(75) {
            acts.push(add(&mut dice, slot));
        }
    }
    acts.push(run(&mut dice, true));
    for _ in 0..2 + dice.below(3) {
        for _ in 0..dice.below(4) {
            acts.push(edit(&mut dice));
        }
        if dice.percent(25) {
            acts.push(Act::Behind(behind(&mut dice)));
        }
        if dice.percent(20) {
            acts.push(Act::Wait(u16::from(dice.small(30))));
        }
        acts.push(run(&mut dice, false));
    }
    if seed % READDRESSED == 5 {
        forget_moves(seed, &mut acts);
    }
    if seed % RENAMED == 7 {
        rename_by_halves(seed, &mut acts);
    }
    Scenario { seed, lag, grows, acts }
}

/// Before some of the later commands somebody writes resources under other addresses, without a word of a move: what is
/// new there needs the names of what is old.
fn forget_moves(seed: u64, acts: &mut Vec<Act>) {
    let mut dice = history::dice(!seed);
    let runs: Vec<usize> = (0..acts.len()).filter(|at| matches!(acts[*at], Act::Run(_))).collect();
    for at in runs.into_iter().skip(1).rev() {
        for _ in 0..dice.below(3) {
            acts.insert(at, Act::Readdress(dice.small(SLOTS)));
        }
    }
}

/// Before the later commands a place gets a new name and a new text, and one of the next requests fails: the first of the
/// two may have been heard, and the second not.
fn rename_by_halves(seed: u64, acts: &mut Vec<Act>) {
    let mut dice = history::dice(!seed);
    let runs: Vec<usize> = (0..acts.len()).filter(|at| matches!(acts[*at], Act::Run(_))).collect();
    for at in runs.into_iter().skip(1).rev() {
        let (slot, failing) = (dice.small(3), u16::from(1 + dice.small(2)));
        if let Act::Run(command) = &mut acts[at] {
            command.faults.push((failing, dice.pick(&FAULTS)));
        }
        acts.insert(at, Act::Words(slot, Text::Plain(dice.small(4))));
        acts.insert(at, Act::Name(slot, slot + 20));
    }
}

fn add(dice: &mut Dice, slot: u8) -> Act {
    let kind = match slot {
        0 => dice.pick(&[Kind::Area, Kind::Site, Kind::Lock]),
        1 => dice.pick(&[Kind::Area, Kind::Site, Kind::Lock, Kind::Ticket]),
        2 => dice.pick(&[Kind::Lock, Kind::Data, Kind::Area]),
        _ => dice.pick(&[
            Kind::Shelf,
            Kind::Desk,
            Kind::Tool,
            Kind::Unit,
            Kind::Unit,
            Kind::Ticket,
            Kind::Data,
            Kind::Shelf,
            Kind::Tool,
        ]),
    };
    let options = Options {
        protect: dice.percent(2),
        retain: dice.percent(3),
        force: dice.percent(10),
        adopt: dice.percent(4),
        ignore_text: dice.percent(6),
        replace_on_size: dice.percent(4),
        delete_first: if dice.percent(8) { Some(dice.percent(50)) } else { None },
        depends_on: if dice.percent(10) { Some(dice.small(SLOTS)) } else { None },
        deleted_with: if dice.percent(4) { Some(dice.small(SLOTS)) } else { None },
        moved_from: std::collections::BTreeSet::new(),
    };
    let item = Item {
        kind,
        path: 0,
        name: if dice.percent(95) { slot } else { dice.small(SLOTS) },
        place: dice.small(3),
        size: if dice.percent(50) { 1 + dice.small(4) } else { 0 },
        grade: if dice.percent(40) { 1 + dice.small(3) } else { 0 },
        text: text(dice),
        about: text(dice),
        lock: if dice.percent(50) { Some(dice.small(3)) } else { None },
        password: if dice.percent(25) { 1 + dice.small(3) } else { 0 },
        options,
    };
    Act::Add(slot, item)
}

fn text(dice: &mut Dice) -> Text {
    match dice.below(5) {
        0 => Text::Plain(dice.small(4)),
        1 => Text::Serial(dice.small(SLOTS)),
        2 => Text::Id(dice.small(SLOTS)),
        _ => Text::Unset,
    }
}

fn edit(dice: &mut Dice) -> Act {
    let slot = dice.small(SLOTS);
    match dice.below(30) {
        0..=3 => add(dice, slot),
        4..=7 => Act::Drop(slot),
        8..=10 => Act::Name(slot, if dice.percent(70) { slot + 20 } else { dice.small(SLOTS) }),
        11..=13 => Act::Size(slot, dice.small(5)),
        14..=16 => Act::Grade(slot, dice.small(4)),
        17..=18 => Act::Words(slot, text(dice)),
        19 => Act::About(slot, text(dice)),
        20..=21 => Act::Holds(slot, if dice.percent(60) { Some(dice.small(3)) } else { None }),
        22..=23 => Act::Place(slot, dice.small(3)),
        24 => Act::Password(slot, dice.small(4)),
        25 => Act::Move(slot),
        26 => Act::Swap(slot, dice.small(SLOTS)),
        _ => Act::Choose(slot, option(dice)),
    }
}

fn option(dice: &mut Dice) -> Opt {
    let yes = dice.percent(50);
    match dice.below(16) {
        0 => Opt::Protect(dice.percent(20)),
        1 | 2 => Opt::Retain(dice.percent(40)),
        3 | 4 => Opt::Force(yes),
        5 => Opt::Adopt(yes),
        6 | 7 => Opt::IgnoreText(yes),
        8 | 9 => Opt::ReplaceOnSize(yes),
        10 | 11 => Opt::DeleteFirst(if yes { Some(dice.percent(50)) } else { None }),
        12 | 13 => Opt::DependsOn(if yes { Some(dice.small(SLOTS)) } else { None }),
        _ => Opt::DeletedWith(if yes { Some(dice.small(SLOTS)) } else { None }),
    }
}

fn behind(dice: &mut Dice) -> Behind {
    match dice.below(3) {
        0 => Behind::Loses(dice.small(40)),
        1 => Behind::Alters(dice.small(40)),
        _ => Behind::Plants(dice.pick(&CLOUDY), dice.small(SLOTS), dice.small(3)),
    }
}

fn run(dice: &mut Dice, first: bool) -> Act {
    let verb = if first {
        Verb::Up
    } else {
        match dice.below(40) {
            0..=1 => Verb::Destroy,
            2..=3 => Verb::Plan,
            4 => Verb::PlanOffline,
            5..=6 => Verb::Drift,
            7..=8 => Verb::DriftAccept,
            9..=10 => Verb::UpOffline,
            11 => Verb::UpSaved,
            _ => Verb::Up,
        }
    };
    let mut command = Command {
        consent: dice.percent(90),
        parallel: dice.pick(&[1, 2, 4, 16]),
        fail_fast: dice.percent(5),
        ..Command::calm(verb)
    };
    if !first && dice.percent(12) {
        match dice.below(3) {
            0 => command.target = Some(dice.small(SLOTS)),
            1 => command.exclude = Some(dice.small(SLOTS)),
            _ => command.replace = Some(dice.small(SLOTS)),
        }
    }
    trouble(dice, &mut command);
    Act::Run(command)
}

/// Half of the commands meet with something.
fn trouble(dice: &mut Dice, command: &mut Command) {
    if dice.percent(30) {
        let up_to = dice.pick(&[20, 60, 150]);
        command.crash = u16::try_from(1 + dice.below(up_to)).ok();
    } else if dice.percent(6) {
        command.stop = u16::try_from(1 + dice.below(60)).ok();
    } else if matches!(command.verb, Verb::Up | Verb::Destroy) && dice.percent(6) {
        command.pause = u16::try_from(1 + dice.below(60)).ok();
    }
    if dice.percent(35) {
        for _ in 0..=dice.below(3) {
            let fault = if dice.percent(50) { dice.pick(&DOUBTS) } else { dice.pick(&FAULTS) };
            command.faults.push((u16::from(dice.small(12)), fault));
        }
    }
    if dice.percent(6) {
        let fault = dice.pick(&[ReadFault::Denied, ReadFault::Unavailable, ReadFault::Throttled]);
        command.reads.push((u16::from(dice.small(25)), fault));
    }
}
