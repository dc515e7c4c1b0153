//! `import`: takes one existing object into state, and prints the Rust that declares it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    mend::given_back,
    session::{Recovered, Session},
};
use crate::{
    Result,
    cli::{Context, Exit, ImportArguments},
    desired::{Address, Desired, Entries, ProviderKey, Tree, evaluate},
    observe::BUILTIN,
    program::{Field, Options, Schema, Unset},
    provider::{Observation, Request},
    report::{Diagnostic, Event, Observer as _, rust_code, variable},
    state::{Commit, Effect, Lease, ProviderState, Record, ResourceState, Snapshot, Status},
};

/// Adopts an object; the next plan of a program with the printed Rust is empty.
pub(crate) async fn import(context: &Context, arguments: &ImportArguments) -> Result<Exit> {
    let declared = context.declared()?;
    let desired = &declared.desired;
    let session = Session::open(context, &declared).await?;
    let address = &arguments.address;
    let (mut lease, Recovered { mut snapshot, .. }) = session.lease().await?;
    let outcome = take_in(&session, desired, (&mut lease, &mut snapshot), arguments).await;
    let (Taken { schema, state }, commit) = given_back(lease, outcome).await?;
    let code = rust_code(address, schema, &state.inputs, &|field, value| owner(&snapshot, field, value));
    context.printer.text(&format!("imported `{}` as {address}; declare it with:\n\n{code}", state.id));
    context
        .printer
        .object(&json!({"event": "imported", "schema": 1, "address": address, "id": state.id, "rust": code}));
    context.printer.event(&Event::Done {
        ok: true,
        summary: crate::plan::Summary::default(),
        snapshot: commit.snapshot,
    });
    Ok(Exit::Done)
}

/// Reads the object, and records it.
async fn take_in(
    session: &Session<'_>,
    desired: &Desired,
    (lease, snapshot): (&mut Lease, &mut Snapshot),
    arguments: &ImportArguments,
) -> Result<(Taken, Commit)> {
    let address = &arguments.address;
    if snapshot.resources.contains_key(address) {
        return Err(Diagnostic::error(format!("`{address}` is in state already"))
            .hint("`state forget` it first, or import to another address")
            .about(address)
            .into());
    }
    let reading = read(session, desired, snapshot, address, &arguments.id);
    let mut taken = session.context.interrupts.unless_asked(reading).await?;
    taken.state.input_hash = taken.state.inputs.hash(&|value| lease.reading().keys.hmac(value));
    let effect = Effect::put(taken.state.clone());
    lease.journal().append(Record::Outcome { intent: None, effects: vec![effect.clone()] }).await?;
    snapshot.apply(&effect);
    let commit = lease.commit(snapshot).await?;
    Ok((taken, commit))
}

struct Taken {
    schema: &'static Schema,
    state: ResourceState,
}

async fn read(
    session: &Session<'_>,
    desired: &Desired,
    snapshot: &Snapshot,
    address: &Address,
    id: &str,
) -> Result<Taken> {
    let schemas = session.connections.schemas();
    let schema =
        schemas.get(address.type_name()).copied().filter(|schema| schema.provider != BUILTIN).ok_or_else(|| {
            let known: Vec<&str> = schemas.keys().copied().collect();
            Diagnostic::error(format!("no provider of the program knows the type `{}`", address.type_name()))
                .hint(format!("the types are {}", known.join(", ")))
        })?;
    let node = desired.nodes.get(address);
    let key = node.map_or_else(|| ProviderKey::default_of(schema.provider), |node| node.provider.clone());
    let config = desired.providers.get(&key).and_then(|provider| {
        let of = |address: &Address, field: &str| snapshot.resources.get(address)?.outputs.get(field).cloned();
        evaluate(&provider.config, &mut |origin, field| of(&origin.address, field)).plain()
    });
    let config =
        config.ok_or_else(|| Diagnostic::error(format!("the provider `{key}` of `{address}` is not known yet")))?;
    let failed = |error| Diagnostic::of_provider(format!("cannot import `{address}`"), &error).about(address);
    let driver = session.connections.driver(key.kind(), &config, schema.type_name).await.map_err(failed)?;
    let identity = session.connections.identity(key.kind(), &config).await.map_err(failed)?;
    let asked = Request { id: from_url(id), inputs: None, outputs: None };
    let seen = driver.read(&asked).await.map_err(failed)?.ok_or_else(|| {
        Diagnostic::error(format!("there is no {} `{}`", schema.type_name, asked.id))
            .hint("give the id as the service shows it, the natural key, or the object's address in the browser")
            .about(address)
    })?;
    let provider = ProviderState { kind: key.kind().to_owned(), config, of: BTreeSet::default() };
    let scope = identity.get(schema.scope).map(|id| (schema.scope.to_owned(), id.clone()));
    let declared = node.is_some();
    Ok(Taken { schema, state: state(address, schema, seen, provider, scope, declared) })
}

fn state(
    address: &Address,
    schema: &'static Schema,
    seen: Observation,
    provider: ProviderState,
    scope: Option<(String, String)>,
    declared: bool,
) -> ResourceState {
    let inputs = written(schema.fields(), &seen.inputs);
    ResourceState {
        address: address.clone(),
        id: seen.id,
        provider,
        scope,
        schema_version: schema.version,
        input_hash: inputs.hash(&Value::to_string),
        inputs,
        references: Entries::new(),
        outputs: seen.outputs,
        dependencies: BTreeSet::default(),
        parents: BTreeSet::default(),
        // Until the program declares it, nothing deletes it for not being there.
        options: Options { protect: !declared, ..Options::default() },
        status: Status::Whole,
    }
}

/// The observed inputs that the printed Rust sets: what holds its default is left out.
fn written(fields: &[Field], seen: &Tree) -> Tree {
    let Tree::Map(entries) = seen else { return seen.clone() };
    let is_default = |name: &str, value: &Tree| {
        let field = fields.iter().find(|field| field.name == name);
        field.is_some_and(|field| matches!(field.unset, Unset::Default(default) if Tree::from(default()) == *value))
    };
    Tree::Map(
        entries.iter().filter(|(name, value)| !is_default(name, value)).map(|(k, v)| (k.clone(), v.clone())).collect(),
    )
}

/// The variable of a resource of the stack that has this id, for fields that refer to others.
fn owner(snapshot: &Snapshot, field: &Field, value: &Value) -> Option<String> {
    let id = value.as_str().filter(|_| field.parent.is_some() || field.holds)?;
    let owner = snapshot.resources.values().find(|state| state.id == id)?;
    let name = owner.address.path().rsplit('/').next()?;
    Some(format!("&{}", variable(name)))
}

/// The id in an address of the browser: `https://host/jobs/123?o=4` is `123`, `.../explore/data/lake/sales` is
/// `lake.sales`.
fn from_url(text: &str) -> String {
    let Some((_, rest)) = text.split_once("://") else { return text.to_owned() };
    let path = rest.split(['?', '#']).next().unwrap_or(rest);
    let segments: Vec<&str> = path.split('/').skip(1).filter(|segment| !segment.is_empty()).collect();
    match segments.iter().position(|segment| *segment == "data") {
        Some(at) if segments.first() == Some(&"explore") => segments[at + 1..].join("."),
        _ => segments.last().map_or_else(|| text.to_owned(), |last| (*last).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::from_url;

    #[test]
    fn an_id_may_be_given_as_its_address_in_the_browser() {
        assert_eq!(from_url("lake"), "lake");
        assert_eq!(from_url("https://x.cloud.databricks.com/jobs/123?o=4"), "123");
        assert_eq!(from_url("https://x.cloud.databricks.com/explore/data/lake/sales/orders?o=4"), "lake.sales.orders");
    }
}
