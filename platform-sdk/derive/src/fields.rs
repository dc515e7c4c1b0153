//! Input fields: what their types hold and what their marks mean.

use darling::FromField;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, GenericArgument, Ident, PathArguments, Type, ext::IdentExt};

use crate::attributes::{AccessAttribute, FieldAttributes, ParentAttribute};

/// How a field holds its value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    /// `S::In<T>` or `B<S>`.
    Plain,
    /// `Option<..>`.
    Optional,
    /// `Vec<B<S>>`.
    List,
    /// `BTreeMap<String, B<S>>`.
    Map,
}

/// One input field.
pub(crate) struct InputField {
    pub(crate) ident: Ident,
    pub(crate) name: String,
    pub(crate) holder: Holder,
    /// `T` of `S::In<T>`, or `B<S>`.
    pub(crate) inner: Type,
    pub(crate) is_block: bool,
    pub(crate) attributes: FieldAttributes,
}

/// The input fields of a struct.
pub(crate) fn input_fields(input: &DeriveInput, stage: &Ident) -> darling::Result<Vec<InputField>> {
    let Data::Struct(data) = &input.data else {
        return Err(darling::Error::custom("only structs can be resources and blocks").with_span(&input.ident));
    };
    let mut errors = darling::Error::accumulator();
    let fields = data.fields.iter().filter_map(|field| {
        errors.handle_in(|| FieldAttributes::from_field(field).and_then(|attributes| input_field(attributes, stage)))
    });
    let fields: Vec<InputField> = fields.collect();
    for field in &fields {
        if let Some(by) = &field.attributes.filled_by
            && !fields.iter().any(|other| other.name == *by)
        {
            let message = format!("`{}` is filled by `{by}`, and there is no field of that name", field.name);
            errors.push(darling::Error::custom(message).with_span(&field.ident));
        }
    }
    errors.finish_with(fields)
}

fn input_field(attributes: FieldAttributes, stage: &Ident) -> darling::Result<InputField> {
    let ident = attributes.ident.clone().ok_or_else(|| darling::Error::custom("fields need names"))?;
    let name = ident.unraw().to_string();
    let (holder, held) = match generic(&attributes.ty) {
        Some((outer, mut arguments)) if outer == "Option" => (Holder::Optional, arguments.remove(0)),
        Some((outer, mut arguments)) if outer == "Vec" => (Holder::List, arguments.remove(0)),
        Some((outer, mut arguments)) if outer == "BTreeMap" && arguments.len() == 2 => {
            (Holder::Map, arguments.remove(1))
        }
        _ => (Holder::Plain, attributes.ty.clone()),
    };
    let (inner, is_block) = match generic(&held) {
        Some((outer, mut arguments)) if outer == "In" => (arguments.remove(0), false),
        Some((_, arguments)) if arguments.iter().any(|argument| is_ident(argument, stage)) => (held, true),
        _ => {
            let message = format!(
                "`{name}` must be `{stage}::In<T>`, a block `B<{stage}>`, or an `Option`, `Vec` or `BTreeMap` of one"
            );
            return Err(darling::Error::custom(message).with_span(&attributes.ty));
        }
    };
    if !is_block && matches!(holder, Holder::List | Holder::Map) {
        let message = format!("write `{stage}::In<Vec<T>>` for plain lists: `Vec<..>` holds blocks");
        return Err(darling::Error::custom(message).with_span(&attributes.ty));
    }
    let field = InputField { ident, name, holder, inner, is_block, attributes };
    field.check()?;
    Ok(field)
}

fn generic(ty: &Type) -> Option<(String, Vec<Type>)> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    });
    Some((last.ident.to_string(), types.collect()))
}

fn is_ident(ty: &Type, ident: &Ident) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident(ident))
}

impl InputField {
    pub(crate) fn required(&self) -> bool {
        self.attributes.required.is_present()
    }

    fn check(&self) -> darling::Result<()> {
        let a = &self.attributes;
        let fail = |message: String| Err(darling::Error::custom(message).with_span(&self.ident));
        let meanings = [a.default.is_some(), a.computed.is_present(), a.nullable.is_present()];
        let meanings = meanings.into_iter().filter(|mark| *mark).count();
        if self.required() != (self.holder == Holder::Plain) {
            return fail(format!("`{}`: a field is `required` exactly when it is not optional", self.name));
        }
        if self.required() && meanings > 0 {
            return fail(format!("`{}` is required: it can't be unset", self.name));
        }
        if meanings > 1 {
            return fail(format!("`{}`: one of `default`, `computed`, `nullable`", self.name));
        }
        let has_meaning = meanings == 1 || a.replace.is_present() || a.via.is_present();
        if self.holder == Holder::Optional && !has_meaning {
            let message = "say what leaving it out means: `default = ..`, `computed`, `nullable`, or `replace`";
            return fail(format!("`{}`: {message}", self.name));
        }
        if a.renames.is_present() && !a.key.is_present() {
            return fail(format!("`{}`: only a `key` renames", self.name));
        }
        if a.keyed_by.is_some() && self.holder != Holder::List {
            return fail(format!("`{}`: only a list of blocks is `keyed_by`", self.name));
        }
        Ok(())
    }

    /// The `Field` of the schema.
    pub(crate) fn schema(&self) -> TokenStream {
        let a = &self.attributes;
        let name = &self.name;
        let rust_type = self.rust_type();
        let mut set = vec![quote!(rust_type: #rust_type)];
        if !self.is_block {
            let named = match generic(&self.inner) {
                Some((outer, mut arguments)) if outer == "Vec" => arguments.remove(0),
                _ => self.inner.clone(),
            };
            set.push(quote!(names: {
                #[allow(unused_imports, reason = "a type with names of its own has no use for it")]
                use ::platform_sdk::__private::Nameless as _;
                <::platform_sdk::__private::NamesOf<#named>>::NAMES
            }));
        }
        for (flag, field) in [
            (a.key.is_present(), "key"),
            (a.renames.is_present(), "renames"),
            (a.holds.is_present(), "holds"),
            (a.forcible.is_present(), "forcible"),
            (a.via.is_present(), "via"),
            (a.replace.is_present(), "replace"),
            (a.secret.is_present(), "secret"),
            (a.write_only.is_present(), "write_only"),
            (a.volatile.is_present(), "volatile"),
        ] {
            if flag {
                let field = format_ident!("{field}");
                set.push(quote!(#field: true));
            }
        }
        if self.is_block {
            let inner = crate::stages::declared(&self.inner);
            let shape = format_ident!(
                "{}",
                match self.holder {
                    Holder::List => "Blocks",
                    Holder::Map => "BlockMap",
                    Holder::Plain | Holder::Optional => "Block",
                }
            );
            set.push(quote!(shape: ::platform_sdk::Shape::#shape(<#inner as ::platform_sdk::Block>::fields)));
        }
        let unset = self.unset();
        set.push(quote!(unset: ::platform_sdk::Unset::#unset));
        match &a.parent {
            Some(ParentAttribute::Cascades) => set.push(quote!(parent: Some(::platform_sdk::OnParentDelete::Cascades))),
            Some(ParentAttribute::Refuses) => set.push(quote!(parent: Some(::platform_sdk::OnParentDelete::Refuses))),
            None => {}
        }
        match &a.access {
            Some(AccessAttribute::Owner) => set.push(quote!(access: Some(::platform_sdk::Access::Owner))),
            Some(AccessAttribute::Grantee) => set.push(quote!(access: Some(::platform_sdk::Access::Grantee))),
            None => {}
        }
        if let Some(key) = &a.keyed_by {
            set.push(quote!(order: ::platform_sdk::ListOrder::KeyedBy(#key)));
        }
        if a.set.is_present() {
            set.push(quote!(order: ::platform_sdk::ListOrder::Set));
        }
        if let Some(normalize) = &a.normalize {
            set.push(quote!(normalize: Some(#normalize)));
        }
        if let Some(judge) = &a.judge {
            set.push(quote!(judge: Some(#judge)));
        }
        if let Some(by) = &a.filled_by {
            set.push(quote!(filled_by: Some(#by)));
        }
        quote!(::platform_sdk::Field { #(#set,)* ..::platform_sdk::Field::new(#name) })
    }

    /// The type as a person writes it: a block's bare name, a value's type without spaces.
    fn rust_type(&self) -> String {
        let text = quote::ToTokens::to_token_stream(&self.inner).to_string();
        let text: String = text.split_whitespace().collect();
        if self.is_block { text.split('<').next().unwrap_or_default().to_owned() } else { text }
    }

    fn unset(&self) -> TokenStream {
        let a = &self.attributes;
        if self.required() {
            quote!(Never)
        } else if let Some(default) = &a.default {
            quote!(Default(|| ::platform_sdk::__private::serde_json::json!(#default)))
        } else if a.computed.is_present() {
            quote!(Computed)
        } else if a.nullable.is_present() {
            quote!(Nullable)
        } else if a.replace.is_present() {
            quote!(Replaces)
        } else if a.via.is_present() {
            quote!(Computed)
        } else if self.holder == Holder::Map {
            quote!(Default(|| ::platform_sdk::__private::serde_json::json!({})))
        } else {
            quote!(Default(|| ::platform_sdk::__private::serde_json::json!([])))
        }
    }

    /// The statement that puts the field into `entries`, unless it is unset.
    pub(crate) fn to_expr(&self) -> TokenStream {
        let (ident, name) = (&self.ident, &self.name);
        let wrap = |expr: TokenStream| {
            if self.attributes.secret.is_present() {
                quote!(::platform_sdk::Expr::Secret(::std::boxed::Box::new(#expr)))
            } else {
                expr
            }
        };
        let one = wrap(quote!(::platform_sdk::ToExpr::to_expr(value)));
        match self.holder {
            Holder::Plain => quote! {
                { let value = &self.#ident; entries.push((::std::convert::From::from(#name), #one)); }
            },
            Holder::Optional => quote! {
                if let ::std::option::Option::Some(value) = &self.#ident { entries.push((::std::convert::From::from(#name), #one)); }
            },
            Holder::List => quote! {
                if !self.#ident.is_empty() {
                    let items = self.#ident.iter().map(|value| #one);
                    entries.push((::std::convert::From::from(#name), ::platform_sdk::Expr::list(items)));
                }
            },
            Holder::Map => quote! {
                if !self.#ident.is_empty() {
                    let items = self.#ident.iter().map(|(key, value)| (::std::convert::From::from(key), #one));
                    entries.push((::std::convert::From::from(#name), ::platform_sdk::Expr::map(items)));
                }
            },
        }
    }
}
