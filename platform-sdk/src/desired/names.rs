//! Names in clear: what an object is known by is stored and shown, so that no secret may be in it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Address, LookupNode, Name, Node, ProviderKey, ProviderNode, Telling, Tree, evaluate};
use crate::{
    program::{Expr, Field, ListOrder, Schema, Shape, Trail},
    report::Diagnostic,
};

/// How many expressions are looked at for one name: further away its origin is looked at when it is known.
const FAR: usize = 1_000;

type Nodes = BTreeMap<Address, Node>;

/// Secrets in names: in natural keys, in what ids are made of, in the keys of lists, and in the configuration of providers.
pub(super) fn secret_names(
    nodes: &Nodes,
    providers: &BTreeMap<ProviderKey, ProviderNode>,
    problems: &mut Vec<Diagnostic>,
) {
    for node in nodes.values() {
        let mut found = Vec::new();
        keys(&node.inputs, node.schema.fields(), Trail::Top, nodes, &mut found);
        for field in id_fields(node.schema) {
            let named = found.iter().any(|path| path.as_str() == *field);
            if let Expr::Map(inputs) = &node.inputs
                && inputs.get(field).is_some_and(|input| !named && comes_from_secret(input, nodes, &mut { FAR }))
            {
                found.push((*field).to_owned());
            }
        }
        for path in found {
            problems.push(in_clear(&node.address, &path).about(&node.address).at(&node.at));
        }
    }
    for (key, provider) in providers {
        if comes_from_secret(&provider.config, nodes, &mut { FAR }) {
            problems.push(configured_in_clear(key));
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
        Expr::Secret(_) | Expr::Sealed => true,
        Expr::Output { origin, field } => {
            let Some(Node { schema, inputs: Expr::Map(inputs), .. }) = nodes.get(&origin.address) else { return false };
            let Some(output) = schema.output(field) else { return false };
            let mut from = output.from.iter().filter_map(|input| inputs.get(input));
            output.secret || from.any(|input| comes_from_secret(input, nodes, left))
        }
    }
}

/// The fields that the id of an object is made of.
fn id_fields(schema: &Schema) -> &'static [&'static str] {
    schema.output("id").map(|id| id.from).unwrap_or_default()
}

/// The field whose value is part of a name and turned out to be secret, once it is known: `name`, `tasks[0].key`.
pub fn secret_key(schema: &Schema, inputs: &Tree) -> Option<String> {
    let is_secret = |field: &&str| inputs.get(field).is_some_and(Tree::has_secrets);
    let of_id = || id_fields(schema).iter().find(|field| is_secret(field)).map(|field| (*field).to_owned());
    if inputs.has_secrets() { secret_key_in(schema.fields(), inputs).or_else(of_id) } else { None }
}

fn secret_key_in(fields: &[Field], inputs: &Tree) -> Option<String> {
    fields.iter().find_map(|field| {
        let value = inputs.get(field.name).filter(|value| value.has_secrets())?;
        if field.key {
            return Some(field.name.to_owned());
        }
        let below = |at: String, path: String| format!("{}{at}.{path}", field.name);
        match (field.shape, value) {
            (Shape::Block(fields), value) => secret_key_in(fields(), value).map(|path| below(String::new(), path)),
            (Shape::Blocks(fields), Tree::List(items)) => items.iter().enumerate().find_map(|(index, item)| {
                let own = match field.order {
                    ListOrder::KeyedBy(key) if item.get(key).is_some_and(Tree::has_secrets) => Some(key.to_owned()),
                    _ => None,
                };
                own.or_else(|| secret_key_in(fields(), item)).map(|path| below(format!("[{index}]"), path))
            }),
            (Shape::BlockMap(fields), Tree::Map(items)) => items
                .iter()
                .find_map(|(name, item)| secret_key_in(fields(), item).map(|path| below(format!(".{name}"), path))),
            _ => None,
        }
    })
}

/// That a name would tell of a secret.
pub fn in_clear(address: &Address, path: &str) -> Diagnostic {
    Diagnostic::error(format!("field `{path}` of `{address}` is made of a secret"))
        .detail("it is part of what the object is known by, which state, plans and messages show in clear")
        .hint("make it of something that may be seen, and keep the secret in another field")
}

/// That the configuration of a provider would.
pub fn configured_in_clear(key: &ProviderKey) -> Diagnostic {
    Diagnostic::error(format!("the configuration of the provider `{}` is made of a secret", key.kind()))
        .detail("state keeps it in clear, to find its objects again")
        .hint("give the login in the environment or a profile, and the rest as it may be seen")
}

/// What a program names with text of its own.
pub(super) struct Named<'a> {
    pub(super) nodes: &'a Nodes,
    pub(super) lookups: &'a BTreeMap<Address, LookupNode>,
    pub(super) providers: &'a BTreeMap<ProviderKey, ProviderNode>,
    pub(super) exports: &'a BTreeMap<String, Expr>,
    pub(super) exported_at: &'a BTreeMap<String, Name>,
}

impl Named<'_> {
    /// Secrets that the program itself has taken out and put into names. Their origin is lost by then: only what nobody
    /// would have written by chance tells. `opened` are those that it was given in clear.
    pub(super) fn with_secrets(&self, mut opened: Vec<String>) -> Vec<Diagnostic> {
        let inputs = self.nodes.values().map(|node| &node.inputs);
        inputs.chain(self.exports.values()).for_each(|expr| constants(expr, &mut opened));
        if opened.is_empty() {
            return Vec::new();
        }
        let secrets = Telling::of(opened);
        let tells = |text: &str| secrets.stands_in(text);
        let mut found = Vec::new();
        for node in self.nodes.values() {
            let of = node.schema.type_name;
            let mut named = |what: &str, is_told: bool| {
                if is_told {
                    found.push(named_in_clear(&format!("{what} of a {of}")).at(&node.at));
                }
            };
            named("the name", tells(node.address.path()));
            named("the id to import", node.options.import.as_deref().is_some_and(&tells));
            named("a key in a map", told_keys(&node.inputs, &tells));
        }
        for lookup in self.lookups.values() {
            if matches!(&lookup.key, Expr::Value(Value::String(key)) if tells(key)) {
                found.push(named_in_clear(&format!("the key of a lookup of a {}", lookup.type_name)).at(&lookup.at));
            }
        }
        for name in self.exports.keys().filter(|name| tells(name)) {
            let problem = named_in_clear("the name of an output");
            found.push(self.exported_at.get(name).map_or_else(|| problem.clone(), |at| problem.clone().at(at)));
        }
        let config = |provider: &ProviderNode| Tree::of_known(&provider.config).shown().to_string();
        let configured = self.providers.iter().filter(|(_, provider)| tells(&config(provider)));
        found.extend(configured.map(|(key, _)| configured_in_clear(key)));
        found
    }
}

fn named_in_clear(what: &str) -> Diagnostic {
    Diagnostic::error(format!("{what} has a secret in it"))
        .detail("state, plans and messages show it in clear")
        .hint("make it of something that may be seen, and keep the secret in a field")
}

/// The secrets that stand in an expression as they are.
fn constants(expr: &Expr, found: &mut Vec<String>) {
    match expr {
        Expr::Value(_) | Expr::Output { .. } | Expr::Sealed | Expr::Invalid(_) => {}
        Expr::List(items) | Expr::Concat(items) => items.iter().for_each(|item| constants(item, found)),
        Expr::Map(entries) => entries.values().for_each(|entry| constants(entry, found)),
        Expr::Apply { source, .. } => constants(source, found),
        Expr::Secret(_) => evaluate(expr, &mut |_, _| None).collect_secrets(found),
    }
}

/// Whether a key of a map of the program's own tells of a secret.
fn told_keys(expr: &Expr, tells: &dyn Fn(&str) -> bool) -> bool {
    match expr {
        Expr::Output { .. } | Expr::Invalid(_) | Expr::Secret(_) | Expr::Sealed => false,
        Expr::Value(value) => told_keys_of(value, tells),
        Expr::List(items) | Expr::Concat(items) => items.iter().any(|item| told_keys(item, tells)),
        Expr::Map(entries) => entries.iter().any(|(key, entry)| tells(key) || told_keys(entry, tells)),
        Expr::Apply { source, .. } => told_keys(source, tells),
    }
}

fn told_keys_of(value: &Value, tells: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| told_keys_of(item, tells)),
        Value::Object(entries) => entries.iter().any(|(key, entry)| tells(key) || told_keys_of(entry, tells)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Resource as _, testing::Room};

    const PART: &[Field] = &[Field::new("name"), Field::new("value")];
    const FIELDS: &[Field] = &[
        Field { shape: Shape::Blocks(|| PART), order: ListOrder::KeyedBy("name"), ..Field::new("parts") },
        Field { shape: Shape::Block(|| FIELDS), ..Field::new("one") },
        Field { shape: Shape::BlockMap(|| FIELDS), ..Field::new("map") },
    ];

    fn secret_at(tree: &Tree) -> Option<String> {
        secret_key_in(FIELDS, tree)
    }

    #[test]
    fn a_secret_in_the_key_of_an_element_is_found_wherever_it_stands() {
        let hush = || Tree::Secret(Box::new(json!("hush").into()));
        let part = |name: Tree, value: Tree| Tree::Map([("name", name), ("value", value)].into());
        let parts = |name: Tree, value: Tree| {
            Tree::Map([("parts", Tree::List(vec![part(json!("a").into(), json!(1).into()), part(name, value)]))].into())
        };
        assert_eq!(secret_at(&parts(json!("b").into(), hush())), None, "in a value that is no name");
        assert_eq!(secret_at(&parts(hush(), json!(1).into())).as_deref(), Some("parts[1].name"));
        let one = Tree::Map([("one", parts(hush(), json!(1).into()))].into());
        assert_eq!(secret_at(&one).as_deref(), Some("one.parts[1].name"));
        let map = Tree::Map([("map", Tree::Map([("k", parts(hush(), json!(1).into()))].into()))].into());
        assert_eq!(secret_at(&map).as_deref(), Some("map.k.parts[1].name"));
        let room = Tree::Map([("name", hush())].into());
        assert_eq!(secret_key(Room::<crate::Declared>::schema(), &room).as_deref(), Some("name"));
    }
}
