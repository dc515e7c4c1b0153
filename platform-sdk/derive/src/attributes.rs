//! The attributes that the derives read.
#![expect(clippy::needless_continue, clippy::if_not_else, reason = "darling's derives write it so")]

use darling::{FromDeriveInput, FromField, FromMeta, util::Flag};
use syn::{Expr, Ident, Path, Type};

/// `#[resource(...)]`.
#[derive(FromDeriveInput)]
#[darling(attributes(resource))]
pub(crate) struct ResourceAttributes {
    /// `"databricks:Catalog"`.
    #[darling(rename = "type")]
    pub(crate) type_name: String,
    /// Names that the type had before; once for each.
    #[darling(default, multiple)]
    pub(crate) formerly: Vec<String>,
    /// The struct of outputs.
    pub(crate) outputs: Path,
    /// The provider that manages it.
    pub(crate) provider: Path,
    /// What its identity is relative to.
    #[darling(default)]
    pub(crate) scope: String,
    /// How an unanswered create is recognised.
    pub(crate) identity: IdentityAttribute,
    /// `data`: a delete destroys data; `data = f`: where `f` says so of the inputs. (`data` itself is a name that darling
    /// keeps for the struct's body.)
    #[darling(default, rename = "data")]
    pub(crate) holds_data: Option<DataAttribute>,
    /// How long reads and lists may lag behind what happened, in milliseconds.
    #[darling(default)]
    pub(crate) consistency_ms: Option<u64>,
    pub(crate) waits: Flag,
    /// `provides`: its outputs have a `provider()`, so its handle has no option of that name.
    pub(crate) provides: Flag,
    #[darling(default)]
    pub(crate) compute: Option<String>,
    /// What an update in place of some fields does beside it: a function of their names and the new inputs.
    #[darling(default)]
    pub(crate) effect: Option<Path>,
    #[darling(default)]
    pub(crate) version: Option<u32>,
    #[darling(default)]
    pub(crate) migrate: Option<Path>,
    #[darling(default)]
    pub(crate) validate: Option<Path>,
}

/// `data` or `data = f`.
pub(crate) enum DataAttribute {
    Always,
    Where(Path),
}

impl FromMeta for DataAttribute {
    fn from_word() -> darling::Result<Self> {
        Ok(Self::Always)
    }

    fn from_expr(expr: &Expr) -> darling::Result<Self> {
        match expr {
            Expr::Path(path) => Ok(Self::Where(path.path.clone())),
            _ => Err(darling::Error::custom("`data` stands alone or names a function of the inputs").with_span(expr)),
        }
    }
}

/// `identity = key`, `identity = mark(field)`, `identity = list_difference`.
pub(crate) enum IdentityAttribute {
    Key,
    Mark(Ident),
    ListDifference,
}

impl FromMeta for IdentityAttribute {
    fn from_expr(expr: &Expr) -> darling::Result<Self> {
        let wrong =
            || darling::Error::custom("`identity` is `key`, `mark(field)` or `list_difference`").with_span(expr);
        match expr {
            Expr::Path(path) if path.path.is_ident("key") => Ok(Self::Key),
            Expr::Path(path) if path.path.is_ident("list_difference") => Ok(Self::ListDifference),
            Expr::Call(call) => match (&*call.func, call.args.first()) {
                (Expr::Path(mark), Some(Expr::Path(field))) if mark.path.is_ident("mark") => {
                    field.path.get_ident().cloned().map(Self::Mark).ok_or_else(wrong)
                }
                _ => Err(wrong()),
            },
            _ => Err(wrong()),
        }
    }
}

/// `#[field(...)]`.
#[derive(FromField)]
#[darling(attributes(field), forward_attrs(doc))]
pub(crate) struct FieldAttributes {
    pub(crate) ident: Option<Ident>,
    pub(crate) ty: Type,
    pub(crate) attrs: Vec<syn::Attribute>,
    pub(crate) required: Flag,
    pub(crate) key: Flag,
    pub(crate) renames: Flag,
    #[darling(default)]
    pub(crate) parent: Option<ParentAttribute>,
    pub(crate) holds: Flag,
    pub(crate) forcible: Flag,
    pub(crate) via: Flag,
    pub(crate) replace: Flag,
    #[darling(default, with = literal)]
    pub(crate) default: Option<Expr>,
    pub(crate) computed: Flag,
    pub(crate) nullable: Flag,
    pub(crate) secret: Flag,
    pub(crate) write_only: Flag,
    pub(crate) volatile: Flag,
    #[darling(default)]
    pub(crate) keyed_by: Option<String>,
    pub(crate) set: Flag,
    #[darling(default)]
    pub(crate) normalize: Option<Path>,
    #[darling(default)]
    pub(crate) judge: Option<Path>,
    #[darling(default)]
    pub(crate) access: Option<AccessAttribute>,
    /// The field beside it whose object fills in what is left out.
    #[darling(default)]
    pub(crate) filled_by: Option<String>,
    /// The name of a setter that adds one element.
    #[darling(default)]
    pub(crate) each: Option<Ident>,
    /// The setter of its name is written by hand.
    pub(crate) by_hand: Flag,
}

/// Any expression; text in quotes is text, not an expression in quotes.
fn literal(meta: &syn::Meta) -> darling::Result<Option<Expr>> {
    darling::util::parse_expr::preserve_str_literal(meta).map(Some)
}

/// `parent = cascades` or `parent = refuses`.
pub(crate) enum ParentAttribute {
    Cascades,
    Refuses,
}

impl FromMeta for ParentAttribute {
    fn from_expr(expr: &Expr) -> darling::Result<Self> {
        match expr {
            Expr::Path(path) if path.path.is_ident("cascades") => Ok(Self::Cascades),
            Expr::Path(path) if path.path.is_ident("refuses") => Ok(Self::Refuses),
            _ => Err(darling::Error::custom("`parent` is `cascades` or `refuses`").with_span(expr)),
        }
    }
}

/// `access = owner` or `access = grantee`.
pub(crate) enum AccessAttribute {
    Owner,
    Grantee,
}

impl FromMeta for AccessAttribute {
    fn from_expr(expr: &Expr) -> darling::Result<Self> {
        match expr {
            Expr::Path(path) if path.path.is_ident("owner") => Ok(Self::Owner),
            Expr::Path(path) if path.path.is_ident("grantee") => Ok(Self::Grantee),
            _ => Err(darling::Error::custom("`access` is `owner` or `grantee`").with_span(expr)),
        }
    }
}

/// `#[output(...)]`.
#[derive(FromField)]
#[darling(attributes(output))]
pub(crate) struct OutputAttributes {
    pub(crate) ident: Option<Ident>,
    pub(crate) ty: Type,
    /// The inputs whose update may change it.
    #[darling(default, multiple)]
    pub(crate) from: Vec<String>,
    /// The inputs that it is made of, as text: `"{catalog}.{name}"`. It comes from these, too.
    #[darling(default)]
    pub(crate) is: Option<String>,
    /// Drawn for each new object.
    pub(crate) unique: Flag,
    pub(crate) secret: Flag,
}
