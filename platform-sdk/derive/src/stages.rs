//! The stage parameter: finding it, and writing a type in one of its stages.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{DeriveInput, GenericParam, Ident, Type};

/// The struct's one generic parameter, its stage.
pub(crate) fn stage_of(input: &DeriveInput) -> darling::Result<&Ident> {
    let mut parameters = input.generics.params.iter();
    match (parameters.next(), parameters.next()) {
        (Some(GenericParam::Type(parameter)), None) => Ok(&parameter.ident),
        _ => Err(darling::Error::custom("a struct with one parameter is wanted: `<S: Stage = Declared>`")
            .with_span(&input.ident)),
    }
}

/// `ty` with its stage parameter replaced by the resolved stage.
pub(crate) fn resolved(ty: &Type, stage: &Ident) -> TokenStream {
    replace(ty.to_token_stream(), stage)
}

fn replace(tokens: TokenStream, stage: &Ident) -> TokenStream {
    let replacement = quote!(::platform_sdk::Resolved);
    let mut out = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == *stage => {
                let projected = matches!(tokens.peek(), Some(TokenTree::Punct(p)) if p.as_char() == ':');
                if projected {
                    out.extend(quote!(<#replacement as ::platform_sdk::Stage>));
                } else {
                    out.extend(replacement.clone());
                }
            }
            TokenTree::Group(group) => {
                let inner = replace(group.stream(), stage);
                out.extend([TokenTree::Group(proc_macro2::Group::new(group.delimiter(), inner))]);
            }
            other => out.extend([other]),
        }
    }
    out
}

/// What every staged struct gets: `Clone`, a `Debug` that shows no secret, and reading of its resolved stage.
pub(crate) fn traits(input: &DeriveInput, stage: &Ident, fields: &[(Ident, Type, bool)]) -> TokenStream {
    let name = &input.ident;
    let text = name.to_string();
    let idents: Vec<_> = fields.iter().map(|(ident, _, _)| ident).collect();
    let shadow_fields = fields.iter().map(|(ident, ty, may_be_absent)| {
        let ty = resolved(ty, stage);
        let default = may_be_absent.then(|| quote!(#[serde(default)]));
        quote!(#default #ident: #ty)
    });
    quote! {
        impl<#stage: ::platform_sdk::Stage> ::std::clone::Clone for #name<#stage> {
            fn clone(&self) -> Self {
                Self { #(#idents: self.#idents.clone()),* }
            }
        }

        impl<#stage: ::platform_sdk::Stage> ::std::fmt::Debug for #name<#stage> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::write!(f, "{} {}", #text, ::platform_sdk::desired::describe(&::platform_sdk::ToExpr::to_expr(self)))
            }
        }

        const _: () = {
            use ::platform_sdk::__private::serde;

            #[derive(serde::Deserialize)]
            #[serde(crate = "::platform_sdk::__private::serde")]
            struct Shadow { #(#shadow_fields),* }

            impl<'de> serde::Deserialize<'de> for #name<::platform_sdk::Resolved> {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                    let shadow = <Shadow as serde::Deserialize>::deserialize(deserializer)?;
                    ::std::result::Result::Ok(Self { #(#idents: shadow.#idents),* })
                }
            }
        };
    }
}

/// A block's type in the declared stage: its last argument, the stage, dropped to take the default.
pub(crate) fn declared(ty: &Type) -> TokenStream {
    let Type::Path(path) = ty else { return ty.to_token_stream() };
    let mut path = path.clone();
    if let Some(last) = path.path.segments.last_mut() {
        last.arguments = syn::PathArguments::None;
    }
    quote!(#path<::platform_sdk::Declared>)
}
