//! `import`: takes one existing object into state, and prints the Rust that declares it.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::json;

use super::{
    known::{Known, ident, owners, printed},
    leases::given_back,
    session::{Recovered, Session},
};
use crate::{
    Result,
    apply::references,
    cli::{Context, Exit, ImportArguments},
    desired::{
        Address, Addresses, Desired, Entries, Node, Path, ProviderKey, Tree, conceal_fields, conceal_outputs, evaluate,
    },
    observe::BUILTIN,
    plan::{Compared, Verdict, compare},
    program::{Field, Options, Schema, Unset},
    provider::{Driver, Observation, Request},
    report::{Diagnostic, Event, Observer as _, one_line},
    state::{Commit, Effect, Lease, ProviderState, Record, Referred, ResourceState, Snapshot, Status},
};

/// Adopts an object; the next plan of a program with the printed Rust is empty.
pub(crate) async fn import(context: &Context, arguments: &ImportArguments) -> Result<Exit> {
    let declared = context.declared()?;
    let desired = &declared.desired;
    let session = Session::open(context, &declared).await?;
    let address = &arguments.address;
    let (mut lease, recovered) = session.lease().await?;
    let Recovered { snapshot, unsettled } = recovered;
    let mut snapshot = snapshot.into_owned();
    let outcome = match unsettled.get(address) {
        Some(doubt) => Err(doubt.problem.clone().into()),
        None => take_in(&session, desired, (&mut lease, &mut snapshot), arguments).await,
    };
    let (Taken { schema, state }, commit) = given_back(lease, outcome).await?;
    let known = Known { snapshot: &snapshot, lookups: &desired.lookups, references: &state.references };
    let code = printed(address, schema, &state.inputs, &known);
    context.printer.text(&format!("imported `{}` as {address}; declare it with:\n\n", one_line(&state.id)));
    context.printer.data(&code);
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
    let taken = session.context.interrupts.unless_asked(reading).await?;
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
    let asked = Request { id: meant(driver.as_ref(), address, id).await?, inputs: None, outputs: None };
    let seen = driver.read(&asked).await.map_err(failed)?.ok_or_else(|| {
        Diagnostic::error(format!("there is no {} `{}`", schema.type_name, asked.id))
            .hint("give the id as the service shows it, the natural key, or the object's address in the browser")
            .about(address)
    })?;
    let provider = ProviderState { kind: key.kind().to_owned(), config, of: Addresses::new() };
    let scope = identity.get(schema.scope).map(|id| (schema.scope.to_owned(), id.clone()));
    let state = match node {
        Some(node) => declared(node, snapshot, seen, provider, scope),
        None => undeclared(address, schema, snapshot, seen, provider, scope),
    };
    Ok(Taken { schema, state })
}

/// The id of what a person asks for.
async fn meant(driver: &dyn Driver, address: &Address, asked: &str) -> Result<String> {
    let failed = |error| Diagnostic::of_provider(format!("cannot import `{address}`"), &error).about(address);
    let ids = driver.meant(asked).await.map_err(failed)?;
    match ids.as_slice() {
        [id] => Ok(id.clone()),
        [] => Ok(asked.to_owned()),
        several => Err(Diagnostic::error(format!("`{asked}` names {} objects", several.len()))
            .detail(several.join("\n"))
            .hint("import one of them by its id")
            .about(address)
            .into()),
    }
}

/// As the program declares it, so that what is there already is no change. Where the two differ, what is there.
fn declared(
    node: &Node,
    snapshot: &Snapshot,
    seen: Observation,
    provider: ProviderState,
    scope: Option<(String, String)>,
) -> ResourceState {
    let of = |origin: &Address, field: &str| snapshot.resources.get(origin)?.outputs.get(field).cloned();
    let wanted = evaluate(&node.inputs, &mut |origin, field| of(&origin.address, field));
    let wanted = conceal_fields(wanted, node.schema.fields());
    let seen = Observation {
        inputs: seen.inputs.as_secret_as(&wanted),
        outputs: conceal_outputs(seen.outputs, node.schema, &wanted),
        ..seen
    };
    let Compared { inputs, differences, .. } = compare(node, wanted, None, Some(&seen.inputs));
    let differs: BTreeSet<&str> = differences
        .iter()
        .filter(|difference| difference.verdict > Verdict::Released)
        .filter_map(|difference| difference.path.field())
        .collect();
    // What nobody can read is sent once, rather than believed to be there.
    let unread = |name: &str| node.schema.field(name).is_some_and(|field| field.secret && field.write_only);
    let Tree::Map(wanted) = inputs else { return bare(&node.address, node.schema, seen, provider, scope) };
    let taken = wanted.into_iter().filter(|(name, _)| !unread(name)).filter_map(|(name, value)| {
        let there = differs.contains(name.as_str()) || !value.is_known();
        let value = if there { seen.inputs.get(&name).cloned() } else { Some(value) };
        value.map(|value| (name, value))
    });
    let inputs = Tree::Map(taken.collect());
    ResourceState {
        inputs,
        references: references(node),
        dependencies: node.dependencies.clone(),
        parents: node.parents.clone(),
        options: node.options.clone(),
        ..bare(&node.address, node.schema, seen, provider, scope)
    }
}

/// As the printed Rust declares it. Until the program has that, nothing deletes it for not being there.
fn undeclared(
    address: &Address,
    schema: &'static Schema,
    snapshot: &Snapshot,
    seen: Observation,
    provider: ProviderState,
    scope: Option<(String, String)>,
) -> ResourceState {
    let inputs = reached(schema.fields(), snapshot, written(schema.fields(), &seen.inputs));
    let refers = owners(schema.fields(), snapshot, &inputs);
    let parents = refers.iter().filter(|(_, field, _)| field.parent.is_some()).map(|(.., to)| to.clone()).collect();
    let to =
        |(path, _, to): &(Path, &Field, Address)| (path.to_string(), Referred { to: to.clone(), field: "id".into() });
    ResourceState {
        references: refers.iter().map(to).collect(),
        dependencies: refers.iter().map(|(.., to)| to.clone()).collect(),
        parents,
        inputs,
        status: Status::Undeclared,
        ..bare(address, schema, seen, provider, scope)
    }
}

/// What is there, without a program's say in it.
fn bare(
    address: &Address,
    schema: &'static Schema,
    seen: Observation,
    provider: ProviderState,
    scope: Option<(String, String)>,
) -> ResourceState {
    ResourceState {
        address: address.clone(),
        id: seen.id,
        provider: provider.into(),
        scope,
        schema_version: schema.version,
        inputs: seen.inputs,
        references: Entries::new(),
        outputs: seen.outputs,
        dependencies: Addresses::new(),
        parents: Addresses::new(),
        options: Options::none(),
        status: Status::Whole,
        unset: None,
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

/// With what it is reached by, which no service shows: the first resource of the stack that it could be.
fn reached(fields: &[Field], snapshot: &Snapshot, inputs: Tree) -> Tree {
    let Tree::Map(mut entries) = inputs else { return inputs };
    for field in fields.iter().filter(|field| field.via) {
        let fits = |state: &&Arc<ResourceState>| field.rust_type == format!("Id<{}>", ident(&state.address));
        if let Some(state) = snapshot.resources.values().find(fits) {
            entries.insert(field.name.to_owned(), Tree::Leaf(state.id.clone().into()));
        }
    }
    Tree::Map(entries)
}
