//! What a resource's page implements: read, find, create, update, delete over plain, typed values.

use async_trait::async_trait;

use super::{Context, ProviderResult};
use crate::{LookUp, Outputs, Resource};

/// The plain outputs of a resource type.
pub type Values<R> = <<R as Resource>::Outputs as Outputs>::Values;

/// An object that state knows, or that is being imported.
#[derive(Debug, Clone)]
pub struct Existing<R: Resource> {
    /// Its remote id.
    pub id: String,
    /// The inputs that were last applied; `None` while importing.
    pub inputs: Option<R::Resolved>,
    /// The outputs as last seen; `None` while importing, after a create that did not come so far, and where another version
    /// of the page stored other ones.
    pub outputs: Option<Values<R>>,
}

/// An object as the service shows it.
#[derive(Debug, Clone)]
pub struct Observed<R: Resource> {
    /// Its remote id now; may differ from the one asked for where a rename gave it another.
    pub id: String,
    /// Its inputs, as far as the service returns them. Fields that it never returns stay unset, or as last applied.
    pub inputs: R::Resolved,
    /// Its outputs.
    pub outputs: Values<R>,
    /// It is ours only in part: a create that did not finish, or a failed state that an update can mend.
    pub tainted: Option<String>,
}

/// What `read` gives: `None` when the object is gone.
pub type Read<R> = ProviderResult<Option<Observed<R>>>;

/// What a create or an update made.
#[derive(Debug, Clone)]
pub struct Made<R: Resource> {
    /// The remote id.
    pub id: String,
    /// All outputs.
    pub outputs: Values<R>,
}

/// An update: from what to what, and where they differ.
#[derive(Debug, Clone)]
pub struct Change<R: Resource> {
    /// The remote id.
    pub id: String,
    /// The inputs before: as observed where reality was read, else as last applied.
    pub before: R::Resolved,
    /// The inputs that are wanted.
    pub after: R::Resolved,
    /// The outputs as last seen.
    pub outputs: Values<R>,
    /// The paths that differ: `comment`, `tasks[load].timeout_seconds`.
    pub paths: Vec<String>,
}

impl<R: Resource> Change<R> {
    /// Whether this top-level field, or anything in it, differs.
    pub fn touches(&self, field: &str) -> bool {
        self.paths
            .iter()
            .any(|path| path.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '['])))
    }
}

/// An object that carries the natural key or mark that was looked for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Found {
    /// Its remote id.
    pub id: String,
    /// The mark it carries, if its type has one.
    pub mark: Option<String>,
    /// When it was made, in milliseconds since 1970, where the service says.
    pub created_at_ms: Option<u64>,
    /// Who made it, where the service says.
    pub created_by: Option<String>,
}

impl Found {
    /// An object of which only the id is known.
    pub fn id(id: impl Into<String>) -> Self {
        Self { id: id.into(), mark: None, created_at_ms: None, created_by: None }
    }
}

/// Whether an object can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// It can.
    Ready,
    /// Not yet; the service's words for its state, as progress.
    Pending(String),
    /// It never will.
    Failed(String),
}

/// Something that lives in an object and that its delete would take along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Its type, where the provider has one: `databricks:Table`.
    pub type_name: &'static str,
    /// Its remote id.
    pub id: String,
}

/// A resource type's page: how it is managed. Each call is one translation, one conversation with the service, one
/// translation back; the engine retries, orders and remembers.
///
/// The clauses of the provider contract hold for every implementation; the conformance suite checks them.
#[async_trait]
pub trait Manage: Resource {
    /// The connection that calls go over.
    type Client: Send + Sync + 'static;

    /// The object with this id, or `None` when it is gone. Being denied is an error, never absence.
    async fn read(client: &Self::Client, existing: &Existing<Self>) -> Read<Self>;

    /// The ids of the objects that a person may mean who names one to import: by its id, its natural key, or the address
    /// of its page in the browser. It need not exist. See [`id_in_address`](super::id_in_address).
    async fn meant(_client: &Self::Client, asked: &str) -> ProviderResult<Vec<String>> {
        Ok(vec![asked.to_owned()])
    }

    /// Objects with the natural key or mark of these inputs.
    async fn find(client: &Self::Client, inputs: &Self::Resolved) -> ProviderResult<Vec<Found>>;

    /// Makes the object. Calls [`Context::created`] as soon as its id is known and more requests follow.
    async fn create(client: &Self::Client, ctx: &Context, inputs: Self::Resolved) -> ProviderResult<Made<Self>>;

    /// Changes what differs and nothing else; with [`Context::force`] also where others use the object. Calls
    /// [`Context::renamed`] as soon as the object has another id.
    async fn update(client: &Self::Client, ctx: &Context, change: Change<Self>) -> ProviderResult<Made<Self>>;

    /// Removes the object; one that is gone is a success. With `force`, contents that the stack does not own go too, and
    /// others may use it.
    async fn delete(client: &Self::Client, ctx: &Context, existing: Existing<Self>, force: bool) -> ProviderResult<()>;

    /// Every object of this type that one conversation can list, for bulk refresh; `None` where that costs as much as
    /// reading. Absence from it is confirmed by a read.
    async fn list(_client: &Self::Client, _of: &[Existing<Self>]) -> ProviderResult<Option<Vec<Observed<Self>>>> {
        Ok(None)
    }

    /// Whether the object can be used.
    async fn ready(_client: &Self::Client, _id: &str) -> ProviderResult<Readiness> {
        Ok(Readiness::Ready)
    }

    /// What lives in the object, for the list of what a forced delete would take along.
    async fn contents(_client: &Self::Client, _id: &str) -> ProviderResult<Vec<Content>> {
        Ok(Vec::new())
    }
}

/// A type that `stack.lookup` reads.
#[async_trait]
pub trait Find: LookUp {
    /// The connection that calls go over.
    type Client: Send + Sync + 'static;

    /// What has this id or natural key, or `None`.
    async fn look_up(client: &Self::Client, key: &str) -> ProviderResult<Option<<Self::Found as Outputs>::Values>>;
}
