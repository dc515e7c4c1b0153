//! Trees: values in which some leaves are secret and some are not known yet.

use std::fmt;

use serde_json::{Map, Value};

use super::{Entries, Hash, Name, evaluate};
use crate::program::{DEPTH, Expr, Trail, deep_at};

/// How secrets stand in what is shown.
const REDACTED: &str = "[secret]";

/// A resource's inputs or outputs as the engine compares and stores them.
#[derive(Clone, PartialEq)]
pub enum Tree {
    /// A scalar.
    Leaf(Value),
    /// A list.
    List(Vec<Tree>),
    /// A map or struct; unset fields are absent.
    Map(Entries<Tree>),
    /// Not known yet; the expression that will give it.
    Unknown(String),
    /// Known and secret.
    Secret(Box<Tree>),
}

/// Without secrets: what is printed to find a mistake ends in logs.
impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf(value) => value.fmt(f),
            Self::List(items) => items.fmt(f),
            Self::Map(entries) => f.debug_map().entries(entries.iter()).finish(),
            Self::Unknown(expr) => write!(f, "unknown({expr})"),
            Self::Secret(_) => f.write_str("[secret]"),
        }
    }
}

impl Default for Tree {
    fn default() -> Self {
        Self::Map(Entries::new())
    }
}

impl From<Value> for Tree {
    fn from(value: Value) -> Self {
        match value {
            Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Value::Object(entries) => Self::Map(entries.into_iter().map(|(k, v)| (k, Self::from(v))).collect()),
            scalar => Self::Leaf(scalar),
        }
    }
}

impl Tree {
    /// The tree of an expression without outputs, as drivers make it.
    pub fn of_known(expr: &Expr) -> Self {
        evaluate(expr, &mut |_, _| None)
    }

    /// The value with its secrets in clear, for a driver; `None` while any of it is unknown.
    pub fn plain(&self) -> Option<Value> {
        match self {
            Self::Leaf(value) => Some(value.clone()),
            Self::List(items) => items.iter().map(Self::plain).collect::<Option<Vec<_>>>().map(Value::Array),
            Self::Map(entries) => entries
                .iter()
                .map(|(key, entry)| entry.plain().map(|value| (key.to_string(), value)))
                .collect::<Option<Map<_, _>>>()
                .map(Value::Object),
            Self::Unknown(_) => None,
            Self::Secret(inner) => inner.plain(),
        }
    }

    /// The value with every secret leaf replaced by what `seal` makes of it and every unknown by what `unknown` does.
    pub fn render(&self, seal: &mut dyn FnMut(&str, &Value) -> Value, unknown: &dyn Fn(&str) -> Value) -> Value {
        self.render_at("", seal, unknown)
    }

    fn render_at(
        &self,
        path: &str,
        seal: &mut dyn FnMut(&str, &Value) -> Value,
        unknown: &dyn Fn(&str) -> Value,
    ) -> Value {
        match self {
            Self::Leaf(value) => value.clone(),
            Self::List(items) => {
                let items = items.iter().enumerate();
                Value::Array(items.map(|(i, item)| item.render_at(&format!("{path}[{i}]"), seal, unknown)).collect())
            }
            Self::Map(entries) => {
                let entry = |(key, entry): (&Name, &Tree)| {
                    let below = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
                    (key.to_string(), entry.render_at(&below, seal, unknown))
                };
                Value::Object(entries.iter().map(entry).collect())
            }
            Self::Unknown(expr) => unknown(expr),
            Self::Secret(_) if self.is_sealed() => unknown(REDACTED),
            Self::Secret(inner) => match inner.plain() {
                Some(value) => seal(path, &value),
                None => inner.render_at(path, seal, unknown),
            },
        }
    }

    /// The value as it may be shown: secrets as `[secret]`, unknowns as their expressions.
    pub fn shown(&self) -> Value {
        self.render(&mut |_, _| Value::String(REDACTED.to_owned()), &|expr| Value::String(expr.to_owned()))
    }

    /// Whether all of it is known.
    pub fn is_known(&self) -> bool {
        match self {
            Self::Leaf(_) => true,
            Self::List(items) => items.iter().all(Self::is_known),
            Self::Map(entries) => entries.values().all(Self::is_known),
            Self::Unknown(_) => false,
            Self::Secret(inner) => inner.is_known(),
        }
    }

    /// Whether any of it is secret.
    pub fn has_secrets(&self) -> bool {
        match self {
            Self::Leaf(_) | Self::Unknown(_) => false,
            Self::List(items) => items.iter().any(Self::has_secrets),
            Self::Map(entries) => entries.values().any(Self::has_secrets),
            Self::Secret(_) => true,
        }
    }

    /// The field of a map.
    pub fn get(&self, field: &str) -> Option<&Tree> {
        match self {
            Self::Map(entries) => entries.get(field),
            Self::Secret(inner) => inner.get(field),
            Self::Leaf(_) | Self::List(_) | Self::Unknown(_) => None,
        }
    }

    /// Text of a leaf, secret or not.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Leaf(Value::String(text)) => Some(text),
            Self::Secret(inner) => inner.as_str(),
            Self::Leaf(_) | Self::List(_) | Self::Map(_) | Self::Unknown(_) => None,
        }
    }

    /// The value with its secrets in clear, without what is not known in it.
    pub fn plain_part(&self) -> Option<Value> {
        match self {
            Self::Map(entries) => {
                let known = |(key, entry): (&Name, &Self)| Some((key.to_string(), entry.plain_part()?));
                Some(Value::Object(entries.iter().filter_map(known).collect()))
            }
            Self::Secret(inner) => inner.plain_part(),
            other => other.plain(),
        }
    }

    /// Where it nests deeper than state may, in words.
    pub fn too_deep(&self) -> Option<String> {
        self.deep(DEPTH, Trail::Top)
    }

    /// Where one of its fields does.
    pub fn field_too_deep(&self) -> Option<String> {
        let Self::Map(fields) = self else { return self.too_deep() };
        fields.iter().find_map(|(name, field)| field.deep(DEPTH, Trail::Top.key(name)))
    }

    fn deep(&self, left: usize, at: Trail<'_>) -> Option<String> {
        match self {
            Self::Leaf(_) | Self::Unknown(_) => None,
            _ if left == 0 => Some(deep_at(at)),
            Self::List(items) => {
                items.iter().enumerate().find_map(|(index, item)| item.deep(left - 1, at.index(index)))
            }
            Self::Map(entries) => entries.iter().find_map(|(key, entry)| entry.deep(left - 1, at.key(key))),
            Self::Secret(inner) => inner.deep(left - 1, at),
        }
    }

    /// The same tree with each field that nests too deep not known.
    pub fn without_deep_fields(self) -> Tree {
        let Self::Map(fields) = &self else { return self };
        if fields.values().all(|field| field.too_deep().is_none()) {
            return self;
        }
        let bounded = |(name, field): (&Name, &Self)| {
            let deep = field.too_deep().map(Self::Unknown);
            (name.clone(), deep.unwrap_or_else(|| field.clone()))
        };
        Self::Map(fields.iter().map(bounded).collect())
    }

    /// The same tree without its marks of secrecy.
    pub fn exposed(&self) -> Tree {
        match self {
            Self::Leaf(_) | Self::Unknown(_) => self.clone(),
            Self::List(items) => Self::List(items.iter().map(Self::exposed).collect()),
            Self::Map(entries) => {
                Self::Map(entries.iter().map(|(key, entry)| (key.clone(), entry.exposed())).collect())
            }
            Self::Secret(inner) => inner.exposed(),
        }
    }

    /// Whether both are the same, secret or not.
    pub fn is_alike(&self, other: &Tree) -> bool {
        if self.has_secrets() || other.has_secrets() { self.exposed() == other.exposed() } else { self == other }
    }

    /// Adds every secret text and number in this tree to `secrets`, and the keys of what is secret as a whole.
    pub fn collect_secrets(&self, secrets: &mut Vec<String>) {
        match self {
            Self::Leaf(_) | Self::Unknown(_) => {}
            Self::List(items) => items.iter().for_each(|item| item.collect_secrets(secrets)),
            Self::Map(entries) => entries.values().for_each(|entry| entry.collect_secrets(secrets)),
            Self::Secret(inner) => inner.collect_leaves(secrets),
        }
    }

    fn collect_leaves(&self, texts: &mut Vec<String>) {
        match self {
            Self::Leaf(Value::String(text)) if !text.is_empty() => texts.push(text.clone()),
            Self::Leaf(Value::Number(number)) => texts.push(number.to_string()),
            Self::Leaf(_) | Self::Unknown(_) => {}
            Self::List(items) => items.iter().for_each(|item| item.collect_leaves(texts)),
            Self::Map(entries) => {
                // What reads as the name of a field is one.
                let is_name = |key: &str| key.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
                texts.extend(entries.keys().filter(|key| !is_name(key)).map(ToString::to_string));
                entries.values().for_each(|entry| entry.collect_leaves(texts));
            }
            Self::Secret(inner) => inner.collect_leaves(texts),
        }
    }

    /// The input that this output is: more than a scalar, and the same.
    pub fn input_among<'i>(&self, inputs: &'i Tree) -> Option<(&'i Name, &'i Tree)> {
        let (Self::Map(inputs), Self::Map(_) | Self::List(_) | Self::Secret(_)) = (inputs, self) else { return None };
        inputs.iter().find(|(_, input)| *input == self)
    }

    /// The names of the outputs that are an input, and of that input.
    pub fn inputs_among<'t>(&'t self, inputs: &'t Tree) -> impl Iterator<Item = (&'t Name, &'t Name)> {
        let outputs = if let Self::Map(outputs) = self { Some(outputs) } else { None };
        let outputs = outputs.into_iter().flatten();
        outputs.filter_map(|(name, output)| Some((name, output.input_among(inputs)?.0)))
    }

    /// These outputs; what is an input as well is the input's own, and no copy of it.
    pub fn sharing(self, inputs: &Tree) -> Tree {
        let Self::Map(outputs) = &self else { return self };
        if self.inputs_among(inputs).next().is_none() {
            return self;
        }
        let entry = |(name, output): (&Name, &Self)| {
            (name.clone(), output.input_among(inputs).map_or(output, |(_, input)| input).clone())
        };
        Self::Map(outputs.iter().map(entry).collect())
    }

    /// Adds to outputs those that are an input: the names of both.
    ///
    /// # Errors
    /// The name of an input that is missing.
    pub fn take_inputs<'n>(&mut self, inputs: &Tree, same: &'n Entries<Name>) -> Result<(), &'n Name> {
        if same.is_empty() {
            return Ok(());
        }
        let input = |(output, input): (&Name, &'n Name)| match inputs {
            Self::Map(inputs) => inputs.get(input).map(|input| (output.clone(), input.clone())).ok_or(input),
            _ => Err(input),
        };
        let taken = same.iter().map(input).collect::<Result<Vec<_>, _>>()?;
        match self {
            Self::Map(outputs) => outputs.extend(taken),
            _ => *self = Self::Map(taken.into_iter().collect()),
        }
        Ok(())
    }

    /// The hash of a known tree; secret leaves enter as what `keyed` makes of them.
    pub fn hash(&self, keyed: &dyn Fn(&Value) -> String) -> Hash {
        super::hash(&self.render(
            &mut |_, value| serde_json::json!({"$hmac": keyed(value)}),
            &|expr| serde_json::json!({"$unknown": expr}),
        ))
    }
}

/// The tree inside a secret, and whether it was one.
pub fn unwrap_secrets(tree: &Tree) -> (&Tree, bool) {
    match tree {
        Tree::Secret(inner) => (unwrap_secrets(inner).0, true),
        other => (other, false),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Secret, ToExpr as _};

    #[test]
    fn no_debug_print_shows_a_secret() {
        let expr = Expr::map([
            ("password".into(), Secret::new("canary".to_owned()).to_expr()),
            ("n".into(), json!(1).to_expr()),
        ]);
        let tree = Tree::of_known(&expr);
        assert_eq!(format!("{tree:?}"), "{\"n\": Number(1), \"password\": [secret]}");
        assert_eq!(format!("{expr:?}"), "{n: 1, password: [secret]}");
    }

    #[test]
    fn an_output_that_is_an_input_is_kept_once_and_one_that_is_secret_there_stays_apart() {
        let map = |number: i64| Tree::from(json!({"deep": {"n": number}}));
        let inputs = Tree::Map([("input", map(1)), ("token", Tree::Secret(Box::new(map(3))))].into());
        let outputs = Tree::Map([("output", map(1)), ("other", map(2)), ("token", map(3))].into());
        let shared = outputs.clone().sharing(&inputs);
        assert_eq!(shared, outputs);
        let is_same = |one: &str, other: &str| match (inputs.get(one), shared.get(other)) {
            (Some(Tree::Map(one)), Some(Tree::Map(other))) => one.is_same(other),
            _ => false,
        };
        assert!(is_same("input", "output") && !is_same("input", "other") && !is_same("token", "token"));
    }

    #[test]
    fn outputs_that_are_inputs_are_named_and_come_back_and_scalars_are_not_worth_it() {
        let secret = |text: &str| Tree::Secret(Box::new(Tree::from(json!(text))));
        let inputs = Tree::Map([("a", json!([1]).into()), ("b", json!("b").into()), ("c", secret("c"))].into());
        let outputs = Tree::Map(
            [("b", json!("b").into()), ("c", json!("c").into()), ("x", json!([1]).into()), ("z", secret("c"))].into(),
        );
        let same: Entries<Name> =
            outputs.inputs_among(&inputs).map(|(output, input)| (output.clone(), input.clone())).collect();
        assert_eq!(same, [("x", Name::from("a")), ("z", Name::from("c"))].into());
        let mut read = Tree::Map([("b", json!("b").into()), ("c", json!("c").into())].into());
        assert_eq!(read.take_inputs(&inputs, &same), Ok(()));
        assert_eq!(read, outputs);
        assert_eq!(read.take_inputs(&Tree::default(), &same), Err(&Name::from("a")));
        assert_eq!(read, outputs);
    }

    #[test]
    fn there_are_very_many_of_them_so_they_are_small() {
        assert_eq!((size_of::<Tree>(), size_of::<Expr>(), size_of::<(Name, Tree)>()), (32, 32, 48));
    }
}
