//! The oracle: what must hold after every command, asked of the cloud itself and not of the engine.

use std::collections::{BTreeMap, BTreeSet};

use platform_sdk::state::{IntentOp, OpenIntent, Reading, ResourceState, Status};
use serde_json::Value;

use crate::{
    cloud::{Cloud, WINDOW},
    program::{address, declared, name_of},
    rules::{Change, Kind, Thing, Things, Who},
    scenario::{Command, Item, Spec, Text, Verb},
};

/// What state knew of a thing when a command began.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) address: String,
    protect: bool,
    retain: bool,
}

impl Known {
    fn is_at(&self, state: &ResourceState) -> bool {
        self.address == state.address.as_str()
    }
}

/// What a command may do to the cloud: what it was told and what it announced.
#[derive(Debug, Clone, Default)]
pub(crate) struct Announced {
    known: BTreeMap<usize, Known>,
    open: BTreeMap<String, Known>,
    steps: Vec<Value>,
    consent: bool,
    protected: BTreeSet<String>,
    retained: BTreeSet<String>,
    /// What the program declares.
    declared: BTreeSet<String>,
    /// New addresses by old ones.
    moved: BTreeMap<String, String>,
    /// How many things it has made, by kind.
    made: BTreeMap<Kind, usize>,
    /// The addresses that may take what is there already.
    adopting: BTreeSet<String>,
    /// It reads nothing of reality before it plans.
    blind: bool,
    /// The texts that really are at addresses whose text the program ignores.
    ignored: BTreeMap<String, Option<String>>,
}

/// Everything that the oracle remembers.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    /// What state accounts for now.
    known: BTreeMap<usize, Known>,
    /// What is finished, by address.
    at: BTreeMap<String, usize>,
    /// What was asked and not answered, by intent.
    open: BTreeMap<String, Known>,
    /// The ignored texts that interrupted replacements still owe, by address.
    owed: BTreeMap<String, Option<String>>,
    /// Where a run that had read nothing was interrupted: what others had set there it could not know.
    unseen: BTreeSet<String>,
    /// What the stack has let go of on purpose.
    released: BTreeSet<usize>,
    /// Whether state knew of each site, before the last command, that it is still waited for.
    waited_for: (bool, bool),
    /// By command, the first is 1.
    commands: BTreeMap<usize, Announced>,
}

type Verdict = Result<(), String>;

/// The things that a resource in state may stand for: by its id, and by the serial number that it has seen.
fn stands_for(things: &Things, state: &ResourceState) -> Vec<usize> {
    let Some(kind) = Kind::of_type(state.address.type_name()) else { return Vec::new() };
    let site = state.provider.config.get("site").and_then(Value::as_str);
    let serial = state.outputs.get("serial").and_then(|serial| serial.as_str());
    let by_serial = things.alive().find(|(_, thing)| Some(&*thing.serial) == serial).map(|(uid, _)| uid);
    things.find(kind, &state.id, site).into_iter().chain(by_serial).collect()
}

impl Announced {
    /// Under the id of something of ours that a stranger took away, a stranger's is taken for it.
    fn of_same_id(&self, things: &Things, thing: &Thing) -> Option<&Known> {
        let same = |old: &usize| things.all[*old].kind == thing.kind && things.all[*old].id == thing.id;
        self.known.iter().find(|(old, _)| same(old)).map(|(_, known)| known)
    }

    /// Each thing that was made was announced, and no request for it was answered by two.
    fn makes(&mut self, things: &Things, change: &Change) -> Verdict {
        let Change::Made(uid) = change else { return Ok(()) };
        let thing = &things.all[*uid];
        let twin = things.all.iter().enumerate().find(|(other, twin)| other != uid && twin.mark == thing.mark);
        if let Some((_, twin)) = twin {
            return Err(format!("{} was created twice: {} is of the same intent", shown(thing), shown(twin)));
        }
        let prefix = format!("{}::", thing.kind.type_name());
        let making = |step: &&Value| {
            (step["op"] == "create" || step["op"] == "replace")
                && step["address"].as_str().is_some_and(|address| address.starts_with(&prefix))
        };
        let announced = self.steps.iter().filter(making).count();
        let made = self.made.entry(thing.kind).or_default();
        *made += 1;
        if *made > announced {
            return Err(format!("{} was created, and its plan had announced {announced} of its kind", shown(thing)));
        }
        Ok(())
    }
}

impl Oracle {
    /// A command begins, over this state and with this program.
    pub(crate) fn announce(&mut self, cloud: &Cloud, number: usize, spec: &Spec, command: &Command) {
        // What lies in something that was dropped is not declared either, whatever its options would be.
        let items = declared(spec);
        let with = |wants: fn(&Item) -> bool| {
            let items = items.values().filter(|item| wants(item));
            items.map(|item| address(item.kind, item.path)).collect::<BTreeSet<_>>()
        };
        let (protected, retained) = (with(|item| item.options.protect), with(|item| item.options.retain));
        let (adopting, declared) = (with(|item| item.options.adopt), with(|_| true));
        let ignoring = with(|item| {
            item.options.ignore_text
                && item.options.moved_from.is_empty()
                && !matches!(item.kind, Kind::Site | Kind::Data)
        });
        let ignored = cloud.with(|things, _| {
            let there = |at: &String| Some(&things.all[*self.at.get(at)?]).filter(|thing| thing.alive);
            let text = |at: &String| match there(at) {
                Some(thing) => Some(thing.text("text").map(str::to_owned)),
                None => self.owed.get(at).cloned(),
            };
            let seen = ignoring.into_iter().filter(|at| !self.unseen.contains(at));
            seen.filter_map(|at| text(&at).map(|text| (at, text))).collect()
        });
        let addressed_anew = items.values().flat_map(|item| {
            let to = address(item.kind, item.path);
            item.options.moved_from.iter().map(move |from| (address(item.kind, *from), to.clone()))
        });
        let (known, open) = (self.known.clone(), self.open.clone());
        let (steps, moved) = (Vec::new(), addressed_anew.collect());
        let made = BTreeMap::new();
        let (consent, blind) = (command.consent, command.verb == Verb::UpOffline);
        let announced = Announced {
            known,
            open,
            steps,
            consent,
            protected,
            retained,
            declared,
            moved,
            made,
            adopting,
            blind,
            ignored,
        };
        self.commands.insert(number, announced);
    }

    /// A command that takes the lease later than it began also knows what state says then.
    pub(crate) fn informed(&mut self, number: usize) {
        if let Some(announced) = self.commands.get_mut(&number) {
            let Announced { known, open, .. } = announced;
            self.known.iter().for_each(|(uid, now)| drop(known.insert(*uid, now.clone())));
            self.open.iter().for_each(|(intent, now)| drop(open.insert(intent.clone(), now.clone())));
        }
    }

    /// Whether there was no site, before the last command, but such as are waited for.
    pub(crate) fn waited_for(&self) -> bool {
        self.waited_for.0
    }

    /// What it printed of its plan.
    pub(crate) fn planned(&mut self, number: usize, plan: Option<&Value>) {
        if let (Some(announced), Some(steps)) = (self.commands.get_mut(&number), plan.map(|plan| &plan["steps"])) {
            announced.steps = steps.as_array().cloned().unwrap_or_default();
        }
    }

    /// What happened was announced, and nothing happened that needed more.
    pub(crate) fn judge(&mut self, cloud: &Cloud, number: usize, changes: &[Change]) -> Verdict {
        if let Some(announced) = self.commands.get_mut(&number) {
            cloud.with(|things, _| changes.iter().try_for_each(|change| announced.makes(things, change)))?;
        }
        let Some(announced) = self.commands.get(&number) else { return Ok(()) };
        cloud.with(|things, _| {
            changes.iter().try_for_each(|change| match change {
                Change::Ended(uid, along) => self.ended(announced, things, *uid, *along),
                Change::Changed(uid, None) => changed(announced, things, *uid),
                // What lies in something that gets another name follows it, whoever made it: that one is judged.
                Change::Changed(_, Some(_)) | Change::Made(_) => Ok(()),
            })
        })
    }

    fn ended(&self, announced: &Announced, things: &Things, uid: usize, along: Option<usize>) -> Verdict {
        let thing = &things.all[uid];
        let steps = |address: &str| {
            let address = address.to_owned();
            announced.steps.iter().filter(move |step| step["address"] == address.as_str())
        };
        let same_id = || announced.of_same_id(things, thing);
        // What an earlier command had asked for may have landed since.
        let late = || announced.open.get(thing.mark.rsplit('/').next()?);
        let owned = announced.known.get(&uid).or_else(late).or_else(same_id).filter(|_| !self.released.contains(&uid));
        let Some(known) = owned else {
            let with = along.and_then(|along| announced.known.get(&along));
            let told = with.is_some_and(|with| {
                steps(&with.address).any(|step| step["takes_along"].to_string().contains(&format!("`{}`", thing.id)))
            });
            if told && announced.consent {
                return Ok(());
            }
            return Err(format!("{} was deleted, and is none of the stack's", shown(thing)));
        };
        let ending = |step: &&Value| step["op"] == "delete" || step["op"] == "replace";
        let mut at = [Some(&known.address), announced.moved.get(&known.address)].into_iter().flatten();
        let Some((at, step)) = at.find_map(|at| Some((at, steps(at).find(ending)?))) else {
            return Err(format!("{} was deleted, and no plan had announced it at {}", shown(thing), known.address));
        };
        let by_program = |set: &BTreeSet<String>| set.contains(at);
        // What a replacement has left behind has its successor, and that one is what the program protects.
        let left_behind = step["reasons"].to_string().contains("was left behind by a replacement");
        if known.protect || by_program(&announced.protected) && !left_behind {
            return Err(format!("{} was deleted, and is protected", shown(thing)));
        }
        let program_says = step["op"] == "replace" || by_program(&announced.declared);
        let retained = if program_says { by_program(&announced.retained) } else { known.retain };
        if retained {
            return Err(format!("{} was deleted, and is retained", shown(thing)));
        }
        let told = steps(at).any(|step| step["destroys"].as_array().is_some_and(|lost| !lost.is_empty()));
        if thing.kind.has_data() && !(announced.consent && told) {
            return Err(format!("{} was deleted with its data, without word or consent", shown(thing)));
        }
        Ok(())
    }

    /// Everything that the engine made and that lives is accounted for, or was let go of on purpose.
    pub(crate) fn account(&mut self, cloud: &Cloud, number: usize, reading: &Reading) -> Verdict {
        let mut known = BTreeMap::new();
        let announced = self.commands.get(&number).cloned().unwrap_or_default();
        cloud.with(|things, _| {
            let snapshot = &reading.snapshot;
            let intended = reading.open.iter().map(|open| &open.intent);
            for state in snapshot.resources.values().chain(&snapshot.pending_deletes) {
                let gone = |uid: &usize| !things.all[*uid].alive && things.all[*uid].id == state.id;
                let not_yet_missed = self.known.iter().filter(|(uid, known)| gone(uid) && known.is_at(state));
                let there = stands_for(things, state);
                there.iter().try_for_each(|uid| self.taken_over(&announced, things, (*uid, state)))?;
                for uid in there.into_iter().chain(not_yet_missed.map(|(uid, _)| *uid)) {
                    known.entry(uid).or_insert_with(|| of_state(state));
                }
            }
            for intent in intended {
                for (uid, _) in things.alive().filter(|(_, thing)| thing.mark.ends_with(&intent.id)) {
                    known.entry(uid).or_insert_with(|| of_state(&intent.target));
                }
                if intent.op == IntentOp::Update {
                    for uid in stands_for(things, &intent.target) {
                        known.entry(uid).or_insert_with(|| of_state(&intent.target));
                    }
                }
            }
            for (uid, thing) in things.alive() {
                let ours = thing.by == Who::Engine || self.known.contains_key(&uid);
                if !ours || known.contains_key(&uid) || self.released.contains(&uid) {
                    continue;
                }
                let before = self.known.get(&uid);
                if thing.by == Who::Stranger && before.is_none() {
                    continue;
                }
                let let_go = before.is_some_and(|before| {
                    let to = announced.moved.get(&before.address).unwrap_or(&before.address);
                    announced.steps.iter().any(|step| {
                        (step["address"] == before.address.as_str() || step["address"] == to.as_str())
                            && (step["op"] == "forget"
                                || step["op"] == "replace" && (announced.retained.contains(to) || before.retain))
                    })
                });
                if !let_go {
                    let at = before.map_or("nowhere", |before| &before.address);
                    return Err(format!(
                        "{} is an orphan: no state and no open intent knows it; it was at {at}",
                        shown(thing)
                    ));
                }
                self.released.insert(uid);
            }
            Ok(())
        })?;
        let mut sites = reading.snapshot.resources.values().filter(|state| state.address.type_name() == "sim:Site");
        let unready = sites.all(|state| matches!(state.status, Status::Unready(_)));
        self.waited_for = (self.waited_for.1, unready);
        self.at = cloud.with(|things, _| {
            let whole = reading.snapshot.resources.values().filter(|state| state.status == Status::Whole);
            let there =
                whole.filter_map(|state| Some((state.address.to_string(), *stands_for(things, state).first()?)));
            there.collect()
        });
        let owing = |at: String| announced.ignored.get(&at).cloned().map(|text| (at, text));
        self.owed = owed(reading).into_iter().filter_map(owing).collect();
        let open = reading.open.iter().map(|open| open.intent.target.address.to_string());
        self.unseen = open.filter(|at| announced.blind || self.unseen.contains(at)).collect();
        let open = |open: &OpenIntent| (open.intent.id.clone(), of_state(&open.intent.target));
        self.open = reading.open.iter().map(open).collect();
        self.known = known;
        Ok(())
    }

    /// Somebody else's of the same name becomes the stack's only where the program says so. What took the place of
    /// something of ours behind our back can't be told from it.
    fn taken_over(&self, announced: &Announced, things: &Things, (uid, state): (usize, &ResourceState)) -> Verdict {
        let thing = &things.all[uid];
        let same = |old: &usize| things.all[*old].kind == thing.kind && things.all[*old].id == thing.id;
        let ours = thing.by == Who::Engine || self.known.contains_key(&uid) || self.known.keys().any(same);
        if ours || announced.adopting.contains(state.address.as_str()) {
            return Ok(());
        }
        Err(format!("{} is a stranger's, and was taken over at {}", shown(thing), state.address))
    }

    /// What the program ignores is as it was, in an object that was replaced too.
    pub(crate) fn ignored_are_left(&self, cloud: &Cloud, number: usize, reading: &Reading) -> Verdict {
        let Some(announced) = self.commands.get(&number) else { return Ok(()) };
        cloud.with(|things, _| {
            for state in reading.snapshot.resources.values() {
                let Some(text) = announced.ignored.get(state.address.as_str()) else { continue };
                let Some(uid) = stands_for(things, state).first().copied() else { continue };
                let thing = &things.all[uid];
                if thing.text("text") != text.as_deref() {
                    return Err(format!("the text of {} is ignored and was {text:?} before", shown(thing)));
                }
            }
            Ok(())
        })
    }

    /// Whether the stack has let go of this thing, or never had it.
    pub(crate) fn foreign(&self, uid: usize) -> bool {
        !self.known.contains_key(&uid)
    }
}

/// The addresses at which replacements were interrupted between their halves, or may have been; with all that lives there.
fn owed(reading: &Reading) -> BTreeSet<String> {
    let ended = reading.open.iter().filter(|open| open.intent.replaces).map(|open| &open.intent.target.address);
    let mut all: BTreeSet<_> = reading.snapshot.replacing.keys().chain(ended).collect();
    loop {
        let before = all.len();
        let inside =
            reading.snapshot.resources.values().filter(|state| state.parents.iter().any(|place| all.contains(place)));
        let inside: Vec<_> = inside.map(|state| &state.address).collect();
        all.extend(inside);
        if all.len() == before {
            return all.into_iter().map(ToString::to_string).collect();
        }
    }
}

/// Nobody else's was changed.
fn changed(announced: &Announced, things: &Things, uid: usize) -> Verdict {
    let thing = &things.all[uid];
    let adopting = || announced.steps.iter().any(|step| step["op"] == "adopt" || step["op"] == "replace");
    let ours = announced.known.contains_key(&uid) || announced.of_same_id(things, thing).is_some();
    if thing.by == Who::Stranger && !ours && !adopting() {
        return Err(format!("a stranger's {} was changed", shown(thing)));
    }
    Ok(())
}

fn of_state(state: &ResourceState) -> Known {
    let options = &state.options;
    Known { address: state.address.to_string(), protect: options.protect, retain: options.retain_on_delete }
}

fn shown(thing: &Thing) -> String {
    format!("{:?} `{}` ({})", thing.kind, thing.id, thing.serial)
}

/// State says what reality is, and reality is what the program says.
pub(crate) fn settled(cloud: &Cloud, spec: &Spec, reading: &Reading) -> Verdict {
    if let Some(open) = reading.open.first() {
        return Err(format!("after a whole run an intent for {} is open", open.intent.target.address));
    }
    if let Some(pending) = reading.snapshot.pending_deletes.first() {
        return Err(format!("after a whole run `{}` of {} is still to be deleted", pending.id, pending.address));
    }
    if let Some(owed) = reading.snapshot.replacing.keys().next() {
        return Err(format!("after a whole run {owed} is still to be made again"));
    }
    let items = declared(spec);
    let there = reading.snapshot.resources.keys().map(ToString::to_string).collect::<BTreeSet<_>>();
    let wanted = items.values().map(|item| address(item.kind, item.path)).collect::<BTreeSet<_>>();
    if there != wanted {
        return Err(format!("state has {there:?}, and the program declares {wanted:?}"));
    }
    cloud.with(|things, _| {
        let world = Wanted { things, reading, items: &items };
        reading.snapshot.resources.values().try_for_each(|state| world.as_state(state))?;
        items.iter().try_for_each(|(slot, item)| world.as_program(*slot, item))
    })
}

struct Wanted<'a> {
    things: &'a Things,
    reading: &'a Reading,
    items: &'a BTreeMap<u8, &'a Item>,
}

impl Wanted<'_> {
    fn state(&self, item: &Item) -> Option<&ResourceState> {
        let address = address(item.kind, item.path);
        self.reading.snapshot.resources.values().find(|state| state.address.as_str() == address).map(|state| &**state)
    }

    fn thing(&self, state: &ResourceState) -> Result<&Thing, String> {
        let kind = Kind::of_type(state.address.type_name()).unwrap_or(Kind::Data);
        let site = state.provider.config.get("site").and_then(Value::as_str);
        let uid = self.things.find(kind, &state.id, site);
        let uid = uid.ok_or_else(|| format!("state has `{}` at {}, and reality has not", state.id, state.address))?;
        Ok(&self.things.all[uid])
    }

    fn as_state(&self, state: &ResourceState) -> Verdict {
        if Kind::of_type(state.address.type_name()).is_none() {
            return Ok(());
        }
        let thing = self.thing(state)?;
        let address = &state.address;
        if state.status != Status::Whole {
            return Err(format!("{address} is {:?} after a whole run", state.status));
        }
        // Where a stranger's stands under the id of something of ours, nothing that was to be done told of it.
        let is_ours = thing.by == Who::Engine;
        if is_ours && state.outputs.get("serial").and_then(|serial| serial.as_str()) != Some(&thing.serial) {
            return Err(format!("the outputs of {address} are of another object than {}", shown(thing)));
        }
        let inputs = state.inputs.exposed().plain().unwrap_or_default();
        let ignored = |field: &str| state.options.ignore_changes.iter().any(|path| path == field);
        for (field, value) in inputs.as_object().into_iter().flatten().filter(|(field, _)| !ignored(field)) {
            if thing.fields.get(field) != Some(value) {
                return Err(format!(
                    "state says {field} = {value} of {address}, reality {:?}",
                    thing.fields.get(field)
                ));
            }
        }
        Ok(())
    }

    fn as_program(&self, slot: u8, item: &Item) -> Verdict {
        if item.kind == Kind::Data {
            return Ok(());
        }
        let state = self.state(item).ok_or("checked before")?;
        let thing = self.thing(state)?;
        let number = |number: u8| (number > 0).then(|| Value::from(i64::from(number)));
        let plain = !item.options.ignore_text;
        let mut wanted: Vec<(&str, Option<Value>)> = vec![(
            if item.kind == Kind::Unit || item.kind == Kind::Ticket { "title" } else { "name" },
            Some(name_of(item).into()),
        )];
        if let Some((field, _)) = item.kind.place() {
            let place = self.items.get(&item.place).and_then(|place| self.state(place));
            wanted.push((field, place.map(|place| place.id.clone().into())));
        }
        match item.kind {
            Kind::Area => wanted.push(("zone", number(item.grade))),
            Kind::Shelf | Kind::Site | Kind::Lock | Kind::Unit => wanted.push(("grade", number(item.grade))),
            Kind::Desk | Kind::Tool | Kind::Ticket | Kind::Data => {}
        }
        if matches!(item.kind, Kind::Shelf | Kind::Desk | Kind::Tool | Kind::Unit) {
            wanted.push(("size", number(item.size).or(Some(3.into()))));
        }
        if item.kind == Kind::Site && item.size > 0 {
            wanted.push(("color", Some(format!("c{}", item.size).into())));
        }
        if item.kind != Kind::Site && plain {
            wanted.push(("text", self.text(slot, item.text)));
        }
        if item.kind == Kind::Ticket {
            wanted.push(("about", self.text(slot, item.about)));
        }
        if item.kind == Kind::Unit {
            let lock = item.lock.filter(|lock| *lock < slot).and_then(|lock| self.items.get(&lock));
            let lock = lock.filter(|lock| lock.kind == Kind::Lock).and_then(|lock| self.state(lock));
            wanted.push(("lock", lock.map(|lock| lock.id.clone().into())));
            if item.password > 0 {
                wanted.push(("password", Some(format!("secret{}", item.password).into())));
            }
        }
        for (field, value) in wanted {
            // What a program never set is the service's business, and a stranger's.
            let never_set = value.is_none() && state.inputs.get(field).is_none() && thing.text(field) == Some("odd");
            if thing.fields.get(field) != value.as_ref() && !never_set {
                let is = thing.fields.get(field);
                return Err(format!("the program wants {field} = {value:?} of {}, reality is {is:?}", state.address));
            }
        }
        Ok(())
    }

    fn text(&self, slot: u8, text: Text) -> Option<Value> {
        let of = |other: u8| self.items.get(&other).filter(|_| other < slot).and_then(|item| self.state(item));
        let output = |state: &ResourceState, name: &str| {
            let field = if name == "serial" && state.address.type_name() == "platform:Data" { "output" } else { name };
            state.outputs.get(field).and_then(|value| value.as_str().map(Value::from))
        };
        match text {
            Text::Unset => None,
            Text::Plain(number) => Some(format!("t{number}").into()),
            Text::Serial(other) => of(other).and_then(|state| output(state, "serial")),
            Text::Id(other) => of(other).and_then(|state| output(state, "id")),
        }
    }
}

/// How long to wait until nothing that was asked for is still to come.
pub(crate) const QUIET: u64 = 3 * WINDOW;
