//! What of the stack a value stands for: the expression that printed Rust has in its place.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    desired::{Address, Entries, LookupNode, Path, Tree},
    program::{Expr, Field, Schema, Shape},
    report::{Place, literal, rust_code, variable},
    state::{Referred, ResourceState, Snapshot},
};

/// What is known of a resource whose Rust is printed.
pub(crate) struct Known<'a> {
    /// The stack.
    pub(crate) snapshot: &'a Snapshot,
    /// What the program looks up.
    pub(crate) lookups: &'a BTreeMap<Address, LookupNode>,
    /// What the resource refers to.
    pub(crate) references: &'a Entries<Referred>,
}

/// The Rust that declares a resource with these inputs.
pub(crate) fn printed(address: &Address, schema: &Schema, inputs: &Tree, known: &Known<'_>) -> String {
    rust_code(address, schema, inputs, &|place| known.named(place))
}

impl Known<'_> {
    /// The expression for a value that is another resource's.
    fn named(&self, place: &Place<'_>) -> Option<String> {
        let found = || {
            owner(self.snapshot, place.field, place.rust_type, place.value)
                .map(|owner| expression(place.rust_type, &owner.address, "id"))
        };
        self.referred(place).or_else(found).or_else(|| self.looked_up(place))
    }

    /// What the program made the value of.
    fn referred(&self, place: &Place<'_>) -> Option<String> {
        let Referred { to, field } = self.references.get(&place.path.to_string())?;
        let outputs = self.snapshot.resources.get(to).map(|state| &state.outputs);
        let output = outputs.or_else(|| self.snapshot.lookups.get(to))?.get(field)?.plain()?;
        if output == *place.value {
            return Some(expression(place.rust_type, to, field));
        }
        let (text, part) = (place.value.as_str()?, output.as_str().filter(|part| !part.is_empty())?);
        let (before, after) = text.split_once(part).filter(|_| place.rust_type == "String")?;
        let around = |text: &str| text.replace('{', "{{").replace('}', "}}");
        let format = literal(&format!("{}{{}}{}", around(before), around(after)));
        Some(format!("interpolate!({format}, {}.{field})", variable_of(to)))
    }

    /// A lookup of this type that found this id, or asks for it by this very text.
    fn looked_up(&self, place: &Place<'_>) -> Option<String> {
        let found = |address: &Address| self.snapshot.lookups.get(address)?.get("id")?.plain();
        let is = |lookup: &LookupNode| {
            let asked = matches!(&lookup.key, Expr::Value(key) if key == place.value);
            asked || found(&lookup.address).as_ref() == Some(place.value)
        };
        let fits = |lookup: &&LookupNode| place.rust_type == format!("Id<{}>", ident(&lookup.address)) && is(lookup);
        Some(expression(place.rust_type, &self.lookups.values().find(fits)?.address, "id"))
    }
}

/// An output of a resource where a value of this type is wanted.
fn expression(rust_type: &str, of: &Address, output: &str) -> String {
    let variable = variable_of(of);
    match rust_type {
        // A field that takes several types of resources takes their ids as text.
        "String" => format!("interpolate!(\"{{}}\", {variable}.{output})"),
        typed if is_id(typed) && output == "id" && !of.is_lookup() => format!("&{variable}"),
        _ => format!("&{variable}.{output}"),
    }
}

fn variable_of(address: &Address) -> String {
    let name = address.path().rsplit('/').next().unwrap_or_default();
    variable(name.trim_start_matches('?'))
}

fn is_id(rust_type: &str) -> bool {
    rust_type.starts_with("Id<")
}

/// `SqlWarehouse`: the type as Rust names it.
pub(super) fn ident(address: &Address) -> &str {
    let name = address.type_name();
    name.rsplit(':').next().unwrap_or(name)
}

/// The resource of the stack whose id a value is. Ids of different types may be the same text: the value's type decides,
/// and where it has none, the field has to refer to something, and only one that is the only one counts.
fn owner<'s>(snapshot: &'s Snapshot, field: &Field, rust_type: &str, value: &Value) -> Option<&'s ResourceState> {
    let typed = is_id(rust_type);
    let id = value.as_str().filter(|_| typed || field.parent.is_some() || field.holds || field.via)?;
    let fits = |address: &Address| !typed || rust_type == format!("Id<{}>", ident(address));
    let mut owners = snapshot.resources.values().filter(|state| state.id == id && fits(&state.address));
    let owner = owners.next()?;
    owners.next().is_none().then_some(owner)
}

/// Each value of these inputs that is the id of a resource of the stack: where it is, in which field, and whose id it is.
pub(super) fn owners(
    fields: &'static [Field],
    snapshot: &Snapshot,
    inputs: &Tree,
) -> Vec<(Path, &'static Field, Address)> {
    let mut found = Vec::new();
    walk(fields, inputs, &Path::root(), &mut |field, path, value| {
        let owner =
            value.plain().and_then(|value| Some(owner(snapshot, field, field.rust_type, &value)?.address.clone()));
        found.extend(owner.map(|owner| (path.clone(), field, owner)));
    });
    found
}

fn walk(fields: &'static [Field], inputs: &Tree, at: &Path, each: &mut dyn FnMut(&'static Field, &Path, &Tree)) {
    for field in fields {
        let Some(value) = inputs.get(field.name) else { continue };
        let path = at.name(field.name);
        match (field.shape, value) {
            (Shape::Block(fields), value) => walk(fields(), value, &path, each),
            (Shape::Blocks(fields), Tree::List(items)) => {
                items.iter().enumerate().for_each(|(index, item)| walk(fields(), item, &path.element(index), each));
            }
            (Shape::BlockMap(fields), Tree::Map(entries)) => {
                entries.iter().for_each(|(key, entry)| walk(fields(), entry, &path.name(key), each));
            }
            (Shape::Leaf | Shape::Blocks(_) | Shape::BlockMap(_), value) => each(field, &path, value),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::owning;

    fn named(references: &[(&str, &str, &str)], rust_type: &str, path: &str, value: &str) -> Option<String> {
        let ids = [
            ("aws:Bucket::the-landing", "acme"),
            ("databricks:Cluster::etl", "0101-1"),
            ("databricks:Pool::etl", "0101-1"),
        ];
        let ids = ids.map(|(address, id)| (address.parse().expect("an address"), id.to_owned()));
        let mut snapshot = owning(&ids.into());
        let lookup: Address = "databricks:Catalog::?main".parse().expect("an address");
        snapshot.lookups.insert(lookup.clone(), json!({"id": "main-id", "name": "main"}).into());
        let node = LookupNode {
            address: lookup.clone(),
            type_name: "databricks:Catalog",
            key: Expr::Value("main".into()),
            provider: crate::desired::ProviderKey::default_of("databricks.workspace"),
            dependencies: crate::desired::Addresses::new(),
            at: "here".into(),
            reference: None,
        };
        let reference = |(path, to, field): &(&str, &str, &str)| {
            ((*path).to_owned(), Referred { to: to.parse().expect("an address"), field: (*field).into() })
        };
        let references: Entries<Referred> = references.iter().map(reference).collect();
        let known = Known { snapshot: &snapshot, lookups: &[(lookup, node)].into(), references: &references };
        let (field, path) = (Field::new("x"), path.parse().expect("a path"));
        known.named(&Place { field: &field, rust_type, path: &path, value: &value.into() })
    }

    #[test]
    fn a_value_that_is_another_resources_is_its_handle() {
        let by = |rust_type: &str, value: &str| named(&[], rust_type, "tasks[0].existing_cluster_id", value);
        assert_eq!(by("Id<Cluster>", "0101-1").as_deref(), Some("&etl"));
        assert_eq!(by("Id<Cluster>", "0101-2"), None);
        assert_eq!(by("Id<Catalog>", "main").as_deref(), Some("&main.id"), "as it is asked for");
        assert_eq!(by("Id<Catalog>", "main-id").as_deref(), Some("&main.id"), "as it was found");
        assert_eq!(by("String", "0101-1"), None, "a text that happens to be the same");
    }

    #[test]
    fn what_the_program_made_of_an_output_stays_so() {
        let bucket = [("url", "aws:Bucket::the-landing", "id")];
        let of = |value: &str| named(&bucket, "String", "url", value);
        assert_eq!(of("acme").as_deref(), Some(r#"interpolate!("{}", the_landing.id)"#));
        assert_eq!(of("s3://acme/{raw}").as_deref(), Some(r#"interpolate!("s3://{}/{{raw}}", the_landing.id)"#));
        assert_eq!(of("s3://other/raw"), None);
    }
}
