//! The client: one login, one connection pool, one pace; where requests begin.

use std::fmt;
use std::sync::Arc;

use platform_sdk::provider::{ErrorKind, Pace, ProviderError, ProviderResult};
use reqwest::Method;

use super::options::ClientOptions;
use super::paging::Pages;
use super::path::segment;
use super::request::Request;
use super::transport::Transport;
use crate::auth::{Credential, Login};

/// A client of one workspace, or of the account. Cheap to clone; clones share connections, token and pace.
#[derive(Clone)]
pub struct Client(pub(super) Arc<Shared>);

/// What all requests of a client share.
pub(super) struct Shared {
    pub(super) login: Login,
    /// The credential in words, for errors.
    pub(super) described: String,
    pub(super) transport: Transport,
    pub(super) credential: Credential,
    pub(super) pace: Pace,
    pub(super) options: ClientOptions,
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
            transport,
            credential: Credential::new(&login),
            pace: Pace::default(),
            options,
            login,
        })))
    }

    /// The same credentials on another workspace, for instance one that this very run created.
    ///
    /// # Errors
    /// When `host` is no address.
    pub fn for_workspace(&self, host: &str, workspace_id: impl Into<String>) -> ProviderResult<Self> {
        let login = self.0.login.for_workspace(host, workspace_id)?;
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
        Pages::by_token(self, path.into(), items_key)
    }

    /// A SCIM list (users, groups, service principals), which pages by position.
    pub fn scim_pages(&self, path: impl Into<String>) -> Pages {
        Pages::by_position(self, path.into())
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
        Request::new(self.clone(), method, path.into())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("login", &self.0.login).field("options", &self.0.options).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
