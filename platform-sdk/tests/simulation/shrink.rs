//! Making a failing scenario short: whatever can be left out without the failure going away, is.

use crate::{
    history::live,
    scenario::{Act, Command, Item, Options, Scenario, Text, Verb},
};

/// How many scenarios are tried at most.
const TRIES: usize = 600;

/// A shorter scenario that still fails, and how.
pub(crate) fn shrink(scenario: &Scenario, why: &str) -> (Scenario, String) {
    let (mut best, mut reason) = (scenario.clone(), why.to_owned());
    let mut tries = 0;
    loop {
        let before = best.clone();
        for candidate in candidates(&before) {
            if tries >= TRIES {
                return (best, reason);
            }
            tries += 1;
            if let (Err(why), _) = live(&candidate) {
                (best, reason) = (candidate, why);
                break;
            }
        }
        if best == before {
            return (best, reason);
        }
    }
}

/// Scenarios that are a little simpler, the boldest first.
fn candidates(scenario: &Scenario) -> Vec<Scenario> {
    let mut all = Vec::new();
    let with = |acts: Vec<Act>| Scenario { acts, ..scenario.clone() };
    let length = scenario.acts.len();
    for size in [length / 2, length / 4, 2, 1].into_iter().filter(|size| *size > 0) {
        for from in (0..length).step_by(size) {
            let mut acts = scenario.acts.clone();
            acts.drain(from..length.min(from + size));
            all.push(with(acts));
        }
    }
    if scenario.lag > 0 {
        all.push(Scenario { lag: 0, ..scenario.clone() });
    }
    for (at, act) in scenario.acts.iter().enumerate() {
        for simpler in simpler(act) {
            let mut acts = scenario.acts.clone();
            acts[at] = simpler;
            all.push(with(acts));
        }
    }
    all
}

fn simpler(act: &Act) -> Vec<Act> {
    match act {
        Act::Add(slot, item) => items(item).into_iter().map(|item| Act::Add(*slot, item)).collect(),
        Act::Run(command) => commands(command).into_iter().map(Act::Run).collect(),
        _ => Vec::new(),
    }
}

fn items(item: &Item) -> Vec<Item> {
    let plain = Item {
        size: 0,
        grade: 0,
        text: Text::Unset,
        about: Text::Unset,
        lock: None,
        password: 0,
        options: Options::default(),
        ..item.clone()
    };
    let one = |change: fn(&mut Item)| {
        let mut item = item.clone();
        change(&mut item);
        item
    };
    let ones = [
        one(|item| item.size = 0),
        one(|item| item.grade = 0),
        one(|item| item.text = Text::Unset),
        one(|item| item.about = Text::Unset),
        one(|item| item.lock = None),
        one(|item| item.password = 0),
        one(|item| item.options = Options::default()),
    ];
    std::iter::once(plain).chain(ones).filter(|simpler| simpler != item).collect()
}

fn commands(command: &Command) -> Vec<Command> {
    let calm = Command { parallel: command.parallel, ..Command::calm(command.verb) };
    let mut all =
        vec![calm, Command { verb: Verb::Up, ..command.clone() }, Command { reads: Vec::new(), ..command.clone() }];
    all.push(Command { crash: None, ..command.clone() });
    all.push(Command { stop: None, ..command.clone() });
    all.push(Command { pause: None, ..command.clone() });
    all.push(Command { parallel: 1, ..command.clone() });
    all.push(Command {
        consent: true,
        fail_fast: false,
        target: None,
        exclude: None,
        replace: None,
        ..command.clone()
    });
    for at in 0..command.faults.len() {
        let mut fewer = command.clone();
        fewer.faults.remove(at);
        all.push(fewer);
    }
    all.retain(|simpler| simpler != command);
    all
}
