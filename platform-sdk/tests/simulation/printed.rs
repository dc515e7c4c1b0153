//! What seed 5778 came down to.

use crate::cloud::Fault;
use crate::cloud::ReadFault;
use crate::rules::Kind;
use crate::scenario::Act;
use crate::scenario::Behind;
use crate::scenario::Command;
use crate::scenario::Item;
use crate::scenario::Opt;
use crate::scenario::Options;
use crate::scenario::Text;
use crate::scenario::Verb;
use crate::{check, scenario::Scenario};

#[test]
fn reproduction() {
    // nothing fails: that it compiles is to be seen
    check(&Scenario {
        seed: 5778,
        lag: 0,
        grows: false,
        acts: vec![
            Act::Add(0, Item { place: 2, grade: 1, text: Text::Plain(2), ..Item::of(Kind::Area) }),
            Act::Add(1, Item { name: 1, place: 2, about: Text::Serial(2), lock: Some(0), ..Item::of(Kind::Site) }),
            Act::Add(5, Item { name: 5, text: Text::Plain(0), about: Text::Serial(2), lock: Some(2), options: Options { force: true, ..Options::default() }, ..Item::of(Kind::Tool) }),
            Act::Add(6, Item { name: 6, place: 2, size: 1, grade: 1, text: Text::Serial(6), about: Text::Serial(3), lock: Some(1), password: 1, options: Options { delete_first: Some(false), ..Options::default() }, ..Item::of(Kind::Ticket) }),
            Act::Add(7, Item { name: 7, place: 1, size: 2, grade: 3, text: Text::Serial(4), lock: Some(0), ..Item::of(Kind::Unit) }),
            Act::Add(8, Item { name: 8, place: 1, size: 3, grade: 1, text: Text::Serial(4), password: 1, ..Item::of(Kind::Desk) }),
            Act::Run(Command { crash: Some(6), reads: vec![(24, ReadFault::Throttled)], ..Command::calm(Verb::Up) }),
            Act::About(3, Text::Serial(3)),
            Act::Holds(8, None),
            Act::Run(Command { faults: vec![(5, Fault::Hangs), (11, Fault::Hangs)], ..Command::calm(Verb::Up) }),
            Act::About(2, Text::Serial(3)),
            Act::Size(2, 3),
            Act::Size(8, 4),
            Act::Run(Command { parallel: 16, target: Some(6), ..Command::calm(Verb::Plan) }),
            Act::Grade(2, 1),
            Act::Add(1, Item { name: 1, place: 1, size: 4, grade: 1, password: 2, options: Options { depends_on: Some(1), ..Options::default() }, ..Item::of(Kind::Lock) }),
            Act::Holds(6, None),
            Act::Run(Command { parallel: 16, faults: vec![(8, Fault::Denied)], ..Command::calm(Verb::Up) }),
            Act::Choose(4, Opt::DependsOn(Some(4))),
            Act::Place(6, 1),
            Act::Words(7, Text::Id(5)),
            Act::Behind(Behind::Plants(Kind::Tool, 1, 1)),
            Act::Run(Command { exclude: Some(4), fail_fast: true, crash: Some(81), ..Command::calm(Verb::Up) }),
        ],
    });
}
