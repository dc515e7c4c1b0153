//! A resource's inputs as the Rust that declares them, from its schema: what `import` and `drift --accept` print.

use serde_json::Value;

use super::{
    escape::clean,
    rust_words::{literal, setter, variable},
};
use crate::{
    desired::{Address, Name, Path, Tree},
    program::{Field, Schema, Shape, Unset},
};

/// Columns before a chain or a list is broken.
const COLUMNS: usize = 100;

/// A value in a resource's inputs.
pub struct Place<'a> {
    /// The field that it is in.
    pub field: &'a Field,
    /// Its Rust type: the field's, or that of an element of it.
    pub rust_type: &'a str,
    /// Where it is.
    pub path: &'a Path,
    /// What it is.
    pub value: &'a Value,
}

/// Names what a value refers to, where an expression of the program is better than its text: `&lake`.
pub type Named<'a> = &'a dyn Fn(&Place<'_>) -> Option<String>;

/// The statement that declares a resource with these inputs: `let lake = stack.add("lake", Catalog::new("lake"));`.
///
/// Fields that hold their default are left out. A secret is read from the configuration, never printed.
pub fn rust_code(address: &Address, schema: &Schema, inputs: &Tree, named: Named<'_>) -> String {
    let name = address.path().rsplit('/').next().unwrap_or_default();
    let variable = variable(name);
    let code = Code { named, secret_prefix: variable.clone() };
    let (ident, root) = (type_ident(schema.type_name), Path::root());
    let resource = code.built(ident, schema.fields(), inputs, &root, 0);
    let component = address.path().rsplit_once('/').map(|(component, _)| clean(component));
    let within = component.map(|component| format!("// in the component `{component}`\n")).unwrap_or_default();
    let head = format!("let {variable} = stack.add({}, ", literal(name));
    if !resource.contains('\n') && head.len() + resource.len() + 2 <= COLUMNS {
        return format!("{within}{head}{resource});\n");
    }
    let resource = code.built(ident, schema.fields(), inputs, &root, 4);
    format!("{within}let {variable} = stack.add(\n    {},\n    {resource},\n);\n", literal(name))
}

/// The Rust name of a type: what follows the last separator of its address type.
fn type_ident(type_name: &str) -> &str {
    type_name.rsplit([':', '/', '.']).next().unwrap_or(type_name)
}

struct Code<'a> {
    named: Named<'a>,
    secret_prefix: String,
}

/// An expression, and whether its type is that of a bare literal: elements of one array have one type.
struct Expression {
    text: String,
    foreign: bool,
}

impl Expression {
    fn plain(text: String) -> Self {
        Self { text, foreign: false }
    }

    fn foreign(text: String) -> Self {
        Self { text, foreign: true }
    }
}

impl Code<'_> {
    /// `Column::new("id").comment("x")`, broken into a chain where it is long.
    fn built(&self, name: &str, fields: &[Field], inputs: &Tree, at: &Path, indent: usize) -> String {
        let build = |deeper: usize| {
            let value = |field: &Field, value: &Tree| self.field(field, value, &at.name(field.name), indent + deeper);
            let required = fields.iter().filter(|field| matches!(field.unset, Unset::Never));
            let arguments = required.filter_map(|field| Some(value(field, inputs.get(field.name)?)));
            let new = format!("{name}::new({})", arguments.collect::<Vec<_>>().join(", "));
            let optional = fields.iter().filter(|field| !matches!(field.unset, Unset::Never));
            let setters = optional.filter_map(|field| {
                let given = inputs.get(field.name).filter(|given| !is_default(field, given))?;
                Some(format!(".{}({})", setter(field.name), value(field, given)))
            });
            (new, setters.collect::<Vec<_>>())
        };
        let (start, setters) = build(0);
        let line = format!("{start}{}", setters.concat());
        if setters.is_empty() || (!line.contains('\n') && indent + line.len() <= COLUMNS) {
            return line;
        }
        let (start, setters) = build(4);
        let break_line = format!("\n{:width$}", "", width = indent + 4);
        setters.iter().fold(start, |text, setter| text + &break_line + setter)
    }

    fn field(&self, field: &Field, value: &Tree, at: &Path, indent: usize) -> String {
        match (field.shape, value) {
            (Shape::Block(fields), value) => self.built(field.rust_type, fields(), value, at, indent),
            (Shape::Blocks(fields), Tree::List(items)) => list(items.len(), indent, &|index, indent| {
                self.built(field.rust_type, fields(), &items[index], &at.element(index), indent)
            }),
            (Shape::BlockMap(fields), Tree::Map(entries)) => {
                let entries: Vec<(&Name, &Tree)> = entries.iter().collect();
                list(entries.len(), indent, &|index, indent| {
                    let (key, entry) = entries[index];
                    format!(
                        "({}, {})",
                        literal(key),
                        self.built(field.rust_type, fields(), entry, &at.name(key), indent)
                    )
                })
            }
            (Shape::Leaf | Shape::Blocks(_) | Shape::BlockMap(_), value) => {
                self.leaf(field, field.rust_type, value, at, indent).text
            }
        }
    }

    /// A value of this Rust type.
    fn leaf(&self, field: &Field, rust_type: &str, value: &Tree, path: &Path, indent: usize) -> Expression {
        if field.secret || matches!(value, Tree::Secret(_)) {
            return Expression::foreign(self.secret(rust_type, path));
        }
        if let Some(value) = value.plain()
            && let Some(name) = (self.named)(&Place { field, rust_type, path, value: &value })
        {
            return Expression::foreign(name);
        }
        let inner = |wrapper: &str| rust_type.strip_prefix(wrapper).and_then(|rest| rest.strip_suffix('>'));
        match value {
            Tree::List(items) if let Some(element) = inner("Vec<") => {
                if items.is_empty() {
                    return Expression::plain(format!("Vec::<{element}>::new()"));
                }
                let one = |index: usize, indent| self.leaf(field, element, &items[index], &path.element(index), indent);
                let foreign = (0..items.len()).any(|index| one(index, indent).foreign);
                Expression::plain(list(items.len(), indent, &|index, indent| {
                    given(one(index, indent), element, foreign)
                }))
            }
            Tree::Map(entries) if let Some(element) = inner("BTreeMap<String,") => {
                if entries.is_empty() {
                    return Expression::plain("[(\"\", \"\"); 0]".to_owned());
                }
                let entries: Vec<(&Name, &Tree)> = entries.iter().collect();
                let one = |index: usize, indent| {
                    self.leaf(field, element, entries[index].1, &path.name(entries[index].0), indent)
                };
                let foreign = (0..entries.len()).any(|index| one(index, indent).foreign);
                Expression::plain(list(entries.len(), indent, &|index, indent| {
                    format!("({}, {})", literal(entries[index].0), given(one(index, indent), element, foreign))
                }))
            }
            value if value.has_secrets() => Expression::foreign(self.secret(rust_type, path)),
            value => Expression::plain(plain(field, rust_type, &value.shown(), indent)),
        }
    }

    /// What is secret is asked of the configuration, under a name that says where it belongs.
    fn secret(&self, rust_type: &str, path: &Path) -> String {
        let place = variable(&path.to_string());
        let words = place.split('_').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_");
        let key = literal(&format!("{}_{words}", self.secret_prefix));
        match rust_type {
            "String" | "Secret<String>" | "" => format!("stack.config_secret({key})?"),
            other => format!("stack.config::<Secret<{}>>({key})?", named(other)),
        }
    }
}

/// An element as all of its list can be.
fn given(element: Expression, rust_type: &str, foreign: bool) -> String {
    if foreign { format!("IntoInput::<{rust_type}>::into_input({})", element.text) } else { element.text }
}

fn plain(field: &Field, rust_type: &str, value: &Value, indent: usize) -> String {
    match (rust_type.rsplit("::").next().unwrap_or(rust_type), value) {
        ("String", Value::String(text)) => literal(text),
        ("f64", Value::Number(number)) => format!("{:?}", number.as_f64().unwrap_or_default()),
        ("bool", Value::Bool(_)) | ("i32" | "i64" | "u32" | "u64", Value::Number(_)) => value.to_string(),
        (name, Value::String(text)) if name.starts_with("Id<") => format!("Id::new({})", literal(text)),
        (name, Value::String(text)) if name != "Value" => match field.names.iter().find(|(known, _)| known == text) {
            Some((_, variant)) => format!("{name}::{variant}"),
            None => format!("{name}::from({})", literal(text)),
        },
        (name, value) => format!("from_json::<{}>({})?", named(name), literal(&json_text(value, indent))),
    }
}

/// A type as the prelude names it.
fn named(rust_type: &str) -> &str {
    if rust_type == "Value" { "Json" } else { rust_type }
}

/// JSON on one line where it is short.
fn json_text(value: &Value, indent: usize) -> String {
    let line = value.to_string();
    let pretty = serde_json::to_string_pretty(value).unwrap_or_default();
    if line.len() <= COLUMNS / 2 { line } else { pretty.replace('\n', &format!("\n{:indent$}", "")) }
}

fn list(items: usize, indent: usize, item: &dyn Fn(usize, usize) -> String) -> String {
    let flat = (0..items).map(|index| item(index, indent)).collect::<Vec<_>>().join(", ");
    if !flat.contains('\n') && indent + flat.len() <= COLUMNS - 20 {
        return format!("[{flat}]");
    }
    let pad = |width: usize| " ".repeat(width);
    let lines: Vec<String> = (0..items).map(|index| pad(indent + 4) + &item(index, indent + 4) + ",\n").collect();
    format!("[\n{}{}]", lines.concat(), pad(indent))
}

fn is_default(field: &Field, value: &Tree) -> bool {
    match (field.unset, value) {
        (Unset::Default(default), value) => value.plain() == Some(default()),
        (_, Tree::Map(entries)) => entries.is_empty(),
        (Unset::Never | Unset::Computed | Unset::Nullable | Unset::Replaces, _) => false,
    }
}
