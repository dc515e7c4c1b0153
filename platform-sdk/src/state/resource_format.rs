//! A resource as it is written down: version 3. Fields in alphabetical order, defaults left out, to be small and canonical.
//! So are outputs that are an input.

use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Keys, ProviderState, Referred, ResourceState, Status,
    branch::{Branch, Root, Stored, open},
};
use crate::{
    desired::{Address, Addresses, Entries, Name, Tree},
    program::Options,
    report::Diagnostic,
};

/// A resource; `T` is how its trees go: out as [`Branch`], in as [`Stored`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResourceV3<'a, T> {
    /// Direct dependencies; left out when they are what `refs` refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deps: Option<Cow<'a, Addresses>>,
    /// Left out when its outputs name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<Cow<'a, str>>,
    #[serde(rename = "in")]
    inputs: T,
    /// It is not whole because its create did not finish. Since version 4.
    #[serde(default, skip_serializing_if = "is_default")]
    making: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    options: Cow<'a, Options>,
    /// Index of its origin, for all but the first.
    #[serde(default, skip_serializing_if = "is_default")]
    origin: usize,
    #[serde(rename = "out")]
    outputs: T,
    #[serde(default, skip_serializing_if = "Addresses::is_empty")]
    parents: Cow<'a, Addresses>,
    /// Why it is not whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    partial: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Entries::is_empty")]
    refs: Cow<'a, Entries<Referred>>,
    /// Outputs that are an input, and which: left out of `out`. Since version 5.
    #[serde(default, skip_serializing_if = "Entries::is_empty")]
    same: Entries<Name>,
    /// The schema's version, where it is not the first.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    schema: u32,
    /// It was imported, and the program did not declare it yet.
    #[serde(default, skip_serializing_if = "is_default")]
    undeclared: bool,
    /// It is whole, and not known to be ready; `partial` says why. Since version 6.
    #[serde(default, skip_serializing_if = "is_default")]
    unready: bool,
    /// What stood in the fields that the program does not set. Since version 6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unset: Option<Cow<'a, Entries<Name>>>,
}

/// What resources have in common: written once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OriginV1<'a> {
    /// The provider's configuration.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    config: Cow<'a, Value>,
    kind: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Addresses::is_empty")]
    of: Cow<'a, Addresses>,
    /// The scope's name and identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<Cow<'a, (String, String)>>,
}

/// A resource outside of the table of resources.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LooseV3<'a, T> {
    address: Cow<'a, Address>,
    origin: OriginV1<'a>,
    state: ResourceV3<'a, T>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn first() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
fn is_first(version: &u32) -> bool {
    *version == 1
}

/// The id that outputs name; empty where they name none.
fn named(outputs: &Tree) -> &str {
    let Tree::Map(outputs) = outputs else { return "" };
    match outputs.get("id") {
        Some(Tree::Leaf(Value::String(id))) => id,
        _ => "",
    }
}

/// The addresses that references refer to.
fn referred(references: &Entries<Referred>) -> BTreeSet<&Address> {
    references.values().map(|reference| &reference.to).collect()
}

impl<'a> OriginV1<'a> {
    /// Where a resource comes from.
    pub(super) fn of(state: &'a ResourceState) -> Self {
        let ProviderState { kind, config, of } = &*state.provider;
        Self {
            config: Cow::Borrowed(config),
            kind: kind.into(),
            of: Cow::Borrowed(of),
            scope: state.scope.as_ref().map(Cow::Borrowed),
        }
    }

    /// In memory: the provider that its resources share, and their scope.
    pub(super) fn into_origin(self) -> Origin {
        let (kind, config, of) = (self.kind.into_owned(), self.config.into_owned(), self.of.into_owned());
        Origin { provider: ProviderState { kind, config, of }.into(), scope: self.scope.map(Cow::into_owned) }
    }
}

impl<'a> ResourceV3<'a, Branch<'a>> {
    /// A resource on its way out.
    pub(super) fn of(state: &'a ResourceState, origin: usize, keys: &'a Keys) -> Self {
        let implied = state.dependencies.iter().eq(referred(&state.references));
        Self {
            deps: (!implied).then_some(Cow::Borrowed(&state.dependencies)),
            id: (state.id != named(&state.outputs)).then_some(Cow::Borrowed(&state.id)),
            inputs: Branch::sealed(&state.inputs, Root::Inputs(&state.address), keys),
            making: matches!(state.status, Status::Making(_)),
            options: Cow::Borrowed(&state.options),
            origin,
            outputs: Branch::sealed(&state.outputs, Root::Outputs(&state.address), keys).besides(&state.inputs),
            parents: Cow::Borrowed(&state.parents),
            partial: match &state.status {
                Status::Whole | Status::Undeclared => None,
                Status::Partial(reason) | Status::Making(reason) | Status::Unready(reason) => Some(reason.into()),
            },
            refs: Cow::Borrowed(&state.references),
            same: state
                .outputs
                .inputs_among(&state.inputs)
                .map(|(output, input)| (output.clone(), input.clone()))
                .collect(),
            schema: state.schema_version,
            undeclared: state.status == Status::Undeclared,
            unready: matches!(state.status, Status::Unready(_)),
            unset: state.unset.as_ref().map(Cow::Borrowed),
        }
    }
}

/// Where resources come from, in memory.
#[derive(Debug)]
pub(super) struct Origin {
    provider: Arc<ProviderState>,
    scope: Option<(String, String)>,
}

/// A resource that has been read: in memory but for its origin, its secrets and what follows from them.
#[derive(Debug)]
pub(super) struct Unopened {
    /// The index of its origin.
    pub(super) origin: usize,
    /// The outputs that are yet to come from the inputs.
    same: Entries<Name>,
    state: Arc<ResourceState>,
}

impl Unopened {
    /// Its address.
    pub(super) fn into_address(self) -> Address {
        self.state.address.clone()
    }

    /// A resource as it was written down.
    pub(super) fn new(address: Address, wire: ResourceV3<'_, Stored>) -> Self {
        let (inputs, outputs, references) = (wire.inputs.unopened(), wire.outputs.unopened(), wire.refs.into_owned());
        let state = ResourceState {
            address,
            id: wire.id.map_or_else(|| named(&outputs).to_owned(), Cow::into_owned),
            provider: Arc::default(),
            scope: None,
            schema_version: wire.schema,
            inputs,
            dependencies: match wire.deps {
                Some(deps) => deps.into_owned(),
                None => references.values().map(|reference| reference.to.clone()).collect(),
            },
            references,
            outputs,
            parents: wire.parents.into_owned(),
            options: wire.options.into_owned().shared(),
            status: match wire.partial {
                Some(reason) if wire.making => Status::Making(reason.into_owned()),
                Some(reason) if wire.unready => Status::Unready(reason.into_owned()),
                Some(reason) => Status::Partial(reason.into_owned()),
                None if wire.undeclared => Status::Undeclared,
                None => Status::Whole,
            },
            unset: wire.unset.map(Cow::into_owned),
        };
        Self { origin: wire.origin, same: wire.same, state: Arc::new(state) }
    }

    /// The resource with its secrets in clear.
    ///
    /// # Errors
    /// When one can't be opened, and when an output is to be an input that is missing.
    pub(super) fn open(mut self, origin: &Origin, keys: &Keys) -> Result<Arc<ResourceState>, Diagnostic> {
        let state = Arc::make_mut(&mut self.state);
        state.provider = Arc::clone(&origin.provider);
        state.scope.clone_from(&origin.scope);
        open(&mut state.inputs, Root::Inputs(&state.address), keys)?;
        open(&mut state.outputs, Root::Outputs(&state.address), keys)?;
        state.outputs.take_inputs(&state.inputs, &self.same).map_err(|missing| {
            Diagnostic::error(format!("state is damaged: `{}` has no input `{missing}`", state.address))
        })?;
        Ok(self.state)
    }
}

impl<'a> LooseV3<'a, Branch<'a>> {
    /// A resource on its way out.
    pub(super) fn of(state: &'a ResourceState, keys: &'a Keys) -> Self {
        let (address, origin) = (Cow::Borrowed(&state.address), OriginV1::of(state));
        Self { address, origin, state: ResourceV3::of(state, 0, keys) }
    }
}

impl LooseV3<'_, Stored> {
    /// The resource in memory.
    pub(super) fn into_state(self, keys: &Keys) -> Result<ResourceState, Diagnostic> {
        let unopened = Unopened::new(self.address.into_owned(), self.state);
        unopened.open(&self.origin.into_origin(), keys).map(Arc::unwrap_or_clone)
    }
}
