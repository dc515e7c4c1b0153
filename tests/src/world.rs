//! What exists in a sandbox, as a person would compare it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Documents by key, each with the address that its service has, without ids and times.
pub fn told<'d>(documents: impl Iterator<Item = (&'d str, &'d Value, &'d str)>) -> BTreeSet<String> {
    let mut told = BTreeMap::<String, usize>::new();
    // A workspace remembers the SQL statements that it ran; how often one was sent is not what exists.
    for (key, document, url) in documents.filter(|(key, ..)| !key.contains("/statements/")) {
        let mut document = document.clone();
        forget_the_moment(&mut document);
        let text = format!("{key} {document}").replace(url.trim_start_matches("http://"), "_");
        *told.entry(without_ids(&text)).or_default() += 1;
    }
    told.into_iter().map(|(document, times)| format!("{times} x {document}")).collect()
}

/// How far compute has come with starting is a matter of time; how often a table was altered, one of how often it was asked.
fn forget_the_moment(document: &mut Value) {
    if let Value::Object(fields) = document {
        fields.remove("_version");
        if let Some(Value::Object(properties)) = fields.get_mut("properties") {
            properties.remove("delta.lastUpdateVersion");
        }
    }
    if let Value::Object(fields) = document
        && fields.contains_key("_until")
    {
        for moment in ["_until", "_used_at", "health", "num_clusters", "state", "state_message"] {
            fields.remove(moment);
        }
    }
}

/// Ids and times are long runs of hexadecimal digits and hyphens.
fn without_ids(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    for piece in text.split_inclusive(|c| !part(c)) {
        let word = piece.trim_end_matches(|c| !part(c));
        let is_id = word.len() >= 13
            && word.contains(|c: char| c.is_ascii_digit())
            && word.chars().all(|c| c == '-' || matches!(c, '0'..='9' | 'a'..='f'));
        plain.push_str(if is_id { "_" } else { word });
        plain.push_str(&piece[word.len()..]);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::without_ids;

    #[test]
    fn ids_and_times_are_left_out_and_names_are_kept() {
        let told = r#"w/9007199254740995/x {"at":1795625415904,"id":"5a4d0b0c-ae00-4000-8000-000000000002","n":3}"#;
        assert_eq!(without_ids(told), r#"w/_/x {"at":_,"id":"_","n":3}"#);
        assert_eq!(without_ids("m6gd.large 15.4.x-scala2.12 111122223333"), "m6gd.large 15.4.x-scala2.12 111122223333");
    }
}
