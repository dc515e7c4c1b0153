//! One request: built, sent, repeated where that is safe, and read.

use std::fmt;
use std::time::Instant;

use platform_sdk::provider::{ErrorKind, ProviderError, ProviderResult, changed, waiting};
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::errors::{Asked, decode, lost};
use super::http::Client;
use super::path::flaw;
use super::retry::{Backoff, Class, Fault};
use super::transport::{Answer, LARGEST, exchange};

/// How deep serde_json reads.
const DEEPEST: usize = 127;

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
    happens_later: bool,
}

impl Request {
    pub(super) fn new(client: Client, method: Method, path: String) -> Self {
        let path = if path.starts_with('/') { path } else { format!("/{path}") };
        let safe_to_repeat = method != Method::POST;
        Self { client, method, path, query: Vec::new(), body: None, safe_to_repeat, happens_later: false }
    }

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

    /// What it asks for happens after its answer, if at all: whoever waits for that tells of the change.
    pub fn happens_later(mut self) -> Self {
        self.happens_later = true;
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
    pub(crate) async fn send_whole<T: DeserializeOwned>(self) -> ProviderResult<(T, Answer)> {
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
        waiting("the service asks for fewer requests", shared.pace.turn()).await;
        let (mut answer, mut token) = self.exchange().await?;
        if answer.status == 401 && shared.credential.renew(&token).await {
            (answer, token) = self.exchange().await?;
        }
        if answer.is_success() && !answer.is_html() && self.asked().changes && !self.happens_later {
            changed();
        }
        if answer.is_success() && !answer.is_html() && !is_cut_off(&answer) {
            shared.pace.answered();
            return Ok(answer);
        }
        if answer.is_success() && !answer.is_html() {
            let message =
                format!("the answer to {} {} is cut off or garbled{}", self.method, self.path, self.asked().effect());
            let error = ProviderError::new(self.asked().kind_when_unknown(), message);
            return Err(self.asked().garbled(error));
        }
        // A service may quote what it was sent.
        answer.body = shared.credential.scrub(answer.body, &token);
        let fault = decode(&self.asked(), &answer);
        if fault.again == Some(Class::Throttled) {
            shared.pace.refused();
        } else {
            shared.pace.answered();
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
        let outcome = exchange(request, LARGEST).await;
        let status = outcome.as_ref().map_or(0, |answer| answer.status);
        let ms = start.elapsed().as_millis();
        tracing::debug!(method = %self.method, path = %self.path, status, ms, "request");
        outcome.map(|answer| (answer, token)).map_err(|cause| lost(cause, &self.asked()))
    }

    fn asked(&self) -> Asked<'_> {
        let shared = &self.client.0;
        Asked {
            method: self.method.as_str(),
            path: &self.path,
            changes: self.method != Method::GET,
            safe_to_repeat: self.safe_to_repeat,
            host: shared.login.host.as_str(),
            login: &shared.described,
        }
    }

    fn not_understood(&self, error: &serde_json::Error) -> ProviderError {
        // Serde quotes the value that it did not expect, which may be a secret: only a field's name is shown.
        let text = error.to_string();
        let what = match text.split(" at line ").next() {
            Some("recursion limit exceeded") => {
                let message = format!("the answer to {} {} is nested too deep to be read", self.method, self.path);
                let message = format!("{message}: more than {DEEPEST} levels{}", self.asked().effect());
                return ProviderError::new(self.asked().kind_when_unreadable(), message);
            }
            Some(missing) if missing.starts_with("missing field") => missing.to_owned(),
            _ => format!("unexpected value at line {}, column {}", error.line(), error.column()),
        };
        let message =
            format!("the answer to {} {} is not understood: {what}{}", self.method, self.path, self.asked().effect());
        ProviderError::new(self.asked().kind_when_unknown(), message)
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
