//! Secrets of a committed config file: each sealed for its place, with a data key that its table carries along, wrapped.

use std::{cell::RefCell, collections::BTreeMap, future::Future};

use serde::{
    Deserializer,
    de::{DeserializeOwned, Error as _, Visitor, value::Error as Refused},
    forward_to_deserialize_any,
};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{
    report::Diagnostic,
    sealing::{Key, KeySource, Unwrapped, Wrapped, random_key, seal, unseal},
};

/// The key of a table under which its wrapped data key stands.
pub(crate) const KEY: &str = "$key";

/// The one key of an inline table that is a sealed value.
const SEALED: &str = "$sealed";

/// Opens and seals the secrets of one file.
#[derive(Debug, Default)]
pub(crate) struct Sealer {
    project: String,
    /// The names that it had: what was sealed under them still opens.
    formerly: Vec<String>,
    source: KeySource,
    /// The wrapped data key of each table.
    wrapped: BTreeMap<String, Wrapped>,
    opened: RefCell<BTreeMap<String, Key>>,
    /// The tables whose secrets stay sealed, and why.
    locked: RefCell<BTreeMap<String, Diagnostic>>,
}

impl Sealer {
    /// For the secrets of a project.
    pub(crate) fn new(project: &str, formerly: &[String], source: KeySource) -> Self {
        Self { project: project.to_owned(), formerly: formerly.to_owned(), source, ..Self::default() }
    }

    /// Takes note of a table's wrapped data key.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn learn(&mut self, table: &str, wrapped: Value) -> Result<(), Diagnostic> {
        let wrapped = serde_json::from_value(wrapped).map_err(|error| {
            Diagnostic::error(format!("`{KEY}` under `[{table}]` is no wrapped key"))
                .detail(error.to_string())
                .hint("restore it as it was committed; without it the secrets of that table are lost")
        })?;
        self.wrapped.insert(table.to_owned(), wrapped);
        Ok(())
    }

    /// The text of a sealed value, where a value is one.
    pub(crate) fn sealed(value: &Value) -> Option<&str> {
        let entries = value.as_object().filter(|entries| entries.len() == 1)?;
        entries.get(SEALED)?.as_str()
    }

    /// Opens a value of a table. `None` where it stays sealed, for who asks was given no key and can do without.
    ///
    /// # Errors
    /// When its key can't be unwrapped, or it was sealed elsewhere.
    pub(crate) fn open(&self, table: &str, key: &str, sealed: &str) -> Result<Option<Value>, Diagnostic> {
        let data_key = match self.unwrapped(table)? {
            Unwrapped::Key(data_key) => data_key,
            Unwrapped::Without(_) => return Ok(None),
        };
        let opened = self.places(table, key).find_map(|place| unseal(&data_key, &place, sealed));
        opened.and_then(|bytes| serde_json::from_slice(&bytes).ok()).map(Some).ok_or_else(|| {
            Diagnostic::error(format!("the secret `{key}` under `[{table}]` can't be opened"))
                .detail("it is damaged, or was encrypted for another key, table or project")
                .hint(format!("encrypt it again: `config set --secret {key}`"))
        })
    }

    /// Seals a text for a place in a table, and gives the table's wrapped key if it has just been made.
    ///
    /// # Errors
    /// When there is nothing to wrap a key with, or the table's can't be unwrapped.
    pub(crate) fn seal(&mut self, table: &str, key: &str, text: &str) -> Result<(Value, Option<Value>), Diagnostic> {
        let made = if self.wrapped.contains_key(table) { None } else { Some(self.make(table)?) };
        let bytes = Zeroizing::new(serde_json::to_vec(text).unwrap_or_default());
        let sealed = seal(&self.data_key(table)?, &self.place(table, key), &bytes);
        Ok((serde_json::json!({ SEALED: sealed }), made))
    }

    /// The wrapped keys of all tables, wrapped anew with what there is now.
    ///
    /// # Errors
    /// When one can't be unwrapped, or there is nothing to wrap it with.
    pub(crate) fn rewrapped(&self) -> Result<BTreeMap<String, Value>, Diagnostic> {
        let source = self.source.renewed();
        let again = |table: &String| {
            let key = self.data_key(table)?;
            let wrapped = waited(source.wrap(&of(table), &self.place(table, KEY), &key))?;
            Ok((table.clone(), written(&wrapped)))
        };
        self.wrapped.keys().map(again).collect()
    }

    fn make(&mut self, table: &str) -> Result<Value, Diagnostic> {
        let key = random_key();
        let wrapped = waited(self.source.wrap(&of(table), &self.place(table, KEY), &key))?;
        let value = written(&wrapped);
        self.wrapped.insert(table.to_owned(), wrapped);
        self.opened.borrow_mut().insert(table.to_owned(), key);
        Ok(value)
    }

    /// Why a value stayed sealed that was to be opened.
    pub(crate) fn locked(&self) -> Option<Diagnostic> {
        self.locked.borrow().values().next().cloned()
    }

    fn data_key(&self, table: &str) -> Result<Key, Diagnostic> {
        self.unwrapped(table)?.key()
    }

    fn unwrapped(&self, table: &str) -> Result<Unwrapped, Diagnostic> {
        if let Some(key) = self.opened.borrow().get(table) {
            return Ok(Unwrapped::Key(key.clone()));
        }
        if let Some(why) = self.locked.borrow().get(table) {
            return Ok(Unwrapped::Without(why.clone()));
        }
        let Some(wrapped) = self.wrapped.get(table) else {
            return Err(Diagnostic::error(format!("`[{table}]` holds a secret, and no key for it"))
                .detail(format!("`{KEY}` is missing there"))
                .hint("restore it as it was committed; without it the secrets of that table are lost"));
        };
        let unwrap = |place: String| waited(self.source.unwrap(&of(table), &place, wrapped));
        let unwrapped = unwrap(self.place(table, KEY))
            .or_else(|problem| self.places(table, KEY).skip(1).find_map(|place| unwrap(place).ok()).ok_or(problem))?;
        match &unwrapped {
            Unwrapped::Key(key) => drop(self.opened.borrow_mut().insert(table.to_owned(), key.clone())),
            Unwrapped::Without(why) => drop(self.locked.borrow_mut().insert(table.to_owned(), why.clone())),
        }
        Ok(unwrapped)
    }

    fn place(&self, table: &str, key: &str) -> String {
        format!("{}/config/{table}/{key}", self.project)
    }

    /// What something may have been sealed for: the place under the project's name, and under those that it had.
    fn places(&self, table: &str, key: &str) -> impl Iterator<Item = String> {
        std::iter::once(&self.project)
            .chain(&self.formerly)
            .map(move |project| format!("{project}/config/{table}/{key}"))
    }
}

fn of(table: &str) -> String {
    format!("`[{table}]` in the config file")
}

fn written(wrapped: &Wrapped) -> Value {
    serde_json::to_value(wrapped).expect("a wrapped key is plain data")
}

/// Configuration is read where a program declares, which is no place to wait in: what waits has a thread of its own.
fn waited<T: Send>(work: impl Future<Output = Result<T, Diagnostic>> + Send) -> Result<T, Diagnostic> {
    let wait = || match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => Err(Diagnostic::error("a key can't be waited for").detail(error.to_string())),
    };
    std::thread::scope(|scope| {
        let died = || Err(Diagnostic::error("a key could not be unwrapped: the thread that did it died"));
        scope.spawn(wait).join().unwrap_or_else(|_| died())
    })
}

/// Whether a type is a `Secret<..>`, which its `Deserialize` says to whoever asks.
pub(crate) fn is_secret<T: DeserializeOwned>() -> bool {
    let asked = RefCell::new(false);
    let _refused = T::deserialize(Probe(&asked));
    asked.into_inner()
}

/// A secret that stays sealed, as the type that it is read as; `None` where that wants a value.
pub(crate) fn sealed<T: DeserializeOwned>() -> Option<T> {
    T::deserialize(Sealed).ok()
}

/// Gives secrets without their value.
struct Sealed;

impl<'de> Deserializer<'de> for Sealed {
    type Error = Refused;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Refused> {
        Err(Refused::custom("there is no value"))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Refused> {
        if name == super::secret::NAME { visitor.visit_unit() } else { self.deserialize_any(visitor) }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

/// Gives no value to anybody, and remembers whether a secret was asked for.
struct Probe<'p>(&'p RefCell<bool>);

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Refused;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Refused> {
        Err(Refused::custom("there is no value"))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, _visitor: V) -> Result<V::Value, Refused> {
        *self.0.borrow_mut() |= name == super::secret::NAME;
        Err(Refused::custom("there is no value"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    #[test]
    fn a_type_says_whether_it_is_secret() {
        assert!(is_secret::<Secret<String>>() && is_secret::<Option<Secret<Vec<i64>>>>());
        assert!(!is_secret::<String>() && !is_secret::<Vec<String>>() && !is_secret::<Value>());
    }

    #[test]
    fn a_secret_without_its_key_has_the_type_that_it_is_read_as_and_no_value() {
        let secret = sealed::<Secret<Vec<i64>>>().expect("a secret");
        assert_eq!((secret.opened(), format!("{secret:?}")), (None, "[secret]".to_owned()));
        assert!(sealed::<Option<Secret<String>>>().expect("a secret").is_some());
        assert!(sealed::<String>().is_none() && sealed::<Value>().is_none() && sealed::<Vec<Secret<i64>>>().is_none());
    }

    #[test]
    fn without_a_key_what_is_sealed_stays_so_for_who_only_looks() {
        let key = BTreeMap::from([(crate::sealing::PASSPHRASE.to_owned(), "correct horse".to_owned())]);
        let mut sealer = Sealer::new("acme", &[], KeySource::new(&key, None));
        let (value, made) = sealer.seal("prod", "token", "hush").expect("sealed");
        let text = Sealer::sealed(&value).expect("a sealed value").to_owned();
        let of = |environment: &BTreeMap<String, String>, optional: bool| {
            let mut sealer = Sealer::new("acme", &[], KeySource::new(environment, None).optional(optional));
            sealer.learn("prod", made.clone().expect("a new key")).expect("a key");
            sealer
        };
        let looking = of(&BTreeMap::new(), true);
        assert_eq!(looking.open("prod", "token", &text), Ok(None));
        assert!(looking.locked().expect("why").to_string().contains("PLATFORM_PASSPHRASE is not set"));
        assert!(of(&BTreeMap::new(), false).open("prod", "token", &text).is_err());
        let wrong = BTreeMap::from([(crate::sealing::PASSPHRASE.to_owned(), "another".to_owned())]);
        assert!(of(&wrong, true).open("prod", "token", &text).is_err(), "a wrong key is a mistake");
    }

    #[test]
    fn a_secret_opens_under_its_key_and_table_alone() {
        let environment = BTreeMap::from([(crate::sealing::PASSPHRASE.to_owned(), "correct horse".to_owned())]);
        let mut sealer = Sealer::new("acme", &[], KeySource::new(&environment, None));
        let (value, made) = sealer.seal("prod", "token", "hush").expect("sealed");
        let text = Sealer::sealed(&value).expect("a sealed value").to_owned();
        let mut again = Sealer::new("acme", &[], KeySource::new(&environment, None));
        again.learn("prod", made.clone().expect("a new key")).expect("a key");
        again.learn("test", made.clone().expect("a new key")).expect("a key");
        assert_eq!(again.open("prod", "token", &text), Ok(Some("hush".into())));
        assert!(again.open("prod", "other", &text).is_err());
        assert!(again.open("test", "token", &text).is_err());
        let mut other = Sealer::new("other", &[], KeySource::new(&environment, None));
        other.learn("prod", made.clone().expect("a new key")).expect("a key");
        assert!(other.open("prod", "token", &text).is_err(), "nor in another project");
        let mut renamed = Sealer::new("other", &["acme".to_owned()], KeySource::new(&environment, None));
        renamed.learn("prod", made.expect("a new key")).expect("a key");
        assert_eq!(renamed.open("prod", "token", &text), Ok(Some("hush".into())), "but in one that was called so");
        assert!(renamed.open("prod", "other", &text).is_err());
    }
}
