//! What Unity Catalog's objects share: where they are, and how they are read, made, changed and removed by REST.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

use platform_sdk::provider::{Context, ErrorKind, Found, ProviderError, ProviderResult};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::client::{Client, Outcome as _, Pages, path};

/// One kind of object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    /// As errors name it: `catalog`.
    pub(super) noun: &'static str,
    /// As paths and lists name it: `catalogs`.
    pub(super) collection: &'static str,
    /// Its delete can take along what is in it.
    pub(super) forces: bool,
    /// As the API of bindings to workspaces names it, where it can be isolated.
    pub(super) bound: Option<&'static str>,
}

/// What a PATCH changes.
#[derive(Debug, Default)]
pub(super) struct Patch<'a> {
    /// Everything but name and owner.
    pub(super) fields: Map<String, Value>,
    /// The new name, and the id that goes with it.
    pub(super) renamed: Option<(&'a str, String)>,
    /// The new owner.
    pub(super) owner: Option<&'a str>,
    /// It is refused where others use the object, unless it is forced.
    pub(super) forcible: bool,
    /// Whether it is isolated from here on, or open.
    pub(super) isolated: Option<bool>,
}

impl Patch<'_> {
    /// Sets a field.
    pub(super) fn set(&mut self, field: &str, value: &impl Serialize) {
        self.fields.insert(field.to_owned(), json!(value));
    }

    /// What it sets is refused where others use the object, unless this says to force it.
    pub(super) fn forced(&mut self, force: bool) {
        self.forcible = true;
        if force {
            self.set("force", &true);
        }
    }

    /// Sets which workspaces see it.
    pub(super) fn isolate(&mut self, mode: &impl Display) {
        let mode = mode.to_string();
        self.isolated = Some(mode.ends_with("ISOLATED"));
        self.fields.insert("isolation_mode".to_owned(), mode.into());
    }
}

#[derive(Deserialize)]
struct Bindings {
    #[serde(default)]
    bindings: Vec<Binding>,
}

#[derive(Deserialize, Serialize)]
struct Binding {
    workspace_id: i64,
}

#[derive(Deserialize)]
struct Stamps {
    created_at: Option<u64>,
    created_by: Option<String>,
}

impl Kind {
    fn base(&self) -> String {
        format!("api/2.1/unity-catalog/{}", self.collection)
    }

    /// The object, or `None` when it or what it lives in is gone.
    pub(super) async fn read<T: DeserializeOwned>(&self, client: &Client, id: &str) -> ProviderResult<Option<T>> {
        let answer = client.get(path(&self.base(), [id])).send().await;
        answer.or_absent().map_err(not_bound).while_doing(format_args!("read {} `{id}`", self.noun))
    }

    /// The object that has this id, if any.
    pub(super) async fn find(&self, client: &Client, id: &str) -> ProviderResult<Vec<Found>> {
        let stamps: Option<Stamps> = self.read(client, id).await?;
        let found = stamps.map(|Stamps { created_at, created_by }| Found {
            created_at_ms: created_at,
            created_by,
            ..Found::id(id)
        });
        Ok(found.into_iter().collect())
    }

    /// All objects that these parameters choose. `None` when they can't be listed but may be read one by one.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        client: &Client,
        query: &[(&str, &str)],
    ) -> ProviderResult<Option<Vec<T>>> {
        self.listed(self.pages(client, query).all().await)
    }

    /// The wanted ones of these, as far as a list is cheaper than reading each: see
    /// [`Pages::wanted`](crate::client::Pages::wanted).
    pub(super) async fn list_wanted<T: DeserializeOwned>(
        &self,
        client: &Client,
        query: &[(&str, &str)],
        wanted: &BTreeSet<&str>,
        id: fn(&T) -> &str,
    ) -> ProviderResult<Option<Vec<T>>> {
        self.listed(self.pages(client, query).wanted(wanted.len(), |item| wanted.contains(id(item))).await)
    }

    fn pages(&self, client: &Client, query: &[(&str, &str)]) -> Pages {
        let pages = client.pages(path(&self.base(), [] as [&str; 0]), self.collection);
        query.iter().fold(pages, |pages, (name, value)| pages.query(*name, value))
    }

    fn listed<T>(&self, listed: ProviderResult<Vec<T>>) -> ProviderResult<Option<Vec<T>>> {
        match listed {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_not_found() => Ok(Some(Vec::new())),
            Err(error) if error.kind == ErrorKind::Denied => Ok(None),
            Err(error) => Err(error.while_doing(format!("list {}", self.collection))),
        }
    }

    /// Makes an object.
    pub(super) async fn create<T: DeserializeOwned>(
        &self,
        client: &Client,
        id: &str,
        body: &impl Serialize,
    ) -> ProviderResult<T> {
        let made = client.post(path(&self.base(), [] as [&str; 0])).json(body).send().await;
        made.map_err(|mut error| {
            // What is missing is something that the new object needs.
            if error.is_not_found() {
                error.kind = ErrorKind::Invalid { field: None };
            }
            error.while_doing(format!("create {} `{id}`", self.noun))
        })
    }

    /// Changes an object: its name together with its fields, then its owner, since a caller who gave an object away may
    /// change nothing more. A new name is announced before anything else is asked. An empty patch reads.
    pub(super) async fn update<T: DeserializeOwned>(
        &self,
        client: &Client,
        ctx: &Context,
        id: &str,
        patch: Patch<'_>,
    ) -> ProviderResult<T> {
        let Patch { mut fields, renamed, owner, forcible, isolated } = patch;
        let new_id = renamed.as_ref().map_or(id, |(_, id)| id.as_str()).to_owned();
        if let Some((name, _)) = renamed {
            fields.insert("new_name".to_owned(), name.into());
        }
        let mut last = None;
        if isolated == Some(true) {
            // An isolated object that is not bound to this workspace can't even be read from it any more: so it is bound
            // before, should this run end between the two. Where the service takes no binding of an open one, it is
            // bound right after.
            let _ = self.bind(client, id, true).await;
        }
        if !fields.is_empty() {
            let sent = self.patch(client, id, &new_id, &fields.into()).await;
            last = sent.map_err(|error| in_use(error, forcible))?;
        }
        if new_id != id {
            ctx.renamed(&new_id).await?;
        }
        match isolated {
            Some(true) => self.bind(client, &new_id, true).await?,
            // Nothing hangs on the binding of an open one.
            Some(false) => drop(self.bind(client, &new_id, false).await),
            None => {}
        }
        if let Some(owner) = owner {
            last = self.patch(client, &new_id, &new_id, &json!({"owner": owner})).await?;
        }
        match last {
            Some(answer) => Ok(answer),
            None => self.read(client, &new_id).await?.ok_or_else(|| self.gone(&new_id)),
        }
    }

    /// Binds an object to the workspace that answers, or takes this binding away.
    async fn bind(&self, client: &Client, id: &str, bound: bool) -> ProviderResult<()> {
        let Some(kind) = self.bound else { return Ok(()) };
        let what = format!("bind {} `{id}` to its workspace", self.noun);
        let bindings = path("api/2.1/unity-catalog/bindings", [kind, id]);
        let (now, answer) = client.get(&bindings).send_whole::<Bindings>().await.while_doing(&what)?;
        let workspace = answer.header("x-databricks-org-id").and_then(|id| id.parse().ok()).ok_or_else(|| {
            ProviderError::new(ErrorKind::Unavailable, format!("{what}: the answer does not name the workspace"))
        })?;
        if now.bindings.iter().any(|binding| binding.workspace_id == workspace) == bound {
            return Ok(());
        }
        let one = json!([Binding { workspace_id: workspace }]);
        let body = if bound { json!({ "add": one }) } else { json!({ "remove": one }) };
        client.patch(&bindings).json(&body).done().await.while_doing(&what)
    }

    /// One PATCH. `None` when it was carried out before: an answer that was lost.
    async fn patch<T: DeserializeOwned>(
        &self,
        client: &Client,
        id: &str,
        new_id: &str,
        body: &Value,
    ) -> ProviderResult<Option<T>> {
        let error = match client.patch(path(&self.base(), [id])).json(body).send::<Value>().await {
            // Tables answer with nothing.
            Ok(answer) => return Ok(serde_json::from_value(answer).ok()),
            Err(error) => error,
        };
        let nothing_left = error.message.starts_with("Nothing to update");
        let moved = error.is_not_found() && id != new_id && self.read::<Value>(client, new_id).await?.is_some();
        if nothing_left || moved {
            return Ok(None);
        }
        Err(error.while_doing(format!("update {} `{id}`", self.noun)))
    }

    /// Removes an object; one that is gone is a success.
    pub(super) async fn delete(&self, client: &Client, id: &str, force: bool) -> ProviderResult<()> {
        let mut request = client.delete(path(&self.base(), [id]));
        if force && self.forces {
            request = request.query("force", true);
        }
        match request.done().await {
            Err(error) if !error.is_not_found() => {
                Err(in_use(error, self.forces).while_doing(format!("delete {} `{id}`", self.noun)))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn gone(&self, id: &str) -> ProviderError {
        ProviderError::new(ErrorKind::NotFound, format!("{} `{id}` is gone", self.noun))
    }
}

/// A denial that no privilege lifts.
fn not_bound(error: ProviderError) -> ProviderError {
    if error.message.contains("not accessible in current workspace") {
        return error.hint("it is isolated and not bound to this workspace: an owner can bind it, from any workspace");
    }
    error
}

/// `INVALID_STATE` is what the service says of an object that is still used: waiting alone does not help then.
fn in_use(mut error: ProviderError, forcible: bool) -> ProviderError {
    let words = ["dependent", "not empty", "use force option"];
    if !words.iter().any(|words| error.message.contains(words)) {
        return error;
    }
    error.kind = ErrorKind::Conflict;
    error.hint("delete or change what uses it or is in it first").needing_force(forcible)
}

/// Full names of tables or volumes by their catalog and schema.
pub(super) fn by_parent<'n>(names: impl Iterator<Item = &'n str>) -> BTreeMap<(&'n str, &'n str), BTreeSet<&'n str>> {
    let mut parents: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
    for name in names {
        if let Some(parent) = name.rsplit_once('.').and_then(|(parent, _)| parent.split_once('.')) {
            parents.entry(parent).or_default().insert(name);
        }
    }
    parents
}

/// Text that the service may keep empty instead of unset.
pub(super) fn set_text(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Properties that the service may keep empty instead of unset, without those that it adds by itself.
pub(super) fn set_properties(
    properties: Option<BTreeMap<String, String>>,
    is_ours: impl Fn(&str) -> bool,
) -> Option<BTreeMap<String, String>> {
    let ours: BTreeMap<_, _> = properties?.into_iter().filter(|(key, _)| is_ours(key)).collect();
    (!ours.is_empty()).then_some(ours)
}

/// Names are kept in lower case.
pub(super) fn lower(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.to_lowercase()),
        other => other,
    }
}

/// A place in a cloud is the same with and without a `/` at its end.
pub(super) fn place(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.trim_end_matches('/').to_owned()),
        other => other,
    }
}

/// What is wrong with the name of a new object, as far as it is known.
pub(super) fn name_problems(inputs: &Value) -> Vec<(String, String)> {
    let Some(name) = inputs["name"].as_str() else { return Vec::new() };
    let wrong = |c: char| matches!(c, '.' | '/' | ' ') || c.is_control();
    let problem = if name.is_empty() {
        "is empty"
    } else if name.chars().count() > 255 {
        "is longer than 255 characters"
    } else if name.contains(wrong) {
        "holds a full stop, a slash, a space or a control character"
    } else {
        return Vec::new();
    };
    vec![("name".to_owned(), format!("{problem} (`{name}`)"))]
}
