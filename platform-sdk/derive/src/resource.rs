//! `#[derive(Resource)]`.

use darling::FromDeriveInput;
use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::{
    attributes::{DataAttribute, IdentityAttribute, ResourceAttributes},
    block,
    fields::input_fields,
    stages::stage_of,
};

pub(crate) fn expand(input: &DeriveInput) -> darling::Result<TokenStream> {
    let attributes = ResourceAttributes::from_derive_input(input)?;
    let stage = stage_of(input)?;
    let fields = input_fields(input, stage)?;
    if let IdentityAttribute::Mark(mark) = &attributes.identity
        && !fields.iter().any(|field| field.ident == *mark)
    {
        return Err(darling::Error::custom("`identity = mark(..)` names no field of this struct").with_span(mark));
    }
    if matches!(attributes.identity, IdentityAttribute::Key)
        && attributes.type_name != "platform:Data"
        && !fields.iter().any(|field| field.attributes.key.is_present())
    {
        return Err(
            darling::Error::custom("`identity = key` wants at least one field marked `key`").with_span(&input.ident)
        );
    }
    if attributes.version.is_some_and(|version| version > 1) && attributes.migrate.is_none() {
        let problem = "a `version` above 1 wants a `migrate = function`, which brings inputs of the older ones to it";
        return Err(darling::Error::custom(problem).with_span(&input.ident));
    }
    let block = block::of_fields(input, stage, &fields);
    let schema = schema(input, &attributes);
    let name = &input.ident;
    let ResourceAttributes { outputs, provider, type_name, .. } = &attributes;
    let takes_provider = (!attributes.provides.is_present())
        .then(|| quote!(impl ::platform_sdk::TakesProvider for #name<::platform_sdk::Declared> {}));
    Ok(quote! {
        #block

        impl ::platform_sdk::Resource for #name<::platform_sdk::Declared> {
            type Resolved = #name<::platform_sdk::Resolved>;
            type Outputs = #outputs<::platform_sdk::Declared>;
            type Provider = #provider;

            fn schema() -> &'static ::platform_sdk::Schema {
                #schema
                &SCHEMA
            }
        }

        #takes_provider

        impl ::platform_sdk::HasId for #name<::platform_sdk::Declared> {
            fn id_of(outputs: &Self::Outputs) -> &::platform_sdk::Output<::platform_sdk::Id<Self>> {
                &outputs.id
            }
        }

        impl ::platform_sdk::LookUp for #name<::platform_sdk::Declared> {
            type Found = #outputs<::platform_sdk::Declared>;
            type Provider = #provider;
            const TYPE: &'static str = #type_name;
        }

        impl ::platform_sdk::Manages<#name<::platform_sdk::Declared>> for #provider {}
    })
}

/// How long reads of a type may lag behind, unless it says otherwise: what services need that promise nothing.
const CONSISTENCY_MS: u64 = 2000;

fn schema(input: &DeriveInput, attributes: &ResourceAttributes) -> TokenStream {
    let name = &input.ident;
    let ResourceAttributes { type_name, formerly, provider, scope, outputs, .. } = attributes;
    let data = match &attributes.holds_data {
        None => quote!(None),
        Some(DataAttribute::Always) => quote!(Some(|_| true)),
        Some(DataAttribute::Where(path)) => quote!(Some(#path)),
    };
    let waits = attributes.waits.is_present();
    let consistency = attributes.consistency_ms.unwrap_or(CONSISTENCY_MS);
    let version = attributes.version.unwrap_or(1);
    let option = |path: &Option<syn::Path>| path.as_ref().map_or_else(|| quote!(None), |path| quote!(Some(#path)));
    let migrate = option(&attributes.migrate);
    let validate = option(&attributes.validate);
    let effect = option(&attributes.effect);
    let compute = attributes.compute.as_ref().map_or_else(|| quote!(None), |text| quote!(Some(#text)));
    let identity = match &attributes.identity {
        IdentityAttribute::Key => quote!(Key),
        IdentityAttribute::ListDifference => quote!(ListDifference),
        IdentityAttribute::Mark(field) => {
            let field = field.to_string();
            quote!(Mark(#field))
        }
    };
    quote! {
        static SCHEMA: ::platform_sdk::Schema = ::platform_sdk::Schema {
            type_name: #type_name,
            formerly: &[#(#formerly),*],
            provider: <#provider as ::platform_sdk::Provider>::KIND,
            scope: #scope,
            data: #data,
            version: #version,
            identity: ::platform_sdk::Identity::#identity,
            consistency: ::std::time::Duration::from_millis(#consistency),
            waits: #waits,
            compute: #compute,
            effect: #effect,
            fields: <#name<::platform_sdk::Declared> as ::platform_sdk::Block>::fields,
            outputs: <#outputs<::platform_sdk::Declared> as ::platform_sdk::Outputs>::FIELDS,
            migrate: #migrate,
            validate: #validate,
        };
    }
}
