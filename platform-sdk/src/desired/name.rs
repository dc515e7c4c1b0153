//! Names: of fields, keys and outputs. Text that is said again in each of a stack's many resources, and kept once.

use std::{borrow::Borrow, cell::RefCell, fmt, ops::Deref, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};

/// A name. A copy costs nothing, and what has the same name mostly shares its text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// The longest name that is looked for among those said lately, in bytes. Longer ones are hardly names of fields.
const LONGEST: usize = 48;

/// How many are kept to be found again. Few enough to cost nothing, more than the types of a stack have fields.
const KEPT: usize = 512;

thread_local! {
    /// What was said lately, each in the place that its letters give it. Of two in one place the later one stays: nothing
    /// but memory depends on who is found here.
    static LATELY: RefCell<[Option<Name>; KEPT]> = const { RefCell::new([const { None }; KEPT]) };
}

/// FNV-1a: short, and good enough to spread a few hundred words.
fn place(text: &str) -> usize {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash ^ (hash >> 16)) as usize % KEPT
}

impl Name {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        if text.len() > LONGEST {
            return Self(text.into());
        }
        LATELY.with_borrow_mut(|lately| match &mut lately[place(text)] {
            Some(known) if known.as_str() == text => known.clone(),
            other => other.insert(Self(text.into())).clone(),
        })
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&String> for Name {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        *self.0 == **other
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E>(self, text: &str) -> Result<Name, E> {
                Ok(text.into())
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_the_same_name_shares_its_text_whoever_says_it() {
        let said = Name::from("comment");
        let read: Name = serde_json::from_str("\"comment\"").expect("a name");
        assert!(Arc::ptr_eq(&said.0, &read.0) && Arc::ptr_eq(&said.0, &Name::from("comment".to_owned()).0));
        assert_eq!(serde_json::to_string(&said).expect("text"), "\"comment\"");
    }

    #[test]
    fn of_two_in_one_place_none_gets_the_others_text() {
        let names: Vec<String> = (0..10 * KEPT).map(|index| format!("column_{index}")).collect();
        let kept: Vec<Name> = names.iter().map(Name::from).collect();
        assert!(kept.iter().zip(&names).all(|(name, text)| name == text.as_str()));
        assert_eq!(Name::from(&"x".repeat(LONGEST + 1)).len(), LONGEST + 1);
    }
}
