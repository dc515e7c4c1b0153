//! A connector for pages whose client is in the process already: no login, and nothing to configure.

use std::{collections::BTreeMap, fmt, sync::Arc};

use async_trait::async_trait;
use serde_json::Value;

use crate::{
    Provider,
    program::Schema,
    provider::{Connect, Connection, Connector, Driver, Drivers, Login, LookUpDriver, ProviderResult},
    sandbox::Service,
};

/// Every connection of this provider is the same client: what [`Provider::connector`] gives where a test, or a provider of
/// one's own in its beginnings, has pages and what they work on, and no service to log in to.
///
/// ```
/// use std::sync::Arc;
///
/// use platform_sdk::{
///     Expr, Provider,
///     provider::{Connector, Drivers},
///     testing::OneClient,
/// };
///
/// /// What the pages work on.
/// #[derive(Clone)]
/// struct Shelf;
///
/// impl Provider for Shelf {
///     const KIND: &'static str = "shelf";
///
///     fn config(&self) -> Expr {
///         Expr::map([])
///     }
///
///     fn connector(&self) -> Arc<dyn Connector> {
///         // With a line for each page: `Drivers::default().with::<Book>()`.
///         Arc::new(OneClient::of::<Self>(self.clone(), Drivers::default))
///     }
/// }
/// ```
pub struct OneClient<C> {
    kind: &'static str,
    client: Arc<C>,
    drivers: fn() -> Drivers<C>,
    identity: BTreeMap<String, String>,
}

impl<C> OneClient<C> {
    /// The connector of a provider whose pages are these.
    pub fn of<P: Provider>(client: C, drivers: fn() -> Drivers<C>) -> Self {
        Self { kind: P::KIND, client: Arc::new(client), drivers, identity: BTreeMap::new() }
    }

    /// What answers in a scope, as its connections prove it: `("workspace", "123")`.
    pub fn proving(mut self, scope: &str, identity: &str) -> Self {
        self.identity.insert(scope.to_owned(), identity.to_owned());
        self
    }
}

impl<C> fmt::Debug for OneClient<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneClient").field("kind", &self.kind).finish_non_exhaustive()
    }
}

#[async_trait]
impl<C: Send + Sync + 'static> Connector for OneClient<C> {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn schemas(&self) -> Vec<&'static Schema> {
        (self.drivers)().schemas()
    }

    async fn connect(&self, _config: &Value, _connect: &Connect) -> ProviderResult<Arc<dyn Connection>> {
        Ok(Arc::new(Open { client: self.client.clone(), drivers: (self.drivers)(), identity: self.identity.clone() }))
    }

    fn check_credentials(&self, _config: &Value, _connect: &Connect) -> ProviderResult<()> {
        Ok(())
    }

    fn sandbox(&self) -> Option<Arc<dyn Service>> {
        None
    }
}

struct Open<C> {
    client: Arc<C>,
    drivers: Drivers<C>,
    identity: BTreeMap<String, String>,
}

#[async_trait]
impl<C: Send + Sync + 'static> Connection for Open<C> {
    async fn identity(&self) -> ProviderResult<BTreeMap<String, String>> {
        Ok(self.identity.clone())
    }

    fn driver(&self, type_name: &str) -> Option<Arc<dyn Driver>> {
        self.drivers.driver(type_name, &self.client)
    }

    fn look_up(&self, type_name: &str) -> Option<Arc<dyn LookUpDriver>> {
        self.drivers.look_up(type_name, &self.client)
    }

    async fn login(&self) -> ProviderResult<Login> {
        Ok(Login::default())
    }
}
