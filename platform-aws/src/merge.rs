//! What calls send that replace a whole setting at once: what is wanted, merged with what is there.

#[cfg(any(feature = "iam", test))]
use std::collections::BTreeMap;

/// One field of such a setting: the wanted value; its default where the program set it before and sets it no more; else
/// what is there.
pub(crate) fn wanted<T>(touched: bool, after: Option<T>, before: Option<T>, default: T) -> T {
    match after {
        Some(after) => after,
        None if touched => default,
        None => before.unwrap_or(default),
    }
}

/// Tags that AWS's own services put on an object: nobody else can, and nobody declares them.
pub(crate) fn is_system_tag(key: &str) -> bool {
    key.starts_with("aws:")
}

/// Tags to set and keys to remove.
#[cfg(any(feature = "iam", test))]
pub(crate) fn tag_changes(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> (BTreeMap<String, String>, Vec<String>) {
    let set = after.iter().filter(|(key, value)| before.get(*key) != Some(value));
    let removed = before.keys().filter(|key| !after.contains_key(*key) && !is_system_tag(key));
    (set.map(|(key, value)| (key.clone(), value.clone())).collect(), removed.cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clause_4_what_the_program_never_set_stays() {
        assert!(!wanted(false, None, Some(false), true));
        assert!(wanted(true, None, Some(false), true), "dropped: back to its default");
        assert!(!wanted(true, Some(false), Some(true), true));
    }

    #[test]
    fn clause_4_only_tags_that_differ_are_sent() {
        let tags = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let before = tags(&[("a", "1"), ("b", "2"), ("c", "3"), ("aws:stack", "x")]);
        let (set, removed) = tag_changes(&before, &tags(&[("a", "1"), ("b", "9"), ("d", "4")]));
        assert_eq!(set, tags(&[("b", "9"), ("d", "4")]));
        assert_eq!(removed, ["c"]);
    }
}
