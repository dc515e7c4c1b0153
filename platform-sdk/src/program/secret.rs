//! Secrets: values that are encrypted in state and shown nowhere.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Deserializer, Serialize, de::Visitor};
use zeroize::Zeroize;

use super::{Expr, ToExpr};

/// What a secret is called where it is read: configuration knows by it what must be hidden.
pub(super) const NAME: &str = "$platform::Secret";

/// A value that must not be seen: no `Serialize`, no `Display`, and `Debug` shows `[secret]`.
///
/// Secrecy travels with the value: an output made from a secret stays secret in whatever field it ends.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself, for the one call that needs it.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Secret<T> {
    /// Overwrites the value in memory.
    pub fn forget(mut self) {
        self.0.zeroize();
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl From<&str> for Secret<String> {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

impl<T: Serialize> ToExpr for Secret<T> {
    fn to_expr(&self) -> Expr {
        Expr::Secret(Box::new(self.0.to_expr()))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Inner<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Inner<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a secret")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
                T::deserialize(deserializer)
            }
        }

        deserializer.deserialize_newtype_struct(NAME, Inner(PhantomData)).map(Self)
    }
}
