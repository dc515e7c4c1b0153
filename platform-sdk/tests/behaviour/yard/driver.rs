//! One driver for every type of the yard: what differs between types is in their schemas.

use async_trait::async_trait;
use platform_sdk::{
    Schema,
    desired::Tree,
    provider::{
        Content, Context, Driver, ErrorKind, Found, LookUpDriver, Observation, ProviderError, ProviderResult,
        Readiness, Request,
    },
};
use serde_json::{Map, Value};

use super::world::{Object, Sent, World};

/// A type of the yard in one realm.
pub(super) struct Page {
    pub(super) world: World,
    pub(super) realm: String,
    pub(super) schema: &'static Schema,
}

/// A type's lookup.
pub(super) struct Finder {
    pub(super) world: World,
    pub(super) realm: String,
    pub(super) schema: &'static Schema,
}

fn fields(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn outputs(schema: &Schema, object: &Object) -> Tree {
    let value = |name: &str| match name {
        "id" => Some(Value::from(object.id.clone())),
        "serial" => Some(Value::from(object.serial.clone())),
        name => object.fields.get(name).cloned(),
    };
    let all = schema.outputs.iter().filter_map(|output| Some((output.name.to_owned(), value(output.name)?)));
    Tree::from(Value::Object(all.collect()))
}

fn observation(schema: &Schema, object: &Object) -> Observation {
    let shown = |name: &str| {
        name != "mark" && schema.field(name).is_some_and(|field| !field.write_only) && object.fields.contains_key(name)
    };
    let inputs = object.fields.iter().filter(|(name, _)| shown(name)).map(|(k, v)| (k.clone(), v.clone()));
    Observation {
        id: object.id.clone(),
        inputs: Tree::from(Value::Object(inputs.collect())),
        outputs: outputs(schema, object),
        tainted: object.tainted.clone(),
    }
}

/// `House`, as calls are named.
fn kind(schema: &Schema) -> &'static str {
    schema.type_name.rsplit(':').next().unwrap_or(schema.type_name)
}

#[async_trait]
impl Driver for Page {
    fn schema(&self) -> &'static Schema {
        self.schema
    }

    async fn read(&self, request: &Request) -> ProviderResult<Option<Observation>> {
        self.world.begin_read();
        // As over a network: others get their turn before the answer is there.
        tokio::task::yield_now().await;
        self.world.end_read();
        self.world.answers(&format!("read {}", request.id)).await;
        let object = self.world.read(&self.realm, self.schema, &request.id)?;
        Ok(object.as_ref().map(|object| observation(self.schema, object)))
    }

    async fn find(&self, inputs: &Value) -> ProviderResult<Vec<Found>> {
        let found = self.world.find(&self.realm, self.schema, &fields(inputs))?;
        Ok(found
            .into_iter()
            .map(|object| Found {
                mark: object.fields.get("mark").and_then(Value::as_str).map(str::to_owned),
                ..Found::id(object.id)
            })
            .collect())
    }

    async fn create(&self, ctx: &Context, inputs: &Value) -> ProviderResult<(String, Tree)> {
        self.world.answers(&format!("create {}", kind(self.schema))).await;
        let mut fields = fields(inputs);
        if self.schema.field("mark").is_some() {
            fields.insert("mark".to_owned(), ctx.mark().id().into());
        }
        let made = self.world.create(&self.realm, self.schema, fields)?;
        Ok((made.id.clone(), outputs(self.schema, &made)))
    }

    async fn update(
        &self,
        ctx: &Context,
        request: &Request,
        after: &Value,
        paths: &[String],
    ) -> ProviderResult<(String, Tree)> {
        self.world.answers(&format!("update {}", kind(self.schema))).await;
        let sent = Sent { fields: fields(after), paths, force: ctx.force() };
        if self.world.renames_only(self.schema) {
            let is_key = |path: &String| self.schema.field(path).is_some_and(|field| field.key);
            let keys: Vec<String> = paths.iter().filter(|path| is_key(path)).cloned().collect();
            let sent = Sent { paths: &keys, ..sent };
            let made = self.world.update(&self.realm, self.schema, &request.id, &sent)?;
            ctx.renamed(&made.id).await?;
            self.world.answers("the rest of an update").await;
            return Err(ProviderError::new(ErrorKind::Denied, format!("update {}: refused halfway", made.id)));
        }
        let made = self.world.update(&self.realm, self.schema, &request.id, &sent)?;
        Ok((made.id.clone(), outputs(self.schema, &made)))
    }

    async fn delete(&self, _ctx: &Context, request: &Request, force: bool) -> ProviderResult<()> {
        self.world.answers(&format!("delete {}", kind(self.schema))).await;
        if self.schema.fields().iter().any(|field| field.via) && request.inputs.is_none() {
            let text = format!("delete {}: its inputs are not known", request.id);
            return Err(ProviderError::new(ErrorKind::Invalid { field: None }, text));
        }
        self.world.delete(&self.realm, self.schema, &request.id, force)
    }

    async fn list(&self, _of: &[Request]) -> ProviderResult<Option<Vec<Observation>>> {
        self.world.answers(&format!("list {}", kind(self.schema))).await;
        let listed = self.world.list(&self.realm, self.schema)?;
        Ok(listed.map(|all| all.iter().map(|object| observation(self.schema, object)).collect()))
    }

    async fn ready(&self, id: &str) -> ProviderResult<Readiness> {
        self.world.answers(&format!("ready {id}")).await;
        Ok(self.world.asked_ready(id))
    }

    async fn contents(&self, id: &str) -> ProviderResult<Vec<Content>> {
        let inside = self.world.inside(&self.realm, self.schema.type_name, id);
        Ok(inside.into_iter().map(|(type_name, id)| Content { type_name, id }).collect())
    }
}

#[async_trait]
impl LookUpDriver for Finder {
    async fn look_up(&self, key: &str) -> ProviderResult<Option<Tree>> {
        let object = self.world.read(&self.realm, self.schema, key)?;
        Ok(object.as_ref().map(|object| outputs(self.schema, object)))
    }
}
