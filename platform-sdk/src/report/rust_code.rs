//! A resource's inputs as the Rust that declares them, from its schema: what `import` and `drift --accept` print.

use serde_json::Value;

use crate::{
    desired::{Address, Name, Tree},
    program::{Field, Schema, Shape, Unset},
};

/// Columns before a chain or a list is broken.
const COLUMNS: usize = 100;

/// Words that can't name a variable.
const KEYWORDS: [&str; 12] =
    ["as", "async", "const", "crate", "fn", "impl", "loop", "match", "mod", "ref", "type", "use"];

/// Names what a field refers to, where a variable of the program is better than its value: `&lake`.
pub type Named<'a> = &'a dyn Fn(&Field, &Value) -> Option<String>;

/// The statement that declares a resource with these inputs: `let lake = stack.add("lake", Catalog::new("lake"));`.
///
/// Fields that hold their default are left out. A secret is read from the configuration, never printed.
pub fn rust_code(address: &Address, schema: &Schema, inputs: &Tree, named: Named<'_>) -> String {
    let name = address.path().rsplit('/').next().unwrap_or_default();
    let variable = variable(name);
    let code = Code { names: named, secret_prefix: variable.clone() };
    let resource = code.built(type_ident(schema.type_name), schema.fields(), inputs, 0);
    let within = address.path().rsplit_once('/').map(|(component, _)| format!("// in the component `{component}`\n"));
    let head = format!("let {variable} = stack.add({}, ", literal(name));
    let one_line = !resource.contains('\n') && head.len() + resource.len() + 2 <= COLUMNS;
    let statement = if one_line {
        format!("{head}{resource});\n")
    } else {
        let resource = code.built(type_ident(schema.type_name), schema.fields(), inputs, 4);
        format!("let {variable} = stack.add(\n    {},\n    {resource},\n);\n", literal(name))
    };
    within.unwrap_or_default() + &statement
}

/// The Rust name of a type: what follows the last separator of its address type.
fn type_ident(type_name: &str) -> &str {
    type_name.rsplit([':', '/', '.']).next().unwrap_or(type_name)
}

/// A variable for a resource of this name.
pub fn variable(name: &str) -> String {
    let mut text: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        text.insert(0, '_');
    }
    if KEYWORDS.contains(&text.as_str()) {
        text.push('_');
    }
    text
}

struct Code<'a> {
    names: Named<'a>,
    secret_prefix: String,
}

impl Code<'_> {
    /// `Column::new("id").comment("x")`, broken into a chain where it is long.
    fn built(&self, name: &str, fields: &[Field], inputs: &Tree, indent: usize) -> String {
        let build = |deeper: usize| {
            let required = fields.iter().filter(|field| matches!(field.unset, Unset::Never));
            let arguments =
                required.filter_map(|field| Some(self.field(field, inputs.get(field.name)?, indent + deeper)));
            let new = format!("{name}::new({})", arguments.collect::<Vec<_>>().join(", "));
            let optional = fields.iter().filter(|field| !matches!(field.unset, Unset::Never));
            let setters = optional.filter_map(|field| {
                let value = inputs.get(field.name).filter(|value| !is_default(field, value))?;
                Some(format!(".{}({})", field.name, self.field(field, value, indent + deeper)))
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

    fn field(&self, field: &Field, value: &Tree, indent: usize) -> String {
        if let Some(name) = value.plain().and_then(|value| (self.names)(field, &value)) {
            return name;
        }
        if field.secret || matches!(value, Tree::Secret(_)) {
            return format!("stack.config_secret({})?", literal(&format!("{}_{}", self.secret_prefix, field.name)));
        }
        match (field.shape, value) {
            (Shape::Block(fields), value) => self.built(field.rust_type, fields(), value, indent),
            (Shape::Blocks(fields), Tree::List(items)) => {
                let item = |item: &Tree, indent| self.built(field.rust_type, fields(), item, indent);
                list(items, indent, &item)
            }
            (Shape::BlockMap(fields), Tree::Map(entries)) => {
                let entry = |(key, entry): &(&Name, &Tree), indent| {
                    format!("({}, {})", literal(key), self.built(field.rust_type, fields(), entry, indent))
                };
                list(&entries.iter().collect::<Vec<_>>(), indent, &entry)
            }
            (Shape::Leaf | Shape::Blocks(_) | Shape::BlockMap(_), value) => plain(field.rust_type, value, indent),
        }
    }
}

/// A plain value of this Rust type.
fn plain(rust_type: &str, value: &Tree, indent: usize) -> String {
    let shown = value.shown();
    let inner = |wrapper: &str| rust_type.strip_prefix(wrapper).and_then(|rest| rest.strip_suffix('>'));
    if let (Some(element), Tree::List(items)) = (inner("Vec<"), value) {
        return list(items, indent, &|item: &Tree, indent| plain(element, item, indent));
    }
    if let (Some(element), Tree::Map(entries)) = (inner("BTreeMap<String,"), value) {
        let entry =
            |(key, entry): &(&Name, &Tree), indent| format!("({}, {})", literal(key), plain(element, entry, indent));
        return list(&entries.iter().collect::<Vec<_>>(), indent, &entry);
    }
    match (rust_type.rsplit("::").next().unwrap_or(rust_type), &shown) {
        ("String" | "", Value::String(text)) => literal(text),
        ("f64", Value::Number(number)) => format!("{:?}", number.as_f64().unwrap_or_default()),
        ("bool" | "i32" | "i64" | "u32" | "u64" | "", Value::Bool(_) | Value::Number(_)) => shown.to_string(),
        ("Value" | "", _) => format!("json!({shown})"),
        (name, Value::String(text)) if name.starts_with("Id<") => format!("Id::new({})", literal(text)),
        (_, Value::String(text)) => format!("{rust_type}::from({})", literal(text)),
        _ => format!("serde_json::from_value::<{rust_type}>(json!({shown}))?"),
    }
}

fn list<T>(items: &[T], indent: usize, item: &dyn Fn(&T, usize) -> String) -> String {
    let flat = items.iter().map(|one| item(one, indent)).collect::<Vec<_>>().join(", ");
    if !flat.contains('\n') && indent + flat.len() <= COLUMNS - 20 {
        return format!("[{flat}]");
    }
    let pad = |width: usize| " ".repeat(width);
    let lines: Vec<String> = items.iter().map(|one| pad(indent + 4) + &item(one, indent + 4) + ",\n").collect();
    format!("[\n{}{}]", lines.concat(), pad(indent))
}

fn is_default(field: &Field, value: &Tree) -> bool {
    match (field.unset, value) {
        (Unset::Default(default), value) => value.plain() == Some(default()),
        (_, Tree::Map(entries)) => entries.is_empty(),
        (Unset::Never | Unset::Computed | Unset::Nullable | Unset::Replaces, _) => false,
    }
}

/// A string literal; a raw one where that is easier to read.
fn literal(text: &str) -> String {
    let raw_reads_better = text.contains(['\n', '"', '\\']);
    if !raw_reads_better || text.chars().any(|c| c.is_control() && c != '\n') {
        return format!("{text:?}");
    }
    let longest = text.split('"').skip(1).map(|rest| rest.chars().take_while(|c| *c == '#').count()).max();
    let hashes = "#".repeat(longest.map_or(0, |longest| longest + 1));
    format!("r{hashes}\"{text}\"{hashes}")
}
