//! What exists in the yard, and its rules: unique keys, parents, holders, what can't be changed in place.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use platform_sdk::{
    Field, Identity, OnParentDelete, Schema,
    provider::{ErrorKind, ProviderError, ProviderResult, Readiness},
};
use serde_json::{Map, Value};
use tokio::time::Instant;

/// One object.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) schema: &'static Schema,
    pub(super) id: String,
    pub(super) serial: String,
    pub(super) fields: Map<String, Value>,
    pub(super) tainted: Option<String>,
}

/// What goes wrong on purpose.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// None: the call is answered.
    Not,
    /// Nothing happens, and the call fails for good.
    Refused,
    /// Nothing happens: others use it, as the service sees it.
    InUse,
    /// It happens, and the answer is lost.
    AnswerLost,
    /// A rename happens, and is told; whatever else was to change is refused for good.
    Renamed,
    /// Nothing happens, for there are too many requests; how long to wait.
    Busy(Option<Duration>),
    /// Nothing happens, for something of this name is missing; without a name, it is not said what.
    Missing(Option<&'static str>),
    /// The page has a bug.
    Panics,
}

/// What an update asks for.
pub(super) struct Sent<'s> {
    pub(super) fields: Map<String, Value>,
    pub(super) paths: &'s [String],
    pub(super) force: bool,
}

#[derive(Debug, Default)]
struct Yard {
    objects: BTreeMap<(String, &'static str, String), Object>,
    calls: Vec<String>,
    faults: BTreeMap<String, Vec<Fault>>,
    hosts: BTreeMap<String, String>,
    locks: BTreeMap<String, &'static str>,
    denied: BTreeSet<String>,
    /// The yards that will answer nobody after so many calls, and how they say so.
    ending: BTreeMap<String, (usize, ErrorKind)>,
    /// How often one of them was asked all the same.
    vain: usize,
    /// What has no time, as in `read a` or `list House`.
    busy: BTreeSet<String>,
    /// What was read and listed.
    asked: Vec<String>,
    /// Whether everything is listed, and what is left out then.
    lists: bool,
    hidden: BTreeSet<String>,
    /// The ids that objects have now, by those that they had.
    forwarded: BTreeMap<String, String>,
    reads: usize,
    most_reads: usize,
    /// What is not ready yet, and what never will be, by id: the service's words.
    unready: BTreeMap<String, String>,
    /// How often it is asked for until it is ready, where that is so by itself.
    ready_after: BTreeMap<String, usize>,
    wrecked: BTreeMap<String, String>,
    /// How long the name of what was deleted stays taken, and until when each does.
    holds_names: Duration,
    held: BTreeMap<(String, &'static str, String), Instant>,
    /// How often a deleted object is still found.
    ghosts: BTreeMap<String, usize>,
    /// How long calls take; `None`: for ever.
    slow: BTreeMap<String, Option<Duration>>,
    next: u64,
}

/// The whole world; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    yard: Arc<Mutex<Yard>>,
}

fn error(kind: ErrorKind, text: String) -> ProviderError {
    ProviderError::new(kind, text)
}

/// `yard:House` is a `House`.
fn bare(type_name: &str) -> &str {
    type_name.rsplit(':').next().unwrap_or(type_name)
}

/// The type that a field refers to by id.
fn target(field: &Field) -> Option<&'static str> {
    field.rust_type.strip_prefix("Id<")?.strip_suffix('>')
}

impl World {
    fn yard(&self) -> MutexGuard<'_, Yard> {
        self.yard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The realm that a host leads to.
    pub(crate) fn behind(&self, host: &str) -> String {
        self.yard().hosts.get(host).cloned().unwrap_or_else(|| "yard-1".to_owned())
    }

    /// Lets a host lead to another yard.
    pub(crate) fn leads_to(&self, host: &str, realm: &str) {
        self.yard().hosts.insert(host.to_owned(), realm.to_owned());
    }

    /// Lets nobody into a yard without this key.
    pub(crate) fn lock(&self, realm: &str, key: &'static str) {
        self.yard().locks.insert(realm.to_owned(), key);
    }

    /// Whether somebody with this key gets in.
    pub(super) fn opens(&self, realm: &str, key: Option<&'static str>) -> bool {
        self.yard().locks.get(realm).is_none_or(|lock| key == Some(lock))
    }

    /// Lets a yard answer nobody after so many calls that change something, as when a login expires.
    pub(crate) fn ends_after(&self, realm: &str, calls: usize, how: ErrorKind) {
        self.yard().ending.insert(realm.to_owned(), (calls, how));
    }

    /// Lets every yard answer again; how often one was asked in vain.
    pub(crate) fn answers_again(&self) -> usize {
        let mut yard = self.yard();
        yard.ending.clear();
        std::mem::take(&mut yard.vain)
    }

    /// Whether a yard still answers to its login.
    pub(super) fn asked_by_login(&self, realm: &str) -> ProviderResult<()> {
        self.yard().answers_to(realm, false)
    }

    /// The most reads that went on at once since the last time this was asked.
    pub(crate) fn most_reads(&self) -> usize {
        std::mem::take(&mut self.yard().most_reads)
    }

    pub(super) fn begin_read(&self) {
        let mut yard = self.yard();
        yard.reads += 1;
        yard.most_reads = yard.most_reads.max(yard.reads);
    }

    pub(super) fn end_read(&self) {
        self.yard().reads -= 1;
    }

    /// The mutating calls since the last time this was asked, as `delete House lake`.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.yard().calls)
    }

    /// Everything that exists, as `House lake`.
    pub(crate) fn objects(&self) -> Vec<String> {
        self.yard().objects.keys().map(|(_, kind, id)| format!("{} {id}", bare(kind))).collect()
    }

    /// Everything that exists in a realm, as `House lake`.
    pub(crate) fn objects_of(&self, realm: &str) -> Vec<String> {
        let yard = self.yard();
        let of = yard.objects.keys().filter(|(of, _, _)| of == realm);
        of.map(|(_, kind, id)| format!("{} {id}", bare(kind))).collect()
    }

    /// A field of an object.
    pub(crate) fn field(&self, kind: &str, id: &str, field: &str) -> Option<Value> {
        let yard = self.yard();
        let (_, object) = yard.objects.iter().find(|((_, k, i), _)| bare(k) == kind && i == id)?;
        object.fields.get(field).cloned()
    }

    /// The serial of an object: another one is another object.
    pub(crate) fn serial(&self, kind: &str, id: &str) -> Option<String> {
        let yard = self.yard();
        let (_, object) = yard.objects.iter().find(|((_, k, i), _)| bare(k) == kind && i == id)?;
        Some(object.serial.clone())
    }

    /// Lets the next call of this kind, as in `delete House`, go wrong; repeatable.
    pub(crate) fn fault(&self, call: &str, fault: Fault) {
        self.yard().faults.entry(call.to_owned()).or_default().push(fault);
    }

    /// Lets calls of this kind, as in `read a`, `list House` or `create House`, be too many until it recovers.
    pub(crate) fn busy(&self, call: &str) {
        self.yard().busy.insert(call.to_owned());
    }

    /// What was read and listed since the last time this was asked, as `read a` and `list House`.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.yard().asked)
    }

    /// From now on types are listed, without what is hidden.
    pub(crate) fn lists(&self, hidden: &[&str]) {
        let mut yard = self.yard();
        yard.lists = true;
        yard.hidden = hidden.iter().map(|id| (*id).to_owned()).collect();
    }

    /// Gives an object another id; who asks for the old one is shown it all the same.
    pub(crate) fn forward(&self, kind: &str, id: &str, now: &str) {
        self.rename(kind, id, now);
        self.yard().forwarded.insert(id.to_owned(), now.to_owned());
    }

    /// Gives an object another id, under which alone it is found.
    pub(crate) fn rename(&self, kind: &str, id: &str, now: &str) {
        let mut yard = self.yard();
        let key = yard.objects.keys().find(|(_, k, i)| bare(k) == kind && i == id).cloned().expect("it is there");
        let mut object = yard.objects.remove(&key).expect("it was found");
        now.clone_into(&mut object.id);
        yard.objects.insert((key.0, key.1, now.to_owned()), object);
    }

    /// Somebody deletes an object, and makes one with the same fields anew.
    pub(crate) fn remake(&self, kind: &str, id: &str) {
        let object = {
            let yard = self.yard();
            let found = yard.objects.iter().find(|((_, k, i), _)| bare(k) == kind && i == id);
            found.expect("it is there").1.clone()
        };
        self.lose(kind, id);
        self.plant(object.schema, &Value::Object(object.fields));
    }

    /// Denies reading an object.
    pub(crate) fn deny(&self, id: &str) {
        self.yard().denied.insert(id.to_owned());
    }

    /// Lets calls of this kind, as in `read a` or `create House`, never be answered.
    pub(crate) fn stall(&self, call: &str) {
        self.yard().slow.insert(call.to_owned(), None);
    }

    /// Lets calls of this kind take so long before they have an effect.
    pub(crate) fn slow(&self, call: &str, takes: Duration) {
        self.yard().slow.insert(call.to_owned(), Some(takes));
    }

    /// From now on every call is answered at once, and everything is ready.
    pub(crate) fn recover(&self) {
        let mut yard = self.yard();
        yard.slow.clear();
        yard.busy.clear();
        yard.unready.clear();
        yard.wrecked.clear();
    }

    /// Lets an object not be ready until the yard recovers.
    pub(crate) fn not_ready(&self, id: &str, words: &str) {
        self.yard().unready.insert(id.to_owned(), words.to_owned());
    }

    /// From now on the name of what is deleted stays taken for so long.
    pub(crate) fn holds_names(&self, takes: Duration) {
        self.yard().holds_names = takes;
    }

    /// Lets an object be found so many times more.
    pub(crate) fn haunt(&self, id: &str, times: usize) {
        self.yard().ghosts.insert(id.to_owned(), times);
    }

    /// Lets an object be ready only when that was asked so often.
    pub(crate) fn ready_after(&self, id: &str, asked: usize) {
        self.not_ready(id, "being prepared");
        self.yard().ready_after.insert(id.to_owned(), asked);
    }

    /// Lets an object never become ready, until the yard recovers.
    pub(crate) fn wreck(&self, id: &str, words: &str) {
        self.yard().wrecked.insert(id.to_owned(), words.to_owned());
    }

    /// Whether an object can be used, as who waits for it asks.
    pub(super) fn asked_ready(&self, id: &str) -> Readiness {
        let mut yard = self.yard();
        if let Some(left) = yard.ready_after.get_mut(id) {
            *left = left.saturating_sub(1);
            if *left == 0 {
                yard.unready.remove(id);
            }
        }
        drop(yard);
        self.readiness(id)
    }

    /// Whether an object can be used.
    pub(super) fn readiness(&self, id: &str) -> Readiness {
        let yard = self.yard();
        match (yard.wrecked.get(id), yard.unready.get(id)) {
            (Some(words), _) => Readiness::Failed(words.clone()),
            (None, Some(words)) => Readiness::Pending(words.clone()),
            (None, None) => Readiness::Ready,
        }
    }

    /// Waits as long as calls of this kind take.
    pub(crate) async fn answers(&self, call: &str) {
        let takes = self.yard().slow.get(call).copied();
        match takes {
            Some(Some(takes)) => tokio::time::sleep(takes).await,
            Some(None) => std::future::pending().await,
            None => {}
        }
    }

    /// Lets it be read again.
    pub(crate) fn allow(&self, id: &str) {
        self.yard().denied.remove(id);
    }

    /// Changes a field behind the program's back.
    pub(crate) fn tamper(&self, kind: &str, id: &str, field: &str, value: impl Into<Value>) {
        let value = value.into();
        let mut yard = self.yard();
        for ((_, k, i), object) in &mut yard.objects {
            if bare(k) == kind && i == id {
                object.fields.insert(field.to_owned(), value.clone());
            }
        }
    }

    /// Lets an object end in a failed state.
    pub(crate) fn taint(&self, kind: &str, id: &str, why: &str) {
        let mut yard = self.yard();
        for ((_, k, i), object) in &mut yard.objects {
            if bare(k) == kind && i == id {
                object.tainted = Some(why.to_owned());
            }
        }
    }

    /// Removes an object behind the program's back, and what is in it.
    pub(crate) fn lose(&self, kind: &str, id: &str) {
        let mut yard = self.yard();
        let keys: Vec<_> = yard.objects.keys().filter(|(_, k, i)| bare(k) == kind && i == id).cloned().collect();
        for key in &keys {
            yard.remove(key);
        }
    }

    /// Makes an object behind the program's back.
    pub(crate) fn plant(&self, schema: &'static Schema, fields: &Value) -> String {
        self.plant_at("yard-1", schema, fields)
    }

    /// Makes an object in a realm behind the program's back.
    pub(crate) fn plant_at(&self, realm: &str, schema: &'static Schema, fields: &Value) -> String {
        let mut yard = self.yard();
        let fields = fields.as_object().cloned().unwrap_or_default();
        yard.insert(realm, schema, fields).map(|object| object.id).expect("an object by the yard's rules")
    }

    /// Whether an object exists in any realm.
    pub(crate) fn has(&self, type_name: &str, id: &str) -> bool {
        self.yard().objects.keys().any(|(_, kind, i)| *kind == type_name && i == id)
    }

    pub(super) fn read(&self, realm: &str, schema: &'static Schema, id: &str) -> ProviderResult<Option<Object>> {
        let mut yard = self.yard();
        yard.answers_to(realm, false)?;
        yard.reading(format!("read {id}"))?;
        if yard.denied.contains(id) {
            return Err(error(ErrorKind::Denied, format!("read {} {id}: denied", bare(schema.type_name))));
        }
        let id = yard.forwarded.get(id).map_or(id, String::as_str);
        Ok(yard.objects.get(&(realm.to_owned(), schema.type_name, id.to_owned())).cloned())
    }

    /// All objects of a type; `None` where it is not listed.
    pub(super) fn list(&self, realm: &str, schema: &'static Schema) -> ProviderResult<Option<Vec<Object>>> {
        let mut yard = self.yard();
        yard.answers_to(realm, false)?;
        if !yard.lists {
            return Ok(None);
        }
        yard.reading(format!("list {}", bare(schema.type_name)))?;
        let of_type = yard.objects.iter().filter(|((r, kind, _), _)| r == realm && *kind == schema.type_name);
        let shown = of_type.filter(|((_, _, id), _)| !yard.hidden.contains(id));
        Ok(Some(shown.map(|(_, object)| object.clone()).collect()))
    }

    pub(super) fn find(
        &self,
        realm: &str,
        schema: &'static Schema,
        inputs: &Map<String, Value>,
    ) -> ProviderResult<Vec<Object>> {
        let mut yard = self.yard();
        yard.answers_to(realm, false)?;
        let key = natural_key(schema, inputs);
        yard.reading(format!("find {}", key.as_deref().unwrap_or(bare(schema.type_name))))?;
        let left = key
            .as_ref()
            .and_then(|key| yard.ghosts.get_mut(key))
            .map(|left| std::mem::replace(left, left.saturating_sub(1)));
        if let (Some(key), Some(1..)) = (&key, left) {
            let fields = inputs.clone();
            let (id, serial) = (key.clone(), "ghost".to_owned());
            return Ok(vec![Object { schema, id, serial, fields, tainted: None }]);
        }
        let of_type = yard.objects.iter().filter(|((r, kind, _), _)| r == realm && *kind == schema.type_name);
        let matching = of_type.filter(|((_, _, id), _)| key.as_ref().is_none_or(|key| key == id));
        Ok(matching.map(|(_, object)| object.clone()).collect())
    }

    /// Logs a call, and does it unless a fault is set for it.
    fn call<T>(
        &self,
        verb: &str,
        schema: &Schema,
        id: &str,
        act: impl FnOnce(&mut Yard) -> ProviderResult<T>,
    ) -> ProviderResult<T> {
        let mut yard = self.yard();
        let kind = format!("{verb} {}", bare(schema.type_name));
        yard.calls.push(format!("{kind} {id}"));
        match yard.fault(&kind) {
            Some(Fault::Busy(after)) => Err(busy(&kind, after)),
            Some(Fault::Refused) => Err(error(ErrorKind::Denied, format!("{kind} {id}: refused on purpose"))),
            Some(Fault::InUse) => {
                Err(error(ErrorKind::Conflict, format!("{kind} {id}: is in use")).needing_force(true))
            }
            Some(Fault::Missing(what)) => Err(missing(&kind, what)),
            Some(Fault::Panics) => {
                drop(yard);
                panic!("{kind}: a bug in the page")
            }
            Some(Fault::AnswerLost) => {
                act(&mut yard)?;
                Err(error(ErrorKind::Ambiguous, format!("{kind} {id}: the answer was lost")))
            }
            Some(Fault::Renamed | Fault::Not) | None => act(&mut yard),
        }
    }

    /// Whether the next update of this type renames, and is refused then.
    pub(super) fn renames_only(&self, schema: &Schema) -> bool {
        let yard = self.yard();
        let next = yard.faults.get(&format!("update {}", bare(schema.type_name))).and_then(|faults| faults.first());
        matches!(next, Some(Fault::Renamed))
    }

    pub(super) fn create(
        &self,
        realm: &str,
        schema: &'static Schema,
        fields: Map<String, Value>,
    ) -> ProviderResult<Object> {
        self.yard().answers_to(realm, true)?;
        let name = natural_key(schema, &fields).unwrap_or_else(|| "-".to_owned());
        self.call("create", schema, &name, |yard| yard.insert(realm, schema, fields))
    }

    pub(super) fn update(
        &self,
        realm: &str,
        schema: &'static Schema,
        id: &str,
        sent: &Sent<'_>,
    ) -> ProviderResult<Object> {
        self.yard().answers_to(realm, true)?;
        self.call("update", schema, id, |yard| yard.change(realm, schema, id, sent))
    }

    pub(super) fn delete(&self, realm: &str, schema: &'static Schema, id: &str, force: bool) -> ProviderResult<()> {
        self.yard().answers_to(realm, true)?;
        self.call("delete", schema, id, |yard| {
            let key = (realm.to_owned(), schema.type_name, id.to_owned());
            if !yard.objects.contains_key(&key) {
                return Ok(());
            }
            yard.refusals(realm, schema.type_name, id, force)?;
            yard.remove(&key);
            if !yard.holds_names.is_zero() {
                let until = Instant::now() + yard.holds_names;
                yard.held.insert(key, until);
            }
            Ok(())
        })
    }

    /// What is directly in an object.
    pub(super) fn inside(&self, realm: &str, type_name: &str, id: &str) -> Vec<(&'static str, String)> {
        self.yard().children(realm, type_name, id).into_iter().map(|((_, kind, id), _)| (kind, id)).collect()
    }
}

/// The id of an object with a natural key.
fn natural_key(schema: &Schema, fields: &Map<String, Value>) -> Option<String> {
    let keys: Vec<&str> = schema
        .fields()
        .iter()
        .filter(|field| field.key)
        .map(|field| fields.get(field.name).and_then(Value::as_str).unwrap_or_default())
        .collect();
    (schema.identity == Identity::Key).then(|| keys.join("/"))
}

type Key = (String, &'static str, String);

fn missing(call: &str, what: Option<&str>) -> ProviderError {
    let kind = match what {
        Some(what) => ErrorKind::Missing { what: what.to_owned() },
        None => ErrorKind::NotFound,
    };
    error(kind, format!("{call}: there is no {}", what.unwrap_or("such thing")))
}

fn busy(call: &str, after: Option<Duration>) -> ProviderError {
    error(ErrorKind::Throttled { after }, format!("{call}: too many requests"))
}

impl Yard {
    /// Whether a yard answers at all.
    fn answers_to(&mut self, realm: &str, changes: bool) -> ProviderResult<()> {
        let Some((left, how)) = self.ending.get_mut(realm) else { return Ok(()) };
        if *left == 0 {
            self.vain += 1;
            return Err(error(how.clone(), format!("yard `{realm}` does not answer to this login")));
        }
        *left -= usize::from(changes);
        Ok(())
    }

    /// What goes wrong with a call of this kind now.
    fn fault(&mut self, call: &str) -> Option<Fault> {
        if self.busy.contains(call) {
            return Some(Fault::Busy(None));
        }
        self.faults.get_mut(call).filter(|faults| !faults.is_empty()).map(|faults| faults.remove(0))
    }

    /// Notes a call that only reads; the error where the service has no time for it.
    fn reading(&mut self, call: String) -> ProviderResult<()> {
        let fault = self.fault(&call);
        let answer = match fault {
            Some(Fault::Busy(after)) => Err(busy(&call, after)),
            Some(Fault::Refused) => Err(error(ErrorKind::Denied, format!("{call}: refused on purpose"))),
            Some(Fault::Missing(what)) => Err(missing(&call, what)),
            Some(Fault::Panics) => panic!("{call}: a bug in the page"),
            Some(Fault::AnswerLost | Fault::InUse | Fault::Renamed | Fault::Not) | None => Ok(()),
        };
        self.asked.push(call);
        answer
    }

    /// The objects whose `parent` field names this one, and what its end does to them.
    fn children(&self, realm: &str, type_name: &str, id: &str) -> Vec<(Key, OnParentDelete)> {
        let mut children = Vec::new();
        for (key, object) in self.objects.iter().filter(|(key, _)| key.0 == realm) {
            for field in object.schema.fields() {
                let here = target(field) == Some(bare(type_name))
                    && object.fields.get(field.name).and_then(Value::as_str) == Some(id);
                if let (true, Some(mark)) = (here, field.parent) {
                    children.push((key.clone(), mark));
                }
            }
        }
        children
    }

    /// What holds an object.
    fn holder(&self, realm: &str, type_name: &str, id: &str) -> Option<(&'static str, String)> {
        let here = self.objects.iter().filter(|(key, _)| key.0 == realm);
        let mut holders = here.filter(|(_, object)| {
            object.schema.fields().iter().any(|field| {
                field.holds
                    && target(field) == Some(bare(type_name))
                    && object.fields.get(field.name).and_then(Value::as_str) == Some(id)
            })
        });
        holders.next().map(|(key, _)| (bare(key.1), key.2.clone()))
    }

    fn refusals(&self, realm: &str, type_name: &str, id: &str, force: bool) -> ProviderResult<()> {
        if let Some((kind, holder)) = self.holder(realm, type_name, id).filter(|_| !force) {
            let text = format!("delete {} {id}: {kind} {holder} holds it", bare(type_name));
            return Err(error(ErrorKind::Conflict, text).needing_force(true));
        }
        let refusing =
            self.children(realm, type_name, id).into_iter().find(|(_, mark)| *mark == OnParentDelete::Refuses);
        match refusing {
            Some((key, _)) if !force => {
                let text = format!("delete {} {id}: {} {} is in it", bare(type_name), bare(key.1), key.2);
                Err(error(ErrorKind::Conflict, text).needing_force(true))
            }
            _ => Ok(()),
        }
    }

    fn remove(&mut self, key: &Key) {
        for (child, _) in self.children(&key.0, key.1, &key.2) {
            self.remove(&child);
        }
        self.objects.remove(key);
        if bare(key.1) == "Site" {
            self.objects.retain(|(realm, _, _), _| *realm != key.2);
        }
    }

    fn insert(
        &mut self,
        realm: &str,
        schema: &'static Schema,
        mut fields: Map<String, Value>,
    ) -> ProviderResult<Object> {
        self.references(realm, schema, &fields)?;
        let held = natural_key(schema, &fields).map(|key| (realm.to_owned(), schema.type_name, key));
        if held.and_then(|key| self.held.get(&key)).is_some_and(|until| Instant::now() < *until) {
            return Err(error(ErrorKind::AlreadyExists, format!("{}: the name is taken", bare(schema.type_name))));
        }
        self.next += 1;
        let number = self.next.to_string();
        let id = natural_key(schema, &fields).unwrap_or_else(|| number.clone());
        let key = (realm.to_owned(), schema.type_name, id.clone());
        if self.objects.contains_key(&key) {
            let text = format!("create {} {id}: it exists", bare(schema.type_name));
            return Err(error(ErrorKind::AlreadyExists, text));
        }
        if bare(schema.type_name) == "House" {
            fields.entry("colour").or_insert_with(|| "white".into());
        }
        let object = Object { schema, id, serial: format!("s{number}"), fields, tainted: None };
        self.objects.insert(key, object.clone());
        Ok(object)
    }

    fn references(&self, realm: &str, schema: &Schema, fields: &Map<String, Value>) -> ProviderResult<()> {
        for field in schema.fields() {
            let (Some(kind), Some(id)) = (target(field), fields.get(field.name).and_then(Value::as_str)) else {
                continue;
            };
            let there = self.objects.keys().any(|(r, k, i)| r == realm && bare(k) == kind && i == id);
            if !there {
                let text = format!("{}: there is no {kind} `{id}`", bare(schema.type_name));
                return Err(error(ErrorKind::Invalid { field: Some(field.name.to_owned()) }, text));
            }
        }
        Ok(())
    }

    fn change(&mut self, realm: &str, schema: &'static Schema, id: &str, sent: &Sent<'_>) -> ProviderResult<Object> {
        let Sent { fields: after, paths, force } = sent;
        self.references(realm, schema, after)?;
        let changes = |field: &Field| paths.iter().any(|path| path.split(['.', '[']).next() == Some(field.name));
        let forcible = schema.fields().iter().any(|field| field.forcible && changes(field));
        if let Some((kind, holder)) = self.holder(realm, schema.type_name, id).filter(|_| forcible && !force) {
            let text = format!("update {} {id}: {kind} {holder} holds it", bare(schema.type_name));
            return Err(error(ErrorKind::Conflict, text).needing_force(true));
        }
        let key = (realm.to_owned(), schema.type_name, id.to_owned());
        let gone = || error(ErrorKind::NotFound, format!("update {} {id}: it is gone", bare(schema.type_name)));
        let mut object = self.objects.get(&key).cloned().ok_or_else(gone)?;
        for path in *paths {
            let name = path.split(['.', '[']).next().unwrap_or_default();
            let field = schema.field(name);
            if field.is_some_and(|field| field.replace || (field.key && !field.renames)) {
                let text = format!("update {} {id}: {name} can't be changed", bare(schema.type_name));
                return Err(error(ErrorKind::Invalid { field: Some(name.to_owned()) }, text));
            }
            match after.get(name) {
                Some(value) => drop(object.fields.insert(name.to_owned(), value.clone())),
                None => drop(object.fields.remove(name)),
            }
        }
        let new = natural_key(schema, &object.fields).unwrap_or_else(|| id.to_owned());
        if new != id {
            let taken = (realm.to_owned(), schema.type_name, new.clone());
            if self.objects.contains_key(&taken) {
                let text = format!("update {} {id}: `{new}` exists", bare(schema.type_name));
                return Err(error(ErrorKind::AlreadyExists, text));
            }
            object.id.clone_from(&new);
            self.objects.remove(&key);
            self.objects.insert(taken, object.clone());
            self.renamed(realm, schema.type_name, id, &new);
        }
        self.objects.insert((realm.to_owned(), schema.type_name, new), object.clone());
        Ok(object)
    }

    /// What lives in a renamed object, or names it, follows.
    fn renamed(&mut self, realm: &str, type_name: &str, old: &str, new: &str) {
        let keys: Vec<Key> = self.objects.keys().filter(|key| key.0 == realm).cloned().collect();
        for key in keys {
            let Some(mut object) = self.objects.get(&key).cloned() else { continue };
            let names = object.schema.fields().iter().filter(|field| {
                target(field) == Some(bare(type_name))
                    && object.fields.get(field.name).and_then(Value::as_str) == Some(old)
            });
            let names: Vec<&str> = names.map(|field| field.name).collect();
            if names.is_empty() {
                continue;
            }
            for name in names {
                object.fields.insert(name.to_owned(), new.into());
            }
            let was = object.id.clone();
            object.id = natural_key(object.schema, &object.fields).unwrap_or_else(|| was.clone());
            let (kind, is) = (object.schema.type_name, object.id.clone());
            self.objects.remove(&key);
            self.objects.insert((key.0.clone(), key.1, is.clone()), object);
            if is != was {
                self.renamed(realm, kind, &was, &is);
            }
        }
    }
}
