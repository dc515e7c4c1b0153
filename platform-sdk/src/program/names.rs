//! Enums for names that a service fixes, open to names that it adds later.

use std::cell::Cell;

use super::near::nearest;

thread_local! {
    /// Whether what is read now is the program's configuration, where an unknown name is a mistake.
    static FROM_CONFIG: Cell<bool> = const { Cell::new(false) };
}

/// Reads configuration: of enums that the service does not extend, only known names are taken.
pub(crate) fn of_config<T>(read: impl FnOnce() -> T) -> T {
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            FROM_CONFIG.set(self.0);
        }
    }
    let _before = Before(FROM_CONFIG.replace(true));
    read()
}

/// Refuses text of the configuration that is none of these names.
///
/// # Errors
/// What is wrong with it, and which name it is closest to.
#[doc(hidden)]
pub fn checked_name(of: &str, text: &str, known: &[&str]) -> Result<(), String> {
    if FROM_CONFIG.get() { known_name(of, text, known) } else { Ok(()) }
}

/// The same for text from anywhere.
///
/// # Errors
/// What is wrong with it, and which name it is closest to.
#[doc(hidden)]
pub fn known_name(of: &str, text: &str, known: &[&str]) -> Result<(), String> {
    if known.contains(&text) {
        return Ok(());
    }
    let all = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let near = nearest(text, known.iter().copied()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Err(format!("`{text}` is no name of a `{of}`{near} (known are {all}; `{of}::Other(..)` in the program takes any)"))
}

/// Declares an enum of names with `Other(String)`, which reads and writes as plain text.
///
/// ```
/// platform_sdk::names! {
///     /// How large.
///     pub enum Size {
///         /// The smallest.
///         Small = "SMALL",
///         /// The largest.
///         Large = "LARGE",
///     }
/// }
/// assert_eq!(Size::Large.as_str(), "LARGE");
/// assert_eq!(Size::from("HUGE"), Size::Other("HUGE".into()));
/// assert!("SMAL".parse::<Size>().unwrap_err().to_string().contains("did you mean `SMALL`?"));
/// ```
///
/// Text that is read from the configuration, or parsed, must be one of the names, unless the service adds names so often
/// that those of this version are only the best known: such an enum is `pub open enum`.
#[macro_export]
macro_rules! names {
    ($(#[$meta:meta])* $vis:vis open enum $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $crate::names!(@enum [] $(#[$meta])* $vis $name { $($(#[$doc])* $variant = $text),+ });
    };
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $crate::names!(@enum [closed] $(#[$meta])* $vis $name { $($(#[$doc])* $variant = $text),+ });
    };
    (@known [closed] $check:ident $name:ident $given:ident [$($text:literal)+]) => {
        $crate::__private::$check(stringify!($name), $given, &[$($text),+])
    };
    (@known [] $check:ident $name:ident $given:ident [$($text:literal)+]) => {
        Ok(())
    };
    (@enum [$($closed:ident)?] $(#[$meta:meta])* $vis:vis $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal),+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name {
            $($(#[$doc])* $variant,)+
            /// A name that this version of the crate does not know.
            Other(String),
        }

        impl $name {
            /// The name as the service writes it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(name) => name,
                }
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                match name {
                    $($text => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::Diagnostic;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                let known: Result<(), String> = $crate::names!(@known [$($closed)?] known_name $name name [$($text)+]);
                known.map(|()| Self::from(name)).map_err($crate::Diagnostic::error)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::__private::serde::Serialize for $name {
            fn serialize<S: $crate::__private::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::__private::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::__private::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = <String as $crate::__private::serde::Deserialize>::deserialize(deserializer)?;
                let name = name.as_str();
                let known: Result<(), String> = $crate::names!(@known [$($closed)?] checked_name $name name [$($text)+]);
                known.map(|()| Self::from(name)).map_err($crate::__private::serde::de::Error::custom)
            }
        }

        impl $crate::Names for $name {
            const NAMES: &'static [(&'static str, &'static str)] = &[$(($text, stringify!($variant))),+];
        }

        $crate::plain_input!($name);
    };
}

/// A type of names that a service fixes.
pub trait Names {
    /// Each as the service writes it, and as Rust does.
    const NAMES: &'static [(&'static str, &'static str)];
}

/// The names of a field's type, which has some or has none: a derive can't tell, and the compiler takes the constant of
/// the type before that of the trait.
#[doc(hidden)]
#[derive(Debug)]
pub struct NamesOf<T>(std::marker::PhantomData<T>);

impl<T: Names> NamesOf<T> {
    /// Its own.
    pub const NAMES: &'static [(&'static str, &'static str)] = T::NAMES;
}

/// The names of a type that has none.
#[doc(hidden)]
pub trait Nameless {
    /// None.
    const NAMES: &'static [(&'static str, &'static str)] = &[];
}

impl<T> Nameless for NamesOf<T> {}
