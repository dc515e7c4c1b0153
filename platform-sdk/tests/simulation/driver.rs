//! The simulated cloud's provider: one driver for all kinds, and the faults on its requests.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use platform_sdk::{
    Resource, Schema,
    desired::Tree,
    provider::{
        Connect, Connection, Connector, Content, Context, Driver, ErrorKind, Found, Login, LookUpDriver, Observation,
        ProviderError, ProviderResult, Readiness, Request,
    },
    sandbox::Service,
};
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use crate::{
    cloud::{Cloud, Fault, ReadFault},
    kinds::{Area, Desk, Lock, Shelf, Site, Ticket, Tool, Unit},
    rules::{Change, Kind, NEVER, Refusal, Thing, Things, Who},
};

/// Connects to the cloud, or to the inside of one of its sites.
pub(crate) struct SimConnector {
    pub(crate) cloud: Cloud,
    pub(crate) inside: bool,
}

fn schema(kind: Kind) -> &'static Schema {
    match kind {
        Kind::Area => Area::schema(),
        Kind::Shelf => Shelf::schema(),
        Kind::Site => Site::schema(),
        Kind::Desk => Desk::schema(),
        Kind::Tool => Tool::schema(),
        Kind::Lock => Lock::schema(),
        Kind::Unit => Unit::schema(),
        Kind::Ticket => Ticket::schema(),
        Kind::Data => platform_sdk::Data::schema(),
    }
}

fn error(kind: ErrorKind, what: &str) -> ProviderError {
    ProviderError::new(kind, what.to_owned())
}

#[async_trait]
impl Connector for SimConnector {
    fn kind(&self) -> &'static str {
        if self.inside { "sim.site" } else { "sim" }
    }

    fn schemas(&self) -> Vec<&'static Schema> {
        if self.inside {
            return vec![Tool::schema()];
        }
        vec![
            Area::schema(),
            Desk::schema(),
            Lock::schema(),
            Shelf::schema(),
            Site::schema(),
            Ticket::schema(),
            Unit::schema(),
        ]
    }

    async fn connect(&self, config: &Value, _connect: &Connect) -> ProviderResult<Arc<dyn Connection>> {
        let site = config.get("site").and_then(Value::as_str).map(str::to_owned);
        if self.inside && site.is_none() {
            return Err(error(ErrorKind::Invalid { field: None }, "no site is given"));
        }
        Ok(Arc::new(SimConnection { cloud: self.cloud.clone(), site }))
    }

    fn check_credentials(&self, _config: &Value, _connect: &Connect) -> ProviderResult<()> {
        Ok(())
    }

    fn sandbox(&self) -> Option<Arc<dyn Service>> {
        None
    }
}

struct SimConnection {
    cloud: Cloud,
    site: Option<String>,
}

#[async_trait]
impl Connection for SimConnection {
    async fn identity(&self) -> ProviderResult<BTreeMap<String, String>> {
        let Some(site) = &self.site else { return Ok([("cloud".to_owned(), "sim".to_owned())].into()) };
        self.cloud.point().await;
        let there = self.cloud.with(|things, _| things.find(Kind::Site, site, None).is_some());
        if !there {
            return Err(error(ErrorKind::NotFound, &format!("there is no site `{site}`")));
        }
        Ok([("site".to_owned(), site.clone())].into())
    }

    async fn principal(&self) -> ProviderResult<Option<String>> {
        Ok(Some(Who::Engine.name().to_owned()))
    }

    fn driver(&self, type_name: &str) -> Option<Arc<dyn Driver>> {
        let kind = Kind::of_type(type_name).filter(|kind| (*kind == Kind::Tool) == self.site.is_some())?;
        Some(Arc::new(SimDriver { cloud: self.cloud.clone(), kind, site: self.site.clone() }))
    }

    fn look_up(&self, _type_name: &str) -> Option<Arc<dyn LookUpDriver>> {
        None
    }

    async fn login(&self) -> ProviderResult<Login> {
        Ok(Login { user: Some(Who::Engine.name().to_owned()), ..Login::default() })
    }
}

struct SimDriver {
    cloud: Cloud,
    kind: Kind,
    site: Option<String>,
}

fn outputs(id: &str, serial: &str) -> Tree {
    Tree::from(json!({"id": id, "serial": serial}))
}

fn refused(what: &str, refusal: &Refusal) -> ProviderError {
    let kind = match refusal {
        Refusal::Exists | Refusal::Held(_) => ErrorKind::AlreadyExists,
        Refusal::NoPlace | Refusal::Gone => ErrorKind::NotFound,
        Refusal::NotReady => ErrorKind::NotReady { after: None },
        Refusal::InUse => ErrorKind::Conflict,
        Refusal::Fixed(field) => ErrorKind::Invalid { field: Some(field.clone()) },
    };
    error(kind, &format!("{what}: {refusal:?}"))
}

/// What a mutating request asks for.
enum Asks<'f> {
    Make(&'f Map<String, Value>),
    Change,
    End,
}

impl SimDriver {
    fn observation(&self, thing: &Thing, (id, fields): &(String, Map<String, Value>)) -> Observation {
        let mut inputs = fields.clone();
        inputs.remove("password");
        if self.kind == Kind::Tool {
            inputs.remove("site");
        }
        let tainted = None;
        Observation {
            id: id.clone(),
            inputs: Tree::from(Value::Object(inputs)),
            outputs: outputs(id, &thing.serial),
            tainted,
        }
    }

    fn here(&self, thing: &Thing) -> bool {
        thing.kind == self.kind && (self.kind != Kind::Tool || thing.text("site") == self.site.as_deref())
    }

    /// What the inputs say, with what the connection adds.
    fn fields(&self, inputs: &Value) -> Map<String, Value> {
        let mut fields = inputs.as_object().cloned().unwrap_or_default();
        fields.retain(|_, value| !value.is_null());
        if let Some(site) = &self.site {
            fields.insert("site".to_owned(), json!(site));
        }
        fields
    }

    /// A reading request.
    async fn reads<T>(&self, look: impl FnOnce(&mut Things, u64) -> T) -> ProviderResult<T> {
        self.cloud.point().await;
        match self.cloud.next_read_fault() {
            Some(ReadFault::Denied) => Err(error(ErrorKind::Denied, "denied on purpose")),
            Some(ReadFault::Unavailable) => Err(error(ErrorKind::Unavailable, "away on purpose")),
            Some(ReadFault::Throttled) => Err(error(ErrorKind::Throttled { after: None }, "too many on purpose")),
            None if self.kind == Kind::Unit && self.cloud.hides() => {
                Err(error(ErrorKind::Denied, "not to be seen on purpose"))
            }
            None => Ok(self.cloud.with(look)),
        }
    }

    /// A mutating request.
    async fn mutates<T: Send + 'static>(
        &self,
        what: &str,
        asks: Asks<'_>,
        act: impl FnOnce(&mut Things, u64) -> Result<(T, Vec<Change>), Refusal> + Send + 'static,
    ) -> ProviderResult<T> {
        self.cloud.point_of_sending().await;
        let lost = || error(ErrorKind::Ambiguous, &format!("{what}: the answer is lost on purpose"));
        let fault = self.cloud.next_fault();
        if let Some(fault) = fault {
            self.cloud.note(format!("{what}: {fault:?}"));
        }
        let failed = match fault {
            None => None,
            Some(Fault::Failed) => Some(error(ErrorKind::Failed { replace: false }, "failed on purpose")),
            Some(Fault::Denied) => Some(error(ErrorKind::Denied, "denied on purpose")),
            Some(Fault::Throttled) => Some(error(ErrorKind::Throttled { after: None }, "too many on purpose")),
            Some(Fault::NotReady) => Some(error(ErrorKind::NotReady { after: None }, "not now on purpose")),
            Some(Fault::Unavailable) => Some(error(ErrorKind::Unavailable, "away on purpose")),
            Some(Fault::Never) => Some(lost()),
            // One change overtaken by the next is nothing that an engine could know: this cloud keeps them in order.
            Some(Fault::Late) if !matches!(asks, Asks::Change) => {
                self.cloud.later(|things, now| act(things, now).map(|(_, changes)| changes));
                return Err(lost());
            }
            Some(Fault::Lost | Fault::Late | Fault::Hangs) => {
                let answer = self.cloud.act(what, act);
                self.cloud.point().await;
                if fault == Some(Fault::Hangs) {
                    sleep(Duration::from_hours(1)).await;
                }
                return answer.map_err(|refusal| refused(what, &refusal)).and_then(|_| Err(lost()));
            }
            Some(Fault::Taken | Fault::TakenLost) => {
                if let Asks::Make(fields) = asks {
                    self.cloud.takes(self.kind, fields);
                }
                (fault == Some(Fault::TakenLost)).then(lost)
            }
        };
        if let Some(failed) = failed {
            self.cloud.point().await;
            return Err(failed);
        }
        let answer = self.cloud.act(what, act);
        self.cloud.point().await;
        answer.map_err(|refusal| refused(what, &refusal))
    }

    /// A request that sets these fields.
    async fn set(&self, id: &str, new: Map<String, Value>) -> ProviderResult<(String, Tree)> {
        let (kind, id, site) = (self.kind, id.to_owned(), self.site.clone());
        let what = format!("change {kind:?} {:?}", new.keys().collect::<Vec<_>>());
        let set = self.mutates(&what, Asks::Change, move |things, now| {
            let uid = things.find(kind, &id, site.as_deref()).ok_or(Refusal::Gone)?;
            let changes = things.set(uid, &new, now)?;
            Ok(((things.all[uid].id.clone(), things.all[uid].serial.clone()), changes))
        });
        let (id, serial) = set.await?;
        Ok((id.clone(), outputs(&id, &serial)))
    }

    fn found(&self, thing: &Thing, id: &str) -> Found {
        Found {
            id: id.to_owned(),
            mark: (self.kind == Kind::Unit && !thing.mark.is_empty()).then(|| thing.mark.clone()),
            created_at_ms: Some(thing.created_at),
            created_by: Some(thing.by.name().to_owned()),
        }
    }
}

#[async_trait]
impl Driver for SimDriver {
    fn schema(&self) -> &'static Schema {
        schema(self.kind)
    }

    async fn read(&self, request: &Request) -> ProviderResult<Option<Observation>> {
        self.reads(|things, now| {
            let mut shown = things.all.iter().filter_map(|thing| Some((thing, thing.look(now, false)?)));
            shown
                .find(|(thing, (id, _))| self.here(thing) && *id == request.id)
                .map(|(t, look)| self.observation(t, look))
        })
        .await
    }

    async fn find(&self, inputs: &Value) -> ProviderResult<Vec<Found>> {
        let wanted = self.fields(inputs);
        let keys: &[&str] = match self.kind {
            Kind::Ticket => &["title"],
            kind => kind.key(),
        };
        self.reads(|things, now| {
            let shown = things.all.iter().filter_map(|thing| Some((thing, thing.look(now, true)?)));
            let same = |fields: &Map<String, Value>| keys.iter().all(|key| fields.get(*key) == wanted.get(*key));
            let found = shown.filter(|(thing, (_, fields))| self.here(thing) && same(fields));
            found.map(|(thing, (id, _))| self.found(thing, id)).collect()
        })
        .await
    }

    async fn create(&self, ctx: &Context, inputs: &Value) -> ProviderResult<(String, Tree)> {
        let mut fields = self.fields(inputs);
        let (kind, mark) = (self.kind, ctx.mark().id().to_owned());
        let what = format!("make {kind:?}");
        // A unit is made first, and described by a second request.
        let text = if kind == Kind::Unit { fields.remove("text") } else { None };
        let of = fields.clone();
        let (uid, id, serial) = self
            .mutates(&what, Asks::Make(&fields), move |things, now| {
                let (uid, changes) = things.make(kind, of, (Who::Engine, &mark), now)?;
                Ok(((uid, things.all[uid].id.clone(), things.all[uid].serial.clone()), changes))
            })
            .await?;
        if let Some(text) = text {
            ctx.created(&id).await?;
            let described = Map::from_iter([("text".to_owned(), text)]);
            let described = self.mutates("describe Unit", Asks::Change, move |things, now| {
                let changes = if things.all[uid].alive { things.set(uid, &described, now) } else { Err(Refusal::Gone) };
                Ok(((), changes?))
            });
            if let Err(error) = described.await {
                // What it has made may not be seen either: then nothing but its id is known.
                self.cloud.with(|things, _| {
                    things.hidden = u64::from(things.hides > 0 && things.dice.percent(things.hides));
                });
                return Err(error);
            }
        }
        Ok((id.clone(), outputs(&id, &serial)))
    }

    async fn update(
        &self,
        ctx: &Context,
        request: &Request,
        after: &Value,
        paths: &[String],
    ) -> ProviderResult<(String, Tree)> {
        // What state does not know of it is read anew, as the pages' drivers do.
        let known = request.outputs.as_ref().and_then(|known| known.get("serial")).is_some_and(Value::is_string);
        if !known && self.read(request).await?.is_none() {
            return Err(error(ErrorKind::NotFound, "it is gone"));
        }
        let wanted = self.fields(after);
        let tops: Vec<&str> = paths.iter().filter_map(|path| path.split(['.', '[']).next()).collect();
        let part = |name: &str| (name.to_owned(), wanted.get(name).cloned().unwrap_or(Value::Null));
        let mut new: Map<String, Value> = tops.into_iter().map(part).collect();
        let name = if self.kind == Kind::Area && new.len() > 1 { new.remove("name") } else { None };
        let Some(name) = name else { return self.set(&request.id, new).await };
        // An area is renamed first, and the rest is changed by a second request.
        let (id, _) = self.set(&request.id, Map::from_iter([("name".to_owned(), name)])).await?;
        ctx.renamed(&id).await?;
        self.set(&id, new).await
    }

    async fn delete(&self, _ctx: &Context, request: &Request, force: bool) -> ProviderResult<()> {
        let (kind, id, site) = (self.kind, request.id.clone(), self.site.clone());
        self.mutates(&format!("end {kind:?}{}", if force { " by force" } else { "" }), Asks::End, move |things, now| {
            let uid = things.find(kind, &id, site.as_deref());
            uid.map_or(Ok(((), Vec::new())), |uid| Ok(((), things.end(uid, force, now)?)))
        })
        .await
    }

    async fn list(&self, _of: &[Request]) -> ProviderResult<Option<Vec<Observation>>> {
        if !matches!(self.kind, Kind::Unit | Kind::Shelf) {
            return Ok(None);
        }
        let all = self.reads(|things, now| {
            let shown = things.all.iter().filter_map(|thing| Some((thing, thing.look(now, true)?)));
            shown.filter(|(thing, _)| self.here(thing)).map(|(thing, look)| self.observation(thing, look)).collect()
        });
        all.await.map(Some)
    }

    async fn ready(&self, id: &str) -> ProviderResult<Readiness> {
        // A failed read of it is what a page makes of it: nobody is told anything else.
        self.reads(|things, now| {
            let uid = things.find(self.kind, id, self.site.as_deref());
            match uid.map(|uid| things.all[uid].ready_at) {
                Some(NEVER) => Readiness::Failed("it never will be".to_owned()),
                Some(at) if at > now => Readiness::Pending("getting ready".to_owned()),
                Some(_) | None => Readiness::Ready,
            }
        })
        .await
    }

    async fn contents(&self, id: &str) -> ProviderResult<Vec<Content>> {
        self.reads(|things, _| {
            let inside = things.inside(self.kind, id).into_iter().map(|uid| &things.all[uid]);
            inside.map(|thing| Content { type_name: thing.kind.type_name(), id: thing.id.clone() }).collect()
        })
        .await
    }
}
