//! A resource with effects, in this process: its provider answers at once, so only the engine's own work is left.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use platform_sdk::{
    Declared, Expr, Id, Provider, Resolved, Stage,
    derive::{Outputs, Resource},
    provider::{
        Change, Connector, Context, Drivers, ErrorKind, Existing, Found, Made, Manage, Observed, ProviderError,
        ProviderResult, Read,
    },
    testing::OneClient,
};

/// A part: named by its key, on top of another or of nothing.
#[derive(Resource)]
#[resource(type = "bench:Part", outputs = PartOutputs, provider = Parts, scope = "shelf", identity = key)]
pub struct Part<S: Stage = Declared> {
    /// Its name; unique.
    #[field(required, key)]
    pub name: S::In<String>,
    /// The id of the part that it stands on.
    #[field(nullable)]
    pub on: Option<S::In<Id<Part>>>,
    /// Its place in the graph.
    #[field(required)]
    pub index: S::In<u64>,
    /// Whose it is.
    #[field(required)]
    pub owner: S::In<String>,
    /// What it is for.
    #[field(required)]
    pub comment: S::In<String>,
    /// Whether it is in use.
    #[field(required)]
    pub active: S::In<bool>,
}

/// Outputs of [`Part`].
#[derive(Outputs)]
pub struct PartOutputs<S: Stage = Declared> {
    /// Its id: its name.
    pub id: S::Out<Id<Part>>,
}

/// The provider of parts. What it made lives as long as the process.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    made: Arc<Mutex<HashMap<String, Part<Resolved>>>>,
}

impl Parts {
    fn made(&self) -> MutexGuard<'_, HashMap<String, Part<Resolved>>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Provider for Parts {
    const KIND: &'static str = "bench";

    fn config(&self) -> Expr {
        Expr::map([])
    }

    fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(OneClient::of::<Self>(self.clone(), drivers).proving("shelf", "only"))
    }
}

fn drivers() -> Drivers<Parts> {
    Drivers::default().with::<Part>()
}

fn made(name: &str) -> Made<Part> {
    Made { id: name.to_owned(), outputs: PartOutputs { id: Id::new(name) } }
}

#[async_trait]
impl Manage for Part {
    type Client = Parts;

    async fn read(parts: &Parts, existing: &Existing<Self>) -> Read<Self> {
        let Some(inputs) = parts.made().get(&existing.id).cloned() else { return Ok(None) };
        let Made { id, outputs } = made(&existing.id);
        Ok(Some(Observed { inputs, id, outputs, tainted: None }))
    }

    async fn find(parts: &Parts, inputs: &Part<Resolved>) -> ProviderResult<Vec<Found>> {
        Ok(parts.made().contains_key(&inputs.name).then(|| Found::id(&inputs.name)).into_iter().collect())
    }

    async fn create(parts: &Parts, _ctx: &Context, inputs: Part<Resolved>) -> ProviderResult<Made<Self>> {
        let name = inputs.name.clone();
        if parts.made().insert(name.clone(), inputs).is_some() {
            return Err(ProviderError::new(ErrorKind::AlreadyExists, format!("part `{name}` exists")));
        }
        Ok(made(&name))
    }

    async fn update(parts: &Parts, _ctx: &Context, change: Change<Self>) -> ProviderResult<Made<Self>> {
        parts.made().insert(change.id.clone(), change.after);
        Ok(made(&change.id))
    }

    async fn delete(parts: &Parts, _ctx: &Context, existing: Existing<Self>, _force: bool) -> ProviderResult<()> {
        parts.made().remove(&existing.id);
        Ok(())
    }
}
