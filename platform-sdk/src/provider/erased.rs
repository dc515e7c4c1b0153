//! Drivers: the pages with their types taken away, as the engine holds them.

use std::{collections::BTreeMap, marker::PhantomData, sync::Arc};

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Change, Content, Context, ErrorKind, Existing, Found, Made, Manage, Observed, ProviderError, ProviderResult,
    Readiness,
    page::{Find, Values},
};
use crate::{
    LookUp, Resource,
    desired::{Tree, has_stand_ins},
    program::{Schema, ToExpr},
};

/// An object as state knows it, untyped.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its remote id.
    pub id: String,
    /// The inputs last applied.
    pub inputs: Option<Value>,
    /// The outputs as last seen.
    pub outputs: Option<Value>,
}

/// An object as the service shows it, untyped. Secret leaves are marked in the trees.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Its remote id.
    pub id: String,
    /// Its inputs.
    pub inputs: Tree,
    /// Its outputs.
    pub outputs: Tree,
    /// Why it is not whole.
    pub tainted: Option<String>,
}

/// What a create or an update gave, untyped: the remote id and the outputs.
pub(crate) type Outcome = (String, Tree);

/// One resource type over one connection.
#[async_trait]
pub trait Driver: Send + Sync {
    /// The type's facts.
    fn schema(&self) -> &'static Schema;
    /// See [`Manage::read`].
    async fn read(&self, request: &Request) -> ProviderResult<Option<Observation>>;
    /// See [`Manage::meant`].
    async fn meant(&self, asked: &str) -> ProviderResult<Vec<String>> {
        Ok(vec![asked.to_owned()])
    }
    /// See [`Manage::find`].
    async fn find(&self, inputs: &Value) -> ProviderResult<Vec<Found>>;
    /// See [`Manage::create`].
    async fn create(&self, ctx: &Context, inputs: &Value) -> ProviderResult<Outcome>;
    /// See [`Manage::update`].
    async fn update(
        &self,
        ctx: &Context,
        request: &Request,
        after: &Value,
        paths: &[String],
    ) -> ProviderResult<Outcome>;
    /// See [`Manage::delete`].
    async fn delete(&self, ctx: &Context, request: &Request, force: bool) -> ProviderResult<()>;
    /// See [`Manage::list`].
    async fn list(&self, of: &[Request]) -> ProviderResult<Option<Vec<Observation>>>;
    /// See [`Manage::ready`].
    async fn ready(&self, id: &str) -> ProviderResult<Readiness>;
    /// See [`Manage::contents`].
    async fn contents(&self, id: &str) -> ProviderResult<Vec<Content>>;
}

/// One type's lookup over one connection.
#[async_trait]
pub trait LookUpDriver: Send + Sync {
    /// The outputs of what has this id or natural key, or `None`.
    async fn look_up(&self, key: &str) -> ProviderResult<Option<Tree>>;
}

struct Page<R: Manage> {
    client: Arc<R::Client>,
    of: PhantomData<fn() -> R>,
}

fn typed<T: DeserializeOwned>(what: &str, type_name: &str, value: &Value) -> ProviderResult<T> {
    serde_json::from_value(value.clone()).map_err(|error| {
        let message = format!("the {what} of a {type_name} don't have the shape that its page declares");
        ProviderError::new(ErrorKind::Invalid { field: None }, message).caused_by(error)
    })
}

fn existing<R: Resource>(request: &Request) -> ProviderResult<Existing<R>> {
    let name = R::schema().type_name;
    Ok(Existing {
        id: request.id.clone(),
        inputs: request.inputs.as_ref().map(|value| typed("inputs", name, value)).transpose().or_else(|misfit| {
            // Of inputs that hold a sealed secret where no text can be, the page reads what it would of an import.
            if request.inputs.as_ref().is_some_and(has_stand_ins) { Ok(None) } else { Err(misfit) }
        })?,
        outputs: request.outputs.as_ref().and_then(known::<R>),
    })
}

/// Outputs from state, where the page can make something of them. Those of an interrupted create, and those that another
/// version of the page stored, are read anew where they are needed.
fn known<R: Resource>(outputs: &Value) -> Option<Values<R>> {
    serde_json::from_value(outputs.clone()).ok()
}

/// The outputs that the object has now.
async fn seen<R: Manage>(client: &R::Client, existing: &Existing<R>) -> ProviderResult<Values<R>> {
    let seen = R::read(client, existing).await?;
    let gone = || ProviderError::new(ErrorKind::NotFound, format!("`{}` is gone", existing.id));
    Ok(seen.ok_or_else(gone)?.outputs)
}

fn needed<R: Resource, T>(what: &str, value: Option<T>) -> ProviderResult<T> {
    value.ok_or_else(|| {
        let message = format!("the {what} of a {} are not in state", R::schema().type_name);
        ProviderError::new(ErrorKind::Invalid { field: None }, message)
    })
}

fn tree(value: &impl ToExpr) -> Tree {
    Tree::of_known(&value.to_expr())
}

fn observation<R: Resource>(observed: &Observed<R>) -> Observation {
    Observation {
        id: observed.id.clone(),
        inputs: tree(&observed.inputs),
        outputs: tree(&observed.outputs),
        tainted: observed.tainted.clone(),
    }
}

fn outcome<R: Resource>(made: &Made<R>) -> Outcome {
    (made.id.clone(), tree(&made.outputs))
}

#[async_trait]
impl<R: Manage> Driver for Page<R>
where
    Values<R>: ToExpr,
{
    fn schema(&self) -> &'static Schema {
        R::schema()
    }

    async fn read(&self, request: &Request) -> ProviderResult<Option<Observation>> {
        let observed = R::read(&self.client, &existing::<R>(request)?).await?;
        Ok(observed.as_ref().map(observation))
    }

    async fn meant(&self, asked: &str) -> ProviderResult<Vec<String>> {
        R::meant(&self.client, asked).await
    }

    async fn find(&self, inputs: &Value) -> ProviderResult<Vec<Found>> {
        R::find(&self.client, &typed("inputs", R::schema().type_name, inputs)?).await
    }

    async fn create(&self, ctx: &Context, inputs: &Value) -> ProviderResult<Outcome> {
        let made = R::create(&self.client, ctx, typed("inputs", R::schema().type_name, inputs)?).await?;
        Ok(outcome(&made))
    }

    async fn update(
        &self,
        ctx: &Context,
        request: &Request,
        after: &Value,
        paths: &[String],
    ) -> ProviderResult<Outcome> {
        let mut before: Existing<R> = existing(request)?;
        let outputs = match before.outputs.take() {
            Some(outputs) => outputs,
            None => seen::<R>(&self.client, &before).await?,
        };
        let change = Change {
            id: before.id,
            before: needed::<R, _>("inputs", before.inputs)?,
            after: typed("inputs", R::schema().type_name, after)?,
            outputs,
            paths: paths.to_vec(),
        };
        Ok(outcome(&R::update(&self.client, ctx, change).await?))
    }

    async fn delete(&self, ctx: &Context, request: &Request, force: bool) -> ProviderResult<()> {
        R::delete(&self.client, ctx, existing(request)?, force).await
    }

    async fn list(&self, of: &[Request]) -> ProviderResult<Option<Vec<Observation>>> {
        let of = of.iter().map(existing).collect::<ProviderResult<Vec<Existing<R>>>>()?;
        let listed = R::list(&self.client, &of).await?;
        Ok(listed.map(|all| all.iter().map(observation).collect()))
    }

    async fn ready(&self, id: &str) -> ProviderResult<Readiness> {
        R::ready(&self.client, id).await
    }

    async fn contents(&self, id: &str) -> ProviderResult<Vec<Content>> {
        R::contents(&self.client, id).await
    }
}

struct Lookup<L: Find> {
    client: Arc<L::Client>,
    of: PhantomData<fn() -> L>,
}

#[async_trait]
impl<L: Find> LookUpDriver for Lookup<L> {
    async fn look_up(&self, key: &str) -> ProviderResult<Option<Tree>> {
        Ok(L::look_up(&self.client, key).await?.as_ref().map(tree))
    }
}

/// A finder for resources: a lookup reads what has the id.
struct Owned<R: Manage> {
    client: Arc<R::Client>,
    of: PhantomData<fn() -> R>,
}

#[async_trait]
impl<R: Manage> LookUpDriver for Owned<R> {
    async fn look_up(&self, key: &str) -> ProviderResult<Option<Tree>> {
        let existing = Existing { id: key.to_owned(), inputs: None, outputs: None };
        Ok(R::read(&self.client, &existing).await?.map(|observed| tree(&observed.outputs)))
    }
}

type Make<C> = fn(Arc<C>) -> Arc<dyn Driver>;
type MakeLookUp<C> = fn(Arc<C>) -> Arc<dyn LookUpDriver>;

/// The registry of a provider: one line a page.
pub struct Drivers<C> {
    schemas: Vec<&'static Schema>,
    drivers: BTreeMap<&'static str, Make<C>>,
    lookups: BTreeMap<&'static str, MakeLookUp<C>>,
}

impl<C: Send + Sync + 'static> Default for Drivers<C> {
    fn default() -> Self {
        Self { schemas: Vec::new(), drivers: BTreeMap::new(), lookups: BTreeMap::new() }
    }
}

impl<C: Send + Sync + 'static> Drivers<C> {
    /// With one more resource type, which can also be looked up.
    pub fn with<R: Manage<Client = C>>(mut self) -> Self {
        let schema = R::schema();
        self.schemas.push(schema);
        for name in std::iter::once(&schema.type_name).chain(schema.formerly) {
            self.drivers.insert(name, |client| Arc::new(Page::<R> { client, of: PhantomData }));
        }
        self.lookups.insert(schema.type_name, |client| Arc::new(Owned::<R> { client, of: PhantomData }));
        self
    }

    /// With one more type that can only be looked up.
    pub fn with_lookup<L: Find<Client = C>>(mut self) -> Self {
        self.lookups.insert(<L as LookUp>::TYPE, |client| Arc::new(Lookup::<L> { client, of: PhantomData }));
        self
    }

    /// The facts of all types, ordered by name.
    pub fn schemas(&self) -> Vec<&'static Schema> {
        let mut schemas = self.schemas.clone();
        schemas.sort_by_key(|schema| schema.type_name);
        schemas
    }

    /// The driver of a type, by its name or one that it had before, over a connection.
    pub fn driver(&self, type_name: &str, client: &Arc<C>) -> Option<Arc<dyn Driver>> {
        self.drivers.get(type_name).map(|make| make(client.clone()))
    }

    /// The lookup of a type over a connection.
    pub fn look_up(&self, type_name: &str, client: &Arc<C>) -> Option<Arc<dyn LookUpDriver>> {
        self.lookups.get(type_name).map(|make| make(client.clone()))
    }
}
