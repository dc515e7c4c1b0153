//! The two providers of the yard: the yard itself, and a site that stands in it.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use platform_sdk::{
    Expr, Id, Input, IntoInput, Provider, Resource, Schema, ToExpr,
    provider::{
        Connect, Connection, Connector, Driver, ErrorKind, Login, LookUpDriver, ProviderError, ProviderResult,
        Readiness,
    },
    sandbox::Service,
};
use serde_json::{Value, json};

use super::{
    Chest, House, Leaf, Lock, Room, Sign, Site, Tent, World,
    driver::{Finder, Page},
};

/// The yard, reached over some host.
#[derive(Debug, Clone)]
pub(crate) struct Yard {
    world: World,
    host: String,
    key: Option<&'static str>,
}

impl Yard {
    /// The yard of this world.
    pub(crate) fn of(world: &World) -> Self {
        Self { world: world.clone(), host: "main".to_owned(), key: None }
    }

    /// With the key to it.
    pub(crate) fn key(mut self, key: &'static str) -> Self {
        self.key = Some(key);
        self
    }

    /// Over another host.
    pub(crate) fn over(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }
}

impl Provider for Yard {
    const KIND: &'static str = "yard";

    fn config(&self) -> Expr {
        Expr::Value(json!({"host": self.host}))
    }

    fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(YardConnector { world: self.world.clone(), key: self.key })
    }
}

/// A site of the yard.
#[derive(Debug, Clone)]
pub(crate) struct SiteProvider {
    world: Option<World>,
    site: Input<Id<Site>>,
}

impl SiteProvider {
    /// The site with this id.
    pub(crate) fn new(site: impl IntoInput<Id<Site>>) -> Self {
        Self { world: None, site: site.into_input() }
    }

    /// What a program lists, so that sites can be reached at all.
    pub(crate) fn of(world: &World) -> Self {
        Self { world: Some(world.clone()), ..Self::new(Id::<Site>::new("none")) }
    }
}

impl Provider for SiteProvider {
    const KIND: &'static str = "yard.site";

    fn config(&self) -> Expr {
        Expr::map([("site".into(), self.site.to_expr())])
    }

    fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(SiteConnector { world: self.world.clone() })
    }
}

struct YardConnector {
    world: World,
    key: Option<&'static str>,
}

/// A site that a program names without a world is reached as the listed one is.
struct SiteConnector {
    world: Option<World>,
}

/// An open connection: to the realm that it proved.
struct Open {
    world: World,
    realm: String,
    identity: BTreeMap<String, String>,
    schemas: Vec<&'static Schema>,
}

fn yard_schemas() -> Vec<&'static Schema> {
    vec![
        Chest::schema(),
        House::schema(),
        Leaf::schema(),
        Lock::schema(),
        Room::schema(),
        Sign::schema(),
        Site::schema(),
    ]
}

#[async_trait]
impl Connector for YardConnector {
    fn kind(&self) -> &'static str {
        Yard::KIND
    }

    fn schemas(&self) -> Vec<&'static Schema> {
        yard_schemas()
    }

    async fn connect(&self, config: &Value, _connect: &Connect) -> ProviderResult<Arc<dyn Connection>> {
        let realm = self.world.behind(config["host"].as_str().unwrap_or("main"));
        if !self.world.opens(&realm, self.key) {
            return Err(ProviderError::new(ErrorKind::Denied, format!("yard `{realm}` is locked")));
        }
        let identity = [("yard".to_owned(), realm.clone())].into();
        Ok(Arc::new(Open { world: self.world.clone(), realm, identity, schemas: yard_schemas() }))
    }

    fn check_credentials(&self, _config: &Value, _connect: &Connect) -> ProviderResult<()> {
        Ok(())
    }

    fn sandbox(&self) -> Option<Arc<dyn Service>> {
        None
    }

    fn given_credentials(&self) -> Option<[u8; 32]> {
        let mut digest = [0; 32];
        self.key.map(|key| {
            digest[..key.len()].copy_from_slice(key.as_bytes());
            digest
        })
    }
}

#[async_trait]
impl Connector for SiteConnector {
    fn kind(&self) -> &'static str {
        SiteProvider::KIND
    }

    fn schemas(&self) -> Vec<&'static Schema> {
        vec![Tent::schema()]
    }

    async fn connect(&self, config: &Value, _connect: &Connect) -> ProviderResult<Arc<dyn Connection>> {
        let site = config["site"].as_str().unwrap_or_default().to_owned();
        let world = self.world.clone().expect("the program lists `SiteProvider::of(..)`");
        if !world.has(Site::schema().type_name, &site) || world.readiness(&site) != Readiness::Ready {
            let text = format!("site `{site}` can't be reached");
            return Err(ProviderError::new(ErrorKind::Unavailable, text));
        }
        let identity = [("site".to_owned(), site.clone())].into();
        Ok(Arc::new(Open { world, realm: site, identity, schemas: vec![Tent::schema()] }))
    }

    fn check_credentials(&self, _config: &Value, _connect: &Connect) -> ProviderResult<()> {
        Ok(())
    }

    fn sandbox(&self) -> Option<Arc<dyn Service>> {
        None
    }
}

#[async_trait]
impl Connection for Open {
    async fn identity(&self) -> ProviderResult<BTreeMap<String, String>> {
        self.world.asked_by_login(&self.realm)?;
        Ok(self.identity.clone())
    }

    fn driver(&self, type_name: &str) -> Option<Arc<dyn Driver>> {
        let is_it = |schema: &&&Schema| schema.type_name == type_name || schema.formerly.contains(&type_name);
        let schema = self.schemas.iter().find(is_it)?;
        Some(Arc::new(Page { world: self.world.clone(), realm: self.realm.clone(), schema }))
    }

    fn look_up(&self, type_name: &str) -> Option<Arc<dyn LookUpDriver>> {
        let schema = self.schemas.iter().find(|schema| schema.type_name == type_name)?;
        Some(Arc::new(Finder { world: self.world.clone(), realm: self.realm.clone(), schema }))
    }

    async fn login(&self) -> ProviderResult<Login> {
        Ok(Login::default())
    }
}
