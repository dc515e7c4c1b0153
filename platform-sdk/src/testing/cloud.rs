//! An in-memory cloud with rules of its own: rooms that hold machines, and faults on request.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::{
    Declared, Expr, Id, LookUp, Provider, Resolved, Resource, Secret, Stage, ToExpr,
    derive::{Outputs, Resource},
    program::Schema,
    provider::{
        Change, Connect, Connection, Connector, Content, Context, Driver, Drivers, ErrorKind, Existing, Found, Login,
        LookUpDriver, Made, Manage, Observed, ProviderError, ProviderResult, Read, Readiness,
    },
    sandbox::Service,
};

/// A room: named by its key, which can be renamed in place, refused while machines are in it.
#[derive(Resource)]
#[resource(type = "test:Room", outputs = RoomOutputs, provider = CloudProvider, scope = "cloud", identity = key, consistency_ms = 100)]
pub struct Room<S: Stage = Declared> {
    /// Its name; unique in the cloud.
    #[field(required, key, renames)]
    pub name: S::In<String>,
    /// Where it is. Can't be changed in place.
    #[field(replace)]
    pub floor: Option<S::In<i64>>,
    /// A comment.
    #[field(nullable)]
    pub comment: Option<S::In<String>>,
}

/// Outputs of [`Room`].
#[derive(Outputs)]
pub struct RoomOutputs<S: Stage = Declared> {
    /// Its id: its name.
    #[output(from = "name")]
    pub id: S::Out<Id<Room>>,
    /// Drawn when it is made.
    pub serial: S::Out<String>,
}

/// A machine in a room: holds data, has no unique name, carries a mark.
#[derive(Resource)]
#[resource(type = "test:Machine", outputs = MachineOutputs, provider = CloudProvider, scope = "cloud", data, identity = mark(mark), consistency_ms = 100)]
pub struct Machine<S: Stage = Declared> {
    /// The room it stands in.
    #[field(required, replace, parent = refuses)]
    pub room: S::In<Id<Room>>,
    /// How large. Three unless told otherwise.
    #[field(default = 3)]
    pub size: Option<S::In<i64>>,
    /// Labels.
    #[field(computed)]
    pub labels: Option<S::In<BTreeMap<String, String>>>,
    /// Its password; never returned.
    #[field(computed, secret, write_only)]
    pub password: Option<S::In<Secret<String>>>,
    /// Text that comes back as an output.
    #[field(computed)]
    pub note: Option<S::In<String>>,
    /// The image it was made from.
    #[field(replace)]
    pub image: Option<S::In<String>>,
    /// Where its intent's mark is kept.
    #[field(computed)]
    pub mark: Option<S::In<String>>,
}

/// Outputs of [`Machine`].
#[derive(Outputs)]
pub struct MachineOutputs<S: Stage = Declared> {
    /// Its id.
    pub id: S::Out<Id<Machine>>,
    /// Its address in the network: a new one for each machine.
    pub address: S::Out<String>,
    /// The note.
    #[output(from = "note")]
    pub note: S::Out<Option<String>>,
}

/// One call that reached the cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `create`, `read`, `update`, `delete`, `find`.
    pub verb: &'static str,
    /// `test:Room`.
    pub type_name: &'static str,
    /// The object's id, where it has one.
    pub id: String,
}

impl Call {
    /// Whether it changes anything.
    pub fn mutates(&self) -> bool {
        matches!(self.verb, "create" | "update" | "delete")
    }
}

/// What goes wrong on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The call fails and nothing happens.
    Before(ErrorKind),
    /// It happens, and the answer is lost.
    After,
}

#[derive(Debug, Default)]
struct World {
    objects: BTreeMap<(&'static str, String), Map<String, Value>>,
    calls: Vec<Call>,
    faults: BTreeMap<usize, Fault>,
    mutations: usize,
    next: u64,
    identity: String,
    denied: BTreeSet<String>,
}

/// The cloud itself: what exists, what was called, what is to go wrong.
#[derive(Debug, Clone, Default)]
pub struct Cloud {
    world: Arc<Mutex<World>>,
}

impl Cloud {
    /// An empty cloud.
    pub fn new() -> Self {
        let cloud = Self::default();
        "cloud-1".clone_into(&mut cloud.world().identity);
        cloud
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The provider of this cloud.
    pub fn provider(&self) -> CloudProvider {
        CloudProvider { cloud: self.clone() }
    }

    /// Everything that exists: `test:Room::a` by type and id, with its fields.
    pub fn objects(&self) -> BTreeMap<String, Value> {
        let world = self.world();
        world
            .objects
            .iter()
            .map(|((kind, id), fields)| (format!("{kind}::{id}"), Value::Object(fields.clone())))
            .collect()
    }

    /// The calls since the last time this was asked.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.world().calls)
    }

    /// Changes a field behind the program's back.
    pub fn tamper(&self, type_name: &'static str, id: &str, field: &str, value: Value) {
        if let Some(fields) = self.world().objects.get_mut(&(type_name, id.to_owned())) {
            fields.insert(field.to_owned(), value);
        }
    }

    /// Removes an object behind the program's back.
    pub fn lose(&self, type_name: &'static str, id: &str) {
        self.world().objects.remove(&(type_name, id.to_owned()));
    }

    /// Makes an object behind the program's back.
    pub fn plant(&self, type_name: &'static str, id: &str, fields: &Value) {
        let fields = fields.as_object().cloned().unwrap_or_default();
        self.world().objects.insert((type_name, id.to_owned()), fields);
    }

    /// Lets the `nth` mutating call from now (1 is the next) go wrong.
    pub fn fault(&self, nth: usize, fault: Fault) {
        let mut world = self.world();
        let at = world.mutations + nth;
        world.faults.insert(at, fault);
    }

    /// Denies reading this object.
    pub fn deny(&self, id: &str) {
        self.world().denied.insert(id.to_owned());
    }

    /// Becomes another cloud, as when a login leads elsewhere.
    pub fn become_another(&self, identity: &str) {
        identity.clone_into(&mut self.world().identity);
    }

    fn call(&self, verb: &'static str, type_name: &'static str, id: &str) {
        self.world().calls.push(Call { verb, type_name, id: id.to_owned() });
    }

    /// Runs a mutation, with the fault that is set for it.
    fn mutate<T>(
        &self,
        verb: &'static str,
        type_name: &'static str,
        id: &str,
        act: impl FnOnce(&mut World) -> ProviderResult<T>,
    ) -> ProviderResult<T> {
        self.call(verb, type_name, id);
        let mut world = self.world();
        world.mutations += 1;
        let at = world.mutations;
        match world.faults.remove(&at) {
            Some(Fault::Before(kind)) => Err(ProviderError::new(kind, format!("{verb} {type_name} `{id}`: injected"))),
            Some(Fault::After) => {
                act(&mut world)?;
                Err(ProviderError::new(ErrorKind::Ambiguous, format!("{verb} {type_name} `{id}`: the answer was lost")))
            }
            None => act(&mut world),
        }
    }

    fn fields(&self, type_name: &'static str, id: &str) -> ProviderResult<Option<Map<String, Value>>> {
        self.call("read", type_name, id);
        let world = self.world();
        if world.denied.contains(id) {
            return Err(ProviderError::new(ErrorKind::Denied, format!("read {type_name} `{id}`: permission denied")));
        }
        Ok(world.objects.get(&(type_name, id.to_owned())).cloned())
    }
}

/// The provider of a [`Cloud`].
#[derive(Debug, Clone)]
pub struct CloudProvider {
    cloud: Cloud,
}

impl Provider for CloudProvider {
    const KIND: &'static str = "test";

    fn config(&self) -> Expr {
        Expr::map([])
    }

    fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(CloudConnector { cloud: self.cloud.clone() })
    }
}

struct CloudConnector {
    cloud: Cloud,
}

fn drivers() -> Drivers<Cloud> {
    Drivers::default().with::<Machine>().with::<Room>()
}

#[async_trait]
impl Connector for CloudConnector {
    fn kind(&self) -> &'static str {
        CloudProvider::KIND
    }

    fn schemas(&self) -> Vec<&'static Schema> {
        drivers().schemas()
    }

    async fn connect(&self, _config: &Value, _connect: &Connect) -> ProviderResult<Arc<dyn Connection>> {
        Ok(Arc::new(CloudConnection { cloud: Arc::new(self.cloud.clone()), drivers: drivers() }))
    }

    fn check_credentials(&self, _config: &Value, connect: &Connect) -> ProviderResult<()> {
        match connect.environment.get("CLOUD_LOGIN").map(String::as_str) {
            Some("none") => {
                Err(ProviderError::new(ErrorKind::Denied, "no credentials for the cloud").hint("set CLOUD_LOGIN"))
            }
            _ => Ok(()),
        }
    }

    fn sandbox(&self) -> Option<Arc<dyn Service>> {
        None
    }
}

struct CloudConnection {
    cloud: Arc<Cloud>,
    drivers: Drivers<Cloud>,
}

#[async_trait]
impl Connection for CloudConnection {
    async fn identity(&self) -> ProviderResult<BTreeMap<String, String>> {
        Ok([("cloud".to_owned(), self.cloud.world().identity.clone())].into())
    }

    fn driver(&self, type_name: &str) -> Option<Arc<dyn Driver>> {
        self.drivers.driver(type_name, &self.cloud)
    }

    fn look_up(&self, type_name: &str) -> Option<Arc<dyn LookUpDriver>> {
        self.drivers.look_up(type_name, &self.cloud)
    }

    async fn login(&self) -> ProviderResult<Login> {
        Ok(Login::default())
    }
}

const ROOM: &str = <Room as LookUp>::TYPE;
const MACHINE: &str = <Machine as LookUp>::TYPE;

fn from_fields<T: DeserializeOwned>(fields: Map<String, Value>) -> ProviderResult<T> {
    serde_json::from_value(Value::Object(fields)).map_err(|error| {
        ProviderError::new(ErrorKind::Invalid { field: None }, "an object of another shape").caused_by(error)
    })
}

fn to_fields(inputs: &impl ToExpr) -> Map<String, Value> {
    let tree = crate::desired::Tree::of_known(&inputs.to_expr());
    tree.plain().and_then(|value| value.as_object().cloned()).unwrap_or_default()
}

fn room_outputs(name: &str, fields: &Map<String, Value>) -> RoomOutputs<Resolved> {
    RoomOutputs { id: Id::new(name), serial: fields["serial"].as_str().unwrap_or_default().to_owned() }
}

#[async_trait]
impl Manage for Room {
    type Client = Cloud;

    async fn read(cloud: &Cloud, existing: &Existing<Self>) -> Read<Self> {
        let Some(fields) = cloud.fields(ROOM, &existing.id)? else { return Ok(None) };
        let outputs = room_outputs(&existing.id, &fields);
        Ok(Some(Observed { id: existing.id.clone(), inputs: from_fields(fields)?, outputs, tainted: None }))
    }

    async fn find(cloud: &Cloud, inputs: &Room<Resolved>) -> ProviderResult<Vec<Found>> {
        cloud.call("find", ROOM, &inputs.name);
        let there = cloud.world().objects.contains_key(&(ROOM, inputs.name.clone()));
        Ok(there.then(|| Found::id(inputs.name.clone())).into_iter().collect())
    }

    async fn create(cloud: &Cloud, _ctx: &Context, inputs: Room<Resolved>) -> ProviderResult<Made<Self>> {
        let name = inputs.name.clone();
        let fields = cloud.mutate("create", ROOM, &name, |world| {
            if world.objects.contains_key(&(ROOM, name.clone())) {
                return Err(ProviderError::new(ErrorKind::AlreadyExists, format!("create room `{name}`: it exists")));
            }
            world.next += 1;
            let mut fields = to_fields(&inputs);
            fields.insert("serial".to_owned(), json!(format!("s{}", world.next)));
            world.objects.insert((ROOM, name.clone()), fields.clone());
            Ok(fields)
        })?;
        Ok(Made { outputs: room_outputs(&name, &fields), id: name })
    }

    async fn update(cloud: &Cloud, _ctx: &Context, change: Change<Self>) -> ProviderResult<Made<Self>> {
        let name = change.after.name.clone();
        let fields = cloud.mutate("update", ROOM, &change.id, |world| {
            let missing =
                || ProviderError::new(ErrorKind::NotFound, format!("update room `{}`: it is gone", change.id));
            let old = world.objects.remove(&(ROOM, change.id.clone())).ok_or_else(missing)?;
            let mut fields = to_fields(&change.after);
            fields.insert("serial".to_owned(), old["serial"].clone());
            world.objects.insert((ROOM, name.clone()), fields.clone());
            for ((kind, _), machine) in &mut world.objects {
                if *kind == MACHINE && machine["room"] == json!(change.id) {
                    machine.insert("room".to_owned(), json!(name));
                }
            }
            Ok(fields)
        })?;
        Ok(Made { outputs: room_outputs(&name, &fields), id: name })
    }

    async fn delete(cloud: &Cloud, _ctx: &Context, existing: Existing<Self>, force: bool) -> ProviderResult<()> {
        cloud.mutate("delete", ROOM, &existing.id, |world| {
            let inside = |(kind, _): &(&str, String), fields: &Map<String, Value>| {
                *kind == MACHINE && fields["room"] == json!(existing.id)
            };
            if world.objects.iter().any(|(key, fields)| inside(key, fields)) {
                if !force {
                    return Err(ProviderError::new(
                        ErrorKind::Conflict,
                        format!("delete room `{}`: it is not empty", existing.id),
                    ));
                }
                world.objects.retain(|key, fields| !inside(key, fields));
            }
            world.objects.remove(&(ROOM, existing.id.clone()));
            Ok(())
        })
    }

    async fn contents(cloud: &Cloud, id: &str) -> ProviderResult<Vec<Content>> {
        let world = cloud.world();
        let inside = world.objects.iter().filter(|((kind, _), fields)| *kind == MACHINE && fields["room"] == json!(id));
        Ok(inside.map(|((_, id), _)| Content { type_name: MACHINE, id: id.clone() }).collect())
    }
}

fn machine(id: &str, mut fields: Map<String, Value>) -> ProviderResult<Observed<Machine>> {
    // The mark is the engine's, not the program's; the password never comes back.
    fields.remove("mark");
    fields.remove("password");
    let outputs = machine_outputs(id, &fields);
    Ok(Observed { id: id.to_owned(), inputs: from_fields(fields)?, outputs, tainted: None })
}

fn machine_outputs(id: &str, fields: &Map<String, Value>) -> MachineOutputs<Resolved> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
    MachineOutputs { id: Id::new(id), address: format!("10.0.0.{id}"), note: text("note") }
}

#[async_trait]
impl Manage for Machine {
    type Client = Cloud;

    async fn read(cloud: &Cloud, existing: &Existing<Self>) -> Read<Self> {
        cloud.fields(MACHINE, &existing.id)?.map(|fields| machine(&existing.id, fields)).transpose()
    }

    async fn find(cloud: &Cloud, inputs: &Machine<Resolved>) -> ProviderResult<Vec<Found>> {
        cloud.call("find", MACHINE, inputs.room.as_str());
        let world = cloud.world();
        let machines =
            world.objects.iter().filter(|((kind, _), fields)| *kind == MACHINE && fields["room"] == json!(inputs.room));
        let found = machines.map(|((_, id), fields)| Found {
            mark: fields.get("mark").and_then(Value::as_str).map(str::to_owned),
            ..Found::id(id.clone())
        });
        Ok(found.collect())
    }

    async fn create(cloud: &Cloud, ctx: &Context, inputs: Machine<Resolved>) -> ProviderResult<Made<Self>> {
        let (id, fields) = cloud.mutate("create", MACHINE, inputs.room.as_str(), |world| {
            if !world.objects.contains_key(&(ROOM, inputs.room.to_string())) {
                return Err(ProviderError::new(
                    ErrorKind::NotFound,
                    format!("create machine: there is no room `{}`", inputs.room),
                ));
            }
            world.next += 1;
            let id = world.next.to_string();
            let mut fields = to_fields(&inputs);
            fields.insert("mark".to_owned(), json!(ctx.mark().id()));
            world.objects.insert((MACHINE, id.clone()), fields.clone());
            Ok((id, fields))
        })?;
        ctx.created(&id).await?;
        Ok(Made { outputs: machine_outputs(&id, &fields), id })
    }

    async fn update(cloud: &Cloud, _ctx: &Context, change: Change<Self>) -> ProviderResult<Made<Self>> {
        let fields = cloud.mutate("update", MACHINE, &change.id, |world| {
            let missing =
                || ProviderError::new(ErrorKind::NotFound, format!("update machine `{}`: it is gone", change.id));
            let fields = world.objects.get_mut(&(MACHINE, change.id.clone())).ok_or_else(missing)?;
            let mark = fields.remove("mark");
            *fields = to_fields(&change.after);
            fields.extend(mark.map(|mark| ("mark".to_owned(), mark)));
            Ok(fields.clone())
        })?;
        Ok(Made { outputs: machine_outputs(&change.id, &fields), id: change.id })
    }

    async fn delete(cloud: &Cloud, _ctx: &Context, existing: Existing<Self>, _force: bool) -> ProviderResult<()> {
        cloud.mutate("delete", MACHINE, &existing.id, |world| {
            world.objects.remove(&(MACHINE, existing.id.clone()));
            Ok(())
        })
    }

    async fn ready(_cloud: &Cloud, _id: &str) -> ProviderResult<Readiness> {
        Ok(Readiness::Ready)
    }
}

/// The type names, for `tamper` and `lose`.
impl Cloud {
    /// `test:Room`.
    pub fn room_type() -> &'static str {
        Room::schema().type_name
    }

    /// `test:Machine`.
    pub fn machine_type() -> &'static str {
        Machine::schema().type_name
    }
}
