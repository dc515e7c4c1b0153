//! Secrets: values that are encrypted in state and shown nowhere.

use std::{
    fmt,
    marker::PhantomData,
    panic::{Location, panic_any},
};

use serde::{Deserialize, Deserializer, Serialize, de::Visitor};
use zeroize::Zeroize;

use super::{Expr, ToExpr};

/// What a secret is called where it is read: configuration knows by it what must be hidden.
pub(super) const NAME: &str = "$platform::Secret";

/// A value that must not be seen: no `Serialize`, no `Display`, and `Debug` shows `[secret]`.
///
/// Secrecy travels with the value: an output made from a secret stays secret in whatever field it ends. Where a program is
/// planned without the key to its configuration, a secret of that has no value, and can be handed on all the same.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(Held<T>);

#[derive(Clone, PartialEq, Eq)]
enum Held<T> {
    Open(T),
    Sealed,
}

/// What a program panics with that needs the value of a sealed secret.
pub(crate) struct NeedsKey {
    /// Where.
    pub(crate) at: String,
}

impl<T> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(Held::Open(value))
    }

    /// The value itself, for the one call that needs it.
    ///
    /// # Panics
    /// When the program is planned without the key to its configuration, and that has the value: the plan then says where
    /// the program needs it. [`Secret::opened`] does not.
    #[track_caller]
    pub fn expose(&self) -> &T {
        let at = Location::caller();
        self.opened().unwrap_or_else(|| panic_any(NeedsKey { at: format!("{}:{}", at.file(), at.line()) }))
    }

    /// The value itself; `None` where the program is planned without the key to it.
    pub fn opened(&self) -> Option<&T> {
        match &self.0 {
            Held::Open(value) => Some(value),
            Held::Sealed => None,
        }
    }
}

impl<T: Zeroize> Secret<T> {
    /// Overwrites the value in memory.
    pub fn forget(mut self) {
        if let Held::Open(value) = &mut self.0 {
            value.zeroize();
        }
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl From<&str> for Secret<String> {
    fn from(value: &str) -> Self {
        Self::new(value.to_owned())
    }
}

impl<T: Serialize> ToExpr for Secret<T> {
    fn to_expr(&self) -> Expr {
        Expr::Secret(Box::new(self.opened().map_or(Expr::Sealed, ToExpr::to_expr)))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Inner<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Inner<T> {
            type Value = Held<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a secret")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Held<T>, D::Error> {
                T::deserialize(deserializer).map(Held::Open)
            }

            /// What is sealed has no value to read.
            fn visit_unit<E>(self) -> Result<Held<T>, E> {
                Ok(Held::Sealed)
            }
        }

        deserializer.deserialize_newtype_struct(NAME, Inner(PhantomData)).map(Self)
    }
}
