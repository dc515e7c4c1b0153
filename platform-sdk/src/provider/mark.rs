//! Marks: what a create writes into an object that can carry it, so that whose it is can be told from the object alone.

use sha2::{Digest as _, Sha256};

use crate::desired::Address;

/// How long an owner's text may be: the shortest bound of a tag's value among the services that have readable tags (AWS
/// and Azure, 256).
const LONGEST: usize = 256;

/// How much of a text that is too long is kept; the rest is its digest.
const KEPT: usize = LONGEST - DIGEST - 2;

/// The hexadecimal digits of a digest.
const DIGEST: usize = 16;

/// What a create writes into an object that can carry it, hidden from diffs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    id: String,
    owner: String,
}

impl Mark {
    /// The mark of an intent's object: `id` is `<stack uuid>/<intent id>`.
    pub fn new(id: impl Into<String>, owner: impl Into<String>) -> Self {
        Self { id: id.into(), owner: owner.into() }
    }

    /// `<stack uuid>/<intent id>`, which no other object carries but for copies: at most 64 characters of `[0-9a-f-/]`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// `<project>/<stack>/<address>`, as [`owner`] writes it: says to a person, and to whoever has lost a stack's state,
    /// which resource of which program the object is.
    pub fn owner(&self) -> &str {
        &self.owner
    }
}

/// `<project>/<stack>/<address>`: at most 256 characters of `[A-Za-z0-9._:/@=-]`.
///
/// Any other character is written as its bytes of UTF-8, `=` and two hexadecimal digits each; so is a `/` in the names of
/// project and stack. What is longer is cut, and ends with `=-` and the first 16 digits of the whole text's SHA-256: who
/// knows the three writes the same text, and compares.
pub fn owner(project: &str, stack: &str, address: &Address) -> String {
    let mut text = String::with_capacity(LONGEST);
    escape(project, false, &mut text);
    text.push('/');
    escape(stack, false, &mut text);
    text.push('/');
    escape(address.as_str(), true, &mut text);
    if text.len() > LONGEST {
        let digest = Sha256::digest(&text);
        text.truncate(KEPT);
        text.push_str("=-");
        for byte in &digest[..DIGEST / 2] {
            push_hex(*byte, &mut text);
        }
    }
    text
}

fn escape(name: &str, slashes: bool, text: &mut String) {
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b':' | b'@' | b'-' => text.push(char::from(byte)),
            b'/' if slashes => text.push('/'),
            other => {
                text.push('=');
                push_hex(other, text);
            }
        }
    }
}

fn push_hex(byte: u8, text: &mut String) {
    for digit in [byte >> 4, byte & 15] {
        text.push(char::from_digit(digit.into(), 16).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(project: &str, stack: &str, path: &str) -> String {
        owner(project, stack, &Address::new("test:Job", path).expect("an address"))
    }

    #[test]
    fn an_owner_is_project_stack_and_address() {
        assert_eq!(of("shop", "prod", "sales/nightly"), "shop/prod/test:Job::sales/nightly");
    }

    #[test]
    fn what_a_tag_cannot_hold_is_escaped_and_stays_apart() {
        assert_eq!(of("a/b", "ü=", "x"), "a=2fb/=c3=bc=3d/test:Job::x");
        assert_ne!(of("a/b", "c", "x"), of("a", "b/c", "x"));
    }

    #[test]
    fn a_long_one_is_cut_and_still_tells_two_apart() {
        let long = "x".repeat(400);
        let (one, other) = (of("shop", "prod", &format!("{long}1")), of("shop", "prod", &format!("{long}2")));
        assert_eq!((one.len(), other.len()), (LONGEST, LONGEST));
        assert_ne!(one, other);
        assert_eq!(one, of("shop", "prod", &format!("{long}1")));
    }
}
