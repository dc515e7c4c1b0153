//! `#[derive(Block)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Ident};

use crate::{
    fields::{Holder, InputField, input_fields},
    setters,
    stages::{self, stage_of},
};

pub(crate) fn expand(input: &DeriveInput) -> darling::Result<TokenStream> {
    let stage = stage_of(input)?;
    let fields = input_fields(input, stage)?;
    Ok(of_fields(input, stage, &fields))
}

/// What resources and blocks have in common.
pub(crate) fn of_fields(input: &DeriveInput, stage: &Ident, fields: &[InputField]) -> TokenStream {
    let name = &input.ident;
    let statements = fields.iter().map(InputField::to_expr);
    let schemas = fields.iter().map(InputField::schema);
    let staged: Vec<_> = fields
        .iter()
        .map(|field| (field.ident.clone(), field.attributes.ty.clone(), field.holder != Holder::Plain))
        .collect();
    let traits = stages::traits(input, stage, &staged);
    let setters = setters::expand(input, fields);
    quote! {
        #traits
        #setters

        impl<#stage: ::platform_sdk::Stage> ::platform_sdk::ToExpr for #name<#stage> {
            fn to_expr(&self) -> ::platform_sdk::Expr {
                let mut entries = ::std::vec::Vec::new();
                #(#statements)*
                ::platform_sdk::Expr::map(entries)
            }
        }

        impl<#stage: ::platform_sdk::Stage> ::platform_sdk::Block for #name<#stage> {
            fn fields() -> &'static [::platform_sdk::Field] {
                const FIELDS: &[::platform_sdk::Field] = &[#(#schemas),*];
                FIELDS
            }
        }
    }
}
