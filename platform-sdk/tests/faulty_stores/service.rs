//! A service whose parts have no unique name: whoever makes one twice has two, and everybody can see it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use platform_sdk::{
    Declared, Expr, Handle, Id, Program, Provider, Resolved, Secret, Stack, Stage,
    derive::{Outputs, Resource},
    provider::{Change, Connector, Context, Drivers, Existing, Found, Made, Manage, Observed, ProviderResult, Read},
    testing::OneClient,
};

/// What no file may hold in clear.
pub(crate) const CANARY: &str = "canary-of-the-plant";

/// A part, which may be made of another one.
#[derive(Resource)]
#[resource(type = "plant:Part", outputs = PartOutputs, provider = Plant, identity = mark(mark), consistency_ms = 100)]
pub(crate) struct Part<S: Stage = Declared> {
    /// What it is called; not unique.
    #[field(required)]
    pub(crate) name: S::In<String>,
    /// What it is made of.
    #[field(replace)]
    pub(crate) of: Option<S::In<Id<Part>>>,
    /// Comes back as an output.
    #[field(computed, secret)]
    pub(crate) token: Option<S::In<Secret<String>>>,
    /// Where its intent's mark is kept.
    #[field(computed)]
    pub(crate) mark: Option<S::In<String>>,
}

/// Outputs of [`Part`].
#[derive(Outputs)]
pub(crate) struct PartOutputs<S: Stage = Declared> {
    /// Its id.
    pub(crate) id: S::Out<Id<Part>>,
    /// Its token.
    pub(crate) token: S::Out<Option<String>>,
}

#[derive(Debug, Clone)]
struct Stored {
    name: String,
    of: Option<String>,
    token: Option<String>,
    mark: String,
}

#[derive(Debug, Default)]
struct World {
    parts: BTreeMap<String, Stored>,
    next: u64,
    asked: usize,
    looked: usize,
}

/// The service: each request for a change takes a while.
#[derive(Debug, Clone)]
pub(crate) struct Plant {
    world: Arc<Mutex<World>>,
    takes: Duration,
}

impl Plant {
    /// Empty; each request for a change takes this long.
    pub(crate) fn new(takes: Duration) -> Self {
        Self { world: Arc::default(), takes }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The parts by id, with their names.
    pub(crate) fn parts(&self) -> BTreeMap<String, String> {
        self.world().parts.iter().map(|(id, part)| (id.clone(), part.name.clone())).collect()
    }

    /// The names of all parts, in order; one that is there twice is named twice.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.parts().into_values().collect();
        names.sort();
        names
    }

    /// How many requests for a change there were so far.
    pub(crate) fn asked(&self) -> usize {
        self.world().asked
    }

    /// How often the service was asked for a name.
    pub(crate) fn looked(&self) -> usize {
        self.world().looked
    }

    /// Layers of parts, each made of one of the layer before. The first one has a secret.
    pub(crate) fn program(&self, layers: usize, width: usize) -> Program {
        let declare = move |stack: &Stack| {
            let mut before: Vec<Handle<Part>> = Vec::new();
            for layer in 0..layers {
                let part = |place: usize| {
                    let name = format!("p{layer}-{place}");
                    let part = Part::new(&name);
                    // Some are referred to by several, some by none.
                    let part = match before.get((place * place + layer) % width) {
                        Some(of) => part.of(of),
                        None => part.token(Secret::new(CANARY.to_owned())),
                    };
                    stack.add(&name, part)
                };
                before = (0..width).map(part).collect();
            }
            Ok(())
        };
        Program::new("plant", declare).provider(self.clone())
    }

    async fn work(&self) {
        self.world().asked += 1;
        tokio::time::sleep(self.takes).await;
    }
}

/// The names of a program's parts, in order.
pub(crate) fn wanted(layers: usize, width: usize) -> Vec<String> {
    let mut names: Vec<String> =
        (0..layers).flat_map(|layer| (0..width).map(move |place| format!("p{layer}-{place}"))).collect();
    names.sort();
    names
}

fn drivers() -> Drivers<Plant> {
    Drivers::default().with::<Part>()
}

impl Provider for Plant {
    const KIND: &'static str = "plant";

    fn config(&self) -> Expr {
        Expr::map([])
    }

    fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(OneClient::of::<Self>(self.clone(), drivers))
    }
}

fn outputs(id: &str, part: &Stored) -> PartOutputs<Resolved> {
    PartOutputs { id: Id::new(id), token: part.token.clone() }
}

#[async_trait]
impl Manage for Part {
    type Client = Plant;

    async fn read(plant: &Plant, existing: &Existing<Self>) -> Read<Self> {
        let Some(part) = plant.world().parts.get(&existing.id).cloned() else { return Ok(None) };
        let inputs = Part {
            name: part.name.clone(),
            of: part.of.as_deref().map(Id::new),
            token: part.token.clone().map(Secret::new),
            mark: None,
        };
        Ok(Some(Observed { id: existing.id.clone(), inputs, outputs: outputs(&existing.id, &part), tainted: None }))
    }

    async fn find(plant: &Plant, inputs: &Part<Resolved>) -> ProviderResult<Vec<Found>> {
        let mut world = plant.world();
        world.looked += 1;
        let found = world.parts.iter().filter(|(_, part)| part.name == inputs.name);
        Ok(found.map(|(id, part)| Found { mark: Some(part.mark.clone()), ..Found::id(id.clone()) }).collect())
    }

    async fn create(plant: &Plant, ctx: &Context, inputs: Part<Resolved>) -> ProviderResult<Made<Self>> {
        plant.work().await;
        let part = Stored {
            name: inputs.name,
            of: inputs.of.map(|of| of.to_string()),
            token: inputs.token.map(|token| token.expose().clone()),
            mark: ctx.mark().id().to_owned(),
        };
        let mut world = plant.world();
        world.next += 1;
        let id = format!("part-{}", world.next);
        world.parts.insert(id.clone(), part.clone());
        Ok(Made { outputs: outputs(&id, &part), id })
    }

    async fn update(plant: &Plant, _ctx: &Context, change: Change<Self>) -> ProviderResult<Made<Self>> {
        plant.work().await;
        let mut world = plant.world();
        let part = world.parts.get_mut(&change.id).expect("updates are of parts that are there");
        part.name = change.after.name;
        part.token = change.after.token.map(|token| token.expose().clone());
        Ok(Made { outputs: outputs(&change.id, part), id: change.id })
    }

    async fn delete(plant: &Plant, _ctx: &Context, existing: Existing<Self>, _force: bool) -> ProviderResult<()> {
        plant.work().await;
        plant.world().parts.remove(&existing.id);
        Ok(())
    }
}
