//! A scenario: what a user writes and does, and what happens to them, as plain data that prints as Rust.
//!
//! Every act makes sense everywhere: one that finds nothing to act on does nothing. So any part of a scenario is one,
//! which is what lets a failing one be made short.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    cloud::{Fault, ReadFault, Trouble},
    rules::Kind,
};

/// Text that a program gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    Unset,
    Plain(u8),
    /// The serial number of what is in this slot: an output that is not known before it exists.
    Serial(u8),
    /// The id of what is in this slot.
    Id(u8),
}

/// One resource that a program declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) kind: Kind,
    /// Its address.
    pub(crate) path: u8,
    pub(crate) name: u8,
    /// The slot of what it lies in.
    pub(crate) place: u8,
    /// Changed in place; 0 is unset.
    pub(crate) size: u8,
    /// Changed by a replacement; 0 is unset.
    pub(crate) grade: u8,
    pub(crate) text: Text,
    /// What a ticket is about: changed by a replacement.
    pub(crate) about: Text,
    /// The slot of the lock that it holds.
    pub(crate) lock: Option<u8>,
    pub(crate) password: u8,
    pub(crate) options: Options,
}

impl Item {
    /// With nothing set.
    pub(crate) fn of(kind: Kind) -> Self {
        let (text, about) = (Text::Unset, Text::Unset);
        let options = Options::default();
        Self { kind, path: 0, name: 0, place: 0, size: 0, grade: 0, text, about, lock: None, password: 0, options }
    }
}

/// How a program wants a resource managed.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the authoring API")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) protect: bool,
    pub(crate) retain: bool,
    pub(crate) force: bool,
    pub(crate) adopt: bool,
    pub(crate) ignore_text: bool,
    pub(crate) replace_on_size: bool,
    pub(crate) delete_first: Option<bool>,
    pub(crate) depends_on: Option<u8>,
    pub(crate) deleted_with: Option<u8>,
    /// Addresses it had.
    pub(crate) moved_from: BTreeSet<u8>,
}

/// One option, set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opt {
    Protect(bool),
    Retain(bool),
    Force(bool),
    Adopt(bool),
    IgnoreText(bool),
    ReplaceOnSize(bool),
    DeleteFirst(Option<bool>),
    DependsOn(Option<u8>),
    DeletedWith(Option<u8>),
}

/// What a user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Up,
    UpOffline,
    Destroy,
    Plan,
    PlanOffline,
    Drift,
    DriftAccept,
    /// `plan --out`, then `up --plan`.
    UpSaved,
}

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) verb: Verb,
    /// `--allow-data-loss all`.
    pub(crate) consent: bool,
    pub(crate) parallel: u8,
    pub(crate) target: Option<u8>,
    pub(crate) exclude: Option<u8>,
    pub(crate) replace: Option<u8>,
    pub(crate) fail_fast: bool,
    /// The point at which its process dies.
    pub(crate) crash: Option<u16>,
    /// The point at which it is interrupted.
    pub(crate) stop: Option<u16>,
    /// The point at which it stands still for a minute, while another `up` tries.
    pub(crate) pause: Option<u16>,
    pub(crate) faults: Vec<(u16, Fault)>,
    pub(crate) reads: Vec<(u16, ReadFault)>,
}

impl Command {
    /// Undisturbed, with consent.
    pub(crate) fn calm(verb: Verb) -> Self {
        Self {
            verb,
            consent: true,
            parallel: 4,
            target: None,
            exclude: None,
            replace: None,
            fail_fast: false,
            crash: None,
            stop: None,
            pause: None,
            faults: Vec::new(),
            reads: Vec::new(),
        }
    }

    pub(crate) fn trouble(&self) -> Trouble {
        let Self { crash, stop, pause, .. } = self;
        let (faults, reads) = (self.faults.iter().copied().collect(), self.reads.iter().copied().collect());
        Trouble { crash: *crash, stop: *stop, pause: *pause, faults, reads }
    }
}

/// What somebody else does between two commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behind {
    /// Ends the nth living thing, if the cloud lets it.
    Loses(u8),
    /// Changes a field of the nth living thing.
    Alters(u8),
    /// Makes a thing of this kind and name, in the nth thing that it can lie in.
    Plants(Kind, u8, u8),
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    Add(u8, Item),
    Drop(u8),
    Name(u8, u8),
    Size(u8, u8),
    Grade(u8, u8),
    Words(u8, Text),
    About(u8, Text),
    Holds(u8, Option<u8>),
    Place(u8, u8),
    Password(u8, u8),
    Choose(u8, Opt),
    /// Gives it another address.
    Move(u8),
    /// Gives it another address, and does not say so.
    Readdress(u8),
    /// Two resources of one kind take each other's address.
    Swap(u8, u8),
    Behind(Behind),
    Wait(u16),
    Run(Command),
}

/// A history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    /// Up to so many milliseconds reads and lists lag behind.
    pub(crate) lag: u64,
    /// Journals grow as files do.
    pub(crate) grows: bool,
    pub(crate) acts: Vec<Act>,
}

/// What a program declares, by slot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) items: BTreeMap<u8, Item>,
    /// The next free address.
    next: u8,
}

impl Spec {
    fn fresh(&mut self) -> u8 {
        self.next = self.next.wrapping_add(1);
        self.next
    }

    /// Edits the program.
    pub(crate) fn edit(&mut self, act: &Act) {
        match act {
            Act::Add(slot, item) => {
                if !self.items.contains_key(slot) {
                    let path = self.fresh();
                    self.items.insert(*slot, Item { path, ..item.clone() });
                }
            }
            Act::Drop(slot) => drop(self.items.remove(slot)),
            Act::Name(slot, name) => self.with(*slot, |item| item.name = *name),
            Act::Size(slot, size) => self.with(*slot, |item| item.size = *size),
            Act::Grade(slot, grade) => self.with(*slot, |item| item.grade = *grade),
            Act::Words(slot, text) => self.with(*slot, |item| item.text = *text),
            Act::About(slot, text) => self.with(*slot, |item| item.about = *text),
            Act::Holds(slot, lock) => self.with(*slot, |item| item.lock = *lock),
            Act::Place(slot, place) => self.with(*slot, |item| item.place = *place),
            Act::Password(slot, password) => self.with(*slot, |item| item.password = *password),
            Act::Choose(slot, option) => self.with(*slot, |item| item.options.choose(*option)),
            Act::Move(slot) => {
                let path = self.fresh();
                self.with(*slot, |item| {
                    item.options.moved_from.insert(item.path);
                    item.path = path;
                });
            }
            Act::Readdress(slot) => {
                let path = self.fresh();
                self.with(*slot, |item| {
                    item.options.moved_from.clear();
                    item.path = path;
                });
            }
            Act::Swap(one, other) => self.swap(*one, *other),
            Act::Behind(_) | Act::Wait(_) | Act::Run(_) => {}
        }
    }

    fn with(&mut self, slot: u8, change: impl FnOnce(&mut Item)) {
        if let Some(item) = self.items.get_mut(&slot) {
            change(item);
        }
    }

    fn swap(&mut self, one: u8, other: u8) {
        let (Some(a), Some(b)) = (self.items.get(&one), self.items.get(&other)) else { return };
        if one == other || a.kind != b.kind || !a.options.moved_from.is_empty() || !b.options.moved_from.is_empty() {
            return;
        }
        let (of_a, of_b) = (a.path, b.path);
        self.with(one, |item| (item.path, item.options.moved_from) = (of_b, BTreeSet::from([of_a])));
        self.with(other, |item| (item.path, item.options.moved_from) = (of_a, BTreeSet::from([of_b])));
    }

    /// What is applied needs no word of where it was: a swap that stayed in a program would swap again.
    pub(crate) fn settle_moves(&mut self) {
        self.items.values_mut().for_each(|item| item.options.moved_from.clear());
    }
}

impl Options {
    fn choose(&mut self, option: Opt) {
        match option {
            Opt::Protect(yes) => self.protect = yes,
            Opt::Retain(yes) => self.retain = yes,
            Opt::Force(yes) => self.force = yes,
            Opt::Adopt(yes) => self.adopt = yes,
            Opt::IgnoreText(yes) => self.ignore_text = yes,
            Opt::ReplaceOnSize(yes) => self.replace_on_size = yes,
            Opt::DeleteFirst(yes) => self.delete_first = yes,
            Opt::DependsOn(on) => self.depends_on = on,
            Opt::DeletedWith(with) => self.deleted_with = with,
        }
    }
}
