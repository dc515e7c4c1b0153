//! The simulated cloud's own rules: what exists, what refuses what. Knows nothing of the engine or of schemas.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::dice::Dice;

/// The kinds of things in the cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Area,
    Shelf,
    Site,
    Desk,
    Tool,
    Lock,
    Unit,
    Ticket,
    /// The SDK's own resource: nothing in the cloud.
    Data,
}

pub(crate) const CLOUDY: [Kind; 8] =
    [Kind::Area, Kind::Shelf, Kind::Site, Kind::Desk, Kind::Tool, Kind::Lock, Kind::Unit, Kind::Ticket];

impl Kind {
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Area => "sim:Area",
            Self::Shelf => "sim:Shelf",
            Self::Site => "sim:Site",
            Self::Desk => "sim:Desk",
            Self::Tool => "sim:Tool",
            Self::Lock => "sim:Lock",
            Self::Unit => "sim:Unit",
            Self::Ticket => "sim:Ticket",
            Self::Data => "platform:Data",
        }
    }

    pub(crate) fn of_type(name: &str) -> Option<Self> {
        CLOUDY.into_iter().find(|kind| kind.type_name() == name)
    }

    /// What a delete destroys can't be made again.
    pub(crate) fn has_data(self) -> bool {
        matches!(self, Self::Desk | Self::Unit)
    }

    /// The fields that no two living things of the kind may share.
    pub(crate) fn key(self) -> &'static [&'static str] {
        match self {
            Self::Area | Self::Site | Self::Lock => &["name"],
            Self::Shelf => &["area", "name"],
            Self::Desk | Self::Tool => &["site", "name"],
            Self::Unit | Self::Ticket | Self::Data => &[],
        }
    }

    /// The field that says in what it lies, and the kind of that.
    pub(crate) fn place(self) -> Option<(&'static str, Kind)> {
        match self {
            Self::Shelf => Some(("area", Self::Area)),
            Self::Desk | Self::Tool => Some(("site", Self::Site)),
            Self::Area | Self::Site | Self::Lock | Self::Unit | Self::Ticket | Self::Data => None,
        }
    }

    /// The fields that are what they were when it was made.
    fn fixed(self) -> &'static [&'static str] {
        match self {
            Self::Area => &["zone"],
            Self::Shelf => &["area", "name", "grade"],
            Self::Site | Self::Lock => &["name", "grade"],
            Self::Desk | Self::Tool => &["site", "name"],
            Self::Unit => &["grade"],
            Self::Ticket => &["title", "about"],
            Self::Data => &[],
        }
    }
}

/// When something is ready that never will be.
pub(crate) const NEVER: u64 = u64::MAX;

/// Who made a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Engine,
    Stranger,
}

impl Who {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Engine => "engine@sim",
            Self::Stranger => "stranger@sim",
        }
    }
}

/// What a thing looked like from some time on: its id and fields, or nothing.
type Look = Option<(String, Map<String, Value>)>;

/// One thing, dead or alive.
#[derive(Debug, Clone)]
pub(crate) struct Thing {
    pub(crate) kind: Kind,
    pub(crate) id: String,
    pub(crate) fields: Map<String, Value>,
    pub(crate) serial: String,
    pub(crate) created_at: u64,
    pub(crate) ready_at: u64,
    pub(crate) by: Who,
    /// The whole mark of the create that made it. Only a unit shows it.
    pub(crate) mark: String,
    pub(crate) alive: bool,
    /// Since when reads, and since when lists, show it so.
    looks: Vec<(u64, u64, Look)>,
}

impl Thing {
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field).and_then(Value::as_str)
    }

    /// As reads (or lists) show it at that time.
    pub(crate) fn look(&self, now: u64, list: bool) -> Option<&(String, Map<String, Value>)> {
        let shown = self.looks.iter().rev().find(|(read, listed, _)| if list { *listed <= now } else { *read <= now });
        shown.and_then(|(_, _, look)| look.as_ref())
    }

    fn shows(&mut self, read: u64, list: u64) {
        let (read, list) =
            self.looks.last().map_or((read, list), |(before, listed, _)| (read.max(*before), list.max(*listed)));
        let look = self.alive.then(|| (self.id.clone(), self.fields.clone()));
        self.looks.push((read, list, look));
    }
}

/// Why the cloud does not do what it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    Exists,
    /// What had this key is gone, and its key is not free yet.
    Held(String),
    NoPlace,
    NotReady,
    Gone,
    InUse,
    Fixed(String),
}

/// Something that really happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Made(usize),
    /// With what it lies in, when only the name of that has changed.
    Changed(usize, Option<usize>),
    /// With what took it along.
    Ended(usize, Option<usize>),
}

/// Everything that exists or did.
#[derive(Debug)]
pub(crate) struct Things {
    pub(crate) all: Vec<Thing>,
    pub(crate) dice: Dice,
    /// Up to so many milliseconds reads and lists lag behind.
    pub(crate) lag: u64,
    /// Up to so many milliseconds the name of what has ended stays taken.
    pub(crate) holds: u64,
    held: BTreeMap<(Kind, String), u64>,
    /// Up to so many milliseconds it takes until something can be used.
    pub(crate) readying: u64,
    /// How many of a hundred reads right after a create that stopped halfway are denied.
    pub(crate) hides: u64,
    /// How many reads are denied.
    pub(crate) hidden: u64,
    /// How many of a hundred never can be.
    pub(crate) never: u64,
    next: u64,
}

impl Things {
    pub(crate) fn new(dice: Dice, lag: u64) -> Self {
        Self {
            all: Vec::new(),
            dice,
            lag,
            holds: 0,
            held: BTreeMap::new(),
            readying: 20_000,
            never: 0,
            hides: 0,
            hidden: 0,
            next: 0,
        }
    }

    pub(crate) fn alive(&self) -> impl Iterator<Item = (usize, &Thing)> {
        self.all.iter().enumerate().filter(|(_, thing)| thing.alive)
    }

    /// The living thing with this id, in this site where the kind's ids are relative to one.
    pub(crate) fn find(&self, kind: Kind, id: &str, site: Option<&str>) -> Option<usize> {
        let here = |thing: &Thing| kind != Kind::Tool || thing.text("site") == site;
        self.alive().find(|(_, thing)| thing.kind == kind && thing.id == id && here(thing)).map(|(uid, _)| uid)
    }

    fn show(&mut self, uid: usize, now: u64) {
        let (read, list) = if self.lag == 0 {
            (now, now)
        } else {
            let read = now + self.dice.below(self.lag);
            (read, read + self.dice.below(self.lag))
        };
        self.all[uid].shows(read, list);
    }

    fn same_key(&self, kind: Kind, fields: &Map<String, Value>, but: Option<usize>) -> bool {
        let keys = kind.key();
        let same = |thing: &Thing| keys.iter().all(|key| thing.fields.get(*key) == fields.get(*key));
        !keys.is_empty() && self.alive().any(|(uid, thing)| thing.kind == kind && Some(uid) != but && same(thing))
    }

    fn is_held(&self, kind: Kind, fields: &Map<String, Value>, now: u64) -> bool {
        self.held.get(&(kind, key_of(kind, fields))).is_some_and(|until| *until > now)
    }

    /// A name is given up, and not free at once.
    fn hold(&mut self, kind: Kind, fields: &Map<String, Value>, now: u64) {
        if self.holds > 0 && !kind.key().is_empty() {
            let until = now + self.dice.below(self.holds);
            self.held.insert((kind, key_of(kind, fields)), until);
        }
    }

    /// Everything is free, and ready, from now on.
    pub(crate) fn comes_to_rest(&mut self) {
        (self.holds, self.readying, self.never) = (0, 1, 0);
        (self.hides, self.hidden) = (0, 0);
        self.held.clear();
        self.all.iter_mut().for_each(|thing| thing.ready_at = 0);
    }

    /// Makes a thing.
    pub(crate) fn make(
        &mut self,
        kind: Kind,
        mut fields: Map<String, Value>,
        (by, mark): (Who, &str),
        now: u64,
    ) -> Result<(usize, Vec<Change>), Refusal> {
        if let Some((field, of)) = kind.place() {
            let place = fields.get(field).and_then(Value::as_str).and_then(|id| self.find(of, id, None));
            let place = place.ok_or(Refusal::NoPlace)?;
            if self.all[place].ready_at > now {
                return Err(Refusal::NotReady);
            }
        }
        if let Some(lock) = fields.get("lock").and_then(Value::as_str)
            && self.find(Kind::Lock, lock, None).is_none()
        {
            return Err(Refusal::NoPlace);
        }
        if self.same_key(kind, &fields, None) {
            return Err(Refusal::Exists);
        }
        if self.is_held(kind, &fields, now) {
            return Err(Refusal::Held(key_of(kind, &fields)));
        }
        self.next += 1;
        let number = self.next;
        if kind == Kind::Site {
            fields.entry("color").or_insert_with(|| json!(format!("color{number}")));
        }
        let ready_at = match kind {
            Kind::Site if self.never > 0 && self.dice.percent(self.never) => NEVER,
            Kind::Site => now + self.dice.below(self.readying),
            _ => now,
        };
        let id = id_of(kind, &fields).unwrap_or_else(|| format!("n{number}"));
        let (serial, mark) = (format!("s{number}"), mark.to_owned());
        let looks = vec![(0, 0, None)];
        let thing = Thing { kind, id, fields, serial, created_at: now, ready_at, by, mark, alive: true, looks };
        self.all.push(thing);
        let uid = self.all.len() - 1;
        self.show(uid, now);
        Ok((uid, vec![Change::Made(uid)]))
    }

    /// Sets fields (null: takes them away).
    pub(crate) fn set(&mut self, uid: usize, new: &Map<String, Value>, now: u64) -> Result<Vec<Change>, Refusal> {
        let Thing { kind, fields, .. } = self.all[uid].clone();
        let mut after = fields.clone();
        for (name, value) in new {
            if value.is_null() {
                after.remove(name);
            } else {
                after.insert(name.clone(), value.clone());
            }
        }
        if let Some(fixed) = kind.fixed().iter().find(|name| fields.get(**name) != after.get(**name)) {
            return Err(Refusal::Fixed((*fixed).to_owned()));
        }
        if let Some(lock) = after.get("lock").and_then(Value::as_str)
            && self.find(Kind::Lock, lock, None).is_none()
        {
            return Err(Refusal::NoPlace);
        }
        if self.same_key(kind, &after, Some(uid)) {
            return Err(Refusal::Exists);
        }
        if kind.key().iter().any(|key| fields.get(*key) != after.get(*key)) {
            if self.is_held(kind, &after, now) {
                return Err(Refusal::Held(key_of(kind, &after)));
            }
            self.hold(kind, &fields, now);
        }
        let old = self.all[uid].id.clone();
        let id = id_of(kind, &after).unwrap_or_else(|| old.clone());
        let thing = &mut self.all[uid];
        (thing.fields, thing.id) = (after, id.clone());
        self.show(uid, now);
        let mut changes = vec![Change::Changed(uid, None)];
        if kind == Kind::Area && id != old {
            for shelf in self.inside(Kind::Area, &old) {
                let thing = &mut self.all[shelf];
                thing.fields.insert("area".to_owned(), json!(id));
                thing.id = id_of(Kind::Shelf, &thing.fields).unwrap_or_default();
                self.show(shelf, now);
                changes.push(Change::Changed(shelf, Some(uid)));
            }
        }
        Ok(changes)
    }

    /// What lies in a thing.
    pub(crate) fn inside(&self, kind: Kind, id: &str) -> Vec<usize> {
        let lies =
            |thing: &Thing| thing.kind.place().is_some_and(|(field, of)| of == kind && thing.text(field) == Some(id));
        self.alive().filter(|(_, thing)| lies(thing)).map(|(uid, _)| uid).collect()
    }

    /// Ends a thing, and what it takes along.
    pub(crate) fn end(&mut self, uid: usize, force: bool, now: u64) -> Result<Vec<Change>, Refusal> {
        let Thing { kind, id, .. } = self.all[uid].clone();
        let inside = self.inside(kind, &id);
        if kind == Kind::Area && !inside.is_empty() && !force {
            return Err(Refusal::InUse);
        }
        if kind == Kind::Lock && self.alive().any(|(_, thing)| thing.text("lock") == Some(&*id)) {
            return Err(Refusal::InUse);
        }
        let mut changes = Vec::new();
        for (ends, along) in inside.into_iter().map(|inner| (inner, Some(uid))).chain([(uid, None)]) {
            self.all[ends].alive = false;
            let Thing { kind, fields, .. } = self.all[ends].clone();
            self.hold(kind, &fields, now);
            self.show(ends, now);
            changes.push(Change::Ended(ends, along));
        }
        Ok(changes)
    }
}

/// What no two living things of a kind may share, as text.
pub(crate) fn key_of(kind: Kind, fields: &Map<String, Value>) -> String {
    kind.key().iter().map(|key| fields.get(*key).map(Value::to_string).unwrap_or_default()).collect()
}

/// Ids that are made of names; the others are drawn.
fn id_of(kind: Kind, fields: &Map<String, Value>) -> Option<String> {
    let text = |field: &str| fields.get(field).and_then(Value::as_str).unwrap_or_default();
    match kind {
        Kind::Area | Kind::Lock | Kind::Tool => Some(text("name").to_owned()),
        Kind::Shelf => Some(format!("{}/{}", text("area"), text("name"))),
        Kind::Desk => Some(format!("{}/{}", text("site"), text("name"))),
        Kind::Site | Kind::Unit | Kind::Ticket | Kind::Data => None,
    }
}
