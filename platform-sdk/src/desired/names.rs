//! Names in clear: what an object is known by is stored and shown, so that no secret may be in it.

use std::collections::BTreeMap;

use super::{Address, Node, ProviderKey, ProviderNode, Tree};
use crate::{
    program::{Expr, Field, ListOrder, Schema, Shape, Trail},
    report::Diagnostic,
};

/// How many expressions are looked at for one name: further away its origin is looked at when it is known.
const FAR: usize = 1_000;

type Nodes = BTreeMap<Address, Node>;

/// Secrets in names: in natural keys, which ids are made of, in the keys of lists, and in the configuration of providers.
pub(super) fn secret_names(
    nodes: &Nodes,
    providers: &BTreeMap<ProviderKey, ProviderNode>,
    problems: &mut Vec<Diagnostic>,
) {
    for node in nodes.values() {
        let mut found = Vec::new();
        keys(&node.inputs, node.schema.fields(), Trail::Top, nodes, &mut found);
        for path in found {
            problems.push(in_clear(&node.address, &path).about(&node.address).at(&node.at));
        }
    }
    for (key, provider) in providers {
        if comes_from_secret(&provider.config, nodes, &mut { FAR }) {
            let text = format!("the configuration of the provider `{key}` is made of a secret");
            problems.push(
                Diagnostic::error(text)
                    .detail("state keeps it in clear, to find its objects again")
                    .hint("give the login in the environment or a profile, and the rest as it may be seen"),
            );
        }
    }
}

fn keys(inputs: &Expr, fields: &[Field], above: Trail<'_>, nodes: &Nodes, found: &mut Vec<String>) {
    let Expr::Map(entries) = inputs else { return };
    for field in fields {
        let Some(input) = entries.get(field.name) else { continue };
        let at = above.key(field.name);
        if field.key && comes_from_secret(input, nodes, &mut { FAR }) {
            found.push(at.to_string());
            continue;
        }
        match (field.shape, input) {
            (Shape::Block(fields), input) => keys(input, fields(), at, nodes, found),
            (Shape::Blocks(fields), Expr::List(items)) => {
                for (index, item) in items.iter().enumerate() {
                    let here = at.index(index);
                    let name = match (field.order, item) {
                        (ListOrder::KeyedBy(key), Expr::Map(entries)) => entries.get(key).map(|name| (key, name)),
                        _ => None,
                    };
                    if let Some((key, name)) = name
                        && comes_from_secret(name, nodes, &mut { FAR })
                    {
                        found.push(here.key(key).to_string());
                    }
                    keys(item, fields(), here, nodes, found);
                }
            }
            (Shape::BlockMap(fields), Expr::Map(items)) => {
                items.iter().for_each(|(name, item)| keys(item, fields(), at.key(name), nodes, found));
            }
            _ => {}
        }
    }
}

/// Whether an expression is made of something secret, as far as the program alone tells.
fn comes_from_secret(expr: &Expr, nodes: &Nodes, left: &mut usize) -> bool {
    let Some(fewer) = left.checked_sub(1) else { return false };
    *left = fewer;
    match expr {
        Expr::Value(_) | Expr::Invalid(_) => false,
        Expr::List(items) | Expr::Concat(items) => items.iter().any(|item| comes_from_secret(item, nodes, left)),
        Expr::Map(entries) => entries.values().any(|entry| comes_from_secret(entry, nodes, left)),
        Expr::Apply { source, .. } => comes_from_secret(source, nodes, left),
        Expr::Secret(_) => true,
        Expr::Output { origin, field } => {
            let Some(Node { schema, inputs: Expr::Map(inputs), .. }) = nodes.get(&origin.address) else { return false };
            let Some(output) = schema.output(field) else { return false };
            let mut from = output.from.iter().filter_map(|input| inputs.get(input));
            output.secret || from.any(|input| comes_from_secret(input, nodes, left))
        }
    }
}

/// The field of a natural key that turned out to be secret, once all is known.
pub fn secret_key(schema: &Schema, inputs: &Tree) -> Option<&'static str> {
    let mut keys = schema.fields().iter().filter(|field| field.key);
    keys.find(|field| inputs.get(field.name).is_some_and(Tree::has_secrets)).map(|field| field.name)
}

/// That a name would tell of a secret.
pub fn in_clear(address: &Address, path: &str) -> Diagnostic {
    Diagnostic::error(format!("field `{path}` of `{address}` is made of a secret"))
        .detail("it is part of what the object is known by, which state, plans and messages show in clear")
        .hint("make it of something that may be seen, and keep the secret in another field")
}
