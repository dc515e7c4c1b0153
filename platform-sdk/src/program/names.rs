//! Enums for names that a service fixes, open to names that it adds later.

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
/// ```
#[macro_export]
macro_rules! names {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
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
                <String as $crate::__private::serde::Deserialize>::deserialize(deserializer).map(|name| Self::from(name.as_str()))
            }
        }

        $crate::plain_input!($name);
    };
}
