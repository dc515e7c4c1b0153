//! The derives of `platform-sdk`: they write setters, `new`, outputs and schemas, never calls to a service.

mod attributes;
mod block;
mod fields;
mod outputs;
mod resource;
mod setters;
mod stages;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct a resource type: `#[resource(...)]` on the struct, `#[field(...)]` on its fields.
///
/// The struct is generic over its stage, `struct Catalog<S: Stage = Declared>`, and its fields are `S::In<T>`,
/// `Option<S::In<T>>`, or blocks: `B<S>`, `Option<B<S>>`, `Vec<B<S>>`, `BTreeMap<String, B<S>>`.
#[proc_macro_derive(Resource, attributes(resource, field))]
pub fn resource(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    resource::expand(&input).unwrap_or_else(darling::Error::write_errors).into()
}

/// Makes a struct a nested part of a resource, with the same marks on its fields.
#[proc_macro_derive(Block, attributes(field))]
pub fn block(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    block::expand(&input).unwrap_or_else(darling::Error::write_errors).into()
}

/// Makes a struct the outputs of a resource: its fields are `S::Out<T>`, one of them `id: S::Out<Id<R>>`.
#[proc_macro_derive(Outputs, attributes(output))]
pub fn outputs(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    outputs::expand(&input).unwrap_or_else(darling::Error::write_errors).into()
}
