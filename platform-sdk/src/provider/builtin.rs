//! The provider of the SDK's own resources: no service behind it, an outcome is all there is.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use serde_json::Value;

use super::{
    Change, Connect, Connection, Connector, Context, Driver, Drivers, Existing, Found, Login, LookUpDriver, Made,
    Manage, ProviderResult, Read, page::Values,
};
use crate::{
    Id, Resolved, Resource,
    program::{Data, DataOutputs, Schema},
    sandbox::Service,
};

/// Connects to nothing.
#[derive(Debug, Clone, Copy)]
pub struct BuiltinConnector;

/// No connection.
struct Nowhere {
    drivers: Drivers<()>,
}

fn drivers() -> Drivers<()> {
    Drivers::default().with::<Data>()
}

#[async_trait]
impl Connector for BuiltinConnector {
    fn kind(&self) -> &'static str {
        Data::schema().provider
    }

    fn schemas(&self) -> Vec<&'static Schema> {
        drivers().schemas()
    }

    async fn connect(&self, _config: &Value, _connect: &Connect) -> ProviderResult<Arc<dyn Connection>> {
        Ok(Arc::new(Nowhere { drivers: drivers() }))
    }

    fn check_credentials(&self, _config: &Value, _connect: &Connect) -> ProviderResult<()> {
        Ok(())
    }

    fn sandbox(&self) -> Option<Arc<dyn Service>> {
        None
    }
}

#[async_trait]
impl Connection for Nowhere {
    async fn identity(&self) -> ProviderResult<BTreeMap<String, String>> {
        Ok(BTreeMap::new())
    }

    fn driver(&self, type_name: &str) -> Option<Arc<dyn Driver>> {
        self.drivers.driver(type_name, &Arc::new(()))
    }

    fn look_up(&self, _type_name: &str) -> Option<Arc<dyn LookUpDriver>> {
        None
    }

    async fn login(&self) -> ProviderResult<Login> {
        Ok(Login::default())
    }
}

fn outputs(id: &str, inputs: &Data<Resolved>) -> Values<Data> {
    DataOutputs { id: Id::new(id), output: inputs.input.clone() }
}

#[async_trait]
impl Manage for Data {
    type Client = ();

    /// What state says is all there is.
    async fn read(_client: &(), existing: &Existing<Self>) -> Read<Self> {
        let observed = existing.inputs.clone().map(|inputs| super::Observed {
            id: existing.id.clone(),
            outputs: outputs(&existing.id, &inputs),
            inputs,
            tainted: None,
        });
        Ok(observed)
    }

    async fn find(_client: &(), _inputs: &Data<Resolved>) -> ProviderResult<Vec<Found>> {
        Ok(Vec::new())
    }

    async fn create(_client: &(), ctx: &Context, inputs: Data<Resolved>) -> ProviderResult<Made<Self>> {
        let id = ctx.mark().id().rsplit('/').next().unwrap_or_default().to_owned();
        Ok(Made { outputs: outputs(&id, &inputs), id })
    }

    async fn update(_client: &(), _ctx: &Context, change: Change<Self>) -> ProviderResult<Made<Self>> {
        Ok(Made { outputs: outputs(&change.id, &change.after), id: change.id })
    }

    async fn delete(_client: &(), _ctx: &Context, _existing: Existing<Self>, _force: bool) -> ProviderResult<()> {
        Ok(())
    }
}
