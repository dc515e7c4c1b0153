//! The journal's lines as they are written down: version 4.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};

use super::{
    Effect, Intent, IntentOp, Keys, OpenIntent, Record,
    branch::{Branch, Root, Stored},
    head::FORMAT_VERSION,
    resource_format::LooseV3,
    secrets::KeysV2,
    upgrade,
};
use crate::{
    desired::{Address, Hash, Tree},
    provider::Found,
    report::Diagnostic,
};

/// One line. `T` is how trees go: out as [`Branch`], in as [`Stored`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) enum LineV4<'a, T> {
    /// A run starts to write; what follows belongs to it.
    Begin(BeginV1),
    /// A later run took over: nothing follows.
    Seal(SealV1),
    /// The stack's keys, before the first secret.
    Keys(KeysV2),
    Intent(Box<IntentV4<'a, T>>),
    Created {
        intent: Cow<'a, str>,
        id: Cow<'a, str>,
    },
    Outcome {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        intent: Option<Cow<'a, str>>,
        effects: Vec<EffectV4<'a, T>>,
    },
    Identity(Cow<'a, str>, Cow<'a, str>, Cow<'a, str>),
    Exports(BTreeMap<Cow<'a, str>, T>),
    Lookups(BTreeMap<Cow<'a, Address>, T>),
}

/// Reads one line of a journal of this version.
pub(super) fn read(json: &[u8], version: u32) -> Result<LineV4<'static, Stored>, String> {
    let line = match version {
        FORMAT_VERSION => serde_json::from_slice(json),
        older => upgrade::record(older, serde_json::from_slice(json).map_err(|error| error.to_string())?)
            .map(serde_json::from_value)?,
    };
    line.map_err(|error| error.to_string())
}

/// Whose records follow, and on what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BeginV1 {
    pub(super) at: String,
    /// The snapshot that the records change.
    pub(super) base: Option<Hash>,
    pub(super) by: String,
    pub(super) fence: u64,
    pub(super) project: String,
    pub(super) run: String,
    pub(super) stack: String,
    pub(super) uuid: String,
    pub(super) version: u32,
}

/// Who took over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SealV1 {
    pub(super) fence: u64,
    pub(super) run: String,
    pub(super) version: u32,
}

/// An intent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IntentV4<'a, T> {
    #[serde(default, skip_serializing_if = "is_unknown")]
    at_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "<[Found]>::is_empty")]
    found_before: Cow<'a, [Found]>,
    id: Cow<'a, str>,
    op: OpV1,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pending_delete: bool,
    /// Since version 4.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    replaces: bool,
    target: LooseV3<'a, T>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_unknown(at_ms: &u64) -> bool {
    *at_ms == 0
}

/// An intent that is open in a snapshot.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenV4<'a, T> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created: Option<Cow<'a, str>>,
    intent: IntentV4<'a, T>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OpV1 {
    Create,
    Update,
    Delete,
}

/// An effect.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) enum EffectV4<'a, T> {
    Put(Box<LooseV3<'a, T>>),
    Retire(Cow<'a, Address>),
    Remove(Cow<'a, Address>),
    /// Since version 4.
    End(Box<LooseV3<'a, T>>),
    Deleted(Cow<'a, Address>, Cow<'a, str>),
    Move(Cow<'a, Address>, Cow<'a, Address>),
    Nothing,
}

/// The stack's outputs on their way out.
pub(super) fn exports<'a>(exports: &'a BTreeMap<String, Tree>, keys: &'a Keys) -> BTreeMap<Cow<'a, str>, Branch<'a>> {
    exports.iter().map(|(name, tree)| (name.into(), Branch::sealed(tree, Root::Export(name), keys))).collect()
}

/// The stack's outputs in memory.
pub(super) fn opened_exports(
    exports: BTreeMap<Cow<'_, str>, Stored>,
    keys: &Keys,
) -> Result<BTreeMap<String, Tree>, Diagnostic> {
    let opened = |(name, tree): (Cow<'_, str>, Stored)| {
        let tree = tree.open(Root::Export(&name), keys)?;
        Ok((name.into_owned(), tree))
    };
    exports.into_iter().map(opened).collect()
}

/// What lookups found, on its way out.
pub(super) fn lookups<'a>(
    lookups: &'a BTreeMap<Address, Tree>,
    keys: &'a Keys,
) -> BTreeMap<Cow<'a, Address>, Branch<'a>> {
    let sealed = |(address, tree): (&'a Address, &'a Tree)| {
        (Cow::Borrowed(address), Branch::sealed(tree, Root::Outputs(address), keys))
    };
    lookups.iter().map(sealed).collect()
}

/// What lookups found, in memory.
pub(super) fn opened_lookups(
    lookups: BTreeMap<Cow<'_, Address>, Stored>,
    keys: &Keys,
) -> Result<BTreeMap<Address, Tree>, Diagnostic> {
    let opened = |(address, tree): (Cow<'_, Address>, Stored)| {
        let tree = tree.open(Root::Outputs(&address), keys)?;
        Ok((address.into_owned(), tree))
    };
    lookups.into_iter().map(opened).collect()
}

impl<'a> LineV4<'a, Branch<'a>> {
    /// A record on its way out.
    pub(super) fn of(record: &'a Record, keys: &'a Keys) -> Self {
        match record {
            Record::Intent(intent) => Self::Intent(Box::new(IntentV4::of(intent, keys))),
            Record::Created { intent, id } => Self::Created { intent: intent.into(), id: id.into() },
            Record::Outcome { intent, effects } => Self::Outcome {
                intent: intent.as_ref().map(Cow::from),
                effects: effects.iter().map(|effect| EffectV4::of(effect, keys)).collect(),
            },
            Record::Identity(kind, scope, id) => Self::Identity(kind.into(), scope.into(), id.into()),
            Record::Exports(all) => Self::Exports(exports(all, keys)),
            Record::Lookups(all) => Self::Lookups(lookups(all, keys)),
        }
    }
}

impl LineV4<'_, Stored> {
    /// The record in memory; `None` for a line that is about the journal itself.
    pub(super) fn into_record(self, keys: &Keys) -> Result<Option<Record>, Diagnostic> {
        Ok(Some(match self {
            Self::Begin(_) | Self::Seal(_) | Self::Keys(_) => return Ok(None),
            Self::Intent(intent) => Record::Intent(Box::new(intent.into_intent(keys)?)),
            Self::Created { intent, id } => Record::Created { intent: intent.into_owned(), id: id.into_owned() },
            Self::Outcome { intent, effects } => Record::Outcome {
                intent: intent.map(Cow::into_owned),
                effects: effects.into_iter().map(|effect| effect.into_effect(keys)).collect::<Result<_, _>>()?,
            },
            Self::Identity(kind, scope, id) => Record::Identity(kind.into_owned(), scope.into_owned(), id.into_owned()),
            Self::Exports(all) => Record::Exports(opened_exports(all, keys)?),
            Self::Lookups(all) => Record::Lookups(opened_lookups(all, keys)?),
        }))
    }
}

impl<'a> IntentV4<'a, Branch<'a>> {
    fn of(intent: &'a Intent, keys: &'a Keys) -> Self {
        Self {
            at_ms: intent.at_ms,
            by: intent.by.as_ref().map(Cow::from),
            found_before: Cow::Borrowed(&intent.found_before),
            id: (&intent.id).into(),
            op: match intent.op {
                IntentOp::Create => OpV1::Create,
                IntentOp::Update => OpV1::Update,
                IntentOp::Delete => OpV1::Delete,
            },
            pending_delete: intent.pending_delete,
            replaces: intent.replaces,
            target: LooseV3::of(&intent.target, keys),
        }
    }
}

impl IntentV4<'_, Stored> {
    fn into_intent(self, keys: &Keys) -> Result<Intent, Diagnostic> {
        Ok(Intent {
            id: self.id.into_owned(),
            op: match self.op {
                OpV1::Create => IntentOp::Create,
                OpV1::Update => IntentOp::Update,
                OpV1::Delete => IntentOp::Delete,
            },
            target: self.target.into_state(keys)?,
            found_before: self.found_before.into_owned(),
            pending_delete: self.pending_delete,
            replaces: self.replaces,
            at_ms: self.at_ms,
            by: self.by.map(Cow::into_owned),
        })
    }
}

impl<'a> OpenV4<'a, Branch<'a>> {
    /// An open intent on its way out.
    pub(super) fn of(open: &'a OpenIntent, keys: &'a Keys) -> Self {
        Self { created: open.created.as_ref().map(Cow::from), intent: IntentV4::of(&open.intent, keys) }
    }
}

impl OpenV4<'_, Stored> {
    /// The open intent in memory.
    pub(super) fn into_open(self, keys: &Keys) -> Result<OpenIntent, Diagnostic> {
        Ok(OpenIntent { intent: self.intent.into_intent(keys)?, created: self.created.map(Cow::into_owned) })
    }
}

impl<'a> EffectV4<'a, Branch<'a>> {
    fn of(effect: &'a Effect, keys: &'a Keys) -> Self {
        match effect {
            Effect::Put(state) => Self::Put(Box::new(LooseV3::of(state, keys))),
            Effect::Retire(address) => Self::Retire(Cow::Borrowed(address)),
            Effect::Remove(address) => Self::Remove(Cow::Borrowed(address)),
            Effect::End(old) => Self::End(Box::new(LooseV3::of(old, keys))),
            Effect::Deleted(address, id) => Self::Deleted(Cow::Borrowed(address), id.into()),
            Effect::Move(from, to) => Self::Move(Cow::Borrowed(from), Cow::Borrowed(to)),
            Effect::Nothing => Self::Nothing,
        }
    }
}

impl EffectV4<'_, Stored> {
    fn into_effect(self, keys: &Keys) -> Result<Effect, Diagnostic> {
        Ok(match self {
            Self::Put(state) => Effect::put(state.into_state(keys)?),
            Self::Retire(address) => Effect::Retire(address.into_owned()),
            Self::Remove(address) => Effect::Remove(address.into_owned()),
            Self::End(old) => Effect::End(old.into_state(keys)?.into()),
            Self::Deleted(address, id) => Effect::Deleted(address.into_owned(), id.into_owned()),
            Self::Move(from, to) => Effect::Move(from.into_owned(), to.into_owned()),
            Self::Nothing => Effect::Nothing,
        })
    }
}

/// Whether a record holds any secret.
pub(super) fn has_secrets(record: &Record) -> bool {
    match record {
        Record::Intent(intent) => intent.target.has_secrets(),
        Record::Created { .. } | Record::Identity(..) => false,
        Record::Outcome { effects, .. } => effects.iter().any(|effect| match effect {
            Effect::Put(state) | Effect::End(state) => state.has_secrets(),
            Effect::Retire(_) | Effect::Remove(_) | Effect::Deleted(..) | Effect::Move(..) | Effect::Nothing => false,
        }),
        Record::Exports(exports) => exports.values().any(Tree::has_secrets),
        Record::Lookups(lookups) => lookups.values().any(Tree::has_secrets),
    }
}

impl super::ResourceState {
    /// Whether it holds any secret.
    pub(super) fn has_secrets(&self) -> bool {
        self.inputs.has_secrets() || self.outputs.has_secrets()
    }
}
