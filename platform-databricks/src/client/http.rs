//! The client: one login, one connection pool, requests that are built, sent, repeated where that is safe, and read.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use platform_sdk::provider::{ErrorKind, ProviderError, ProviderResult};
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::errors::{Asked, decode};
use super::limiter::Limiter;
use super::options::ClientOptions;
use super::paging::Pages;
use super::path::{flaw, segment};
use super::retry::{Backoff, Class, Fault};
use super::transport::{Answer, Lost, Transport, exchange};
use crate::auth::{Credential, Login, LoginError};

/// A client of one workspace, or of the account. Cheap to clone; clones share connections, token and pace.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    login: Login,
    /// The credential and the host in words, for errors.
    described: String,
    host: String,
    transport: Transport,
    credential: Credential,
    limiter: Limiter,
    options: ClientOptions,
}

impl Client {
    /// A client for this login. Makes no request.
    ///
    /// # Errors
    /// When the machine's TLS roots can't be read.
    pub fn new(login: Login, options: ClientOptions) -> ProviderResult<Self> {
        let transport = Transport::new(&login.host, options.request_timeout)?;
        Ok(Self(Arc::new(Shared {
            described: login.describe(),
            host: login.host.to_string(),
            transport,
            credential: Credential::new(&login),
            limiter: Limiter::new(),
            options,
            login,
        })))
    }

    /// The same credentials on another workspace, for instance one that this very run created.
    ///
    /// # Errors
    /// When `host` is no address.
    pub fn for_workspace(&self, host: &str, workspace_id: impl Into<String>) -> ProviderResult<Self> {
        let login = self.0.login.for_workspace(host, workspace_id).map_err(LoginError::from)?;
        Self::new(login, self.0.options.clone())
    }

    /// The login that the client was made with.
    pub fn login(&self) -> &Login {
        &self.0.login
    }

    /// Reads.
    pub fn get(&self, path: impl Into<String>) -> Request {
        self.request(Method::GET, path)
    }

    /// Creates, or acts. Not repeated when the answer is lost, unless declared `safe_to_repeat`.
    pub fn post(&self, path: impl Into<String>) -> Request {
        self.request(Method::POST, path)
    }

    /// Replaces.
    pub fn put(&self, path: impl Into<String>) -> Request {
        self.request(Method::PUT, path)
    }

    /// Changes.
    pub fn patch(&self, path: impl Into<String>) -> Request {
        self.request(Method::PATCH, path)
    }

    /// Deletes.
    pub fn delete(&self, path: impl Into<String>) -> Request {
        self.request(Method::DELETE, path)
    }

    /// A list that comes in pages; `items_key` is the answer's field that holds a page's items.
    pub fn pages(&self, path: impl Into<String>, items_key: &'static str) -> Pages {
        Pages::by_token(self.clone(), path.into(), items_key)
    }

    /// A SCIM list (users, groups, service principals), which pages by position.
    pub fn scim_pages(&self, path: impl Into<String>) -> Pages {
        Pages::by_position(self.clone(), path.into())
    }

    /// The path of an account-level collection: `workspaces` is `/api/2.0/accounts/{account_id}/workspaces`.
    ///
    /// # Errors
    /// `Invalid` when the login has no account id.
    pub fn account_path(&self, collection: &str) -> ProviderResult<String> {
        let Some(id) = &self.0.login.account_id else {
            return Err(ProviderError::new(
                ErrorKind::Invalid { field: Some("account_id".to_owned()) },
                format!("`{collection}` belong to a Databricks account, and no account id is known"),
            )
            .hint(
                "set `DATABRICKS_ACCOUNT_ID`, or `account_id` in the profile; the account console shows it in its menu",
            ));
        };
        Ok(format!("/api/2.0/accounts/{}/{}", segment(id), collection.trim_start_matches('/')))
    }

    fn request(&self, method: Method, path: impl Into<String>) -> Request {
        let path: String = path.into();
        let path = if path.starts_with('/') { path } else { format!("/{path}") };
        let safe_to_repeat = method != Method::POST;
        Request { client: self.clone(), method, path, query: Vec::new(), body: None, safe_to_repeat }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("login", &self.0.login).field("options", &self.0.options).finish_non_exhaustive()
    }
}

/// A request that is being put together. Nothing leaves before [`send`](Self::send) or [`done`](Self::done).
#[derive(Clone)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    client: Client,
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Value>,
    safe_to_repeat: bool,
}

impl Request {
    /// Adds a query parameter; repeatable.
    pub fn query(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// Sets the JSON body.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        self.body = Some(serde_json::to_value(body).expect("bodies are structs and maps with text keys"));
        self
    }

    /// Whether doing it twice does no more than doing it once. True for all but POST unless set.
    pub fn safe_to_repeat(mut self, safe: bool) -> Self {
        self.safe_to_repeat = safe;
        self
    }

    /// Sends it and reads the answer's body. An empty body reads as `{}`.
    ///
    /// # Errors
    /// Classified as the contract asks: see [`ErrorKind`]. `Ambiguous` when it may have had its effect.
    pub async fn send<T: DeserializeOwned>(self) -> ProviderResult<T> {
        let (value, _) = self.send_whole().await?;
        Ok(value)
    }

    /// Sends it where the answer's body is of no interest.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn done(self) -> ProviderResult<()> {
        self.answer().await.map(drop)
    }

    /// The body together with the answer around it.
    pub(super) async fn send_whole<T: DeserializeOwned>(self) -> ProviderResult<(T, Answer)> {
        let request = self.clone();
        let answer = self.answer().await?;
        let body = if answer.body.trim().is_empty() { "{}" } else { &answer.body };
        match serde_json::from_str(body) {
            Ok(value) => Ok((value, answer)),
            Err(error) => Err(request.not_understood(&error)),
        }
    }

    async fn answer(self) -> ProviderResult<Answer> {
        if let Some(flaw) = flaw(&self.path) {
            let message = format!("`{}` can't be asked for: {flaw}", self.path);
            return Err(ProviderError::new(ErrorKind::Invalid { field: None }, message));
        }
        let mut backoff = Backoff::new(&self.client.0.options);
        loop {
            match self.attempt().await {
                Ok(answer) => return Ok(answer),
                Err(fault) => backoff.pause(fault).await?,
            }
        }
    }

    /// One try; a second one at once when a token that was still thought good is refused.
    async fn attempt(&self) -> Result<Answer, Fault> {
        let shared = &self.client.0;
        shared.limiter.turn().await;
        let (mut answer, mut token) = self.exchange().await?;
        if answer.status == 401 && shared.credential.renew(&token).await {
            (answer, token) = self.exchange().await?;
        }
        if answer.is_success() && !answer.is_html() && !is_cut_off(&answer) {
            shared.limiter.answered();
            return Ok(answer);
        }
        if answer.is_success() && !answer.is_html() {
            let message = format!("the answer to {} {} is cut off or garbled{}", self.method, self.path, self.effect());
            let error = ProviderError::new(self.asked().kind_when_unknown(), message);
            return Err(Fault { error, again: self.asked().again_if_safe(), after: None });
        }
        // A service may quote what it was sent.
        answer.body = shared.credential.scrub(answer.body, &token);
        let fault = decode(&self.asked(), &answer);
        if fault.again == Some(Class::Throttled) {
            shared.limiter.slower();
        }
        Err(fault)
    }

    /// Sends once with the token that it hands back.
    async fn exchange(&self) -> Result<(Answer, String), Fault> {
        let shared = &self.client.0;
        let token = shared.credential.token(&shared.transport, &shared.options).await.map_err(Fault::last)?;
        let Some(url) = shared.login.host.at(&self.path) else {
            let message = format!("`{}` can't be asked for: it is no path below the host", self.path);
            return Err(Fault::last(ProviderError::new(ErrorKind::Invalid { field: None }, message)));
        };
        let mut request = shared.transport.request(self.method.clone(), url).bearer_auth(&token);
        if !self.query.is_empty() {
            request = request.query(&self.query);
        }
        if let (Some(id), false) = (&shared.login.workspace_id, is_account_path(&self.path)) {
            request = request.header("X-Databricks-Org-Id", id);
        }
        if let Some(body) = &self.body {
            request = request.json(body);
        }
        if let Some(tap) = &shared.options.tap {
            tap(self.method.as_str(), &self.path, &self.query, self.body.as_ref());
        }
        let start = Instant::now();
        let outcome = exchange(request).await;
        let status = outcome.as_ref().map_or(0, |answer| answer.status);
        let ms = start.elapsed().as_millis();
        tracing::debug!(method = %self.method, path = %self.path, status, ms, "request");
        outcome.map(|answer| (answer, token)).map_err(|lost| lost_fault(lost, &self.asked(), self.effect()))
    }

    fn asked(&self) -> Asked<'_> {
        let shared = &self.client.0;
        Asked {
            method: self.method.as_str(),
            path: &self.path,
            changes: self.method != Method::GET,
            safe_to_repeat: self.safe_to_repeat,
            host: &shared.host,
            login: &shared.described,
        }
    }

    fn effect(&self) -> &'static str {
        if self.method == Method::GET { "" } else { "; it may have been carried out" }
    }

    fn not_understood(&self, error: &serde_json::Error) -> ProviderError {
        // Serde quotes the value that it did not expect, which may be a secret: only a field's name is shown.
        let text = error.to_string();
        let what = match text.split(" at line ").next() {
            Some(missing) if missing.starts_with("missing field") => missing.to_owned(),
            _ => format!("unexpected value at line {}, column {}", error.line(), error.column()),
        };
        let message = format!("the answer to {} {} is not understood: {what}{}", self.method, self.path, self.effect());
        ProviderError::new(self.asked().kind_when_unknown(), message)
    }
}

/// What no answer means: nothing happened, or nobody knows.
pub(crate) fn lost_fault(lost: Lost, asked: &Asked<'_>, effect: &str) -> Fault {
    match lost {
        Lost::Unsent(cause) => Fault {
            error: ProviderError::new(ErrorKind::Unavailable, format!("cannot connect to {}", asked.host))
                .hint(format!("is {} reachable? check DATABRICKS_HOST", asked.host))
                .caused_by(cause),
            again: Some(Class::Unreachable),
            after: None,
        },
        Lost::Unanswered(cause) => {
            let what =
                if cause.is_timeout() { "no answer in time" } else { "the connection broke before the whole answer" };
            let message = format!("{} {} at {}: {what}{effect}", asked.method, asked.path, asked.host);
            let error = ProviderError::new(asked.kind_when_unknown(), message).caused_by(cause);
            Fault { error, again: asked.again_if_safe(), after: None }
        }
    }
}

/// Whether a success's body is no JSON: cut off by something that hid the cut, or garbled.
fn is_cut_off(answer: &Answer) -> bool {
    let body = answer.body.trim();
    !body.is_empty() && serde_json::from_str::<serde::de::IgnoredAny>(body).is_err()
}

/// Account-level calls are not about a workspace.
fn is_account_path(path: &str) -> bool {
    path.split('/').nth(3) == Some("accounts")
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
