//! `new` with what is required, and a setter for every field that is not.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Ident};

use crate::{
    fields::{Holder, InputField},
    stages,
};

/// The inherent impl of the declared stage.
pub(crate) fn expand(input: &DeriveInput, fields: &[InputField]) -> TokenStream {
    let name = &input.ident;
    let new = new(name, fields);
    let setters = fields.iter().filter(|field| !field.required() && !field.attributes.by_hand.is_present()).map(setter);
    let adders = fields.iter().filter_map(adder);
    quote! {
        impl #name<::platform_sdk::Declared> {
            #new
            #(#setters)*
            #(#adders)*
        }
    }
}

fn new(name: &Ident, fields: &[InputField]) -> TokenStream {
    let required: Vec<_> = fields.iter().filter(|field| field.required()).collect();
    let parameters = required.iter().map(|field| {
        let ident = &field.ident;
        let ty = parameter(field);
        quote!(#ident: #ty)
    });
    let values = fields.iter().map(|field| {
        let ident = &field.ident;
        match field.holder {
            Holder::Plain if field.is_block => quote!(#ident),
            Holder::Plain => quote!(#ident: ::platform_sdk::IntoInput::into_input(#ident)),
            Holder::Optional => quote!(#ident: ::std::option::Option::None),
            Holder::List | Holder::Map => quote!(#ident: ::std::default::Default::default()),
        }
    });
    let arguments = required.iter().map(|field| format!("`{}`", field.name)).collect::<Vec<_>>().join(", ");
    let doc = if required.is_empty() {
        format!("A [`{name}`] with everything unset.")
    } else {
        format!("A [`{name}`] of its required fields, {arguments}, with everything else unset.")
    };
    quote! {
        #[doc = #doc]
        pub fn new(#(#parameters),*) -> Self {
            Self { #(#values),* }
        }
    }
}

fn parameter(field: &InputField) -> TokenStream {
    let inner = &field.inner;
    if field.is_block { stages::declared(inner) } else { quote!(impl ::platform_sdk::IntoInput<#inner>) }
}

fn docs(field: &InputField) -> TokenStream {
    let docs = &field.attributes.attrs;
    quote!(#(#docs)*)
}

fn setter(field: &InputField) -> TokenStream {
    let (ident, docs) = (&field.ident, docs(field));
    let inner = &field.inner;
    match field.holder {
        Holder::Plain => TokenStream::new(),
        Holder::Optional if field.is_block => {
            let ty = stages::declared(inner);
            quote! {
                #docs
                pub fn #ident(mut self, #ident: #ty) -> Self {
                    self.#ident = ::std::option::Option::Some(#ident);
                    self
                }
            }
        }
        Holder::Optional => quote! {
            #docs
            pub fn #ident(mut self, #ident: impl ::platform_sdk::IntoInput<#inner>) -> Self {
                self.#ident = ::std::option::Option::Some(::platform_sdk::IntoInput::into_input(#ident));
                self
            }
        },
        Holder::List => {
            let ty = stages::declared(inner);
            quote! {
                #docs
                pub fn #ident(mut self, #ident: impl ::std::iter::IntoIterator<Item = #ty>) -> Self {
                    self.#ident = #ident.into_iter().collect();
                    self
                }
            }
        }
        Holder::Map => {
            let ty = stages::declared(inner);
            quote! {
                #docs
                pub fn #ident<K: ::std::convert::Into<::std::string::String>>(
                    mut self,
                    #ident: impl ::std::iter::IntoIterator<Item = (K, #ty)>,
                ) -> Self {
                    self.#ident = #ident.into_iter().map(|(key, value)| (key.into(), value)).collect();
                    self
                }
            }
        }
    }
}

/// The setter that adds one element, named by `each`.
fn adder(field: &InputField) -> Option<TokenStream> {
    let each = field.attributes.each.as_ref()?;
    let (ident, docs) = (&field.ident, docs(field));
    let ty = stages::declared(&field.inner);
    let added = format!("\n\nAdds one; [`{ident}`](Self::{ident}) sets all.");
    match field.holder {
        Holder::List => Some(quote! {
            #docs
            #[doc = #added]
            pub fn #each(mut self, #each: #ty) -> Self {
                self.#ident.push(#each);
                self
            }
        }),
        Holder::Map => Some(quote! {
            #docs
            #[doc = #added]
            pub fn #each(mut self, key: impl ::std::convert::Into<::std::string::String>, #each: #ty) -> Self {
                self.#ident.insert(key.into(), #each);
                self
            }
        }),
        Holder::Plain | Holder::Optional => None,
    }
}
