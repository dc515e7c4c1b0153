//! `#[derive(Outputs)]`.

use darling::FromField;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput};

use crate::{
    attributes::OutputAttributes,
    stages::{self, stage_of},
};

pub(crate) fn expand(input: &DeriveInput) -> darling::Result<TokenStream> {
    let stage = stage_of(input)?;
    let Data::Struct(data) = &input.data else {
        return Err(darling::Error::custom("only structs can be outputs").with_span(&input.ident));
    };
    let name = &input.ident;
    let mut staged = Vec::new();
    let mut constants = Vec::new();
    let mut declared = Vec::new();
    let mut entries = Vec::new();
    for field in &data.fields {
        let OutputAttributes { ident, ty, mut from, is, unique, secret } = OutputAttributes::from_field(field)?;
        from.extend(is.iter().flat_map(|is| inputs_in(is)));
        let is = is.map_or_else(|| quote!(None), |is| quote!(Some(#is)));
        let ident = ident.ok_or_else(|| darling::Error::custom("outputs need names"))?;
        let text = ident.to_string();
        let (is_unique, is_secret) = (unique.is_present(), secret.is_present());
        constants.push(quote! {
            ::platform_sdk::OutputField {
                name: #text,
                from: &[#(#from),*],
                is: #is,
                unique: #is_unique,
                secret: #is_secret,
            }
        });
        declared.push(quote!(#ident: ::platform_sdk::Output::of(origin, #text)));
        let value = quote!(::platform_sdk::ToExpr::to_expr(&self.#ident));
        let value =
            if is_secret { quote!(::platform_sdk::Expr::Secret(::std::boxed::Box::new(#value))) } else { value };
        entries.push(quote!((::std::convert::From::from(#text), #value)));
        let optional = matches!(&ty, syn::Type::Path(path) if path.path.segments.last().is_some_and(|s| s.ident == "Out"))
            && quote!(#ty).to_string().contains("Out < Option");
        staged.push((ident, ty, optional));
    }
    let traits = stages::traits(input, stage, &staged);
    Ok(quote! {
        #traits

        impl<#stage: ::platform_sdk::Stage> ::platform_sdk::ToExpr for #name<#stage> {
            fn to_expr(&self) -> ::platform_sdk::Expr {
                ::platform_sdk::Expr::map([#(#entries),*])
            }
        }

        impl ::platform_sdk::Outputs for #name<::platform_sdk::Declared> {
            type Values = #name<::platform_sdk::Resolved>;

            const FIELDS: &'static [::platform_sdk::OutputField] = &[#(#constants),*];

            fn of(origin: &::std::sync::Arc<::platform_sdk::Origin>) -> Self {
                Self { #(#declared),* }
            }
        }
    })
}

/// The names in braces: `catalog` and `name` of `{catalog}.{name}`.
fn inputs_in(is: &str) -> impl Iterator<Item = String> {
    is.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.to_owned()))
}
