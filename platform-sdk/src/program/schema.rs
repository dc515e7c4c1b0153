//! The facts about a resource type that its derive writes down: fields, marks, outputs, identity.

use std::{fmt, time::Duration};

use serde_json::Value;

use crate::desired::Tree;

/// Everything static that the engine knows of a resource type.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// `databricks:Catalog`, the first part of addresses.
    pub type_name: &'static str,
    /// Names that the type had before, under which state may know its objects.
    pub formerly: &'static [&'static str],
    /// The kind of provider that manages it: `databricks.workspace`.
    pub provider: &'static str,
    /// What its identity is relative to: a key of the provider's identity such as `metastore`, `workspace`, `account`.
    /// Empty: the whole world.
    pub scope: &'static str,
    /// Whether an object with these inputs holds data that a delete destroys. `None`: none of them does.
    pub data: Option<fn(&Value) -> bool>,
    /// Schema version of the inputs in state.
    pub version: u32,
    /// How an object whose create was not answered is recognised.
    pub identity: Identity,
    /// How long reads and lists may lag behind what happened: that something is not found counts only after it.
    pub consistency: Duration,
    /// Applies wait until it is ready, unless told otherwise.
    pub waits: bool,
    /// Its price while it exists, for the plan's cost line: `"runs until it is stopped"`. `None`: costs nothing by itself.
    pub compute: Option<&'static str>,
    /// What an update in place of the fields of these names, to these inputs, does beside it, for the plan:
    /// `"restarts it"`.
    pub effect: Option<fn(&[&str], &Tree) -> Option<&'static str>>,
    /// The inputs.
    pub fields: fn() -> &'static [Field],
    /// The outputs; one of them is `id`.
    pub outputs: &'static [OutputField],
    /// Brings inputs of an older schema version, which comes first, to this one. Fields that refer to other resources keep
    /// their names.
    pub migrate: Option<fn(u32, Tree) -> Result<Tree, String>>,
    /// Checks inputs beyond types, before a plan: `(path, what is wrong)`. What is not known yet is null there;
    /// what is not set is absent.
    pub validate: Option<fn(&Value) -> Vec<(String, String)>>,
}

impl Schema {
    /// The input fields.
    pub fn fields(&self) -> &'static [Field] {
        (self.fields)()
    }

    /// Whether an object with these inputs holds data that a delete destroys; what is not known is taken for it.
    pub fn holds_data(&self, inputs: &Tree) -> bool {
        self.data.is_some_and(|data| inputs.plain().is_none_or(|inputs| data(&inputs)))
    }

    /// The field with this name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields().iter().find(|field| field.name == name)
    }

    /// The output with this name.
    pub fn output(&self, name: &str) -> Option<&'static OutputField> {
        self.outputs.iter().find(|output| output.name == name)
    }
}

/// How an object is recognised as ours after a create whose answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// By its natural key: the fields marked `key`.
    Key,
    /// By a mark that the create wrote into this field.
    Mark(&'static str),
    /// By its absence from the list before, and its creation time and creator after.
    ListDifference,
}

/// What deleting a parent does to this resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnParentDelete {
    /// It goes too.
    Cascades,
    /// The parent's delete is refused while it is there.
    Refuses,
}

/// What a field says about who may do what with the object: plans warn before they lock their own caller out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Names the principal that owns the object.
    Owner,
    /// Names the principal that this resource gives privileges to.
    Grantee,
}

/// What it means that a field is not set.
#[derive(Clone, Copy)]
pub enum Unset {
    /// It can't be: `new` takes it.
    Never,
    /// It has this value.
    Default(fn() -> Value),
    /// Whatever the server chose; never a change.
    Computed,
    /// It is sent as null.
    Nullable,
    /// Its change replaces the resource, so leaving it out is a value of its own.
    Replaces,
}

impl fmt::Debug for Unset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("Never"),
            Self::Default(value) => write!(f, "Default({})", value()),
            Self::Computed => f.write_str("Computed"),
            Self::Nullable => f.write_str("Nullable"),
            Self::Replaces => f.write_str("Replaces"),
        }
    }
}

/// Whether the order of a list is a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListOrder {
    /// It is.
    Sequence,
    /// Elements are matched by this field of theirs.
    KeyedBy(&'static str),
    /// Elements are matched by equality.
    Set,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// A plain value, compared whole when it is a list or a map of plain values, key by key when it is a map.
    Leaf,
    /// A nested struct.
    Block(fn() -> &'static [Field]),
    /// A list of nested structs.
    Blocks(fn() -> &'static [Field]),
    /// A map from text to nested structs.
    BlockMap(fn() -> &'static [Field]),
}

/// What a `judge` says about a change of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Judgement {
    /// Can be changed in place.
    InPlace,
    /// Can be changed in place, but destroys data.
    LosesData,
    /// Needs a new object.
    Replace,
}

/// The marks of one input field.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is one mark of its own")]
pub struct Field {
    /// Its name, as in Rust and in state.
    pub name: &'static str,
    /// Its Rust type without stage and option, as its declaration writes it: `String`, `Id<Catalog>`, `Column`. Lets
    /// `import` print the Rust for what it found.
    pub rust_type: &'static str,
    /// The names of that type, or of its elements, where a service fixes them: as it writes each, and as Rust does.
    pub names: &'static [(&'static str, &'static str)],
    /// What it holds.
    pub shape: Shape,
    /// What leaving it out means.
    pub unset: Unset,
    /// Part of the natural key.
    pub key: bool,
    /// A change of this key is an in-place update that re-identifies what lies under it.
    pub renames: bool,
    /// This resource lives inside the one referred to.
    pub parent: Option<OnParentDelete>,
    /// While this refers to a resource, that one can't be deleted.
    pub holds: bool,
    /// While others use the object, its change is refused unless it is forced.
    pub forcible: bool,
    /// How the resource is reached; never a diff.
    pub via: bool,
    /// Can't be changed in place.
    pub replace: bool,
    /// Encrypted and redacted.
    pub secret: bool,
    /// Never returned by the server.
    pub write_only: bool,
    /// While it is not set, the service changes it by itself or does not always show it: what stands there tells of nobody's
    /// doing.
    pub volatile: bool,
    /// Whether list order matters.
    pub order: ListOrder,
    /// Applied to both sides before they are compared.
    pub normalize: Option<fn(Value) -> Value>,
    /// Decides where a mark can't tell.
    pub judge: Option<fn(&str, &Value, &Value) -> Judgement>,
    /// It names a principal, and what that one has.
    pub access: Option<Access>,
    /// The field beside it whose object, where there is one, fills in what the program leaves out of this: neither its
    /// default nor an addition is a change then.
    pub filled_by: Option<&'static str>,
}

impl Field {
    /// Whether it only goes along with what another field stands for, as a notebook's content with its hash: never
    /// compared, never returned.
    pub const fn is_sent_along(&self) -> bool {
        self.via && self.write_only
    }

    /// Whether another object fills in what the program leaves out of it; `is_set` tells of the fields beside it.
    pub fn is_filled(&self, is_set: impl FnOnce(&str) -> bool) -> bool {
        self.filled_by.is_some_and(is_set)
    }

    /// A plain optional field that the server may choose; derives set what differs.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            rust_type: "",
            names: &[],
            shape: Shape::Leaf,
            unset: Unset::Computed,
            key: false,
            renames: false,
            parent: None,
            holds: false,
            forcible: false,
            via: false,
            replace: false,
            secret: false,
            write_only: false,
            volatile: false,
            order: ListOrder::Sequence,
            normalize: None,
            judge: None,
            access: None,
            filled_by: None,
        }
    }
}

/// One output.
#[derive(Debug, Clone, Copy)]
pub struct OutputField {
    /// Its name.
    pub name: &'static str,
    /// The inputs whose update may change it. Empty: it survives every update.
    pub from: &'static [&'static str],
    /// The inputs that it is made of, normalized: `{catalog}.{name}`. A plan knows it before there is an object. `None`: only
    /// the service knows it.
    pub is: Option<&'static str>,
    /// No two objects have the same, not even one after the other: with another one, it is another object.
    pub unique: bool,
    /// It is secret.
    pub secret: bool,
}
