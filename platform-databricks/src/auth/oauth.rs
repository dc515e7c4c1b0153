//! OAuth "machine to machine": a service principal's id and secret become tokens that live an hour.
//!
//! The token endpoint is discovered: `/.well-known/databricks-config` may name the OIDC base (best effort), under which
//! `/.well-known/oauth-authorization-server` (RFC 8414) names the endpoint; client credentials by Basic (RFC 6749, 4.4).

use std::time::Duration;

use platform_sdk::provider::{ErrorKind, ProviderError, ProviderResult};
use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::credential::scrub;
use super::login::{Host, Login};
use super::redacted::Redacted;
use crate::client::transport::{Answer, LARGEST_OF_LOGIN, Transport, exchange};
use crate::client::{Asked, Backoff, ClientOptions, Fault, decode, lost};

/// A token is renewed this long before its end, so that none ends on its way.
const MARGIN: Duration = Duration::from_secs(40);

/// No token lives longer, whatever its answer says: clocks can't count on for ever.
const LONGEST_LIFE: Duration = Duration::from_hours(24);

/// The tokens of one service principal: fetched when needed, by one request at a time, kept until shortly before the end.
pub(crate) struct Tokens {
    host: Host,
    account_id: Option<String>,
    client_id: String,
    client_secret: Redacted,
    described: String,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    endpoint: Option<Url>,
    token: Option<(Redacted, Instant)>,
    /// The last failure, for those who were already waiting when it happened.
    failed: Option<(Instant, Failure)>,
}

#[derive(Clone)]
struct Failure {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
}

#[derive(Deserialize)]
struct Server {
    token_endpoint: String,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

impl Tokens {
    pub(super) fn new(login: &Login, client_id: String, client_secret: Redacted) -> Self {
        Self {
            host: login.host.clone(),
            account_id: login.account_id.clone(),
            client_id,
            client_secret,
            described: login.describe(),
            kept: Mutex::default(),
        }
    }

    /// Text without the client's secret in it.
    pub(super) fn scrub(&self, text: String) -> String {
        scrub(text, self.client_secret.expose())
    }

    /// A token that is good for a while. Who comes while one is being fetched waits for that one.
    pub(super) async fn get(&self, transport: &Transport, options: &ClientOptions) -> ProviderResult<String> {
        let asked_at = Instant::now();
        let mut kept = self.kept.lock().await;
        if let Some((token, until)) = &kept.token
            && Instant::now() < *until
        {
            return Ok(token.expose().to_owned());
        }
        if let Some((at, failure)) = &kept.failed
            && *at > asked_at
        {
            let Failure { kind, message, hint } = failure.clone();
            return Err(ProviderError { hint, ..ProviderError::new(kind, message) });
        }
        match self.fetch(&mut kept, transport, options).await {
            Ok(granted) => {
                let lifetime = Duration::from_secs(granted.expires_in).min(LONGEST_LIFE).saturating_sub(MARGIN);
                kept.token = Some((Redacted::new(&granted.access_token), Instant::now() + lifetime));
                Ok(granted.access_token)
            }
            Err(error) => {
                let error = error.while_doing(format_args!("get a token for service principal `{}`", self.client_id));
                let failure =
                    Failure { kind: error.kind.clone(), message: error.message.clone(), hint: error.hint.clone() };
                kept.failed = Some((Instant::now(), failure));
                Err(error)
            }
        }
    }

    /// Drops the token that the service refused, unless a newer one is there already.
    pub(super) async fn forget(&self, refused: &str) {
        let mut kept = self.kept.lock().await;
        if kept.token.as_ref().is_some_and(|(token, _)| token.expose() == refused) {
            kept.token = None;
        }
    }

    async fn fetch(&self, kept: &mut Kept, transport: &Transport, options: &ClientOptions) -> ProviderResult<Granted> {
        let endpoint = match kept.endpoint.clone() {
            Some(endpoint) => endpoint,
            None => kept.endpoint.insert(self.discover(transport, options).await?).clone(),
        };
        let call = || {
            transport
                .post(endpoint.clone())
                .basic_auth(&self.client_id, Some(self.client_secret.expose()))
                .form(&[("grant_type", "client_credentials"), ("scope", "all-apis")])
        };
        let answer = self.ask("POST", endpoint.path(), options, call).await?;
        if answer.is_success() && !answer.is_html() {
            let granted: Granted = understand(&answer, endpoint.path())?;
            // It travels in a header.
            if granted.access_token.is_empty() || !granted.access_token.bytes().all(|byte| byte.is_ascii_graphic()) {
                let message = format!("the token in the answer of {} is none that can be sent", endpoint.path());
                return Err(ProviderError::new(ErrorKind::Failed { replace: false }, message));
            }
            return Ok(granted);
        }
        let error = decode(&self.asked("POST", endpoint.path()), &answer).error;
        // RFC 6749, 5.2: a refused client is 401, or 400 with a code.
        if answer.status == 401 || answer.status == 400 {
            let hint = format!(
                "check the client id and its secret: {}; the secret may be expired, or of another account than {}",
                self.described, self.host
            );
            return Err(ProviderError { kind: ErrorKind::Denied, ..error }.hint(hint));
        }
        Err(error)
    }

    /// The token endpoint.
    async fn discover(&self, transport: &Transport, options: &ClientOptions) -> ProviderResult<Url> {
        let base = match self.configured_base(transport, options).await? {
            Some(base) => base,
            None => self.usual_base()?,
        };
        let url = format!("{}/.well-known/oauth-authorization-server", base.trim_end_matches('/'));
        let url = self.vouched_for(&url, "where it is to be asked for")?;
        let answer = self.ask("GET", url.path(), options, || transport.get(url.clone())).await?;
        if !answer.is_success() || answer.is_html() {
            return Err(decode(&self.asked("GET", url.path()), &answer).error);
        }
        let server: Server = understand(&answer, url.path())?;
        self.vouched_for(&server.token_endpoint, "what it names")
    }

    /// An address that an answer names: believed only where it leads to whom the secret is for.
    fn vouched_for(&self, url: &str, what: &str) -> ProviderResult<Url> {
        let url = Url::parse(url).map_err(|_| self.no_endpoint(&format!("{what} is no address")))?;
        if self.host.vouches_for(&url) {
            return Ok(url);
        }
        let at = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
        Err(self.no_endpoint(&format!(
            "{what} is at {at}, which is neither the host, encrypted, nor its account's console"
        )))
    }

    /// The OIDC base that the host itself names. A host that says nothing about it is asked no further.
    async fn configured_base(&self, transport: &Transport, options: &ClientOptions) -> ProviderResult<Option<String>> {
        let path = "/.well-known/databricks-config";
        let Some(url) = self.host.at(path) else { return Ok(None) };
        let answer = self.ask("GET", path, options, || transport.get(url.clone())).await?;
        let config: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let Some(base) = config["oidc_endpoint"].as_str().filter(|_| answer.is_success()) else { return Ok(None) };
        let account = config["account_id"].as_str().or(self.account_id.as_deref()).unwrap_or_default();
        let base = base.replace("{account_id}", account);
        Ok(Some(if base.starts_with('/') { format!("{}{base}", self.host) } else { base }))
    }

    fn usual_base(&self) -> ProviderResult<String> {
        if !self.host.is_account_console() {
            return Ok(format!("{}/oidc", self.host));
        }
        match &self.account_id {
            Some(id) => Ok(format!("{}/oidc/accounts/{id}", self.host)),
            None => Err(self
                .no_endpoint("the account console needs to know the account")
                .hint("set `DATABRICKS_ACCOUNT_ID`, or `account_id` in the profile")),
        }
    }

    /// Asks until there is an answer, of whatever meaning, or patience ends.
    async fn ask(
        &self,
        method: &str,
        path: &str,
        options: &ClientOptions,
        call: impl Fn() -> reqwest::RequestBuilder,
    ) -> ProviderResult<Answer> {
        let mut backoff = Backoff::new(options);
        loop {
            let fault = match exchange(call(), LARGEST_OF_LOGIN).await {
                Ok(mut answer) if answer.is_success() => {
                    if answer.is_html() {
                        answer.body = self.scrub(answer.body);
                    }
                    return Ok(answer);
                }
                Ok(mut answer) => {
                    tracing::debug!(method, path, status = answer.status, "login refused");
                    // A service may quote what it was sent.
                    answer.body = self.scrub(answer.body);
                    match decode(&self.asked(method, path), &answer) {
                        Fault { again: None, .. } => return Ok(answer),
                        fault => fault,
                    }
                }
                Err(cause) => lost(cause, &self.asked(method, path)),
            };
            backoff.pause(fault).await?;
        }
    }

    fn asked<'a>(&'a self, method: &'a str, path: &'a str) -> Asked<'a> {
        // A token that was issued and lost changes nothing, so nothing here is ever in doubt.
        Asked { method, path, changes: false, safe_to_repeat: true, host: self.host.as_str(), login: &self.described }
    }

    fn no_endpoint(&self, why: &str) -> ProviderError {
        ProviderError::new(ErrorKind::Denied, format!("no token endpoint at {}: {why}", self.host))
            .hint("is DATABRICKS_HOST a workspace address, or the account console's?")
    }
}

/// Reads a success. Its text is never shown: it holds a token.
fn understand<T: DeserializeOwned>(answer: &Answer, path: &str) -> ProviderResult<T> {
    serde_json::from_str(&answer.body)
        .map_err(|_| ProviderError::new(ErrorKind::Unavailable, format!("the answer of {path} is not understood")))
}

#[cfg(test)]
#[path = "oauth_tests.rs"]
mod tests;
