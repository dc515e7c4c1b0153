//! Baselines: what stood in fields that the program does not set, hashed. What is secret, under the stack's keys; the rest
//! under its id, so that nobody needs a key to tell what has changed, and two stacks have no hash in common.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde_json::Value;

use super::{Keys, Snapshot, secrets::mac};
use crate::desired::{Name, Tree};

/// How the hash of something secret begins; there is no more of it where the stack has no keys.
const SECRET: &str = "*";

/// Bytes of a hash that are kept: enough that no two values have the same by chance.
const KEPT: usize = 8;

/// What hashes and compares the values of one stack.
#[derive(Debug, Clone, Copy)]
pub struct Baseline<'a> {
    stack: &'a str,
    keys: &'a Keys,
}

impl<'a> Baseline<'a> {
    /// That of the stack that this snapshot is of.
    pub fn of(snapshot: &'a Snapshot, keys: &'a Keys) -> Self {
        Self { stack: &snapshot.uuid, keys }
    }

    /// The hash of a value; `None` where it is not known.
    pub fn hash(self, value: &Tree) -> Option<Name> {
        let plain = value.plain()?;
        let hash = if value.has_secrets() { self.secret(&plain).unwrap_or_default() } else { self.open(&plain) };
        Some(if value.has_secrets() { format!("{SECRET}{hash}") } else { hash }.into())
    }

    /// Whether this hash is of that value; `None` where nobody can tell, since the keys are not there.
    pub fn is_of(self, hash: &str, value: &Tree) -> Option<bool> {
        let plain = value.plain()?;
        match hash.strip_prefix(SECRET) {
            Some("") => None,
            Some(hash) => self.secret(&plain).map(|is| is == hash),
            None => Some(self.open(&plain) == hash),
        }
    }

    fn open(self, plain: &Value) -> String {
        short(&mac(self.stack.as_bytes(), plain))
    }

    fn secret(self, plain: &Value) -> Option<String> {
        self.keys.are_made().then(|| short(&self.keys.mac(plain)))
    }
}

fn short(digest: &[u8; 32]) -> String {
    BASE64.encode(&digest[..KEPT])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::sealing::{KeySource, PASSPHRASE};

    fn snapshot(uuid: &str) -> Snapshot {
        Snapshot { uuid: uuid.to_owned(), ..Snapshot::default() }
    }

    #[test]
    fn equal_values_have_equal_hashes_in_one_stack_only() {
        let keys = Keys::none_yet("demo/dev", KeySource::default());
        let (one, other) = (snapshot("1"), snapshot("2"));
        let (one, other) = (Baseline::of(&one, &keys), Baseline::of(&other, &keys));
        let (a, b) = (Tree::from(json!({"x": [1]})), Tree::from(json!({"x": [2]})));
        let hash = one.hash(&a).expect("known");
        assert_eq!(hash.len(), 11);
        assert_eq!((one.is_of(&hash, &a), one.is_of(&hash, &b)), (Some(true), Some(false)));
        assert_ne!(other.hash(&a).expect("known"), hash);
        assert_eq!(one.hash(&Tree::Unknown("${a.id}".to_owned())), None);
    }

    #[tokio::test]
    async fn a_secret_is_hashed_under_the_keys_alone_and_without_them_nobody_can_tell() {
        let environment = BTreeMap::from([(PASSPHRASE.to_owned(), "correct horse".to_owned())]);
        let keys = Keys::none_yet("demo/dev", KeySource::new(&environment, None));
        let snapshot = snapshot("1");
        let baseline = Baseline::of(&snapshot, &keys);
        let (plain, secret) = (Tree::from(json!("canary")), Tree::Secret(Box::new(json!("canary").into())));
        assert_eq!(baseline.hash(&secret).expect("known").as_str(), SECRET, "no hash that could be guessed from");
        assert_eq!(baseline.is_of(SECRET, &secret), None);
        keys.ensure().await.expect("made");
        let hash = baseline.hash(&secret).expect("known");
        assert_ne!(hash.as_str(), format!("{SECRET}{}", baseline.hash(&plain).expect("known").as_str()));
        assert_eq!((baseline.is_of(&hash, &secret), baseline.is_of(&hash, &plain)), (Some(true), Some(true)));
        assert_eq!(baseline.is_of(&hash, &json!("another").into()), Some(false));
        let elsewhere = Keys::none_yet("demo/dev", KeySource::default());
        assert_eq!(Baseline::of(&snapshot, &elsewhere).is_of(&hash, &secret), None, "the keys are not there");
    }
}
