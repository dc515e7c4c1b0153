//! Lists that come in pages: by `next_page_token`, or by position (SCIM).

use std::fmt::Display;

use platform_sdk::provider::{ErrorKind, ProviderError, ProviderResult};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::http::Client;
use super::request::Request;
use super::walk::Walk;

/// Unity Catalog's lists: only with `max_results=0` do they page, at the size that suits the server.
const UNITY_CATALOG: &str = "/api/2.1/unity-catalog/";
/// How many SCIM entries are asked for at once.
const SCIM_COUNT: u64 = 100;

/// A list that is read page by page.
#[must_use = "a list is not read until it is asked for"]
pub struct Pages {
    first: Request,
    path: String,
    items_key: &'static str,
    by: By,
    walk: Walk,
}

/// How the next page is asked for.
enum By {
    Token { next: Option<String> },
    Position { start: u64, last_page: Vec<Value> },
    End,
}

impl Pages {
    pub(super) fn by_token(client: &Client, path: String, items_key: &'static str) -> Self {
        let mut first = client.get(path.clone());
        if format!("/{}", path.trim_start_matches('/')).starts_with(UNITY_CATALOG) {
            first = first.query("max_results", 0);
        }
        Self { first, path, items_key, by: By::Token { next: None }, walk: Walk::default() }
    }

    pub(super) fn by_position(client: &Client, path: String) -> Self {
        let first = client.get(path.clone());
        let by = By::Position { start: 1, last_page: Vec::new() };
        Self { first, path, items_key: "Resources", by, walk: Walk::default() }
    }

    /// Adds a query parameter to each page's request.
    pub fn query(mut self, name: impl Into<String>, value: impl Display) -> Self {
        self.first = self.first.query(name, value);
        self
    }

    /// All items of all pages.
    ///
    /// # Errors
    /// As any request; and `Failed` when the server sends pages in a circle, or without an end.
    pub async fn all<T: DeserializeOwned>(mut self) -> ProviderResult<Vec<T>> {
        let mut all = Vec::new();
        while let Some(page) = self.next_page().await? {
            all.extend(page);
        }
        Ok(all)
    }

    /// The items that are wanted, so many of them, as far as listing finds them in fewer requests than asking for each:
    /// pages are read until all are found, and at most half as many as there are wanted items.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub async fn wanted<T: DeserializeOwned>(
        mut self,
        count: usize,
        is_wanted: impl Fn(&T) -> bool,
    ) -> ProviderResult<Vec<T>> {
        let mut found = Vec::new();
        let mut pages = count / 2;
        while pages > 0
            && found.len() < count
            && let Some(page) = self.next_page::<T>().await?
        {
            found.extend(page.into_iter().filter(&is_wanted));
            pages -= 1;
        }
        Ok(found)
    }

    /// The next page, which may be empty; `None` after the last one.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub async fn next_page<T: DeserializeOwned>(&mut self) -> ProviderResult<Option<Vec<T>>> {
        let request = match &self.by {
            By::End => return Ok(None),
            By::Token { next: None } => self.first.clone(),
            By::Token { next: Some(token) } => self.first.clone().query("page_token", token),
            By::Position { start, .. } => self.first.clone().query("startIndex", start).query("count", SCIM_COUNT),
        };
        let (mut answer, whole) = request.send_whole::<Value>().await?;
        let items = match answer.get_mut(self.items_key).map(Value::take) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(self.broken(&format!("`{}` is no list", self.items_key))),
        };
        self.walk.page(items.len(), whole.body.len()).map_err(|wrong| self.broken(&wrong))?;
        self.advance(&answer, &items)?;
        let parsed = items.into_iter().map(serde_json::from_value).collect::<Result<_, _>>();
        // Serde's own words may quote a value, and a value may be a secret.
        parsed.map(Some).map_err(|_| self.broken("an item is not understood"))
    }

    fn advance(&mut self, answer: &Value, items: &[Value]) -> ProviderResult<()> {
        let by = std::mem::replace(&mut self.by, By::End);
        self.by = match by {
            By::End => By::End,
            By::Token { .. } => match self.walk.next(answer).map_err(|wrong| self.broken(&wrong))? {
                None => By::End,
                next => By::Token { next },
            },
            By::Position { .. } if items.is_empty() => By::End,
            By::Position { last_page, .. } if last_page == items => {
                return Err(self.broken("the server sends the same page twice"));
            }
            By::Position { start, .. } => {
                let next = start.saturating_add(items.len() as u64);
                let total = answer["totalResults"].as_u64().unwrap_or(u64::MAX);
                if next > total { By::End } else { By::Position { start: next, last_page: items.to_vec() } }
            }
        };
        Ok(())
    }

    fn broken(&self, what: &str) -> ProviderError {
        ProviderError::new(ErrorKind::Failed { replace: false }, format!("cannot list {}: {what}", self.path))
    }
}

#[cfg(test)]
#[path = "paging_tests.rs"]
mod tests;
