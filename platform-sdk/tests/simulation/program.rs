//! From a spec to a program, written with the authoring API as a user would.

use std::collections::BTreeMap;

use platform_sdk::{Addressed, Data, Handle, Id, Input, Output, Program, Resource, Result, Secret, Stack};

use crate::{
    cloud::Cloud,
    kinds::{Area, Desk, Inside, Lock, Shelf, Sim, Site, Ticket, Tool, Unit},
    rules::Kind,
    scenario::{Item, Spec, Text},
};

/// The address of an item: some lie in a component.
pub(crate) fn address(kind: Kind, path: u8) -> String {
    let component = if in_component(path) { "part/" } else { "" };
    format!("{}::{component}p{path}", kind.type_name())
}

fn in_component(path: u8) -> bool {
    path % 4 == 3
}

/// The program of this spec.
pub(crate) fn program(spec: &Spec, cloud: &Cloud) -> Program {
    let (spec, inside) = (spec.clone(), Inside { cloud: cloud.clone(), site: None });
    let sim = Sim { cloud: cloud.clone() };
    let of = cloud.clone();
    Program::new("sim", move |stack| {
        let mut slots = BTreeMap::new();
        for (slot, item) in &spec.items {
            declare(&of, stack, &mut slots, *slot, item)?;
        }
        if let Some(first) = slots.values().next() {
            stack.export("first", first.serial());
        }
        Ok(())
    })
    .stack("s")
    .provider(sim)
    .provider(inside)
}

/// The items of a spec that a program declares: those whose places are there.
pub(crate) fn declared(spec: &Spec) -> BTreeMap<u8, &Item> {
    let mut there: BTreeMap<u8, &Item> = BTreeMap::new();
    for (slot, item) in &spec.items {
        let placed = item.kind.place().is_none_or(|(_, kind)| {
            item.place < *slot && there.get(&item.place).is_some_and(|place| place.kind == kind)
        });
        if placed {
            there.insert(*slot, item);
        }
    }
    there
}

enum Made {
    Area(Handle<Area>),
    Shelf(Handle<Shelf>),
    Site(Handle<Site>),
    Desk(Handle<Desk>),
    Tool(Handle<Tool>),
    Lock(Handle<Lock>),
    Unit(Handle<Unit>),
    Ticket(Handle<Ticket>),
    Data(Handle<Data>),
}

impl Made {
    fn serial(&self) -> Output<String> {
        match self {
            Self::Area(made) => made.serial.clone(),
            Self::Shelf(made) => made.serial.clone(),
            Self::Site(made) => made.serial.clone(),
            Self::Desk(made) => made.serial.clone(),
            Self::Tool(made) => made.serial.clone(),
            Self::Lock(made) => made.serial.clone(),
            Self::Unit(made) => made.serial.clone(),
            Self::Ticket(made) => made.serial.clone(),
            Self::Data(made) => made.output.map(|value: serde_json::Value| value.as_str().unwrap_or("data").to_owned()),
        }
    }

    fn id(&self) -> Output<String> {
        match self {
            Self::Area(made) => made.id.map(|id: Id<Area>| id.to_string()),
            Self::Shelf(made) => made.id.map(|id: Id<Shelf>| id.to_string()),
            Self::Site(made) => made.id.map(|id: Id<Site>| id.to_string()),
            Self::Desk(made) => made.id.map(|id: Id<Desk>| id.to_string()),
            Self::Tool(made) => made.id.map(|id: Id<Tool>| id.to_string()),
            Self::Lock(made) => made.id.map(|id: Id<Lock>| id.to_string()),
            Self::Unit(made) => made.id.map(|id: Id<Unit>| id.to_string()),
            Self::Ticket(made) => made.id.map(|id: Id<Ticket>| id.to_string()),
            Self::Data(made) => made.id.map(|id: Id<Data>| id.to_string()),
        }
    }

    fn addressed(&self) -> &dyn Addressed {
        match self {
            Self::Area(made) => made,
            Self::Shelf(made) => made,
            Self::Site(made) => made,
            Self::Desk(made) => made,
            Self::Tool(made) => made,
            Self::Lock(made) => made,
            Self::Unit(made) => made,
            Self::Ticket(made) => made,
            Self::Data(made) => made,
        }
    }
}

/// Stands for whatever is in a slot, where options want something with an address.
struct Slot<'m>(&'m Made);

impl Addressed for Slot<'_> {
    fn in_stack(&self) -> (u64, platform_sdk::desired::Address) {
        self.0.addressed().in_stack()
    }
}

type Slots = BTreeMap<u8, Made>;

fn declare(cloud: &Cloud, stack: &Stack, slots: &mut Slots, slot: u8, item: &Item) -> Result<()> {
    if !in_component(item.path) {
        declare_in(cloud, stack, slots, slot, item);
        return Ok(());
    }
    let declared = stack.component("part", |part| {
        declare_in(cloud, part, slots, slot, item);
        Ok(())
    });
    declared.map(drop)
}

fn declare_in(cloud: &Cloud, stack: &Stack, slots: &mut Slots, slot: u8, item: &Item) {
    let name = &name_of(item);
    let address = &format!("p{}", item.path);
    let size = (item.size > 0).then(|| Input::Value(i64::from(item.size)));
    let grade = (item.grade > 0).then(|| Input::Value(i64::from(item.grade)));
    let text = text_of(slots, slot, item.text);
    let made = match (item.kind, slots.get(&item.place).filter(|_| item.place < slot)) {
        (Kind::Area, _) => {
            Made::Area(with(stack.add(address, Area { zone: grade, text, ..Area::new(name) }), item, slots, slot))
        }
        (Kind::Shelf, Some(Made::Area(area))) => Made::Shelf(with(
            stack.add(address, Shelf { size, grade, text, ..Shelf::new(area, name) }),
            item,
            slots,
            slot,
        )),
        (Kind::Site, _) => {
            let color = (item.size > 0).then(|| Input::Value(format!("c{}", item.size)));
            Made::Site(with(stack.add(address, Site { color, grade, ..Site::new(name) }), item, slots, slot))
        }
        (Kind::Desk, Some(Made::Site(place))) => {
            Made::Desk(with(stack.add(address, Desk { size, text, ..Desk::new(place, name) }), item, slots, slot))
        }
        (Kind::Tool, Some(Made::Site(place))) => {
            let within = stack.within(&Inside { cloud: cloud.clone(), site: Some(place.id.clone()) });
            Made::Tool(with(within.add(address, Tool { size, text, ..Tool::new(name) }), item, slots, slot))
        }
        (Kind::Lock, _) => {
            Made::Lock(with(stack.add(address, Lock { grade, text, ..Lock::new(name) }), item, slots, slot))
        }
        (Kind::Unit, _) => {
            let lock = match item.lock.filter(|lock| *lock < slot).and_then(|lock| slots.get(&lock)) {
                Some(Made::Lock(lock)) => Some(Input::Output(lock.id.clone())),
                _ => None,
            };
            let password = (item.password > 0).then(|| Input::Value(Secret::new(format!("secret{}", item.password))));
            let unit = Unit { lock, size, grade, text, password, ..Unit::new(name) };
            Made::Unit(with(stack.add(address, unit), item, slots, slot))
        }
        (Kind::Ticket, _) => {
            let about = text_of(slots, slot, item.about);
            Made::Ticket(with(stack.add(address, Ticket { text, about, ..Ticket::new(name) }), item, slots, slot))
        }
        (Kind::Data, _) => {
            let input = text.unwrap_or_else(|| Input::Value(name.clone()));
            let input = match input {
                Input::Value(text) => Data::new(serde_json::Value::from(text)),
                Input::Output(output) => Data::new(output.json()),
            };
            let data = match slots.get(&item.place).filter(|_| item.place < slot && item.grade > 0) {
                Some(of) => input.trigger(&of.serial()),
                None => input,
            };
            Made::Data(with(stack.add(address, data), item, slots, slot))
        }
        (Kind::Shelf | Kind::Desk | Kind::Tool, _) => return,
    };
    slots.insert(slot, made);
}

pub(crate) fn name_of(item: &Item) -> String {
    format!("n{}", item.name)
}

fn text_of(slots: &Slots, slot: u8, text: Text) -> Option<Input<String>> {
    let of = |other: u8| slots.get(&other).filter(|_| other < slot);
    match text {
        Text::Unset => None,
        Text::Plain(number) => Some(Input::Value(format!("t{number}"))),
        Text::Serial(other) => of(other).map(|made| Input::Output(made.serial())),
        Text::Id(other) => of(other).map(|made| Input::Output(made.id())),
    }
}

/// The options of a handle.
fn with<R: Resource>(mut handle: Handle<R>, item: &Item, slots: &Slots, slot: u8) -> Handle<R> {
    let options = &item.options;
    let of = |other: Option<u8>| other.filter(|other| *other < slot).and_then(|other| slots.get(&other)).map(Slot);
    let has = |field: &str| R::schema().field(field).is_some();
    for old in &options.moved_from {
        handle = handle.moved_from(&address(item.kind, *old));
    }
    if options.protect {
        handle = handle.protect();
    }
    if options.retain {
        handle = handle.retain_on_delete();
    }
    if options.force {
        handle = handle.force_destroy(true);
    }
    if options.adopt {
        handle = handle.adopt_existing();
    }
    if options.ignore_text && has("text") {
        handle = handle.ignore_changes(["text"]);
    }
    if options.replace_on_size && has("size") {
        handle = handle.replace_on_changes(["size"]);
    }
    if let Some(delete_first) = options.delete_first {
        handle = handle.delete_before_replace(delete_first);
    }
    if let Some(other) = of(options.depends_on) {
        handle = handle.depends_on(&other);
    }
    // Only what lies in a site goes with it: of anything else the option would be a lie.
    let goes_along = matches!(item.kind, Kind::Desk | Kind::Tool) && options.deleted_with == Some(item.place);
    if let Some(other) = of(options.deleted_with).filter(|_| goes_along) {
        handle = handle.deleted_with(&other);
    }
    handle
}
