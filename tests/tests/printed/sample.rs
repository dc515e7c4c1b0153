//! Samples of all types, made of their schemas.

use std::collections::{BTreeMap, BTreeSet};

use platform_aws::Aws;
use platform_databricks::{AccountProvider, WorkspaceProvider};
use platform_sdk::{
    Builtin, Field, Provider as _, Schema, Shape, Unset,
    desired::{Address, Tree},
    testing,
};
use serde_json::{Value, json};

/// What no printed Rust shows.
pub(super) const SECRET: &str = "canary";

/// Texts that are hard to write down: quotes, lines, backslashes, what runs backwards, what a terminal obeys.
const TEXTS: [&str; 6] = [
    "plain",
    "says \"it's\"",
    "two\nlines \\ and {braces} \"#",
    "\u{202e}backwards\u{2066}",
    "\u{1b}[31mred\u{7}",
    "é 日本",
];

/// All types that the providers list, each after what its fields refer to.
fn schemas() -> Vec<&'static Schema> {
    let connectors = [
        WorkspaceProvider::from_env().connector(),
        AccountProvider::from_env().connector(),
        Aws::from_env().connector(),
        Builtin.connector(),
    ];
    let mut left: BTreeMap<&str, &'static Schema> =
        connectors.iter().flat_map(|connector| connector.schemas()).map(|schema| (ident(schema), schema)).collect();
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let free = |schema: &&&'static Schema| {
            referred(schema.fields()).iter().all(|to| to == ident(schema) || !left.contains_key(to.as_str()))
        };
        let next = *left.values().find(free).expect("types don't refer to each other in circles");
        left.remove(ident(next));
        ordered.push(next);
    }
    ordered
}

/// The types whose ids fields hold.
fn referred(fields: &[Field]) -> BTreeSet<String> {
    let of = |field: &Field| match field.shape {
        Shape::Block(fields) | Shape::Blocks(fields) | Shape::BlockMap(fields) => referred(fields()),
        // Text that refers to something is a catalog's id here.
        Shape::Leaf if refers_by_text(field) => ["Catalog".to_owned()].into(),
        Shape::Leaf => target(field.rust_type).into_iter().map(str::to_owned).collect(),
    };
    fields.iter().flat_map(of).collect()
}

fn refers_by_text(field: &Field) -> bool {
    field.rust_type == "String" && (field.parent.is_some() || field.holds || field.via)
}

/// `Cluster` of `Id<Cluster>`.
fn target(rust_type: &str) -> Option<&str> {
    rust_type.strip_prefix("Id<")?.strip_suffix('>')
}

fn ident(schema: &Schema) -> &'static str {
    schema.type_name.rsplit(':').next().unwrap_or_default()
}

fn address(schema: &Schema) -> Address {
    let words = ident(schema).chars().fold(String::new(), |mut words, c| {
        if c.is_uppercase() && !words.is_empty() {
            words.push('-');
        }
        words.extend(c.to_lowercase());
        words
    });
    Address::new(schema.type_name, &words).expect("an address")
}

fn id_of(ident: &str) -> String {
    format!("the id of the {ident}")
}

/// The statements that declare one of each, in a block.
pub(super) fn program() -> String {
    let schemas = schemas();
    let ids = schemas.iter().map(|schema| (address(schema), id_of(ident(schema)))).collect();
    let statement =
        |schema: &&'static Schema| testing::printed(&address(schema), schema, &inputs(schema.fields()), &ids);
    format!("{{\n{}Ok(())\n}}\n", schemas.iter().map(statement).collect::<String>())
}

/// Every setter of every type and of its parts.
pub(super) fn setters() -> Vec<(&'static str, BTreeSet<&'static str>)> {
    fn of(fields: &[Field], found: &mut BTreeSet<&'static str>) {
        for field in fields {
            if !matches!(field.unset, Unset::Never) {
                found.insert(field.name);
            }
            if let Shape::Block(fields) | Shape::Blocks(fields) | Shape::BlockMap(fields) = field.shape {
                of(fields(), found);
            }
        }
    }
    let one = |schema: &'static Schema| {
        let mut found = BTreeSet::new();
        of(schema.fields(), &mut found);
        (schema.type_name, found)
    };
    schemas().into_iter().map(one).collect()
}

fn inputs(fields: &[Field]) -> Tree {
    let one = |(index, field): (usize, &Field)| (field.name.to_owned(), of_field(field, index));
    Tree::Map(fields.iter().enumerate().map(one).collect())
}

fn of_field(field: &Field, index: usize) -> Tree {
    match field.shape {
        Shape::Block(fields) => inputs(fields()),
        Shape::Blocks(fields) => Tree::List(vec![inputs(fields()), inputs(fields())]),
        Shape::BlockMap(fields) => Tree::Map([("a \"key\"".to_owned(), inputs(fields()))].into_iter().collect()),
        Shape::Leaf if refers_by_text(field) => Tree::Leaf(id_of("Catalog").into()),
        Shape::Leaf => {
            let default = if let Unset::Default(default) = field.unset { default() } else { Value::Null };
            let value = of_type(field, field.rust_type, index);
            if value.plain() == Some(default) { of_type(field, field.rust_type, index + 1) } else { value }
        }
    }
}

/// A value of a type; another one for another index.
fn of_type(field: &Field, rust_type: &str, index: usize) -> Tree {
    let inner = |wrapper: &str| rust_type.strip_prefix(wrapper).and_then(|rest| rest.strip_suffix('>'));
    if let Some(element) = inner("Vec<") {
        let mut items: Vec<Tree> = (index..index + 3).map(|index| of_type(field, element, index)).collect();
        if element == "String" {
            items.push(secret());
        }
        return Tree::List(items);
    }
    if let Some(element) = inner("BTreeMap<String,") {
        let entry = |index: usize| (TEXTS[index % TEXTS.len()].to_owned(), of_type(field, element, index + 1));
        return Tree::Map((index..index + 2).map(entry).collect());
    }
    if let Some(target) = target(rust_type) {
        return Tree::Leaf(id_of(target).into());
    }
    let known = field.names.iter().map(|(name, _)| *name);
    let value = match rust_type {
        "String" => json!(TEXTS[index % TEXTS.len()]),
        "bool" => json!(index.is_multiple_of(2)),
        "i32" | "i64" | "u32" | "u64" => json!(index + 7),
        "f64" => json!(0.5 + f64::from(u8::try_from(index).unwrap_or_default())),
        "Secret<String>" => return secret(),
        "Value" => json!({"text": TEXTS[index % TEXTS.len()], "large": u64::MAX, "list": [null, -1.5e300, true]}),
        "DataType" => json!("decimal(18,2)"),
        "NotebookPath" => json!("/Shared/a \"notebook\""),
        "PolicyDocument" => json!({"Version": "2012-10-17", "Statement": [{"Sid": TEXTS[index % TEXTS.len()]}]}),
        // Names that are known, and one that is not.
        _ if !field.names.is_empty() => {
            let names: Vec<&str> = known.chain(["A_NEW \"ONE\""]).collect();
            json!(names[index % names.len()])
        }
        other => panic!("`{}` is a `{other}`, of which there is no sample: add one", field.name),
    };
    value.into()
}

fn secret() -> Tree {
    Tree::Secret(Box::new(Tree::Leaf(SECRET.into())))
}
