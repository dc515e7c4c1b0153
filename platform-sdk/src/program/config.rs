//! A stack's configuration: a committed TOML file, overridden by the environment.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    config_secrets::{KEY, Sealer, is_secret, sealed},
    names::of_config,
    nesting::too_deep,
};
use crate::{
    Result,
    desired::Tree,
    report::{Diagnostic, Error},
    scrub::keep_secret,
};

/// The prefix of variables that override configuration: `PLATFORM_CONFIG_REGION` overrides `region`.
const VARIABLE_PREFIX: &str = "PLATFORM_CONFIG_";

/// The section that every stack starts from.
const DEFAULTS: &str = "default";

/// One value, with where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigValue {
    /// The value.
    pub value: Value,
    /// `examples/prod.toml` or a variable's name.
    pub source: String,
    /// The table of the file whose key it is encrypted with; `None` where it is in clear.
    pub sealed_in: Option<String>,
}

/// A stack's configuration, and which of its keys the program asked for.
///
/// The file has a table for each stack, and one called `default` that all of them start from.
#[derive(Debug, Default)]
pub struct Config {
    stack: String,
    file: Option<PathBuf>,
    values: BTreeMap<String, ConfigValue>,
    asked: RefCell<BTreeSet<String>>,
    secret: RefCell<BTreeSet<String>>,
    /// Those that the program was given, in clear.
    given: RefCell<Vec<String>>,
    sealer: Sealer,
}

impl Config {
    /// Reads a stack's configuration.
    ///
    /// # Errors
    /// When the file can't be read, is not TOML, or has anything but tables at its top.
    pub(crate) fn load(
        stack: &str,
        file: Option<&Path>,
        environment: &BTreeMap<String, String>,
        sealer: Sealer,
    ) -> Result<Self> {
        let mut config = Self { stack: stack.to_owned(), file: file.map(Path::to_owned), sealer, ..Self::default() };
        if let Some(file) = file {
            config.read_bytes(file, &content(file)?)?;
        }
        for (name, text) in environment {
            let Some(key) = name.strip_prefix(VARIABLE_PREFIX) else { continue };
            let value = ConfigValue { value: Value::String(text.clone()), source: name.clone(), sealed_in: None };
            config.values.insert(key.to_lowercase(), value);
        }
        Ok(config)
    }

    /// The stacks that a file has a table of.
    ///
    /// # Errors
    /// When it can't be read, or is not TOML.
    pub(crate) fn stacks(file: &Path) -> Result<BTreeSet<String>> {
        let tables = parsed(file, &content(file)?)?;
        Ok(tables
            .into_iter()
            .filter(|(name, value)| value.is_table() && name != DEFAULTS)
            .map(|(name, _)| name)
            .collect())
    }

    /// Takes over what the file says for the stack.
    ///
    /// # Errors
    /// When it is not TOML, or has anything but tables at its top.
    pub(crate) fn read_bytes(&mut self, file: &Path, bytes: &[u8]) -> Result<()> {
        let table = parsed(file, bytes)?;
        for section in [DEFAULTS, &self.stack] {
            match table.get(section) {
                None => {}
                Some(toml::Value::Table(values)) => {
                    for (key, value) in values {
                        let value = serde_json::to_value(value)?;
                        if key == KEY {
                            self.sealer.learn(section, value)?;
                            continue;
                        }
                        let sealed_in = Sealer::sealed(&value).map(|_| section.to_owned());
                        let value = ConfigValue { value, source: file.display().to_string(), sealed_in };
                        self.values.insert(key.clone(), value);
                    }
                }
                Some(_) => return Err(not_a_table(file, section).into()),
            }
        }
        match table.iter().find(|(_, value)| !value.is_table()) {
            Some((key, _)) => Err(not_a_table(file, key).into()),
            None => Ok(()),
        }
    }

    /// The value of a key, which the program asks for at this place.
    pub(crate) fn get<T: DeserializeOwned>(&self, key: &str, at: &str) -> Result<Option<T>> {
        self.asked.borrow_mut().insert(key.to_owned());
        let wanted_secret = is_secret::<T>();
        if wanted_secret {
            self.mark_secret(key);
        }
        let Some(found) = self.values.get(key) else { return Ok(None) };
        let Some(value) = self.in_clear(key, found, wanted_secret)? else {
            return sealed().map(Some).ok_or_else(|| self.needs_key(key, found).at(at).into());
        };
        if self.is_secret(key) {
            self.gives(&value);
        }
        self.check_depth(key, found, &value)?;
        let wrong = |error: serde_json::Error| {
            let shown = if self.is_secret(key) { String::new() } else { format!(": {error}") };
            Error::from(
                Diagnostic::error(format!("config key `{key}` of stack `{}` has the wrong type", self.stack))
                    .detail(format!("from {}{shown}", found.source))
                    .hint(format!("the program wants a {}", short_type_name::<T>()))
                    .at(at),
            )
        };
        match of_config(|| serde_json::from_value(value.clone())) {
            Ok(value) => Ok(Some(value)),
            // Variables are text; numbers, booleans and lists are written in them as JSON.
            Err(error) => {
                match self.text_of(key, found, &value)?.map(|text| of_config(|| serde_json::from_str(text))) {
                    Some(Ok(value)) => Ok(Some(value)),
                    // It is JSON, and what is wrong is in it.
                    Some(Err(inside)) if inside.is_data() => Err(wrong(inside)),
                    Some(Err(_)) | None => Err(wrong(error)),
                }
            }
        }
    }

    /// The text of a value that is one; it may be JSON, of a depth that can be used.
    fn text_of<'v>(&self, key: &str, found: &ConfigValue, value: &'v Value) -> Result<Option<&'v str>> {
        let text = value.as_str();
        if let Some(written) = text.and_then(|text| serde_json::from_str::<Value>(text).ok()) {
            self.check_depth(key, found, &written)?;
        }
        Ok(text)
    }

    /// Refuses what could go into no resource.
    fn check_depth(&self, key: &str, found: &ConfigValue, value: &Value) -> Result<()> {
        let Some(why) = too_deep(value) else { return Ok(()) };
        let why = if self.is_secret(key) { String::new() } else { format!(": {why}") };
        let problem = Diagnostic::error(format!("config key `{key}` of stack `{}` nests too deep", self.stack));
        Err(problem.detail(format!("from {}{why}", found.source)).into())
    }

    /// A value, opened where it is encrypted; `None` where it stays so.
    fn in_clear(&self, key: &str, found: &ConfigValue, wanted_secret: bool) -> Result<Option<Value>> {
        let (Some(table), Some(sealed)) = (&found.sealed_in, Sealer::sealed(&found.value)) else {
            return Ok(Some(found.value.clone()));
        };
        if !wanted_secret && !self.secret.borrow().contains(key) {
            let problem = Diagnostic::error(format!("config key `{key}` of stack `{}` is a secret", self.stack))
                .detail(format!("it is encrypted in {}, and the program would read it in clear", found.source))
                .hint(format!("read it with `stack.config_secret(\"{key}\")`, or as a `Secret<..>`"));
            return Err(problem.into());
        }
        Ok(self.sealer.open(table, key, sealed)?)
    }

    /// That the program wants a value in clear which stays sealed.
    fn needs_key(&self, key: &str, found: &ConfigValue) -> Diagnostic {
        Diagnostic::error(format!("config key `{key}` of stack `{}` can't be read without its key", self.stack))
            .detail(format!("it is encrypted in {}, and the program reads it in clear", found.source))
            .hint("read it as a `Secret<..>`, which a plan needs no key for, or give the key")
    }

    /// The program is given a secret, from wherever: what becomes of it is its own business, and told by nobody else.
    fn gives(&self, value: &Value) {
        let mut given = self.given.borrow_mut();
        Tree::Secret(Box::new(value.clone().into())).collect_secrets(&mut given);
        given.iter().for_each(|secret| keep_secret(secret));
    }

    /// The secrets that the program was given.
    pub(crate) fn given(&self) -> Vec<String> {
        self.given.borrow().clone()
    }

    /// What seals for the config file.
    pub(crate) fn into_sealer(self) -> Sealer {
        self.sealer
    }

    /// What opens and seals the secrets of the config file.
    pub(crate) fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    pub(crate) fn mark_secret(&self, key: &str) {
        self.secret.borrow_mut().insert(key.to_owned());
    }

    pub(crate) fn missing(&self, key: &str) -> Diagnostic {
        let place = match &self.file {
            Some(file) => format!("set `{key}` under `[{}]` or `[{DEFAULTS}]` in {}, or ", self.stack, file.display()),
            None => String::new(),
        };
        Diagnostic::error(format!("config key `{key}` of stack `{}` is missing", self.stack))
            .hint(format!("{place}set {VARIABLE_PREFIX}{}", key.to_uppercase()))
    }

    /// Complains of keys that the program never asked for: a typing error would otherwise be silent.
    pub(crate) fn unknown_keys(&self) -> Vec<Diagnostic> {
        let asked = self.asked.borrow();
        let unknown = self.values.iter().filter(|(key, _)| !asked.contains(*key));
        unknown
            .map(|(key, value)| {
                let known = asked.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
                Diagnostic::error(format!(
                    "config key `{key}` of stack `{}` is not one the program asks for",
                    self.stack
                ))
                .detail(format!(
                    "set in {}; the program asks for {}",
                    value.source,
                    if known.is_empty() { "none" } else { &known }
                ))
                .hint("correct its spelling, or remove it")
            })
            .collect()
    }

    /// Whether the program reads this key as a secret, or the file has it encrypted.
    pub(crate) fn is_secret(&self, key: &str) -> bool {
        self.secret.borrow().contains(key) || self.values.get(key).is_some_and(|value| value.sealed_in.is_some())
    }

    /// Whether the program has asked for this key.
    pub(crate) fn was_asked(&self, key: &str) -> bool {
        self.asked.borrow().contains(key)
    }

    /// All values, for `config list`.
    pub fn values(&self) -> &BTreeMap<String, ConfigValue> {
        &self.values
    }
}

fn content(file: &Path) -> Result<Vec<u8>> {
    let path = crate::files::locate(file)?;
    let unread = |error: std::io::Error| {
        Diagnostic::error(format!("cannot read the config file `{}`", file.display())).detail(error.to_string())
    };
    Ok(crate::files::read(&path).map_err(unread)?)
}

fn parsed(file: &Path, bytes: &[u8]) -> Result<toml::Table, Diagnostic> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Diagnostic::error(format!("the config file `{}` is not text", file.display())).detail(error.to_string())
    })?;
    text.parse().map_err(|error: toml::de::Error| {
        Diagnostic::error(format!("the config file `{}` is not TOML", file.display())).detail(error.to_string())
    })
}

fn not_a_table(file: &Path, key: &str) -> Diagnostic {
    Diagnostic::error(format!("`{key}` in the config file `{}` is not a table", file.display()))
        .hint(format!("put keys under a stack's name, or under `[{DEFAULTS}]` for all stacks"))
}

/// A type without its path: `String`.
pub(super) fn short_type_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    name.rsplit("::").next().unwrap_or(name)
}
