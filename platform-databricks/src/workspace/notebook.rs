//! `Notebook`: a notebook of the workspace, from a local file.
//! <https://docs.databricks.com/api/workspace/workspace>
//!
//! - What differs is a hash of what it says; the content itself travels beside it and is in no plan.
//! - An export gives back other text than was imported: the hash looks through that. The source is asked for only when
//!   the service says that the notebook was modified since.
//! - Folders above it must be there; those that a create made go with it, as far as they are empty then.
//! - An import takes 10 MB at most.

use std::{collections::BTreeMap, path::Path};

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use platform_sdk::{
    Declared, Diagnostic, Handle, Id, Input, IntoInput, Output, Resolved, Stage, ToExpr,
    derive::{Outputs, Resource},
    files,
    provider::{
        Change, Context, ErrorKind, Existing, Found, Made, Manage, Observed, ProviderError, ProviderResult, Read,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    folders,
    source::{Language, NotebookFormat, content_hash, kind_of},
};
use crate::{
    WorkspaceProvider,
    client::{Client, Outcome},
};

// declare

/// A notebook, made with [`Notebook::from_file`] or [`Notebook::from_source`].
#[derive(Resource)]
#[resource(
    type = "databricks:Notebook",
    outputs = NotebookOutputs,
    provider = WorkspaceProvider,
    scope = "workspace",
    identity = key,
    validate = flaws
)]
pub struct Notebook<S: Stage = Declared> {
    /// Where it is in the workspace: `/Shared/acme/nightly`.
    #[field(required, key, replace)]
    pub path: S::In<String>,
    /// `sha256:...` of what it says, without what an import and an export change.
    #[field(required)]
    pub content_hash: S::In<String>,
    /// What it says.
    #[field(via, write_only)]
    pub content: Option<S::In<String>>,
    /// Its language; a Jupyter notebook says so itself.
    #[field(computed)]
    pub language: Option<S::In<Language>>,
    /// How its content is written down. Default: as source code.
    #[field(default = "SOURCE", write_only)]
    pub format: Option<S::In<NotebookFormat>>,
}

/// Outputs of [`Notebook`].
#[derive(Outputs)]
pub struct NotebookOutputs<S: Stage = Declared> {
    /// Its path, by which tasks find it.
    #[output(is = "{path}")]
    pub id: S::Out<Id<Notebook>>,
    /// The same as text.
    #[output(is = "{path}")]
    pub path: S::Out<String>,
    /// Its number, by which permissions find it.
    pub object_id: S::Out<i64>,
    /// When it was last changed, in milliseconds since 1970.
    #[output(from = "content_hash", from = "language", from = "format")]
    pub modified_at: S::Out<i64>,
    /// The folders that were made for it, the innermost first.
    pub folders: S::Out<Vec<String>>,
}

/// The most that an import takes, in bytes.
const LIMIT: usize = 10 * 1024 * 1024;

impl Notebook {
    /// A notebook with the content of a file, which is read now. The extension says what it is: `.py`, `.sql`, `.scala`,
    /// `.r`, `.ipynb`.
    ///
    /// # Errors
    /// When the file is not there, can't be read, is no notebook, is no text, or is larger than 10 MB.
    pub fn from_file(file: impl AsRef<Path>, path: impl IntoInput<String>) -> platform_sdk::Result<Self> {
        let file = file.as_ref();
        let name = file.display();
        let Some((format, language)) = kind_of(file) else {
            return Err(Diagnostic::error(format!("`{name}` is no notebook"))
                .detail("its extension is none of .py, .sql, .scala, .r and .ipynb")
                .hint("rename the file, or read it in the program and use `Notebook::from_source`")
                .into());
        };
        let unreadable = |error: std::io::Error| {
            Diagnostic::error(format!("notebook file `{name}` can't be read"))
                .detail(error.to_string())
                .hint("notebooks are text in UTF-8; check the file and who may read it")
        };
        let content = files::text(&files::locate(file)?).map_err(unreadable)?;
        if content.len() > LIMIT {
            let size = content.len();
            return Err(Diagnostic::error(format!("notebook file `{name}` is too large"))
                .detail(format!("it has {size} bytes; an import takes {LIMIT} at most"))
                .hint("move data out of it, and clear its results")
                .into());
        }
        let notebook = Self::with_content(path, Input::Value(content)).format(format);
        Ok(Self { language: language.map(Input::Value), ..notebook })
    }

    /// A notebook with this source code, which may be an output.
    pub fn from_source(
        path: impl IntoInput<String>,
        language: impl IntoInput<Language>,
        source: impl IntoInput<String>,
    ) -> Self {
        Self::with_content(path, source.into_input()).language(language)
    }

    fn with_content(path: impl IntoInput<String>, content: Input<String>) -> Self {
        let hash: Input<String> = match &content {
            Input::Value(content) => Input::Value(content_hash(content)),
            Input::Output(content) => Input::Output(content.map(|content: String| content_hash(&content))),
        };
        Self::new(path, hash).content(content)
    }
}

/// Where a task finds its notebook: its handle, an output, or a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NotebookPath(pub String);

platform_sdk::plain_input!(NotebookPath);

impl From<&str> for NotebookPath {
    fn from(path: &str) -> Self {
        Self(path.to_owned())
    }
}

impl IntoInput<NotebookPath> for &str {
    fn into_input(self) -> Input<NotebookPath> {
        Input::Value(NotebookPath(self.to_owned()))
    }
}

impl IntoInput<NotebookPath> for String {
    fn into_input(self) -> Input<NotebookPath> {
        Input::Value(NotebookPath(self))
    }
}

impl IntoInput<NotebookPath> for &Output<String> {
    fn into_input(self) -> Input<NotebookPath> {
        Input::Output(Output::from_expr(self.to_expr()))
    }
}

impl IntoInput<NotebookPath> for Output<String> {
    fn into_input(self) -> Input<NotebookPath> {
        (&self).into_input()
    }
}

impl IntoInput<NotebookPath> for &Handle<Notebook> {
    fn into_input(self) -> Input<NotebookPath> {
        (&self.path).into_input()
    }
}

fn flaws(inputs: &Value) -> Vec<(String, String)> {
    let mut flaws = Vec::new();
    if inputs["path"].as_str().is_some_and(|path| !path.starts_with('/') || path.ends_with('/')) {
        let flaw = format!("is {}: it starts with `/` and ends with the notebook's name", inputs["path"]);
        flaws.push(("path".to_owned(), flaw));
    }
    flaws
}

// manage

const WORKSPACE: &str = "/api/2.0/workspace";

#[async_trait]
impl Manage for Notebook {
    type Client = Client;

    async fn read(client: &Client, existing: &Existing<Self>) -> Read<Self> {
        let what = format!("read notebook `{}`", existing.id);
        let Some(status) = status(client, &existing.id).await.while_doing(&what)? else { return Ok(None) };
        let unmoved = existing.outputs.as_ref().is_some_and(|outputs| outputs.modified_at == status.modified_at);
        let known = existing.inputs.as_ref().filter(|_| unmoved).map(|inputs| inputs.content_hash.clone());
        let hash = match known {
            Some(hash) => hash,
            None => match export(client, existing).await.or_absent().while_doing(&what)? {
                Some(source) => content_hash(&source),
                None => return Ok(None),
            },
        };
        Ok(Some(observed(&status, hash, existing)))
    }

    async fn find(client: &Client, inputs: &Notebook<Resolved>) -> ProviderResult<Vec<Found>> {
        let found = status(client, &inputs.path).await.while_doing(format!("find notebook `{}`", inputs.path))?;
        Ok(found
            .into_iter()
            .map(|status| Found { created_at_ms: status.created_at, ..Found::id(status.path) })
            .collect())
    }

    async fn create(client: &Client, ctx: &Context, inputs: Notebook<Resolved>) -> ProviderResult<Made<Self>> {
        let what = format!("create notebook `{}`", inputs.path);
        let body = body(&inputs, false).while_doing(&what)?;
        let folders = folders::make_above(client, &inputs.path).await.while_doing(&what)?;
        let imported = client.post(format!("{WORKSPACE}/import")).json(&body).done().await;
        if let Err(error) = imported {
            // Folders for nothing; with a notebook in them after all, they stay.
            let _ = folders::remove_empty(client, &folders).await;
            return Err(error.while_doing(&what));
        }
        ctx.created(&inputs.path).await?;
        made(client, &inputs.path, folders).await.while_doing(&what)
    }

    async fn update(client: &Client, _ctx: &Context, change: Change<Self>) -> ProviderResult<Made<Self>> {
        let what = format!("update notebook `{}`", change.id);
        let body = body(&change.after, true).while_doing(&what)?;
        let import = client.post(format!("{WORKSPACE}/import")).json(&body).safe_to_repeat(true);
        import.done().await.while_doing(&what)?;
        made(client, &change.id, change.outputs.folders).await.while_doing(&what)
    }

    async fn delete(client: &Client, _ctx: &Context, existing: Existing<Self>, _force: bool) -> ProviderResult<()> {
        let what = format!("delete notebook `{}`", existing.id);
        let delete = client.post(format!("{WORKSPACE}/delete")).json(&json!({"path": existing.id}));
        delete.safe_to_repeat(true).done().await.or_absent().while_doing(&what)?;
        let folders = existing.outputs.map(|outputs| outputs.folders).unwrap_or_default();
        folders::remove_empty(client, &folders).await.while_doing(&what)
    }
}

/// The notebook at a path; a file or folder there is none.
async fn status(client: &Client, path: &str) -> ProviderResult<Option<Status>> {
    let status = client.get(format!("{WORKSPACE}/get-status")).query("path", path).send::<Status>().await;
    Ok(status.or_absent()?.filter(|status| status.object_type == "NOTEBOOK"))
}

async fn export(client: &Client, existing: &Existing<Notebook>) -> ProviderResult<String> {
    #[derive(Deserialize)]
    struct Exported {
        #[serde(default)]
        content: String,
    }
    let format = existing.inputs.as_ref().and_then(|inputs| inputs.format.clone()).unwrap_or(NotebookFormat::Source);
    let ask = client.get(format!("{WORKSPACE}/export")).query("path", &existing.id).query("format", format);
    let exported: Exported = ask.send().await?;
    let bytes = BASE64_STANDARD
        .decode(exported.content)
        .map_err(|_| ProviderError::new(ErrorKind::Unavailable, "the exported source is not base64"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

async fn made(client: &Client, path: &str, folders: Vec<String>) -> ProviderResult<Made<Notebook>> {
    let status = status(client, path).await?.ok_or_else(|| {
        ProviderError::new(ErrorKind::NotReady { after: None }, "it was imported and is not there yet")
    })?;
    Ok(Made { id: path.to_owned(), outputs: outputs(path, &status, folders) })
}

// translate

/// What is at a path.
#[derive(Deserialize)]
struct Status {
    path: String,
    object_type: String,
    #[serde(default)]
    object_id: i64,
    language: Option<String>,
    created_at: Option<u64>,
    #[serde(default)]
    modified_at: i64,
}

fn body(inputs: &Notebook<Resolved>, overwrite: bool) -> ProviderResult<BTreeMap<&'static str, Value>> {
    let Some(content) = &inputs.content else {
        let message = "its content is not known any more";
        return Err(ProviderError::new(ErrorKind::Invalid { field: Some("content".to_owned()) }, message)
            .hint("make it with `Notebook::from_file` or `Notebook::from_source`"));
    };
    let format = inputs.format.clone().unwrap_or(NotebookFormat::Source);
    let mut body = BTreeMap::from([
        ("path", json!(inputs.path)),
        ("format", json!(format)),
        ("content", json!(BASE64_STANDARD.encode(content))),
        ("overwrite", json!(overwrite)),
    ]);
    if let (Some(language), true) = (&inputs.language, format == NotebookFormat::Source) {
        body.insert("language", json!(language));
    }
    Ok(body)
}

fn outputs(path: &str, status: &Status, folders: Vec<String>) -> NotebookOutputs<Resolved> {
    NotebookOutputs {
        id: Id::new(path),
        path: path.to_owned(),
        object_id: status.object_id,
        modified_at: status.modified_at,
        folders,
    }
}

fn observed(status: &Status, content_hash: String, existing: &Existing<Notebook>) -> Observed<Notebook> {
    let folders = existing.outputs.as_ref().map(|outputs| outputs.folders.clone()).unwrap_or_default();
    let last = existing.inputs.as_ref();
    let inputs = Notebook {
        path: existing.id.clone(),
        content_hash,
        content: last.and_then(|inputs| inputs.content.clone()),
        language: status.language.as_deref().map(Language::from),
        format: last.and_then(|inputs| inputs.format.clone()),
    };
    Observed { id: existing.id.clone(), outputs: outputs(&existing.id, status, folders), inputs, tainted: None }
}

// prove

#[cfg(test)]
#[path = "notebook_tests.rs"]
mod tests;
